//! The sums over all proxies: the counts of each workload, and the meshes of each namespace.

use std::{
    collections::HashMap,
    ops::{AddAssign, SubAssign},
};

use super::{per_mesh::PerMesh, presence::Presence, proxy::Share, symbols::Symbol};
use crate::counts::Counts;

#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) workloads: HashMap<(Symbol, Symbol), PerMesh<Counts>>,
    pub(super) namespaces: HashMap<Symbol, PerMesh<Presence>>,
    /// How many workloads are in several meshes.
    pub(super) conflicts: usize,
}

/// What changes in the sums when the share of one proxy changes.
#[derive(Debug, Default)]
pub(super) struct Shift {
    /// The workloads whose counts changed.
    pub(super) workloads: [Option<Symbol>; 2],
    /// Whether the namespace gained or lost a mesh, or a workload in it gained or lost its only
    /// one.
    pub(super) namespace: bool,
}

/// How many meshes a workload is in.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    sole_mesh: Option<Symbol>,
    conflict: bool,
}

impl Sums {
    /// Replaces the share of a proxy by another one.
    pub(super) fn replace(
        &mut self,
        namespace: Symbol,
        before: Option<Share>,
        after: Option<Share>,
    ) -> Shift {
        if before == after {
            return Shift::default();
        }
        let left = before.map(|share| share.workload);
        let entered = after.map(|share| share.workload);
        let workloads = [left, entered.filter(|_| entered != left)];

        let standings_before = self.standings(namespace, workloads);
        self.count(namespace, after, Counts::add_assign);
        self.count(namespace, before, Counts::sub_assign);
        let standings_after = self.standings(namespace, workloads);

        let conflicts = |standings: [Standing; 2]| standings.iter().filter(|s| s.conflict).count();
        self.conflicts += conflicts(standings_after);
        self.conflicts -= conflicts(standings_before);
        Shift {
            workloads,
            namespace: self.shift_presence(
                namespace,
                (before, standings_before),
                (after, standings_after),
            ),
        }
    }

    fn standings(&self, namespace: Symbol, workloads: [Option<Symbol>; 2]) -> [Standing; 2] {
        workloads.map(|workload| {
            workload
                .and_then(|workload| self.workloads.get(&(namespace, workload)))
                .map_or_else(Standing::default, |meshes| Standing {
                    sole_mesh: meshes.sole(),
                    conflict: meshes.len() > 1,
                })
        })
    }

    fn count(
        &mut self,
        namespace: Symbol,
        share: Option<Share>,
        change: impl FnOnce(&mut Counts, Counts),
    ) {
        let Some(share) = share else { return };
        let key = (namespace, share.workload);
        let meshes = self.workloads.entry(key).or_default();
        meshes.change(share.mesh, |counts| change(counts, share.counts));
        if meshes.len() == 0 {
            self.workloads.remove(&key);
        }
    }

    /// Returns whether a number left zero or reached it. The new share is added before the old one
    /// is removed, so that a number that stays the same does not pass through zero.
    fn shift_presence(
        &mut self,
        namespace: Symbol,
        (before, standings_before): (Option<Share>, [Standing; 2]),
        (after, standings_after): (Option<Share>, [Standing; 2]),
    ) -> bool {
        let meshes = self.namespaces.entry(namespace).or_default();
        let mut crossed = false;
        if let Some(share) = after {
            meshes.change(share.mesh, |has| crossed |= raise(&mut has.dataplanes));
        }
        for mesh in standings_after.into_iter().filter_map(|s| s.sole_mesh) {
            meshes.change(mesh, |has| crossed |= raise(&mut has.workloads));
        }
        for mesh in standings_before.into_iter().filter_map(|s| s.sole_mesh) {
            meshes.change(mesh, |has| crossed |= lower(&mut has.workloads));
        }
        if let Some(share) = before {
            meshes.change(share.mesh, |has| crossed |= lower(&mut has.dataplanes));
        }
        if meshes.len() == 0 {
            self.namespaces.remove(&namespace);
        }
        crossed
    }
}

/// Adds one, and returns whether it is the first.
fn raise(count: &mut u32) -> bool {
    *count += 1;
    *count == 1
}

/// Removes one, and returns whether it was the last.
fn lower(count: &mut u32) -> bool {
    *count -= 1;
    *count == 0
}
