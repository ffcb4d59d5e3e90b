//! Reads JSON step by step.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{
    error::Error,
    scan::{end_of_value, run_of_text},
    slice::Slice,
};

/// How deep the values that are read can be nested. No settings need more.
pub(crate) const MAX_DEPTH: usize = 64;

/// Reads one value after another. A string that is read is UTF-8; one that is skipped may not be.
pub struct Reader<'de> {
    json: &'de [u8],
    /// The offset of the next byte.
    at: usize,
    /// How many maps and lists are open.
    depth: usize,
}

impl<'de> Reader<'de> {
    /// A reader at the start of a document.
    pub fn new(json: &'de [u8]) -> Self {
        Self {
            json,
            at: 0,
            depth: 0,
        }
    }

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or not what `T` expects.
    pub fn value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        T::deserialize(self)
    }

    /// Reads a map. For each key, `entry` has to read or skip the value. Returns false if there is
    /// `null` instead of a map.
    ///
    /// # Errors
    ///
    /// If it is not JSON or not a map, and every error of `entry`.
    pub fn map(
        &mut self,
        mut entry: impl FnMut(&mut Self, &str) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        match self.start()? {
            b'n' => self.literal("null").map(|()| false),
            b'{' => self.nested(b'}', |mut entries| {
                while entries.advance()? {
                    let key = entries.key()?;
                    entries.colon()?;
                    entry(entries.reader, &key)?;
                }
                Ok(true)
            }),
            b'"' | b'[' | b't' | b'f' | b'-' | b'0'..=b'9' => Err(self.unexpected()),
            _ => Err(self.not_json()),
        }
    }

    /// Tries to read a value, and skips it if it is not what `T` expects.
    ///
    /// # Errors
    ///
    /// If the value cannot be skipped either.
    pub fn attempt<T: Deserialize<'de>>(&mut self) -> Result<Attempt<'de, T>, Error> {
        self.start()?;
        let (start, depth) = (self.at, self.depth);
        let value = self.value();
        if value.is_err() {
            (self.at, self.depth) = (start, depth);
            self.skip()?;
        }
        Ok(Attempt {
            slice: Slice(self.read_since(start)),
            value,
        })
    }

    /// Checks that only white space is left.
    ///
    /// # Errors
    ///
    /// If something else is left.
    pub fn end(&mut self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.not_json()),
        }
    }

    /// The offset of the next byte.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// What has been read from an offset on.
    pub(crate) fn read_since(&self, start: usize) -> &'de [u8] {
        self.json.get(start..self.at).unwrap_or_default()
    }

    pub(crate) fn not_json(&self) -> Error {
        Error::not_json(self.at)
    }

    pub(crate) fn unexpected(&self) -> Error {
        Error::unexpected(self.at)
    }

    fn byte(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// The first byte of the next value.
    pub(crate) fn start(&mut self) -> Result<u8, Error> {
        self.peek().ok_or_else(|| self.not_json())
    }

    pub(crate) fn literal(&mut self, word: &str) -> Result<(), Error> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.not_json());
        }
        self.at += word.len();
        Ok(())
    }

    pub(crate) fn number(&mut self) {
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.byte() {
            self.at += 1;
        }
    }

    /// Reads a string; its first quote is next.
    pub(crate) fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        self.at += 1;
        let mut decoded = Cow::Borrowed("");
        loop {
            let start = self.at;
            self.at = run_of_text(self.json, start);
            let run = self.json.get(start..self.at).unwrap_or_default();
            let run = std::str::from_utf8(run)
                .map_err(|error| Error::not_json(start + error.valid_up_to()))?;
            if decoded.is_empty() {
                decoded = Cow::Borrowed(run);
            } else {
                decoded.to_mut().push_str(run);
            }
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(decoded);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    decoded.to_mut().push(character);
                }
                _ => return Err(self.not_json()),
            }
        }
    }

    /// Reads an escape after its backslash.
    fn escape(&mut self) -> Result<char, Error> {
        let byte = self.byte().ok_or_else(|| self.not_json())?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hexadecimal()?;
                let code = match high {
                    0xd800..=0xdbff => {
                        self.literal("\\u")?;
                        match self.hexadecimal()? {
                            low @ 0xdc00..=0xdfff => {
                                0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                            }
                            _ => return Err(self.not_json()),
                        }
                    }
                    code => code,
                };
                char::from_u32(code).ok_or_else(|| self.not_json())?
            }
            _ => return Err(self.not_json()),
        })
    }

    fn hexadecimal(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.not_json())?;
            self.at += 1;
        }
        Ok(code)
    }

    /// Skips a value of any depth. Only its end is looked for.
    ///
    /// # Errors
    ///
    /// If it has no end.
    pub fn skip(&mut self) -> Result<(), Error> {
        match self.start()? {
            b'{' | b'[' | b'"' => {
                let end = end_of_value(self.json, self.at);
                self.at = end.unwrap_or(self.json.len());
                end.map(|_| ()).ok_or_else(|| self.not_json())
            }
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' | b'0'..=b'9' => {
                self.number();
                Ok(())
            }
            _ => Err(self.not_json()),
        }
    }

    /// Reads a map or list; its opening bracket is next.
    pub(crate) fn nested<T>(
        &mut self,
        end: u8,
        visit: impl FnOnce(Entries<'_, 'de>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.unexpected());
        }
        self.depth += 1;
        self.at += 1;
        let value = visit(Entries {
            reader: self,
            end,
            is_first: true,
        })?;
        if self.peek() != Some(end) {
            return Err(self.not_json());
        }
        self.at += 1;
        self.depth -= 1;
        Ok(value)
    }
}

/// A value that the reader tried to read.
#[derive(Debug)]
pub struct Attempt<'de, T> {
    /// Its bytes, whether it is what `T` expects or not.
    pub slice: Slice<'de>,
    /// The value, or why it is not what `T` expects.
    pub value: Result<T, Error>,
}

/// The entries of a map or list, one after another.
pub(crate) struct Entries<'r, 'de> {
    pub(crate) reader: &'r mut Reader<'de>,
    end: u8,
    is_first: bool,
}

impl<'de> Entries<'_, 'de> {
    /// Moves to the next entry, if there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        match self.reader.start()? {
            byte if byte == self.end => return Ok(false),
            b',' if !self.is_first => self.reader.at += 1,
            _ if self.is_first => {}
            _ => return Err(self.reader.not_json()),
        }
        self.is_first = false;
        Ok(true)
    }

    fn key(&mut self) -> Result<Cow<'de, str>, Error> {
        match self.reader.start()? {
            b'"' => self.reader.string(),
            _ => Err(self.reader.not_json()),
        }
    }

    pub(crate) fn colon(&mut self) -> Result<(), Error> {
        if self.reader.start()? != b':' {
            return Err(self.reader.not_json());
        }
        self.reader.at += 1;
        Ok(())
    }
}
