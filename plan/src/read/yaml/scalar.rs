//! What words, numbers and tags mean: YAML 1.1 as go-yaml (v2) reads it, and with it kubectl and the
//! API server.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, Tag};
use kuma_workload_rulebook::quoted::Quoted;
use serde_json::Number;

use super::super::{builder::Scalar, tree};

const MERGE_KEY: &str = "<<";
const YAML_ORG: &str = "tag:yaml.org,2002:";

/// A value that holds no others, as it is written.
#[derive(Debug, Clone)]
pub(super) struct Written<'t, 'w> {
    /// Its text, without quotes and escapes.
    pub(super) text: Cow<'t, str>,
    /// Whether it is in quotes, and in which.
    pub(super) style: ScalarStyle,
    /// Its tag, if it has one.
    pub(super) tag: Option<&'w Tag>,
}

impl<'t> Written<'t, '_> {
    /// Whether this is `<<`, the key of a map whose entries are taken over.
    pub(super) fn is_merge_key(&self) -> bool {
        self.text == MERGE_KEY
            && match self.tag {
                Some(tag) => yaml_org(tag) == Some("merge"),
                None => self.style == ScalarStyle::Plain,
            }
    }

    /// Its value: as the API server gets it by way of JSON, which has no infinite number.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(super) fn value(self) -> Result<Scalar<'t>, String> {
        let number = match self.resolve()? {
            Resolved::Text(text) => return Ok(Scalar::Text(text.unwrap_or(self.text))),
            Resolved::Null => return Ok(Scalar::Null),
            Resolved::Bool(flag) => return Ok(Scalar::Bool(flag)),
            Resolved::Integer(number) => Some(number),
            Resolved::Float(number) => tree::number(number),
        };
        let text = Quoted(&self.text);
        let number = number
            .ok_or_else(|| format!("{text} is a number that JSON does not have; put it in quotes"));
        Ok(Scalar::Number(number?))
    }

    /// The text that it is as a key, and what there is to say of it.
    ///
    /// # Errors
    ///
    /// Why it can be none, in words.
    pub(super) fn key(self) -> Result<(Cow<'t, str>, Option<String>), String> {
        let key = match self.resolve()? {
            Resolved::Text(text) => return Ok((text.unwrap_or(self.text), None)),
            Resolved::Null => {
                return Err("a key must be a string, not null; put it in quotes".to_owned());
            }
            Resolved::Bool(flag) => flag.to_string(),
            Resolved::Integer(number) => match number.as_i64() {
                Some(number) => number.to_string(),
                None => {
                    return Err(
                        "a key must be a string, not a number so large; put it in quotes"
                            .to_owned(),
                    );
                }
            },
            Resolved::Float(number) => float_key(number),
        };
        let remark = (key != *self.text).then(|| {
            let (text, key) = (Quoted(&self.text), Quoted(&key));
            format!("without quotes, the key {text} is read as {key}")
        });
        Ok((key.into(), remark))
    }

    fn resolve(&self) -> Result<Resolved, String> {
        let text = &*self.text;
        let Some(tag) = self.tag else {
            return Ok(match self.style {
                ScalarStyle::Plain => resolve(text),
                _ => Resolved::Text(None),
            });
        };
        let (expected, found) = match yaml_org(tag) {
            Some("bool") => ("boolean", resolve(text)),
            Some("int") => ("integer", resolve(text)),
            Some("float") => ("number", resolve(text)),
            Some("null") => ("null", resolve(text)),
            Some("binary") => {
                let bytes = base64(text).ok_or("this is no base64, as its tag says")?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                return Ok(Resolved::Text(Some(text.into())));
            }
            // `!!str`, and tags that go-yaml does not know.
            _ => return Ok(Resolved::Text(None)),
        };
        match (expected, &found) {
            ("boolean", Resolved::Bool(_))
            | ("integer" | "number", Resolved::Integer(_))
            | ("number", Resolved::Float(_))
            | ("null", Resolved::Null) => Ok(found),
            _ => Err(format!(
                "{} is no {expected}, as its tag says",
                Quoted(text)
            )),
        }
    }
}

/// The name of a tag like `!!str`.
fn yaml_org(tag: &Tag) -> Option<&str> {
    match tag.handle() {
        YAML_ORG => Some(tag.suffix()),
        // As it stands in `!<tag:yaml.org,2002:str>`.
        "" => tag.suffix().strip_prefix(YAML_ORG),
        _ => None,
    }
}

/// What a text means.
#[derive(Debug, Clone, PartialEq)]
enum Resolved {
    Null,
    Bool(bool),
    Integer(Number),
    Float(f64),
    /// A string: another one, if it is not as it is written.
    Text(Option<Cow<'static, str>>),
}

/// What a word without quotes means.
fn resolve(word: &str) -> Resolved {
    word_or_number(word).unwrap_or(Resolved::Text(None))
}

fn word_or_number(word: &str) -> Option<Resolved> {
    // The first byte decides in most cases.
    match word.as_bytes().first() {
        None => Some(Resolved::Null),
        Some(b'0'..=b'9' | b'+' | b'-') => dotted_word(word).or_else(|| number(word)),
        Some(b'.') => dotted_word(word).or_else(|| float(&without_separators(word)?)),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            named_word(word)
        }
        Some(_) => None,
    }
}

fn named_word(word: &str) -> Option<Resolved> {
    match word {
        "~" | "null" | "Null" | "NULL" => Some(Resolved::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Resolved::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Resolved::Bool(false))
        }
        _ => None,
    }
}

fn dotted_word(word: &str) -> Option<Resolved> {
    match word {
        ".nan" | ".NaN" | ".NAN" => Some(Resolved::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            Some(Resolved::Float(f64::INFINITY))
        }
        "-.inf" | "-.Inf" | "-.INF" => Some(Resolved::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

/// A word that begins with a digit or a sign. Underscores may stand anywhere behind it.
fn number(word: &str) -> Option<Resolved> {
    let word: Cow<'_, str> = match word.contains('_') {
        true => word.replace('_', "").into(),
        false => word.into(),
    };
    integer(&word).or_else(|| float(&word))
}

/// A number without underscores between its digits; none where they stand elsewhere.
fn without_separators(word: &str) -> Option<Cow<'_, str>> {
    let bytes = word.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let mut underscores = word.match_indices('_').peekable();
    if underscores.peek().is_none() {
        return Some(word.into());
    }
    underscores
        .all(|(at, _)| is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1)))
        .then(|| word.replace('_', "").into())
}

fn integer(word: &str) -> Option<Resolved> {
    // A sign behind the prefix is no mistake of ours.
    if let Some(signed) = word.strip_prefix("0b")
        && signed.starts_with(['+', '-'])
    {
        let number = i64::from_str_radix(signed, 2).ok()?;
        return Some(Resolved::Integer(number.into()));
    }
    let (negative, digits) = match word.as_bytes().first() {
        Some(b'-') => (true, word.get(1..)?),
        Some(b'+') => (false, word.get(1..)?),
        _ => (false, word),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        // YAML 1.1: octal, so that a file mode can be written as always.
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    let number = match negative {
        true => Number::from(0_i64.checked_sub_unsigned(magnitude)?),
        false => Number::from(magnitude),
    };
    Some(Resolved::Integer(number))
}

/// A float with digits; too large a one is a string.
fn float(word: &str) -> Option<Resolved> {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !word.bytes().all(is_part) {
        return None;
    }
    let number: f64 = word.parse().ok()?;
    number.is_finite().then_some(Resolved::Float(number))
}

/// A float that is a key, as sigs.k8s.io/yaml writes it: to the precision of 32 bits, and with an
/// exponent if that is below -4 or above 5.
fn float_key(number: f64) -> String {
    #[allow(clippy::cast_possible_truncation)] // As upstream.
    let number = number as f32;
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent @ (..=-5 | 6..)) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => number.to_string(),
    }
}

/// Decodes base64 with line breaks in it.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let text: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let digits = text.get(..text.len() - padding)?;
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for byte in group {
            bits = bits << 6 | u32::from(digit(*byte)?);
        }
        bits <<= 6 * (4 - group.len());
        let [_, decoded @ ..] = bits.to_be_bytes();
        bytes.extend(decoded.iter().take(group.len() - 1));
    }
    Some(bytes)
}
