//! The API server's Lease and the replicas that compete for it, at one moment.

mod action;

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

pub(super) use self::action::Action;
use super::{
    super::candidate::{LeaseCandidate, LeaseStep},
    bounds::{Beyond, Bounds},
};

/// When every clock began.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

#[derive(Debug, Clone)]
pub(super) struct World {
    /// The true time since the beginning.
    pub(super) now: Duration,
    pub(super) lease: Option<Arc<Lease>>,
    /// How many versions of the Lease there have been.
    versions: u64,
    pub(super) backup: Option<Option<Arc<Lease>>>,
    pub(super) replicas: Vec<Replica>,
}

#[derive(Debug, Clone)]
pub(super) struct Replica {
    pub(super) identity: Arc<str>,
    pub(super) candidate: LeaseCandidate,
    /// What its clock shows.
    pub(super) clock: Instant,
    pub(super) request: Option<Request>,
    /// A write of the Lease that was given up and may still take effect.
    pub(super) given_up: Option<Request>,
    /// Its writes may take effect until this true time.
    pub(super) writes_until: Duration,
    pub(super) is_suspended: bool,
    pub(super) has_ended: bool,
}

/// A request about the Lease.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) step: LeaseStep,
    pub(super) draft: Option<Arc<Lease>>,
    /// By the replica's clock.
    pub(super) started: Instant,
    /// The answer, on its way.
    pub(super) answer: Option<Option<Arc<Lease>>>,
}

impl Request {
    /// A write that has not taken effect.
    pub(super) fn is_pending(&self) -> bool {
        self.answer.is_none()
    }
}

impl Replica {
    fn new(identity: String, bounds: &Bounds, clock: Instant) -> Self {
        Self {
            candidate: LeaseCandidate::new(&identity, bounds.timing),
            identity: identity.into(),
            clock,
            request: None,
            given_up: None,
            writes_until: Duration::ZERO,
            is_suspended: false,
            has_ended: false,
        }
    }

    pub(super) fn leads(&self) -> bool {
        self.leadership_end().is_some()
    }

    /// When its leadership ends, by its own clock.
    fn leadership_end(&self) -> Option<Instant> {
        let leadership = self.candidate.leadership(self.clock);
        leadership.deadline().filter(|_| !self.is_suspended)
    }

    fn is_running(&self) -> bool {
        !self.is_suspended && !self.has_ended
    }
}

impl World {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let name = |number: usize| match bounds.is(Beyond::OneIdentity) {
            true => "a".to_owned(),
            false => name(number).to_owned(),
        };
        let replicas = 0..bounds.replicas;
        let mut world = Self {
            now: Duration::ZERO,
            lease: bounds.is_released.then(Arc::default),
            versions: 0,
            backup: None,
            replicas: replicas
                .map(|number| Replica::new(name(number), bounds, *BEGINNING))
                .collect(),
        };
        world.empty();
        world
    }

    /// The two that may write at the same time, if there are two.
    pub(super) fn two_writers(&self) -> Option<(usize, usize)> {
        let leaders = self.replicas.iter().enumerate();
        let mut leaders = leaders.filter(|(_, replica)| replica.leads());
        leaders.find_map(|(leader, _)| {
            let others = self.replicas.iter().enumerate();
            let mut others = others.filter(|(other, _)| *other != leader);
            let (other, _) = others.find(|(_, other)| other.writes_until > self.now)?;
            Some((leader, other))
        })
    }

    /// The moments before the next at which a replica may begin to lead although another may write, if
    /// nothing else happens; and what it does then.
    pub(super) fn between(&self, bounds: &Bounds) -> Vec<(Self, Vec<Action>)> {
        let mut worlds = Vec::new();
        for (number, replica) in self.replicas.iter().enumerate() {
            if !replica.is_running() || replica.leads() {
                continue;
            }
            let candidate = &replica.candidate;
            let expiry = candidate.observed.as_ref();
            let expiry = expiry.map(|observed| match bounds.is(Beyond::NoAllowance) {
                true => observed.changed + bounds.timing.duration,
                false => observed.expiry(bounds.timing.duration),
            });
            for moment in [candidate.leads_from, expiry].into_iter().flatten() {
                let ahead = moment.saturating_duration_since(replica.clock);
                if ahead.is_zero() || ahead >= bounds.fast() {
                    continue;
                }
                let ahead =
                    ahead.mul_f64(bounds.tick().as_secs_f64() / bounds.fast().as_secs_f64());
                let mut world = self.clone();
                world.advance(ahead, bounds);
                world.replicas[number].clock = moment;
                world.settle(bounds);
                // It writes the Lease at once.
                let number = number.to_le_bytes()[0];
                let begins = world.clone();
                let mut actions = Vec::new();
                for action in [
                    Action::Act(number),
                    Action::Effect(number),
                    Action::Answer(number),
                ] {
                    if let Some(next) = world.after(action, bounds) {
                        world = next;
                        actions.push(action);
                    }
                }
                if world.two_writers().is_some() {
                    worlds.push((begins, actions));
                }
            }
        }
        worlds
    }

    /// True time goes on. A clock is slow while its replica leads, and fast while it waits: that is the
    /// worst of both. A leader writes for as long as it may.
    fn advance(&mut self, time: Duration, bounds: &Bounds) {
        let share = |shown: Duration| match time == bounds.tick() {
            true => shown,
            false => shown.mul_f64(time.as_secs_f64() / bounds.tick().as_secs_f64()),
        };
        for replica in self
            .replicas
            .iter_mut()
            .filter(|replica| !replica.is_suspended)
        {
            let Some(end) = replica.leadership_end() else {
                replica.clock += share(bounds.fast());
                continue;
            };
            let shown = share(bounds.slow());
            let led = (end - replica.clock).min(shown);
            let led = match led == shown {
                true => time,
                false => led.mul_f64(bounds.tick().as_secs_f64() / bounds.slow().as_secs_f64()),
            };
            replica.writes_until = self.now + led + bounds.write_bound;
            replica.clock += shown;
        }
        self.now += time;
    }

    /// What follows by itself.
    fn settle(&mut self, bounds: &Bounds) {
        let returns = bounds.is(Beyond::Restore);
        for number in 0..self.replicas.len() {
            // A write that expects an older Lease cannot take effect any more.
            let given_up = self.replicas[number].given_up.as_ref();
            let is_dead = given_up.is_some_and(|request| {
                request.step == LeaseStep::Replace && !returns && !self.is_possible(request)
            });
            let now = self.now;
            let replica = &mut self.replicas[number];
            if is_dead {
                replica.given_up = None;
            }
            if replica.leads() {
                replica.writes_until = replica.writes_until.max(now + bounds.write_bound);
            }
            let is_idle = replica.is_running() && replica.request.is_none();
            replica.has_ended |=
                is_idle && replica.candidate.step(replica.clock) == LeaseStep::Done;
        }
    }
}

pub(super) fn name(number: usize) -> &'static str {
    ["a", "b", "c"][number]
}
