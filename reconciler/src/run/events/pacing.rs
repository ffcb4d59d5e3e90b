//! How fast events are sent (L22).

use std::time::Duration;

use tokio::time::Instant;

use crate::run::{backoff::Backoff, token_bucket::TokenBucket};

/// How many events are sent in a second at most. They have a bucket of their own, so that they neither
/// wait for the writes of Workloads nor hold them up.
const EVENTS_PER_SECOND: f64 = 10.0;
/// How many are sent at once after a pause.
const EVENTS_BURST: u32 = 25;

/// Bounds how fast events are sent, and sends none for a while when the API server is away.
#[derive(Debug)]
pub(super) struct Pacing {
    tokens: TokenBucket,
    backoff: Backoff,
    not_before: Instant,
}

impl Pacing {
    /// The first may be sent now.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            tokens: TokenBucket::new(EVENTS_PER_SECOND, EVENTS_BURST, now),
            backoff: Backoff::of_events(),
            not_before: now,
        }
    }

    /// Until when nothing is tried after a failure, if that is not over.
    pub(super) fn paused(&self, now: Instant) -> Option<Instant> {
        (self.not_before > now).then_some(self.not_before)
    }

    /// When the next event may be sent.
    pub(super) fn next(&self, now: Instant) -> Instant {
        self.tokens.next(now)
    }

    /// One is sent now.
    pub(super) fn sent(&mut self, now: Instant) {
        // Nothing else takes tokens since this one was seen to be there.
        let _ = self.tokens.take(now);
    }

    /// The API server has answered.
    pub(super) fn answered(&mut self) {
        self.backoff.reset();
    }

    /// It is away, and asks perhaps to wait for so long. Returns until when nothing is tried.
    pub(super) fn pause(&mut self, retry_after: Option<Duration>, now: Instant) -> Instant {
        let pause = self.backoff.next();
        self.not_before = now + pause.max(retry_after.unwrap_or_default());
        self.not_before
    }
}
