//! Which Dataplanes refer to which Workload, and what to do about each (L1 to L17, S1 to S6).
//!
//! ```text
//! Dataplane ────────┐                  ┌─▶ (namespace, workload) ─▶ counts per mesh ─▶ decide
//!                   ├─▶ proxy ─▶ share ┤
//! DataplaneInsight ─┘                  └─▶ namespace ─▶ meshes
//! ```
//!
//! A [`Roster`] is an index: it is told what is and answers which [`Key`]s changed; the caller
//! queues them and asks [`Roster::decide`] for each. Only sums are kept, so that a change costs the
//! same however many Dataplanes the namespace has (L14), and of names only one copy each. Workload
//! objects are not kept: they come with the question.
//!
//! A list that starts anew is announced by [`Roster::relist`], its items are applied, and
//! [`Roster::sweep`] forgets what was not among them.

mod decision;
mod origin;
mod per_mesh;
mod proxy;
mod sums;
mod symbols;

pub use decision::{
    Action, CONTROL_PLANE, Decision, ExistingWorkload, Foreign, MANAGER, Mode, ORIGIN_ZONE, Status,
    Write, labels,
};

pub use origin::Origin;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::{
    per_mesh::PerMesh,
    proxy::{Address, ProxyEntry, WorkloadReference},
    sums::{Shift, Sums},
    symbols::{Symbol, Symbols},
};
use crate::{
    counts::{Counts, Inbounds},
    mesh,
};

/// A Dataplane, as far as the roster needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RosterDataplane<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its workload identifier (W8); absent or empty, it refers to no Workload.
    pub workload: Option<&'a str>,
    /// Its top-level `mesh`; absent or empty means `default`.
    pub mesh: Option<&'a str>,
    /// Whether it is at home where it is ([`Origin::is_local`]); a copy from elsewhere refers to no
    /// Workload.
    pub local: bool,
    /// What its inbounds say of its health.
    pub inbounds: Inbounds,
}

/// A DataplaneInsight, as far as the roster needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RosterInsight<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name, that of its Dataplane.
    pub name: &'a str,
    /// Its top-level `mesh`; absent or empty means `default`.
    pub mesh: Option<&'a str>,
    /// Whether it says that the proxy is online ([`crate::counts::is_online`]).
    pub online: bool,
}

/// What a Workload is made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The namespace.
    pub namespace: String,
    /// The workload identifier, which is the Workload's name (W6).
    pub workload: String,
}

/// What a call has changed. What is not in it need not be looked at again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The keys whose numbers or meshes changed, both sides of a move among them (L12).
    pub keys: BTreeSet<Key>,
    /// The namespaces whose [`Roster::namespace`] has got or lost a mesh, or a workload its only
    /// one.
    pub namespaces: BTreeSet<String>,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.namespaces.is_empty()
    }

    fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.namespaces.extend(other.namespaces);
    }
}

/// The kinds that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// Dataplanes.
    Dataplanes,
    /// DataplaneInsights.
    Insights,
}

/// What a list covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Every namespace.
    Cluster,
    /// This namespace alone.
    Namespace(&'a str),
}

impl<'a> From<Option<&'a str>> for Scope<'a> {
    /// The namespace, or all of them without one.
    fn from(namespace: Option<&'a str>) -> Self {
        namespace.map_or(Self::Cluster, Self::Namespace)
    }
}

/// What a mesh has in a namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presence {
    /// Its Dataplanes that refer to a workload.
    pub dataplanes: u32,
    /// The workloads that no other mesh refers to.
    pub workloads: u32,
}

/// The meshes of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresenceByMesh {
    /// What each mesh has there.
    pub meshes: BTreeMap<String, Presence>,
}

impl PresenceByMesh {
    /// Whether it is split without a shared name: two of its workloads are each of one mesh, and
    /// not of the same (L11). A workload of several meshes is a conflict of its own (L9).
    pub fn is_split(&self) -> bool {
        let has_workloads = |presence: &&Presence| presence.workloads > 0;
        self.meshes.values().filter(has_workloads).count() > 1
    }
}

/// How much there is, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// The keys that a Dataplane refers to.
    pub workloads: usize,
    /// Those of them that Dataplanes of several meshes refer to.
    pub conflicts: usize,
    /// The namespaces that have one.
    pub namespaces: usize,
    /// The Dataplanes that refer to one.
    pub dataplanes: usize,
    /// The DataplaneInsights whose proxy is online.
    pub insights: usize,
}

/// The index of Dataplanes per (namespace, workload).
#[derive(Debug, Default)]
pub struct Roster {
    symbols: Symbols,
    proxies: HashMap<Address, ProxyEntry>,
    sums: Sums,
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
        let changes = self.update(address, |proxy| ProxyEntry {
            reference: Some(reference),
            inbounds: dataplane.inbounds,
            dataplane_unseen: false,
            ..proxy
        });
        self.release(address.symbols().chain(reference.symbols()));
        changes
    }

    /// A Dataplane is gone.
    pub fn delete(&mut self, namespace: &str, name: &str) -> Changes {
        match Address::find(&self.symbols, namespace, name) {
            Some(address) => self.forget(address, Watched::Dataplanes),
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
        let changes = self.update(address, |proxy| ProxyEntry {
            online_in: Some(mesh),
            insight_unseen: false,
            ..proxy
        });
        self.release(address.symbols().chain([mesh]));
        changes
    }

    /// A DataplaneInsight is gone.
    pub fn delete_insight(&mut self, namespace: &str, name: &str) -> Changes {
        match Address::find(&self.symbols, namespace, name) {
            Some(address) => self.forget(address, Watched::Insights),
            None => Changes::default(),
        }
    }

    /// A list of these begins: all that is known of them is in doubt until it is applied again. A
    /// list that breaks off and begins anew is announced again.
    pub fn relist(&mut self, watched: Watched, scope: Scope<'_>) {
        let Some(namespace) = self.resolve(scope) else {
            return;
        };
        for (address, proxy) in &mut self.proxies {
            if namespace.is_none_or(|namespace| namespace == address.namespace) {
                match watched {
                    Watched::Dataplanes => proxy.dataplane_unseen = true,
                    Watched::Insights => proxy.insight_unseen = true,
                }
            }
        }
    }

    /// The list that [`relist`](Self::relist) announced has ended: what was not in it is gone.
    pub fn sweep(&mut self, watched: Watched, scope: Scope<'_>) -> Changes {
        let Some(namespace) = self.resolve(scope) else {
            return Changes::default();
        };
        let unseen = self.proxies.iter().filter(|(address, proxy)| {
            namespace.is_none_or(|namespace| namespace == address.namespace)
                && match watched {
                    Watched::Dataplanes => proxy.reference.is_some() && proxy.dataplane_unseen,
                    Watched::Insights => proxy.online_in.is_some() && proxy.insight_unseen,
                }
        });
        let unseen: Vec<_> = unseen.map(|(address, _)| *address).collect();
        let mut changes = Changes::default();
        for address in unseen {
            changes.extend(self.forget(address, watched));
        }
        changes
    }

    /// What to do about the Workload of a key, given the one that exists (L1 to L8).
    pub fn decide(
        &self,
        key: &Key,
        existing: Option<&ExistingWorkload<'_>>,
        mode: Mode,
    ) -> Decision {
        let names = (&*key.namespace, &*key.workload);
        decision::decide(names, &self.references(key), existing, mode)
    }

    /// Whether the Workload that exists shows that a control plane manages Workloads itself: only
    /// one that a Dataplane refers to is evidence (L17).
    pub fn shows_control_plane(&self, key: &Key, existing: &ExistingWorkload<'_>) -> bool {
        existing.managed_by == Some(CONTROL_PLANE) && !self.references(key).is_empty()
    }

    /// Who refers to a key.
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

    /// The keys that a Dataplane refers to, in no order.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.sums
            .workloads
            .keys()
            .map(|&(namespace, workload)| self.key(namespace, workload))
    }

    /// The meshes of a namespace (L11).
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

    /// How much there is; of Dataplanes and insights, it takes a look at each.
    pub fn census(&self) -> Census {
        let count =
            |has: fn(&ProxyEntry) -> bool| self.proxies.values().filter(|proxy| has(proxy)).count();
        Census {
            dataplanes: count(|proxy| proxy.reference.is_some()),
            insights: count(|proxy| proxy.online_in.is_some()),
            workloads: self.sums.workloads.len(),
            conflicts: self.sums.conflicts,
            namespaces: self.sums.namespaces.len(),
        }
    }

    /// The namespace that a scope is limited to, if it is; nothing if there is nothing in it.
    fn resolve(&self, scope: Scope<'_>) -> Option<Option<Symbol>> {
        match scope {
            Scope::Cluster => Some(None),
            Scope::Namespace(namespace) => self.symbols.find(namespace).map(Some),
        }
    }

    /// Forgets one side of a proxy.
    fn forget(&mut self, address: Address, watched: Watched) -> Changes {
        self.update(address, |proxy| match watched {
            Watched::Dataplanes => ProxyEntry {
                reference: None,
                ..proxy
            },
            Watched::Insights => ProxyEntry {
                online_in: None,
                ..proxy
            },
        })
    }

    /// Changes what is known of a proxy. The symbols put in are in use already; from here on, the
    /// proxy has a use of its own of each.
    fn update(
        &mut self,
        address: Address,
        change: impl FnOnce(ProxyEntry) -> ProxyEntry,
    ) -> Changes {
        let before = self.proxies.get(&address).copied().unwrap_or_default();
        let after = change(before);
        if after.is_vacant() {
            self.proxies.remove(&address);
        } else {
            self.retain(address.symbols().chain(after.symbols()));
            self.proxies.insert(address, after);
        }
        let shift = self
            .sums
            .replace(address.namespace, before.share(), after.share());
        let changes = self.name(address.namespace, &shift);
        if !before.is_vacant() {
            self.release(address.symbols().chain(before.symbols()));
        }
        changes
    }

    fn name(&self, namespace: Symbol, shift: &Shift) -> Changes {
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

/// The Dataplanes that refer to one key, summed up for each mesh.
#[derive(Debug, Clone, Copy)]
pub struct References<'a> {
    symbols: &'a Symbols,
    meshes: Option<&'a PerMesh<Counts>>,
}

impl<'a> References<'a> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.meshes.is_none()
    }

    /// Whether they are of several meshes.
    pub fn is_conflict(&self) -> bool {
        self.meshes.is_some_and(|meshes| meshes.len() > 1)
    }

    /// Their mesh, if it is one.
    pub fn sole_mesh(&self) -> Option<&'a str> {
        let mesh = self.meshes.and_then(PerMesh::sole)?;
        Some(self.symbols.text(mesh))
    }

    /// How many of them are of this mesh, and how they are.
    pub fn counts(&self, mesh: &str) -> Counts {
        self.meshes
            .zip(self.symbols.find(mesh))
            .map_or_else(Counts::default, |(meshes, mesh)| meshes.get(mesh))
    }

    /// Each mesh and its counts, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Counts)> + use<'a> {
        let symbols = self.symbols;
        let meshes = self.meshes.into_iter().flat_map(PerMesh::iter);
        meshes.map(|(mesh, counts)| (symbols.text(mesh), counts))
    }
}

#[cfg(test)]
mod tests;
