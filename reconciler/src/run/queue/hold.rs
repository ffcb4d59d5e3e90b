//! Why a write is not tried yet: it has failed, and waits (L15, L22).

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::run::{
    backoff::Backoff,
    controller::RejectedChange,
    planted::{PlantedFault, planted},
};

/// The first pause after a failure.
const FIRST: Duration = Duration::from_millis(250);
/// The longest pause of a write that the API server refuses, as a webhook that fails does too.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The longest pause where the cause lies with the API server, or passes by itself.
const LONGEST_PASSING: Duration = Duration::from_secs(60);
/// The longest pause while the API server cannot be reached. All must be whole soon after it is back.
const LONGEST_UNREACHABLE: Duration = Duration::from_secs(10);
/// How long a write that the API server rejects as invalid waits, unless something changes.
const REJECTED: Duration = Duration::from_secs(60 * 60);

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::run) enum FailureKind {
    /// No answer came.
    Unreachable,
    /// The API server is busy, or has an error of its own: 429 and 5xx.
    Busy,
    /// It refuses the write: any other 4xx.
    Refused,
    /// It rejects the write as invalid: 422, which names the field.
    Rejected,
    /// The Workload has changed meanwhile.
    Stale,
    /// The namespace does not exist, or is being deleted.
    NoNamespace,
    /// The list before a delete has failed, or has shown a reference (L19).
    Fence,
    /// The reconciliation has panicked.
    Panicked,
}

/// A failure of a write.
#[derive(Debug, Clone)]
pub(in crate::run) struct WriteFailure {
    pub(in crate::run) kind: FailureKind,
    /// What failed, in words.
    pub(in crate::run) sentence: String,
    /// How long the API server asks to wait.
    pub(in crate::run) retry_after: Option<Duration>,
    /// For [`FailureKind::Rejected`]: what was rejected.
    pub(in crate::run) rejected: Option<RejectedChange>,
}

/// A write that waits after a failure.
#[derive(Debug, Clone)]
pub(in crate::run) struct Hold {
    /// Until when no write is tried.
    pub(in crate::run) until: Instant,
    /// How often it has failed in a row.
    pub(in crate::run) failures: u32,
    /// How often in each way. Failures of one kind are no measure of how long to wait after another, and
    /// do not end because another came between.
    by_kind: BTreeMap<FailureKind, u32>,
    /// The last failure.
    pub(in crate::run) last: WriteFailure,
}

impl Hold {
    /// After a failure, which may follow others. One policy for writes of every sort.
    pub(super) fn after(failure: WriteFailure, before: Option<&Self>, now: Instant) -> Self {
        let mut by_kind = before.map_or_else(BTreeMap::new, |before| before.by_kind.clone());
        let failures = by_kind.entry(failure.kind).or_default();
        let backoff = |longest| Backoff::after(*failures, FIRST, longest).next();
        let pause = match failure.kind {
            FailureKind::Unreachable => backoff(LONGEST_UNREACHABLE),
            FailureKind::Busy | FailureKind::Stale | FailureKind::NoNamespace => {
                backoff(LONGEST_PASSING)
            }
            FailureKind::Fence => backoff(LONGEST_PASSING).max(Duration::from_secs(1)),
            FailureKind::Refused | FailureKind::Panicked => backoff(LONGEST),
            FailureKind::Rejected => REJECTED,
        };
        let is_forgotten = match failure.kind {
            FailureKind::Refused => planted(PlantedFault::RefusedForever),
            FailureKind::NoNamespace => planted(PlantedFault::NamespaceGoneForgets),
            _ => false,
        };
        let pause = match pause {
            _ if is_forgotten => REJECTED * 1_000,
            _ if planted(PlantedFault::NumbersDoNotBackOff) => Duration::from_secs(5),
            pause => pause,
        };
        *failures = failures.saturating_add(1);
        Self {
            until: now + pause.max(failure.retry_after.unwrap_or_default()),
            failures: before.map_or(0, |before| before.failures).saturating_add(1),
            by_kind,
            last: failure,
        }
    }

    /// Whether the failure says something about writes of its own sort only. Otherwise its cause concerns
    /// all writes of the Workload, as a wish to wait does (L22).
    pub(super) fn is_of_its_sort(&self) -> bool {
        use FailureKind::{Refused, Rejected, Stale};
        matches!(self.last.kind, Refused | Rejected | Stale) && self.last.retry_after.is_none()
    }

    /// Whether a write of this change must wait still.
    pub(super) fn blocks(&self, change: &RejectedChange, now: Instant) -> bool {
        let is_another = self.last.rejected.as_ref().is_some_and(|it| it != change);
        now < self.until && !is_another
    }

    /// Whether the next write is a repeat of one that the API server has answered (L22).
    pub(super) fn makes_repeat(&self) -> bool {
        self.last.kind != FailureKind::Unreachable
    }
}
