//! At most one write of a Workload's numbers in a time (S4), and one of its labels.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// When each was written last.
#[derive(Debug)]
pub(super) struct Throttle<K> {
    interval: Duration,
    last: HashMap<K, Instant>,
    swept: Instant,
}

impl<K: Eq + Hash> Throttle<K> {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: HashMap::new(),
            swept: Instant::now(),
        }
    }

    /// Takes the right to write now, or says when there will be one.
    pub(super) fn take(&mut self, key: K, now: Instant) -> Result<(), Instant> {
        if now - self.swept > self.interval {
            let interval = self.interval;
            self.last.retain(|_, last| now - *last < interval);
            self.swept = now;
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
    fn one_write_in_a_time() {
        let mut throttle = Throttle::new(Duration::from_secs(5));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(throttle.take("a", after(0)), Ok(()));
        assert_eq!(throttle.take("a", after(1)), Err(after(5)));
        assert_eq!(throttle.take("b", after(1)), Ok(()));
        assert_eq!(throttle.take("a", after(5)), Ok(()));
        assert_eq!(throttle.take("a", after(6)), Err(after(10)));
        throttle.take("c", after(60)).unwrap();
        assert_eq!(throttle.last.len(), 1, "what is long ago is forgotten");
    }
}
