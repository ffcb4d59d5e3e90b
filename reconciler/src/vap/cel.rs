//! Pieces of CEL: literals, and how a text that a user has written is quoted.

use std::{borrow::Borrow, collections::BTreeSet, fmt::Write as _};

use kuma_workload_rulebook::quoted::{INVISIBLE, MAX_NAME};

/// A string literal. It has no line break, whatever is in the text.
pub(super) fn text(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for character in text.chars() {
        match character {
            '\'' | '\\' => literal.extend(['\\', character]),
            ' '..='~' => literal.push(character),
            _ if character.is_alphanumeric() => literal.push(character),
            // Writing to a string cannot fail.
            _ => drop(write!(literal, "\\U{:08x}", u32::from(character))),
        }
    }
    literal.push('\'');
    literal
}

/// A list literal of strings.
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let literals: Vec<_> = texts.into_iter().map(text).collect();
    format!("[{}]", literals.join(", "))
}

/// A map literal that has these strings as keys: to look one up takes the same time however many there
/// are.
pub(super) fn set<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: BTreeSet<_> = texts.into_iter().collect();
    let entries: Vec<_> = texts
        .into_iter()
        .map(|one| format!("{}: true", text(one)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// All of these conditions, each on a line of its own.
pub(super) fn all<S: Borrow<str>>(conditions: &[S]) -> String {
    conditions.join(" &&\n")
}

/// One of these conditions, each on a line of its own.
pub(super) fn any<S: Borrow<str>>(conditions: &[S]) -> String {
    conditions.join(" ||\n")
}

/// The value of a label or annotation, empty if there is none.
pub(super) fn value(map: &str, key: &str) -> String {
    format!("{map}[?{}].orValue('')", text(key))
}

/// A name in double quotes that has no character in it that a message would show otherwise.
pub(super) fn in_quotes(name: &str) -> String {
    format!("'\"' + {name} + '\"'")
}

/// Any text as a message quotes it (see [`Quoted`]). There is no function that replaces by a pattern, so
/// the text is taken to pieces: each character that is not visible is one, and what is between them.
///
/// [`Quoted`]: kuma_workload_rulebook::quoted::Quoted
pub(super) fn quoted(name: &str) -> String {
    let invisible: String = INVISIBLE
        .iter()
        .map(|(first, last)| format!(r"\x{{{first:x}}}-\x{{{last:x}}}"))
        .collect();
    let (pieces, is_invisible) = (
        text(&format!("[{invisible}]|[^{invisible}]+")),
        text(&format!("[{invisible}]")),
    );
    let replacement = text("\u{fffd}");
    format!(
        "'\"' + (size({name}) > {MAX_NAME} ? {name}.substring(0, {MAX_NAME}) + '…' : {name})\n\
         .findAll({pieces})\n\
         .map(piece, piece.matches({is_invisible}) ? {replacement} : piece.replace('\"', '\\''))\n\
         .join('') + '\"'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("web-0 \"a\"", "'web-0 \"a\"'")]
    #[case::quote_and_backslash("it's \\", "'it\\'s \\\\'")]
    #[case::letters("Jürgen", "'Jürgen'")]
    #[case::line_break("a\nb", "'a\\U0000000ab'")]
    #[case::hidden("a\u{202e}b", "'a\\U0000202eb'")]
    fn literals(#[case] plain: &str, #[case] literal: &str) {
        assert_eq!(text(plain), literal);
    }

    #[test]
    fn lists() {
        assert_eq!(list([]), "[]");
        assert_eq!(list(["a", "b"]), "['a', 'b']");
    }

    #[test]
    fn sets_have_each_key_once() {
        assert_eq!(set([]), "{}");
        assert_eq!(set(["b", "a", "b"]), "{'a': true, 'b': true}");
    }
}
