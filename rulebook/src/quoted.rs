//! How text that a user has written appears in a message.
//!
//! Names, labels and keys may hold anything at all. A message shows them, but it must not repeat a
//! whole payload, break a line, control a terminal, or read otherwise than it is. Every crate of the workspace quotes with this
//! module.

use std::fmt::{self, Write as _};

/// The longest name that a Kubernetes object can have, in characters.
pub const MAX_NAME: usize = 253;

/// The longest key of a label or annotation, in bytes: a DNS subdomain, `/` and a name of 63.
const MAX_KEY: usize = 253 + 1 + 63;

/// A name in double quotes. It is cut after 253 characters, what is not visible is replaced by
/// U+FFFD (see [`is_visible`]), and a double quote in it by a single one.
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

/// A text of any length with what is not visible replaced by U+FFFD (see [`is_visible`]), for the
/// cell of a table.
pub fn printable(text: &str) -> String {
    text.chars().map(printable_char).collect()
}

fn printable_char(character: char) -> char {
    if is_visible(character) {
        character
    } else {
        char::REPLACEMENT_CHARACTER
    }
}

/// Whether a character is seen as itself wherever it is shown. Others break a line, control a
/// terminal, change the order in which a text reads, or are not seen at all.
pub fn is_visible(character: char) -> bool {
    let code = u32::from(character);
    let after = INVISIBLE.partition_point(|(first, _)| *first <= code);
    let range = after.checked_sub(1).and_then(|at| INVISIBLE.get(at));
    range.is_none_or(|(_, last)| code > *last)
}

/// The first and last code of each range of characters that are not visible: of the categories
/// control (Cc), format (Cf), line separator (Zl) and paragraph separator (Zp), and all that may be
/// shown as nothing (Default_Ignorable_Code_Point), such as variation selectors and tags.
#[rustfmt::skip]
pub static INVISIBLE: [(u32, u32); 27] = [
    (0x0, 0x1f), (0x7f, 0x9f), (0xad, 0xad), (0x34f, 0x34f), (0x600, 0x605), (0x61c, 0x61c),
    (0x6dd, 0x6dd), (0x70f, 0x70f), (0x890, 0x891), (0x8e2, 0x8e2), (0x115f, 0x1160),
    (0x17b4, 0x17b5), (0x180b, 0x180f), (0x200b, 0x200f), (0x2028, 0x202e), (0x2060, 0x206f),
    (0x3164, 0x3164), (0xfe00, 0xfe0f), (0xfeff, 0xfeff), (0xffa0, 0xffa0), (0xfff0, 0xfffb),
    (0x110bd, 0x110bd), (0x110cd, 0x110cd), (0x13430, 0x1343f), (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a), (0xe0000, 0xe0fff),
];

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
    use regex_syntax::hir::{Class, HirKind};
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
    fn a_printable_text_is_whole_and_visible() {
        assert_eq!(printable("a\u{1b}[31m\tö\"b"), "a\u{fffd}[31m\u{fffd}ö\"b");
    }

    #[rstest]
    #[case::line_feed('\n', false)]
    #[case::delete('\u{7f}', false)]
    #[case::next_line('\u{85}', false)]
    #[case::soft_hyphen('\u{ad}', false)]
    #[case::zero_width_space('\u{200b}', false)]
    #[case::line_separator('\u{2028}', false)]
    #[case::paragraph_separator('\u{2029}', false)]
    #[case::right_to_left_override('\u{202e}', false)]
    #[case::word_joiner('\u{2060}', false)]
    #[case::left_to_right_isolate('\u{2066}', false)]
    #[case::pop_isolate('\u{2069}', false)]
    #[case::hangul_filler('\u{3164}', false)]
    #[case::variation_selector('\u{fe0f}', false)]
    #[case::byte_order_mark('\u{feff}', false)]
    #[case::language_tag('\u{e0001}', false)]
    #[case::space(' ', true)]
    #[case::letter('a', true)]
    #[case::umlaut('ä', true)]
    #[case::hebrew('א', true)]
    #[case::han('語', true)]
    #[case::emoji('😀', true)]
    #[case::highest(char::MAX, true)]
    fn characters(#[case] character: char, #[case] visible: bool) {
        assert_eq!(is_visible(character), visible);
        assert_eq!(
            Quoted(&character.to_string())
                .to_string()
                .contains('\u{fffd}'),
            !visible
        );
    }

    #[test]
    fn the_table_of_invisible_characters_is_that_of_unicode() {
        const INVISIBLE_CLASS: &str = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]";
        let class = regex_syntax::parse(INVISIBLE_CLASS).unwrap();
        let HirKind::Class(Class::Unicode(class)) = class.into_kind() else {
            panic!("a class of characters");
        };
        let ranges = class.ranges().iter();
        let expected: Vec<(u32, u32)> = ranges
            .map(|range| (range.start().into(), range.end().into()))
            .collect();
        assert_eq!(INVISIBLE, *expected);
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
