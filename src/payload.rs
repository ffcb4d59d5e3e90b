//! The payloads of host calls. One type writes all of them, which keeps the guest small: the types of
//! the SDK own all of their strings, and each brings code of its own.

use serde::{Serialize, Serializer};

/// A value in a payload.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload<'r> {
    /// No value.
    Null,
    /// `true`.
    True,
    /// A string.
    Text(&'r str),
    /// A list of strings.
    Texts(&'r [&'r str]),
    /// A map.
    Map(&'r [(&'static str, Payload<'r>)]),
}

impl<'r> From<Option<&'r str>> for Payload<'r> {
    fn from(text: Option<&'r str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::True => serializer.serialize_bool(true),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Texts(texts) => serializer.collect_seq(*texts),
            Self::Map(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_json() {
        let inner = [("c", Payload::Texts(&["x", "\"y\""]))];
        let payload = Payload::Map(&[
            ("a", Payload::from(None)),
            ("b", Payload::Map(&inner)),
            ("d", Payload::True),
            ("e", Payload::from(Some("\n"))),
            ("f", Payload::Texts(&[])),
        ]);
        assert_eq!(
            serde_json::to_string(&payload).unwrap(),
            r#"{"a":null,"b":{"c":["x","\"y\""]},"d":true,"e":"\n","f":[]}"#
        );
    }
}
