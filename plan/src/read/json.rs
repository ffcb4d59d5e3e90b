//! JSON: one value after the other, each put together by the builder.
//!
//! A scanner of our own, since what is wrong must be told with its place, a repeated key with both,
//! and each value's place in characters, in one walk over the text; what strings and numbers mean is
//! serde_json's to say.

use std::borrow::Cow;

use serde_json::Number;

use super::{
    builder::{Builder, Scalar},
    fault::Problem,
    parsed::{Bulk, Parsed},
    tree::{self, Position},
};

/// Reads the values of a text, one after the other.
#[derive(Debug)]
pub(super) struct Values<'t> {
    text: &'t str,
    bulk: Bulk,
    /// How many bytes have been read.
    offset: usize,
    /// Where the text stands that was counted last, and how many bytes come before it.
    at: Position,
    counted: usize,
    has_begun: bool,
}

impl<'t> Values<'t> {
    /// The values of a text that stands there in its file.
    pub(super) fn new(text: &'t str, at: Position, bulk: Bulk) -> Self {
        Self {
            text,
            bulk,
            offset: 0,
            at,
            counted: 0,
            has_begun: false,
        }
    }

    /// The next value, if there is one.
    pub(super) fn next(&mut self) -> Option<Result<Parsed, Problem>> {
        self.skip_space();
        self.peek()?;
        self.has_begun = false;
        let start = self.here();
        let mut builder = Builder::new(self.bulk);
        Some(self.value(&mut builder).map(|()| builder.finish(start)))
    }

    /// Whether a string, number or word of the last value could be read: only the first may be what
    /// else begins with a bracket.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// What comes after what has been read, and where it begins.
    pub(super) fn rest(&mut self) -> (&'t str, Position) {
        let at = self.here();
        (self.text.get(self.offset..).unwrap_or_default(), at)
    }

    fn value(&mut self, builder: &mut Builder) -> Result<(), Problem> {
        loop {
            self.begin(builder)?;
            loop {
                if builder.open().is_none() {
                    return Ok(());
                }
                let (is_map, close) = match builder.is_in_map() {
                    true => (true, b'}'),
                    false => (false, b']'),
                };
                self.skip_space();
                match self.peek() {
                    Some(b',') => {
                        self.offset += 1;
                        if is_map {
                            self.key(builder)?;
                        }
                        break;
                    }
                    Some(byte) if byte == close => {
                        self.offset += 1;
                        builder.end();
                    }
                    _ if is_map => return Err(self.problem("a comma or } is missing here")),
                    _ => return Err(self.problem("a comma or ] is missing here")),
                }
            }
        }
    }

    /// A value that holds no others, or the beginning of one, up to where its first value begins.
    fn begin(&mut self, builder: &mut Builder) -> Result<(), Problem> {
        loop {
            self.skip_space();
            let at = self.here();
            match self.peek() {
                Some(b'{') => {
                    builder.map(at, 0)?;
                    self.offset += 1;
                    self.skip_space();
                    if self.peek() == Some(b'}') {
                        self.offset += 1;
                        builder.end();
                        return Ok(());
                    }
                    self.key(builder)?;
                }
                Some(b'[') => {
                    builder.list(at, 0)?;
                    self.offset += 1;
                    self.skip_space();
                    if self.peek() == Some(b']') {
                        self.offset += 1;
                        builder.end();
                        return Ok(());
                    }
                }
                Some(b'"') => {
                    let text = self.string()?;
                    builder.scalar(at, Scalar::Text(text), 0);
                    return Ok(());
                }
                Some(b'-' | b'0'..=b'9') => {
                    let number = self.number()?;
                    builder.scalar(at, Scalar::Number(number), 0);
                    return Ok(());
                }
                _ => {
                    let word = self.word()?;
                    builder.scalar(at, word, 0);
                    return Ok(());
                }
            }
        }
    }

    fn key(&mut self, builder: &mut Builder) -> Result<(), Problem> {
        self.skip_space();
        let at = self.here();
        if self.peek() != Some(b'"') {
            return Err(self.problem("a key in double quotes is missing here"));
        }
        let key = self.string()?;
        builder.key(at, key);
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.problem("a colon is missing here, after a key"));
        }
        self.offset += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'t, str>, Problem> {
        let start = self.offset;
        let rest = self.text.get(start + 1..).unwrap_or_default();
        let mut is_escaped = false;
        let mut bytes = rest.bytes().enumerate();
        let length = loop {
            match bytes.next() {
                Some((length, b'"')) => break length,
                Some((_, b'\\')) => {
                    is_escaped = true;
                    bytes.next();
                }
                Some((length, 0..0x20)) => {
                    self.offset = start + 1 + length;
                    return Err(self.problem(
                        "a string holds no line break, tab or other control character; write it as \
                         an escape, such as \\n",
                    ));
                }
                Some(_) => {}
                None => return Err(self.problem("this string has no end; a quote is missing")),
            }
        };
        self.offset = start + length + 2;
        self.has_begun = true;
        if !is_escaped {
            return Ok(rest.get(..length).unwrap_or_default().into());
        }
        let quoted = self.text.get(start..self.offset).unwrap_or_default();
        serde_json::from_str::<String>(quoted)
            .map(Cow::Owned)
            .map_err(|error| {
                self.offset = start + error.column().saturating_sub(1);
                self.problem("this escape means nothing in JSON")
            })
    }

    fn number(&mut self) -> Result<Number, Problem> {
        let word = self.bare_word();
        let number = serde_json::from_str::<Number>(word).ok();
        // Of a float, the standard library finds the nearest; serde_json one near it.
        let number = number.and_then(|number| match number.is_f64() {
            true => tree::number(word.parse().ok()?),
            false => Some(number),
        });
        if number.is_some() {
            self.offset += word.len();
            self.has_begun = true;
        }
        number.ok_or_else(|| self.problem("this is no number, or too large a one"))
    }

    fn word(&mut self) -> Result<Scalar<'static>, Problem> {
        let word = self.bare_word();
        let value = match word {
            "null" => Scalar::Null,
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            "" if self.peek().is_none() => {
                return Err(self.problem("the text ends where a value is due"));
            }
            _ => return Err(self.problem("a value is due here; a text must be in double quotes")),
        };
        self.offset += word.len();
        self.has_begun = true;
        Ok(value)
    }

    /// What stands here up to a space, comma, colon, bracket or quote.
    fn bare_word(&self) -> &'t str {
        let rest = self.text.get(self.offset..).unwrap_or_default();
        let is_end = |byte: u8| b" \t\r\n,:{}[]\"".contains(&byte);
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        rest.get(..length).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.text.as_bytes().get(self.offset..).unwrap_or_default();
        let is_space = |byte: &u8| b" \t\r\n".contains(byte);
        self.offset += rest.iter().take_while(|byte| is_space(byte)).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    /// Where the next byte stands. What has been counted is not counted again.
    fn here(&mut self) -> Position {
        let new = self.text.get(self.counted..self.offset);
        self.at = self.at.after(new.unwrap_or_default());
        self.counted = self.offset;
        self.at
    }

    fn problem(&mut self, what: &str) -> Problem {
        Problem {
            at: self.here(),
            message: format!("this is no JSON: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(text: &str) -> Vec<Result<serde_json::Value, Problem>> {
        let mut values = Values::new(text, Position::START, Bulk::Kept);
        let mut found = Vec::new();
        while let Some(parsed) = values.next() {
            found.push(parsed.map(|parsed| parsed.node.value.into()));
            if found.last().is_some_and(Result::is_err) {
                break;
            }
        }
        found
    }

    #[rstest]
    #[case::empty("", &[])]
    #[case::space(" \t\r\n", &[])]
    #[case::values("{}[]\"a\"1 true\nnull", &["{}", "[]", "\"a\"", "1", "true", "null"])]
    #[case::nested("[[], {}, [1, {\"a\": []}]]", &["[[],{},[1,{\"a\":[]}]]"])]
    #[case::escapes(r#"["\n\u0041\ud83d\ude00\/\\", "\\\""]"#, &[r#"["\nA😀/\\","\\\""]"#])]
    #[case::escaped_key(r#"{"\u0061": 1}"#, &[r#"{"a":1}"#])]
    #[case::numbers("[0, -1, 1.5, 1E2, -0]", &["[0,-1,1.5,100,0]"])]
    fn what_is_json_is_read(#[case] text: &str, #[case] values: &[&str]) {
        let found = read(text)
            .into_iter()
            .map(|value| value.unwrap().to_string());
        assert_eq!(found.collect::<Vec<_>>(), values);
    }

    #[rstest]
    #[case::value("{\"a\": }", 7, "a value is due here; a text must be in double quotes")]
    #[case::word("[yes]", 2, "a value is due here; a text must be in double quotes")]
    #[case::longer_word("[truest]", 2, "a value is due here; a text must be in double quotes")]
    #[case::single_quotes("['a']", 2, "a value is due here; a text must be in double quotes")]
    #[case::comma_at_the_end("[1,]", 4, "a value is due here; a text must be in double quotes")]
    #[case::end_of_text("[1,", 4, "the text ends where a value is due")]
    #[case::no_comma("[1 2]", 4, "a comma or ] is missing here")]
    #[case::no_comma_in_a_map("{\"a\": 1 \"b\"}", 9, "a comma or } is missing here")]
    #[case::wrong_bracket("[1}", 3, "a comma or ] is missing here")]
    #[case::key("{a: 1}", 2, "a key in double quotes is missing here")]
    #[case::key_after_a_comma("{\"a\": 1,}", 9, "a key in double quotes is missing here")]
    #[case::colon("{\"a\" 1}", 6, "a colon is missing here, after a key")]
    #[case::open_string("[\"a", 2, "this string has no end; a quote is missing")]
    #[case::escaped_end("[\"a\\", 2, "this string has no end; a quote is missing")]
    #[case::escape(r#"["äb\q"]"#, 6, "this escape means nothing in JSON")]
    #[case::half_a_pair(r#"["\ud83d"]"#, 9, "this escape means nothing in JSON")]
    #[case::leading_zero("[01]", 2, "this is no number, or too large a one")]
    #[case::plus("[+1]", 2, "a value is due here; a text must be in double quotes")]
    #[case::dot("[1.]", 2, "this is no number, or too large a one")]
    #[case::too_large("[1e999]", 2, "this is no number, or too large a one")]
    fn what_is_no_json_is_told_with_its_place(
        #[case] text: &str,
        #[case] column: u32,
        #[case] what: &str,
    ) {
        let problem = read(text).pop().unwrap().unwrap_err();
        assert_eq!(problem.message, format!("this is no JSON: {what}"));
        assert_eq!(problem.at, Position { line: 1, column });
    }

    #[test]
    fn a_line_break_in_a_string_is_told_where_it_stands() {
        let problem = read("[1,\n \"ä\n\"]").pop().unwrap().unwrap_err();
        assert_eq!(problem.at, Position { line: 2, column: 4 });
        assert!(problem.message.contains("control character"));
    }
}
