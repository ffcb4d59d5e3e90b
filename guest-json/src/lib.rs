//! Reads JSON into borrowed views, and passes over the rest as fast as it can be passed over.
//!
//! Nearly all of a request is passed over: of a Pod of 12 KB the rules read some hundred bytes. So
//! what is skipped is only followed to its end, by quotes and brackets; what is read is read
//! strictly. Errors say where, never what. The host has parsed the whole before, and a property test
//! holds this reader against `serde_json`.

#![forbid(unsafe_code)]

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

/// Settings may be nested so deep; whatever is deeper is no settings.
const MAX_DEPTH: usize = 64;

/// Where a document cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// In bytes from the start; unknown only until the reader has seen the error.
    at: Option<usize>,
    /// Whether it is JSON up to there, and only not what is expected.
    pub is_data: bool,
}

impl Error {
    /// Where it is, in bytes from the start.
    pub fn at(self) -> usize {
        self.at.unwrap_or_default()
    }

    fn found_at(self, at: usize) -> Self {
        Self {
            at: self.at.or(Some(at)),
            ..self
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at byte {}", self.at())
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    /// The words are dropped: they may repeat the payload.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self {
            at: None,
            is_data: true,
        }
    }
}

/// Reads a whole document.
///
/// # Errors
///
/// Where it is not JSON, or not what `T` expects.
pub fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, Error> {
    let mut reader = Reader::new(json);
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

/// A value as it stands in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice<'a>(pub &'a [u8]);

/// How a [`Slice`] asks this reader for itself.
const SLICE: &str = "Slice";

impl<'de: 'a, 'a> Deserialize<'de> for Slice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SliceVisitor;

        impl<'de> Visitor<'de> for SliceVisitor {
            type Value = Slice<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any value")
            }

            fn visit_borrowed_bytes<E>(self, json: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Slice(json))
            }
        }

        deserializer.deserialize_newtype_struct(SLICE, SliceVisitor)
    }
}

/// Reads one value after the other. What is read of a string is UTF-8; what is skipped may not be.
pub struct Reader<'de> {
    json: &'de [u8],
    at: usize,
    levels: usize,
}

impl<'de> Reader<'de> {
    /// A reader at the start of a document.
    pub fn new(json: &'de [u8]) -> Self {
        Self {
            json,
            at: 0,
            levels: 0,
        }
    }

    /// Reads a value.
    pub fn value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        T::deserialize(self)
    }

    /// Reads a map by its entries; the reader is handed on to read the value of each key. False if
    /// there is `null` instead.
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

    /// Tries to read a value, and passes over it where it is not what `T` expects.
    pub fn attempt<T: Deserialize<'de>>(&mut self) -> Result<Attempt<'de, T>, Error> {
        self.start()?;
        let (start, levels) = (self.at, self.levels);
        let value = self.value();
        if value.is_err() {
            (self.at, self.levels) = (start, levels);
            self.skip()?;
        }
        Ok(Attempt {
            slice: Slice(self.json.get(start..self.at).unwrap_or_default()),
            value,
        })
    }

    /// Nothing but white space may be left.
    pub fn end(&mut self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.not_json()),
        }
    }

    fn not_json(&self) -> Error {
        Error {
            at: Some(self.at),
            is_data: false,
        }
    }

    fn unexpected(&self) -> Error {
        Error {
            at: Some(self.at),
            is_data: true,
        }
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

    /// The first byte of a value.
    fn start(&mut self) -> Result<u8, Error> {
        self.peek().ok_or_else(|| self.not_json())
    }

    fn literal(&mut self, word: &str) -> Result<(), Error> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.not_json());
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) {
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.byte() {
            self.at += 1;
        }
    }

    /// Reads a string; the reader stands on its first quote.
    fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        self.at += 1;
        let mut decoded = Cow::Borrowed("");
        loop {
            let start = self.at;
            self.at = run_of_text(self.json, start);
            let run = self.json.get(start..self.at).unwrap_or_default();
            let run = std::str::from_utf8(run).map_err(|error| Error {
                at: Some(start + error.valid_up_to()),
                is_data: false,
            })?;
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

    /// Reads an escape; the reader stands behind its backslash.
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

    /// Passes over a value, however deep; only its end is looked for.
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

    /// Reads what stands between brackets; the reader stands on the first.
    fn nested<T>(
        &mut self,
        end: u8,
        visit: impl FnOnce(Entries<'_, 'de>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.levels == MAX_DEPTH {
            return Err(self.unexpected());
        }
        self.levels += 1;
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
        self.levels -= 1;
        Ok(value)
    }
}

/// Where the string, map or list ends that begins here. This is where the time goes: of what stands
/// between, only quotes and brackets are looked at.
fn end_of_value(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut open = 0_usize;
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        match byte {
            b'"' => {
                at = end_of_string(bytes, at)?;
                if open == 0 {
                    return Some(at);
                }
            }
            b'{' | b'[' => open += 1,
            b'}' | b']' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
}

/// Where the string ends whose first quote stands before this byte.
#[inline(always)]
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at = run_of_text(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

/// The next quote, backslash or control character, or the end: eight bytes at a time.
#[inline(always)]
fn run_of_text(bytes: &[u8], start: usize) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    const SPACES: u64 = ONES * b' ' as u64;
    let mut at = start;
    while let Some(word) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
        // The highest bit of each byte that is the one looked for; the lowest of them is exact.
        let quotes = (word ^ QUOTES).wrapping_sub(ONES) & !(word ^ QUOTES);
        let backslashes = (word ^ BACKSLASHES).wrapping_sub(ONES) & !(word ^ BACKSLASHES);
        let controls = word.wrapping_sub(SPACES) & !word;
        let found = (quotes | backslashes | controls) & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..b' ') {
            break;
        }
        at += 1;
    }
    at
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let first = self.start()?;
        let start = self.at;
        let visited = match first {
            b'"' => match self.string()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            b'{' => self.nested(b'}', |entries| visitor.visit_map(entries)),
            b'[' => self.nested(b']', |entries| visitor.visit_seq(entries)),
            b't' => {
                self.literal("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.literal("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.literal("null")?;
                visitor.visit_unit()
            }
            b'-' | b'0'..=b'9' => {
                self.number();
                // No view reads a number: that it is one is all there is to know.
                visitor.visit_u64(0)
            }
            _ => Err(self.not_json()),
        };
        visited.map_err(|error| error.found_at(start))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.start()? {
            b'n' => {
                self.literal("null")?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != SLICE {
            return visitor.visit_newtype_struct(self);
        }
        self.start()?;
        let start = self.at;
        self.skip()?;
        visitor.visit_borrowed_bytes(self.json.get(start..self.at).unwrap_or_default())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// A value that was tried, and how it stands in the document.
#[derive(Debug)]
pub struct Attempt<'de, T> {
    /// As it stands; what is not what `T` expects, too.
    pub slice: Slice<'de>,
    /// The value, or why it is none.
    pub value: Result<T, Error>,
}

/// What stands between brackets, one entry after the other.
struct Entries<'r, 'de> {
    reader: &'r mut Reader<'de>,
    end: u8,
    is_first: bool,
}

impl<'de> Entries<'_, 'de> {
    /// Goes to the next entry, if there is one.
    fn advance(&mut self) -> Result<bool, Error> {
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

    fn colon(&mut self) -> Result<(), Error> {
        if self.reader.start()? != b':' {
            return Err(self.reader.not_json());
        }
        self.reader.at += 1;
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if !self.advance()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if !self.advance()? {
            return Ok(None);
        }
        if self.reader.start()? != b'"' {
            return Err(self.reader.not_json());
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.colon()?;
        seed.deserialize(&mut *self.reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::Value;

    /// Reads the document as `serde_json::Value` does, numbers apart, which all read as 0.
    fn read(text: &str) -> Result<Value, Error> {
        from_slice(text.as_bytes())
    }

    fn without_numbers(value: Value) -> Value {
        match value {
            Value::Number(_) => Value::from(0),
            Value::Array(items) => items.into_iter().map(without_numbers).collect(),
            Value::Object(entries) => entries
                .into_iter()
                .map(|(key, value)| (key, without_numbers(value)))
                .collect(),
            value => value,
        }
    }

    #[rstest]
    #[case::nothing("")]
    #[case::space("  ")]
    #[case::unclosed_string("\"a")]
    #[case::unclosed_escape("\"a\\")]
    #[case::unclosed_map("{\"a\":1")]
    #[case::unclosed_list("[1,")]
    #[case::missing_colon("{\"a\" 1}")]
    #[case::missing_comma("[1 2]")]
    #[case::comma_first("[,1]")]
    #[case::comma_last("{\"a\":1,}")]
    #[case::comma_last_in_a_list("[1,]")]
    #[case::wrong_bracket("[1}")]
    #[case::key_without_quotes("{a:1}")]
    #[case::half_a_word("tru")]
    #[case::two_documents("1 2")]
    #[case::control_character("\"\n\"")]
    #[case::unknown_escape("\"\\x\"")]
    #[case::half_an_escape("\"\\u12\"")]
    #[case::half_a_surrogate("\"\\ud800\"")]
    #[case::surrogates_reversed("\"\\udc00\\ud800\"")]
    #[case::surrogate_and_a_character("\"\\ud800\\u0041\"")]
    fn what_is_not_json(#[case] text: &str) {
        assert!(serde_json::from_str::<Value>(text).is_err());
        assert!(read(text).is_err());
        assert!(
            from_slice::<Slice<'_>>(text.as_bytes()).is_err() || text.contains(['{', '[', '\\'])
        );
    }

    #[rstest]
    #[case::borrowed("\"plain text, longer than a word\"", "plain text, longer than a word")]
    #[case::escapes(r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t")]
    #[case::code(r#""\u00e4\u20AC""#, "ä€")]
    #[case::surrogates(r#""\ud83d\ude00!""#, "😀!")]
    #[case::escape_in_the_middle(r#""01234567\n89""#, "01234567\n89")]
    fn strings(#[case] text: &str, #[case] decoded: &str) {
        assert_eq!(
            from_slice::<String>(text.as_bytes()),
            Ok(decoded.to_owned())
        );
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert_eq!(from_slice::<&str>(b" \"web-0\" "), Ok("web-0"));
        assert!(from_slice::<&str>(b"\"\\n\"").is_err());
    }

    #[rstest]
    #[case::map(r#" {"a":[1,{"b":"}"}]} "#, r#"{"a":[1,{"b":"}"}]}"#)]
    #[case::string(r#""\"""#, r#""\"""#)]
    #[case::number("-1.5e3", "-1.5e3")]
    #[case::null("null", "null")]
    fn a_slice_is_the_value_as_it_stands(#[case] text: &str, #[case] slice: &str) {
        assert_eq!(
            from_slice::<Slice<'_>>(text.as_bytes()),
            Ok(Slice(slice.as_bytes()))
        );
    }

    #[test]
    fn depth_is_bounded_where_values_are_read_and_free_where_they_are_skipped() {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        assert!(read(&deep(MAX_DEPTH + 1)).is_err_and(|error| error.is_data));
        assert!(from_slice::<Slice<'_>>(deep(100_000).as_bytes()).is_ok());
    }

    /// Documents whose scalars are these.
    fn documents(scalars: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
        scalars.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(text(), inner, 0..5)
                    .prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    /// Plain text with quotes, brackets and escapes, without digits.
    fn text() -> impl Strategy<Value = String> {
        "[a-zä\\PC\"\\\\{}\\[\\],: \n]{0,12}"
            .prop_map(|text| text.replace(|c: char| c.is_ascii_digit(), ""))
    }

    fn scalars() -> BoxedStrategy<Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            text().prop_map(Value::from),
        ]
        .boxed()
    }

    fn numbers() -> BoxedStrategy<Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from)
        ]
        .boxed()
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_reads(
            document in documents(prop_oneof![scalars(), numbers()].boxed()),
            pretty in any::<bool>(),
        ) {
            let text = if pretty {
                serde_json::to_string_pretty(&document).unwrap()
            } else {
                document.to_string()
            };
            prop_assert_eq!(read(&text), Ok(without_numbers(document)));
            prop_assert_eq!(from_slice::<Slice<'_>>(text.as_bytes()), Ok(Slice(text.as_bytes())));
        }

        #[test]
        fn accepts_nothing_that_serde_json_refuses(
            // Numbers are not looked at closely: nothing reads one.
            document in documents(scalars()),
            cut in any::<prop::sample::Index>(),
            with in prop_oneof![Just(""), Just("\""), Just("}"), Just("]"), Just(","), Just(":"), Just("\\"), Just("nul")],
        ) {
            let text = document.to_string();
            let mut cuts = text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
            cuts.push(text.len());
            let at = *cut.get(&cuts);
            let spoilt = format!("{}{with}{}", &text[..at], &text[at..]);
            if serde_json::from_str::<Value>(&spoilt).is_err() {
                prop_assert!(read(&spoilt).is_err(), "{}", spoilt);
            }
        }
    }
}
