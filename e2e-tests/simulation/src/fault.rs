//! What can go wrong, and how often it did.

use std::{collections::BTreeMap, fmt};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A request never reaches the server, and nobody says so.
    RequestLost,
    /// A connection breaks before the request reaches the server.
    RequestReset,
    /// A request takes effect, and its answer never comes.
    AnswerLost,
    /// A request takes effect, and the connection breaks before the answer.
    AnswerReset,
    /// A request is long under way.
    RequestLate,
    /// An answer is long under way.
    AnswerLate,
    /// Something between sends a request twice.
    RequestDoubled,
    /// An answer breaks off in its middle.
    AnswerCut,
    /// An answer stops in its middle, and nothing more comes.
    AnswerStalled,
    /// 400: a webhook denies without a code of its own.
    Code400,
    /// 403: the grant is missing, or a webhook denies.
    Code403,
    /// 404: the kind is not served for a moment.
    Code404,
    /// 409: the object has changed meanwhile.
    Code409,
    /// 410: the list or the watch has expired.
    Code410,
    /// 422: a field has a value that it cannot have.
    Code422,
    /// 429: too many requests.
    Code429,
    /// 500: the database or a webhook does not answer.
    Code500,
    /// 503: the server starts or stops.
    Code503,
    /// A watch shows nothing more, and does not end.
    WatchStalled,
    /// A watch ends.
    WatchEnded,
    /// A watch breaks in the middle of a line.
    WatchCut,
    /// A watch shows everything late.
    WatchLate,
    /// A watch says that it has expired.
    WatchExpired,
    /// A watch ends with an error.
    WatchFailed,
    /// No server answers.
    ServersAway,
    /// The cache of one server is behind.
    CacheLags,
    /// The database forgets its past.
    Compaction,
    /// The database goes back to a backup.
    Restore,
    /// A kind is not served for some time, and its objects stay.
    KindUnserved,
    /// A CustomResourceDefinition goes with all its objects, and comes back without them.
    KindGone,
    /// A Namespace is deleted, and made anew.
    NamespaceGone,
    /// A process stands still.
    Paused,
    /// A process is killed, and another one starts.
    Killed,
    /// A process is asked to end, and another one starts.
    Stopped,
    /// A replica is of the previous version: at first, or after a way back.
    PreviousVersion,
    /// Somebody deletes the Lease.
    LeaseDeleted,
    /// A control plane writes a Workload.
    SecondManager,
    /// Somebody changes the labels of a Workload.
    LabelsEdited,
    /// Somebody changes the numbers of a Workload.
    StatusEdited,
    /// Somebody deletes a Workload.
    WorkloadDeleted,
    /// A webhook refuses all writes of some Workloads for a long time.
    LongRefusal,
    /// A grant is missing for some time.
    GrantLost,
}

impl Fault {
    /// Those of single requests.
    pub const OF_REQUESTS: [Self; 18] = [
        Self::RequestLost,
        Self::RequestReset,
        Self::AnswerLost,
        Self::AnswerReset,
        Self::RequestLate,
        Self::AnswerLate,
        Self::RequestDoubled,
        Self::AnswerCut,
        Self::AnswerStalled,
        Self::Code400,
        Self::Code403,
        Self::Code404,
        Self::Code409,
        Self::Code410,
        Self::Code422,
        Self::Code429,
        Self::Code500,
        Self::Code503,
    ];

    /// Those of watches that have begun.
    pub const OF_WATCHES: [Self; 6] = [
        Self::WatchStalled,
        Self::WatchEnded,
        Self::WatchCut,
        Self::WatchLate,
        Self::WatchExpired,
        Self::WatchFailed,
    ];

    /// Those that befall the cluster or a process, each for some time.
    pub const EPISODES: [Self; 18] = [
        Self::ServersAway,
        Self::CacheLags,
        Self::Compaction,
        Self::Restore,
        Self::KindUnserved,
        Self::KindGone,
        Self::NamespaceGone,
        Self::Paused,
        Self::Killed,
        Self::Stopped,
        Self::PreviousVersion,
        Self::LeaseDeleted,
        Self::SecondManager,
        Self::LabelsEdited,
        Self::StatusEdited,
        Self::WorkloadDeleted,
        Self::LongRefusal,
        Self::GrantLost,
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_messages = Self::OF_REQUESTS.into_iter().chain(Self::OF_WATCHES);
        of_messages.chain(Self::EPISODES)
    }
}

/// How often each fault was drawn, and how often it took effect: a fault that befalls nobody tests nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Fault, Count>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    drawn: u64,
    effective: u64,
}

impl Coverage {
    /// A fault was drawn.
    pub fn drawn(&mut self, fault: Fault) {
        self.0.entry(fault).or_default().drawn += 1;
    }

    /// A fault took effect.
    pub fn effective(&mut self, fault: Fault) {
        self.0.entry(fault).or_default().effective += 1;
    }

    /// Adds the counts of another simulation.
    pub fn add(&mut self, other: &Self) {
        for (fault, count) in &other.0 {
            let sum = self.0.entry(*fault).or_default();
            sum.drawn += count.drawn;
            sum.effective += count.effective;
        }
    }

    /// The faults that never took effect.
    pub fn missing(&self) -> Vec<Fault> {
        let took_effect =
            |fault: &Fault| self.0.get(fault).is_some_and(|count| count.effective > 0);
        Fault::all().filter(|fault| !took_effect(fault)).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<18} {:>10} {:>10}", "fault", "drawn", "effective")?;
        for fault in Fault::all() {
            let Count { drawn, effective } = self.0.get(&fault).copied().unwrap_or_default();
            let name = format!("{fault:?}");
            writeln!(f, "{name:<18} {drawn:>10} {effective:>10}")?;
        }
        Ok(())
    }
}
