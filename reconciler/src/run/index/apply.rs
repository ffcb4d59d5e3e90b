//! The changes to the index, one for each kind of object and of news about it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kuma_workload_rulebook::roster::{Changes, Key};

use super::{
    AnswerOutcome, CachedWorkload, DataplaneProblem, Index, ListBegan,
    pod_identifiers::CachedDataplane, workload_cache::cached,
};
use crate::{
    kinds::{
        self, DataplaneRecord, InsightRecord, MeshRecord, NamespaceRecord, NamespacedName,
        PodRecord, WorkloadRecord, namespaced_name,
    },
    run::{
        mode::Evidence,
        work_item::{Changed, WorkItem},
    },
};

impl Index {
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
        (self.changed(changes), new_problem)
    }

    /// A Dataplane was deleted.
    pub fn delete_dataplane(&mut self, metadata: &ObjectMeta) -> Vec<WorkItem> {
        let mut items = self.remove_dataplane(&namespaced_name(metadata));
        let unprotected = self.problems.delete(metadata);
        items.extend(unprotected.map(WorkItem::Workload));
        items
    }

    pub(super) fn remove_dataplane(&mut self, name: &NamespacedName) -> Vec<WorkItem> {
        if let Some(pods) = &mut self.pods {
            pods.remove_dataplane(name);
        }
        let changes = self.roster.delete(&name.0, &name.1);
        self.changed(changes)
    }

    /// A DataplaneInsight was listed, added or changed. Also returns why it cannot be read, if that is
    /// new. Its proxy then does not count as connected.
    pub fn apply_insight(&mut self, insight: &InsightRecord) -> (Vec<WorkItem>, Option<String>) {
        let name = namespaced_name(&insight.metadata);
        let Some(fault) = &insight.fault else {
            self.insight_faults.remove(&name);
            let changes = self.roster.apply_insight(&insight.facts());
            return (self.changed(changes), None);
        };
        let changes = self.roster.delete_insight(&name.0, &name.1);
        let known = self.insight_faults.insert(name, fault.clone());
        let new_fault = (known.as_ref() != Some(fault)).then(|| fault.clone());
        (self.changed(changes), new_fault)
    }

    /// A DataplaneInsight was deleted.
    pub fn delete_insight(&mut self, metadata: &ObjectMeta) -> Vec<WorkItem> {
        let name = namespaced_name(metadata);
        self.insight_faults.remove(&name);
        let changes = self.roster.delete_insight(&name.0, &name.1);
        self.changed(changes)
    }

    /// A watch has shown that a Workload was added or changed. A version that is older than the known
    /// one is ignored: this program knows its own writes before a watch shows them.
    pub fn apply_workload(&mut self, workload: &WorkloadRecord) -> Vec<WorkItem> {
        let (key, new) = cached(workload);
        let has_changed = self.workloads.apply(&key, new);
        self.changed_workload(key, has_changed)
    }

    /// A list that began then has shown a Workload (L21).
    pub fn apply_listed_workload(
        &mut self,
        workload: &WorkloadRecord,
        began: &ListBegan,
    ) -> Vec<WorkItem> {
        let (key, new) = cached(workload);
        let has_changed = self.workloads.apply_listed(&key, new, began.workloads);
        self.changed_workload(key, has_changed)
    }

    /// A request for this Workload is sent.
    pub fn begin_request(&mut self, key: &Key) {
        self.workloads.begin_request(key);
    }

    /// The request was answered with this Workload, or with its absence (L21).
    pub fn apply_answer(
        &mut self,
        key: &Key,
        workload: Option<&WorkloadRecord>,
    ) -> (AnswerOutcome, Vec<WorkItem>) {
        let outcome = self.workloads.apply_answer(key, workload);
        let is_taken = outcome == AnswerOutcome::Taken;
        (outcome, self.changed_workload(key.clone(), is_taken))
    }

    /// The request has ended without an answer that says how the Workload is.
    pub fn end_request(&mut self, key: &Key) {
        self.workloads.end_request(key);
    }

    /// The Workload of this uid was deleted; without a uid, the known one.
    pub fn delete_workload(&mut self, key: &Key, uid: Option<&str>) -> Vec<WorkItem> {
        let was_known = self.workloads.delete(key, uid);
        self.changed_workload(key.clone(), was_known)
    }

    /// A Namespace was listed, added or changed.
    pub fn apply_namespace(&mut self, namespace: &NamespaceRecord) -> Changed {
        let name = kinds::name(&namespace.metadata);
        let is_terminating = namespace.metadata.deletion_timestamp.is_some();
        let known = self.namespaces.insert(name.to_owned(), is_terminating);
        // It is selected now, or something can be created in it again.
        let is_open = match known {
            None => true,
            Some(was_terminating) => was_terminating && !is_terminating,
        };
        match is_open {
            true => Changed::namespace(name),
            false => Changed::default(),
        }
    }

    /// A Namespace was deleted, or is no longer selected: then its Workloads stay as they are.
    pub fn delete_namespace(&mut self, metadata: &ObjectMeta) -> Changed {
        let name = kinds::name(metadata);
        self.namespaces.remove(name);
        match self.only_selected {
            true => Changed::namespace(name),
            false => Changed::default(),
        }
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
        let changes = self.roster.apply(&dataplane.facts(&name));
        self.changed(changes)
    }

    /// A Pod was deleted. Its Dataplane keeps the identifier (W8, L13).
    pub fn delete_pod(&mut self, metadata: &ObjectMeta) {
        if let Some(pods) = &mut self.pods {
            pods.remove_pod(&namespaced_name(metadata));
        }
    }

    pub(super) fn changed(&mut self, changes: Changes) -> Vec<WorkItem> {
        for key in &changes.keys {
            self.review_evidence(key);
        }
        let keys = changes.keys.into_iter().map(WorkItem::Workload);
        let namespaces = changes.namespaces.into_iter().map(WorkItem::Namespace);
        keys.chain(namespaces).collect()
    }

    pub(super) fn changed_workload(&mut self, key: Key, has_changed: bool) -> Vec<WorkItem> {
        if !has_changed {
            return Vec::new();
        }
        self.review_evidence(&key);
        vec![WorkItem::Workload(key)]
    }

    /// Whether a Workload shows that a control plane manages Workloads: a Dataplane refers to it, and a
    /// control plane has set its label (L17).
    pub fn review_evidence(&mut self, key: &Key) {
        let counts = self.is_selected(&key.namespace) && !self.roster.references(key).is_empty();
        let existing = self.workloads.get(key).filter(|_| counts);
        let evidence = existing.map_or(Evidence::None, |existing| {
            self.mode.judge(CachedWorkload::control_planes(existing))
        });
        self.mode.note(key, evidence);
    }
}
