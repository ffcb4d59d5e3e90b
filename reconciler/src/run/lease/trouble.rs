//! Says when the Lease cannot be reached, and when it can again: one line each, however often it is tried.
//! And says, once a minute, that every write finds it changed.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::Failure;

/// After this time, another cause is said too.
const REMINDER: Duration = Duration::from_secs(5 * 60);

/// So many conflicts in a row are no race of replicas any more: one of them wins each.
const CONFLICTS: u32 = 5;
/// Conflicts are said at most once in this time, as everything that happens often (L22).
const INTERVAL: Duration = Duration::from_secs(60);

/// Why the Lease cannot be read or written, and since when.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    unreached: Option<Since>,
    /// How many writes in a row have found it changed since it was read.
    conflicts: u32,
    /// When that was said last.
    conflicts_said: Option<Instant>,
}

#[derive(Debug)]
struct Since {
    began: Instant,
    said: (Failure, Instant),
}

impl Trouble {
    /// A request has failed.
    pub(super) fn began(&mut self, failure: Failure) {
        let now = Instant::now();
        let began = match &self.unreached {
            Some(Since { began, said }) => {
                if said.0 == failure || now - said.1 < REMINDER {
                    return tracing::debug!(%failure, "the lease cannot be read or written");
                }
                *began
            }
            None => now,
        };
        tracing::warn!(%failure, "the lease cannot be read or written");
        let said = (failure, now);
        self.unreached = Some(Since { began, said });
    }

    /// The Lease can be read and written.
    pub(super) fn ended(&mut self) {
        if let Some(Since { began, .. }) = self.unreached.take() {
            let away = began.elapsed().as_secs_f64();
            tracing::info!("the lease can be read and written again, after {away:.1} s");
        }
    }

    /// A write has found the Lease changed since it was read.
    pub(super) fn was_changed(&mut self) {
        let now = Instant::now();
        self.conflicts = self.conflicts.saturating_add(1);
        let is_due = |said: Instant| now - said >= INTERVAL;
        if self.conflicts >= CONFLICTS && self.conflicts_said.is_none_or(is_due) {
            tracing::warn!(
                "the lease cannot be written: {} times in a row the API server said that it had changed since it was read",
                self.conflicts
            );
            self.conflicts_said = Some(now);
        }
    }

    /// A write has succeeded, or none is due.
    pub(super) fn was_not_changed(&mut self) {
        self.conflicts = 0;
    }
}
