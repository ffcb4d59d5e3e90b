//! What happens in a simulation, and what comes to an end.

use super::traffic::{Call, Delivery, StreamStep};
use crate::{expected::Name, server::resource::Resource};

/// Something that happens.
#[derive(Debug)]
pub(super) enum Happening {
    /// A request reaches a server.
    Arrive(Box<Call>),
    /// An answer reaches a replica.
    Answer(Box<Delivery>),
    /// The cache of a server comes up to a number.
    CatchUp(usize, u64),
    /// Something of a watch.
    Stream(u64, StreamStep),
    /// The world changes.
    Churn,
    /// Trouble begins or ends.
    Trouble(bool),
    /// A fault befalls somebody.
    Befall,
    /// A fault ends.
    Recover(Episode),
    /// The database is copied, and forgets what is long past.
    Housekeeping,
    /// A Workload that was deleted while a Dataplane came should be back.
    Verify(Name, u64),
    /// No faults from now on.
    FaultsEnd,
    /// Requests are counted from now on.
    Quiet,
}

/// Something that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Episode {
    /// No server answers.
    Away,
    /// The cache of a server is behind.
    Lag(usize),
    /// A kind is not served.
    Unserved(Resource),
    /// A Namespace is being deleted.
    Terminating(&'static str),
    /// A Namespace is gone.
    Gone(&'static str),
    /// A process stands still.
    Paused(usize),
    /// No process is in the place of a replica.
    Down(usize),
    /// Requests are refused.
    Refused(u64),
    /// Workloads are refused for a while after all other faults.
    LongRefusals,
}
