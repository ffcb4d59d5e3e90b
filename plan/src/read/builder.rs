//! What a document holds, piece by piece, as a tree: the same for YAML and JSON.
//!
//! No piece costs more than its own length, whatever came before it, so that reading is linear; and
//! the tree is no deeper than [`MAX_LEVELS`], so that whoever walks it needs no great stack.

use std::borrow::Cow;

use serde_json::Number;

use super::{
    fault::Problem,
    parsed::{Bulk, Parsed, Remark},
    tree::{Node, Position, Value, is_bulk},
};

mod aliases;
mod keys;

use aliases::{Aliased, Budget};
use keys::Keys;

/// How deep lists and maps may stand in each other. No manifest comes near it.
pub(super) const MAX_LEVELS: usize = 256;

/// A value that holds no others.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'t> {
    /// `null`, or nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'t, str>),
}

impl From<Scalar<'_>> for Value {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(flag) => Self::Bool(flag),
            Scalar::Number(number) => Self::Number(number),
            Scalar::Text(text) => Self::Text(text.into_owned()),
        }
    }
}

/// What is open at the end of what was given so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// A list, or a map whose next value is due.
    Value,
    /// A map whose next key is due.
    Key,
}

/// Puts a tree together.
#[derive(Debug)]
pub(super) struct Builder {
    bulk: Bulk,
    frames: Vec<Frame>,
    root: Option<Node>,
    budget: Budget,
    problems: Vec<Problem>,
    remarks: Vec<Remark>,
}

/// A list or map that has not ended.
#[derive(Debug)]
struct Frame {
    at: Position,
    items: Items,
    /// Whether what stands in it is stored: bulk is looked through for mistakes only.
    kept: bool,
    /// Its anchor and what was spent before it, if it has one.
    anchor: Option<aliases::Begun>,
    /// How many levels stand below it.
    height: usize,
}

#[derive(Debug)]
enum Items {
    List(Vec<Node>),
    Map(Keys),
}

impl Builder {
    pub(super) fn new(bulk: Bulk) -> Self {
        Self {
            bulk,
            frames: Vec::new(),
            root: None,
            budget: Budget::default(),
            problems: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// What is open, if anything is.
    pub(super) fn open(&self) -> Option<Open> {
        self.frames.last().map(|frame| match &frame.items {
            Items::Map(keys) if keys.is_key_due() => Open::Key,
            _ => Open::Value,
        })
    }

    /// Whether the innermost list or map is a map.
    pub(super) fn is_in_map(&self) -> bool {
        let frame = self.frames.last();
        frame.is_some_and(|frame| matches!(frame.items, Items::Map(_)))
    }

    /// A mistake that leaves no doubt where what is wrong ends, so that the rest can be read.
    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// What is read otherwise than it looks.
    pub(super) fn remark(&mut self, remark: Remark) {
        self.remarks.push(remark);
    }

    /// A list begins.
    pub(super) fn list(&mut self, at: Position, anchor: usize) -> Result<(), Problem> {
        self.begin(at, anchor, Items::List(Vec::new()))
    }

    /// A map begins.
    pub(super) fn map(&mut self, at: Position, anchor: usize) -> Result<(), Problem> {
        self.begin(at, anchor, Items::Map(Keys::default()))
    }

    fn begin(&mut self, at: Position, anchor: usize, items: Items) -> Result<(), Problem> {
        if self.frames.len() == MAX_LEVELS {
            return Err(too_deep(at));
        }
        let anchor = self.budget.begin(anchor);
        let kept = anchor.is_some() || self.is_next_kept();
        self.frames.push(Frame {
            at,
            items,
            kept,
            anchor,
            height: 0,
        });
        Ok(())
    }

    /// Whether a list or map that comes next is stored.
    fn is_next_kept(&self) -> bool {
        self.frames.last().is_none_or(|frame| {
            let is_bulk = match &frame.items {
                Items::Map(keys) => keys.pending().is_some_and(is_bulk),
                Items::List(_) => false,
            };
            frame.kept && !(is_bulk && self.bulk == Bulk::Dropped)
        })
    }

    /// The innermost list or map ends.
    pub(super) fn end(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let value = match frame.items {
            Items::List(items) => Value::List(items),
            Items::Map(keys) => Value::Map(keys.settle(&mut self.problems)),
        };
        let node = Node {
            at: frame.at,
            value,
        };
        let height = frame.height + 1;
        self.budget.end(frame.anchor, &node, height);
        self.attach(node, height);
    }

    /// A value that holds no others.
    pub(super) fn scalar(&mut self, at: Position, value: Scalar<'_>, anchor: usize) {
        let begun = self.budget.begin(anchor);
        if let Scalar::Text(text) = &value {
            self.budget.text(text.len());
        }
        let kept = begun.is_some() || self.frames.last().is_none_or(|frame| frame.kept);
        let value = if kept { value.into() } else { Value::Null };
        let node = Node { at, value };
        self.budget.end(begun, &node, 0);
        self.attach(node, 0);
    }

    /// `<<`, where a key is due: what comes is a map, or several, whose entries this map takes over.
    pub(super) fn merge_key(&mut self, at: Position) {
        if let Some(Items::Map(keys)) = self.frames.last_mut().map(|frame| &mut frame.items) {
            keys.expect_merge(at);
        }
    }

    /// A value that an anchor was given to before.
    pub(super) fn alias(&mut self, at: Position, anchor: usize) -> Result<(), Problem> {
        let kept = self.frames.last().is_none_or(|frame| frame.kept);
        let Aliased { node, height } = self.budget.alias(at, anchor, kept)?;
        if self.frames.len() + height > MAX_LEVELS {
            return Err(too_deep(at));
        }
        self.attach(node, height);
        Ok(())
    }

    /// A key, where one is due.
    pub(super) fn key(&mut self, at: Position, key: Cow<'_, str>) {
        self.budget.text(key.len());
        if let Some(Items::Map(keys)) = self.frames.last_mut().map(|frame| &mut frame.items) {
            keys.expect_value(at, key.into_owned());
        }
    }

    /// What cannot be a key, where one is due: its value is lost.
    pub(super) fn no_key(&mut self, problem: Problem) {
        self.problems.push(problem);
        if let Some(Items::Map(keys)) = self.frames.last_mut().map(|frame| &mut frame.items) {
            keys.lose_value();
        }
    }

    /// A value with an anchor that is put nowhere, since it is a key.
    pub(super) fn anchored(&mut self, at: Position, value: Scalar<'_>, anchor: usize) {
        let begun = self.budget.begin(anchor);
        let value = value.into();
        self.budget.end(begun, &Node { at, value }, 0);
    }

    /// Puts a whole value where one is due.
    fn attach(&mut self, node: Node, height: usize) {
        let Some(frame) = self.frames.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        frame.height = frame.height.max(height);
        let kept = frame.kept;
        match &mut frame.items {
            Items::List(items) if kept => items.push(node),
            Items::List(_) => {}
            Items::Map(keys) if keys.is_key_due() => {
                let Node { at, value } = node;
                match value {
                    Value::Text(text) => keys.expect_value(at, text),
                    Value::Bool(flag) => keys.expect_value(at, flag.to_string()),
                    Value::Number(number) => keys.expect_value(at, number.to_string()),
                    Value::Null | Value::List(_) | Value::Map(_) => {
                        let message = format!("a key must be a string, not {}", value.kind());
                        self.no_key(Problem { at, message });
                    }
                }
            }
            Items::Map(keys) => {
                let is_bulk = self.bulk == Bulk::Dropped && keys.pending().is_some_and(is_bulk);
                let is_nested = matches!(node.value, Value::List(_) | Value::Map(_));
                let value = match kept && !(is_bulk && is_nested) {
                    true => node.value,
                    false => Value::Null,
                };
                let node = Node { at: node.at, value };
                if let Err(problem) = keys.value(node, kept) {
                    self.problems.push(problem);
                }
            }
        }
    }

    /// The whole tree; if nothing was given, null at the document's `start`.
    pub(super) fn finish(mut self, start: Position) -> Parsed {
        while !self.frames.is_empty() {
            self.end();
        }
        self.problems.sort();
        Parsed {
            node: self.root.unwrap_or(Node {
                at: start,
                value: Value::Null,
            }),
            problems: self.problems,
            remarks: self.remarks,
        }
    }
}

fn too_deep(at: Position) -> Problem {
    Problem {
        at,
        message: format!("this is nested deeper than {MAX_LEVELS} levels"),
    }
}
