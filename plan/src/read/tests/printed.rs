//! Trees that are made up, printed in one of several ways, and read again.

use super::super::{parsed::Bulk, tree::number, values::read};
use super::*;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

/// A tree of values, to which printing gives places.
fn trees() -> impl Strategy<Value = Node> {
    let text = prop_oneof![
        select(vec![
            "",
            "x",
            "yes",
            "no",
            "null",
            "~",
            "12",
            "0x1f",
            "1e3",
            ".inf",
            "- a",
            "a: b",
            "a #b",
            "{{ x }}",
            "${X}",
            "<<",
            "---",
            "...",
            "'",
            "\"",
            "\\",
            "ä\u{7f}",
            "日本 語",
            "😀",
            " x ",
            "a\nb",
            "a\n\n b\n",
            "\t",
            "\u{feff}",
            "\u{1}",
            "*a",
            "&a",
            "!a",
            "%",
            "@",
            "[",
            "}",
            "|",
        ])
        .prop_map(str::to_owned),
        "[a-z][a-z0-9./-]{0,12}",
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.into())),
        any::<u64>().prop_map(|number| Value::Number(number.into())),
        any::<f64>().prop_filter_map("JSON has it", |float| number(float).map(Value::Number)),
        text.clone().prop_map(Value::Text),
    ];
    let node = |value| Node {
        at: Position::default(),
        value,
    };
    leaf.prop_map(node).prop_recursive(5, 64, 6, move |inner| {
        let keys = text.clone();
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(move |items| node(Value::List(items))),
            vec((keys, inner), 0..6).prop_map(move |mut entries| {
                entries.sort_by(|(one, _), (other, _)| one.cmp(other));
                entries.dedup_by(|(one, _), (other, _)| one == other);
                node(Value::Map(entries))
            }),
        ]
    })
}

/// Prints trees; where there are several ways, `choices` says which.
struct Printer<'c> {
    text: String,
    at: Position,
    choices: &'c [Index],
    next: usize,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Json,
    Yaml,
}

impl Printer<'_> {
    fn choose(&mut self, ways: usize) -> usize {
        let choice = self.choices[self.next % self.choices.len()].index(ways);
        self.next += 1;
        choice
    }

    fn write(&mut self, text: &str) {
        self.text.push_str(text);
        self.at = self.at.after(text);
    }

    /// Space that means nothing between brackets.
    fn space(&mut self) {
        let space = match self.form {
            Form::Json => ["", " ", "\n", "\t", "\r\n  "],
            Form::Yaml => [" ", " ", "\n ", " # x\n ", "\n\n  "],
        };
        let choice = self.choose(space.len());
        self.write(space[choice]);
    }

    fn quoted(&mut self, text: &str) {
        // Not all of them are the same in YAML, so these are escapes.
        let json = serde_json::to_string(text).unwrap();
        let mut quoted = String::new();
        for character in json.chars() {
            match character {
                '\u{7f}'..='\u{a0}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{feff}'
                | '\u{fffe}'
                | '\u{ffff}' => {
                    quoted += &format!("\\u{:04x}", u32::from(character));
                }
                _ => quoted.push(character),
            }
        }
        self.write(&quoted);
    }

    fn scalar(&mut self, value: &Value) {
        match value {
            Value::Null => {
                let word = ["null", "~", "Null"];
                let choice = if self.form == Form::Json {
                    0
                } else {
                    self.choose(3)
                };
                self.write(word[choice]);
            }
            Value::Bool(flag) => {
                let words = match flag {
                    true => ["true", "yes", "On", "Y"],
                    false => ["false", "NO", "off", "n"],
                };
                let choice = if self.form == Form::Json {
                    0
                } else {
                    self.choose(4)
                };
                self.write(words[choice]);
            }
            Value::Number(number) => self.write(&number.to_string()),
            Value::Text(text) => self.text(text),
            Value::List(_) | Value::Map(_) => unreachable!(),
        }
    }

    fn text(&mut self, text: &str) {
        let is_word = !text.is_empty()
            && text.len() > 5
            && text.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_printable = !text
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() && c != ' ');
        let is_plain_enough = text.is_ascii() && is_printable;
        match self.choose(3) {
            0 if self.form == Form::Yaml && is_word => self.write(text),
            1 if self.form == Form::Yaml && is_plain_enough => {
                let text = format!("'{}'", text.replace('\'', "''"));
                self.write(&text);
            }
            _ => self.quoted(text),
        }
    }

    /// Between brackets, as all of JSON is.
    fn flow(&mut self, node: &mut Node) {
        node.at = self.at;
        match &mut node.value {
            Value::List(items) => {
                self.write("[");
                for (index, item) in items.iter_mut().enumerate() {
                    self.write(if index > 0 { "," } else { "" });
                    self.space();
                    self.flow(item);
                    self.space();
                }
                self.write("]");
            }
            Value::Map(entries) => {
                self.write("{");
                for (index, (key, item)) in entries.iter_mut().enumerate() {
                    self.write(if index > 0 { "," } else { "" });
                    self.space();
                    self.text(key);
                    self.write(":");
                    self.space();
                    self.flow(item);
                    self.space();
                }
                self.write("}");
            }
            scalar => {
                let scalar = std::mem::take(scalar);
                self.scalar(&scalar);
                node.value = scalar;
            }
        }
    }

    /// On lines of its own, or behind a key or dash.
    fn block(&mut self, node: &mut Node, indent: usize) {
        let is_nested = match &node.value {
            Value::List(items) => !items.is_empty(),
            Value::Map(entries) => !entries.is_empty(),
            _ => false,
        };
        if !is_nested || self.choose(4) == 0 {
            self.flow(node);
            self.write(["\n", " # x\n", "\r\n"][self.choices[0].index(3)]);
            return;
        }
        node.at = self.at;
        match &mut node.value {
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.indent(index, indent);
                    self.write("-");
                    self.behind(item, indent + 2, false);
                }
            }
            Value::Map(entries) => {
                for (index, (key, item)) in entries.iter_mut().enumerate() {
                    self.indent(index, indent);
                    self.text(key);
                    self.write(":");
                    self.behind(item, indent + 2, true);
                }
            }
            _ => unreachable!(),
        }
    }

    fn indent(&mut self, index: usize, indent: usize) {
        if index > 0 {
            self.write(&" ".repeat(indent));
        }
    }

    fn behind(&mut self, node: &mut Node, indent: usize, is_key: bool) {
        let is_nested = matches!(node.value, Value::List(_) | Value::Map(_));
        let is_on_its_own = match is_key {
            // Only what has brackets can follow its key at once.
            true => is_nested,
            false => self.choose(2) == 0,
        };
        match is_on_its_own {
            true => {
                self.write("\n");
                self.write(&" ".repeat(indent));
            }
            false => self.write(" "),
        }
        self.block(node, indent);
    }
}

fn print(node: &mut Node, form: Form, choices: &[Index]) -> String {
    let mut printer = Printer {
        text: String::new(),
        at: Position::START,
        choices,
        next: 0,
        form,
    };
    match form {
        Form::Json => printer.flow(node),
        Form::Yaml => {
            printer.write(["", "---\n", "# x\n---\n"][choices[0].index(3)]);
            printer.block(node, 0);
        }
    }
    printer.text
}

/// What stands in a text, with all of its places.
fn whole(text: &str) -> Vec<Node> {
    let document = document(text);
    let all = read(&document, Bulk::Kept);
    all.map(|parsed| {
        let parsed = parsed.unwrap();
        assert_eq!(parsed.problems, []);
        parsed.node
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A single value is no document of YAML that begins with a bracket, so it stands in a map.
    #[test]
    fn what_is_printed_is_read(tree in trees(), choices in vec(any::<Index>(), 1..40)) {
        for form in [Form::Json, Form::Yaml] {
            let mut tree = Node {
                at: Position::default(),
                value: Value::Map(vec![("root".to_owned(), tree.clone())]),
            };
            let text = print(&mut tree, form, &choices);
            prop_assert_eq!(whole(&text), [tree], "{:?}\n{}", form, text);
        }
    }

    /// Of any text, something is read or told, and the places of both stand in it.
    #[test]
    fn anything_at_all_is_read_or_told(pieces in vec(select(PIECES), 0..40)) {
        let text: String = pieces.concat();
        let end = Position::START.after(&text);
        let document = document(&text);
        for found in nodes(&document) {
            let places: Vec<_> = match found {
                Ok(parsed) => {
                    let problems = parsed.problems.iter().map(|problem| problem.at);
                    let remarks = parsed.remarks.iter().map(|remark| remark.at);
                    problems.chain(remarks).chain([parsed.node.at]).collect()
                }
                Err(fault) => vec![fault.place.at],
            };
            for place in places {
                prop_assert!(place.line >= 1 && place.column >= 1, "{:?} in {:?}", place, text);
                prop_assert!(place.line <= end.line + 1, "{:?} in {:?}", place, text);
            }
        }
    }
}

const PIECES: &[&str] = &[
    "a",
    "b: ",
    "c:\n",
    "  ",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "- ",
    "? ",
    ": ",
    ":",
    "|",
    ">",
    "|-\n",
    "'",
    "\"",
    "\\",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!",
    "!!str ",
    "!!int ",
    "<<: ",
    "#",
    " # x\n",
    "---\n",
    "--- ",
    "...\n",
    "%YAML 1.1\n",
    "{{ ",
    " }}",
    "${",
    "{%",
    "%}",
    "yes",
    "0x1f",
    "1e3",
    "null",
    "~",
    ".inf",
    "\u{feff}",
    "ä",
    "😀",
    "\u{1}",
    "\u{85}",
    "\"a\": 1",
    "{\"a\":",
    "true",
    "\"\\ud800\"",
    "\"\\x",
    "@",
    "`",
    "env: ",
    "data: {",
    "1e999",
    "-",
];
