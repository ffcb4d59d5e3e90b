//! A value that is not decoded.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Visitor};

/// The bytes of a value in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice<'a>(pub &'a [u8]);

/// The name by which a [`Slice`] asks the reader for its bytes.
pub(crate) const SLICE: &str = "Slice";

impl<'de: 'a, 'a> Deserialize<'de> for Slice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SliceVisitor;

        impl<'de> Visitor<'de> for SliceVisitor {
            type Value = Slice<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any value")
            }

            fn visit_borrowed_bytes<E>(self, json: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Slice(json))
            }
        }

        deserializer.deserialize_newtype_struct(SLICE, SliceVisitor)
    }
}
