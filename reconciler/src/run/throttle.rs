//! At most one write of a Workload's numbers per interval (S4), and one of its labels.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// When each key was written last.
#[derive(Debug)]
pub(super) struct Throttle<K> {
    interval: Duration,
    last: HashMap<K, Instant>,
    /// When old keys were removed last.
    cleaned: Instant,
}

impl<K: Eq + Hash> Throttle<K> {
    /// One write per key in this interval.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: HashMap::new(),
            cleaned: Instant::now(),
        }
    }

    /// When the next write is permitted, if it is not now.
    pub(super) fn not_before(&self, key: &K, now: Instant) -> Option<Instant> {
        let next = *self.last.get(key)? + self.interval;
        (next > now).then_some(next)
    }

    /// Permits a write now, and counts it. Otherwise the error is when the next one is permitted.
    pub(super) fn take(&mut self, key: K, now: Instant) -> Result<(), Instant> {
        if now - self.cleaned > self.interval {
            let interval = self.interval;
            self.last.retain(|_, last| now - *last < interval);
            self.cleaned = now;
        }
        match self.last.get(&key) {
            Some(last) if now < *last + self.interval => Err(*last + self.interval),
            _ => {
                self.last.insert(key, now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_write_per_interval() {
        let mut throttle = Throttle::new(Duration::from_secs(5));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(throttle.take("a", after(0)), Ok(()));
        assert_eq!(throttle.take("a", after(1)), Err(after(5)));
        assert_eq!(throttle.take("b", after(1)), Ok(()));
        assert_eq!(throttle.take("a", after(5)), Ok(()));
        assert_eq!(throttle.take("a", after(6)), Err(after(10)));
        throttle.take("c", after(60)).unwrap();
        assert_eq!(throttle.last.len(), 1, "old keys are removed");
    }
}
