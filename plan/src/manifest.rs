//! Documents as objects: of the kinds that matter here, the fields that matter.

mod reader;

pub use reader::Found;

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    admission::TemplateKind,
    keys,
    metadata::{Labels, Metadata, PodFacts},
    roster::{self, Origin},
    spiffe::MeshIdentity,
};

use super::read::{Place, tree::Position};

/// What is read of an object.
#[derive(Debug, Clone)]
pub(crate) enum Manifest {
    /// `v1` Pod.
    Pod(PodManifest),
    /// One of the seven kinds with a Pod template.
    Template(TemplateManifest),
    /// `v1` Namespace.
    Namespace(NamespaceManifest),
    /// `kuma.io` Mesh: its name.
    Mesh(Named),
    /// `kuma.io` Dataplane.
    Dataplane(DataplaneManifest),
    /// `kuma.io` Workload.
    Workload(WorkloadManifest),
    /// `kuma.io` MeshIdentity.
    MeshIdentity(MeshIdentityManifest),
    /// `type: Mesh`.
    UniversalMesh(Named),
    /// `type: Dataplane`.
    UniversalDataplane(UniversalDataplaneManifest),
    /// `type: Workload`.
    UniversalWorkload(UniversalWorkloadManifest),
    /// `type: MeshIdentity`.
    UniversalIdentity(MeshIdentityManifest),
}

/// Where an object stands and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Where it stands, if in a file.
    pub place: Option<Place>,
    /// Its namespace; empty where it has none. On Universal, its mesh.
    pub namespace: String,
    /// Its name, or its `generateName` and a `*`.
    pub name: String,
}

impl Named {
    /// Whether the API server will make its name.
    pub fn is_generated(&self) -> bool {
        self.name.ends_with('*')
    }
}

/// A Pod.
#[derive(Debug, Clone)]
pub struct PodManifest {
    /// What it is called.
    pub named: Named,
    /// Its controller.
    pub owner: Option<Owner>,
    /// What the rules read of it.
    pub facts: PodFacts<'static>,
    /// Where its telling labels and annotations stand.
    pub marks: Marks,
}

/// An object with a Pod template.
#[derive(Debug, Clone)]
pub struct TemplateManifest {
    /// What it is called.
    pub named: Named,
    /// Its kind.
    pub kind: &'static TemplateKind,
    /// Its controller, if that is one of the seven kinds.
    pub owner: Option<Owner>,
    /// Whether it makes no Pods any more: scaled to zero, or done.
    pub idle: bool,
    /// What the rules read of the template.
    pub facts: PodFacts<'static>,
    /// Where its telling labels and annotations stand.
    pub marks: Marks,
}

/// The controller of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its kind, if it is one of the seven.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// Where labels and annotations stand that findings are about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Marks {
    /// Label `kuma.io/workload`.
    pub workload_label: Option<Position>,
    /// Annotation `kuma.io/workload`.
    pub workload_annotation: Option<Position>,
    /// Label or annotation `kuma.io/mesh`.
    pub mesh: Option<Position>,
}

/// A Namespace.
#[derive(Debug, Clone)]
pub struct NamespaceManifest {
    /// What it is called.
    pub named: Named,
    /// Its labels and annotations.
    pub metadata: Metadata<'static>,
}

/// A Dataplane of Kubernetes.
#[derive(Debug, Clone)]
pub struct DataplaneManifest {
    /// What it is called.
    pub named: Named,
    /// Its top-level mesh.
    pub mesh: Option<String>,
    /// Its labels and annotations.
    pub metadata: Metadata<'static>,
    /// Where its label `kuma.io/mesh` stands.
    pub mesh_label: Option<Position>,
    /// Whether a Pod is its controller.
    pub owned_by_pod: bool,
}

impl DataplaneManifest {
    /// Whether it is no copy from another zone.
    pub fn is_local(&self) -> bool {
        let Metadata {
            labels,
            annotations,
        } = &self.metadata;
        let origin = Origin {
            owned_by_pod: self.owned_by_pod,
            home_namespace: labels.get(keys::HOME_NAMESPACE),
            environment: labels.get(keys::ENVIRONMENT),
            display_names: [
                labels.get(keys::DISPLAY_NAME),
                annotations.get(keys::DISPLAY_NAME),
            ],
        };
        origin.is_local(&self.named.namespace, &self.named.name)
    }

    /// Its identifier as Kuma stores it (W8).
    pub fn stored(&self) -> Option<&str> {
        self.metadata.annotations.get_non_empty(keys::WORKLOAD)
    }
}

/// A Workload of Kubernetes.
#[derive(Debug, Clone)]
pub struct WorkloadManifest {
    /// What it is called.
    pub named: Named,
    /// Its labels.
    pub labels: Labels<'static>,
    /// The names of the Meshes that own it.
    pub mesh_owners: Vec<String>,
}

impl WorkloadManifest {
    /// What the roster needs of it.
    pub fn facts(&self) -> roster::ExistingWorkload<'_> {
        roster::ExistingWorkload {
            mesh: self.labels.get(keys::MESH),
            managed_by: self.labels.get(keys::MANAGED_BY),
            origin: self.labels.get(keys::ORIGIN),
            home_namespace: self.labels.get(keys::HOME_NAMESPACE),
            mesh_owners: self.mesh_owners.iter().map(String::as_str).collect(),
        }
    }
}

/// A MeshIdentity.
#[derive(Debug, Clone)]
pub(crate) struct MeshIdentityManifest {
    /// What it is called.
    pub named: Named,
    /// What the rules read of it.
    pub facts: MeshIdentity,
}

/// A Dataplane document of Universal.
#[derive(Debug, Clone)]
pub(crate) struct UniversalDataplaneManifest {
    /// What it is called; its namespace is its mesh.
    pub named: Named,
    /// Its labels.
    pub labels: Labels<'static>,
    /// The tags `kuma.io/workload` of its inbounds, in order.
    pub tags: Vec<String>,
    /// Where the first of them stands.
    pub tag: Option<Position>,
}

/// A Workload document of Universal.
#[derive(Debug, Clone)]
pub(crate) struct UniversalWorkloadManifest {
    /// What it is called; its namespace is its mesh.
    pub named: Named,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}
