//! Everything that is known about the cluster: the roster of Dataplanes, and the Workloads, Namespaces
//! and Meshes that exist. It is synchronous and does no I/O: watches write to it, workers read it.
//!
//! Every change returns the [`WorkItem`]s that must be reconciled.

mod cached_workload;
mod dataplane_problem;
mod pod_identifiers;
mod workload_cache;

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kuma_workload_rulebook::roster::{
    Action, Changes, Decision, Key, ListScope, Mode, PresenceByMesh, Roster, WatchedKind, Write,
};

pub use self::{
    cached_workload::CachedWorkload, dataplane_problem::DataplaneProblem,
    pod_identifiers::PodIdentifiers,
};
use self::{
    dataplane_problem::DataplaneProblems, pod_identifiers::CachedDataplane,
    workload_cache::WorkloadCache,
};
use super::{
    mode::{ConfiguredMode, ModeSwitch},
    store::Store,
    work_item::WorkItem,
};
use crate::kinds::{
    self, API_VERSION, DataplaneRecord, InsightRecord, MeshRecord, NamespaceRecord, NamespacedName,
    PodRecord, RecordKind, WorkloadRecord, namespaced_name,
};

/// Everything that is known about the cluster.
#[derive(Debug)]
pub struct Index {
    roster: Roster,
    workloads: WorkloadCache,
    /// Whether each Namespace is being deleted.
    namespaces: Store<String, bool>,
    /// The uid of each Mesh.
    meshes: Store<String, String>,
    problems: DataplaneProblems,
    /// Why DataplaneInsights cannot be read.
    insight_faults: Store<NamespacedName, String>,
    pods: Option<PodIdentifiers>,
    only_selected: bool,
    system_namespaces: Vec<String>,
    mode: ModeSwitch,
}

/// What to do about a Workload, and what is needed to do it.
#[derive(Debug, Clone)]
pub struct WorkloadView {
    /// What the rules say.
    pub decision: Decision,
    /// The Workload that exists.
    pub existing: Option<CachedWorkload>,
    /// For a Workload that is relabelled: the ownerReference to its Mesh, where Meshes can be read
    /// (L12).
    pub mesh_owner: Option<OwnerReference>,
}

impl Index {
    /// An empty index. With `pods`, identifiers are computed where none is stored (W8). With
    /// `only_selected`, Workloads are reconciled only in the Namespaces that are applied.
    pub fn new(mode: ConfiguredMode, pods: Option<PodIdentifiers>, only_selected: bool) -> Self {
        Self {
            roster: Roster::default(),
            workloads: WorkloadCache::default(),
            namespaces: Store::default(),
            meshes: Store::default(),
            problems: DataplaneProblems::default(),
            insight_faults: Store::default(),
            pods,
            only_selected,
            system_namespaces: Vec::new(),
            mode: ModeSwitch::new(mode),
        }
    }

    /// The same, where these are the namespaces of control planes.
    pub fn with_system_namespaces(self, system_namespaces: Vec<String>) -> Self {
        Self {
            system_namespaces,
            ..self
        }
    }

    /// A Dataplane was listed, added or changed. Also returns its problem, if that is new.
    pub fn apply_dataplane(
        &mut self,
        dataplane: &DataplaneRecord,
    ) -> (Vec<WorkItem>, Option<DataplaneProblem>) {
        let name = namespaced_name(&dataplane.metadata);
        let new_problem = self.problems.apply(dataplane);
        if dataplane.fault.is_some() {
            return (self.remove_dataplane(&name), new_problem);
        }
        let stored = dataplane.stored_identifier();
        let changes = match (stored.filter(|name| !name.is_empty()), &mut self.pods) {
            (Some(stored), pods) => {
                if let Some(pods) = pods {
                    pods.remove_dataplane(&name);
                }
                self.roster.apply(&dataplane.facts(Some(stored)))
            }
            (None, Some(pods)) => {
                let workload = pods.apply_dataplane(name, CachedDataplane::of(dataplane));
                self.roster.apply(&dataplane.facts(workload.as_deref()))
            }
            (None, None) => self.roster.apply(&dataplane.facts(None)),
        };
        (items(changes), new_problem)
    }

    /// A Dataplane was deleted.
    pub fn delete_dataplane(&mut self, metadata: &ObjectMeta) -> Vec<WorkItem> {
        let mut items = self.remove_dataplane(&namespaced_name(metadata));
        let unprotected = self.problems.delete(metadata);
        items.extend(unprotected.map(WorkItem::Workload));
        items
    }

    fn remove_dataplane(&mut self, name: &NamespacedName) -> Vec<WorkItem> {
        if let Some(pods) = &mut self.pods {
            pods.remove_dataplane(name);
        }
        items(self.roster.delete(&name.0, &name.1))
    }

    /// A DataplaneInsight was listed, added or changed. Also returns why it cannot be read, if that is
    /// new. Its proxy then does not count as connected.
    pub fn apply_insight(&mut self, insight: &InsightRecord) -> (Vec<WorkItem>, Option<String>) {
        let name = namespaced_name(&insight.metadata);
        let Some(fault) = &insight.fault else {
            self.insight_faults.remove(&name);
            return (items(self.roster.apply_insight(&insight.facts())), None);
        };
        let changes = self.roster.delete_insight(&name.0, &name.1);
        let known = self.insight_faults.insert(name, fault.clone());
        let new_fault = (known.as_ref() != Some(fault)).then(|| fault.clone());
        (items(changes), new_fault)
    }

    /// A DataplaneInsight was deleted.
    pub fn delete_insight(&mut self, metadata: &ObjectMeta) -> Vec<WorkItem> {
        let name = namespaced_name(metadata);
        self.insight_faults.remove(&name);
        items(self.roster.delete_insight(&name.0, &name.1))
    }

    /// A Workload was listed, added or changed. A version that is older than the known one is ignored:
    /// this program knows its own writes before a watch shows them.
    pub fn apply_workload(&mut self, workload: &WorkloadRecord) -> Vec<WorkItem> {
        let changed = self.workloads.apply(workload);
        changed.map(WorkItem::Workload).into_iter().collect()
    }

    /// From now on, requests for this Workload may be under way.
    pub fn begin_requests(&mut self, key: &Key) {
        self.workloads.begin_requests(key);
    }

    /// No request for this Workload is under way any more.
    pub fn end_requests(&mut self, key: &Key) {
        self.workloads.end_requests(key);
    }

    /// A request was answered with this Workload. If the watch has shown its deletion meanwhile, the
    /// answer is ignored.
    pub fn apply_response(&mut self, workload: &WorkloadRecord) -> Vec<WorkItem> {
        let changed = self.workloads.apply_response(workload);
        changed.map(WorkItem::Workload).into_iter().collect()
    }

    /// The Workload of this uid was deleted; without a uid, the known one.
    pub fn delete_workload(&mut self, key: &Key, uid: Option<&str>) -> Vec<WorkItem> {
        match self.workloads.delete(key, uid) {
            true => vec![WorkItem::Workload(key.clone())],
            false => Vec::new(),
        }
    }

    /// A Namespace was listed, added or changed.
    pub fn apply_namespace(&mut self, namespace: &NamespaceRecord) -> Vec<WorkItem> {
        let name = kinds::name(&namespace.metadata);
        let is_terminating = namespace.metadata.deletion_timestamp.is_some();
        let known = self.namespaces.insert(name.to_owned(), is_terminating);
        if known.is_none() && self.only_selected {
            return self.items_in(name);
        }
        Vec::new()
    }

    /// A Namespace was deleted, or is no longer selected: then its Workloads stay as they are.
    pub fn delete_namespace(&mut self, metadata: &ObjectMeta) -> Vec<WorkItem> {
        let name = kinds::name(metadata);
        self.namespaces.remove(name);
        if self.only_selected {
            return self.items_in(name);
        }
        Vec::new()
    }

    /// A Mesh was listed, added or changed.
    pub fn apply_mesh(&mut self, mesh: &MeshRecord) {
        let uid = mesh.metadata.uid.clone().unwrap_or_default();
        let name = kinds::name(&mesh.metadata).to_owned();
        self.meshes.insert(name, uid);
    }

    /// A Mesh was deleted.
    pub fn delete_mesh(&mut self, metadata: &ObjectMeta) {
        self.meshes.remove(kinds::name(metadata));
    }

    /// A Pod was listed, added or changed (W8).
    pub fn apply_pod(&mut self, pod: &PodRecord) -> Vec<WorkItem> {
        let name = namespaced_name(&pod.metadata);
        let Some(pods) = &mut self.pods else {
            return Vec::new();
        };
        let Some(dataplane) = pods.apply_pod(&name, pod) else {
            return Vec::new();
        };
        items(self.roster.apply(&dataplane.facts(&name)))
    }

    /// A Pod was deleted. Its Dataplane keeps the identifier (W8, L13).
    pub fn delete_pod(&mut self, metadata: &ObjectMeta) {
        if let Some(pods) = &mut self.pods {
            pods.remove_pod(&namespaced_name(metadata));
        }
    }

    /// A list of a kind begins, in one namespace or in all.
    pub fn relist(&mut self, kind: RecordKind, namespace: Option<&str>) {
        let is_listed = |home: &str| namespace.is_none_or(|namespace| namespace == home);
        match kind {
            RecordKind::Dataplane => {
                self.roster
                    .relist(WatchedKind::Dataplanes, ListScope::from(namespace));
                self.problems.relist(is_listed);
                if let Some(pods) = &mut self.pods {
                    pods.relist_dataplanes(is_listed);
                }
            }
            RecordKind::DataplaneInsight => {
                self.roster
                    .relist(WatchedKind::Insights, ListScope::from(namespace));
                self.insight_faults.relist(|(home, _)| is_listed(home));
            }
            RecordKind::Workload => self.workloads.relist(|key| is_listed(&key.namespace)),
            RecordKind::Namespace => self.namespaces.relist(|_| true),
            RecordKind::Mesh => self.meshes.relist(|_| true),
            RecordKind::Pod => {
                if let Some(pods) = &mut self.pods {
                    pods.relist_pods(is_listed);
                }
            }
        }
    }

    /// The list has ended: the objects that were not in it are deleted.
    pub fn sweep(&mut self, kind: RecordKind, namespace: Option<&str>) -> Vec<WorkItem> {
        let is_listed = |home: &str| namespace.is_none_or(|namespace| namespace == home);
        match kind {
            RecordKind::Dataplane => {
                let scope = ListScope::from(namespace);
                let mut items = items(self.roster.sweep(WatchedKind::Dataplanes, scope));
                let namespaces = self.problems.sweep(is_listed);
                items.extend(namespaces.iter().flat_map(|home| self.items_in(home)));
                if let Some(pods) = &mut self.pods {
                    pods.sweep_dataplanes(is_listed);
                }
                items
            }
            RecordKind::DataplaneInsight => {
                self.insight_faults.sweep(|(home, _)| is_listed(home));
                items(
                    self.roster
                        .sweep(WatchedKind::Insights, ListScope::from(namespace)),
                )
            }
            RecordKind::Workload => {
                let deleted = self.workloads.sweep(|key| is_listed(&key.namespace));
                deleted.into_iter().map(WorkItem::Workload).collect()
            }
            RecordKind::Namespace => {
                let gone = self.namespaces.sweep(|_| true);
                let unselected = gone.iter().filter(|_| self.only_selected);
                unselected
                    .flat_map(|(name, _)| self.items_in(name))
                    .collect()
            }
            RecordKind::Mesh => {
                self.meshes.sweep(|_| true);
                Vec::new()
            }
            RecordKind::Pod => {
                if let Some(pods) = &mut self.pods {
                    pods.sweep_pods(is_listed);
                }
                Vec::new()
            }
        }
    }

    /// Everything that can be reconciled.
    pub fn items(&self) -> Vec<WorkItem> {
        let existing = self.workloads.keys().cloned();
        let keys: BTreeSet<_> = self.roster.keys().chain(existing).collect();
        let namespaces: BTreeSet<_> = keys.iter().map(|key| key.namespace.clone()).collect();
        let namespaces = namespaces.into_iter().map(WorkItem::Namespace);
        keys.into_iter()
            .map(WorkItem::Workload)
            .chain(namespaces)
            .collect()
    }

    fn items_in(&self, namespace: &str) -> Vec<WorkItem> {
        let mut items = self.items();
        items.retain(|item| item.namespace() == namespace);
        items
    }

    /// Whether the Workloads of a namespace are reconciled: it is selected, or there is no selector.
    pub fn is_selected(&self, namespace: &str) -> bool {
        !self.only_selected || self.namespaces.get(namespace).is_some()
    }

    /// Whether a namespace is known to be in deletion. Nothing can be created there.
    pub fn is_terminating(&self, namespace: &str) -> bool {
        self.namespaces.get(namespace) == Some(&true)
    }

    /// The roster.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The meshes that a namespace should have one of (L11). None for that of a control plane: its zone
    /// proxies are of one mesh each.
    pub fn meshes_of(&self, namespace: &str) -> PresenceByMesh {
        match self.system_namespaces.iter().any(|name| name == namespace) {
            true => PresenceByMesh::default(),
            false => self.roster.namespace(namespace),
        }
    }

    /// The number of known objects of each kind.
    pub fn sizes(&self) -> [(RecordKind, usize); 6] {
        let census = self.roster.census();
        let pods = self.pods.as_ref().map_or(0, PodIdentifiers::len);
        [
            (RecordKind::Dataplane, census.dataplanes),
            (RecordKind::DataplaneInsight, census.insights),
            (RecordKind::Workload, self.workloads.len()),
            (RecordKind::Namespace, self.namespaces.len()),
            (RecordKind::Mesh, self.meshes.len()),
            (RecordKind::Pod, pods),
        ]
    }

    /// What the rules say about every Workload in the selected namespaces.
    pub fn decisions(&self) -> impl Iterator<Item = (Key, Decision)> {
        let items = self.items().into_iter();
        let keys = items.filter_map(|item| match item {
            WorkItem::Workload(key) if self.is_selected(&key.namespace) => Some(key),
            _ => None,
        });
        keys.map(|key| {
            let decision = self.decide(&key);
            (key, decision)
        })
    }

    fn decide(&self, key: &Key) -> Decision {
        let existing = self.workloads.get(key).map(CachedWorkload::facts);
        self.roster.decide(key, existing.as_ref(), self.mode())
    }

    /// The mode in force (L17).
    pub fn mode(&self) -> Mode {
        self.mode.current()
    }

    /// In mode `auto`: whether this Workload is the first evidence that a control plane manages
    /// Workloads. From then on they are left to it (L17).
    pub fn detect_control_plane(&mut self, key: &Key) -> bool {
        if !self.mode.awaits_control_plane() || !self.is_selected(&key.namespace) {
            return false;
        }
        let existing = self.workloads.get(key).map(CachedWorkload::facts);
        let is_evidence =
            existing.is_some_and(|existing| self.roster.shows_control_plane(key, &existing));
        if is_evidence {
            self.mode.see_control_plane();
        }
        is_evidence
    }

    /// What to do about a Workload.
    pub fn view(&self, key: &Key) -> WorkloadView {
        let mut decision = self.decide(key);
        if matches!(decision.action, Action::Write(Write::Delete)) && self.problems.protect(key) {
            decision.action = Action::Nothing;
        }
        WorkloadView {
            mesh_owner: self.mesh_owner(&decision.action),
            decision,
            existing: self.workloads.get(key).cloned(),
        }
    }

    fn mesh_owner(&self, action: &Action) -> Option<OwnerReference> {
        let (Action::Write(Write::Relabel { mesh, .. })
        | Action::Withheld(Write::Relabel { mesh, .. })) = action
        else {
            return None;
        };
        Some(OwnerReference {
            api_version: API_VERSION.to_owned(),
            kind: RecordKind::Mesh.name().to_owned(),
            name: mesh.clone(),
            uid: self.meshes.get(mesh.as_str())?.clone(),
            ..OwnerReference::default()
        })
    }
}

fn items(changes: Changes) -> Vec<WorkItem> {
    let keys = changes.keys.into_iter().map(WorkItem::Workload);
    let namespaces = changes.namespaces.into_iter().map(WorkItem::Namespace);
    keys.chain(namespaces).collect()
}

#[cfg(test)]
mod tests;
