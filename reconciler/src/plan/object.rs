//! Documents as objects: of the kinds that matter here, the fields that matter.

mod reader;

pub use reader::{Found, Reader};

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    admission::{Quoted, TemplateKind},
    keys,
    metadata::{self, Labels, Metadata},
    roster,
    spiffe::MeshIdentity,
};

use super::input::{Place, tree::Position};

/// What is read of an object.
#[derive(Debug, Clone)]
pub enum Object {
    /// `v1` Pod.
    Pod(Pod),
    /// One of the seven kinds with a Pod template.
    Template(Template),
    /// `v1` Namespace.
    Namespace(Namespace),
    /// `kuma.io` Mesh: its name.
    Mesh(Named),
    /// `kuma.io` Dataplane.
    Dataplane(Dataplane),
    /// `kuma.io` Workload.
    Workload(Workload),
    /// `kuma.io` MeshIdentity.
    MeshIdentity(Identity),
    /// `type: Mesh`.
    UniversalMesh(Named),
    /// `type: Dataplane`.
    UniversalDataplane(UniversalDataplane),
    /// `type: Workload`.
    UniversalWorkload(UniversalWorkload),
    /// `type: MeshIdentity`.
    UniversalIdentity(Identity),
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
pub struct Pod {
    /// What it is called.
    pub named: Named,
    /// Its controller.
    pub owner: Option<Owner>,
    /// What the rules read of it.
    pub facts: metadata::Pod<'static>,
    /// Where its telling labels and annotations stand.
    pub marks: Marks,
}

/// An object with a Pod template.
#[derive(Debug, Clone)]
pub struct Template {
    /// What it is called.
    pub named: Named,
    /// Its kind.
    pub kind: TemplateKind,
    /// Its controller, if that is one of the seven kinds.
    pub owner: Option<Owner>,
    /// Whether it makes no Pods any more: scaled to zero, or done.
    pub idle: bool,
    /// What the rules read of the template.
    pub facts: metadata::Pod<'static>,
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
pub struct Namespace {
    /// What it is called.
    pub named: Named,
    /// Its labels and annotations.
    pub metadata: Metadata<'static>,
}

/// A Dataplane of Kubernetes.
#[derive(Debug, Clone)]
pub struct Dataplane {
    /// What it is called.
    pub named: Named,
    /// Its top-level mesh.
    pub mesh: Option<String>,
    /// Its labels and annotations.
    pub metadata: Metadata<'static>,
    /// Where its label `kuma.io/mesh` stands.
    pub mesh_label: Option<Position>,
}

impl Dataplane {
    /// Its identifier as Kuma stores it (W8).
    pub fn stored(&self) -> Option<&str> {
        self.metadata.annotations.get_non_empty(keys::WORKLOAD)
    }
}

/// A Workload of Kubernetes.
#[derive(Debug, Clone)]
pub struct Workload {
    /// What it is called.
    pub named: Named,
    /// Its labels.
    pub labels: Labels<'static>,
    /// The names of the Meshes that own it.
    pub mesh_owners: Vec<String>,
}

impl Workload {
    /// What the roster needs of it.
    pub fn facts(&self) -> roster::Existing<'_> {
        roster::Existing {
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
pub struct Identity {
    /// What it is called.
    pub named: Named,
    /// What the rules read of it.
    pub facts: MeshIdentity,
}

/// A Dataplane document of Universal.
#[derive(Debug, Clone)]
pub struct UniversalDataplane {
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
pub struct UniversalWorkload {
    /// What it is called; its namespace is its mesh.
    pub named: Named,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A name as a sentence shows it.
pub fn shown(name: &str) -> Quoted<'_> {
    Quoted(name)
}
