//! A document as a tree of nodes that know which part of the text they are.

use std::ops::Range;

use granit_parser::{Event, Parser, Span, options};

/// So many lists and maps may be in each other, as everywhere here.
const MAX_LEVELS: usize = 256;

/// The nodes of a document.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The nodes that can be referred to, with their anchors in rising order.
    anchors: Vec<(usize, usize)>,
    /// The anchors that something refers to, in rising order.
    used: Vec<usize>,
    /// The documents' roots: one, as a rule.
    pub(super) roots: Vec<usize>,
    /// The lists and maps, in the order in which they end.
    pub(super) ended: Vec<usize>,
}

/// A node of it.
#[derive(Debug)]
pub(super) struct Node {
    /// Which part of the text it is, for a scalar.
    pub(super) part: Range<usize>,
    /// Where its tag begins, if it has one.
    pub(super) tag: Option<usize>,
    /// Its anchor; 0 if it has none.
    anchor: usize,
    /// The number of the first node behind it that is not in it.
    pub(super) after: usize,
    /// What it is.
    pub(super) content: Content,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Content {
    /// A text, number or word.
    Scalar(String),
    /// A list of nodes.
    List(Vec<usize>),
    /// A map of nodes.
    Map(Vec<(usize, usize)>),
    /// Another node, by its anchor.
    Alias(usize),
}

impl Tree {
    /// How many nodes there are: their numbers are lower.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node with this number; of an alias, what it refers to.
    pub(super) fn node(&self, number: usize) -> Option<(usize, &Node)> {
        let node = self.nodes.get(number)?;
        match node.content {
            Content::Alias(anchor) => {
                let found = self.anchors.binary_search_by_key(&anchor, |one| one.0);
                let (_, number) = *self.anchors.get(found.ok()?)?;
                self.nodes.get(number).map(|node| (number, node))
            }
            _ => Some((number, node)),
        }
    }

    /// Whether a node has an anchor to which nothing refers: it may not be meant as one.
    pub(super) fn has_idle_anchor(&self, node: &Node) -> bool {
        node.anchor > 0 && self.used.binary_search(&node.anchor).is_err()
    }

    /// From where to where nothing stands but signs and comments, between a node and the next.
    pub(super) fn gap(&self, number: usize, length: usize) -> (usize, usize) {
        let part = |number: usize| self.nodes.get(number).map(|node| &node.part);
        let from = part(number).map_or(length, |part| part.end);
        let to = part(number + 1).map_or(length, |part| part.start);
        (from, to.max(from))
    }

    /// The number of the first node behind this one, or behind the alias that it is.
    pub(super) fn after(&self, number: usize) -> usize {
        let node = self.nodes.get(number);
        node.map_or(number, |node| node.after)
    }

    /// The text of a scalar.
    pub(super) fn text(&self, number: usize) -> Option<&str> {
        match &self.node(number)?.1.content {
            Content::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a text; nothing, if that cannot be done.
pub(super) fn read(text: &str) -> Option<Tree> {
    let options = options! {
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: MAX_LEVELS,
        block_nesting_limit: MAX_LEVELS,
        emit_comments: false,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut tree = Tree::default();
    // The lists and maps that are open, with what is in each so far.
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.ok()?;
        let part = part(text, span)?;
        let tag = span.tag_start.and_then(|tag| tag.byte_offset());
        let (content, anchor, opens) = match event {
            Event::Scalar(text, _, anchor, _) => (Content::Scalar(text.into()), anchor, false),
            Event::Alias(anchor) => {
                tree.used.push(anchor);
                (Content::Alias(anchor), 0, false)
            }
            Event::SequenceStart(_, anchor, _) => (Content::List(Vec::new()), anchor, true),
            Event::MappingStart(_, anchor, _) => (Content::Map(Vec::new()), anchor, true),
            Event::SequenceEnd | Event::MappingEnd => {
                let (number, children) = open.pop()?;
                let after = tree.nodes.len();
                tree.ended.push(number);
                let node = tree.nodes.get_mut(number)?;
                node.after = after;
                match &mut node.content {
                    Content::List(items) => *items = children,
                    Content::Map(entries) => {
                        let (pairs, _) = children.as_chunks();
                        *entries = pairs.iter().map(|[key, value]| (*key, *value)).collect();
                    }
                    Content::Scalar(_) | Content::Alias(_) => {}
                }
                continue;
            }
            _ => continue,
        };
        let number = tree.nodes.len();
        tree.nodes.push(Node {
            part,
            tag,
            anchor,
            after: number + 1,
            content,
        });
        if anchor > 0 {
            tree.anchors.push((anchor, number));
        }
        match open.last_mut() {
            Some((_, children)) => children.push(number),
            None => tree.roots.push(number),
        }
        if opens {
            open.push((number, Vec::new()));
        }
    }
    tree.used.sort_unstable();
    Some(tree)
}

/// The part of the text that a node is. A text in lines of its own ends, for the parser, where the next word begins.
fn part(text: &str, span: Span) -> Option<Range<usize>> {
    let (start, end) = (span.start.byte_offset()?, span.end.byte_offset()?);
    let end = start + text.get(start..end)?.trim_end().len();
    Some(start..end)
}
