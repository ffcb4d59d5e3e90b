//! Leader election: of several replicas, only the one that holds a Lease writes.
//!
//! | part | job |
//! |---|---|
//! | `candidate` | decides what to do about the Lease: a pure function of what was observed and when |
//! | `store` | reads and writes the Lease |
//! | [`Elector`] | does what the candidate decides, and publishes the result |
//! | [`Election`] | a running elector, or none where there is a single replica |
//!
//! Why two replicas never lead at the same time:
//!
//! - Every write carries the resourceVersion that was read. If two replicas want the Lease, one of
//!   them gets a conflict.
//! - A leader stops at the renew deadline, counted from the *start* of its last successful renewal.
//!   Writers ask [`Leadership::holds`] before each write. It compares with the clock, so it is right
//!   even if the task that renews does not run.
//! - Another replica takes over only after it has seen no change of the Lease for the whole lease
//!   duration, on its own monotonic clock. The times in the Lease come from other wall clocks and are
//!   never compared.
//! - Every process has its own holder identity, so that no process takes the Lease of another for
//!   its own.
//!
//! What remains: somebody deletes the Lease, and a replica starts before the leader has noticed.
//! Replicas that had seen the Lease wait as if it still existed.

mod candidate;
mod election;
mod elector;
mod leadership;
mod store;
mod timing;

pub(super) use self::{
    election::Election,
    elector::Elector,
    leadership::Leadership,
    store::{ApiLeaseStore, LeaseError, LeaseStore},
    timing::Timing,
};
