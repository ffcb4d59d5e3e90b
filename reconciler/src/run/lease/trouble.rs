//! Says when the Lease cannot be reached, and when it can again: one line each, however often it is tried,
//! and for one that comes and goes once a minute. And says, once a minute, that every write finds it
//! changed (L22).

use std::time::Duration;

use tokio::time::Instant;

use crate::client::Failure;

/// After this time, another cause is said too.
const REMINDER: Duration = Duration::from_secs(5 * 60);

/// So many conflicts in a row are no race of replicas any more: one of them wins each.
const CONFLICTS: u32 = 5;
/// What begins again within this time is counted, and not said.
const INTERVAL: Duration = Duration::from_secs(60);

/// Why the Lease cannot be read or written, and since when.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    unreached: Option<Since>,
    /// When it was last said that it cannot be reached.
    unreached_said: Option<Instant>,
    /// How often that began since, and was not said.
    unsaid: u32,
    /// How many writes in a row have found it changed since it was read.
    conflicts: u32,
    /// When that was said last.
    conflicts_said: Option<Instant>,
}

#[derive(Debug)]
struct Since {
    began: Instant,
    /// The cause that was said last, and when; none while nothing was said of it.
    said: Option<(Failure, Instant)>,
}

impl Trouble {
    /// A request has failed.
    pub(super) fn began(&mut self, failure: Failure) {
        let now = Instant::now();
        let unreached = self.unreached.get_or_insert_with(|| {
            self.unsaid += 1;
            Since {
                began: now,
                said: None,
            }
        });
        let is_known = match &unreached.said {
            Some((cause, at)) => *cause == failure || now - *at < REMINDER,
            None => is_recent(self.unreached_said, now),
        };
        if is_known {
            return tracing::debug!(%failure, "the lease cannot be read or written");
        }
        match std::mem::take(&mut self.unsaid) {
            0 | 1 => tracing::warn!(%failure, "the lease cannot be read or written"),
            times => tracing::warn!(
                %failure,
                "the lease cannot be read or written ({times} times since this was last said)"
            ),
        }
        unreached.said = Some((failure, now));
        self.unreached_said = Some(now);
    }

    /// The Lease can be read and written.
    pub(super) fn ended(&mut self) {
        let Some(Since { began, said }) = self.unreached.take() else {
            return;
        };
        if said.is_some() {
            let away = began.elapsed().as_secs_f64();
            tracing::info!("the lease can be read and written again, after {away:.1} s");
        }
    }

    /// A write has found the Lease changed since it was read.
    pub(super) fn was_changed(&mut self) {
        let now = Instant::now();
        self.conflicts = self.conflicts.saturating_add(1);
        if self.conflicts >= CONFLICTS && !is_recent(self.conflicts_said, now) {
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

/// Whether something was said so shortly before that it is not said again.
fn is_recent(said: Option<Instant>, now: Instant) -> bool {
    said.is_some_and(|said| now - said < INTERVAL)
}
