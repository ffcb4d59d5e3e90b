//! The questions that a rule can ask the cluster, and how an answer can fail (A13).

use std::fmt;

use super::witness::Witness;
use crate::metadata::{Metadata, PodFacts, Text};

/// The cluster as the rules see it. The policy answers from the API server, the plan from
/// manifests, a test from a table. A rule asks only when the answer decides. Whoever answers is told
/// the steps of the judgement too.
pub trait Cluster: Witness {
    /// The labels and annotations of a Namespace, as the API server has them at this moment: they
    /// can decide alone (A17).
    ///
    /// # Errors
    ///
    /// [`ClusterFailure::NamespaceNotFound`] if there is no such Namespace, or any other
    /// [`ClusterFailure`].
    fn namespace(&self, name: &str) -> ClusterAnswer<Metadata<'static>>;

    /// Whether there is a Mesh with this name.
    ///
    /// # Errors
    ///
    /// [`ClusterFailure::KumaNotInstalled`] if the cluster does not know the kind, or any other
    /// [`ClusterFailure`].
    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool>;

    /// The Dataplanes of a Namespace that the question selects by their label `kuma.io/mesh`. One
    /// without the label is selected by all selectors but [`MeshSelector::OfMesh`].
    ///
    /// # Errors
    ///
    /// Any [`ClusterFailure`].
    fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>>;

    /// The Pods of a Namespace that have the label `kuma.io/mesh` with a value that the question
    /// selects.
    ///
    /// # Errors
    ///
    /// Any [`ClusterFailure`].
    fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>>;
}

/// An answer of the cluster, or why there is none.
pub type ClusterAnswer<T> = Result<T, ClusterFailure>;

/// Which objects of a Namespace a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListQuestion<'q> {
    /// The Namespace.
    pub namespace: &'q str,
    /// Which of the objects.
    pub selector: MeshSelector<'q>,
}

/// A selection by the label `kuma.io/mesh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshSelector<'q> {
    /// All objects.
    Any,
    /// All objects except those with this mesh in the label.
    NotOfMesh(&'q str),
    /// Only objects with this mesh in the label.
    OfMesh(&'q str),
}

impl MeshSelector<'_> {
    /// Whether it selects an object whose label has this value.
    pub fn selects(self, label: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::NotOfMesh(mesh) => label != Some(mesh),
            Self::OfMesh(mesh) => label == Some(mesh),
        }
    }
}

/// What the rules need to know of a Dataplane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataplaneFacts {
    /// `metadata.name`, which is the name of its Pod.
    pub name: Text<'static>,
    /// The top-level field `mesh`, if it is set. The mesh of a Dataplane is this, not its label
    /// (A6).
    pub mesh: Option<Text<'static>>,
}

/// Why a question has no answer (A13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterFailure {
    /// This may not be asked; the text says who lacks which grant.
    NotGranted(String),
    /// The cluster does not know Kuma's kinds, so no mesh can be in conflict.
    KumaNotInstalled,
    /// There is no such Namespace.
    NamespaceNotFound,
    /// Any other failure; the text names the resource that was asked for.
    Unavailable(&'static str),
}

impl fmt::Display for ClusterFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted(grant) => formatter.write_str(grant),
            Self::KumaNotInstalled => formatter.write_str("Kuma is not installed"),
            Self::NamespaceNotFound => formatter.write_str("the namespace was not found"),
            Self::Unavailable(what) => {
                write!(
                    formatter,
                    "the cluster did not answer about {what}; try again"
                )
            }
        }
    }
}
