//! What is read of objects: the fields that matter, and where they stand.

use kuma_workload_rulebook::{
    admission::TemplateKind,
    counts::{Counts, Inbounds},
    keys,
    metadata::{Labels, Metadata, PodFacts},
    roster::{self, Origin},
    spiffe::MeshIdentity,
    universal,
};

use super::named::{Home, Named};
use crate::read::tree::Position;

/// What is read of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Manifest {
    /// `v1` Pod.
    Pod(PodManifest),
    /// One of the seven kinds with a Pod template.
    Template(TemplateManifest),
    /// `v1` Namespace.
    Namespace(NamespaceManifest),
    /// `kuma.io` Mesh.
    Mesh(MeshManifest),
    /// `kuma.io` Dataplane.
    Dataplane(DataplaneManifest),
    /// `kuma.io` DataplaneInsight, or `type: DataplaneInsight`.
    Insight(InsightManifest),
    /// `kuma.io` Workload.
    Workload(WorkloadManifest),
    /// `kuma.io` MeshIdentity.
    MeshIdentity(MeshIdentityManifest),
    /// `kuma.io` MeshGateway or MeshGatewayInstance, or `type: MeshGateway`.
    BuiltinGateway(BuiltinGatewayManifest),
    /// `type: Mesh`.
    UniversalMesh(MeshManifest),
    /// `type: Dataplane`.
    UniversalDataplane(UniversalDataplaneManifest),
    /// `type: Workload`.
    UniversalWorkload(UniversalWorkloadManifest),
    /// `type: MeshIdentity`.
    UniversalIdentity(MeshIdentityManifest),
}

impl Manifest {
    /// Whether it is an object of Kubernetes.
    pub(super) fn is_on_kubernetes(&self) -> bool {
        match self {
            Self::Insight(insight) => matches!(insight.named.home, Home::Namespace(_)),
            Self::BuiltinGateway(gateway) => !matches!(gateway.named.home, Home::Mesh(_)),
            Self::UniversalMesh(_)
            | Self::UniversalDataplane(_)
            | Self::UniversalWorkload(_)
            | Self::UniversalIdentity(_) => false,
            _ => true,
        }
    }
}

/// A Pod.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateManifest {
    /// What it is called.
    pub named: Named,
    /// Its kind.
    pub kind: &'static TemplateKind,
    /// Its controller.
    pub owner: Option<Owner>,
    /// Whether no Pods come of it as it is: it is scaled to zero, suspended or done.
    pub idle: bool,
    /// What the rules read of the template.
    pub facts: PodFacts<'static>,
    /// Where its telling labels and annotations stand.
    pub marks: Marks,
}

impl TemplateManifest {
    /// Whether its controller makes such objects from a template of its own, which is judged (A2).
    pub fn is_made_by_its_owner(&self) -> bool {
        let maker = self.owner.as_ref().and_then(|owner| owner.template);
        maker.is_some_and(|maker| self.kind.is_made_by(maker))
    }
}

/// The controller of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its kind, if that is one with a Pod template that is judged.
    pub template: Option<&'static TemplateKind>,
    /// Its kind, as the reference has it.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Where labels and annotations stand that findings are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Label `kuma.io/workload`.
    pub workload_label: Option<Position>,
    /// Annotation `kuma.io/workload`.
    pub workload_annotation: Option<Position>,
    /// Label or annotation `kuma.io/mesh`.
    pub mesh: Option<Position>,
    /// Annotation `kuma.io/mesh`.
    pub mesh_annotation: Option<Position>,
    /// Annotation `kuma.io/gateway`.
    pub gateway: Option<Position>,
    /// Annotation `kuma.io/ingress`.
    pub ingress: Option<Position>,
    /// Annotation `kuma.io/egress`.
    pub egress: Option<Position>,
}

/// A Namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceManifest {
    /// What it is called.
    pub named: Named,
    /// Its labels and annotations.
    pub metadata: Metadata<'static>,
    /// Where its telling labels and annotations stand.
    pub marks: Marks,
}

/// A Mesh, of Kubernetes or Universal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MeshManifest {
    /// What it is called.
    pub named: Named,
    /// Its constraints on who may join it, if it has any.
    pub constraints: Option<MeshConstraints>,
    /// Where its mtls stands, if that gives identities.
    pub mtls: Option<Position>,
}

/// What a Mesh says about who may join it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MeshConstraints {
    /// Where that stands.
    pub at: Position,
    /// The values of the tag for Namespaces that are let in, sorted; empty if more is said than that.
    pub namespaces: Vec<String>,
}

/// A resource that makes or describes builtin gateways, which Kuma has before version 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuiltinGatewayManifest {
    /// What it is called.
    pub named: Named,
    /// Its kind.
    pub kind: &'static str,
}

/// A Dataplane of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Where it says that it is a builtin gateway, if it does.
    pub builtin_gateway: Option<Position>,
    /// What it says of its health (S3).
    pub inbounds: Inbounds,
}

impl DataplaneManifest {
    /// Whether it is no copy from another zone (section 7). A copy that kumactl printed may live in no
    /// namespace.
    pub fn is_local(&self) -> bool {
        let origin = Origin {
            owned_by_pod: self.owned_by_pod,
            ..origin(&self.metadata)
        };
        let namespace = self.named.namespace();
        !namespace.is_empty() && origin.is_local(namespace, self.named.name.as_str())
    }

    /// What the roster needs of it, with the identifier that Kuma stores.
    pub fn facts(&self) -> roster::RosterDataplane<'_> {
        roster::RosterDataplane {
            namespace: self.named.namespace(),
            name: self.named.name.as_str(),
            workload: self.stored(),
            mesh: self.mesh.as_deref(),
            local: self.is_local(),
            inbounds: self.inbounds,
        }
    }

    /// Its identifier as Kuma stores it (W8).
    pub fn stored(&self) -> Option<&str> {
        self.metadata.annotations.get_non_empty(keys::WORKLOAD)
    }
}

/// What the metadata of a Dataplane or Workload shows of where it comes from.
fn origin<'m>(metadata: &'m Metadata<'_>) -> Origin<'m> {
    let Metadata {
        labels,
        annotations,
    } = metadata;
    Origin {
        owned_by_pod: false,
        home_namespace: labels.get(keys::HOME_NAMESPACE),
        environment: labels.get(keys::ENVIRONMENT),
        display_names: [
            labels.get(keys::DISPLAY_NAME),
            annotations.get(keys::DISPLAY_NAME),
        ],
    }
}

/// A DataplaneInsight, of whatever control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsightManifest {
    /// What it is called: as its Dataplane.
    pub named: Named,
    /// Its mesh.
    pub mesh: Option<String>,
    /// Whether its proxy is online (S2).
    pub online: bool,
}

/// A Workload of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadManifest {
    /// What it is called.
    pub named: Named,
    /// Its labels and annotations, as far as they are Kuma's.
    pub metadata: Metadata<'static>,
    /// The names of the Meshes that own it.
    pub mesh_owners: Vec<String>,
    /// Where its ownerReferences stand.
    pub owners: Option<Position>,
    /// The numbers that it shows.
    pub reported: Option<Counts>,
}

impl WorkloadManifest {
    /// Whether it is no copy from another zone (S4). One that kumactl printed may live in no namespace.
    pub fn is_local(&self) -> bool {
        let label = self.metadata.labels.get(keys::ORIGIN);
        let (namespace, name) = (self.named.namespace(), self.named.name.as_str());
        !namespace.is_empty() && origin(&self.metadata).is_local_workload(label, namespace, name)
    }

    /// What the roster needs of it.
    pub fn facts(&self) -> roster::ExistingWorkload<'_> {
        let labels = &self.metadata.labels;
        roster::ExistingWorkload {
            mesh: labels.get(keys::MESH),
            managed_by: labels.get(keys::MANAGED_BY),
            is_copy: !self.is_local(),
            mesh_owners: self.mesh_owners.iter().map(String::as_str).collect(),
        }
    }
}

/// A MeshIdentity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MeshIdentityManifest {
    /// What it is called.
    pub named: Named,
    /// What the rules read of it.
    pub facts: MeshIdentity,
}

/// A Dataplane document of Universal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniversalDataplaneManifest {
    /// What it is called.
    pub named: Named,
    /// Its labels.
    pub labels: Labels<'static>,
    /// The tags `kuma.io/workload` of its inbounds, in order.
    pub tags: Vec<String>,
    /// Where the first of them stands.
    pub tag: Option<Position>,
    /// Where it says that it is a builtin gateway, if it does.
    pub builtin_gateway: Option<Position>,
    /// What it says of its health (S3).
    pub inbounds: Inbounds,
}

impl UniversalDataplaneManifest {
    /// What the rules need of it.
    pub fn facts(&self) -> universal::UniversalDataplane<'_> {
        universal::UniversalDataplane {
            mesh: self.named.mesh(),
            name: self.named.name.as_str(),
            label: self.labels.get(keys::WORKLOAD),
            tags: self.tags.iter().map(String::as_str).collect(),
        }
    }

    /// Whether it is no copy from another zone.
    pub fn is_local(&self) -> bool {
        let label = |key| self.labels.get(key);
        universal::is_local(
            self.named.name.as_str(),
            label(keys::DISPLAY_NAME),
            label(keys::HOME_NAMESPACE),
        )
    }
}

/// A Workload document of Universal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniversalWorkloadManifest {
    /// What it is called.
    pub named: Named,
    /// Its labels, as far as they are Kuma's.
    pub labels: Labels<'static>,
    /// The numbers that it shows.
    pub reported: Option<Counts>,
}

impl UniversalWorkloadManifest {
    /// Whether it is no copy from another zone.
    pub fn is_local(&self) -> bool {
        let label = |key| self.labels.get(key);
        universal::is_local(
            self.named.name.as_str(),
            label(keys::DISPLAY_NAME),
            label(keys::HOME_NAMESPACE),
        )
    }
}
