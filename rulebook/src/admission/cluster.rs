//! The questions that a rule may ask of the cluster, and the ways in which an answer can fail.

use std::fmt;

use crate::metadata::{Metadata, PodFacts, Text};

/// The cluster as the rules see it. Doors answer from the API server, from manifests or from a
/// table; a rule asks only when the answer decides.
pub trait Cluster {
    /// The labels and annotations of a Namespace.
    ///
    /// # Errors
    ///
    /// [`ClusterFailure::NamespaceNotFound`] where there is none of that name; any other [`ClusterFailure`].
    fn namespace(&self, name: &str, freshness: Freshness) -> ClusterAnswer<Metadata<'static>>;

    /// Whether a Mesh of that name exists.
    ///
    /// # Errors
    ///
    /// Any [`ClusterFailure`]; [`ClusterFailure::KumaNotInstalled`] where there is no such kind.
    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool>;

    /// The Dataplanes of a Namespace that the question selects by their label `kuma.io/mesh`. Those
    /// without the label are selected by all but [`MeshSelector::OfMesh`].
    ///
    /// # Errors
    ///
    /// Any [`ClusterFailure`].
    fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>>;

    /// The Pods of a Namespace that carry the label `kuma.io/mesh` with a value that the question
    /// selects.
    ///
    /// # Errors
    ///
    /// Any [`ClusterFailure`].
    fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>>;
}

/// An answer of the cluster, or why there is none.
pub type ClusterAnswer<T> = Result<T, ClusterFailure>;

/// Whether an answer may be a few seconds old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// A cached answer will do.
    Cached,
    /// The answer decides alone, so it must be the API server's own (A17).
    Fresh,
}

/// Which objects of a Namespace are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListQuestion<'q> {
    /// The Namespace.
    pub namespace: &'q str,
    /// The name of the object that is judged; empty where it has none. A door may get an object of
    /// this name to learn whether it may ask at all.
    pub asking_for: &'q str,
    /// Which of them.
    pub selector: MeshSelector<'q>,
}

/// A selection by the label `kuma.io/mesh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshSelector<'q> {
    /// All.
    Any,
    /// All but those labelled with this mesh.
    NotOfMesh(&'q str),
    /// Only those labelled with this mesh.
    OfMesh(&'q str),
}

/// A Dataplane, as far as the rules need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataplaneFacts {
    /// `metadata.name`: the name of its Pod.
    pub name: Text<'static>,
    /// The top-level field `mesh`, if it is there; it decides, not the label (A6).
    pub mesh: Option<Text<'static>>,
}

/// The four ways in which a question goes wrong (A13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterFailure {
    /// Whoever asks is not allowed to; the text names what must be granted.
    NotGranted(&'static str),
    /// Kuma's kinds are not known to the cluster: no mesh can be in conflict.
    KumaNotInstalled,
    /// There is no such Namespace.
    NamespaceNotFound,
    /// Anything else; the text names what was asked for.
    Unavailable(&'static str),
}

impl fmt::Display for ClusterFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted(grant) => write!(formatter, "the policy is not granted {grant}"),
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
