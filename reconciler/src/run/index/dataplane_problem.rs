//! What is wrong with Dataplanes. Each problem is reported once.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kuma_workload_rulebook::{keys, mesh, roster::Key};

use crate::{
    kinds::{self, DataplaneRecord, NamespacedName},
    run::store::Store,
};

/// What is wrong with a Dataplane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataplaneProblem {
    /// It cannot be read.
    Undecodable {
        /// Why, with the path of the field.
        fault: String,
        /// The workload that its annotation names.
        workload: Option<String>,
    },
    /// Its label and its field name different meshes (A6).
    MeshLabel {
        /// The mesh of the label.
        label: String,
        /// The mesh of the field, which counts.
        field: String,
    },
}

impl DataplaneProblem {
    fn of(dataplane: &DataplaneRecord) -> Option<Self> {
        if let Some(fault) = &dataplane.fault {
            let workload = dataplane.stored_identifier().map(str::to_owned);
            let fault = fault.clone();
            return Some(Self::Undecodable { fault, workload });
        }
        let field = mesh::of_dataplane(dataplane.mesh.as_deref());
        let label = kinds::label(&dataplane.metadata, keys::MESH);
        let label = label.filter(|label| !label.is_empty() && *label != field)?;
        Some(Self::MeshLabel {
            label: label.to_owned(),
            field: field.to_owned(),
        })
    }

    /// The workload that may have this Dataplane although the roster does not know it. Its object must
    /// not be deleted.
    fn protected_workload(&self) -> Option<&str> {
        match self {
            Self::Undecodable { workload, .. } => workload.as_deref(),
            Self::MeshLabel { .. } => None,
        }
    }
}

/// The problems of all Dataplanes.
#[derive(Debug, Default)]
pub(super) struct DataplaneProblems(Store<NamespacedName, DataplaneProblem>);

impl DataplaneProblems {
    /// Looks at a Dataplane. Answers its problem, if it is new.
    pub(super) fn apply(&mut self, dataplane: &DataplaneRecord) -> Option<DataplaneProblem> {
        let name = kinds::namespaced_name(&dataplane.metadata);
        let Some(problem) = DataplaneProblem::of(dataplane) else {
            self.0.remove(&name);
            return None;
        };
        if self.0.get(&name) == Some(&problem) {
            self.0.mark_seen(&name);
            return None;
        }
        self.0.insert(name, problem.clone());
        Some(problem)
    }

    /// A Dataplane was deleted. Answers the key of the Workload that is no longer protected by it.
    pub(super) fn delete(&mut self, metadata: &ObjectMeta) -> Option<Key> {
        let name = kinds::namespaced_name(metadata);
        let problem = self.0.remove(&name)?;
        Some(Key {
            namespace: name.0,
            workload: problem.protected_workload()?.to_owned(),
        })
    }

    /// Whether the Workload of this key must not be deleted: a Dataplane that cannot be read names it.
    pub(super) fn protect(&self, key: &Key) -> bool {
        self.0.iter().any(|((namespace, _), problem)| {
            *namespace == key.namespace && problem.protected_workload() == Some(&key.workload)
        })
    }

    /// A list of the Dataplanes in these namespaces begins.
    pub(super) fn relist(&mut self, is_listed: impl Fn(&str) -> bool) {
        self.0.relist(|(namespace, _)| is_listed(namespace));
    }

    /// The list has ended. Answers the namespaces in which Workloads may no longer be protected.
    pub(super) fn sweep(&mut self, is_listed: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let solved = self.0.sweep(|(namespace, _)| is_listed(namespace));
        solved
            .into_iter()
            .map(|((namespace, _), _)| namespace)
            .collect()
    }

    /// The number of Dataplanes with a problem.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
