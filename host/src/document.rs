//! Files of requests, manifests and settings, read by the reader that `kuma-workload plan` has: what is
//! wrong with a file is said in the same words.

mod typed;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use kuma_workload_plan::read::{
    self, STDIN,
    tree::{Node, Value},
};
use serde::Deserialize;

pub use kuma_workload_plan::read::{Fault, Place};

/// One document of a file, or one object of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where it begins.
    pub place: Place,
    /// What stands in it.
    pub node: Node,
}

impl Document {
    /// The objects in it: itself, or those of a list, of a `List`, or of a watch's event.
    #[must_use]
    pub fn objects(self) -> Vec<Self> {
        let kind = self.text("kind").unwrap_or_default();
        let of_list = kind.strip_suffix("List").map(|item_kind| {
            let api_version = self.text("apiVersion").unwrap_or_default();
            [("apiVersion", api_version), ("kind", item_kind)]
                .map(|(key, value)| (key, value.to_owned()))
        });
        let of_event = matches!(self.text("type"), Some("ADDED" | "MODIFIED" | "DELETED"))
            && self.node.get("object").is_some();
        let Self { place, node } = self;
        match (node.value, of_list) {
            (Value::List(items), _) => Self::all(&place, items),
            (Value::Map(entries), None) if of_event => Self::all(&place, values(entries, "object")),
            (Value::Map(entries), Some(types)) => {
                let items = values(entries, "items").into_iter();
                let items = items.flat_map(|items| match items.value {
                    Value::List(items) => items,
                    _ => Vec::new(),
                });
                Self::all(&place, items.map(|item| with_types(item, &types)))
            }
            (value, _) => vec![Self {
                place,
                node: Node { at: node.at, value },
            }],
        }
    }

    fn all(place: &Place, nodes: impl IntoIterator<Item = Node>) -> Vec<Self> {
        let objects = nodes.into_iter().flat_map(|node| {
            let place = Place {
                file: place.file.clone(),
                at: node.at,
            };
            Self { place, node }.objects()
        });
        objects.collect()
    }

    /// The string that a key has at its top, if it is not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        let text = self.node.get(key)?.text().ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// It as JSON.
    #[must_use]
    pub fn value(&self) -> serde_json::Value {
        self.node.value.clone().into()
    }

    /// It as a type.
    ///
    /// # Errors
    ///
    /// What does not fit the type, and where.
    pub fn read<'n, T: Deserialize<'n>>(&'n self) -> Result<T, Fault> {
        typed::read(&self.node).map_err(|misfit| Fault {
            message: misfit.to_string(),
            place: Place {
                at: misfit.at,
                ..self.place.clone()
            },
        })
    }

    /// Something that is wrong with it.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault {
            place: self.place.clone(),
            message: message.into(),
        }
    }
}

/// The values of a key: one, or none.
fn values(entries: Vec<(String, Node)>, key: &str) -> Vec<Node> {
    let found = entries.into_iter().filter(|(found, _)| found == key);
    found.map(|(_, node)| node).collect()
}

/// An item of a typed list may leave out what the list says of all.
fn with_types(mut item: Node, types: &[(&str, String)]) -> Node {
    if let Value::Map(entries) = &mut item.value {
        for (key, value) in types {
            let is_there = entries.iter().any(|(found, _)| found == key);
            if !is_there && !value.is_empty() {
                let value = Value::Text(value.clone());
                entries.push(((*key).to_owned(), Node { at: item.at, value }));
            }
        }
    }
    item
}

/// A file itself, or all that may be documents in a folder and below, in the order of their paths.
///
/// # Errors
///
/// When the path does not exist, or a folder cannot be listed.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    if path == Path::new(STDIN) || !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let entries = fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(path, &error))?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let path = entry.path();
        if is_folder {
            found.extend(files(&path)?);
        } else if is_document(&path) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["json", "yaml", "yml"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// The documents of a file, and what is wrong with those that cannot be read. Empty ones are left out.
pub fn read(path: &Path) -> Vec<Result<Document, Fault>> {
    let document = match load(path) {
        Ok(document) => document,
        Err(fault) => return vec![Err(fault)],
    };
    let trees = read::trees(&document).map(|node| {
        let node = node?;
        let place = Place {
            file: document.name.clone(),
            at: node.at,
        };
        Ok(Document { place, node })
    });
    let empty = |document: &Result<Document, Fault>| {
        document
            .as_ref()
            .is_ok_and(|document| document.node.value == Value::Null)
    };
    trees.filter(|document| !empty(document)).collect()
}

/// The only document of a file. A file without any is `null`.
///
/// # Errors
///
/// When it cannot be read, or there are several.
pub fn read_one(path: &Path) -> Result<Document, Fault> {
    let mut documents = read(path).into_iter();
    match (documents.next(), documents.next()) {
        (Some(only), None) => only,
        (None, _) => {
            let place = Fault::of_file(name(path), "").place;
            let node = Node::default();
            Ok(Document { place, node })
        }
        (Some(first), Some(second)) => {
            let (_, second) = (first?, second?);
            Err(second.fault("only one document is expected in this file; leave this one out"))
        }
    }
}

/// A file, as the reader takes it.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn load(path: &Path) -> Result<read::Document<'static>, Fault> {
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    }
    .map_err(|error| unreadable(path, &error))?;
    Ok(read::Document {
        name: name(path),
        bytes: bytes.into(),
    })
}

/// A file of plain text.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn text(path: &Path) -> Result<String, Fault> {
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

/// A text of YAML or JSON that came from no file, as JSON.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn json(text: &str) -> Result<serde_json::Value, String> {
    let document = read::Document {
        name: "".into(),
        bytes: text.as_bytes().into(),
    };
    let first = read::trees(&document).next();
    match first.transpose().map_err(|fault| fault.message)? {
        Some(node) => Ok(node.value.into()),
        None => Ok(serde_json::Value::Null),
    }
}

fn name(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

/// What a file system says, as a sentence.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder, and a file is expected".to_owned(),
        _ => format!("it cannot be read: {error}"),
    };
    Fault::of_file(name(path), why)
}
