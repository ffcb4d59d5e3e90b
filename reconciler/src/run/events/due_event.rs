//! An event that is due, and what comes of it.

use std::time::Duration;

use tokio::time::Instant;

use super::{attempt::Attempt, message::Message};
use crate::run::work_item::WorkItem;

/// An event that is to be sent now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DueEvent {
    /// The term of this replica in which it is due.
    pub term: u64,
    /// What it is about.
    pub about: WorkItem,
    /// What it says.
    pub message: Message,
    /// Whether it may have been sent without this replica knowing. If so, an existing event is enough,
    /// unless it is to be repeated and older than the interval of
    /// repetitions.
    pub may_exist: bool,
    /// The earlier attempt, if its answer is not known.
    pub attempt: Option<Attempt>,
    /// Whether the API server has rejected it before.
    pub was_rejected: bool,
}

/// What came of an event that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The API server has it.
    Sent,
    /// It existed, and was sent this long ago.
    Exists(Duration),
    /// Its namespace does not exist, or is being deleted.
    NamespaceGone,
    /// The API server does not accept it as it is.
    Rejected,
    /// It was refused, and may be accepted later.
    Refused,
    /// Events of its namespace are refused, and may be accepted later.
    Forbidden,
    /// The API server has failed over it, as it may over all events of its namespace. It is not known
    /// whether it has it.
    Failed,
    /// It was not looked at.
    Busy {
        /// When to ask again.
        until: Instant,
    },
    /// It is not known whether the API server has it.
    Unanswered {
        /// When to ask again.
        until: Instant,
    },
}
