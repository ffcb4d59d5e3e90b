//! Documents as trees of nodes that know where they stand: YAML and JSON, read as the API server and
//! kubectl read them.
//!
//! A [`Document`] is what has a name, such as a file; [`nodes`] gives the YAML or JSON documents that
//! stand in it, one after the other, and a [`Fault`] for each that cannot be read.

pub mod json;
pub mod tree;
pub mod yaml;

use std::{borrow::Cow, fmt, iter, path::Path, sync::Arc};

use serde::{Serialize, Serializer};

use self::tree::{Node, Position};

/// The name of the standard input, in places as on the command line.
pub const STDIN: &str = "-";

/// A file of manifests, or what stands for one. Many YAML or JSON documents may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'d> {
    /// What places call it; its extension `.json`, or a `{` at its beginning where it has none, says
    /// that it is JSON.
    pub name: Arc<str>,
    /// Its bytes, which should be UTF-8.
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

/// What is no YAML or JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// Where.
    pub at: Position,
    /// Why.
    pub reason: String,
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

/// What stands in a document, in order. What cannot be parsed does not hide the rest; of JSON, it is
/// the last.
pub fn nodes<'d>(document: &'d Document<'_>) -> Box<dyn Iterator<Item = Result<Node, Fault>> + 'd> {
    let text = match text(document) {
        Ok(text) => text.trim_start_matches('\u{feff}'),
        Err(fault) => return Box::new(iter::once(Err(fault))),
    };
    let fault = |Syntax { at, reason }| Fault {
        place: Place {
            file: document.name.clone(),
            at,
        },
        message: reason,
    };
    if is_json(&document.name, text) {
        Box::new(json::documents(text).map(move |node| node.map_err(fault)))
    } else {
        let parse = move |(lines, text)| yaml::parse(text, lines).map_err(fault);
        Box::new(yaml::documents(text).map(parse))
    }
}

fn is_json(name: &str, text: &str) -> bool {
    match Path::new(name).extension() {
        Some(extension) => extension.eq_ignore_ascii_case("json"),
        None => text.trim_start().starts_with('{'),
    }
}

fn text<'d>(document: &'d Document<'_>) -> Result<&'d str, Fault> {
    std::str::from_utf8(&document.bytes).map_err(|error| {
        let valid = document.bytes.get(..error.valid_up_to());
        let lines = valid
            .unwrap_or_default()
            .iter()
            .filter(|byte| **byte == b'\n');
        let mut fault = Fault::of_file(
            document.name.clone(),
            "this is no UTF-8 text; save the file as UTF-8",
        );
        fault.place.at = Position {
            line: u32::try_from(lines.count() + 1).unwrap_or(u32::MAX),
            column: 1,
        };
        fault
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(name: &str, bytes: &'static [u8]) -> Document<'static> {
        Document {
            name: name.into(),
            bytes: bytes.into(),
        }
    }

    #[test]
    fn a_bad_document_does_not_hide_the_others() {
        let document = document("a.yml", b"a: 1\n---\nb: [\n---\nc: 3\n");
        let found: Vec<_> = nodes(&document).collect();
        assert_eq!(
            found.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [true, false, true]
        );
        assert!(found[1].as_ref().unwrap_err().place.at.line >= 3);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        let document = document("a.yml", b"a: 1\nb: \xff\n");
        let fault = nodes(&document).next().unwrap().unwrap_err();
        assert_eq!(fault.place.at.line, 2);
    }
}
