//! The moment at which a list of one of the index's kinds began.

use kuma_workload_rulebook::roster::{Generation, SweptTo};

use crate::{kinds::RecordKind, run::store::Moment};

/// The moment at which a list began.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListBegan {
    pub(super) kind: Option<RecordKind>,
    pub(super) roster: Generation,
    /// How far the roster has been swept since its end.
    pub(super) swept_to: SweptTo,
    /// In the store of the kind itself, or of its faults.
    pub(super) store: Moment,
    pub(super) workloads: Moment,
    /// In the store of Dataplanes without a stored identifier.
    pub(super) unnamed: Moment,
}
