//! Settings that are lists of names, and which names they may contain.

pub(super) use crate::identifier::is_namespace;
use crate::{identifier::is_dns_label, metadata::Text};

/// A list of names. The defaults are static, so that a request does not have to copy them.
#[derive(Debug, Clone)]
pub enum Names<'a> {
    /// The default of the setting.
    Default(&'static [&'static str]),
    /// The names that the user gives instead.
    Given(Vec<Text<'a>>),
}

impl Names<'_> {
    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (default, given): (&[&str], &[Text<'_>]) = match self {
            Self::Default(names) => (names, &[]),
            Self::Given(names) => (&[], names),
        };
        default
            .iter()
            .copied()
            .chain(given.iter().map(|name| &**name))
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// Two lists are equal if they contain the same names in the same order.
impl PartialEq for Names<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Names<'_> {}

/// What is wrong with the name of a Namespace.
pub(super) fn namespace_fault(name: &str) -> Option<&'static str> {
    (!is_namespace(name)).then_some("must be a Namespace's name")
}

/// Whether an entry stands for this name. An entry that ends in `*` stands for every name with that
/// beginning.
pub(super) fn stands_for(entry: &str, name: &str) -> bool {
    match entry.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == entry,
    }
}

/// What is wrong with the key of a label: it must be 1 to 63 letters, digits, `-`, `_` and `.`,
/// with an optional DNS subdomain and `/` before them.
pub(super) fn label_key_fault(key: &str) -> Option<&'static str> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let is_legal_prefix =
        prefix.is_none_or(|prefix| prefix.len() <= 253 && prefix.split('.').all(is_dns_label));
    let bytes = name.as_bytes();
    let is_legal_name = bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (!(is_legal_prefix && is_legal_name)).then_some("must be a legal label key")
}
