//! How long a task keeps the thread: the longest of its polls, in CPU time (L23).

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// The longest poll of a task so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct LongestPoll(Arc<AtomicU64>);

impl LongestPoll {
    /// How long it was.
    pub(super) fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// The same future, with its polls measured.
    pub(super) fn measure<F: Future>(&self, future: F) -> Measured<F> {
        Measured {
            future: Box::pin(future),
            longest: self.clone(),
        }
    }
}

/// A future whose polls are measured.
pub(super) struct Measured<F> {
    future: Pin<Box<F>>,
    longest: LongestPoll,
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = cpu_time();
        let poll = self.future.as_mut().poll(context);
        let took = cpu_time().saturating_sub(began);
        self.longest.0.fetch_max(took, Ordering::Relaxed);
        poll
    }
}

/// The CPU time of this thread, in nanoseconds.
fn cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let [seconds, nanos] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn l23_the_longest_poll_is_kept() {
        let longest = LongestPoll::default();
        let busy = async {
            let began = cpu_time();
            while cpu_time() - began < 3_000_000 {}
            tokio::task::yield_now().await;
        };
        longest.measure(busy).await;
        assert!(longest.get() >= Duration::from_millis(3), "{longest:?}");
        let before = longest.get();
        longest.measure(async {}).await;
        assert_eq!(longest.get(), before);
    }
}
