//! Leader election: of several replicas, only the one that holds a Lease writes.
//!
//! | part | job |
//! |---|---|
//! | `candidate` | decides what to do about the Lease: a pure function of what was observed and when |
//! | `store` | reads and writes the Lease |
//! | `lax` | decodes it, whatever somebody has written into it by hand |
//! | [`Elector`] | does what the candidate decides, and publishes the result |
//! | [`Election`] | a running elector, or none where there is a single replica |
//! | `writes` | knows which writes of this replica may still take effect |
//! | `exploration` | tries the candidate in all circumstances (a test) |
//!
//! Why two replicas never write at the same time:
//!
//! - Every change of the Lease carries the resourceVersion that was read. If two replicas want the
//!   Lease, one of them gets a conflict.
//! - A leader stops at the renew deadline, counted from the *start* of its last successful renewal.
//!   Writers ask [`Leadership::holds`] before each write. It compares with the clock, so it is right
//!   even if the task that renews does not run. What was written before takes effect within what is
//!   left of the lease duration.
//! - Another replica takes over only after it has seen no change of the Lease for the whole lease
//!   duration and a fortieth more, on its own monotonic clock. The fortieth covers clocks that are
//!   wrong by 1 %. The times in the Lease come from other wall clocks and are never compared; each
//!   renewal changes them, even where the wall clock stands still.
//! - Whoever makes the Lease leads only after that same time. There may have been another Lease, which
//!   somebody has deleted, and whose holder does not know it yet.
//! - A Lease is released only when no write of its holder can take effect any more, and only by one
//!   that may lead. So whoever finds a released Lease leads at once.
//! - Every process has its own holder identity, so that no process takes the Lease of another for
//!   its own.
//!
//! This holds where the rate of each clock is right within 1 %, and a write takes effect within the lease
//! duration less the renew deadline after the leader has asked whether it leads, or never. The replicas
//! may be paused and may lose requests and answers at any time, and the Lease may be deleted at any
//! time. `exploration` tries all of this, and shows what happens beyond: docs/reconciler.md tells it.

mod candidate;
mod election;
mod elector;
#[cfg(test)]
mod exploration;
mod lax;
mod leadership;
mod store;
mod timing;
mod trouble;
mod writes;

pub(crate) use self::lax::read_lease;
pub(super) use self::{
    election::Election,
    elector::Elector,
    leadership::Leadership,
    store::{ApiLeaseStore, LeaseError, LeaseStore},
    timing::Timing,
};
