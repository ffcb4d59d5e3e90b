//! What goes wrong on the host's side of a question.

use std::fmt;

/// An error on the host's side: a message and, where there is one, its cause.
///
/// A policy reads the long form ([`Failure::chain`]); a recorded session keeps the short one
/// (`Display`), so a replayed error has lost its cause, as with kwctl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
    causes: Vec<String>,
}

impl Failure {
    /// An error without a cause.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
        }
    }

    /// The same, caused by this.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The message and its causes, one below the other.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        if !self.causes.is_empty() {
            text.push_str("\n\nCaused by:");
            let numbered = self.causes.len() > 1;
            for (index, cause) in self.causes.iter().enumerate() {
                text.push('\n');
                if numbered {
                    text.push_str(&format!("{index:>5}: "));
                } else {
                    text.push_str("    ");
                }
                text.push_str(&indented(cause, numbered));
            }
        }
        text
    }
}

/// Later lines of a cause stand below its first one.
fn indented(cause: &str, numbered: bool) -> String {
    let margin = if numbered { "       " } else { "    " };
    let mut lines = cause.split('\n');
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        text.push('\n');
        text.push_str(margin);
        text.push_str(line);
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}
