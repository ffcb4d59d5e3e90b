//! What an object says it is, by its apiVersion and kind, or by the type of Kuma's own documents;
//! and what it was meant to be, where that is nearly or half of it.

use kuma_workload_rulebook::{
    admission::{TEMPLATE_KINDS, TemplateKind},
    quoted::Quoted,
};

use crate::read::tree::{Node, Position, Value};

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
fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    let templates = TEMPLATE_KINDS.iter();
    let templates = templates.map(|kind| (kind.api_version, kind.name));
    KINDS.into_iter().chain(templates)
}

/// A list is unwrapped before it comes here; under a kind that is nearly this one, it is not.
const LIST: (&str, &str) = ("v1", "List");

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
    const ALL: [(&'static str, Self); 6] = [
        ("Mesh", Self::Mesh),
        ("Dataplane", Self::Dataplane),
        ("DataplaneInsight", Self::DataplaneInsight),
        ("Workload", Self::Workload),
        ("MeshIdentity", Self::MeshIdentity),
        ("DataplaneOverview", Self::DataplaneOverview),
    ];

    fn of(name: &str) -> Option<Self> {
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
    /// The name of its kind, if that is read.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Kubernetes(kind) => kind.name(),
            Self::Kuma(kind) => kind.name(),
            Self::Other | Self::Doubtful(_) | Self::None => "",
        }
    }

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

/// Why an object is not read although it nearly says what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// Where that shows.
    pub at: Position,
    /// What is found.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
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
    match words(node, listed) {
        (Some(api_version), Some(kind)) => of_kubernetes(node, api_version, kind),
        (None, None) => match said(node, TYPE) {
            Some(of_type) => of_kuma(node, of_type),
            None => of_misspelt_keys(node),
        },
        (Some(_), None) => without_kind(node),
        (None, Some(kind)) => without_api_version(node, kind),
    }
}

const API_VERSION: &str = "apiVersion";
const KIND: &str = "kind";
const TYPE: &str = "type";

/// The words by which an object says what it is.
pub(super) const WORDS: [&str; 3] = [API_VERSION, KIND, TYPE];

/// A text that is not empty.
fn said<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    let text = node.get(key)?.text().ok()?;
    (!text.is_empty()).then_some(text)
}

/// Empty for the core group.
fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

fn of_kubernetes(node: &Node, api_version: &str, kind: &str) -> Identity {
    if let Some(kind) = Kind::of(api_version, kind) {
        return Identity::Kubernetes(kind);
    }
    let group = group_of(api_version);
    let near = known()
        .chain([LIST])
        .filter(|(api_version, _)| may_mean_group(group, group_of(api_version)))
        .filter_map(|known| Some((distance(kind, known.1)?, known)))
        .min();
    let Some((_, (right_version, right_kind))) = near else {
        return Identity::Other;
    };
    let object = called(node, kind);
    Identity::Doubtful(if kind == right_kind {
        Doubt {
            at: at(node, API_VERSION),
            message: format!(
                "{object} is not read: there is no {right_kind} of apiVersion {}",
                Quoted(api_version)
            ),
            remedy: format!("did you mean apiVersion: {right_version}?"),
        }
    } else {
        let version = match right_version == api_version {
            true => String::new(),
            false => format!(" of apiVersion: {right_version}"),
        };
        Doubt {
            at: at(node, KIND),
            message: format!(
                "{object} is not read: its kind {} is none that is known",
                Quoted(kind)
            ),
            remedy: format!("did you mean kind: {right_kind}{version}?"),
        }
    })
}

/// Whether a group can be meant for a known one. The groups of other people have a dot in them, as
/// API servers ask of each that a CustomResourceDefinition names; only Kuma's has one here.
fn may_mean_group(group: &str, known: &str) -> bool {
    !group.contains('.') || distance(group, known).is_some()
}

fn of_kuma(node: &Node, of_type: &str) -> Identity {
    if let Some(kind) = KumaKind::of(of_type) {
        return Identity::Kuma(kind);
    }
    match nearly_a_type(node, of_type) {
        Some(right) => Identity::Doubtful(Doubt {
            at: at(node, TYPE),
            message: format!(
                "{} is not read: its type {} is none that is known",
                called(node, of_type),
                Quoted(of_type)
            ),
            remedy: format!("did you mean type: {right}?"),
        }),
        None => Identity::Other,
    }
}

/// Many files that are not Kuma's have a `type`; Kuma's documents have a name as well.
fn nearly_a_type(node: &Node, of_type: &str) -> Option<&'static str> {
    said(node, "name")?;
    let known = KumaKind::ALL.iter().map(|(name, _)| *name);
    nearest(of_type, known)
}

fn without_kind(node: &Node) -> Identity {
    lacks(node, KIND, OBJECT, false).map_or(Identity::Other, Identity::Doubtful)
}

fn without_api_version(node: &Node, kind: &str) -> Identity {
    let known = known().find(|(_, known)| *known == kind);
    let doubt = lacks(node, API_VERSION, kind, known.is_some());
    Identity::Doubtful(match (doubt, known) {
        (None, _) => return Identity::Other,
        (Some(doubt), Some((api_version, _))) if misspelt(node, API_VERSION).is_none() => Doubt {
            remedy: format!("did you mean apiVersion: {api_version}?"),
            ..doubt
        },
        (Some(doubt), _) => doubt,
    })
}

/// An object that lacks one of its two words, `is_known` by the other. A file that looks like no
/// object otherwise, such as a chart's `Chart.yaml`, is none.
fn lacks(node: &Node, word: &'static str, kind: &str, is_known: bool) -> Option<Doubt> {
    let misspelt = misspelt(node, word);
    if !is_known && misspelt.is_none() && !looks_like_object(node) {
        return None;
    }
    let object = called(node, kind);
    Some(match (misspelt, node.get(word).map(|given| given.text())) {
        (Some((key, value)), _) => Doubt {
            at: value.at,
            message: format!(
                "{object} is not read: it has no {word}, but a key {}",
                Quoted(key)
            ),
            remedy: format!("did you mean {word}?"),
        },
        (None, Some(Err(mismatch))) => Doubt {
            at: mismatch.at,
            message: format!("{object} is not read: its {word} {}", mismatch.what),
            remedy: format!("correct its {word}"),
        },
        (None, _) => Doubt {
            at: node.at,
            message: format!("{object} is not read: it has no {word}"),
            remedy: format!("give it its {word}"),
        },
    })
}

/// An object with neither of its words, both of which stand there misspelt.
fn of_misspelt_keys(node: &Node) -> Identity {
    if looks_like_object(node)
        && let Some((api_version, _)) = misspelt(node, API_VERSION)
        && let Some((kind, value)) = misspelt(node, KIND)
    {
        return Identity::Doubtful(Doubt {
            at: value.at,
            message: format!(
                "{} is not read: it has neither apiVersion nor kind, but keys {} and {}",
                called(node, OBJECT),
                Quoted(api_version),
                Quoted(kind)
            ),
            remedy: "did you mean apiVersion and kind?".to_owned(),
        });
    }
    let of_type = misspelt(node, TYPE).filter(|(_, value)| {
        let text = value.text().unwrap_or_default();
        KumaKind::of(text).is_some() && said(node, "name").is_some()
    });
    match of_type {
        Some((key, value)) => Identity::Doubtful(Doubt {
            at: value.at,
            message: format!(
                "{} is not read: it has no type, but a key {}",
                called(node, OBJECT),
                Quoted(key)
            ),
            remedy: "did you mean type?".to_owned(),
        }),
        None if WORDS.iter().any(|word| node.get(word).is_some()) => Identity::Other,
        None => Identity::None,
    }
}

/// Kubernetes' objects have metadata, and most have a spec.
fn looks_like_object(node: &Node) -> bool {
    ["metadata", "spec"].iter().any(|key| {
        let value = node.get(key).map(|node| &node.value);
        matches!(value, Some(Value::Map(_)))
    })
}

/// A key that is nearly this word, which itself is not there.
fn misspelt<'n>(node: &'n Node, word: &str) -> Option<(&'n str, &'n Node)> {
    let entries = node.entries().ok()?;
    let near = entries
        .iter()
        .filter(|(key, _)| !WORDS.contains(&&**key))
        .filter_map(|(key, value)| Some((distance(key, word)?, key, value)));
    let (_, key, value) = near.min_by_key(|(distance, ..)| *distance)?;
    Some((key, value))
}

/// `Pod "a"`, or `a Pod` where it has no name.
fn called(node: &Node, kind: &str) -> String {
    let of_metadata = node.get("metadata").and_then(|node| said(node, "name"));
    match of_metadata.or_else(|| said(node, "name")) {
        Some(name) if is_plain(kind) => format!("{kind} {}", Quoted(name)),
        Some(name) => format!("object {}", Quoted(name)),
        None if is_plain(kind) && kind != OBJECT => format!("a {kind}"),
        None => "an object".to_owned(),
    }
}

/// What is called so where its kind is not known.
const OBJECT: &str = "object";

/// Whether a kind can stand in a sentence as it is.
fn is_plain(kind: &str) -> bool {
    kind.len() <= 63 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn at(node: &Node, key: &str) -> Position {
    node.get(key).map_or(node.at, |node| node.at)
}

fn nearest<'k>(text: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let near = known.filter_map(|known| Some((distance(text, known)?, known)));
    near.min().map(|(_, known)| known)
}

/// How far a text is from a known word, if it can be meant for it: by case alone, or by one letter of
/// a short word and two of a longer one. Two letters that changed places count as one.
fn distance(text: &str, known: &str) -> Option<usize> {
    const SHORT: usize = 4;
    let most = if known.len() <= SHORT { 1 } else { 2 };
    if text.len().abs_diff(known.len()) > 2 * most {
        return None;
    }
    let distance = strsim::osa_distance(&text.to_lowercase(), &known.to_lowercase());
    (distance <= most).then_some(distance)
}
