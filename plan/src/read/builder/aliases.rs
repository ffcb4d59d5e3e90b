//! Anchors and aliases, and how much they may blow a document up.

use super::super::{
    fault::Problem,
    tree::{Node, Position, Value},
};

/// How many bytes of text aliases may copy. (Who counts nodes alone is fooled by one long text.)
const MAX_COPIED_BYTES: usize = 16 << 20;

/// What was spent on a document.
#[derive(Debug, Default)]
pub(super) struct Budget {
    spent: Spent,
    /// What of it aliases brought.
    copied: Spent,
    /// The values with anchors, by the number of the anchor.
    anchors: Vec<Option<Anchored>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    nodes: usize,
    bytes: usize,
}

impl Spent {
    fn add(&mut self, other: Self) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    fn since(self, before: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_sub(before.nodes),
            bytes: self.bytes.saturating_sub(before.bytes),
        }
    }
}

/// A value with an anchor that has begun.
#[derive(Debug)]
pub(super) struct Begun {
    anchor: usize,
    before: Spent,
}

#[derive(Debug)]
struct Anchored {
    aliased: Aliased,
    spent: Spent,
}

/// What an alias stands for.
#[derive(Debug)]
pub(super) struct Aliased {
    pub(super) node: Node,
    /// How many levels it has.
    pub(super) height: usize,
}

impl Budget {
    /// A value begins; zero is no anchor.
    pub(super) fn begin(&mut self, anchor: usize) -> Option<Begun> {
        let before = self.spent;
        self.spent.nodes += 1;
        (anchor > 0).then_some(Begun { anchor, before })
    }

    pub(super) fn text(&mut self, bytes: usize) {
        self.spent.bytes += bytes;
    }

    /// A value has ended.
    pub(super) fn end(&mut self, begun: Option<Begun>, node: &Node, height: usize) {
        let Some(Begun { anchor, before }) = begun else {
            return;
        };
        if self.anchors.len() <= anchor {
            self.anchors.resize_with(anchor + 1, || None);
        }
        if let Some(place) = self.anchors.get_mut(anchor) {
            *place = Some(Anchored {
                aliased: Aliased {
                    node: node.clone(),
                    height,
                },
                spent: self.spent.since(before),
            });
        }
    }

    /// What an alias stands for; where it is not kept, it costs the same and is null.
    pub(super) fn alias(
        &mut self,
        at: Position,
        anchor: usize,
        kept: bool,
    ) -> Result<Aliased, Problem> {
        self.spent.nodes += 1;
        let anchored = self.anchors.get(anchor).and_then(Option::as_ref);
        let Some(Anchored { aliased, spent }) = anchored else {
            return Err(Problem {
                at,
                message: "this alias stands in the value that it is an alias of".to_owned(),
            });
        };
        self.spent.add(*spent);
        self.copied.add(*spent);
        if self.is_exceeded() {
            return Err(Problem {
                at,
                message: "the aliases of this document blow it up too far; write out what they \
                          stand for"
                    .to_owned(),
            });
        }
        let value = match kept {
            true => aliased.node.value.clone(),
            false => Value::Null,
        };
        Ok(Aliased {
            node: Node { at, value },
            height: aliased.height,
        })
    }

    /// The measure of go-yaml, and so of kubectl: of up to 400,000 nodes 99 % may come from
    /// aliases, of 4,000,000 and more 10 %.
    fn is_exceeded(&self) -> bool {
        const LOW: usize = 400_000;
        const HIGH: usize = 4_000_000;

        let (all, copied) = (self.spent.nodes, self.copied.nodes);
        let allowed_percent = match all {
            ..=LOW => 99,
            HIGH.. => 10,
            _ => 99 - 89 * (all - LOW) / (HIGH - LOW),
        };
        let is_too_much = copied.saturating_mul(100) > all.saturating_mul(allowed_percent);
        self.copied.bytes > MAX_COPIED_BYTES || (copied > 100 && all > 1000 && is_too_much)
    }
}
