//! YAML: a file in documents, a document in nodes.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

use super::{
    Syntax,
    tree::{Node, Position, Value, is_bulk},
};

/// The documents of a file, with the number of lines before each. A line that begins with `---` or
/// `...` is a marker wherever it stands, in a quoted or literal text too, so that documents can be
/// parsed one by one and a bad one does not hide the others.
pub fn documents(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let mut rest = text;
    let mut lines = 0;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (start, mut end, mut length) = (lines, 0, 0);
            for (index, line) in rest.split_inclusive('\n').enumerate() {
                if index > 0 && is_marker(line, "---") {
                    break;
                }
                lines += 1;
                length += line.len();
                if is_marker(line, "...") {
                    break;
                }
                end = length;
            }
            let (document, after) = rest.split_at(length);
            rest = after;
            let document = document.get(..end).unwrap_or_default();
            if !is_blank(document) {
                return Some((start, document));
            }
        }
        None
    })
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Nothing but comments, directives and the marker.
fn is_blank(document: &str) -> bool {
    document.lines().all(|line| {
        let line = line.strip_prefix("---").unwrap_or(line).trim();
        line.is_empty() || line.starts_with(['#', '%'])
    })
}

/// Parses a document that has so many lines before it.
///
/// # Errors
///
/// Where it is no YAML, and why.
pub fn parse(document: &str, lines_before: u32) -> Result<Node, Syntax> {
    let parsed = serde_saphyr::from_str_with_options::<Located<false>>(document, options());
    let mut node = parsed.map_err(|error| syntax(&error, lines_before))?.0;
    if lines_before > 0 {
        shift(&mut node, lines_before);
    }
    Ok(node)
}

fn shift(node: &mut Node, lines: u32) {
    node.at.line += lines;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| shift(item, lines)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, node)| shift(node, lines)),
        _ => {}
    }
}

fn syntax(error: &serde_saphyr::Error, lines_before: u32) -> Syntax {
    let error = error.without_snippet();
    let location = error.location();
    let at = location.map_or(Position { line: 1, column: 1 }, position);
    let text = error.to_string();
    // The position is told before the sentence already.
    let reason = text.split(" at line ").next().unwrap_or(&text);
    let reason = reason.lines().next().unwrap_or(reason);
    Syntax {
        at: Position {
            line: at.line.max(1) + lines_before,
            column: at.column.max(1),
        },
        reason: format!("this is no YAML: {reason}"),
    }
}

fn position(location: serde_saphyr::Location) -> Position {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Position {
        line: number(location.line()),
        column: number(location.column()),
    }
}

/// A cluster's dump is large and its CustomResourceDefinitions are deep.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 50_000_000,
            max_nodes: 50_000_000,
            max_depth: 256,
            max_total_scalar_bytes: 1 << 30,
        },
        with_snippet: false,
        // As kubectl: yes and no are words.
        strict_booleans: true,
    }
}

/// A [`Node`] as this parser gives it.
struct Located<const BULK: bool>(Node);

impl<'de, const BULK: bool> Deserialize<'de> for Located<BULK> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Bare<BULK>>::deserialize(deserializer)?;
        Ok(Self(Node {
            at: position(spanned.referenced),
            value: spanned.value.0,
        }))
    }
}

/// A value to its depth or, of what is bulk, no deeper than a text.
struct Bare<const BULK: bool>(Value);

impl<'de, const BULK: bool> Deserialize<'de> for Bare<BULK> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BareVisitor<const BULK: bool>;

        impl<'de, const BULK: bool> Visitor<'de> for BareVisitor<BULK> {
            type Value = Bare<BULK>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Bare(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Bare(Value::Bool(value)))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Bare(Value::Number(Some(value))))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Bare(Value::Number(i64::try_from(value).ok())))
            }

            fn visit_i128<E>(self, _: i128) -> Result<Self::Value, E> {
                Ok(Bare(Value::Number(None)))
            }

            fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
                Ok(Bare(Value::Number(None)))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Bare(Value::Number(None)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Bare(Value::Text(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Bare(Value::Text(text)))
            }

            fn visit_bytes<E>(self, _: &[u8]) -> Result<Self::Value, E> {
                Ok(Bare(Value::Text(String::new())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                if BULK {
                    while seq.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(Bare(Value::Null));
                }
                let mut items = Vec::new();
                while let Some(Located::<false>(item)) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Bare(Value::List(items)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                if BULK {
                    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                    return Ok(Bare(Value::Null));
                }
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    let node = match is_bulk(&key) {
                        true => map.next_value::<Located<true>>()?.0,
                        false => map.next_value::<Located<false>>()?.0,
                    };
                    entries.push((key, node));
                }
                Ok(Bare(Value::Map(entries)))
            }
        }

        deserializer.deserialize_any(BareVisitor::<BULK>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty("", &[])]
    #[case::one("a: 1\n", &[(0, "a: 1\n")])]
    #[case::comments_only("# helm\n---\n# Source: x\n---\n", &[])]
    #[case::two("a: 1\n---\nb: 2\n", &[(0, "a: 1\n"), (1, "---\nb: 2\n")])]
    #[case::first_marker("---\na: 1\n---\nb: 2", &[(0, "---\na: 1\n"), (2, "---\nb: 2")])]
    #[case::end_marker("a: 1\n...\n---\nb: 2\n", &[(0, "a: 1\n"), (2, "---\nb: 2\n")])]
    #[case::on_the_marker("--- {a: 1}\n--- {b: 2}\n", &[(0, "--- {a: 1}\n"), (1, "--- {b: 2}\n")])]
    #[case::no_marker("a: |\n  ---\n----\n", &[(0, "a: |\n  ---\n----\n")])]
    #[case::windows("a: 1\r\n---\r\nb: 2\r\n", &[(0, "a: 1\r\n"), (1, "---\r\nb: 2\r\n")])]
    fn a_file_in_documents(#[case] text: &str, #[case] expected: &[(u32, &str)]) {
        assert_eq!(documents(text).collect::<Vec<_>>(), expected);
    }

    fn at(line: u32, column: u32) -> Position {
        Position { line, column }
    }

    #[test]
    fn nodes_know_where_they_stand() {
        let node = parse("---\na:\n  b: [x, \"y\"]\n", 10).unwrap();
        assert_eq!(node.at, at(12, 1));
        let b = node.get("a").and_then(|a| a.get("b")).unwrap();
        assert_eq!(b.at, at(13, 6));
        let Value::List(items) = &b.value else {
            unreachable!()
        };
        assert_eq!(items[1].at, at(13, 10));
    }

    #[rstest]
    #[case::yes("yes", Value::Text("yes".into()))]
    #[case::true_("true", Value::Bool(true))]
    #[case::integer("12", Value::Number(Some(12)))]
    #[case::float("1.5", Value::Number(None))]
    #[case::null("~", Value::Null)]
    #[case::quoted("'12'", Value::Text("12".into()))]
    #[case::time("2026-01-02T03:04:05Z", Value::Text("2026-01-02T03:04:05Z".into()))]
    fn scalars(#[case] text: &str, #[case] value: Value) {
        assert_eq!(parse(&format!("a: {text}"), 0).unwrap().value, {
            let at = at(1, 4);
            Value::Map(vec![("a".into(), Node { at, value })])
        });
    }

    #[test]
    fn bulk_is_passed_over() {
        let node = parse("env: [{a: 1}]\ndata: {b: c}\nlabels: {env: prod}\n", 0).unwrap();
        assert_eq!((node.get("env"), node.get("data")), (None, None));
        assert_eq!(
            node.get("labels").unwrap().get("env").unwrap().text(),
            Ok("prod")
        );
    }

    #[test]
    fn aliases_and_merge_keys_are_resolved() {
        let node = parse("x: &x {a: one}\ny:\n  <<: *x\n  b: *x\n", 0).unwrap();
        let y = node.get("y").unwrap();
        assert_eq!(y.get("a").unwrap().text(), Ok("one"));
        assert_eq!(y.get("b").unwrap().get("a").unwrap().text(), Ok("one"));
    }

    #[rstest]
    #[case::unclosed("a: [1, 2\n")]
    #[case::template("{{- if .Values.x }}\na: 1\n{{- end }}\n")]
    #[case::repeated_key("a: 1\na: 2\n")]
    #[case::tab("a:\n\tb: 1\n")]
    fn what_is_no_yaml_is_told_with_its_line(#[case] text: &str) {
        let error = parse(text, 10).unwrap_err();
        assert!(error.at.line > 10, "{error:?}");
        assert!(!error.reason.contains('\n'));
    }
}
