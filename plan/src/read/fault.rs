//! What is wrong with a document, as one sentence.

use std::{fmt, sync::Arc};

use serde::Serialize;

use super::{STDIN, place::Place, tree::Position};

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

    /// That no object was in any of these files, which were given as this.
    pub fn nothing_read(given: Arc<str>, files: &[Arc<str>]) -> Self {
        let what = match files {
            [] => "there is no file .yaml, .yml or .json".to_owned(),
            [file] if &**file == STDIN => {
                "it holds no Kubernetes object and no document of Kuma; see \
                                           whether the command before the pipe went wrong"
                    .to_owned()
            }
            [_] => "it holds no Kubernetes object and no document of Kuma".to_owned(),
            files => format!(
                "none of {} files holds a Kubernetes object or a document of Kuma",
                files.len()
            ),
        };
        Self::of_file(given, format!("nothing was read: {what}"))
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
