//! Fields whose value may be of another type than Kuma's. This is remembered, and reading goes on.
//!
//! One object that cannot be read must not stop the list that it is in. Reading every object twice,
//! once to see whether it can be read, would double the cost of all the others.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

/// A field's value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Lax<T> {
    /// It is absent or null.
    #[default]
    Absent,
    /// It is what is expected.
    Read(T),
    /// It is of another type: this one, in words.
    Wrong(&'static str),
}

/// The types of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonType {
    String,
    Bool,
    Number,
    List,
    Object,
}

/// A type that is read from JSON values of one type.
pub(super) trait OfJsonType {
    const TYPE: JsonType = JsonType::Object;
}

impl OfJsonType for String {
    const TYPE: JsonType = JsonType::String;
}

impl OfJsonType for bool {
    const TYPE: JsonType = JsonType::Bool;
}

impl OfJsonType for i32 {
    const TYPE: JsonType = JsonType::Number;
}

impl<T> OfJsonType for Vec<T> {
    const TYPE: JsonType = JsonType::List;
}

impl JsonType {
    fn in_words(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

impl<T> Lax<T> {
    /// The value, if it is there and of the expected type.
    pub(super) fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Absent | Self::Wrong(_) => None,
        }
    }
}

impl<T: OfJsonType> Lax<T> {
    /// The value if there is one.
    ///
    /// # Errors
    /// When it is of another type: a sentence that names the field by this path.
    pub(super) fn check(&self, path: &str) -> Result<Option<&T>, String> {
        match self {
            Self::Absent => Ok(None),
            Self::Read(value) => Ok(Some(value)),
            Self::Wrong(found) => Err(format!(
                "{path} is {found} where {} is expected",
                T::TYPE.in_words()
            )),
        }
    }
}

/// The value, or the default where it cannot be read. The first fault is kept.
pub(super) fn or_default<T: Default>(fault: &mut Option<String>, read: Result<T, String>) -> T {
    read.unwrap_or_else(|wrong| {
        fault.get_or_insert(wrong);
        T::default()
    })
}

impl<'de, T: OfJsonType + Deserialize<'de>> Deserialize<'de> for Lax<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfAnyType(PhantomData))
    }
}

struct OfAnyType<T>(PhantomData<T>);

impl<'de, T: OfJsonType + Deserialize<'de>> OfAnyType<T> {
    fn plain<E: Error>(
        json_type: JsonType,
        value: impl IntoDeserializer<'de, E>,
    ) -> Result<Lax<T>, E> {
        if json_type == T::TYPE {
            // Of the right JSON type, only a number can be wrong: too large, or a fraction.
            let read = T::deserialize(value.into_deserializer());
            Ok(read.map_or(Lax::Wrong("a number out of range"), Lax::Read))
        } else {
            Ok(Lax::Wrong(json_type.in_words()))
        }
    }
}

impl<'de, T: OfJsonType + Deserialize<'de>> Visitor<'de> for OfAnyType<T> {
    type Value = Lax<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::TYPE.in_words())
    }

    fn visit_unit<E>(self) -> Result<Lax<T>, E> {
        Ok(Lax::Absent)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Lax<T>, E> {
        Self::plain(JsonType::Bool, value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Lax<T>, E> {
        Self::plain(JsonType::Number, value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Lax<T>, E> {
        Self::plain(JsonType::Number, value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Lax<T>, E> {
        Self::plain(JsonType::Number, value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Lax<T>, E> {
        Self::plain(JsonType::String, value.to_owned())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lax<T>, A::Error> {
        if T::TYPE == JsonType::List {
            return T::deserialize(SeqAccessDeserializer::new(list)).map(Lax::Read);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lax::Wrong(JsonType::List.in_words()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Lax<T>, A::Error> {
        if T::TYPE == JsonType::Object {
            return T::deserialize(MapAccessDeserializer::new(object)).map(Lax::Read);
        }
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Lax::Wrong(JsonType::Object.in_words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        #[serde(default)]
        name: Lax<String>,
        #[serde(default)]
        count: Lax<i32>,
    }

    impl OfJsonType for Pair {}

    fn pair(name: Lax<String>, count: Lax<i32>) -> Lax<Pair> {
        Lax::Read(Pair { name, count })
    }

    #[rstest]
    #[case::right(r#"{"name":"a","count":1}"#, pair(Lax::Read("a".into()), Lax::Read(1)))]
    #[case::absent("{}", pair(Lax::Absent, Lax::Absent))]
    #[case::null(r#"{"name":null}"#, pair(Lax::Absent, Lax::Absent))]
    #[case::number_for_string(
        r#"{"name":1,"count":2}"#,
        pair(Lax::Wrong("a number"), Lax::Read(2))
    )]
    #[case::list_for_string(
        r#"{"name":[1,{"a":[]}],"count":2}"#,
        pair(Lax::Wrong("a list"), Lax::Read(2))
    )]
    #[case::object_for_string(
        r#"{"name":{"a":{}},"count":2}"#,
        pair(Lax::Wrong("an object"), Lax::Read(2))
    )]
    #[case::bool_for_number(r#"{"count":true}"#, pair(Lax::Absent, Lax::Wrong("true or false")))]
    #[case::string_for_number(r#"{"count":"1"}"#, pair(Lax::Absent, Lax::Wrong("a string")))]
    #[case::too_large(
        r#"{"count":3000000000}"#,
        pair(Lax::Absent, Lax::Wrong("a number out of range"))
    )]
    #[case::fraction(
        r#"{"count":1.5}"#,
        pair(Lax::Absent, Lax::Wrong("a number out of range"))
    )]
    #[case::string_for_object(r#""a""#, Lax::Wrong("a string"))]
    #[case::list_for_object("[{}]", Lax::Wrong("a list"))]
    #[case::null_for_object("null", Lax::Absent)]
    fn a_wrong_type_is_remembered(#[case] json: &str, #[case] read: Lax<Pair>) {
        assert_eq!(serde_json::from_str::<Lax<Pair>>(json).unwrap(), read);
    }

    #[test]
    fn the_other_elements_of_a_list_are_read() {
        let list: Lax<Vec<Lax<Pair>>> = serde_json::from_str(r#"[{"count":1},7,{}]"#).unwrap();
        let read = vec![
            pair(Lax::Absent, Lax::Read(1)),
            Lax::Wrong("a number"),
            pair(Lax::Absent, Lax::Absent),
        ];
        assert_eq!(list, Lax::Read(read));
    }

    #[test]
    fn the_sentence() {
        let wrong: Lax<Pair> = Lax::Wrong("a list");
        assert_eq!(
            wrong.check("spec.networking"),
            Err("spec.networking is a list where an object is expected".to_owned())
        );
    }
}
