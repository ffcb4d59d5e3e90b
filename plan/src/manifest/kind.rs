//! The kinds that are read, and the words by which an object says that it is of one.

use kuma_workload_rulebook::admission::{TEMPLATE_KINDS, TemplateKind};

use crate::read::tree::Node;

/// A kind of Kubernetes that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `v1` Pod.
    Pod,
    /// `v1` Namespace.
    Namespace,
    /// One of the kinds with a Pod template that are judged.
    Template(&'static TemplateKind),
    /// `kuma.io/v1alpha1`.
    Kuma(KumaKind),
}

/// A kind of Kuma that is read: on Kubernetes it is the kind, elsewhere the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KumaKind {
    /// Mesh.
    Mesh,
    /// Dataplane.
    Dataplane,
    /// DataplaneInsight.
    DataplaneInsight,
    /// Workload.
    Workload,
    /// MeshIdentity.
    MeshIdentity,
    /// MeshGateway.
    MeshGateway,
    /// MeshGatewayInstance. It is a kind only.
    MeshGatewayInstance,
    /// DataplaneOverview: a Dataplane and its DataplaneInsight, as `kumactl inspect dataplanes`
    /// prints them. It is a type only.
    DataplaneOverview,
}

/// The kinds that are read beside those with a Pod template: apiVersion, and kind.
const KINDS: [(&str, &str); 9] = [
    ("v1", "Pod"),
    ("v1", "Namespace"),
    (KUMA, "Mesh"),
    (KUMA, "Dataplane"),
    (KUMA, "DataplaneInsight"),
    (KUMA, "Workload"),
    (KUMA, "MeshIdentity"),
    (KUMA, "MeshGateway"),
    (KUMA, "MeshGatewayInstance"),
];

const KUMA: &str = "kuma.io/v1alpha1";

/// All kinds that are read. An API server knows one version of each.
pub(super) fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    let templates = TEMPLATE_KINDS.iter();
    let templates = templates.map(|kind| (kind.api_version, kind.name));
    KINDS.into_iter().chain(templates)
}

impl Kind {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::Namespace => "Namespace",
            Self::Template(kind) => kind.name,
            Self::Kuma(kind) => kind.name(),
        }
    }

    /// The kind of this apiVersion and name.
    pub(super) fn of(api_version: &str, kind: &str) -> Option<Self> {
        known().find(|known| *known == (api_version, kind))?;
        Some(match (api_version, kind) {
            ("v1", "Pod") => Self::Pod,
            ("v1", "Namespace") => Self::Namespace,
            (KUMA, kind) => Self::Kuma(KumaKind::of(kind)?),
            _ => Self::Template(TemplateKind::of_object(api_version, kind)?),
        })
    }
}

impl KumaKind {
    /// All of them, with their names.
    pub(super) const ALL: [(&'static str, Self); 8] = [
        ("Mesh", Self::Mesh),
        ("Dataplane", Self::Dataplane),
        ("DataplaneInsight", Self::DataplaneInsight),
        ("Workload", Self::Workload),
        ("MeshIdentity", Self::MeshIdentity),
        ("MeshGateway", Self::MeshGateway),
        ("MeshGatewayInstance", Self::MeshGatewayInstance),
        ("DataplaneOverview", Self::DataplaneOverview),
    ];

    /// The kind of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, kind)| *kind)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, known)| *known == self);
        found.map_or("", |(name, _)| name)
    }
}

/// The word for the group and version of an object of Kubernetes.
pub(super) const API_VERSION: &str = "apiVersion";
/// The word for its kind.
pub(super) const KIND: &str = "kind";
/// The word for the kind of a document of Kuma's own form.
pub(super) const TYPE: &str = "type";

/// The words by which an object says what it is.
pub(super) const WORDS: [&str; 3] = [API_VERSION, KIND, TYPE];

/// A text that is not empty.
pub(super) fn said<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    let text = node.get(key)?.text().ok()?;
    (!text.is_empty()).then_some(text)
}
