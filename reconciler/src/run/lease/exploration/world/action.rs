//! What can happen, and what comes of it.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;

use super::{
    super::{
        super::{candidate::LeaseStep, timing::surely},
        bounds::{Beyond, Bounds},
    },
    Replica, Request, World,
};

/// What can happen at one moment, or between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run::lease::exploration) enum Action {
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

impl World {
    /// All that can happen, and what comes of it.
    pub(in crate::run::lease::exploration) fn next(&self, bounds: &Bounds) -> Vec<(Action, Self)> {
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
    pub(in crate::run::lease::exploration) fn after(
        &self,
        action: Action,
        bounds: &Bounds,
    ) -> Option<Self> {
        let mut world = self.clone();
        match action {
            Action::Tick => world.advance(bounds.tick(), bounds),
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
            && candidate.other_holder().is_some()
            && !candidate.stale
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

    pub(super) fn is_possible(&self, request: &Request) -> bool {
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

    pub(super) fn empty(&mut self) -> Option<()> {
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
