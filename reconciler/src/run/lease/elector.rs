//! Does what the candidate decides, and publishes whether this replica leads.

use std::{convert::Infallible, fmt, future::Future, pin::pin, sync::Arc, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    candidate::{LeaseCandidate, LeaseStep},
    leadership::Leadership,
    store::{LeaseError, LeaseStore},
    timing::{Timing, surely},
    trouble::Trouble,
    writes::Writes,
};
use crate::{
    client::Failure,
    run::{
        WallClock, ordered_watch,
        planted::{PlantedFault, planted},
    },
};

/// How many requests a release may take: to read the Lease and to write it. More than two are needed
/// only if the Lease was changed in between.
const RELEASE_REQUESTS: usize = 6;

/// Competes for a Lease for as long as it runs.
pub(crate) struct Elector<S> {
    store: S,
    timing: Timing,
    candidate: LeaseCandidate,
    leadership: ordered_watch::Sender<Leadership>,
    /// Gives the times that are written into the Lease.
    wall_clock: WallClock,
    /// The writes that it must not release the Lease before.
    writes: Writes,
    trouble: Trouble,
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
    pub(crate) fn new(store: S, identity: &str, timing: Timing, wall_clock: WallClock) -> Self {
        Self {
            store,
            timing,
            candidate: LeaseCandidate::new(identity, timing),
            leadership: ordered_watch::Sender::new(Leadership::STANDBY),
            wall_clock,
            writes: Writes::default(),
            trouble: Trouble::default(),
            write_failed: false,
        }
    }

    /// Whether this replica leads. Receivers are woken when it starts and when it stops leading. A
    /// renewal does not wake them; they see it when they read the value.
    pub(crate) fn leadership(&self) -> ordered_watch::Receiver<Leadership> {
        self.leadership.subscribe()
    }

    /// Where the writes of this replica are to be noted.
    pub(crate) fn writes(&self) -> Writes {
        self.writes.clone()
    }

    /// Acquires and renews the Lease until `stop` resolves, and then releases it.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        tokio::select! {
            biased;
            () = &mut stop => (),
            never = self.campaign() => match never {},
        }
        self.release().await;
    }

    async fn campaign(&mut self) -> Infallible {
        loop {
            self.publish();
            match self.candidate.step(Instant::now()) {
                LeaseStep::Wait(until) if self.candidate.is_holder() => sleep_until(until).await,
                LeaseStep::Wait(until) => self.sleep_with_jitter(until).await,
                step => {
                    if self.request(step).await.is_err() {
                        self.pause().await;
                    }
                }
            }
        }
    }

    /// Releases the Lease if this replica holds it, so that another takes over at once. That this
    /// replica no longer leads is published first.
    async fn release(&mut self) {
        let last_write = self.writes.last_unanswered();
        let bound = surely(self.timing.write_bound());
        let settled = last_write.map_or_else(Instant::now, |last| last + bound);
        self.candidate.stop(settled);
        self.publish();
        for _ in 0..RELEASE_REQUESTS {
            let mut step = self.candidate.step(Instant::now());
            if let LeaseStep::Wait(until) = step {
                sleep_until(until).await;
                step = self.candidate.step(Instant::now());
            }
            if step == LeaseStep::Done {
                return;
            }
            match self.request(step).await {
                Ok(()) if step == LeaseStep::Replace => {
                    return tracing::info!("the lease is released");
                }
                Ok(()) | Err(LeaseError::Stale) => (),
                Err(LeaseError::Failed(failure)) => {
                    return tracing::warn!(%failure, "the lease is not released and will expire");
                }
            }
        }
    }

    /// Reads or writes the Lease, and tells the candidate.
    async fn request(&mut self, step: LeaseStep) -> Result<(), LeaseError> {
        let started = Instant::now();
        let wall = (self.wall_clock)();
        let limit = self.time_limit(started);
        let answer = async {
            match step {
                LeaseStep::Create => self
                    .store
                    .create(&self.candidate.draft(wall))
                    .await
                    .map(Some),
                LeaseStep::Replace => self
                    .store
                    .replace(&self.candidate.draft(wall))
                    .await
                    .map(Some),
                _ => self.store.read().await,
            }
        };
        let answer = timeout_at(limit, answer).await.unwrap_or_else(|_| {
            let limit = self.timing.request_timeout();
            let sentence = format!("no answer about the lease within {limit:?}");
            Err(LeaseError::Failed(Failure::new(sentence)))
        });
        let is_write = step != LeaseStep::Read;
        let error = match answer {
            Ok(lease) => {
                self.take(lease.map(Arc::new), is_write.then_some(started));
                return Ok(());
            }
            Err(error) => error,
        };
        self.candidate.failed();
        match &error {
            LeaseError::Failed(failure) => {
                self.write_failed |= is_write;
                self.trouble.began(failure.clone());
            }
            LeaseError::Stale if is_write => self.trouble.was_changed(),
            LeaseError::Stale => (),
        }
        Err(error)
    }

    /// Takes an answer: to a write if `started` says when that started.
    fn take(&mut self, lease: Option<Arc<Lease>>, started: Option<Instant>) {
        let now = Instant::now();
        let holder_before = self.candidate.other_holder().map(str::to_owned);
        let was_waiting = self.candidate.waits_until(now);
        match (lease, started) {
            (Some(lease), Some(_)) if planted(PlantedFault::LeaseCountsFromAnswer) => {
                self.candidate.wrote(lease, now, now);
            }
            (Some(lease), Some(started)) => self.candidate.wrote(lease, started, now),
            (lease, _) => self.candidate.observe(lease, now),
        }
        // A read that succeeds does not help a replica that must write and could not.
        let must_write =
            started.is_none() && !matches!(self.candidate.step(now), LeaseStep::Wait(_));
        if !must_write {
            self.trouble.was_not_changed();
        }
        self.write_failed &= must_write;
        if !self.write_failed {
            self.trouble.ended();
        }
        if let Some(holder) = self.candidate.other_holder()
            && holder_before.as_deref() != Some(holder)
        {
            tracing::info!(holder, "another holds the lease");
        }
        if let Some(from) = self.candidate.waits_until(now)
            && was_waiting != Some(from)
        {
            let wait = from - now;
            tracing::info!("the lease is new: this replica holds it, and leads in {wait:?}");
        }
    }

    /// A request without an answer until then has failed. It does not keep this replica from saying
    /// that its leadership has ended.
    fn time_limit(&self, now: Instant) -> Instant {
        let limit = now + self.timing.request_timeout();
        let deadline = self.candidate.leadership(now).deadline();
        deadline.map_or(limit, |deadline| deadline.min(limit))
    }

    /// After a failure, waits for one retry period, or until this replica's leadership ends if that
    /// is earlier.
    async fn pause(&self) {
        let now = Instant::now();
        let next = now + self.timing.retry_period;
        match self.candidate.leadership(now).deadline() {
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
        let leadership = self.candidate.leadership(Instant::now());
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
}

#[cfg(test)]
mod tests;
