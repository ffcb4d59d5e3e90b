//! Decides what to do about the Lease: a pure function of what was observed, and when.

mod observed;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::coordination::v1::Lease, apimachinery::pkg::apis::meta::v1::MicroTime};
use tokio::time::Instant;

use self::observed::{Holder, Observed};
use super::{
    leadership::Leadership,
    timing::{Timing, surely},
};
use crate::run::planted::{PlantedFault, planted};

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseStep {
    /// Do nothing before this moment.
    Wait(Instant),
    /// Read the Lease.
    Read,
    /// There is no Lease. Create the [draft](LeaseCandidate::draft) with POST.
    Create,
    /// Acquire, renew or release the Lease: replace it by the [draft](LeaseCandidate::draft) with PUT.
    Replace,
    /// This replica has stopped, and has nothing to release.
    Done,
}

/// A replica that competes for the Lease, with what it knows of it.
#[derive(Debug, Clone)]
pub(crate) struct LeaseCandidate {
    identity: Arc<str>,
    timing: Timing,
    /// The Lease as it was observed last.
    pub(super) observed: Option<Observed>,
    /// It may have changed since: it must be read before the next write.
    pub(super) stale: bool,
    /// When the last successful write of this replica started, while it holds the Lease.
    pub(super) renewed: Option<Instant>,
    /// If this replica has made the Lease: it may lead from then on.
    pub(super) leads_from: Option<Instant>,
    /// If this replica has stopped: it may release the Lease from then on.
    pub(super) releases_from: Option<Instant>,
}

impl LeaseCandidate {
    /// A candidate that has observed nothing yet.
    pub(crate) fn new(identity: &str, timing: Timing) -> Self {
        Self {
            identity: identity.into(),
            timing,
            observed: None,
            stale: true,
            renewed: None,
            leads_from: None,
            releases_from: None,
        }
    }

    /// The Lease was read; none if it does not exist. `now` must not be before the answer came.
    pub(crate) fn observe(&mut self, lease: Option<Arc<Lease>>, now: Instant) {
        let observed = Observed::after(self.observed.take(), lease, now);
        let is_holder = observed.holder(&self.identity) == Holder::Me;
        if observed.is_new {
            // This replica holds a Lease that it has not seen before, so it has made it. That proves
            // nothing about the time before: there may have been another Lease, deleted since, whose
            // holder does not know it yet. That one stops within the lease duration.
            let must_wait = is_holder && !planted(PlantedFault::MakerLeadsAtOnce);
            self.leads_from = must_wait.then(|| now + surely(self.timing.duration));
        }
        if observed.is_new || !is_holder {
            self.renewed = None;
        }
        self.observed = Some(observed);
        self.stale = false;
    }

    /// A write of this replica that started at this moment has succeeded.
    pub(crate) fn wrote(&mut self, lease: Arc<Lease>, started: Instant, now: Instant) {
        self.observe(Some(lease), now);
        self.renewed = self.is_holder().then_some(started);
    }

    /// A request has failed, or found the Lease changed.
    pub(crate) fn failed(&mut self) {
        self.stale = true;
    }

    /// This replica stops. It no longer leads, and releases the Lease from this moment on: none of its
    /// writes may take effect later. A write of the Lease may still be under way.
    pub(crate) fn stop(&mut self, releases_from: Instant) {
        self.releases_from = Some(releases_from);
        self.stale = true;
    }

    /// What to do now.
    pub(crate) fn step(&self, now: Instant) -> LeaseStep {
        let Some(observed) = self.observed.as_ref().filter(|_| !self.stale) else {
            return LeaseStep::Read;
        };
        let holder = observed.holder(&self.identity);
        if let Some(releases_from) = self.releases_from {
            return match holder {
                // Whoever finds a released Lease leads at once. So a replica that may not lead yet
                // leaves the Lease to expire.
                Holder::Me if self.leads_from.is_some_and(|from| now < from) => LeaseStep::Done,
                Holder::Me => wait_or(releases_from, now, LeaseStep::Replace),
                _ => LeaseStep::Done,
            };
        }
        match holder {
            Holder::NoLease => LeaseStep::Create,
            Holder::Released => LeaseStep::Replace,
            Holder::Me => {
                let Some(renewed) = self.renewed else {
                    // An earlier write of this process succeeded, and its answer was lost.
                    return LeaseStep::Replace;
                };
                let again = renewed + self.timing.retry_period;
                match self.leads_from {
                    Some(from) if now < from => wait_or(again, now, LeaseStep::Replace).until(from),
                    _ => wait_or(again, now, LeaseStep::Replace),
                }
            }
            Holder::Other => {
                let expiry = observed.expiry(self.timing.duration);
                let again = observed.read + self.timing.retry_period;
                match now {
                    _ if now >= expiry => LeaseStep::Replace,
                    _ => wait_or(again, now, LeaseStep::Read).until(expiry),
                }
            }
        }
    }

    /// Whether this replica leads, and until when.
    pub(crate) fn leadership(&self, now: Instant) -> Leadership {
        let may_lead =
            self.releases_from.is_none() && self.leads_from.is_none_or(|from| now >= from);
        let until = self.renewed.filter(|_| may_lead && self.is_holder());
        match until.map(|renewed| renewed + self.timing.renew_deadline) {
            Some(until) if now < until => Leadership::until(until),
            _ => Leadership::STANDBY,
        }
    }

    /// Whether this replica is the holder in the Lease as it was observed.
    pub(crate) fn is_holder(&self) -> bool {
        let observed = self.observed.as_ref();
        observed.is_some_and(|observed| observed.holder(&self.identity) == Holder::Me)
    }

    /// The other replica that is the holder in the Lease as it was observed.
    pub(crate) fn other_holder(&self) -> Option<&str> {
        let observed = self.observed.as_ref()?;
        let is_other = observed.holder(&self.identity) == Holder::Other;
        observed
            .spec()?
            .holder_identity
            .as_deref()
            .filter(|_| is_other)
    }

    /// Until when this replica, which holds the Lease, still waits before it leads, since it has made it.
    pub(crate) fn waits_until(&self, now: Instant) -> Option<Instant> {
        self.leads_from
            .filter(|from| now < *from && self.is_holder())
    }

    /// The Lease to write: the observed one, with its resourceVersion and everything that others have
    /// set, and with this replica as the holder, or nobody if it has stopped.
    pub(crate) fn draft(&self, wall: Timestamp) -> Lease {
        let observed = self
            .observed
            .as_ref()
            .and_then(|observed| observed.lease.as_deref());
        let mut lease = observed.cloned().unwrap_or_default();
        let spec = lease.spec.get_or_insert_default();
        if self.releases_from.is_some() {
            spec.holder_identity = Some(String::new());
            spec.renew_time = Some(MicroTime(wall));
        } else if self.is_holder() {
            spec.renew_time = Some(MicroTime(later(spec.renew_time.as_ref(), wall)));
            spec.acquire_time.get_or_insert(MicroTime(wall));
        } else {
            // The first holder takes it from nobody.
            spec.lease_transitions = Some(match spec.lease_transitions {
                None if observed.is_none() => 0,
                count => count.unwrap_or_default().saturating_add(1),
            });
            spec.holder_identity = Some(self.identity.as_ref().to_owned());
            spec.acquire_time = Some(MicroTime(wall));
            spec.renew_time = Some(MicroTime(wall));
        }
        if self.releases_from.is_none() {
            spec.lease_duration_seconds = Some(self.timing.seconds());
        }
        lease
    }
}

impl LeaseStep {
    /// Waits until this moment at most.
    fn until(self, latest: Instant) -> Self {
        match self {
            Self::Wait(until) => Self::Wait(until.min(latest)),
            step => step,
        }
    }
}

fn wait_or(until: Instant, now: Instant, step: LeaseStep) -> LeaseStep {
    match now < until {
        true => LeaseStep::Wait(until),
        false => step,
    }
}

/// The time of a renewal: later than the last, even if the wall clock stands still or was set back.
/// Otherwise others would not see that the Lease was renewed.
fn later(last: Option<&MicroTime>, wall: Timestamp) -> Timestamp {
    let next = last.and_then(|last| last.0.checked_add(SignedDuration::from_micros(1)).ok());
    next.map_or(wall, |next| next.max(wall))
}

#[cfg(test)]
mod tests;
