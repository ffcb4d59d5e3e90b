//! Manifests as the API server would store them.

use kuma_workload_plan::read::{
    Fault, Place,
    tree::{Mismatch, Node, Read, Value},
    unrendered,
};
use kuma_workload_rulebook::quoted::Quoted;

use crate::document::Document;

/// Where the metadata of an object, and that of the Pods that it makes, stands.
const METADATA: [&[&str]; 3] = [
    &["metadata"],
    &["spec", "template", "metadata"],
    &["spec", "jobTemplate", "spec", "template", "metadata"],
];

/// The strings in it.
const NAMES: [&str; 3] = ["name", "generateName", "namespace"];

/// The maps of strings in it.
const TEXTS: [&str; 2] = ["labels", "annotations"];

/// A manifest whose null labels and annotations are empty ones (W2).
///
/// # Errors
///
/// That it is a template, or that a name, label or annotation is no string: the API server would
/// refuse it.
pub(crate) fn stored(mut document: Document) -> Result<Document, Fault> {
    if let Some(problem) = unrendered::object(&document.node) {
        return Err(problem.in_file(&document.place.file));
    }
    for path in METADATA {
        check(&document.node, path).map_err(|mismatch| fault(&document, &mismatch))?;
        let metadata = path
            .iter()
            .try_fold(&mut document.node, |node, step| value(node, step));
        let Some(metadata) = metadata else { continue };
        for key in TEXTS {
            if let Some(Value::Map(texts)) = value(metadata, key).map(|node| &mut node.value) {
                for (_, text) in texts {
                    if text.value == Value::Null {
                        text.value = Value::Text(String::new());
                    }
                }
            }
        }
    }
    Ok(document)
}

fn value<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    let found = entries.iter_mut().find(|(found, _)| found == key);
    found.map(|(_, value)| value)
}

/// Whether names, labels and annotations are strings in the metadata at this path, if there is any.
fn check(node: &Node, path: &[&str]) -> Read<()> {
    match path {
        [] => {
            for key in NAMES {
                node.field(key, |name| name.text().map(drop))?;
            }
            for key in TEXTS {
                node.field(key, |texts| texts.texts().map(drop))?;
            }
            Ok(())
        }
        // What else is odd is the policy's to say.
        [step, ..] if node.get(step).is_none_or(|node| node.entries().is_err()) => Ok(()),
        [step, rest @ ..] => node.field(step, |node| check(node, rest)).map(drop),
    }
}

/// As `kuma-workload plan` says it.
fn fault(document: &Document, mismatch: &Mismatch) -> Fault {
    let kind = document.text("kind").unwrap_or_default();
    let metadata = document.node.get("metadata");
    let name = metadata.and_then(|metadata| metadata.get("name")?.text().ok());
    let object = match name {
        Some(name) => format!("{kind} {}", Quoted(name)),
        None => kind.to_owned(),
    };
    let Mismatch { at, path, what, .. } = mismatch;
    Fault {
        place: Place {
            at: *at,
            ..document.place.clone()
        },
        message: format!("{object}: {path} {what}"),
    }
}
