//! What a policy made of a request, in one word.

use std::fmt;

use serde::{Serialize, Serializer};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The policy let it in.
    Accepted,
    /// The policy did not, or had no answer.
    Rejected,
    /// No rule of the policy selects it: the API server would not have asked.
    NotJudged,
}

impl Verdict {
    /// The verdict of a policy that was asked.
    #[must_use]
    pub fn of_answer(allowed: bool) -> Self {
        match allowed {
            true => Self::Accepted,
            false => Self::Rejected,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::NotJudged => "not judged",
        })
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
