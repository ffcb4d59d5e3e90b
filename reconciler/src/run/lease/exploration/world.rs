//! The API server's Lease and the replicas that compete for it, at one moment.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

use super::{
    super::{
        candidate::{LeaseCandidate, LeaseStep},
        timing::surely,
    },
    bounds::{Beyond, Bounds},
};

/// When every clock began.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What can happen at one moment, or between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Time goes on until the next moment.
    Tick,
    /// A replica does what its candidate decides: it reads, or sends a write.
    Act(u8),
    /// A write takes effect.
    Effect(u8),
    /// A write that was given up takes effect.
    LateEffect(u8),
    /// An answer arrives.
    Answer(u8),
    /// A request gets no answer.
    Lose(u8),
    /// A replica is told to stop. Its writes were answered, or may still take effect.
    Stop(u8, bool),
    /// Another process starts in the place of one that has ended.
    Start(u8),
    /// Somebody deletes the Lease.
    Delete,
    /// Somebody empties `holderIdentity`.
    Empty,
    /// A backup is made.
    BackUp,
    /// The Lease is as it was in the backup.
    Restore,
    /// A machine is suspended, or goes on.
    Suspend(u8),
}

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

    /// All that can happen, and what comes of it.
    pub(super) fn next(&self, bounds: &Bounds) -> Vec<(Action, Self)> {
        let mut actions = vec![Action::Tick];
        actions.extend(bounds.deletion.then_some(Action::Delete));
        actions.extend(bounds.is(Beyond::EmptiedByHand).then_some(Action::Empty));
        if bounds.is(Beyond::Restore) {
            actions.extend([Action::BackUp, Action::Restore]);
        }
        for (number, replica) in self.replicas.iter().enumerate() {
            let number = number.to_le_bytes()[0];
            match &replica.request {
                None => actions.push(Action::Act(number)),
                Some(request) if request.is_pending() => {
                    actions.extend([Action::Effect(number), Action::Lose(number)]);
                }
                Some(_) => actions.extend([Action::Answer(number), Action::Lose(number)]),
            }
            let is_late = replica.given_up.is_some();
            actions.extend(is_late.then_some(Action::LateEffect(number)));
            if bounds.stops && replica.has_ended {
                actions.push(Action::Start(number));
            } else if bounds.stops && replica.candidate.releases_from.is_none() {
                actions.extend([Action::Stop(number, true), Action::Stop(number, false)]);
            }
            let suspends = bounds.is(Beyond::Suspension);
            actions.extend(suspends.then_some(Action::Suspend(number)));
        }
        let worlds = actions
            .into_iter()
            .filter_map(|action| Some((action, self.after(action, bounds)?)));
        worlds.collect()
    }

    /// What comes of an action; none if it cannot happen now.
    pub(super) fn after(&self, action: Action, bounds: &Bounds) -> Option<Self> {
        let mut world = self.clone();
        match action {
            Action::Tick => world.tick(bounds),
            Action::Act(number) => world.act(number.into(), bounds)?,
            Action::Effect(number) => {
                let replica = &mut world.replicas[usize::from(number)];
                let mut request = replica.request.take_if(|request| request.is_pending())?;
                match world.write(&request) {
                    Some(stored) => request.answer = Some(Some(stored)),
                    // That the answer comes later would change nothing.
                    None => {
                        world.replicas[usize::from(number)].candidate.failed();
                        return Some(world);
                    }
                }
                world.replicas[usize::from(number)].request = Some(request);
            }
            Action::LateEffect(number) => {
                let request = world.replicas[usize::from(number)].given_up.take()?;
                world.write(&request)?;
            }
            Action::Answer(number) => {
                let replica = &mut world.replicas[usize::from(number)];
                if !replica.is_running() {
                    return None;
                }
                let request = replica.request.take_if(|it| !it.is_pending())?;
                let (lease, now) = (request.answer?, replica.clock);
                match lease {
                    Some(lease) if request.step != LeaseStep::Read => {
                        replica.candidate.wrote(lease, request.started, now);
                    }
                    lease => replica.candidate.observe(lease, now),
                }
                if bounds.is(Beyond::MakerLeadsAtOnce) {
                    replica.candidate.leads_from = None;
                }
            }
            Action::Lose(number) => world.replicas[usize::from(number)].lose()?,
            Action::Stop(number, is_answered) => {
                world.stop(number.into(), is_answered, bounds)?;
            }
            Action::Start(number) => world.start(number.into(), bounds)?,
            Action::Delete => drop(world.lease.take()?),
            Action::Empty => world.empty()?,
            Action::BackUp if world.backup.is_none() => world.backup = Some(world.lease.clone()),
            Action::BackUp => return None,
            Action::Restore => world.lease = world.backup.clone()?,
            Action::Suspend(number) => {
                let replica = &mut world.replicas[usize::from(number)];
                replica.is_suspended ^= true;
            }
        }
        world.settle(bounds);
        Some(world)
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
            if !replica.is_running() || replica.request.is_some() || replica.leads() {
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

    fn tick(&mut self, bounds: &Bounds) {
        self.advance(bounds.tick(), bounds);
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

    fn act(&mut self, number: usize, bounds: &Bounds) -> Option<()> {
        let lease = self.lease.clone();
        let replica = &mut self.replicas[number];
        if !replica.is_running() || replica.request.is_some() {
            return None;
        }
        let candidate = &replica.candidate;
        let mut step = candidate.step(replica.clock);
        if bounds.is(Beyond::NoAllowance)
            && let Some(observed) = candidate.observed.as_ref()
            && replica.clock >= observed.changed + bounds.timing.duration
            && matches!(step, LeaseStep::Wait(_))
        {
            step = LeaseStep::Replace;
        }
        let (draft, answer) = match step {
            LeaseStep::Wait(_) | LeaseStep::Done => return None,
            // When exactly it was asked does not matter, only what is answered and when.
            LeaseStep::Read => (None, Some(lease)),
            LeaseStep::Create | LeaseStep::Replace => {
                // All wall clocks stand still.
                let mut draft = candidate.draft(Timestamp::UNIX_EPOCH);
                if bounds.is(Beyond::EqualRenewals)
                    && let Some(spec) = &mut draft.spec
                {
                    spec.renew_time = spec.acquire_time.clone();
                }
                (Some(Arc::new(draft)), None)
            }
        };
        replica.request = Some(Request {
            step,
            draft,
            started: replica.clock,
            answer,
        });
        Some(())
    }

    /// A write takes effect, if the Lease is as it expects.
    fn write(&mut self, request: &Request) -> Option<Arc<Lease>> {
        if !self.is_possible(request) {
            return None;
        }
        let mut lease = request.draft.as_deref()?.clone();
        // The API server does not store again what is there.
        if self.lease.as_deref() == Some(&lease) {
            return self.lease.clone();
        }
        self.versions += 1;
        let version = Some(self.versions.to_string());
        if request.step == LeaseStep::Create {
            lease.metadata.uid.clone_from(&version);
        }
        lease.metadata.resource_version = version;
        let lease = Arc::new(lease);
        self.lease = Some(lease.clone());
        Some(lease)
    }

    fn is_possible(&self, request: &Request) -> bool {
        match (&self.lease, request.step) {
            (None, LeaseStep::Create) => true,
            (Some(there), LeaseStep::Replace) => request.draft.as_ref().is_some_and(|draft| {
                draft.metadata.resource_version == there.metadata.resource_version
            }),
            _ => false,
        }
    }

    fn stop(&mut self, number: usize, is_answered: bool, bounds: &Bounds) -> Option<()> {
        let now = self.now;
        let replica = &mut self.replicas[number];
        let candidate = &replica.candidate;
        let request = replica.request.as_ref();
        let is_writing = request.is_some_and(|request| request.step != LeaseStep::Read);
        // Without a Lease to release, it is as if it were paused for ever.
        if !replica.is_running()
            || candidate.releases_from.is_some()
            || !(candidate.is_holder() || is_writing)
        {
            return None;
        }
        if is_writing {
            replica.lose()?;
        }
        replica.request = None;
        let mut releases_from = replica.clock;
        if is_answered {
            replica.writes_until = replica.writes_until.min(now);
        } else if !bounds.is(Beyond::HastyRelease) {
            releases_from += surely(bounds.timing.write_bound());
        }
        replica.candidate.stop(releases_from);
        Some(())
    }

    fn start(&mut self, number: usize, bounds: &Bounds) -> Option<()> {
        let replica = &mut self.replicas[number];
        if !replica.has_ended || replica.given_up.is_some() || replica.writes_until > self.now {
            return None;
        }
        let identity = format!("{}'", replica.identity);
        *replica = Replica::new(identity, bounds, replica.clock);
        Some(())
    }

    fn empty(&mut self) -> Option<()> {
        let mut lease = self.lease.as_deref()?.clone();
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some("") {
            return None;
        }
        spec.holder_identity = Some(String::new());
        self.versions += 1;
        lease.metadata.resource_version = Some(self.versions.to_string());
        self.lease = Some(Arc::new(lease));
        Some(())
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

impl Replica {
    fn lose(&mut self) -> Option<()> {
        let is_write = |request: &mut Request| request.step != LeaseStep::Read;
        if !self.is_running() {
            return None;
        }
        let request = self.request.take_if(is_write)?;
        if request.is_pending() {
            // One that may still take effect is enough.
            if self.given_up.is_some() {
                return None;
            }
            self.given_up = Some(request);
        }
        self.candidate.failed();
        Some(())
    }
}

pub(super) fn name(number: usize) -> &'static str {
    ["a", "b", "c"][number]
}
