//! How text that a user has written appears in a message.
//!
//! Names, labels and keys may hold anything at all. A message shows them, but it must not repeat a
//! whole payload, break a line or control a terminal. Every crate of the workspace quotes with this
//! module.

use std::fmt::{self, Write as _};

/// The longest name that a Kubernetes object can have, in characters.
const MAX_NAME: usize = 253;

/// The longest key of a label or annotation, in bytes: a DNS subdomain, `/` and a name of 63.
const MAX_KEY: usize = 253 + 1 + 63;

/// A name in double quotes. It is cut after 253 characters, control characters are replaced by
/// U+FFFD, and a double quote in it by a single one.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('"')?;
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(MAX_NAME) {
            formatter.write_char(match character {
                '"' => '\'',
                other => printable_char(other),
            })?;
        }
        if characters.next().is_some() {
            formatter.write_char('…')?;
        }
        formatter.write_char('"')
    }
}

/// A text of any length with its control characters replaced by U+FFFD, for the cell of a table.
pub fn printable(text: &str) -> String {
    text.chars().map(printable_char).collect()
}

fn printable_char(character: char) -> char {
    if character.is_control() {
        char::REPLACEMENT_CHARACTER
    } else {
        character
    }
}

/// A key as a part of a field path, such as `metadata` or `kuma.io/mesh`. A key that no field,
/// label or annotation can have is shown as `?`.
pub fn path_segment(key: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    if key.len() <= MAX_KEY && key.bytes().all(is_plain) {
        key
    } else {
        "?"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("web-0", "\"web-0\"")]
    #[case::control_characters("a\u{1b}[31m\n", "\"a\u{fffd}[31m\u{fffd}\"")]
    #[case::quotes("a\"b", "\"a'b\"")]
    #[case::longest(&"ä".repeat(253), &format!("\"{}\"", "ä".repeat(253)))]
    #[case::too_long(&"ä".repeat(254), &format!("\"{}…\"", "ä".repeat(253)))]
    fn quoted(#[case] name: &str, #[case] shown: &str) {
        assert_eq!(Quoted(name).to_string(), shown);
    }

    #[test]
    fn a_printable_text_is_whole_and_has_no_control_characters() {
        assert_eq!(printable("a\u{1b}[31m\tö\"b"), "a\u{fffd}[31m\u{fffd}ö\"b");
    }

    #[rstest]
    #[case::field("serviceAccountName", "serviceAccountName")]
    #[case::label("k8s.kuma.io/namespace", "k8s.kuma.io/namespace")]
    #[case::longest(&"a".repeat(317), &"a".repeat(317))]
    #[case::too_long(&"a".repeat(318), "?")]
    #[case::space("a b", "?")]
    #[case::quote("a\"b", "?")]
    #[case::not_ascii("ä", "?")]
    fn path_segments(#[case] key: &str, #[case] shown: &str) {
        assert_eq!(path_segment(key), shown);
    }
}
