//! A document before it is understood: what stands in it, and where.

use std::collections::BTreeMap;

use kuma_workload_rulebook::quoted::path_segment;
use serde::Serialize;
use serde_json::Number;

/// Where something stands in a file, counted from 1; zero where there is no file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

impl Position {
    /// Where a text begins.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Where what follows this text stands, if the text begins here.
    #[must_use]
    pub fn after(self, text: &str) -> Self {
        let count = |characters: usize| u32::try_from(characters).unwrap_or(u32::MAX);
        let Some(last_break) = text.rfind(['\n', '\r']) else {
            return Self {
                column: self.column.saturating_add(count(text.chars().count())),
                ..self
            };
        };
        let last_line = text.get(last_break + 1..).unwrap_or_default();
        Self {
            line: self.line.saturating_add(line_breaks(text)),
            column: count(last_line.chars().count()).saturating_add(1),
        }
    }
}

/// How many lines end in a text: by a line feed, a carriage return, or both.
pub(super) fn line_breaks(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
    let returns = bytes.iter().filter(|byte| **byte == b'\r').count();
    let both = match returns {
        0 => 0,
        _ => text.matches("\r\n").count(),
    };
    u32::try_from(feeds + returns - both).unwrap_or(u32::MAX)
}

/// A value of a document, YAML or JSON.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// `null`, or nothing.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, exact as far as 64 bits go. One without a fraction is an integer, however it is
    /// written: `1.0` and `1e3` reach the API server as `1` and `1000`.
    Number(Number),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order given, with each key once: of a repeated one it has the last.
    Map(Vec<(String, Node)>),
}

impl Value {
    /// What it is called in a message.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl From<Value> for serde_json::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Number(number) => Self::Number(number),
            Value::Text(text) => Self::String(text),
            Value::List(items) => items
                .into_iter()
                .map(|item| Self::from(item.value))
                .collect(),
            Value::Map(entries) => {
                let value = |(key, node): (String, Node)| (key, Self::from(node.value));
                Self::Object(entries.into_iter().map(value).collect())
            }
        }
    }
}

/// A float as JSON has it, as an integer where it is one; none that is infinite or no number.
pub(super) fn number(float: f64) -> Option<Number> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;

    if float.fract() == 0.0 && (-BEYOND..BEYOND).contains(&float) {
        #[allow(clippy::cast_possible_truncation)] // It is whole, and within the bounds.
        return Some(Number::from(float as i64));
    }
    Number::from_f64(float)
}

/// Whether what stands under a key is never read: the bulk of a cluster's dump, and its secrets. A
/// label may have such a key too, so a text is kept.
pub fn is_bulk(key: &str) -> bool {
    matches!(
        key,
        "managedFields" | "env" | "volumes" | "data" | "stringData" | "openAPIV3Schema"
    )
}

/// A value that is not what its place asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where it stands.
    pub at: Position,
    /// The path of its field.
    pub path: String,
    /// What is wrong with it: `must be a string, not a list`.
    pub what: String,
    /// What its place asks for; none where it is missing.
    expected: Option<Expected>,
    /// Others beside it in the same list or map.
    others: Vec<Mismatch>,
}

/// What a place can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Text,
    Flag,
    List,
    Map,
}

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Flag => "true or false",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }

    /// Something of the kind.
    fn example(self) -> Value {
        match self {
            Self::Text => Value::Text("x".to_owned()),
            Self::Flag => Value::Bool(false),
            Self::List => Value::List(Vec::new()),
            Self::Map => Value::Map(Vec::new()),
        }
    }
}

impl Mismatch {
    /// The field `key` of this node is missing.
    pub fn missing(node: &Node, key: &str) -> Self {
        Self {
            at: node.at,
            path: path_segment(key).to_owned(),
            what: "is missing".to_owned(),
            expected: None,
            others: Vec::new(),
        }
    }

    /// This one, and those beside it.
    pub fn all(mut self) -> Vec<Self> {
        let others = std::mem::take(&mut self.others);
        let mut all = vec![self];
        all.extend(others);
        all
    }

    /// The first of several.
    fn first(mut all: Vec<Self>) -> Option<Self> {
        let others = all.split_off(all.len().min(1));
        let first = all.pop()?;
        Some(Self { others, ..first })
    }

    fn under(self, step: &str) -> Self {
        let joint = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        let others = self.others.into_iter();
        Self {
            path: format!("{step}{joint}{}", self.path),
            others: others.map(|other| other.under(step)).collect(),
            ..self
        }
    }
}

/// What a reader gives.
pub type Read<T> = Result<T, Mismatch>;

impl Node {
    /// The value of a key, if this is a map and the value is not `null`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let (_, node) = entries.iter().rfind(|(found, _)| found == key)?;
        (node.value != Value::Null).then_some(node)
    }

    /// Reads the value of a key, where there is one. Anything but a map is refused.
    ///
    /// # Errors
    ///
    /// What `read` has against the value.
    pub fn field<'n, T>(
        &'n self,
        key: &str,
        read: impl FnOnce(&'n Self) -> Read<T>,
    ) -> Read<Option<T>> {
        self.entries()?;
        self.get(key)
            .map(|node| read(node).map_err(|fault| fault.under(path_segment(key))))
            .transpose()
    }

    /// Reads the items of a list.
    ///
    /// # Errors
    ///
    /// That it is no list, or what `read` has against an item.
    pub fn items<'n, T>(&'n self, mut read: impl FnMut(&'n Self) -> Read<T>) -> Read<Vec<T>> {
        let Value::List(items) = &self.value else {
            return Err(self.must_be(Expected::List));
        };
        let (mut values, mut wrong) = (Vec::with_capacity(items.len()), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match read(item) {
                Ok(value) => values.push(value),
                Err(fault) => wrong.extend(fault.under(&format!("[{index}]")).all()),
            }
        }
        Mismatch::first(wrong).map_or(Ok(values), Err)
    }

    /// The entries of a map.
    ///
    /// # Errors
    ///
    /// That it is none.
    pub fn entries(&self) -> Read<&[(String, Self)]> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.must_be(Expected::Map)),
        }
    }

    /// The entries of a map of strings. One that is null is empty, as for the API server (W2).
    ///
    /// # Errors
    ///
    /// That it is none.
    pub fn texts<'n>(&'n self) -> Read<impl Iterator<Item = (&'n str, &'n str)>> {
        let entries = self.entries()?;
        let mut wrong = Vec::new();
        for (key, node) in entries {
            if let Err(fault) = node.text_or_null() {
                wrong.push(fault.under(path_segment(key)));
            }
        }
        let text = |(key, node): &'n (String, Self)| Some((&**key, node.text_or_null().ok()?));
        Mismatch::first(wrong).map_or_else(|| Ok(entries.iter().filter_map(text)), Err)
    }

    /// A string.
    ///
    /// # Errors
    ///
    /// That it is none.
    pub fn text(&self) -> Read<&str> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.must_be(Expected::Text)),
        }
    }

    fn text_or_null(&self) -> Read<&str> {
        match &self.value {
            Value::Null => Ok(""),
            _ => self.text(),
        }
    }

    /// A boolean.
    ///
    /// # Errors
    ///
    /// That it is none.
    pub fn flag(&self) -> Read<bool> {
        match &self.value {
            Value::Bool(flag) => Ok(*flag),
            _ => Err(self.must_be(Expected::Flag)),
        }
    }

    /// An integer, if it is one that 64 bits with a sign hold.
    pub fn integer(&self) -> Option<i64> {
        match &self.value {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    fn must_be(&self, expected: Expected) -> Mismatch {
        let quotes = match (&self.value, expected) {
            (Value::Bool(_) | Value::Number(_), Expected::Text) => "; put it in quotes",
            _ => "",
        };
        let name = expected.name();
        Mismatch {
            at: self.at,
            path: String::new(),
            what: format!("must be {name}, not {}{quotes}", self.value.kind()),
            expected: Some(expected),
            others: Vec::new(),
        }
    }

    /// Puts in the place of values what their places ask for, so that what else is wrong can be found.
    pub fn mend(&mut self, mismatches: &[Mismatch]) {
        let expected = mismatches
            .iter()
            .filter_map(|one| Some((one.at, one.expected?)));
        self.put(&expected.collect());
    }

    fn put(&mut self, expected: &BTreeMap<Position, Expected>) {
        if let Some(expected) = expected.get(&self.at) {
            let example = expected.example();
            if self.value.kind() != example.kind() {
                self.value = example;
            }
        }
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.put(expected)),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.put(expected)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Document, nodes};
    use rstest::rstest;

    fn read(text: &str) -> Node {
        let document = Document {
            name: "a.yml".into(),
            bytes: text.as_bytes().into(),
        };
        nodes(&document).next().unwrap().unwrap().node
    }

    #[rstest]
    #[case::number_for_a_string(
        "spec: {serviceAccountName: 7}",
        "spec.serviceAccountName",
        "must be a string, not a number; put it in quotes"
    )]
    #[case::list_for_a_map("spec: []", "spec", "must be a map, not a list")]
    fn what_is_wrong_is_told_with_its_path(
        #[case] text: &str,
        #[case] path: &str,
        #[case] what: &str,
    ) {
        let node = read(text);
        let fault = node
            .field("spec", |spec| spec.field("serviceAccountName", Node::text))
            .unwrap_err();
        assert_eq!((&*fault.path, &*fault.what), (path, what));
    }

    #[test]
    fn items_are_counted() {
        let node = read("a: [x, {}]");
        let fault = node.field("a", |a| a.items(Node::text)).unwrap_err();
        assert_eq!(fault.path, "a[1]");
    }

    #[test]
    fn null_is_absent() {
        let node = read("a: null\nb: ~\nc:\n");
        for key in ["a", "b", "c", "d"] {
            assert_eq!(node.field(key, Node::text), Ok(None));
        }
    }
}
