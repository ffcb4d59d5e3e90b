//! Labels, annotations and Pods as the rules see them. They borrow from the input as far as
//! possible.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::keys::{self, Switch};

/// A string that borrows from the input, unless an escape had to be decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Text<'a>(pub Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Text<'_> {
    /// The same text, without a borrow.
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// Labels or annotations. `null` is read as none, and a value that is `null` as an empty string, as
/// the API server does (W2). If a key is repeated, the last value counts, as in JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels<'a>(Vec<(Text<'a>, Text<'a>)>);

impl Labels<'_> {
    /// The same entries, without a borrow.
    pub fn into_owned(self) -> Labels<'static> {
        let entries = self.0.into_iter();
        Labels(
            entries
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The entries as they were given; of a key given twice, the last counts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The value of a key, empty or not.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .rfind(|(k, _)| &**k == key)
            .map(|(_, value)| &**value)
    }

    /// The value of a key, unless it is empty. Kuma treats an empty value as unset (M1, W1).
    pub fn get_non_empty(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| !value.is_empty())
    }

    /// Whether the key is present, whatever its value (A1).
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The meaning of the switch word of a key, if the key is present (I1).
    pub fn switch(&self, key: &str) -> Option<Switch> {
        self.get(key).map(Switch::read)
    }
}

impl<'a, K: Into<Text<'a>>, V: Into<Text<'a>>> FromIterator<(K, V)> for Labels<'a> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

/// If a key was present before, the added value counts.
impl<'a, K: Into<Text<'a>>, V: Into<Text<'a>>> Extend<(K, V)> for Labels<'a> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let entries = entries.into_iter();
        self.0
            .extend(entries.map(|(key, value)| (key.into(), value.into())));
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;

        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = Labels<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of strings")
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(Labels::default())
            }

            fn visit_some<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<_, Option<_>>()? {
                    entries.push((key, value.unwrap_or_default()));
                }
                Ok(Labels(entries))
            }
        }

        deserializer.deserialize_option(LabelsVisitor)
    }
}

/// The part of an object's metadata that the rules read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// `metadata.labels`.
    pub labels: Labels<'a>,
    /// `metadata.annotations`.
    pub annotations: Labels<'a>,
}

impl Metadata<'_> {
    /// The same metadata, without a borrow.
    pub fn into_owned(self) -> Metadata<'static> {
        Metadata {
            labels: self.labels.into_owned(),
            annotations: self.annotations.into_owned(),
        }
    }
}

/// What the rules need to know of a Pod, or of the Pod that a template describes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodFacts<'a> {
    /// `metadata.name`; empty if the object has none, as a template or an object with
    /// `generateName`.
    pub name: Text<'a>,
    /// Its labels and annotations.
    pub metadata: Metadata<'a>,
    /// `spec.serviceAccountName`, or its deprecated alias where that is absent or empty (W2).
    pub service_account: Option<Text<'a>>,
    /// Whether a container or init container is named [`keys::SIDECAR_CONTAINER`] (I1).
    pub has_sidecar: bool,
    /// Whether `metadata.deletionTimestamp` is set (A4).
    pub terminating: bool,
    /// Whether `status.phase` is `Succeeded` or `Failed` (A7).
    pub finished: bool,
}

impl PodFacts<'_> {
    /// The same Pod, without a borrow.
    pub fn into_owned(self) -> PodFacts<'static> {
        PodFacts {
            name: self.name.into_owned(),
            metadata: self.metadata.into_owned(),
            service_account: self.service_account.map(Text::into_owned),
            has_sidecar: self.has_sidecar,
            terminating: self.terminating,
            finished: self.finished,
        }
    }

    /// Whether it is a builtin gateway, which gets a Dataplane without injection, but no workload
    /// (I1 (a), W8).
    pub fn is_builtin_gateway(&self) -> bool {
        self.metadata.annotations.get(keys::GATEWAY) == Some(keys::GATEWAY_BUILTIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::null("null", &[])]
    #[case::empty("{}", &[])]
    #[case::plain(r#"{"a":"1","b":""}"#, &[("a", "1"), ("b", "")])]
    #[case::escaped(r#"{"a\u002fb":"\"x\""}"#, &[("a/b", "\"x\"")])]
    #[case::w2_null_value(r#"{"a":null,"b":"1"}"#, &[("a", ""), ("b", "1")])]
    fn labels_from_json(#[case] json: &str, #[case] entries: &[(&str, &str)]) {
        let labels: Labels<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(labels, entries.iter().copied().collect());
    }

    #[rstest]
    #[case::list("[]")]
    #[case::text(r#""a""#)]
    #[case::number_value(r#"{"a":1}"#)]
    fn labels_of_a_wrong_type_are_refused(#[case] json: &str) {
        assert!(serde_json::from_str::<Labels<'_>>(json).is_err());
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        let labels: Labels<'_> = serde_json::from_str(r#"{"a":"1","a":"2"}"#).unwrap();
        assert_eq!(labels.get("a"), Some("2"));
    }

    #[test]
    fn empty_values_are_present_but_unset() {
        let labels: Labels<'_> = [("a", "")].into_iter().collect();
        assert!(labels.contains("a"));
        assert_eq!(labels.get_non_empty("a"), None);
    }
}
