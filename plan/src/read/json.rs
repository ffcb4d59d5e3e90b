//! JSON: one value after the other, each in nodes.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    Syntax,
    tree::{Node, Position, Value, is_bulk},
};

/// No manifest is so deep.
const MOST_LEVELS: usize = 256;

/// The values of a file. What comes after an error cannot be told apart, so it is the last.
pub fn documents(text: &str) -> impl Iterator<Item = Result<Node, Syntax>> {
    let lines = Lines::of(text);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let value = values.next()?;
        let node = match value {
            Ok(raw) => node(raw, &|raw| lines.position(raw), 0),
            Err(error) => Err(syntax(&error)),
        };
        ended = node.is_err();
        Some(node)
    })
}

/// A value that came from no file.
///
/// # Errors
///
/// That it is no JSON.
pub fn parse(text: &str) -> Result<Node, Syntax> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    node(raw, &|_| Position::default(), 0)
}

fn syntax(error: &serde_json::Error) -> Syntax {
    let text = error.to_string();
    // The position is told before the sentence already.
    let reason = text.split(" at line ").next().unwrap_or(&text);
    let number = |number| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    Syntax {
        at: Position {
            line: number(error.line()),
            column: number(error.column()),
        },
        reason: format!("this is no JSON: {reason}"),
    }
}

/// Reads level by level: what a raw value borrows from the text tells where it stands.
fn node(
    raw: &RawValue,
    position: &impl Fn(&RawValue) -> Position,
    level: usize,
) -> Result<Node, Syntax> {
    let at = position(raw);
    let text = raw.get();
    if level == MOST_LEVELS {
        return Err(Syntax {
            at,
            reason: format!("this is deeper than {MOST_LEVELS} levels"),
        });
    }
    let unread = |error: serde_json::Error| Syntax {
        at,
        ..syntax(&error)
    };
    let deeper = |raw| node(raw, position, level + 1);
    let value = match text.as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) = serde_json::from_str(text).map_err(unread)?;
            let entries = entries.into_iter().map(|(key, raw)| {
                let node = match is_bulk(&key) && is_nested(raw) {
                    true => Node {
                        at: position(raw),
                        value: Value::Null,
                    },
                    false => deeper(raw)?,
                };
                Ok((key.into_owned(), node))
            });
            Value::Map(entries.collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(unread)?;
            Value::List(items.into_iter().map(deeper).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(text).map_err(unread)?),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') | None => Value::Null,
        Some(_) => Value::Number(text.parse().ok()),
    };
    Ok(Node { at, value })
}

fn is_nested(raw: &RawValue) -> bool {
    raw.get().starts_with(['{', '['])
}

struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// Where the lines of a text begin.
struct Lines {
    start: usize,
    ends: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate();
        Self {
            start: text.as_ptr() as usize,
            ends: ends
                .filter_map(|(at, byte)| (byte == b'\n').then_some(at))
                .collect(),
        }
    }

    /// Where a value that is borrowed from the text stands; columns are bytes, as in the errors.
    fn position(&self, raw: &RawValue) -> Position {
        let at = (raw.get().as_ptr() as usize).wrapping_sub(self.start);
        let line = self.ends.partition_point(|end| *end < at);
        let start = match line {
            0 => 0,
            line => self.ends.get(line - 1).map_or(0, |end| end + 1),
        };
        let number = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
        Position {
            line: number(line),
            column: number(at.saturating_sub(start)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_values_and_where_they_stand() {
        let text = "{\"a\": 1}\n{\"b\": [true,\n  \"x\\n\"], \"c\\u0041\": null}";
        let nodes: Vec<_> = documents(text).map(Result::unwrap).collect();
        assert_eq!(nodes.len(), 2);
        let Value::List(items) = &nodes[1].get("b").unwrap().value else {
            unreachable!()
        };
        assert_eq!(items[1].text(), Ok("x\n"));
        assert_eq!(items[1].at, Position { line: 3, column: 3 });
        assert!(matches!(&nodes[1].value, Value::Map(entries) if entries[1].0 == "cA"));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_line() {
        let found: Vec<_> = documents("{}\n{\"a\": }\n{}").collect();
        assert_eq!(found.len(), 2);
        let error = found[1].clone().unwrap_err();
        assert_eq!(error.at, Position { line: 2, column: 7 });
        assert_eq!(error.reason, "this is no JSON: expected value");
    }

    #[test]
    fn bulk_is_passed_over() {
        let node = parse("{\"env\": [{\"a\": 1}], \"labels\": {\"env\": \"prod\"}}").unwrap();
        assert_eq!(node.get("env"), None);
        assert_eq!(
            node.get("labels").unwrap().get("env").unwrap().text(),
            Ok("prod")
        );
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        for levels in [300, 5_000] {
            let text = "[".repeat(levels) + &"]".repeat(levels);
            assert!(documents(&text).any(|found| found.is_err()));
        }
    }
}
