//! What an object says it is, by its apiVersion and kind, or by the type of Kuma's own documents.

use kuma_workload_rulebook::admission::{TEMPLATE_KINDS, TemplateKind};

use super::doubt::{self, Doubt};
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
    /// DataplaneOverview: a Dataplane and its DataplaneInsight, as `kumactl inspect dataplanes`
    /// prints them. It is a type only.
    DataplaneOverview,
}

/// The kinds that are read beside those with a Pod template: apiVersion, and kind.
const KINDS: [(&str, &str); 7] = [
    ("v1", "Pod"),
    ("v1", "Namespace"),
    (KUMA, "Mesh"),
    (KUMA, "Dataplane"),
    (KUMA, "DataplaneInsight"),
    (KUMA, "Workload"),
    (KUMA, "MeshIdentity"),
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

    fn of(api_version: &str, kind: &str) -> Option<Self> {
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
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("Mesh", Self::Mesh),
        ("Dataplane", Self::Dataplane),
        ("DataplaneInsight", Self::DataplaneInsight),
        ("Workload", Self::Workload),
        ("MeshIdentity", Self::MeshIdentity),
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

/// What an object says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// A kind that is read.
    Kubernetes(Kind),
    /// A document of Kuma's own form, of a type that is read.
    Kuma(KumaKind),
    /// Something else, which does not matter here.
    Other,
    /// It was meant to be something that is read, or lacks half of what it has to say.
    Doubtful(Doubt),
    /// It has none of the words for it: it is no object.
    None,
}

impl Identity {
    /// Whether it is a DataplaneInsight.
    pub(super) fn is_insight(&self) -> bool {
        matches!(
            self,
            Self::Kubernetes(Kind::Kuma(KumaKind::DataplaneInsight))
                | Self::Kuma(KumaKind::DataplaneInsight)
        )
    }
}

/// A kind in the words of its objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KindName {
    /// The apiVersion; none in Kuma's own form.
    pub api_version: Option<Box<str>>,
    /// The kind, or the type in Kuma's own form.
    pub kind: Option<Box<str>>,
}

/// What an object says of itself; the items of a typed list leave out what the list says of them.
fn words<'n>(
    node: &'n Node,
    listed: Option<(&'n str, &'n str)>,
) -> (Option<&'n str>, Option<&'n str>) {
    let (api_version, kind) = (said(node, API_VERSION), said(node, KIND));
    (
        api_version.or(listed.map(|(api_version, _)| api_version)),
        kind.or(listed.map(|(_, kind)| kind)),
    )
}

/// What kind an object is of, whether that is read or not.
pub(super) fn kind_name(node: &Node, listed: Option<(&str, &str)>) -> KindName {
    let (api_version, kind) = words(node, listed);
    let of_type = || said(node, TYPE).filter(|_| api_version.is_none());
    KindName {
        api_version: api_version.map(Into::into),
        kind: kind.or_else(of_type).map(Into::into),
    }
}

/// What an object says it is.
pub(super) fn identify(node: &Node, listed: Option<(&str, &str)>) -> Identity {
    let doubt = match words(node, listed) {
        (Some(api_version), Some(kind)) => match Kind::of(api_version, kind) {
            Some(kind) => return Identity::Kubernetes(kind),
            None => doubt::about_kind(node, api_version, kind),
        },
        (None, None) => match said(node, TYPE) {
            Some(of_type) => match KumaKind::of(of_type) {
                Some(kind) => return Identity::Kuma(kind),
                None => doubt::about_type(node, of_type),
            },
            None => doubt::about_keys(node),
        },
        (Some(_), None) => doubt::without_kind(node),
        (None, Some(kind)) => doubt::without_api_version(node, kind),
    };
    match doubt {
        Some(doubt) => Identity::Doubtful(doubt),
        None if WORDS.iter().any(|word| node.get(word).is_some()) => Identity::Other,
        // The items of a typed list say nothing themselves.
        None if listed.is_some() => Identity::Other,
        None => Identity::None,
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
