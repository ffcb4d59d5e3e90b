//! Whether the API server answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::lock::lock;

/// Whether the API server answers. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Health(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When it answered last.
    answered: Option<Instant>,
    /// When the first request after that has failed.
    failing_since: Option<Instant>,
}

impl Health {
    /// An answer came, whatever it was.
    pub(super) fn answered(&self) {
        let mut state = lock(&self.0);
        *state = State {
            answered: Some(Instant::now()),
            failing_since: None,
        };
    }

    /// A request got no answer.
    pub(super) fn failed(&self) {
        lock(&self.0).failing_since.get_or_insert_with(Instant::now);
    }

    /// Since when no request has been answered; none if the last one was.
    pub(super) fn away_since(&self) -> Option<Instant> {
        lock(&self.0).failing_since
    }

    /// Whether it has answered within this time.
    pub(super) fn has_answered_within(&self, time: Duration) -> bool {
        lock(&self.0)
            .answered
            .is_some_and(|last| last.elapsed() < time)
    }
}
