//! Why a document cannot be read: where it is wrong, and never what is there.

use std::fmt;

use serde::de;

/// A document that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// Where, in bytes from the start; absent until the reader has seen the error.
    at: Option<usize>,
    /// Whether the document is JSON up to there, but has a value that is not expected.
    pub is_data: bool,
}

impl Error {
    /// Where the document is wrong, in bytes from the start.
    pub fn at(self) -> usize {
        self.at.unwrap_or_default()
    }

    /// A place where the document is not JSON.
    pub(crate) fn not_json(at: usize) -> Self {
        Self {
            at: Some(at),
            is_data: false,
        }
    }

    /// A value that is not expected.
    pub(crate) fn unexpected(at: usize) -> Self {
        Self {
            at: Some(at),
            is_data: true,
        }
    }

    /// The same error at this place, unless its place is known.
    pub(crate) fn found_at(self, at: usize) -> Self {
        Self {
            at: self.at.or(Some(at)),
            ..self
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at byte {}", self.at())
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    /// The message is dropped, because it may repeat a part of the document.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self {
            at: None,
            is_data: true,
        }
    }
}
