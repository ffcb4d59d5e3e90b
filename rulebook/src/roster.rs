//! Which Dataplanes refer to which Workload, and what to do about each (L1 to L17, S1 to S6).
//!
//! ```text
//! Dataplane ────────┐                  ┌─▶ (namespace, workload) ─▶ counts per mesh ─▶ decide
//!                   ├─▶ proxy ─▶ share ┤
//! DataplaneInsight ─┘                  └─▶ namespace ─▶ meshes
//! ```
//!
//! A [`Roster`] is an index. The caller tells it what it sees in the cluster, gets the [`Key`]s
//! that changed, queues them, and asks [`Roster::decide`] for each of them. The roster keeps sums,
//! so that a change costs the same however many Dataplanes a namespace has (L14), and one copy of
//! each name. It keeps no Workload objects: the caller passes the one that exists.
//!
//! When a list starts again, the caller announces it with [`Roster::relist`], applies the items of
//! the list, and calls [`Roster::sweep`] to forget everything that was not in it.
//!
//! The order of a hash map never shows in what it returns. What grows with the number of Dataplanes is
//! no hash map: one that grows moves all that it has at once, which takes long (L23).

mod changes;
mod decision;
mod generation;
mod origin;
mod per_mesh;
mod presence;
mod proxy;
mod records;
mod references;
mod sums;
mod symbols;

pub use changes::{Changes, Key};
pub use decision::{
    Action, CONTROL_PLANE, Decision, ExistingWorkload, Foreign, MANAGER, Mode, StatusNumbers,
    Write, labels,
};
pub use generation::Generation;
pub use origin::Origin;
pub use presence::{Presence, PresenceByMesh};
pub use records::{RosterDataplane, RosterInsight};
pub use references::References;

use std::{collections::BTreeMap, ops::Bound};

use self::{
    per_mesh::PerMesh,
    proxy::{Address, ProxyEntry, WorkloadReference},
    sums::{Shift, Sums},
    symbols::{Symbol, Symbols},
};
use crate::mesh;

/// The kinds of objects that the roster is told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchedKind {
    /// Dataplanes.
    Dataplanes,
    /// DataplaneInsights.
    Insights,
}

/// What a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListScope<'a> {
    /// The objects of all namespaces.
    Cluster,
    /// The objects of this namespace.
    Namespace(&'a str),
}

impl<'a> From<Option<&'a str>> for ListScope<'a> {
    /// This namespace, or all of them without one.
    fn from(namespace: Option<&'a str>) -> Self {
        namespace.map_or(Self::Cluster, Self::Namespace)
    }
}

/// How far a sweep is; at first at the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub struct SweptTo(Option<Address>);

/// What a [`Roster::sweep`] has done.
#[derive(Debug, Default)]
pub struct Swept {
    /// What has changed by what it has forgotten.
    pub changes: Changes,
    /// Whether there is more to look at.
    pub has_more: bool,
}

/// How many objects there are, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// The keys that Dataplanes refer to.
    pub workloads: usize,
    /// The keys that Dataplanes of several meshes refer to.
    pub conflicts: usize,
    /// The namespaces that have such a key.
    pub namespaces: usize,
    /// The Dataplanes that refer to a key.
    pub dataplanes: usize,
    /// The DataplaneInsights that say that their proxy is online.
    pub insights: usize,
}

/// The index of Dataplanes by namespace and workload.
#[derive(Debug, Default)]
pub struct Roster {
    symbols: Symbols,
    proxies: BTreeMap<Address, ProxyEntry>,
    sums: Sums,
    /// How many Dataplanes refer to a key, and how many DataplaneInsights say that they are online.
    dataplanes: usize,
    insights: usize,
    generation: Generation,
}

impl Roster {
    /// A Dataplane was listed, added or changed.
    pub fn apply(&mut self, dataplane: &RosterDataplane<'_>) -> Changes {
        let RosterDataplane {
            namespace, name, ..
        } = *dataplane;
        let workload = dataplane
            .workload
            .filter(|workload| dataplane.local && !workload.is_empty());
        let Some(workload) = workload else {
            return self.delete(namespace, name);
        };
        let address = Address::acquire(&mut self.symbols, namespace, name);
        let reference = WorkloadReference {
            workload: self.symbols.acquire(workload),
            mesh: self.symbols.acquire(mesh::of_dataplane(dataplane.mesh)),
        };
        let generation = self.generation;
        let changes = self.update(address, |proxy| ProxyEntry {
            reference: Some(reference),
            inbounds: dataplane.inbounds,
            dataplane_seen: generation,
            ..proxy
        });
        self.release(address.symbols().chain(reference.symbols()));
        changes
    }

    /// A Dataplane is gone.
    pub fn delete(&mut self, namespace: &str, name: &str) -> Changes {
        match Address::find(&self.symbols, namespace, name) {
            Some(address) => self.forget(address, WatchedKind::Dataplanes),
            None => Changes::default(),
        }
    }

    /// A DataplaneInsight was listed, added or changed.
    pub fn apply_insight(&mut self, insight: &RosterInsight<'_>) -> Changes {
        let RosterInsight {
            namespace, name, ..
        } = *insight;
        if !insight.online {
            return self.delete_insight(namespace, name);
        }
        let address = Address::acquire(&mut self.symbols, namespace, name);
        let mesh = self.symbols.acquire(mesh::of_dataplane(insight.mesh));
        let generation = self.generation;
        let changes = self.update(address, |proxy| ProxyEntry {
            online_in: Some(mesh),
            insight_seen: generation,
            ..proxy
        });
        self.release(address.symbols().chain([mesh]));
        changes
    }

    /// A DataplaneInsight is gone.
    pub fn delete_insight(&mut self, namespace: &str, name: &str) -> Changes {
        match Address::find(&self.symbols, namespace, name) {
            Some(address) => self.forget(address, WatchedKind::Insights),
            None => Changes::default(),
        }
    }

    /// Announces a list. Everything known about its objects stays until [`sweep`](Self::sweep), but
    /// has to be applied again by then. A list that breaks off is announced again.
    pub fn relist(&mut self) -> Generation {
        self.generation = self.generation.next();
        self.generation
    }

    /// Ends the list that [`relist`](Self::relist) announced: objects that were not applied since are
    /// gone. It looks at `limit` objects at most, after those that it was at before, and is to be
    /// called until there are no more.
    pub fn sweep(
        &mut self,
        watched: WatchedKind,
        scope: ListScope<'_>,
        since: Generation,
        swept_to: &mut SweptTo,
        limit: usize,
    ) -> Swept {
        let Some(namespace) = self.resolve(scope) else {
            return Swept::default();
        };
        let is_gone = |proxy: &ProxyEntry| match watched {
            WatchedKind::Dataplanes => proxy.reference.is_some() && proxy.dataplane_seen < since,
            WatchedKind::Insights => proxy.online_in.is_some() && proxy.insight_seen < since,
        };
        let first = match (swept_to.0, namespace) {
            (Some(last), _) => Bound::Excluded(last),
            (None, Some(namespace)) => Bound::Included(Address::first_of(namespace)),
            (None, None) => Bound::Unbounded,
        };
        let listed = self.proxies.range((first, Bound::Unbounded));
        let listed = listed.take_while(|(address, _)| {
            namespace.is_none_or(|namespace| namespace == address.namespace)
        });
        let (mut gone, mut seen, mut last) = (Vec::new(), 0, None);
        for (address, proxy) in listed.take(limit) {
            if is_gone(proxy) {
                gone.push(*address);
            }
            (seen, last) = (seen + 1, Some(*address));
        }
        let has_more = seen == limit;
        swept_to.0 = last.filter(|_| has_more);
        let mut changes = Changes::default();
        for address in gone {
            changes.extend(self.forget(address, watched));
        }
        Swept { changes, has_more }
    }

    /// What to do about the Workload of a key, if this one exists (L1 to L8).
    pub fn decide(
        &self,
        key: &Key,
        existing: Option<&ExistingWorkload<'_>>,
        mode: Mode,
    ) -> Decision {
        decision::decide(&key.workload, &self.references(key), existing, mode)
    }

    /// Whether an existing Workload shows that a control plane manages Workloads itself (L17). Only
    /// a Workload that a Dataplane refers to is evidence.
    pub fn shows_control_plane(&self, key: &Key, existing: &ExistingWorkload<'_>) -> bool {
        existing.managed_by == Some(CONTROL_PLANE) && !self.references(key).is_empty()
    }

    /// The Dataplanes that refer to a key.
    pub fn references(&self, key: &Key) -> References<'_> {
        let find = |name| self.symbols.find(name);
        let meshes = find(&key.namespace)
            .zip(find(&key.workload))
            .and_then(|key| self.sums.workloads.get(&key));
        References {
            symbols: &self.symbols,
            meshes,
        }
    }

    /// The keys that Dataplanes refer to, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.sums
            .workloads
            .keys()
            .map(|&(namespace, workload)| self.key(namespace, workload))
    }

    /// The meshes that are present in a namespace (L11).
    pub fn namespace(&self, namespace: &str) -> PresenceByMesh {
        let meshes = self
            .symbols
            .find(namespace)
            .and_then(|namespace| self.sums.namespaces.get(&namespace))
            .into_iter()
            .flat_map(PerMesh::iter)
            .map(|(mesh, presence)| (self.symbols.text(mesh).to_owned(), presence));
        PresenceByMesh {
            meshes: meshes.collect(),
        }
    }

    /// How many objects there are.
    pub fn census(&self) -> Census {
        Census {
            dataplanes: self.dataplanes,
            insights: self.insights,
            workloads: self.sums.workloads.len(),
            conflicts: self.sums.conflicts,
            namespaces: self.sums.namespaces.len(),
        }
    }

    /// The namespace of a scope: `Some(None)` for all namespaces, `None` if nothing is known of the
    /// namespace.
    fn resolve(&self, scope: ListScope<'_>) -> Option<Option<Symbol>> {
        match scope {
            ListScope::Cluster => Some(None),
            ListScope::Namespace(namespace) => self.symbols.find(namespace).map(Some),
        }
    }

    /// Forgets what the Dataplane or the DataplaneInsight has said about a proxy.
    fn forget(&mut self, address: Address, watched: WatchedKind) -> Changes {
        self.update(address, |proxy| match watched {
            WatchedKind::Dataplanes => ProxyEntry {
                reference: None,
                ..proxy
            },
            WatchedKind::Insights => ProxyEntry {
                online_in: None,
                ..proxy
            },
        })
    }

    /// Changes what is known about a proxy. The caller holds a use of each symbol of the change;
    /// the proxy takes one more.
    fn update(
        &mut self,
        address: Address,
        change: impl FnOnce(ProxyEntry) -> ProxyEntry,
    ) -> Changes {
        let before = self.proxies.get(&address).copied().unwrap_or_default();
        let after = change(before);
        let count = |counted: &mut usize, before: bool, after: bool| {
            *counted = *counted + usize::from(after) - usize::from(before);
        };
        count(
            &mut self.dataplanes,
            before.reference.is_some(),
            after.reference.is_some(),
        );
        count(
            &mut self.insights,
            before.online_in.is_some(),
            after.online_in.is_some(),
        );
        if after.is_vacant() {
            self.proxies.remove(&address);
        } else {
            self.retain(address.symbols().chain(after.symbols()));
            self.proxies.insert(address, after);
        }
        let shift = self
            .sums
            .replace(address.namespace, before.share(), after.share());
        let changes = self.changes(address.namespace, &shift);
        if !before.is_vacant() {
            self.release(address.symbols().chain(before.symbols()));
        }
        changes
    }

    /// A shift in the sums, with names instead of symbols.
    fn changes(&self, namespace: Symbol, shift: &Shift) -> Changes {
        let workloads = shift.workloads.iter().flatten();
        let namespaces = shift.namespace.then(|| self.symbols.text(namespace));
        Changes {
            keys: workloads
                .map(|workload| self.key(namespace, *workload))
                .collect(),
            namespaces: namespaces.into_iter().map(str::to_owned).collect(),
        }
    }

    fn key(&self, namespace: Symbol, workload: Symbol) -> Key {
        Key {
            namespace: self.symbols.text(namespace).to_owned(),
            workload: self.symbols.text(workload).to_owned(),
        }
    }

    fn retain(&mut self, symbols: impl Iterator<Item = Symbol>) {
        symbols.for_each(|symbol| self.symbols.retain(symbol));
    }

    fn release(&mut self, symbols: impl Iterator<Item = Symbol>) {
        symbols.for_each(|symbol| self.symbols.release(symbol));
    }
}

#[cfg(test)]
mod tests;
