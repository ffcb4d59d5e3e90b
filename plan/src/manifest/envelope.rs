//! What objects come in: lists of kubectl and kumactl, arrays as jq collects them, and the events of
//! a watch.

use super::kind::WORDS;
use crate::read::tree::{Mismatch, Node, Value};

/// What an object was read from, as far as that matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mention {
    /// It is there.
    #[default]
    Given,
    /// A watch told of it: it is there, and may be told of again.
    Watched,
    /// A watch told that it has gone.
    Gone,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Envelope<'n> {
    /// Nothing.
    Nothing,
    /// What stands in an array.
    Array(&'n [Node]),
    /// Objects, with the apiVersion and kind that the list says of them, if it is a typed one.
    List(&'n [Node], Option<(&'n str, &'n str)>),
    /// An object that a watch told of.
    Event(Mention, &'n Node),
    /// A watch that says only how far it is.
    Bookmark,
    /// A watch that broke off, with the Status that says why.
    BrokenOff(&'n Node),
    /// An object.
    Object,
    /// A list whose items are none.
    Odd(Mismatch),
    /// Anything else.
    NoObject,
}

/// Looks into a node.
pub(super) fn open(node: &Node) -> Envelope<'_> {
    match &node.value {
        Value::Null => Envelope::Nothing,
        Value::List(items) => Envelope::Array(items),
        Value::Map(_) => event(node)
            .or_else(|| list(node))
            .unwrap_or(Envelope::Object),
        _ => Envelope::NoObject,
    }
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key)?.text().ok()
}

fn event(node: &Node) -> Option<Envelope<'_>> {
    let object = node.get("object")?;
    object.entries().ok()?;
    Some(match text(node, "type")? {
        "ADDED" | "MODIFIED" => Envelope::Event(Mention::Watched, object),
        "DELETED" => Envelope::Event(Mention::Gone, object),
        "BOOKMARK" => Envelope::Bookmark,
        "ERROR" => Envelope::BrokenOff(object),
        _ => return None,
    })
}

fn list(node: &Node) -> Option<Envelope<'_>> {
    let items = node.get("items");
    let Some(kind) = text(node, "kind") else {
        return list_of_kumactl(node, items);
    };
    let item_kind = kind.strip_suffix("List")?;
    match items.map(|items| &items.value) {
        Some(Value::List(items)) => {
            let api_version = text(node, "apiVersion").unwrap_or_default();
            let listed = (!item_kind.is_empty()).then_some((api_version, item_kind));
            Some(Envelope::List(items, listed))
        }
        // A List is nothing but its items; Go writes none as null.
        None if item_kind.is_empty() => Some(Envelope::List(&[], None)),
        Some(_) if item_kind.is_empty() => {
            let fault = node.field("items", |items| items.items(|_| Ok(())));
            fault.err().map(Envelope::Odd)
        }
        _ => None,
    }
}

/// `{"total": 1, "items": [...], "next": null}`.
fn list_of_kumactl<'n>(node: &'n Node, items: Option<&'n Node>) -> Option<Envelope<'n>> {
    if node.get("type").is_some() {
        return None;
    }
    match items.map(|items| &items.value) {
        Some(Value::List(items)) => {
            let is_list = items.iter().any(says_what_it_is) || node.get("total").is_some();
            is_list.then_some(Envelope::List(items, None))
        }
        None if node.get("total").is_some() && has(node, "items") => {
            Some(Envelope::List(&[], None))
        }
        _ => None,
    }
}

/// Whether a key is there, with null too.
fn has(node: &Node, key: &str) -> bool {
    let entries = node.entries().unwrap_or_default();
    entries.iter().any(|(found, _)| found == key)
}

fn says_what_it_is(node: &Node) -> bool {
    WORDS.iter().any(|word| node.get(word).is_some())
}
