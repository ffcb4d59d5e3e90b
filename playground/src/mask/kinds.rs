//! What the maps of a document say they are.

use super::{
    tree::{Content, Tree},
    words::is_one,
};

/// What a map says it is, by itself and by what is merged into it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kind {
    /// It says what it is.
    pub(super) is_known: bool,
    /// It is a Secret or one of that sort, or a list of them.
    pub(super) is_secret: bool,
    /// It is a Secret and nothing else, on Kubernetes or Universal.
    pub(super) is_plain_secret: bool,
    /// It is a ConfigMap.
    pub(super) is_config_map: bool,
}

impl Kind {
    fn add(&mut self, other: Self) {
        self.is_known |= other.is_known;
        self.is_secret |= other.is_secret;
        self.is_plain_secret |= other.is_plain_secret;
        self.is_config_map |= other.is_config_map;
    }

    /// What the value of `kind` or `type` says.
    fn of_text(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        // A template can become anything.
        let is_known =
            !text.is_empty() && !["{{", "{%", "${"].iter().any(|mark| text.contains(mark));
        Self {
            is_known,
            is_secret: text.contains("secret"),
            is_plain_secret: ["secret", "globalsecret"].contains(&text.as_str()),
            is_config_map: text == "configmap",
        }
    }
}

/// The kinds of all nodes, by their numbers.
///
/// What an alias refers to has ended before it, unless it goes in a circle, which the plan refuses: so one walk in
/// the order of the ends finds all.
pub(super) fn of(tree: &Tree) -> Vec<Kind> {
    let mut kinds = vec![Kind::default(); tree.len()];
    for number in &tree.ended {
        let mut kind = Kind::default();
        match tree.node(*number).map(|(_, node)| &node.content) {
            // Of these, a map can be merged.
            Some(Content::List(items)) => {
                for item in items {
                    kind.add(of_node(tree, &kinds, *item));
                }
            }
            Some(Content::Map(entries)) => {
                for (key, value) in entries {
                    let key = tree.text(*key).unwrap_or_default();
                    if key == "<<" {
                        kind.add(of_node(tree, &kinds, *value));
                    } else if is_one(key, &["kind", "type"]) {
                        kind.add(match tree.text(*value) {
                            Some(text) => Kind::of_text(text),
                            // An AdmissionReview says so what its objects are.
                            None => Kind {
                                is_plain_secret: false,
                                ..of_node(tree, &kinds, *value)
                            },
                        });
                    }
                }
            }
            _ => {}
        }
        if let Some(known) = kinds.get_mut(*number) {
            *known = kind;
        }
    }
    kinds
}

fn of_node(tree: &Tree, kinds: &[Kind], number: usize) -> Kind {
    let found = tree.node(number);
    let kind = found.and_then(|(number, _)| kinds.get(number));
    kind.copied().unwrap_or_default()
}
