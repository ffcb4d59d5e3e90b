//! All objects that were read, each once, in an order that does not depend on how they came.

mod fill;

use std::collections::BTreeMap;

use kuma_workload_rulebook::{mesh, metadata::Metadata, quoted::Quoted};

use super::{
    finding::{self, Finding},
    manifest::{
        BuiltinGatewayManifest, DataplaneManifest, Home, InsightManifest, KindName,
        MeshIdentityManifest, MeshManifest, Name, Named, NamespaceManifest, Owner, PodManifest,
        Skipped, TemplateManifest, UniversalDataplaneManifest, UniversalWorkloadManifest,
        WorkloadManifest,
    },
    read::{Fault, Place},
    report::FindingReport,
};

/// What an object is found by. Objects whose names the API server will make are told apart by
/// where they stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    home: Home,
    name: Name,
    /// Its kind, where several share a map.
    kind: &'static str,
    unnamed: Option<Place>,
}

impl Key {
    /// The key of an object with a name.
    pub(crate) fn of(kind: &'static str, home: Home, name: &str) -> Self {
        Self {
            home,
            name: Name::Given(name.into()),
            kind,
            unnamed: None,
        }
    }

    /// The key of an object in a namespace.
    fn in_namespace(kind: &'static str, namespace: &str, name: &str) -> Self {
        Self::of(kind, Home::Namespace(namespace.into()), name)
    }

    fn of_named(named: &Named, kind: &'static str) -> Self {
        let place = || named.place.clone();
        Self {
            home: named.home.clone(),
            name: named.name.clone(),
            kind,
            unnamed: match named.name {
                Name::Given(_) => None,
                Name::Generated(_) => place(),
            },
        }
    }
}

/// Objects by their keys.
pub(crate) type Objects<T> = BTreeMap<Key, T>;

/// All objects that were read.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Pods.
    pub(crate) pods: Objects<PodManifest>,
    /// Objects with a Pod template.
    pub(crate) templates: Objects<TemplateManifest>,
    /// Namespaces.
    pub(crate) namespaces: Objects<NamespaceManifest>,
    /// Meshes.
    pub(crate) meshes: Objects<MeshManifest>,
    /// Dataplanes of Kubernetes.
    pub(crate) dataplanes: Objects<DataplaneManifest>,
    /// Workloads of Kubernetes.
    pub(crate) workloads: Objects<WorkloadManifest>,
    /// MeshIdentities of Kubernetes.
    pub(crate) identities: Objects<MeshIdentityManifest>,
    /// Meshes of Universal.
    pub(crate) universal_meshes: Objects<MeshManifest>,
    /// Dataplanes of Universal.
    pub(crate) universal_dataplanes: Objects<UniversalDataplaneManifest>,
    /// Workloads of Universal.
    pub(crate) universal_workloads: Objects<UniversalWorkloadManifest>,
    /// MeshIdentities of Universal.
    pub(crate) universal_identities: Objects<MeshIdentityManifest>,
    /// What makes or describes builtin gateways, of whatever control plane.
    pub(crate) gateways: Objects<BuiltinGatewayManifest>,
    /// DataplaneInsights, of whatever control plane, if they are read.
    pub(crate) insights: Objects<InsightManifest>,
    /// Objects that do not matter here, by their kinds.
    pub(crate) skipped: BTreeMap<KindName, Skipped>,
    /// How many objects would matter, but are in another namespace than the one that counts.
    pub(crate) elsewhere: usize,
    /// How many objects matter.
    pub(crate) read: usize,
    /// How many files were passed over.
    pub(crate) passed_over: usize,
    /// How many documents said what they are.
    documents: usize,
    /// Whether kumactl printed something of it from a control plane on Kubernetes.
    shows_kubernetes: bool,
    /// What there is to say of the reading itself.
    pub(crate) findings: Vec<Finding>,
    /// What cannot be read.
    pub(crate) faults: Vec<Fault>,
    /// What could not be read of a cluster, and why.
    pub unread: Unread,
    /// Whether this is a cluster, where what was not found is not there.
    pub(crate) live: bool,
}

/// What could not be read of a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Namespaces.
    pub namespaces: bool,
    /// Meshes.
    pub meshes: bool,
    /// Dataplanes.
    pub dataplanes: bool,
    /// Workloads.
    pub workloads: bool,
    /// Whether Kuma's kinds are unknown to the cluster.
    pub without_kuma: bool,
}

impl Inventory {
    /// The inventory of a cluster, where what was not found is not there.
    pub fn of_cluster() -> Self {
        Self {
            live: true,
            ..Self::default()
        }
    }

    /// Whether there was nothing at all: no document that says what it is, and nothing that went wrong.
    pub fn is_empty(&self) -> bool {
        self.documents == 0 && self.faults.is_empty()
    }

    /// The Dataplanes of Kubernetes, copies from other zones among them.
    pub fn dataplanes(&self) -> impl Iterator<Item = &DataplaneManifest> {
        self.dataplanes.values()
    }

    /// The DataplaneInsights, of whatever control plane, if the options ask for them.
    pub fn insights(&self) -> impl Iterator<Item = &InsightManifest> {
        self.insights.values()
    }

    /// The Workloads of Kubernetes.
    pub fn workloads(&self) -> impl Iterator<Item = &WorkloadManifest> {
        self.workloads.values()
    }

    /// The Dataplanes of Universal, copies from other zones among them.
    pub fn universal_dataplanes(&self) -> impl Iterator<Item = &UniversalDataplaneManifest> {
        self.universal_dataplanes.values()
    }

    /// The Workloads of Universal, copies from other zones among them.
    pub fn universal_workloads(&self) -> impl Iterator<Item = &UniversalWorkloadManifest> {
        self.universal_workloads.values()
    }

    /// What there is to say of the reading itself.
    pub fn findings(&self) -> Vec<FindingReport> {
        finding::group::grouped(self.findings.iter().cloned())
    }

    /// What cannot be read.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The labels and annotations of a Namespace; one that was not read has none.
    pub fn namespace(&self, name: &str) -> Option<&NamespaceManifest> {
        self.namespaces
            .get(&Key::of("Namespace", Home::Cluster, name))
    }

    /// Whether it is known what a Namespace says: it was read, or is not there.
    pub(crate) fn knows_namespace(&self, name: &str) -> bool {
        self.namespace(name).is_some() || self.live && !self.unread.namespaces
    }

    /// As [`namespace`](Self::namespace).
    pub fn namespace_metadata(&self, name: &str) -> &Metadata<'static> {
        static NONE: std::sync::LazyLock<Metadata<'static>> =
            std::sync::LazyLock::new(Metadata::default);
        self.namespace(name).map_or(&NONE, |found| &found.metadata)
    }

    /// The Dataplane of a name.
    pub fn dataplane(&self, namespace: &str, name: &str) -> Option<&DataplaneManifest> {
        self.dataplanes
            .get(&Key::in_namespace("Dataplane", namespace, name))
    }

    /// The Pod of a name.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&PodManifest> {
        self.pods.get(&Key::in_namespace("Pod", namespace, name))
    }

    /// The Workload of a name.
    pub fn workload(&self, namespace: &str, name: &str) -> Option<&WorkloadManifest> {
        self.workloads
            .get(&Key::in_namespace("Workload", namespace, name))
    }

    /// Whether a template's controller was read: it says the same, and speaks for both (A2).
    pub fn is_spoken_for(&self, template: &TemplateManifest) -> bool {
        let owner = template.owner.as_ref();
        template.is_made_by_its_owner()
            && owner.is_some_and(|owner| {
                let namespace = template.named.namespace();
                self.template(namespace, owner).is_some()
            })
    }

    /// The object that controls another.
    pub fn template(&self, namespace: &str, owner: &Owner) -> Option<&TemplateManifest> {
        self.templates.get(&Key::in_namespace(
            owner.template?.name,
            namespace,
            &owner.name,
        ))
    }

    /// Whether a Mesh exists. Manifests without any Mesh say nothing of meshes, and `default` is
    /// Kuma's own.
    pub fn has_mesh(&self, name: &str) -> bool {
        match self.live {
            true => self.unread.meshes || is_among(&self.meshes, name),
            false => may_be_among(&self.meshes, name),
        }
    }

    /// As [`has_mesh`](Self::has_mesh), of Universal's documents.
    pub(crate) fn has_universal_mesh(&self, name: &str) -> bool {
        may_be_among(&self.universal_meshes, name)
    }
}

fn is_among(meshes: &Objects<MeshManifest>, name: &str) -> bool {
    meshes.contains_key(&Key::of("Mesh", Home::Cluster, name))
}

fn may_be_among(meshes: &Objects<MeshManifest>, name: &str) -> bool {
    meshes.is_empty() || name == mesh::DEFAULT || is_among(meshes, name)
}

/// A name with its namespace or mesh, for a sentence.
pub(crate) fn full_name(named: &Named) -> String {
    let name = named.name.as_str();
    match &named.home {
        Home::Cluster => Quoted(name).to_string(),
        Home::Namespace(home) | Home::Mesh(home) => Quoted(&format!("{home}/{name}")).to_string(),
    }
}
