//! Everything that is known about the cluster: the roster of Dataplanes, and the Workloads, Namespaces
//! and Meshes that exist. It is synchronous and does no I/O: watches write to it, workers read it.
//!
//! Every change returns what must be looked at again. A change costs the same however much is known.

mod apply;
mod cached_workload;
mod dataplane_problem;
mod list;
mod list_began;
mod pod_identifiers;
mod swept;
mod workload_cache;

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kuma_workload_rulebook::{
    counts::Counts,
    roster::{Action, Decision, Key, Mode, PresenceByMesh, Roster, Write},
};
use tokio::time::Instant;

pub use self::{
    cached_workload::CachedWorkload,
    dataplane_problem::DataplaneProblem,
    list_began::ListBegan,
    pod_identifiers::{KnownIdentifier, PodIdentifiers},
    swept::Swept,
    workload_cache::AnswerOutcome,
};
use self::{dataplane_problem::DataplaneProblems, workload_cache::WorkloadCache};
use super::{
    mode::{ConfiguredMode, ModeSwitch},
    planted::{PlantedFault, planted},
    store::Store,
};
use crate::kinds::{API_VERSION, NamespacedName, RecordKind};

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

    /// Whether the Workloads of a namespace are reconciled: it is selected, or there is no selector.
    pub fn is_selected(&self, namespace: &str) -> bool {
        !self.only_selected || self.namespaces.get(namespace).is_some()
    }

    /// Whether Dataplanes refer to a Workload.
    pub fn is_referred_to(&self, key: &Key) -> bool {
        !self.roster.references(key).is_empty()
    }

    /// Whether Dataplanes refer to a Workload of a namespace.
    pub fn has_workloads(&self, namespace: &str) -> bool {
        !self.roster.namespace(namespace).meshes.is_empty()
    }

    /// Whether a namespace is known to be in deletion. Nothing can be created there.
    pub fn is_terminating(&self, namespace: &str) -> bool {
        self.namespaces.get(namespace) == Some(&true)
    }

    /// The identifier of a Dataplane that has none stored (W8).
    pub fn known_identifier(&self, name: &NamespacedName) -> KnownIdentifier<'_> {
        match &self.pods {
            Some(pods) => pods.identifier(name),
            None => KnownIdentifier::None,
        }
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

    fn decide(&self, key: &Key) -> Decision {
        let existing = self.workloads.get(key).map(CachedWorkload::facts);
        let mut decision = self.roster.decide(key, existing.as_ref(), self.mode());
        if let Some(status) = &mut decision.status
            && planted(PlantedFault::NumbersOfAllMeshes)
        {
            let of_meshes = self.roster.references(key).iter();
            status.counts = of_meshes.fold(Counts::default(), |mut sum, (_, counts)| {
                sum += counts;
                sum
            });
        }
        decision
    }

    /// The Dataplanes that name a Workload and cannot be read, in words and in order.
    pub(super) fn unreadable(&self, key: &Key) -> Vec<String> {
        self.problems.unreadable(key)
    }

    /// Time passes, which may change the mode (L17).
    pub fn tick(&mut self, now: Instant) {
        self.mode.tick(now);
    }

    /// In mode `auto`: a Workload that shows that a control plane manages Workloads.
    pub fn evidence(&self) -> Option<&Key> {
        self.mode.evidence()
    }

    /// In mode `auto`: the field managers that name a control plane and are not known as one, and of
    /// how many Workloads they do so.
    pub fn strangers(&self) -> (BTreeSet<&str>, usize) {
        let strangers = self.mode.strangers();
        (
            strangers.values().map(String::as_str).collect(),
            strangers.len(),
        )
    }

    /// The mode in force (L17).
    pub fn mode(&self) -> Mode {
        self.mode.current()
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

#[cfg(test)]
mod tests;
