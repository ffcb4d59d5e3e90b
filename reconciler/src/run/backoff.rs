//! How long to wait after a failure: twice as long each time, with jitter.

use std::time::Duration;

/// The backoff of one thing that can fail.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    failures: u32,
    first: Duration,
    max: Duration,
}

impl Backoff {
    /// For a list or a watch, which should be back soon after the API server is.
    pub(super) fn of_watches() -> Self {
        Self {
            failures: 0,
            first: Duration::from_millis(500),
            max: Duration::from_secs(8),
        }
    }

    /// For something that has failed this often already: at first after this time, and at last once in
    /// this one.
    pub(super) fn after(failures: u32, first: Duration, max: Duration) -> Self {
        Self {
            failures,
            first,
            max,
        }
    }

    /// For events, which are not urgent.
    pub(super) fn of_events() -> Self {
        Self {
            failures: 0,
            first: Duration::from_secs(1),
            max: Duration::from_secs(60),
        }
    }

    /// It has succeeded.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// It has failed. Returns how long to wait: between half of the backoff and all of it.
    pub(super) fn next(&mut self) -> Duration {
        let time = self.first.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        time.min(self.max).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_maximum_and_can_be_reset() {
        let mut backoff = Backoff::of_watches();
        for due in [500, 1_000, 2_000, 4_000, 8_000, 8_000] {
            let due = Duration::from_millis(due);
            let wait = backoff.next();
            assert!(due / 2 <= wait && wait <= due, "{wait:?} of {due:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(500));
        backoff.failures = u32::MAX;
        assert!(backoff.next() <= Duration::from_secs(8));
    }
}
