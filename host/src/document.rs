//! JSON and YAML files: read, split into documents, and located when something is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The file, and the document's number where there are several.
    pub place: String,
    /// The content.
    pub value: Value,
}

impl Document {
    /// The objects in it: itself, or the items of a `List`.
    #[must_use]
    pub fn objects(self) -> Vec<Self> {
        let is_list = self.value["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"));
        match self.value.get("items") {
            Some(Value::Array(items)) if is_list => {
                let kind = self.value["kind"].as_str().unwrap_or_default();
                let item_kind = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
                let api_version = &self.value["apiVersion"];
                let items = items.iter().enumerate().map(|(index, item)| {
                    let mut item = item.clone();
                    // Items of a typed list (`kubectl get -o json` apart) leave their kind out.
                    if let (Some(kind), Some(map)) = (item_kind, item.as_object_mut()) {
                        map.entry("kind").or_insert_with(|| kind.into());
                        map.entry("apiVersion")
                            .or_insert_with(|| api_version.clone());
                    }
                    let place = format!("{}, item {}", self.place, index + 1);
                    Self { place, value: item }.objects()
                });
                items.flatten().collect()
            }
            _ => vec![self],
        }
    }
}

/// A file that cannot be read or parsed: one sentence, with line and column where there are any.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It cannot be read.
    #[error("{path}: {reason}")]
    Read {
        /// The file or folder.
        path: String,
        /// Why.
        reason: String,
    },
    /// It cannot be parsed.
    #[error("{path}:{line}:{column}: {reason}")]
    Parse {
        /// The file.
        path: String,
        /// Counted from 1.
        line: u64,
        /// Counted from 1.
        column: u64,
        /// What is wrong there.
        reason: String,
    },
}

impl DocumentError {
    pub(crate) fn read(path: &Path, reason: impl ToString) -> Self {
        Self::Read {
            path: path.display().to_string(),
            reason: reason.to_string(),
        }
    }
}

/// Is this a file that may hold a document?
#[must_use]
pub fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["json", "yaml", "yml"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// A file itself, or all documents in a folder and below, in the order of their paths.
///
/// # Errors
/// When the path does not exist or cannot be listed.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, DocumentError> {
    let metadata = fs::metadata(path).map_err(|error| DocumentError::read(path, error))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| DocumentError::read(path, error))? {
        let entry = entry
            .map_err(|error| DocumentError::read(path, error))?
            .path();
        if entry.is_dir() {
            found.extend(files(&entry)?);
        } else if is_document(&entry) {
            found.push(entry);
        }
    }
    found.sort();
    Ok(found)
}

/// The documents of a file; empty ones are left out.
///
/// # Errors
/// When it cannot be read or parsed.
pub fn read(path: &Path) -> Result<Vec<Document>, DocumentError> {
    let text = read_text(path)?;
    let values: Vec<Value> = if is_json(path) {
        vec![parse(path, &text)?]
    } else {
        serde_saphyr::from_multiple_with_options(&text, yaml_options())
            .map_err(|error| yaml_error(path, &error))?
    };
    let several = values.len() > 1;
    let documents = values
        .into_iter()
        .enumerate()
        .filter(|(_, value)| !value.is_null());
    Ok(documents
        .map(|(index, value)| {
            let path = path.display();
            let place = if several {
                format!("{path}, document {}", index + 1)
            } else {
                path.to_string()
            };
            Document { place, value }
        })
        .collect())
}

/// The one document of a file, as a type of its own.
///
/// # Errors
/// When it cannot be read or parsed, or is not of that type.
pub fn read_as<T: DeserializeOwned>(path: &Path) -> Result<T, DocumentError> {
    parse(path, &read_text(path)?)
}

pub(crate) fn read_text(path: &Path) -> Result<String, DocumentError> {
    let bytes = fs::read(path).map_err(|error| DocumentError::read(path, error))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        DocumentError::read(path, format!("not UTF-8 text from byte {} on", valid + 1))
    })
}

pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, DocumentError> {
    if is_json(path) {
        serde_json::from_str(text).map_err(|error| DocumentError::Parse {
            path: path.display().to_string(),
            line: error.line() as u64,
            column: error.column() as u64,
            reason: without_position(&error),
        })
    } else {
        serde_saphyr::from_str_with_options(text, yaml_options())
            .map_err(|error| yaml_error(path, &error))
    }
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// serde_json repeats line and column at the end of its message.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}

fn yaml_error(path: &Path, error: &serde_saphyr::Error) -> DocumentError {
    let error = error.without_snippet();
    let (line, column) = error
        .location()
        .map_or((1, 1), |location| (location.line(), location.column()));
    let text = error.to_string();
    // The location stands before the message already.
    let reason = text.split(" at line ").next().unwrap_or(&text);
    DocumentError::Parse {
        path: path.display().to_string(),
        line,
        column,
        reason: reason.lines().next().unwrap_or(reason).to_owned(),
    }
}

/// Manifests are trusted input, and CRDs are deep: the limits are those of a large cluster dump.
fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 50_000_000,
            max_nodes: 50_000_000,
            max_depth: 256,
            max_documents: 1_000_000,
            max_total_scalar_bytes: 1 << 30,
        },
    }
}
