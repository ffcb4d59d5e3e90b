//! The part of Go's templates that identities are written in (ID3): fields, `label "key"` and trim
//! markers. Whatever is richer is named as such and never guessed.

use std::{borrow::Cow, fmt};

use crate::metadata::Labels;

/// What Go's templates take for space, in actions and beside trim markers.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A template that can be evaluated here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template<'t> {
    parts: Vec<TemplatePart<'t>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplatePart<'t> {
    /// Text between actions, trimmed where a marker says so.
    Text(&'t str),
    /// `{{ .Field }}`.
    Field { at: usize, name: &'t str },
    /// `{{ label "key" }}`.
    Label { at: usize, key: Cow<'t, str> },
}

/// What a template is evaluated with.
#[derive(Debug, Clone, Copy)]
pub struct TemplateData<'d> {
    /// The fields that `{{ .Field }}` can name, with their values.
    pub fields: &'d [(&'d str, &'d str)],
    /// The labels that `{{ label "key" }}` reads.
    pub labels: &'d Labels<'d>,
}

/// Why a template gives no text here. Positions are offsets in bytes, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateFault {
    /// Kuma may evaluate it, this crate does not: neither a field nor a label (ID3).
    NotEvaluated {
        /// Where that which is richer begins.
        at: usize,
    },
    /// No Go template.
    Malformed {
        /// Where the fault is.
        at: usize,
        /// What is wrong there.
        what: Malformed,
    },
    /// A field that this template's data does not have.
    UnknownField {
        /// Where the field stands.
        at: usize,
        /// Its name, without the dot.
        name: String,
    },
    /// A label that is not there; an empty one would be.
    LabelMissing {
        /// Where the label is asked for.
        at: usize,
        /// Its key.
        key: String,
    },
}

/// What makes a text no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// `{{` without `}}`.
    UnclosedAction,
    /// Nothing between `{{` and `}}`.
    EmptyAction,
    /// A string without its closing quote.
    UnterminatedString,
    /// A backslash before what Go knows no escape for.
    BadEscape,
    /// `label` without a key.
    LabelWithoutKey,
    /// A character that cannot stand there.
    UnexpectedCharacter(char),
}

impl TemplateFault {
    /// Whether the template may well be right and is only too rich to be evaluated here.
    pub fn is_not_evaluated(&self) -> bool {
        matches!(self, Self::NotEvaluated { .. })
    }

    /// Where in the template the fault is: an offset in bytes, from 0.
    pub fn at(&self) -> usize {
        match self {
            Self::NotEvaluated { at }
            | Self::Malformed { at, .. }
            | Self::UnknownField { at, .. }
            | Self::LabelMissing { at, .. } => *at,
        }
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEvaluated { .. } => formatter.write_str(
                "it has more than fields and labels, which is not evaluated here: \
                 Kuma decides",
            )?,
            Self::Malformed { what, .. } => write!(formatter, "{what}")?,
            Self::UnknownField { name, .. } => write!(formatter, "there is no field .{name}")?,
            Self::LabelMissing { key, .. } => write!(formatter, "there is no label {key:?}")?,
        }
        write!(formatter, " (at byte {})", self.at())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnclosedAction => formatter.write_str("'{{' is never closed"),
            Self::EmptyAction => formatter.write_str("nothing stands between '{{' and '}}'"),
            Self::UnterminatedString => formatter.write_str("a string is never closed"),
            Self::BadEscape => formatter.write_str("no such escape in a string"),
            Self::LabelWithoutKey => formatter.write_str("'label' needs a key in quotes"),
            Self::UnexpectedCharacter(found) => {
                write!(formatter, "the character {found:?} cannot stand here")
            }
        }
    }
}

impl<'t> Template<'t> {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// The first thing in it that is malformed or too rich.
    pub fn parse(source: &'t str) -> Result<Self, TemplateFault> {
        let mut cursor = Cursor { source, at: 0 };
        let mut parts = Vec::new();
        let mut trim_start = false;
        loop {
            let (text, open) = cursor.text();
            let trim_end = open.is_some() && cursor.eat_left_trim_marker();
            let text = trimmed(text, trim_start, trim_end);
            if !text.is_empty() {
                parts.push(TemplatePart::Text(text));
            }
            let Some(open) = open else {
                return Ok(Self { parts });
            };
            let part = cursor.action(open)?;
            trim_start = part.trim_after;
            parts.push(part.part);
        }
    }

    /// The text that the template stands for.
    ///
    /// # Errors
    ///
    /// The first field or label in it that the data does not have.
    pub fn render(&self, data: &TemplateData<'_>) -> Result<String, TemplateFault> {
        let mut text = String::new();
        for part in &self.parts {
            text.push_str(part.value(data)?);
        }
        Ok(text)
    }
}

impl TemplatePart<'_> {
    fn value<'v>(&'v self, data: &TemplateData<'v>) -> Result<&'v str, TemplateFault> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Field { at, name } => data
                .fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| *value)
                .ok_or_else(|| TemplateFault::UnknownField {
                    at: *at,
                    name: (*name).to_owned(),
                }),
            Self::Label { at, key } => {
                data.labels
                    .get(key)
                    .ok_or_else(|| TemplateFault::LabelMissing {
                        at: *at,
                        key: key.clone().into_owned(),
                    })
            }
        }
    }
}

fn trimmed(text: &str, start: bool, end: bool) -> &str {
    let text = if start {
        text.trim_start_matches(SPACES)
    } else {
        text
    };
    if end {
        text.trim_end_matches(SPACES)
    } else {
        text
    }
}

fn malformed(at: usize, what: Malformed) -> TemplateFault {
    TemplateFault::Malformed { at, what }
}

/// What Go's words are made of.
fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// An action, and whether the text after it is trimmed.
struct TemplateAction<'t> {
    part: TemplatePart<'t>,
    trim_after: bool,
}

struct Cursor<'t> {
    source: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let eaten = self.rest().starts_with(prefix);
        if eaten {
            self.at += prefix.len();
        }
        eaten
    }

    /// What stands before the first character that is not wanted.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// The text up to the next action, and where that opens, if there is one.
    fn text(&mut self) -> (&'t str, Option<usize>) {
        match self.rest().split_once(OPEN) {
            None => (self.rest(), None),
            Some((text, _)) => {
                let open = self.at + text.len();
                self.at = open + OPEN.len();
                (text, Some(open))
            }
        }
    }

    /// The marker is a minus and one space; without the space it is a minus sign.
    fn eat_left_trim_marker(&mut self) -> bool {
        let marked = self
            .rest()
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(SPACES));
        if marked {
            self.at += 2;
        }
        marked
    }

    /// Passes over spaces and the end of the action; whether that has a trim marker, if it is
    /// there. A marker has a space before it.
    fn close(&mut self) -> Option<bool> {
        let spaces = self.take_while(|c| SPACES.contains(&c));
        if !spaces.is_empty() && self.rest().starts_with("-}}") {
            self.at += 1;
            self.eat(CLOSE);
            return Some(true);
        }
        self.eat(CLOSE).then_some(false)
    }

    fn action(&mut self, open: usize) -> Result<TemplateAction<'t>, TemplateFault> {
        if self.rest().starts_with("/*") {
            return Err(TemplateFault::NotEvaluated { at: self.at });
        }
        if self.close().is_some() {
            return Err(malformed(open, Malformed::EmptyAction));
        }
        let part = match self.peek() {
            Some('.') => self.field(open)?,
            _ if self.eat_word("label") => self.label(open)?,
            _ => return Err(self.neither(open)),
        };
        match self.close() {
            Some(trim_after) => Ok(TemplateAction { part, trim_after }),
            None => Err(self.neither(open)),
        }
    }

    /// `.Field`, from its dot on.
    fn field(&mut self, open: usize) -> Result<TemplatePart<'t>, TemplateFault> {
        let at = self.at;
        self.eat(".");
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            // A number such as .5.
            return Err(TemplateFault::NotEvaluated { at });
        }
        let name = self.take_while(is_word);
        self.terminator()?;
        if name.is_empty() {
            // The dot alone is all of the data; at the end of the text nothing at all.
            return Err(match self.peek() {
                None => malformed(open, Malformed::UnclosedAction),
                Some(_) => TemplateFault::NotEvaluated { at },
            });
        }
        Ok(TemplatePart::Field { at, name })
    }

    /// The key of `label`, which has been passed.
    fn label(&mut self, open: usize) -> Result<TemplatePart<'t>, TemplateFault> {
        let at = self.at - "label".len();
        self.terminator()?;
        if self.close().is_some() {
            return Err(malformed(at, Malformed::LabelWithoutKey));
        }
        let key = match self.peek() {
            Some('"') => Cow::Owned(self.quoted()?),
            Some('`') => self.raw()?,
            _ => return Err(self.neither(open)),
        };
        Ok(TemplatePart::Label { at, key })
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let is_it = self
            .rest()
            .strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(is_word));
        is_it && self.eat(word)
    }

    /// Go ends a field or a word only at certain characters.
    fn terminator(&self) -> Result<(), TemplateFault> {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            _ if self.rest().starts_with(CLOSE) => Ok(()),
            Some(found) => Err(malformed(self.at, Malformed::UnexpectedCharacter(found))),
        }
    }

    /// What is to be said of an action that has, here, neither what is evaluated nor its end.
    fn neither(&self, open: usize) -> TemplateFault {
        let mut characters = self.rest().chars();
        let Some(found) = characters.next() else {
            return malformed(open, Malformed::UnclosedAction);
        };
        let richer = match found {
            '.' | '"' | '`' | '\'' | '$' | '(' | '|' => true,
            // A sign belongs to a number; Go knows no other use for it.
            '+' | '-' => characters
                .next()
                .is_some_and(|c| c == '.' || c.is_ascii_digit()),
            _ => is_word(found),
        };
        if richer {
            TemplateFault::NotEvaluated { at: self.at }
        } else {
            malformed(self.at, Malformed::UnexpectedCharacter(found))
        }
    }

    /// A string between back quotes: as it stands, but for carriage returns, which Go drops.
    fn raw(&mut self) -> Result<Cow<'t, str>, TemplateFault> {
        let at = self.at;
        self.eat("`");
        let body = self.take_while(|c| c != '`');
        if !self.eat("`") {
            return Err(malformed(at, Malformed::UnterminatedString));
        }
        Ok(if body.contains('\r') {
            Cow::Owned(body.replace('\r', ""))
        } else {
            Cow::Borrowed(body)
        })
    }

    /// A string between double quotes, its escapes decoded.
    fn quoted(&mut self) -> Result<String, TemplateFault> {
        let at = self.at;
        let unterminated = malformed(at, Malformed::UnterminatedString);
        self.eat("\"");
        // Bytes, since Go's \xff and \377 are bytes and not characters.
        let mut bytes = Vec::new();
        loop {
            let plain = self.take_while(|c| !matches!(c, '"' | '\\' | '\n'));
            bytes.extend_from_slice(plain.as_bytes());
            if self.eat("\"") {
                break;
            }
            let escape = self.at;
            if !self.eat("\\") || matches!(self.peek(), None | Some('\n')) {
                return Err(unterminated);
            }
            self.escape(&mut bytes)
                .ok_or(malformed(escape, Malformed::BadEscape))?;
        }
        // No label has a key that is not text, but how Go compares it is Go's affair.
        String::from_utf8(bytes).map_err(|_| TemplateFault::NotEvaluated { at })
    }

    /// What follows a backslash; nothing if Go knows no such escape.
    fn escape(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let kind = self.peek()?;
        if kind.is_digit(8) {
            let byte = u8::try_from(self.number(3, 8)?).ok()?;
            bytes.push(byte);
            return Some(());
        }
        self.at += kind.len_utf8();
        match kind {
            'a' => bytes.push(0x07),
            'b' => bytes.push(0x08),
            'f' => bytes.push(0x0c),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(0x0b),
            '\\' => bytes.push(b'\\'),
            '"' => bytes.push(b'"'),
            'x' => bytes.push(u8::try_from(self.number(2, 16)?).ok()?),
            'u' => self.character(4, bytes)?,
            'U' => self.character(8, bytes)?,
            _ => return None,
        }
        Some(())
    }

    fn character(&mut self, digits: usize, bytes: &mut Vec<u8>) -> Option<()> {
        let character = char::from_u32(self.number(digits, 16)?)?;
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Some(())
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize, radix: u32) -> Option<u32> {
        let text = self.rest().get(..digits)?;
        // The standard library's parser would take a sign too.
        if !text.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        self.at += digits;
        u32::from_str_radix(text, radix).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const FIELDS: [(&str, &str); 2] = [("Workload", "backend"), ("Namespace", "demo")];

    fn render(template: &str) -> Result<String, TemplateFault> {
        let labels = [
            ("team", "core"),
            ("empty", ""),
            ("a\"b", "quote"),
            ("ü", "u"),
        ];
        let data = TemplateData {
            fields: &FIELDS,
            labels: &labels.into_iter().collect(),
        };
        Template::parse(template)?.render(&data)
    }

    #[rstest]
    #[case::nothing("", "")]
    #[case::text("/a b", "/a b")]
    #[case::closing_braces_are_text("/a}} }b", "/a}} }b")]
    #[case::one_brace_is_text("/{ .Workload }", "/{ .Workload }")]
    #[case::field("/w/{{ .Workload }}", "/w/backend")]
    #[case::without_spaces("{{.Workload}}", "backend")]
    #[case::many_spaces("{{ \t\r\n .Workload \n}}", "backend")]
    #[case::two_fields("{{.Namespace}}.{{.Workload}}", "demo.backend")]
    #[case::label("/t/{{ label \"team\" }}/x", "/t/core/x")]
    #[case::empty_label("/t{{ label \"empty\" }}", "/t")]
    #[case::closing_braces_in_a_string("{{ label \"a\\\"b\" }}}}", "quote}}")]
    fn id3_fields_and_labels(#[case] template: &str, #[case] text: &str) {
        assert_eq!(render(template).as_deref(), Ok(text));
    }

    #[rstest]
    #[case::left("/ \t{{- .Workload }} /", "/backend /")]
    #[case::right("/ {{ .Workload -}} \r\n/", "/ backend/")]
    #[case::both("/ {{- .Workload -}} /", "/backend/")]
    #[case::label("/ {{- label `team` -}} /", "/core/")]
    #[case::between_actions("{{ .Workload -}}  {{ .Namespace }}", "backenddemo")]
    #[case::up_to_the_next_text_only("{{ .Workload -}}{{ .Namespace }} /", "backenddemo /")]
    #[case::other_spaces_stay("/\u{a0}{{- .Workload }}", "/\u{a0}backend")]
    fn id3_trim_markers(#[case] template: &str, #[case] text: &str) {
        assert_eq!(render(template).as_deref(), Ok(text));
    }

    #[rstest]
    #[case::hexadecimal(r#""\x74eam""#)]
    #[case::octal(r#""\164eam""#)]
    #[case::four_digits(r#""\u0074eam""#)]
    #[case::eight_digits(r#""\U00000074eam""#)]
    #[case::raw("`team`")]
    #[case::raw_drops_carriage_returns("`te\ram`")]
    fn id3_strings_as_go_writes_them(#[case] literal: &str) {
        let rendered = render(&format!("{{{{ label {literal} }}}}"));
        assert_eq!(rendered.as_deref(), Ok("core"));
    }

    #[rstest]
    #[case::bytes_of_a_character(r#""\xc3\xbc""#)]
    #[case::octal_bytes(r#""\303\274""#)]
    #[case::code_point(r#""\u00fc""#)]
    fn id3_escapes_beyond_ascii(#[case] literal: &str) {
        let rendered = render(&format!("{{{{ label {literal} }}}}"));
        assert_eq!(rendered.as_deref(), Ok("u"));
    }

    #[test]
    fn id3_every_escape_of_a_letter() {
        let rendered = render(r#"{{ label "\a\b\f\n\r\t\v\\\"" }}"#);
        let key = "\u{7}\u{8}\u{c}\n\r\t\u{b}\\\"".to_owned();
        assert_eq!(rendered, Err(TemplateFault::LabelMissing { at: 3, key }));
    }

    #[rstest]
    #[case::condition("/{{ if .Workload }}y{{ end }}", 4)]
    #[case::pipe("/{{ label \"team\" | printf \"%s-x\" }}", 17)]
    #[case::pipe_without_spaces("{{.Workload|len}}", 11)]
    #[case::function("{{ printf \"x\" }}", 3)]
    #[case::word_that_begins_with_label("{{ labels \"team\" }}", 3)]
    #[case::string("{{ \"x\" }}", 3)]
    #[case::raw_string("{{ `x` }}", 3)]
    #[case::character("{{ 'x' }}", 3)]
    #[case::variable("{{ $x }}", 3)]
    #[case::parentheses("{{ (label \"team\") }}", 3)]
    #[case::dot("{{ . }}", 3)]
    #[case::chain("{{ .Workload.Name }}", 12)]
    #[case::argument("{{ .Workload 1 }}", 13)]
    #[case::label_of_a_field("{{ label .Workload }}", 9)]
    #[case::label_of_two("{{ label \"a\" \"b\" }}", 13)]
    #[case::number("{{ 1 }}", 3)]
    #[case::negative_number("{{ -1 }}", 3)]
    #[case::fraction("{{ .5 }}", 3)]
    #[case::comment("{{/* x */}}", 2)]
    #[case::comment_with_markers("{{- /* x */ -}}", 4)]
    #[case::bytes_that_are_no_text(r#"{{ label "\xff" }}"#, 9)]
    fn id3_richer_templates_are_not_evaluated(#[case] template: &str, #[case] at: usize) {
        let fault = render(template).unwrap_err();
        assert_eq!(fault, TemplateFault::NotEvaluated { at });
        assert!(fault.is_not_evaluated());
    }

    const UNEXPECTED_MINUS: Malformed = Malformed::UnexpectedCharacter('-');
    const UNEXPECTED_BRACE: Malformed = Malformed::UnexpectedCharacter('}');

    #[rstest]
    #[case::unclosed("/{{ .Workload", 1, Malformed::UnclosedAction)]
    #[case::unclosed_at_once("/{{", 1, Malformed::UnclosedAction)]
    #[case::unclosed_dot("/{{ .", 1, Malformed::UnclosedAction)]
    #[case::unclosed_label("/{{ label", 1, Malformed::UnclosedAction)]
    #[case::unclosed_key("/{{ label `a`", 1, Malformed::UnclosedAction)]
    #[case::one_closing_brace("/{{ .Workload }", 14, UNEXPECTED_BRACE)]
    #[case::one_closing_brace_at_once("/{{ .Workload}", 13, UNEXPECTED_BRACE)]
    #[case::empty("/{{ }}", 1, Malformed::EmptyAction)]
    #[case::empty_with_markers("/{{-  -}}", 1, Malformed::EmptyAction)]
    #[case::markers_with_one_space("/{{- -}}", 5, UNEXPECTED_MINUS)]
    #[case::minus_that_is_no_marker("{{ .Workload-}}", 12, UNEXPECTED_MINUS)]
    #[case::minus_alone("{{ .Workload - }}", 13, UNEXPECTED_MINUS)]
    #[case::third_brace("{{{ .Workload }}}", 2, Malformed::UnexpectedCharacter('{'))]
    #[case::action_in_an_action("{{ {{ .Workload }} }}", 3, Malformed::UnexpectedCharacter('{'))]
    #[case::dash_in_a_field("{{ .Work-load }}", 8, UNEXPECTED_MINUS)]
    #[case::other_space("{{\u{a0}.Workload }}", 2, Malformed::UnexpectedCharacter('\u{a0}'))]
    #[case::label_alone("{{ label }}", 3, Malformed::LabelWithoutKey)]
    #[case::label_alone_with_marker("{{ label -}}", 3, Malformed::LabelWithoutKey)]
    #[case::no_space_before_the_key("{{ label\"team\" }}", 8, Malformed::UnexpectedCharacter('"'))]
    #[case::open_string("{{ label \"team }}", 9, Malformed::UnterminatedString)]
    #[case::string_over_two_lines("{{ label \"te\nam\" }}", 9, Malformed::UnterminatedString)]
    #[case::string_that_ends_in_a_backslash("{{ label \"\\", 9, Malformed::UnterminatedString)]
    #[case::open_raw_string("{{ label `team }}", 9, Malformed::UnterminatedString)]
    #[case::unknown_escape(r#"{{ label "te\q" }}"#, 12, Malformed::BadEscape)]
    #[case::quote_of_the_other_kind(r#"{{ label "te\'" }}"#, 12, Malformed::BadEscape)]
    #[case::too_few_digits(r#"{{ label "\x7" }}"#, 10, Malformed::BadEscape)]
    #[case::sign_for_a_digit(r#"{{ label "\x+7" }}"#, 10, Malformed::BadEscape)]
    #[case::octal_too_large(r#"{{ label "\400" }}"#, 10, Malformed::BadEscape)]
    #[case::surrogate(r#"{{ label "\ud800" }}"#, 10, Malformed::BadEscape)]
    #[case::beyond_unicode(r#"{{ label "\U00110000" }}"#, 10, Malformed::BadEscape)]
    fn id3_malformed_templates(#[case] template: &str, #[case] at: usize, #[case] what: Malformed) {
        let fault = render(template).unwrap_err();
        assert_eq!(fault, TemplateFault::Malformed { at, what });
        assert!(!fault.is_not_evaluated());
    }

    #[test]
    fn id3_unknown_fields_and_missing_labels() {
        let (at, name) = (4, "Missing".to_owned());
        let unknown = Err(TemplateFault::UnknownField { at, name });
        assert_eq!(render("/{{ .Missing }}"), unknown);
        let key = "kuma.io/zone".to_owned();
        let missing = Err(TemplateFault::LabelMissing { at, key });
        assert_eq!(render("/{{ label \"kuma.io/zone\" }}"), missing);
    }

    #[rstest]
    #[case("/{{ .Missing }}", "there is no field .Missing (at byte 4)")]
    #[case("/{{ label `a` }}", "there is no label \"a\" (at byte 4)")]
    #[case("/{{ .A", "'{{' is never closed (at byte 1)")]
    #[case(
        "/{{ 1 }}",
        "it has more than fields and labels, which is not evaluated here: Kuma decides (at byte 4)"
    )]
    fn id3_faults_in_words(#[case] template: &str, #[case] words: &str) {
        assert_eq!(render(template).unwrap_err().to_string(), words);
    }

    /// An action as a user writes it, with and without markers, and the text it stands for.
    fn action() -> impl Strategy<Value = (String, bool, bool, &'static str)> {
        let inner = prop_oneof![
            Just((".Workload", "backend")),
            Just((".Namespace", "demo")),
            Just(("label \"team\"", "core")),
            Just(("label `empty`", "")),
        ];
        (inner, any::<bool>(), any::<bool>()).prop_map(|((inner, value), left, right)| {
            let open = if left { "{{- " } else { "{{" };
            let close = if right { " -}}" } else { "}}" };
            (format!("{open}{inner}{close}"), left, right, value)
        })
    }

    /// Pieces that templates are made of, in any order.
    fn soup() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("{{".to_owned()),
            Just("}}".to_owned()),
            Just("-".to_owned()),
            Just(" ".to_owned()),
            Just(".Workload".to_owned()),
            Just("label".to_owned()),
            Just("\"".to_owned()),
            Just("`".to_owned()),
            Just("\\".to_owned()),
            Just("\\xc3".to_owned()),
            Just("\\u00".to_owned()),
            Just("ü".to_owned()),
            "\\PC",
        ];
        proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn id3_nothing_makes_the_parser_panic(any in any::<String>(), soup in soup()) {
            for template in [any, soup] {
                if let Err(fault) = render(&template) {
                    prop_assert!(template.is_char_boundary(fault.at()));
                    prop_assert!(fault.at() <= template.len());
                }
            }
        }

        #[test]
        fn id3_text_without_actions_is_verbatim(text in any::<String>()) {
            prop_assume!(!text.contains(OPEN));
            prop_assert_eq!(render(&text), Ok(text));
        }

        #[test]
        fn id3_text_between_actions_is_verbatim_but_for_what_markers_trim(
            first in "[^{]{0,6}|[ \t\n]{0,3}",
            then in proptest::collection::vec((action(), "[^{]{0,6}|[ \t\n]{0,3}"), 0..5),
        ) {
            let (actions, texts): (Vec<_>, Vec<_>) = then.into_iter().unzip();
            let (mut template, mut text) = (String::new(), String::new());
            let mut trim_start = false;
            for (at, verbatim) in [first].into_iter().chain(texts).enumerate() {
                template.push_str(&verbatim);
                let mut kept = verbatim.as_str();
                if trim_start {
                    kept = kept.trim_start_matches(SPACES);
                }
                let Some((action, left, right, value)) = actions.get(at) else {
                    text.push_str(kept);
                    break;
                };
                text.push_str(if *left { kept.trim_end_matches(SPACES) } else { kept });
                text.push_str(value);
                template.push_str(action);
                trim_start = *right;
            }
            prop_assert_eq!(render(&template), Ok(text));
        }
    }
}
