//! Whether the cluster's definition of Workload has a status subresource (S5).

use std::time::Duration;

use tokio::time::Instant;

/// A definition that was found unchanged is looked at again after this time.
const INTERVAL: Duration = Duration::from_secs(10);

/// What is known about the subresource.
#[derive(Debug, Default)]
pub(super) struct StatusSubresource {
    known: Option<bool>,
    /// What was known last.
    last: Option<bool>,
    /// When it was asked for last, if that was no news.
    confirmed: Option<Instant>,
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
        self.confirmed = (self.last == Some(has)).then_some(now);
        (self.known, self.last) = (Some(has), Some(has));
    }

    /// A write of numbers has failed. The definition may have been replaced.
    pub(super) fn doubt(&mut self, now: Instant) {
        let is_recent = |confirmed: Instant| now.duration_since(confirmed) < INTERVAL;
        if !self.confirmed.is_some_and(is_recent) {
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
        subresource.doubt(start);
        assert_eq!(subresource.known(), None, "the first failure asks at once");
        subresource.set(true, start);
        subresource.doubt(start + INTERVAL / 2);
        assert_eq!(subresource.known(), Some(true));
        subresource.doubt(start + INTERVAL);
        assert_eq!(subresource.known(), None);
        subresource.set(false, start + INTERVAL);
        subresource.doubt(start + INTERVAL);
        assert_eq!(subresource.known(), None, "that was news");
    }
}
