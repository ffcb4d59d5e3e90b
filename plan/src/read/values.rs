//! The YAML and JSON documents that stand in a document.

use std::{borrow::Cow, iter};

use super::{
    document::Document,
    fault::{Fault, Problem},
    json::Values,
    parsed::{Bulk, Parsed},
    stream::Stream,
    text,
    tree::{Node, Position},
};

/// What stands in a document, in order. What cannot be parsed does not hide the rest; of JSON, it is
/// the last.
///
/// Lists and maps that nobody here reads (see [`super::tree::is_bulk`]) are null.
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
    let mut values = Values::new(text, Position::default(), Bulk::Dropped);
    match values.next() {
        Some(parsed) => Ok(parsed?.node),
        None => Err(Problem {
            at: Position::default(),
            message: "this is no JSON: it is empty".to_owned(),
        }),
    }
}

pub(super) fn read<'d>(
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
