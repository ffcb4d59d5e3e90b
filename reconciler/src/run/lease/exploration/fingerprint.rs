//! Which worlds are alike: those of one fingerprint have the same future, but for names and dates.
//!
//! A fingerprint has no absolute times, only how long something has lasted, as far as that can matter. It
//! does not tell versions of the Lease apart that can no longer be written upon. Replicas may change
//! places.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

use super::{
    super::candidate::LeaseStep,
    bounds::{Beyond, Bounds},
    world::{Replica, Request, World},
};

/// All orders of up to three replicas.
const ORDERS: [&[&[usize]]; 4] = [
    &[],
    &[&[0]],
    &[&[0, 1], &[1, 0]],
    &[
        &[0, 1, 2],
        &[0, 2, 1],
        &[1, 0, 2],
        &[1, 2, 0],
        &[2, 0, 1],
        &[2, 1, 0],
    ],
];

/// The fingerprint of a world: 128 bits, so that it is a matter of chance below 1 in 10^20 that two
/// different worlds of some ten millions have the same.
pub(super) fn of(world: &World, bounds: &Bounds) -> u128 {
    let orders = ORDERS[world.replicas.len()].iter();
    let fingerprints = orders.map(|order| {
        let mut facts = Facts {
            world,
            bounds,
            order,
            all: Vec::with_capacity(64),
        };
        facts.collect();
        facts.hash()
    });
    fingerprints.min().unwrap_or_default()
}

struct Facts<'a> {
    world: &'a World,
    bounds: &'a Bounds,
    order: &'a [usize],
    all: Vec<u64>,
}

impl Facts<'_> {
    fn hash(&self) -> u128 {
        let half = |salt: u64| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            self.all.hash(&mut hasher);
            u128::from(hasher.finish())
        };
        half(1) << 64 | half(2)
    }

    fn collect(&mut self) {
        let world = self.world;
        self.lease(world.lease.as_deref());
        self.all.push(u64::from(world.backup.is_some()));
        self.lease(world.backup.iter().flatten().next().map(|lease| &**lease));
        for number in self.order {
            self.replica(&world.replicas[*number]);
        }
    }

    fn replica(&mut self, replica: &Replica) {
        let (now, timing) = (replica.clock, self.bounds.timing);
        let candidate = &replica.candidate;
        let flags = [
            replica.has_ended,
            replica.is_suspended,
            candidate.stale,
            candidate.observed.is_some(),
            candidate.releases_from.is_some(),
        ];
        self.all.extend(flags.map(u64::from));
        self.time(replica.writes_until.saturating_sub(self.world.now));
        self.request(replica.request.as_ref(), now);
        self.request(replica.given_up.as_ref(), now);
        if replica.has_ended {
            return;
        }
        let observed = candidate.observed.as_ref();
        self.lease(observed.and_then(|observed| observed.lease.as_deref()));
        let waits = observed.filter(|_| candidate.other_holder().is_some());
        let expiry = waits.map(|observed| observed.expiry(timing.duration));
        self.left(expiry, now);
        self.left(
            waits.map(|observed| observed.read + timing.retry_period),
            now,
        );
        let renewed = candidate.renewed.filter(|_| candidate.is_holder());
        self.left(renewed.map(|renewed| renewed + timing.renew_deadline), now);
        self.left(candidate.leads_from, now);
        self.left(candidate.releases_from, now);
    }

    fn request(&mut self, request: Option<&Request>, now: Instant) {
        let Some(request) = request else {
            return self.all.push(0);
        };
        self.all.push(match request.step {
            LeaseStep::Read => 1,
            LeaseStep::Create => 2,
            _ => 3,
        });
        self.lease(request.draft.as_deref());
        self.all.push(u64::from(request.is_pending()));
        self.lease(request.answer.iter().flatten().next().map(|lease| &**lease));
        let late = request.started + self.bounds.timing.renew_deadline;
        self.left(Some(late).filter(|_| request.step != LeaseStep::Read), now);
    }

    /// A Lease: its holder, and whether it is the present one, or that of the backup.
    fn lease(&mut self, lease: Option<&Lease>) {
        let Some(lease) = lease else {
            return self.all.push(0);
        };
        let holder = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.holder_identity.as_deref());
        let holder = holder.unwrap_or_default();
        let place = self
            .order
            .iter()
            .position(|number| *self.world.replicas[*number].identity == *holder);
        self.all.push(match place {
            Some(place) => 3 + place as u64,
            None if holder.is_empty() => 1,
            None => 2,
        });
        let backup = self.world.backup.iter().flatten().next();
        for there in [self.world.lease.as_ref(), backup] {
            let there = there.map(|there| &there.metadata);
            let same = [
                there
                    .is_some_and(|there| there.resource_version == lease.metadata.resource_version),
                there.is_some_and(|there| there.uid == lease.metadata.uid),
            ];
            self.all.extend(same.map(u64::from));
        }
        if self.bounds.is(Beyond::Restore) {
            let version = lease.metadata.resource_version.as_deref();
            self.all
                .push(version.and_then(|it| it.parse().ok()).unwrap_or_default());
        }
    }

    fn left(&mut self, until: Option<Instant>, now: Instant) {
        let left = until.map(|until| until.saturating_duration_since(now));
        self.time(left.unwrap_or_default());
    }

    fn time(&mut self, time: Duration) {
        self.all
            .push(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }
}
