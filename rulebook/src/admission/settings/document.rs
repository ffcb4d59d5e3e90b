//! A settings document as the user gives it.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::metadata::Text;

/// A value in a settings document. It can have any shape, so that the reader can report every fault
/// of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SettingsValue<'a> {
    /// `null`, or no document.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A number. Its value is not kept, because no setting is a number.
    Number,
    /// A string.
    Text(Text<'a>),
    /// A list.
    List(Vec<SettingsValue<'a>>),
    /// A map, in the order of the document.
    Map(Vec<(Text<'a>, SettingsValue<'a>)>),
    /// A value that is nested too deeply to be read.
    TooDeep,
}

impl SettingsValue<'_> {
    /// What a message calls it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::TooDeep => "nested too deeply",
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for SettingsValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct GivenVisitor;

        impl<'de> Visitor<'de> for GivenVisitor {
            type Value = SettingsValue<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("settings")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(SettingsValue::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(SettingsValue::Bool(value))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(SettingsValue::Number)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(SettingsValue::Number)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(SettingsValue::Number)
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(SettingsValue::Text(Text(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(SettingsValue::Text(Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(SettingsValue::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(SettingsValue::Map(entries))
            }
        }

        deserializer.deserialize_any(GivenVisitor)
    }
}
