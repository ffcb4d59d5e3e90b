//! Objects that are nearly of a kind that is read, or say only half of what they are: what was meant.
//! Other people's kinds and files are none of these.

use kuma_workload_rulebook::quoted::Quoted;

use super::kind::{API_VERSION, KIND, KumaKind, TYPE, WORDS, known, said};
use crate::read::tree::{Node, Position, Value};

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

/// A list is unwrapped before it comes here; under a kind that is nearly this one, it is not.
const LIST: (&str, &str) = ("v1", "List");

/// An object of no kind that is read.
pub(super) fn about_kind(node: &Node, api_version: &str, kind: &str) -> Option<Doubt> {
    let group = group_of(api_version);
    let near = known()
        .chain([LIST])
        .filter(|(api_version, _)| may_mean_group(group, group_of(api_version)))
        .filter_map(|known| Some((distance(kind, known.1)?, known)))
        .min();
    let (_, (right_version, right_kind)) = near?;
    let object = called(node, kind);
    Some(if kind == right_kind {
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

/// Empty for the core group.
fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// A document of no type that is read. Many files that are not Kuma's have a `type`; Kuma's documents
/// have a name as well.
pub(super) fn about_type(node: &Node, of_type: &str) -> Option<Doubt> {
    said(node, "name")?;
    let right = nearest_type(of_type)?;
    Some(Doubt {
        at: at(node, TYPE),
        message: format!(
            "{} is not read: its type {} is none that is known",
            called(node, of_type),
            Quoted(of_type)
        ),
        remedy: format!("did you mean type: {right}?"),
    })
}

fn nearest_type(of_type: &str) -> Option<&'static str> {
    let known = KumaKind::ALL.iter().map(|(name, _)| *name);
    let near = known.filter_map(|known| Some((distance(of_type, known)?, known)));
    near.min().map(|(_, known)| known)
}

/// An object with an apiVersion and no kind.
pub(super) fn without_kind(node: &Node) -> Option<Doubt> {
    let of_type = said(node, TYPE).and_then(nearest_type);
    let doubt = lacks(node, KIND, of_type.unwrap_or(OBJECT), of_type.is_some())?;
    Some(match of_type {
        Some(of_type) if misspelt(node, KIND).is_none() => Doubt {
            remedy: format!("did you mean kind: {of_type}?"),
            ..doubt
        },
        _ => doubt,
    })
}

/// An object with a kind and no apiVersion.
pub(super) fn without_api_version(node: &Node, kind: &str) -> Option<Doubt> {
    let known = known().find(|(_, known)| *known == kind);
    let doubt = lacks(node, API_VERSION, kind, known.is_some())?;
    Some(match known {
        Some((api_version, _)) if misspelt(node, API_VERSION).is_none() => Doubt {
            // Kuma's own documents have their names beside their types.
            remedy: match KumaKind::of(kind).and_then(|_| said(node, "name")) {
                Some(_) => format!("did you mean type: {kind}?"),
                None => format!("did you mean apiVersion: {api_version}?"),
            },
            ..doubt
        },
        _ => doubt,
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

/// An object with none of the words that say what it is, which stand there misspelt.
pub(super) fn about_keys(node: &Node) -> Option<Doubt> {
    if looks_like_object(node)
        && let Some((api_version, _)) = misspelt(node, API_VERSION)
        && let Some((kind, value)) = misspelt(node, KIND)
    {
        return Some(Doubt {
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
    let (key, value) = misspelt(node, TYPE)?;
    KumaKind::of(value.text().ok()?)?;
    said(node, "name")?;
    Some(Doubt {
        at: value.at,
        message: format!(
            "{} is not read: it has no type, but a key {}",
            called(node, OBJECT),
            Quoted(key)
        ),
        remedy: "did you mean type?".to_owned(),
    })
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
