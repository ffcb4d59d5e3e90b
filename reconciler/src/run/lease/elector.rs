//! Does what the candidate decides, and publishes whether this replica leads.

use std::{fmt, future::Future, pin::pin, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{
    candidate::{LeaseCandidate, LeaseStep},
    leadership::Leadership,
    store::{LeaseError, LeaseStore},
    timing::Timing,
};
use crate::{client::Failure, run::WallClock};

/// How often a release is tried. A second attempt is needed only if the Lease was changed in between.
const RELEASE_ATTEMPTS: usize = 3;

/// Competes for a Lease for as long as it runs.
pub(crate) struct Elector<S> {
    store: S,
    timing: Timing,
    candidate: LeaseCandidate,
    leadership: watch::Sender<Leadership>,
    /// Gives the times that are written into the Lease.
    wall_clock: WallClock,
    /// The Lease may have changed since it was read. It must be read again before the next write.
    stale: bool,
    /// The failure that was logged last; none once the Lease could be reached again.
    logged_failure: Option<Failure>,
    /// The last write failed.
    write_failed: bool,
}

impl<S> fmt::Debug for Elector<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elector")
            .field("candidate", &self.candidate)
            .finish_non_exhaustive()
    }
}

impl<S: LeaseStore> Elector<S> {
    /// A candidate with this holder identity, which no other process may have.
    pub(crate) fn new(store: S, identity: String, timing: Timing, wall_clock: WallClock) -> Self {
        Self {
            store,
            timing,
            candidate: LeaseCandidate::new(identity, timing),
            leadership: watch::Sender::new(Leadership::STANDBY),
            wall_clock,
            stale: false,
            logged_failure: None,
            write_failed: false,
        }
    }

    /// Whether this replica leads. Receivers are woken when it starts and when it stops leading. A
    /// renewal does not wake them; they see it when they read the value.
    pub(crate) fn leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.subscribe()
    }

    /// Acquires and renews the Lease until `stop` resolves, and then releases it.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        tokio::select! {
            () = &mut stop => (),
            () = self.campaign() => (),
        }
        self.release().await;
    }

    /// Releases the Lease if this replica holds it, so that another takes over at once. That this
    /// replica no longer leads is published first.
    async fn release(&mut self) {
        self.candidate.resign();
        self.publish();
        for _ in 0..RELEASE_ATTEMPTS {
            // A write whose answer did not arrive may have succeeded.
            self.read().await;
            let Some(lease) = self.candidate.release((self.wall_clock)()) else {
                return;
            };
            match self.request(self.store.replace(&lease)).await {
                Ok(_) => {
                    tracing::info!("the lease is released");
                    return;
                }
                Err(LeaseError::Stale) => (),
                Err(LeaseError::Failed(failure)) => {
                    return tracing::warn!(%failure, "the lease is not released and will expire");
                }
            }
        }
    }

    async fn campaign(&mut self) {
        loop {
            match self.candidate.step(Instant::now()) {
                LeaseStep::Lost => {
                    self.candidate.resign();
                    self.publish();
                    self.stale = true;
                }
                LeaseStep::Wait(until) if self.leads() => sleep_until(until).await,
                LeaseStep::Wait(until) => {
                    self.sleep_with_jitter(until).await;
                    self.read_or_pause().await;
                }
                LeaseStep::Create | LeaseStep::Acquire | LeaseStep::Renew if self.stale => {
                    self.read_or_pause().await;
                }
                step => self.write(step).await,
            }
        }
    }

    async fn read_or_pause(&mut self) {
        if !self.read().await {
            self.pause().await;
        }
    }

    /// Reads the Lease; answers whether it could be read.
    async fn read(&mut self) -> bool {
        let holder_before = self.candidate.holder().map(str::to_owned);
        let answer = self.request(self.store.read()).await;
        self.stale = answer.is_err();
        match answer {
            Ok(lease) => {
                self.candidate.observe(lease, Instant::now());
                // A read that succeeds does not help a replica that must write and could not.
                if !(self.write_failed && self.must_write()) {
                    self.log_failure(None);
                }
                let holder = self.candidate.holder();
                if holder != holder_before.as_deref() && !self.candidate.is_holder() {
                    match holder {
                        Some(holder) => tracing::info!(holder, "another holds the lease"),
                        None => tracing::info!("the lease is free"),
                    }
                }
            }
            Err(LeaseError::Failed(failure)) => self.log_failure(Some(failure)),
            Err(LeaseError::Stale) => (),
        }
        !self.stale
    }

    async fn write(&mut self, step: LeaseStep) {
        let lease = self.candidate.claim((self.wall_clock)());
        let started = Instant::now();
        let answer = match step {
            LeaseStep::Create => self.request(self.store.create(&lease)).await,
            _ => self.request(self.store.replace(&lease)).await,
        };
        match answer {
            Ok(lease) => {
                self.write_failed = false;
                self.log_failure(None);
                self.candidate.wrote(lease, started, Instant::now());
                self.publish();
            }
            Err(error) => {
                self.stale = true;
                if let LeaseError::Failed(failure) = error {
                    self.write_failed = true;
                    self.log_failure(Some(failure));
                }
                self.pause().await;
            }
        }
    }

    async fn request<T>(
        &self,
        answer: impl Future<Output = Result<T, LeaseError>>,
    ) -> Result<T, LeaseError> {
        let limit = self.timing.request_timeout();
        timeout(limit, answer).await.unwrap_or_else(|_| {
            let sentence = format!("no answer about the lease within {limit:?}");
            Err(LeaseError::Failed(Failure::new(sentence)))
        })
    }

    fn must_write(&self) -> bool {
        let step = self.candidate.step(Instant::now());
        matches!(
            step,
            LeaseStep::Create | LeaseStep::Acquire | LeaseStep::Renew
        )
    }

    fn leads(&self) -> bool {
        self.candidate.leadership().deadline().is_some()
    }

    /// After a failure, waits for one retry period, or until this replica's leadership ends if that
    /// is earlier.
    async fn pause(&self) {
        let next = Instant::now() + self.timing.retry_period;
        match self.candidate.leadership().deadline() {
            Some(deadline) => sleep_until(next.min(deadline)).await,
            None => self.sleep_with_jitter(next).await,
        }
    }

    /// Sleeps until this moment and a little longer, so that the replicas do not act at the same
    /// moment.
    async fn sleep_with_jitter(&self, until: Instant) {
        let jitter = match until > Instant::now() {
            true => self.timing.retry_period.mul_f64(fastrand::f64() / 2.0),
            false => Duration::ZERO,
        };
        sleep_until(until + jitter).await;
    }

    /// Publishes the leadership. Receivers are woken only if this replica starts or stops leading.
    /// If its time had run out without notice and it leads again, it starts anew.
    fn publish(&self) {
        let leadership = self.candidate.leadership();
        let leads = leadership.deadline().is_some();
        let changed = self.leadership.send_if_modified(|published| {
            let changed = published.deadline().is_some() != leads || leads && !published.holds();
            *published = leadership;
            changed
        });
        if changed {
            match leads {
                true => tracing::info!("this replica leads"),
                false => tracing::info!("this replica no longer leads"),
            }
        }
    }

    /// Logs a failure once, not for each attempt, and its end.
    fn log_failure(&mut self, failure: Option<Failure>) {
        if self.logged_failure == failure {
            return;
        }
        match &failure {
            Some(failure) => tracing::warn!(%failure, "the lease cannot be read or written"),
            None => tracing::info!("the lease can be read and written again"),
        }
        self.logged_failure = failure;
    }
}

#[cfg(test)]
mod tests;
