//! YAML that every reader reads alike: kubectl's, which takes `yes` and `1_000` for what they were in
//! YAML 1.1, as much as those of YAML 1.2.
//!
//! serde_json walks the value; what is here is how it is written: in blocks, a string without quotes
//! only where it can be nothing but a string.

use std::io::{self, Write};

use kuma_workload_rulebook::quoted::is_visible;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use super::style::Style;
use crate::report::Report;

/// Writes the report.
pub(super) fn write_report(report: &Report, _: Style, to: &mut impl Write) -> io::Result<()> {
    write(report, to)
}

/// Writes a value as one document.
///
/// # Errors
///
/// What the writer has against it, and what JSON cannot express.
pub fn write(value: &impl Serialize, to: &mut impl Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *to, Block::default()))?;
    writeln!(to)
}

/// Block style: keys and dashes below each other, a list's dashes below its key.
#[derive(Default)]
struct Block {
    /// The maps and lists that are open, the innermost last.
    open: Vec<Open>,
    before: Before,
    /// The string under way.
    text: String,
}

struct Open {
    /// Where its keys or dashes stand, from 0.
    column: usize,
    empty: bool,
    /// Whether its first key or dash stands on the line of the dash before it.
    joins: bool,
}

/// What stands before a value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Nothing,
    Key,
    Dash,
}

impl Block {
    fn open(&mut self, is_list: bool) {
        let column = self.open.last().map_or(0, |open| match self.before {
            Before::Key if is_list => open.column,
            _ => open.column + 2,
        });
        self.open.push(Open {
            column,
            empty: true,
            joins: self.before != Before::Key,
        });
    }

    /// Nothing was in it: then it stands in the line, as flow style has it.
    fn close(&mut self, empty: &str, to: &mut (impl ?Sized + Write)) -> io::Result<()> {
        match self.open.pop() {
            Some(open) if open.empty => {
                self.before = if open.joins {
                    Before::Dash
                } else {
                    Before::Key
                };
                self.scalar(empty, to)
            }
            _ => Ok(()),
        }
    }

    /// Goes to where the next key or dash stands.
    fn next(&mut self, to: &mut (impl ?Sized + Write)) -> io::Result<()> {
        self.before = Before::Nothing;
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        let joins = open.empty && open.joins;
        open.empty = false;
        match joins {
            true => Ok(()),
            false => write!(to, "\n{:1$}", "", open.column),
        }
    }

    fn scalar(&self, text: &str, to: &mut (impl ?Sized + Write)) -> io::Result<()> {
        if self.before == Before::Key {
            to.write_all(b" ")?;
        }
        to.write_all(text.as_bytes())
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),+) => {
        $(fn $method<W: ?Sized + Write>(&mut self, to: &mut W, value: $number) -> io::Result<()> {
            self.scalar(&value.to_string(), to)
        })+
    };
}

impl Formatter for Block {
    numbers!(
        write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_i128: i128,
        write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_u128: u128,
        write_f32: f32, write_f64: f64, write_bool: bool
    );

    fn write_null<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.scalar("null", to)
    }

    fn write_number_str<W: ?Sized + Write>(&mut self, to: &mut W, value: &str) -> io::Result<()> {
        self.scalar(value, to)
    }

    fn begin_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.text.clear();
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        _: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.text.push_str(fragment);
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        _: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.text.push(match escape {
            CharEscape::Quote => '"',
            CharEscape::ReverseSolidus => '\\',
            CharEscape::Solidus => '/',
            CharEscape::Backspace => '\u{8}',
            CharEscape::FormFeed => '\u{c}',
            CharEscape::LineFeed => '\n',
            CharEscape::CarriageReturn => '\r',
            CharEscape::Tab => '\t',
            CharEscape::AsciiControl(byte) => char::from(byte),
        });
        Ok(())
    }

    fn end_string<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        match is_plain(&self.text) {
            true => self.scalar(&self.text, to),
            false => self.scalar(&quoted(&self.text), to),
        }
    }

    fn begin_array<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.open(true);
        Ok(())
    }

    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.close("[]", to)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, _: bool) -> io::Result<()> {
        self.next(to)?;
        self.before = Before::Dash;
        to.write_all(b"- ")
    }

    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.open(false);
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.close("{}", to)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, _: bool) -> io::Result<()> {
        self.next(to)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.before = Before::Key;
        to.write_all(b":")
    }
}

/// The words that are a boolean or null to some reader, in any case.
const WORDS: [&str; 9] = ["y", "yes", "n", "no", "on", "off", "true", "false", "null"];

/// Whether a string needs no quotes: it begins with a letter, so that it is no number, date, sign or
/// indicator, is none of the words, and has nothing in it that means something.
fn is_plain(text: &str) -> bool {
    let harmless =
        |c: char| c.is_ascii_graphic() || c == ' ' || (c.is_alphanumeric() && is_visible(c));
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(harmless)
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// In double quotes, on one line; what no document may hold as it is, or an editor would not show,
/// is escaped.
fn quoted(text: &str) -> String {
    use std::fmt::Write as _;

    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        // Writing to a string cannot fail.
        let _ = match character {
            '"' => quoted.write_str("\\\""),
            '\\' => quoted.write_str("\\\\"),
            '\n' => quoted.write_str("\\n"),
            '\r' => quoted.write_str("\\r"),
            '\t' => quoted.write_str("\\t"),
            ' '..='~' => quoted.write_char(character),
            _ if character.is_alphanumeric() && is_visible(character) => {
                quoted.write_char(character)
            }
            _ => match u32::from(character) {
                code @ ..=0xffff => write!(quoted, "\\u{code:04x}"),
                code => write!(quoted, "\\U{code:08x}"),
            },
        };
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use rstest::rstest;
    use serde_json::{Value as Json, json};

    use crate::read::{
        Document, nodes,
        tree::{Node, Value},
    };

    fn yaml(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn blocks() {
        let value = json!({
            "a": 1,
            "b": {"c": {}, "d": [], "e": null},
            "f": [true, "x", [1, [2], []], {"g": 1, "h": ["i", {"j": {"k": -1}}]}, {}],
        });
        let expected = "\
a: 1
b:
  c: {}
  d: []
  e: null
f:
- true
- x
- - 1
  - - 2
  - []
- g: 1
  h:
  - i
  - j:
      k: -1
- {}
";
        assert_eq!(yaml(&value), expected);
    }

    #[rstest]
    #[case::empty(json!({}), "{}\n")]
    #[case::list(json!([1]), "- 1\n")]
    #[case::text(json!("yes"), "\"yes\"\n")]
    fn the_whole_document(#[case] value: Json, #[case] expected: &str) {
        assert_eq!(yaml(&value), expected);
    }

    #[rstest]
    #[case::name("web-7f4b8c")]
    #[case::sentence("Pod \"a/b\", it's (at 3) x:y, [#1] {2} & *3")]
    #[case::letters("größer 日本")]
    fn what_can_only_be_a_string_needs_no_quotes(#[case] text: &str) {
        assert_eq!(yaml(&text), format!("{text}\n"));
    }

    #[rstest]
    fn what_might_be_something_else_is_quoted(
        #[values(
            "",
            "y",
            "N",
            "yes",
            "Off",
            "ON",
            "true",
            "False",
            "null",
            "~",
            "NULL",
            "1",
            "1_0",
            "1__0",
            "0x_1",
            "017",
            "0b1",
            "1e3",
            ".5",
            "+1",
            "-",
            "- a",
            "1:30",
            "2024-01-01",
            ".inf",
            ".NaN",
            "<<",
            "=",
            "? a",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "@a",
            "`a",
            "%a",
            "!a",
            "&a",
            "*a",
            "|",
            ">",
            "'a'",
            "[a]",
            "{a}",
            ",a",
            " a",
            "a ",
            "---",
            "...",
            "a\tb"
        )]
        text: &str,
    ) {
        let expected = text.replace('\t', "\\t");
        assert_eq!(yaml(&text), format!("\"{expected}\"\n"));
        assert_eq!(yaml(&json!({ text: 1 })), format!("\"{expected}\": 1\n"));
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        let text = "\u{0}\u{1b}\u{7f}\u{85}\u{2028}\u{3164}\u{feff}\u{ffff}😀\"\\";
        assert_eq!(
            yaml(&text),
            "\"\\u0000\\u001b\\u007f\\u0085\\u2028\\u3164\\ufeff\\uffff\\U0001f600\\\"\\\\\"\n"
        );
    }

    fn read(text: &str) -> Node {
        let document = Document {
            name: "a.yaml".into(),
            bytes: text.as_bytes().into(),
        };
        nodes(&document).next().unwrap().unwrap().node
    }

    fn is_same(node: &Node, value: &Json) -> bool {
        match (&node.value, value) {
            (Value::Null, Json::Null) => true,
            (Value::Bool(left), Json::Bool(right)) => left == right,
            (Value::Number(left), Json::Number(right)) => left == right,
            (Value::Text(left), Json::String(right)) => left == right,
            (Value::List(left), Json::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
            }
            (Value::Map(left), Json::Object(right)) => {
                left.len() == right.len()
                    && left.iter().all(|(key, node)| is_same(node, &right[key]))
            }
            _ => false,
        }
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[aby01:.\\-_+eExof '\"\\\\#\n\t|>&*!%@`{}\\[\\],?=~<ä日\u{85}\u{2028}\u{feff}\r]{0,9}",
            "\\PC{0,12}",
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn our_reader_reads_it_back(texts in vec(text(), 1..4)) {
            let map: serde_json::Map<_, _> =
                texts.iter().map(|text| (format!("{text}."), json!(text))).collect();
            let value = json!({"list": texts, "map": map, "nested": [[texts]]});
            let yaml = yaml(&value);
            prop_assert!(is_same(&read(&yaml), &value), "{yaml}");
        }
    }
}
