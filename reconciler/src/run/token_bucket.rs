//! A token bucket: so many a second, and a burst of some more after a pause.

use std::time::Duration;

use tokio::time::Instant;

/// A token bucket. It is full at first.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    /// The time in which one token is added.
    interval: Duration,
    burst: u32,
    /// When it will be full, if nothing is taken.
    full: Instant,
}

impl TokenBucket {
    /// `rate` tokens a second, and at most `burst` at once.
    pub(super) fn new(rate: f64, burst: u32, now: Instant) -> Self {
        Self {
            interval: Duration::from_secs_f64(1.0 / rate.max(0.001)),
            burst: burst.max(1),
            full: now,
        }
    }

    /// When the next token is there.
    pub(super) fn next(&self, now: Instant) -> Instant {
        let earliest = self.full.checked_sub(self.interval * (self.burst - 1));
        earliest.unwrap_or(now).max(now)
    }

    /// Takes a token. Otherwise the error is when the next one is there.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let next = self.next(now);
        if next > now {
            return Err(next);
        }
        self.full = self.full.max(now) + self.interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut bucket = TokenBucket::new(10.0, 3, start);
        for _ in 0..3 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(after(100)));
        assert_eq!(bucket.take(after(100)), Ok(()));
        assert_eq!(bucket.take(after(150)), Err(after(200)));
        let taken = (0..9).filter(|_| bucket.take(after(10_000)).is_ok());
        assert_eq!(taken.count(), 3, "a pause fills it, and no more than that");
    }
}
