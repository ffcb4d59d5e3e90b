//! Why a payload cannot be judged (A14). A message says where, and never repeats what is there.

use std::fmt;

use kuma_workload_guest_json as json;
use kuma_workload_rulebook::admission::SettingsFaults;

use crate::path;

/// Why a payload cannot be judged.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// The payload is not JSON.
    NotJson {
        /// Where it stops being JSON, in bytes from its start.
        at: usize,
    },
    /// A field is missing, repeated or of a wrong type.
    Field {
        /// The path of the field.
        path: String,
    },
    /// The settings are not valid.
    Settings(SettingsFaults),
}

/// The path of the payload as a whole.
const PAYLOAD: &str = "the payload";

impl Unreadable {
    /// A field that is missing.
    pub(crate) fn missing(path: &str) -> Self {
        Self::Field {
            path: path.to_owned(),
        }
    }

    /// An error in a JSON value whose own path in the payload is `root`; empty for the payload.
    pub(crate) fn new(error: json::Error, json: &[u8], root: &str) -> Self {
        let at = error.at();
        if !error.is_data {
            return Self::NotJson { at };
        }
        let path = path::at(json, at, root);
        Self::missing(if path.is_empty() { PAYLOAD } else { &path })
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { at } => {
                write!(
                    formatter,
                    "the request cannot be read: it is not JSON from byte {at} on"
                )
            }
            Self::Field { path } => write!(
                formatter,
                "the request cannot be read: {path} is missing, repeated or of a wrong type"
            ),
            Self::Settings(faults) => {
                write!(formatter, "the policy's settings are not valid: {faults}")
            }
        }
    }
}
