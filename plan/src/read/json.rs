//! JSON: one value after the other, each put together by the builder.
//!
//! A scanner of our own, since what is wrong must be told with its place, a repeated key with both,
//! and each value's place in characters, in one walk over the text; what strings and numbers mean is
//! serde_json's to say.

use std::borrow::Cow;

use serde_json::Number;

use super::{
    Bulk, Parsed, Problem,
    builder::{Builder, Scalar},
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
        }
    }

    /// The next value, if there is one.
    pub(super) fn next(&mut self) -> Option<Result<Parsed, Problem>> {
        self.skip_space();
        self.peek()?;
        let mut builder = Builder::new(self.bulk);
        Some(self.value(&mut builder).map(|()| builder.finish()))
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
        let written = key.clone();
        builder.key(at, Scalar::Text(key), &written);
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
        self.offset += if number.is_some() { word.len() } else { 0 };
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
