//! What each kind of record changes in the index.

use std::fmt::Debug;

use kube::core::ObjectMeta;
use serde::de::DeserializeOwned;

use crate::{
    kinds::{
        self, DataplaneRecord, InsightRecord, MeshRecord, NamespaceRecord, PodRecord, Record,
        WorkloadRecord,
    },
    run::{
        index::{DataplaneProblem, Index, ListBegan},
        journal::Journal,
        work_item::Changed,
    },
};

/// A record that the index takes.
pub(super) trait IndexedRecord:
    Record + DeserializeOwned + Clone + Debug + Send + Sync + 'static
{
    /// The object was added or changed. Returns what must be looked at. What is wrong with it is said.
    fn apply(&self, index: &mut Index, journal: &Journal) -> Changed;

    /// The object was in a list that began then. Returns what must be looked at.
    fn apply_listed(&self, index: &mut Index, _began: &ListBegan, journal: &Journal) -> Changed {
        self.apply(index, journal)
    }

    /// The object was deleted. Returns what must be looked at.
    fn delete(&self, index: &mut Index) -> Changed;

    /// Whether the object cannot be read.
    fn is_faulty(&self) -> bool {
        false
    }
}

impl IndexedRecord for DataplaneRecord {
    fn apply(&self, index: &mut Index, journal: &Journal) -> Changed {
        let (items, new_problem) = index.apply_dataplane(self);
        if let Some(problem) = new_problem {
            log_problem(&self.metadata, &problem, journal);
        }
        items.into()
    }

    fn delete(&self, index: &mut Index) -> Changed {
        index.delete_dataplane(&self.metadata).into()
    }

    fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }
}

impl IndexedRecord for InsightRecord {
    fn apply(&self, index: &mut Index, journal: &Journal) -> Changed {
        let (items, new_fault) = index.apply_insight(self);
        if let Some(fault) = new_fault {
            let (namespace, name) = kinds::names(&self.metadata);
            let sentence = format!(
                "DataplaneInsight {namespace}/{name} cannot be read, so its proxy counts as not connected: {fault}"
            );
            journal.warn(&format!("unreadable insight in {namespace}"), &sentence);
        }
        items.into()
    }

    fn delete(&self, index: &mut Index) -> Changed {
        index.delete_insight(&self.metadata).into()
    }

    fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }
}

impl IndexedRecord for WorkloadRecord {
    fn apply(&self, index: &mut Index, _: &Journal) -> Changed {
        index.apply_workload(self).into()
    }

    fn apply_listed(&self, index: &mut Index, began: &ListBegan, _: &Journal) -> Changed {
        index.apply_listed_workload(self, began).into()
    }

    fn delete(&self, index: &mut Index) -> Changed {
        let key = kinds::workload_key(&self.metadata);
        let uid = self.metadata.uid.as_deref();
        index.delete_workload(&key, uid).into()
    }
}

impl IndexedRecord for NamespaceRecord {
    fn apply(&self, index: &mut Index, _: &Journal) -> Changed {
        index.apply_namespace(self)
    }

    fn delete(&self, index: &mut Index) -> Changed {
        index.delete_namespace(&self.metadata)
    }
}

impl IndexedRecord for MeshRecord {
    fn apply(&self, index: &mut Index, _: &Journal) -> Changed {
        index.apply_mesh(self);
        Changed::default()
    }

    fn delete(&self, index: &mut Index) -> Changed {
        index.delete_mesh(&self.metadata);
        Changed::default()
    }
}

impl IndexedRecord for PodRecord {
    fn apply(&self, index: &mut Index, _: &Journal) -> Changed {
        index.apply_pod(self).into()
    }

    fn delete(&self, index: &mut Index) -> Changed {
        index.delete_pod(&self.metadata);
        Changed::default()
    }
}

fn log_problem(metadata: &ObjectMeta, problem: &DataplaneProblem, journal: &Journal) {
    let (namespace, name) = kinds::names(metadata);
    let (kind, sentence) = match problem {
        DataplaneProblem::Undecodable { fault, .. } => (
            "unreadable dataplane",
            format!(
                "Dataplane {namespace}/{name} cannot be read and is left out: {fault}; the Workload that it names is not deleted meanwhile"
            ),
        ),
        DataplaneProblem::MeshLabel { label, field } => (
            "mesh label",
            format!(
                "Dataplane {namespace}/{name} is in mesh \"{field}\" but its label kuma.io/mesh says \"{label}\"; the field counts"
            ),
        ),
    };
    journal.warn(&format!("{kind} in {namespace}"), &sentence);
}
