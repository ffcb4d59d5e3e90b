//! Who answers a policy's questions about the cluster.

use std::fmt;

use crate::question::Question;

pub mod api;
pub mod cache;
pub mod handler;
pub(crate) mod kinds;
pub mod manifests;
pub mod object;
mod rbac;
pub mod recorder;
pub mod scripted;
pub mod session;

pub use api::{ApiError, ApiResource, ApiServer, ApiStatus};
pub use handler::Handler;
pub use manifests::Manifests;
pub use recorder::Recorder;
pub use scripted::Scripted;
pub use session::ReplaySession;

/// A cluster made of manifests, behind everything that policy-server puts before a real one.
pub type ManifestCluster = Handler<Manifests>;

/// Answers questions about a cluster. Several evaluations may ask at once, from several threads.
pub trait Backend: Send + Sync {
    /// Answers one question. It may block, as long as it ends by itself.
    fn ask(&self, question: &Question) -> Reply;
}

/// A backend's answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What the policy gets.
    pub answer: Answer,
    /// The watch that a list needs: policy-server opens it at the first question and never closes it.
    pub watch: Option<String>,
}

/// What a policy gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These bytes.
    Payload(Vec<u8>),
    /// This error.
    Failure(Failure),
    /// Nothing, ever: the call lasts until the evaluation is given up.
    Hang,
}

impl Reply {
    /// An answer.
    #[must_use]
    pub fn answer(bytes: Vec<u8>) -> Self {
        Self {
            answer: Answer::Payload(bytes),
            watch: None,
        }
    }

    /// An error.
    #[must_use]
    pub fn failure(failure: impl Into<Failure>) -> Self {
        Self {
            answer: Answer::Failure(failure.into()),
            watch: None,
        }
    }

    /// No answer at all.
    #[must_use]
    pub fn hang() -> Self {
        Self {
            answer: Answer::Hang,
            watch: None,
        }
    }

    /// The same, with the watch that it needed.
    #[must_use]
    pub fn with_watch(self, id: String) -> Self {
        Self {
            watch: Some(id),
            ..self
        }
    }
}

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
