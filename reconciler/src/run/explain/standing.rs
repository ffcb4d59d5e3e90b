//! What the queue knows, in words.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    explain::{LastFailure, NextLook, seconds},
    run::queue::{FailureKind, Hold, Standing},
};

/// When a Workload is looked at next.
pub(super) fn next_look(standing: &Standing, now: Instant) -> NextLook {
    let wait = |due: Instant| seconds(due.saturating_duration_since(now));
    NextLook {
        due_in_seconds: standing.due.map(wait),
        step: standing.step.to_owned(),
    }
}

/// The failure after which a write waits.
pub(super) fn failure(hold: &Hold, now: Instant) -> LastFailure {
    LastFailure {
        sentence: hold.last.sentence.clone(),
        times: hold.failures,
        waits_seconds: seconds(hold.until.saturating_duration_since(now)),
        retry_after_seconds: hold
            .last
            .retry_after
            .filter(|time| *time > Duration::ZERO)
            .map(seconds),
    }
}

/// Why a write that has failed is not tried yet, as a clause.
pub(super) fn after_failure(hold: &Hold) -> String {
    let why = match hold.last.kind {
        FailureKind::Unreachable => "the API server could not be reached",
        FailureKind::Busy => "the API server was busy or had an error of its own",
        FailureKind::Refused => "the API server has refused the write",
        FailureKind::Rejected => "the API server has rejected the write as invalid",
        FailureKind::Stale => "it keeps changing while it is written",
        FailureKind::NoNamespace => "its namespace does not exist or is being deleted",
        FailureKind::Fence => {
            "a Dataplane refers to it that the watch has not shown, or its workload is not known"
        }
        FailureKind::Panicked => "this program has failed",
    };
    match hold.failures {
        0 | 1 => why.to_owned(),
        times => format!("{why}, {times} times in a row"),
    }
}
