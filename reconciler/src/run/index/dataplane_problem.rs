//! What is wrong with Dataplanes. Each problem is reported once.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kuma_workload_rulebook::{keys, mesh, roster::Key};

use crate::{
    kinds::{self, DataplaneRecord, NamespacedName},
    run::store::{Moment, Store},
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
            self.0.touch(&name);
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

    /// The Dataplanes that name the Workload of this key and cannot be read, in words and in order.
    pub(super) fn unreadable(&self, key: &Key) -> Vec<String> {
        let problems = self.0.iter().filter_map(|((namespace, name), problem)| {
            let is_of_key =
                *namespace == key.namespace && problem.protected_workload() == Some(&key.workload);
            match problem {
                DataplaneProblem::Undecodable { fault, .. } if is_of_key => Some(format!(
                    "Dataplane {namespace}/{name}, which names it, cannot be read: {fault}"
                )),
                _ => None,
            }
        });
        let mut problems: Vec<_> = problems.collect();
        problems.sort_unstable();
        problems
    }

    /// A list of Dataplanes begins.
    pub(super) fn relist(&mut self) -> Moment {
        self.0.mark()
    }

    /// The list of the Dataplanes in these namespaces has ended. Answers, for each problem that is gone
    /// with its Dataplane, the Workload that it protects no longer.
    pub(super) fn sweep(
        &mut self,
        is_listed: impl Fn(&str) -> bool,
        began: Moment,
        limit: usize,
    ) -> Vec<Option<Key>> {
        let is_in = |(namespace, _): &NamespacedName| is_listed(namespace);
        let solved = self.0.sweep(is_in, began, limit).into_iter();
        let key = |((namespace, _), problem): (NamespacedName, DataplaneProblem)| {
            let workload = problem.protected_workload()?.to_owned();
            Some(Key {
                namespace,
                workload,
            })
        };
        solved.map(key).collect()
    }

    /// The number of Dataplanes with a problem.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
