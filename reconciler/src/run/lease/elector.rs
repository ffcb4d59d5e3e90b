//! Does what the candidate says, and tells who asks.

use std::{fmt, future::Future, pin::pin, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{Candidate, Fault, Leadership, Step, Store, Timing};
use crate::client::Failure;

/// How often giving back is tried: only a Lease that somebody touches in between needs a second.
const RELEASE_ATTEMPTS: usize = 3;

/// Wants the Lease of a store for as long as it runs.
pub struct Elector<S> {
    store: S,
    timing: Timing,
    candidate: Candidate,
    /// What is known of the Lease may be wrong: read it before writing.
    stale: bool,
    told: watch::Sender<Leadership>,
    hook: Box<dyn Fn(bool) + Send + Sync>,
    wall: Box<dyn Fn() -> Timestamp + Send + Sync>,
    complaint: Option<Failure>,
    /// The last write failed.
    cannot_write: bool,
}

impl<S> fmt::Debug for Elector<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elector")
            .field("candidate", &self.candidate)
            .finish_non_exhaustive()
    }
}

impl<S: Store> Elector<S> {
    /// One of this identity, which nobody else may have.
    pub fn new(store: S, identity: String, timing: Timing) -> Self {
        Self {
            store,
            timing,
            candidate: Candidate::new(identity, timing),
            stale: false,
            told: watch::Sender::new(Leadership::STANDBY),
            hook: Box::new(|_| ()),
            wall: Box::new(Timestamp::now),
            complaint: None,
            cannot_write: false,
        }
    }

    /// Told when this replica begins to lead, and when it ends.
    #[must_use]
    pub fn with_hook(self, hook: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self {
            hook: Box::new(hook),
            ..self
        }
    }

    /// A wall clock of its own, for what is written into the Lease.
    #[must_use]
    pub fn with_wall_clock(self, wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            wall: Box::new(wall),
            ..self
        }
    }

    /// Whether this replica leads. Receivers are woken when it begins and when it ends, and read
    /// what a renewal has changed when they look.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.told.subscribe()
    }

    /// Wants, gets and renews the Lease until `stop` resolves; then gives it back.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        tokio::select! {
            () = &mut stop => (),
            () = self.campaign() => (),
        }
        self.release().await;
    }

    /// Gives the Lease back if it is ours, so that another takes over at once. Who asks is told
    /// first that we do not lead.
    pub async fn release(&mut self) {
        self.candidate.resign();
        self.tell();
        for _ in 0..RELEASE_ATTEMPTS {
            // A write that was broken off may have succeeded.
            self.read().await;
            let Some(lease) = self.candidate.release((self.wall)()) else {
                return;
            };
            match self.call(self.store.replace(&lease)).await {
                Ok(_) => {
                    tracing::info!("the lease is released");
                    return;
                }
                Err(Fault::Stale) => (),
                Err(Fault::Failed(failure)) => {
                    return tracing::warn!(%failure, "the lease is not released and will run out");
                }
            }
        }
    }

    async fn campaign(&mut self) {
        loop {
            match self.candidate.step(Instant::now()) {
                Step::Lost => {
                    self.candidate.resign();
                    self.tell();
                    self.stale = true;
                }
                Step::Wait(until) if self.leads() => sleep_until(until).await,
                Step::Wait(until) => {
                    self.doze(until).await;
                    self.look().await;
                }
                Step::Create | Step::Acquire | Step::Renew if self.stale => self.look().await,
                step => self.write(step).await,
            }
        }
    }

    async fn look(&mut self) {
        if !self.read().await {
            self.pause().await;
        }
    }

    async fn read(&mut self) -> bool {
        let holder = self.candidate.holder().map(str::to_owned);
        let answer = self.call(self.store.read()).await;
        self.stale = answer.is_err();
        match answer {
            Ok(lease) => {
                self.candidate.observe(lease, Instant::now());
                // One who is to write and could not is not helped by reading.
                if !(self.cannot_write && self.is_to_write()) {
                    self.complain(None);
                }
                let now = self.candidate.holder();
                if now != holder.as_deref() && !self.candidate.is_holder() {
                    match now {
                        Some(holder) => tracing::info!(holder, "another holds the lease"),
                        None => tracing::info!("the lease is free"),
                    }
                }
            }
            Err(Fault::Failed(failure)) => self.complain(Some(failure)),
            Err(Fault::Stale) => (),
        }
        !self.stale
    }

    async fn write(&mut self, step: Step) {
        let lease = self.candidate.claim((self.wall)());
        let begun = Instant::now();
        let answer = match step {
            Step::Create => self.call(self.store.create(&lease)).await,
            _ => self.call(self.store.replace(&lease)).await,
        };
        match answer {
            Ok(lease) => {
                self.cannot_write = false;
                self.complain(None);
                self.candidate.wrote(lease, begun, Instant::now());
                self.tell();
            }
            Err(fault) => {
                self.stale = true;
                if let Fault::Failed(failure) = fault {
                    self.cannot_write = true;
                    self.complain(Some(failure));
                }
                self.pause().await;
            }
        }
    }

    async fn call<T>(&self, answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let limit = self.timing.call_timeout();
        timeout(limit, answer).await.unwrap_or_else(|_| {
            let sentence = format!("no answer about the lease within {limit:?}");
            Err(Fault::Failed(Failure::new(sentence)))
        })
    }

    fn is_to_write(&self) -> bool {
        let step = self.candidate.step(Instant::now());
        matches!(step, Step::Create | Step::Acquire | Step::Renew)
    }

    fn leads(&self) -> bool {
        self.candidate.leadership().until().is_some()
    }

    /// After a failure: the next attempt is a period away, unless our leadership ends before.
    async fn pause(&self) {
        let next = Instant::now() + self.timing.retry_period;
        match self.candidate.leadership().until() {
            Some(until) => sleep_until(next.min(until)).await,
            None => self.doze(next).await,
        }
    }

    /// Until this moment and a little longer, so that replicas do not move in step.
    async fn doze(&self, until: Instant) {
        let jitter = match until > Instant::now() {
            true => self.timing.retry_period.mul_f64(fastrand::f64() / 2.0),
            false => Duration::ZERO,
        };
        sleep_until(until + jitter).await;
    }

    /// Receivers are woken only if we begin or end to lead; to begin again after our time had run
    /// out unnoticed is to begin.
    fn tell(&self) {
        let leadership = self.candidate.leadership();
        let leads = leadership.until().is_some();
        let turned = self.told.send_if_modified(|told| {
            let turned = told.until().is_some() != leads || leads && !told.holds();
            *told = leadership;
            turned
        });
        if turned {
            (self.hook)(leads);
            match leads {
                true => tracing::info!("this replica leads"),
                false => tracing::info!("this replica leads no more"),
            }
        }
    }

    /// One line when something goes wrong, not one for each attempt.
    fn complain(&mut self, failure: Option<Failure>) {
        if self.complaint == failure {
            return;
        }
        match &failure {
            Some(failure) => tracing::warn!(%failure, "the lease is out of reach"),
            None => tracing::info!("the lease is within reach again"),
        }
        self.complaint = failure;
    }
}

#[cfg(test)]
mod tests;
