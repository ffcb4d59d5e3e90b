//! Documents as trees of nodes that know where they stand: YAML and JSON, read as kubectl and the API
//! server read them.
//!
//! A [`Document`] is what has a name, such as a file. [`nodes`] gives the YAML or JSON documents that
//! stand in it, one after the other, and a [`Fault`] for each that cannot be read: it leaves out the
//! bulk that no rule asks for. [`values`] gives all that stands in them. Nothing panics, whatever the
//! bytes; time and memory grow with their number.

mod builder;
mod document;
mod fault;
mod json;
mod parsed;
mod pieces;
mod place;
mod policy_settings;
mod stream;
mod template;
mod text;
pub mod tree;
pub mod unrendered;
mod values;
mod yaml;

pub use self::{
    document::{Document, STDIN},
    fault::{Fault, Problem},
    parsed::{Parsed, Remark},
    pieces::{Piece, pieces},
    place::Place,
    policy_settings::policy_settings,
    values::{json, nodes, trees, values},
};

#[cfg(test)]
pub(crate) mod tests;
