//! What can go wrong with the testbed, in a sentence.

use std::fmt;

/// A sentence for the person who reads the failed test.
#[derive(Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl Error {
    /// This sentence.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// As it reads: `unwrap` prints this.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        Self(format!("the API server: {error}"))
    }
}
