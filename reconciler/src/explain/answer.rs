//! An explanation in the format that was asked for.

use super::Explanation;

/// An explanation in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Answer {
    /// The content type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// An explanation in this format, with a line break at its end.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn of(self, explanation: &Explanation) -> Result<String, serde_json::Error> {
        match self {
            Self::Text => Ok(explanation.to_string()),
            Self::Json => Ok(serde_json::to_string_pretty(explanation)? + "\n"),
        }
    }
}
