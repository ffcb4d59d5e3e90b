//! What answers a question, and how.

use super::failure::Failure;
use crate::question::Question;

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
