//! What an object says it is, by its apiVersion and kind, or by the type of Kuma's own documents.

use super::{
    doubt::{self, Doubt},
    kind::{API_VERSION, KIND, Kind, KumaKind, TYPE, WORDS, said},
};
use crate::read::tree::Node;

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
