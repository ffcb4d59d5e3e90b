//! Decides what to do about the Lease: a pure function of what was observed, and when.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use tokio::time::Instant;

use super::{leadership::Leadership, timing::Timing};

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseStep {
    /// There is no Lease. Create it with POST.
    Create,
    /// It is released, or it has expired. Take it over with PUT and its resourceVersion.
    Acquire,
    /// This replica holds it. Renew it with PUT and its resourceVersion.
    Renew,
    /// Do nothing before this moment. Then read the Lease again, unless this replica leads.
    Wait(Instant),
    /// This replica has led, and no longer does.
    Lost,
}

/// A replica that competes for the Lease, with what it knows of it.
#[derive(Debug, Clone)]
pub(crate) struct LeaseCandidate {
    identity: String,
    timing: Timing,
    observed: Option<ObservedLease>,
    /// When the last successful write of this replica started, while it leads.
    renewed: Option<Instant>,
}

/// The Lease as it was observed last.
#[derive(Debug, Clone)]
struct ObservedLease {
    /// The object, if it exists.
    lease: Option<Lease>,
    /// Its spec. If the object was deleted, its last spec: the holder may not know that yet.
    spec: LeaseSpec,
    /// When the spec was seen to change, on this process's monotonic clock.
    changed: Instant,
}

impl ObservedLease {
    fn holder(&self) -> Option<&str> {
        let holder = self.spec.holder_identity.as_deref();
        holder.filter(|holder| !holder.is_empty())
    }

    /// The lease duration that the holder has written.
    fn duration(&self) -> Option<Duration> {
        let seconds = u64::try_from(self.spec.lease_duration_seconds?).ok()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }
}

impl LeaseCandidate {
    /// A candidate that has observed nothing yet.
    pub(crate) fn new(identity: String, timing: Timing) -> Self {
        Self {
            identity,
            timing,
            observed: None,
            renewed: None,
        }
    }

    /// The Lease was read; none if it does not exist. `now` must not be before the answer came.
    pub(crate) fn observe(&mut self, lease: Option<Lease>, now: Instant) {
        let before = self.observed.take();
        let spec = lease
            .as_ref()
            .map(|lease| lease.spec.clone().unwrap_or_default());
        self.observed = Some(match (before, spec) {
            // A change outside of the spec does not show that the holder is alive.
            (Some(before), Some(spec)) if before.lease.is_some() && before.spec == spec => {
                ObservedLease { lease, ..before }
            }
            (Some(before), None) if before.lease.is_none() => before,
            (before, spec) => ObservedLease {
                lease,
                spec: spec
                    .or(before.map(|before| before.spec))
                    .unwrap_or_default(),
                changed: now,
            },
        });
    }

    /// A write of this replica that started at this moment has succeeded.
    pub(crate) fn wrote(&mut self, lease: Lease, started: Instant, now: Instant) {
        self.observe(Some(lease), now);
        self.renewed = self.is_holder().then_some(started);
    }

    /// This replica no longer leads.
    pub(crate) fn resign(&mut self) {
        self.renewed = None;
    }

    /// What to do now.
    pub(crate) fn step(&self, now: Instant) -> LeaseStep {
        let Some(observed) = &self.observed else {
            return LeaseStep::Wait(now);
        };
        if let Some(renewed) = self.renewed {
            let again = renewed + self.timing.retry_period;
            return match now {
                _ if observed.lease.is_none() || !self.is_holder() => LeaseStep::Lost,
                _ if now >= renewed + self.timing.renew_deadline => LeaseStep::Lost,
                _ if now >= again => LeaseStep::Renew,
                _ => LeaseStep::Wait(again),
            };
        }
        match (&observed.lease, observed.holder()) {
            (None, None) => LeaseStep::Create,
            (None, Some(holder)) if holder == self.identity => LeaseStep::Create,
            (Some(_), None) => LeaseStep::Acquire,
            // An earlier write of this process succeeded, and its answer was lost.
            (Some(_), Some(holder)) if holder == self.identity => LeaseStep::Renew,
            (lease, Some(_)) => {
                let expiry = observed.changed + observed.duration().unwrap_or(self.timing.duration);
                match lease {
                    _ if now < expiry => {
                        LeaseStep::Wait(expiry.min(now + self.timing.retry_period))
                    }
                    Some(_) => LeaseStep::Acquire,
                    None => LeaseStep::Create,
                }
            }
        }
    }

    /// Whether this replica leads, and until when.
    pub(crate) fn leadership(&self) -> Leadership {
        self.renewed.map_or(Leadership::STANDBY, |renewed| {
            Leadership::until(renewed + self.timing.renew_deadline)
        })
    }

    /// Whether this replica is the holder in the Lease as it was observed.
    pub(crate) fn is_holder(&self) -> bool {
        self.holder() == Some(&self.identity)
    }

    /// The holder in the Lease as it was observed.
    pub(crate) fn holder(&self) -> Option<&str> {
        self.observed.as_ref()?.holder()
    }

    /// The Lease to write for [`LeaseStep::Create`], [`LeaseStep::Acquire`] or [`LeaseStep::Renew`]: the observed
    /// one, with its resourceVersion and everything that others have set, and with this replica as the
    /// holder.
    pub(crate) fn claim(&self, wall: Timestamp) -> Lease {
        let mut lease = self.observed_lease();
        let mut spec = self
            .observed
            .as_ref()
            .map(|observed| observed.spec.clone())
            .unwrap_or_default();
        let wall = MicroTime(wall);
        if !self.is_holder() || spec.acquire_time.is_none() {
            spec.acquire_time = Some(wall.clone());
        }
        if !self.is_holder() {
            // The first Lease is taken from nobody.
            let count = spec.lease_transitions;
            let first = self
                .observed
                .as_ref()
                .is_none_or(|observed| observed.lease.is_none() && observed.holder().is_none());
            spec.lease_transitions = Some(match count {
                None if first => 0,
                count => count.unwrap_or_default().saturating_add(1),
            });
        }
        spec.holder_identity = Some(self.identity.clone());
        spec.lease_duration_seconds = Some(self.timing.seconds());
        spec.renew_time = Some(wall);
        lease.spec = Some(spec);
        lease
    }

    /// The Lease to write to release it. None if this replica does not hold it.
    pub(crate) fn release(&self, wall: Timestamp) -> Option<Lease> {
        if !self.is_holder() {
            return None;
        }
        let mut lease = self.observed.as_ref()?.lease.clone()?;
        let spec = lease.spec.as_mut()?;
        spec.holder_identity = Some(String::new());
        spec.renew_time = Some(MicroTime(wall));
        Some(lease)
    }

    fn observed_lease(&self) -> Lease {
        self.observed
            .as_ref()
            .and_then(|observed| observed.lease.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
    use rstest::rstest;

    const ME: &str = "me";

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn timing() -> Timing {
        Timing::new(seconds(15), seconds(10), seconds(2)).unwrap()
    }

    fn wall(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn lease(holder: &str, version: u64) -> Lease {
        Lease {
            metadata: ObjectMeta {
                name: Some("kuma-workload".into()),
                resource_version: Some(version.to_string()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.into()),
                lease_duration_seconds: Some(15),
                lease_transitions: Some(3),
                acquire_time: Some(MicroTime(wall(100))),
                // From a wall clock that has nothing to do with this one.
                renew_time: Some(MicroTime(wall(version.try_into().unwrap()))),
                ..LeaseSpec::default()
            }),
        }
    }

    /// What was observed or written.
    enum Seen {
        Lease(&'static str, u64),
        Absent,
        /// A write of this replica that started a second before its answer.
        Wrote(u64),
    }
    use Seen::{Absent, Lease as There, Wrote};

    #[derive(Debug, PartialEq)]
    enum ExpectedStep {
        Create,
        Acquire,
        Renew,
        Lost,
        WaitUntil(u64),
    }
    use ExpectedStep::{Acquire, Create, Lost, Renew, WaitUntil};

    #[rstest]
    #[case::nothing_seen(&[], 5, WaitUntil(5))]
    #[case::none_there(&[(1, Absent)], 1, Create)]
    #[case::released(&[(1, There("", 1))], 1, Acquire)]
    #[case::held(&[(1, There("other", 1))], 1, WaitUntil(3))]
    #[case::held_and_about_to_run_out(&[(1, There("other", 1))], 15, WaitUntil(16))]
    #[case::run_out(&[(1, There("other", 1))], 16, Acquire)]
    #[case::seen_again_unchanged_is_no_renewal(&[(1, There("other", 1)), (9, There("other", 1))], 16, Acquire)]
    #[case::renewed_by_its_holder(&[(1, There("other", 1)), (9, There("other", 2))], 16, WaitUntil(18))]
    #[case::handed_over(&[(1, There("other", 1)), (9, There("third", 2))], 16, WaitUntil(18))]
    #[case::deleted_under_its_holder(&[(1, There("other", 1)), (9, Absent)], 16, WaitUntil(18))]
    #[case::deleted_long_ago(&[(1, There("other", 1)), (9, Absent), (20, Absent)], 24, Create)]
    #[case::deleted_after_release(&[(1, There("", 1)), (9, Absent)], 9, Create)]
    #[case::made_anew_as_it_was(&[(1, There("other", 1)), (9, Absent), (12, There("other", 1))], 26, WaitUntil(27))]
    #[case::ours_by_a_write_whose_answer_was_lost(&[(1, There(ME, 1))], 1, Renew)]
    #[case::just_written(&[(1, There("", 1)), (5, Wrote(2))], 5, WaitUntil(6))]
    #[case::to_be_renewed(&[(1, There("", 1)), (5, Wrote(2))], 6, Renew)]
    #[case::deadline_from_the_start_of_the_request(&[(1, There("", 1)), (5, Wrote(2))], 14, Lost)]
    #[case::shortly_before(&[(1, There("", 1)), (5, Wrote(2))], 13, Renew)]
    #[case::taken_away(&[(1, There("", 1)), (5, Wrote(2)), (6, There("other", 3))], 6, Lost)]
    #[case::deleted_while_we_lead(&[(1, There("", 1)), (5, Wrote(2)), (6, Absent)], 6, Lost)]
    #[case::touched_by_others(&[(1, There("", 1)), (5, Wrote(2)), (6, There(ME, 3))], 7, Renew)]
    fn steps(#[case] history: &[(u64, Seen)], #[case] now: u64, #[case] expected: ExpectedStep) {
        let zero = Instant::now();
        let at = |after| zero + seconds(after);
        let mut candidate = LeaseCandidate::new(ME.into(), timing());
        for (after, seen) in history {
            match seen {
                There(holder, version) => {
                    candidate.observe(Some(lease(holder, *version)), at(*after));
                }
                Absent => candidate.observe(None, at(*after)),
                Wrote(version) => candidate.wrote(lease(ME, *version), at(after - 1), at(*after)),
            }
        }
        let step = match candidate.step(at(now)) {
            LeaseStep::Create => Create,
            LeaseStep::Acquire => Acquire,
            LeaseStep::Renew => Renew,
            LeaseStep::Lost => Lost,
            LeaseStep::Wait(until) => WaitUntil((until - zero).as_secs()),
        };
        assert_eq!(step, expected);
    }

    #[rstest]
    #[case::longer_than_ours(Some(60), 60)]
    #[case::not_said(None, 15)]
    #[case::nonsense(Some(-1), 15)]
    fn its_holder_says_how_long(#[case] promised: Option<i32>, #[case] expected: u64) {
        let now = Instant::now();
        let mut other = lease("other", 1);
        other.spec.as_mut().unwrap().lease_duration_seconds = promised;
        let mut candidate = LeaseCandidate::new(ME.into(), timing());
        candidate.observe(Some(other), now);
        let expiry = now + seconds(expected);
        assert_eq!(candidate.step(expiry - seconds(1)), LeaseStep::Wait(expiry));
        assert_eq!(candidate.step(expiry), LeaseStep::Acquire);
    }

    #[rstest]
    #[case::created(None, 0, 900)]
    #[case::taken_over(Some("other"), 4, 900)]
    #[case::released_before(Some(""), 4, 900)]
    #[case::renewed(Some(ME), 3, 100)]
    fn claims(#[case] holder: Option<&str>, #[case] transitions: i32, #[case] acquired: i64) {
        let mut candidate = LeaseCandidate::new(ME.into(), timing());
        let mut seen = holder.map(|holder| lease(holder, 7));
        if let Some(seen) = &mut seen {
            seen.metadata.labels = Some([("app".to_owned(), "x".to_owned())].into());
        }
        candidate.observe(seen.clone(), Instant::now());
        let claim = candidate.claim(wall(900));
        assert_eq!(claim.metadata, seen.unwrap_or_default().metadata);
        assert_eq!(
            claim.spec,
            Some(LeaseSpec {
                holder_identity: Some(ME.into()),
                lease_duration_seconds: Some(15),
                lease_transitions: Some(transitions),
                acquire_time: Some(MicroTime(wall(acquired))),
                renew_time: Some(MicroTime(wall(900))),
                ..LeaseSpec::default()
            })
        );
    }

    #[rstest]
    #[case::ours(ME, true)]
    #[case::of_another("other", false)]
    #[case::of_nobody("", false)]
    fn releases(#[case] holder: &str, #[case] released: bool) {
        let mut candidate = LeaseCandidate::new(ME.into(), timing());
        candidate.observe(Some(lease(holder, 7)), Instant::now());
        let lease = candidate.release(wall(900));
        assert_eq!(lease.is_some(), released);
        if let Some(lease) = lease {
            assert_eq!(lease.metadata.resource_version.as_deref(), Some("7"));
            assert_eq!(lease.spec.unwrap().holder_identity.as_deref(), Some(""));
        }
    }
}
