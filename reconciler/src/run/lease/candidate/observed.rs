//! The Lease as it was observed last.

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use tokio::time::Instant;

use crate::run::lease::timing::surely;

/// A holder that has written a duration so many times as long as ours is waited for no longer than that:
/// all replicas are meant to have the same, and a number that somebody has put in by hand must not keep
/// everybody from leading for years.
const BOUND: u32 = 10;

/// Who holds the Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run::lease) enum Holder {
    /// There is no Lease.
    NoLease,
    /// Its holder has released it: `holderIdentity` is empty.
    Released,
    /// This replica.
    Me,
    /// Another replica. Also whoever made a Lease without `holderIdentity`: nobody has released it.
    Other,
}

/// The Lease as it was observed last.
#[derive(Debug, Clone)]
pub(in crate::run::lease) struct Observed {
    /// The Lease, if it exists.
    pub(in crate::run::lease) lease: Option<Arc<Lease>>,
    /// It is another object than the one observed before, by its uid.
    pub(in crate::run::lease) is_new: bool,
    /// When its spec was seen to change, on this process's monotonic clock.
    pub(in crate::run::lease) changed: Instant,
    /// When it was read or written.
    pub(in crate::run::lease) read: Instant,
}

impl Observed {
    /// What was observed now.
    pub(super) fn after(before: Option<Self>, lease: Option<Arc<Lease>>, now: Instant) -> Self {
        let last = before.as_ref().and_then(|before| before.lease.as_deref());
        let is_new = match (last, &lease) {
            (Some(last), Some(lease)) => last.metadata.uid != lease.metadata.uid,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        // A change outside of the spec does not show that the holder is alive.
        let is_unchanged =
            !is_new && last.map(|last| &last.spec) == lease.as_ref().map(|it| &it.spec);
        let changed = before
            .as_ref()
            .filter(|_| is_unchanged)
            .map(|before| before.changed);
        Self {
            lease,
            is_new,
            changed: changed.unwrap_or(now),
            read: now,
        }
    }

    pub(in crate::run::lease) fn spec(&self) -> Option<&LeaseSpec> {
        self.lease.as_ref()?.spec.as_ref()
    }

    /// Who holds it, for the replica with this identity.
    pub(in crate::run::lease) fn holder(&self, identity: &str) -> Holder {
        let holder = self.spec().and_then(|spec| spec.holder_identity.as_deref());
        match holder {
            _ if self.lease.is_none() => Holder::NoLease,
            Some("") => Holder::Released,
            Some(holder) if holder == identity => Holder::Me,
            _ => Holder::Other,
        }
    }

    /// When it expires, unless it changes: after the duration that its holder has written, or after our
    /// own where it has none, or no holder to keep to it. Nobody is waited for longer than [`BOUND`] times
    /// our own.
    pub(in crate::run::lease) fn expiry(&self, own: Duration) -> Instant {
        let spec = self.spec().filter(|spec| spec.holder_identity.is_some());
        let seconds = spec.and_then(|spec| spec.lease_duration_seconds);
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let duration = seconds
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs);
        self.changed + surely(duration.map_or(own, |written| written.min(own * BOUND)))
    }
}
