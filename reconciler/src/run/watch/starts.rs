//! How often lists and watches are started, over all kinds and namespaces.

use std::sync::Arc;

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use crate::run::token_bucket::TokenBucket;

/// Starts a second: with a burst of as many, no second has more than twice as many.
const RATE: f64 = 10.0;
/// All watches can be started anew within this time, in seconds.
const ALL: f64 = 120.0;

/// Lets lists and watches start one after the other. Clones share it.
///
/// Only the first that waits knows when, and has the lock until then. If thousands knew, each start
/// would wake all of them.
#[derive(Debug, Clone)]
pub(super) struct Starts(Arc<Mutex<TokenBucket>>);

impl Starts {
    /// For this many watches.
    pub(super) fn new(watches: usize) -> Self {
        let watches = u32::try_from(watches).unwrap_or(u32::MAX);
        let rate = RATE.max(f64::from(watches) / ALL);
        let bucket = TokenBucket::new(rate, RATE as u32, Instant::now());
        Self(Arc::new(Mutex::new(bucket)))
    }

    /// Resolves when the next one may start.
    pub(super) async fn next(&self) {
        let mut bucket = self.0.lock().await;
        while let Err(when) = bucket.take(Instant::now()) {
            sleep_until(when).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::{join_all, poll_fn};
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_than_twenty() {
        let starts = Starts::new(6);
        let began = Instant::now();
        let mut times = Vec::new();
        for _ in 0..100 {
            starts.next().await;
            times.push(began.elapsed());
        }
        for (first, later) in times.iter().zip(&times[20..]) {
            assert!(*later - *first >= Duration::from_millis(900), "{times:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn six_thousand_are_started_in_two_minutes() {
        let starts = Starts::new(6_000);
        let began = Instant::now();
        for _ in 0..6_000 {
            starts.next().await;
        }
        assert!(began.elapsed() <= Duration::from_secs(121));
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_wait_are_not_woken_for_each_other() {
        const WAITING: usize = 200;
        let (starts, polls) = (Starts::new(6), AtomicUsize::new(0));
        let waiting = (0..WAITING).map(|_| {
            let mut next = Box::pin(starts.next());
            let polls = &polls;
            poll_fn(move |context| {
                polls.fetch_add(1, Ordering::Relaxed);
                next.as_mut().poll(context)
            })
        });
        join_all(waiting).await;
        let polls = polls.into_inner();
        assert!(polls <= 4 * WAITING, "{polls}");
    }
}
