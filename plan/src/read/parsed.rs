//! What comes of a document that could be parsed.

use super::{
    fault::Problem,
    tree::{Node, Position},
};

/// What is read otherwise than it looks, or not by kubectl.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Where.
    pub at: Position,
    /// What happens to it.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// A YAML or JSON document that could be parsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// What stands in it.
    pub node: Node,
    /// Mistakes that leave no doubt where what is wrong ends, such as a repeated key, in the order of
    /// their places: the document is to be refused, if anybody asks for what is in it.
    pub problems: Vec<Problem>,
    /// What is read otherwise than it looks, such as a key that is a boolean, in the order of places.
    pub remarks: Vec<Remark>,
}

/// Whether nodes have what no rule of the plan asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bulk {
    /// It is looked through for mistakes, and null in the nodes.
    Dropped,
    Kept,
}
