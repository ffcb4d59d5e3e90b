//! Where something stands.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

use super::tree::Position;

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
