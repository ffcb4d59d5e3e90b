//! Which values of a document are hidden.

use std::ops::Range;

use super::{
    kinds::{self, Kind},
    lines,
    place::{Form, Map, Place},
    tree::{Content, Node, Tree},
    words::{SECRET_DATA, VARIABLES, is_one},
};

/// What is hidden of a document.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// The parts of the text that hold values.
    pub(super) values: Vec<Range<usize>>,
    /// Where tags of what is hidden begin, and what stands for them: theirs may not be so of what stands for the
    /// value.
    pub(super) tags: Vec<(usize, &'static str)>,
    /// The nodes among which comments are hidden, by their numbers.
    pub(super) among: Vec<Range<usize>>,
}

/// What is hidden; nothing, if that is in doubt.
pub(super) fn of(text: &str, tree: &Tree) -> Option<Hidden> {
    let mut search = Search {
        tree,
        kinds: kinds::of(tree),
        seen: vec![[false; Place::COUNT]; tree.len()],
        next: tree
            .roots
            .iter()
            .map(|root| (*root, Place::Object))
            .collect(),
        hidden: Hidden::default(),
    };
    // No recursion: aliases can lead further than a stack is deep.
    while let Some((number, place)) = search.next.pop() {
        search.look(text, number, place)?;
    }
    Some(search.hidden)
}

struct Search<'t> {
    tree: &'t Tree,
    kinds: Vec<Kind>,
    /// Aliases would lead to the same again and again, and in circles.
    seen: Vec<[bool; Place::COUNT]>,
    next: Vec<(usize, Place)>,
    hidden: Hidden,
}

impl Search<'_> {
    fn look(&mut self, text: &str, number: usize, place: Place) -> Option<()> {
        let Some((number, node)) = self.tree.node(number) else {
            return Some(());
        };
        // A value such as &hunter2 or !hunter2 is an anchor or a tag, of nothing or of what follows.
        let is_nothing = node.part.is_empty() && matches!(node.content, Content::Scalar(_));
        let is_tag_alone = is_nothing && node.tag.is_some();
        if place.is_hidden() && (is_tag_alone || self.tree.has_idle_anchor(node)) {
            return None;
        }
        let seen = self.seen.get_mut(number);
        let seen = seen.and_then(|places| places.get_mut(place as usize));
        if seen.is_none_or(|seen| std::mem::replace(seen, true)) {
            return Some(());
        }
        if place.is_hidden() {
            self.hidden.among.push(number..node.after);
            match node.content {
                Content::List(_) => self.hide_tag(node, "!!seq"),
                Content::Map(_) => self.hide_tag(node, "!!map"),
                Content::Scalar(_) | Content::Alias(_) => {}
            }
        }
        match &node.content {
            Content::Scalar(value) => {
                let is_hidden = place.is_hidden() || lines::hold_something(value);
                if is_hidden && !node.part.is_empty() {
                    self.hidden.values.push(node.part.clone());
                    self.hide_tag(node, "!!str");
                }
            }
            Content::Alias(_) => {}
            Content::List(items) => {
                let place = place.of_items();
                self.next.extend(items.iter().map(|item| (*item, place)));
            }
            Content::Map(entries) => return self.map(text, number, entries, place),
        }
        Some(())
    }

    fn hide_tag(&mut self, node: &Node, stand_in: &'static str) {
        self.hidden.tags.extend(node.tag.map(|tag| (tag, stand_in)));
    }

    fn map(
        &mut self,
        text: &str,
        number: usize,
        entries: &[(usize, usize)],
        place: Place,
    ) -> Option<()> {
        let kind = self.kinds.get(number).copied().unwrap_or_default();
        let has = |words: &[&str]| {
            let mut keys = entries.iter().filter_map(|(key, _)| self.tree.text(*key));
            keys.any(|key| is_one(key, words))
        };
        let of_map = Map {
            kind,
            is_object: has(&["apiVersion", "metadata"]),
            has_data: has(&SECRET_DATA),
            has_variables: has(&VARIABLES),
            is_patch: self.is_patch(entries),
        };
        for (key, value) in entries {
            let (_, key_node) = self.tree.node(*key)?;
            let name = match &key_node.content {
                Content::Scalar(name) if is_doubtful(text, key_node, name, place) => return None,
                Content::Scalar(name) => name.as_str(),
                // What no key can be is looked at as a value.
                _ => {
                    self.next.push((*key, place));
                    ""
                }
            };
            let of_value = place.of_value(name, self.form(text, *key, *value), of_map);
            if of_value.is_hidden() {
                // A word alone between brackets is a key without a value, and may be a value without a key.
                let (end, _) = self.tree.gap(*key, text.len());
                if !text.get(end..)?.trim_start().starts_with(':') {
                    return None;
                }
                // What stands behind the key, and behind the value.
                self.hidden.among.push(*key..self.tree.after(*value));
            }
            self.next.push((*value, of_value));
        }
        Some(())
    }

    fn form(&self, text: &str, key: usize, value: usize) -> Form {
        let Some(scalar) = self.tree.text(value) else {
            let content = self.tree.node(value).map(|(_, node)| &node.content);
            return match content {
                Some(Content::Map(entries)) if self.is_schema(entries) => Form::Schema,
                Some(Content::Map(_)) => Form::Map,
                _ => Form::List,
            };
        };
        let (from, to) = self.tree.gap(key, text.len());
        let is_in_line = !text.get(from..to).is_some_and(|gap| gap.contains('\n'));
        let mut characters = scalar.chars();
        let is_word = characters.all(|one| one.is_alphanumeric() || "-_.".contains(one));
        match is_in_line && is_word {
            true => Form::Word,
            false => Form::Text,
        }
    }

    /// Whether a map says of what type something is, as the schema of a CustomResourceDefinition does.
    fn is_schema(&self, entries: &[(usize, usize)]) -> bool {
        entries.iter().any(|(key, value)| {
            let types = ["object", "array", "string", "integer", "number", "boolean"];
            let value = self.tree.text(*value);
            self.tree.text(*key) == Some("type")
                && value.is_some_and(|value| types.contains(&value))
        })
    }

    /// Whether a map is a step of a JSON patch that sets what is hidden.
    fn is_patch(&self, entries: &[(usize, usize)]) -> bool {
        let mut paths = entries.iter().filter_map(|(key, value)| {
            let key = self.tree.text(*key)?;
            self.tree.text(*value).filter(|_| is_one(key, &["path"]))
        });
        paths.any(|path| {
            path.split('/')
                .any(|step| is_one(step, &VARIABLES) || is_one(step, &SECRET_DATA))
        })
    }
}

/// Whether a key may be more than it is read as, such as JSON behind what is taken for a word. Where values are
/// hidden, keys are names.
fn is_doubtful(text: &str, node: &Node, name: &str, place: Place) -> bool {
    let written = text.get(node.part.clone()).unwrap_or_default();
    let is_plain = !written.starts_with(['"', '\'']);
    let is_odd = |one: char| one.is_whitespace() || "\"'\\{}[]".contains(one);
    let is_odd_name = |one: char| is_odd(one) || ",:#".contains(one);
    is_plain && name.contains(is_odd) || place.is_hidden() && name.contains(is_odd_name)
}
