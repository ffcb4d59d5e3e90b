//! Documents as trees of nodes that know where they stand: YAML and JSON, read as kubectl and the API
//! server read them.
//!
//! A [`Document`] is what has a name, such as a file. [`nodes`] gives the YAML or JSON documents that
//! stand in it, one after the other, and a [`Fault`] for each that cannot be read: it leaves out the
//! bulk that no rule asks for. [`values`] gives all that stands in them. Nothing panics, whatever the
//! bytes; time and memory grow with their number.

mod builder;
mod json;
mod policy_settings;
mod stream;
mod template;
mod text;
pub mod tree;
mod yaml;

pub use template::unrendered;

use std::{borrow::Cow, fmt, iter, sync::Arc};

use serde::{Serialize, Serializer};

pub use self::policy_settings::policy_settings;

use self::{
    stream::Stream,
    tree::{Node, Position},
};

/// The name of the standard input, in places as on the command line.
pub const STDIN: &str = "-";

/// A file of manifests, or what stands for one. Many YAML or JSON documents may be in it: its content
/// says which, not its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'d> {
    /// What places call it.
    pub name: Arc<str>,
    /// Its bytes: UTF-8, or UTF-16 with a byte order mark.
    pub bytes: Cow<'d, [u8]>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// The document's name; `-` is the standard input.
    #[serde(serialize_with = "as_text")]
    pub file: Arc<str>,
    /// Where in it.
    #[serde(flatten)]
    pub at: Position,
}

fn as_text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.at;
        match line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// Input that cannot be read, as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong there, and what to do.
    pub message: String,
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl Fault {
    /// Something about a file as a whole.
    pub fn of_file(file: impl Into<Arc<str>>, message: impl Into<String>) -> Self {
        let (file, at) = (file.into(), Position::default());
        Self {
            place: Place { file, at },
            message: message.into(),
        }
    }
}

/// What is wrong at a place of a document, as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub at: Position,
    /// What is wrong there, and what to do.
    pub message: String,
}

impl Problem {
    /// As a fault of this file.
    pub fn in_file(self, file: &Arc<str>) -> Fault {
        let Self { at, message } = self;
        let file = file.clone();
        Fault {
            place: Place { file, at },
            message,
        }
    }
}

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
enum Bulk {
    /// It is looked through for mistakes, and null in the nodes.
    Dropped,
    Kept,
}

/// What stands in a document, in order. What cannot be parsed does not hide the rest; of JSON, it is
/// the last.
///
/// Lists and maps that nobody here reads (see [`tree::is_bulk`]) are null.
pub fn nodes<'d>(
    document: &'d Document<'_>,
) -> impl Iterator<Item = Result<Parsed, Fault>> + use<'d> {
    read(document, Bulk::Dropped)
}

/// All that stands in a document, in order. What cannot be parsed, or has a mistake such as a repeated
/// key, does not hide the rest; of JSON, it is the last.
///
/// Numbers are as exact as they are given, as far as 64 bits go.
pub fn trees<'d>(
    document: &'d Document<'_>,
) -> impl Iterator<Item = Result<Node, Fault>> + use<'d> {
    let file = document.name.clone();
    read(document, Bulk::Kept).map(move |parsed| {
        let Parsed { node, problems, .. } = parsed?;
        match problems.into_iter().next() {
            Some(problem) => Err(problem.in_file(&file)),
            None => Ok(node),
        }
    })
}

/// The same as JSON, with where each begins.
pub fn values<'d>(
    document: &'d Document<'_>,
) -> impl Iterator<Item = Result<(Position, serde_json::Value), Fault>> + use<'d> {
    trees(document).map(|node| node.map(|node| (node.at, node.value.into())))
}

/// A JSON value that came from no file.
///
/// # Errors
///
/// That it is no JSON.
pub fn json(text: &str) -> Result<Node, Problem> {
    let mut values = json::Values::new(text, Position::default(), Bulk::Dropped);
    match values.next() {
        Some(parsed) => Ok(parsed?.node),
        None => Err(Problem {
            at: Position::default(),
            message: "this is no JSON: it is empty".to_owned(),
        }),
    }
}

fn read<'d>(
    document: &'d Document<'_>,
    bulk: Bulk,
) -> Box<dyn Iterator<Item = Result<Parsed, Fault>> + 'd> {
    let file = document.name.clone();
    match text::decode(&document.bytes) {
        Ok(Cow::Borrowed(text)) => Box::new(Stream::new(file, text, bulk)),
        Ok(Cow::Owned(text)) => {
            let all: Vec<_> = Stream::new(file, &text, bulk).collect();
            Box::new(all.into_iter())
        }
        Err(problem) => Box::new(iter::once(Err(problem.in_file(&file)))),
    }
}

#[cfg(test)]
pub(crate) mod tests;
