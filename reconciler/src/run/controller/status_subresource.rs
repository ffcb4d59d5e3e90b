//! Whether the cluster's definition of Workload has a status subresource (S5).

use std::time::Duration;

use tokio::time::Instant;

/// The definition is looked at again at most once in this time.
const INTERVAL: Duration = Duration::from_secs(10);

/// What is known about the subresource.
#[derive(Debug, Default)]
pub(super) struct StatusSubresource {
    known: Option<bool>,
    asked: Option<Instant>,
}

impl StatusSubresource {
    /// What is asked for, in words.
    pub(super) const WHAT: &str = "discover kuma.io/v1alpha1";

    /// Whether there is one; none if it has to be asked for.
    pub(super) fn known(&self) -> Option<bool> {
        self.known
    }

    /// It was asked for.
    pub(super) fn set(&mut self, has: bool, now: Instant) {
        (self.known, self.asked) = (Some(has), Some(now));
    }

    /// A write of numbers has failed. The definition may have been replaced.
    pub(super) fn doubt(&mut self, now: Instant) {
        let is_recent = |asked: Instant| now.duration_since(asked) < INTERVAL;
        if !self.asked.is_some_and(is_recent) {
            self.known = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_keeps_failing_asks_once_in_a_while() {
        let (mut subresource, start) = (StatusSubresource::default(), Instant::now());
        assert_eq!(subresource.known(), None);
        subresource.set(true, start);
        subresource.doubt(start + INTERVAL / 2);
        assert_eq!(subresource.known(), Some(true));
        subresource.doubt(start + INTERVAL);
        assert_eq!(subresource.known(), None);
    }
}
