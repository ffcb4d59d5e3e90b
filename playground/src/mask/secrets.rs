//! Which values of a document are hidden.

use std::ops::Range;

use super::tree::{Content, Tree};

/// Where a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Where nothing is hidden but by what stands there.
    Anything,
    /// In a Secret, whatever it says of itself: an item of a SecretList, what a Secret is merged with.
    Secret,
    /// The environment variables of a container.
    Environment,
    /// Where all is hidden.
    Hidden,
}

/// How many places there are.
const PLACES: usize = 4;

/// A copy of the whole object, which kubectl keeps.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Environment variables of the sidecar.
const SIDECAR_VARIABLES: &str = "kuma.io/sidecar-env-vars";

/// The parts of the text that hold such values.
pub(super) fn of(tree: &Tree) -> Vec<Range<usize>> {
    let mut search = Search {
        tree,
        seen: vec![[false; PLACES]; tree.len()],
        parts: Vec::new(),
    };
    for root in &tree.roots {
        search.look(*root, Within::Anything);
    }
    search.parts
}

struct Search<'t> {
    tree: &'t Tree,
    /// Aliases would lead to the same again and again, and in circles.
    seen: Vec<[bool; PLACES]>,
    parts: Vec<Range<usize>>,
}

impl Search<'_> {
    fn look(&mut self, number: usize, within: Within) {
        let Some((number, node)) = self.tree.node(number) else {
            return;
        };
        let seen = self.seen.get_mut(number);
        let seen = seen.and_then(|places| places.get_mut(within as usize));
        if seen.is_none_or(|seen| std::mem::replace(seen, true)) {
            return;
        }
        match &node.content {
            Content::Scalar(_) if matches!(within, Within::Hidden | Within::Environment) => {
                if !node.part.is_empty() {
                    self.parts.push(node.part.clone());
                }
            }
            Content::Scalar(_) | Content::Alias(_) => {}
            Content::List(items) => items.iter().for_each(|item| self.look(*item, within)),
            Content::Map(entries) => self.map(entries, within),
        }
    }

    fn map(&mut self, entries: &[(usize, usize)], within: Within) {
        let kind = self.kind(entries);
        let is_secret =
            within == Within::Secret || kind.is_some_and(|kind| ends_with(kind, "Secret"));
        let is_list = kind.is_some_and(|kind| ends_with(kind, "SecretList"));
        for (key, value) in entries {
            let key = self.tree.text(*key).unwrap_or_default();
            let is = |name: &str| key.eq_ignore_ascii_case(name);
            let of_value = match within {
                Within::Hidden => Within::Hidden,
                // A variable of a list, or the name of one in a map.
                Within::Environment if is("name") || is("valueFrom") => Within::Anything,
                Within::Environment => Within::Hidden,
                _ if is("stringData") || is_secret && is("data") => Within::Hidden,
                _ if is("env") => Within::Environment,
                _ if is(LAST_APPLIED) || is(SIDECAR_VARIABLES) => Within::Hidden,
                _ if is_list && is("items") || is_secret && key == "<<" => Within::Secret,
                _ => Within::Anything,
            };
            self.look(*value, of_value);
        }
    }

    /// What a map says it is, on Kubernetes or Universal. A key that is given twice is a fault, and either may
    /// be meant.
    fn kind(&self, entries: &[(usize, usize)]) -> Option<&str> {
        let mut kinds = entries.iter().filter_map(|(key, value)| {
            let key = self.tree.text(*key)?;
            let is_kind = key.eq_ignore_ascii_case("kind") || key.eq_ignore_ascii_case("type");
            self.tree.text(*value).filter(|_| is_kind)
        });
        kinds.find(|kind| ends_with(kind, "Secret") || ends_with(kind, "SecretList"))
    }
}

/// Whether a kind is this one or one of that sort, such as a GlobalSecret.
fn ends_with(kind: &str, end: &str) -> bool {
    let start = kind.len().checked_sub(end.len());
    start
        .and_then(|start| kind.get(start..))
        .is_some_and(|found| found.eq_ignore_ascii_case(end))
}
