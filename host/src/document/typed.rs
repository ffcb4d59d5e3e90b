//! Serde's types from a document: what does not fit is told in plain words, with its path and place.

use std::{fmt, iter::Enumerate, slice};

use kuma_workload_plan::read::tree::{Node, Position, Value};
use kuma_workload_rulebook::quoted::path_segment;
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, Error as _, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
        value::BorrowedStrDeserializer,
    },
    forward_to_deserialize_any,
};

/// What does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Where it stands.
    pub(super) at: Position,
    /// The path of its field; empty for the whole.
    path: String,
    /// What is wrong with it: `must be a string, not a list`.
    what: String,
}

/// Reads a value of a type.
///
/// # Errors
///
/// What does not fit it.
pub(super) fn read<'n, T: Deserialize<'n>>(node: &'n Node) -> Result<T, Misfit> {
    T::deserialize(Typed(node))
}

impl Misfit {
    fn of(path: &str, what: String) -> Self {
        Self {
            at: Position::default(),
            path: path.to_owned(),
            what,
        }
    }

    /// In this node, if no place within it is known.
    fn within(mut self, node: &Node) -> Self {
        if self.at.line == 0 {
            self.at = node.at;
        }
        self
    }

    /// Below this step of a path.
    fn under(self, step: impl fmt::Display) -> Self {
        let joint = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        let path = format!("{step}{joint}{}", self.path);
        Self { path, ..self }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match &*self.path {
            "" => "this",
            path => path,
        };
        write!(f, "{path} {}", self.what)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of("", format!("cannot be read: {message}"))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (wanted, kind) = (plain(expected), kind(found));
        let quotes = match found {
            Unexpected::Bool(_) | Unexpected::Unsigned(_) | Unexpected::Signed(_)
                if wanted == "a string" =>
            {
                "; put it in quotes"
            }
            _ => "",
        };
        Self::of("", format!("must be {wanted}, not {kind}{quotes}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Unsigned(number) => number.to_string(),
            Unexpected::Signed(number) => number.to_string(),
            other => kind(other),
        };
        Self::of("", format!("must be {}, not {found}", plain(expected)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let fields = expected.join(", ");
        Self::of(
            path_segment(field),
            format!("is not a field there; these are: {fields}"),
        )
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::of("", format!("must be one of {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of(field, "is missing".to_owned())
    }
}

/// What a type expects, in the words of documents.
fn plain(expected: &dyn Expected) -> String {
    match &*expected.to_string() {
        "a sequence" => "a list".to_owned(),
        "u16" => "a whole number up to 65535".to_owned(),
        "usize" => "a whole number".to_owned(),
        structure if structure.starts_with("struct ") => "a map".to_owned(),
        other => other.to_owned(),
    }
}

/// What was found, in the same words.
fn kind(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Bool(_) => "a boolean".to_owned(),
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => {
            "a number".to_owned()
        }
        Unexpected::Str(_) => "a string".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// A node, as serde asks for its content.
struct Typed<'n>(&'n Node);

impl<'de> Deserializer<'de> for Typed<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let Self(node) = self;
        let value = match &node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Map(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                entry: None,
            }),
        };
        value.map_err(|misfit| misfit.within(node))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0.value {
            // Serde would take it for the fields in order.
            Value::List(_) => {
                let misfit = Misfit::invalid_type(Unexpected::Seq, &visitor);
                Err(misfit.within(self.0))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Items<'n>(Enumerate<slice::Iter<'n, Node>>);

impl<'n> SeqAccess<'n> for Items<'n> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'n>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let item = self.0.next().map(|(index, node)| {
            let item = seed.deserialize(Typed(node));
            item.map_err(|misfit| misfit.under(format_args!("[{index}]")))
        });
        item.transpose()
    }
}

struct Entries<'n> {
    rest: slice::Iter<'n, (String, Node)>,
    /// The entry whose key was asked for.
    entry: Option<&'n (String, Node)>,
}

impl<'n> MapAccess<'n> for Entries<'n> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'n>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.entry = self.rest.next();
        let key = self.entry.map(|(key, node)| {
            let key = seed.deserialize(BorrowedStrDeserializer::new(key));
            key.map_err(|misfit: Misfit| misfit.within(node))
        });
        key.transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((key, node)) = self.entry else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        let value = seed.deserialize(Typed(node));
        value.map_err(|misfit| misfit.under(path_segment(key)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kuma_workload_plan::read::{Document, trees};
    use rstest::rstest;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shelf {
        name: String,
        #[serde(default)]
        boxes: Vec<Box>,
        code: Option<u16>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Box {
        labels: BTreeMap<String, String>,
    }

    fn read_text(text: &str) -> Result<Shelf, String> {
        let document = Document {
            name: "a.yml".into(),
            bytes: text.as_bytes().into(),
        };
        let node = trees(&document).next().unwrap().unwrap();
        read(&node).map_err(|misfit| {
            let Position { line, column } = misfit.at;
            format!("{line}:{column}: {misfit}")
        })
    }

    #[test]
    fn what_fits_is_read() {
        let shelf = read_text("name: a\ncode: null\nboxes: [{labels: {b: c}}]\n");
        let labels = BTreeMap::from([("b".to_owned(), "c".to_owned())]);
        assert_eq!(
            shelf,
            Ok(Shelf {
                name: "a".to_owned(),
                boxes: vec![Box { labels }],
                code: None,
            })
        );
    }

    #[rstest]
    #[case::a_number_for_a_string(
        "name: 7",
        "1:7: name must be a string, not a number; put it in quotes"
    )]
    #[case::a_word_for_a_string(
        "name: yes",
        "1:7: name must be a string, not a boolean; put it in quotes"
    )]
    #[case::a_list_for_a_map("[]", "1:1: this must be a map, not a list")]
    #[case::a_string_for_a_list("name: a\nboxes: b", "2:8: boxes must be a list, not a string")]
    #[case::deep_within(
        "name: a\nboxes:\n- labels: {}\n- labels: {b: 1}",
        "4:15: boxes[1].labels.b must be a string, not a number; put it in quotes"
    )]
    #[case::missing("boxes: []", "1:1: name is missing")]
    #[case::missing_within("name: a\nboxes:\n- {}", "3:3: boxes[0].labels is missing")]
    #[case::unknown(
        "name: a\nnom: b",
        "2:6: nom is not a field there; these are: name, boxes, code"
    )]
    #[case::too_large(
        "name: a\ncode: 70000",
        "2:7: code must be a whole number up to 65535, not 70000"
    )]
    fn what_does_not_fit_is_told_with_path_and_place(#[case] text: &str, #[case] sentence: &str) {
        assert_eq!(read_text(text), Err(sentence.to_owned()));
    }
}
