//! How many items are in each state.

use std::collections::BTreeMap;

use crate::run::metrics::WorkloadState;

/// The state of an item, as it was at the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum ItemState {
    /// Of a Workload.
    Workload(WorkloadState),
    /// A namespace with workloads in several meshes.
    SplitNamespace,
}

/// How many items are in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::run) struct Totals {
    /// Workloads by state.
    pub(in crate::run) workloads: BTreeMap<WorkloadState, usize>,
    /// Namespaces with workloads in several meshes.
    pub(in crate::run) split_namespaces: usize,
}

impl Totals {
    pub(super) fn add(&mut self, state: Option<ItemState>) {
        match state {
            Some(ItemState::Workload(state)) => *self.workloads.entry(state).or_default() += 1,
            Some(ItemState::SplitNamespace) => self.split_namespaces += 1,
            None => {}
        }
    }

    pub(super) fn remove(&mut self, state: Option<ItemState>) {
        match state {
            Some(ItemState::Workload(state)) => {
                let count = self.workloads.entry(state).or_default();
                *count = count.saturating_sub(1);
            }
            Some(ItemState::SplitNamespace) => {
                self.split_namespaces = self.split_namespaces.saturating_sub(1);
            }
            None => {}
        }
    }

    /// The Workloads that proxies in several meshes refer to.
    pub(in crate::run) fn conflicts(&self) -> usize {
        let of = |state| self.workloads.get(&state).copied().unwrap_or_default();
        of(WorkloadState::Conflict) + of(WorkloadState::Orphan)
    }
}
