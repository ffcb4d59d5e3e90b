//! What words, numbers and tags mean: YAML 1.1 as go-yaml (v2) reads it, and with it kubectl and the
//! API server.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, Tag};
use kuma_workload_rulebook::quoted::Quoted;
use serde_json::Number;

pub(super) use super::super::builder::Scalar;
use super::super::tree;

const MERGE_KEY: &str = "<<";
const YAML_ORG: &str = "tag:yaml.org,2002:";

/// Whether a key takes over the entries of its value.
pub(super) fn is_merge_key(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> bool {
    text == MERGE_KEY
        && match tag.and_then(yaml_org) {
            Some(name) => name == "merge",
            None => tag.is_none() && style == ScalarStyle::Plain,
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

/// The value of a scalar.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(super) fn value<'t>(
    text: Cow<'t, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
) -> Result<Scalar<'t>, String> {
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => json(plain(&text), text),
            _ => Ok(Scalar::Text(text)),
        };
    };
    let mismatch =
        |text: &str, name: &str| format!("{} is no {name}, as its tag says", Quoted(text));
    match yaml_org(tag) {
        Some("bool") => match plain(&text) {
            Some(Plain::Bool(flag)) => Ok(Scalar::Bool(flag)),
            _ => Err(mismatch(&text, "boolean")),
        },
        Some("int") => match plain(&text) {
            Some(Plain::Integer(number)) => Ok(Scalar::Number(number)),
            _ => Err(mismatch(&text, "integer")),
        },
        Some("float") => match plain(&text) {
            found @ Some(Plain::Integer(_) | Plain::Float(_)) => json(found, text),
            _ => Err(mismatch(&text, "number")),
        },
        Some("null") => match plain(&text) {
            Some(Plain::Null) => Ok(Scalar::Null),
            _ => Err(mismatch(&text, "null")),
        },
        Some("binary") => match base64(&text) {
            Some(bytes) => Ok(Scalar::Text(
                String::from_utf8_lossy(&bytes).into_owned().into(),
            )),
            None => Err("this is no base64, as its tag says".to_owned()),
        },
        // `!!str`, and tags that go-yaml does not know.
        _ => Ok(Scalar::Text(text)),
    }
}

/// A word, as the API server gets it: by way of JSON, which has no infinite number.
fn json<'t>(found: Option<Plain>, text: Cow<'t, str>) -> Result<Scalar<'t>, String> {
    match found {
        None => Ok(Scalar::Text(text)),
        Some(Plain::Null) => Ok(Scalar::Null),
        Some(Plain::Bool(flag)) => Ok(Scalar::Bool(flag)),
        Some(Plain::Integer(number)) => Ok(Scalar::Number(number)),
        Some(Plain::Float(number)) => match tree::number(number) {
            Some(number) => Ok(Scalar::Number(number)),
            None => Err(format!(
                "{} is a number that JSON does not have; put it in quotes",
                Quoted(&text)
            )),
        },
    }
}

/// What a plain word is, if it is no string.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    Null,
    Bool(bool),
    Integer(Number),
    Float(f64),
}

fn plain(word: &str) -> Option<Plain> {
    // The first byte decides in most cases.
    match word.as_bytes().first() {
        None => Some(Plain::Null),
        Some(b'0'..=b'9' | b'+' | b'-') => dotted_word(word).or_else(|| number(word)),
        Some(b'.') => dotted_word(word).or_else(|| float(word)),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            named_word(word)
        }
        Some(_) => None,
    }
}

fn named_word(word: &str) -> Option<Plain> {
    match word {
        "~" | "null" | "Null" | "NULL" => Some(Plain::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Plain::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Plain::Bool(false))
        }
        _ => None,
    }
}

fn dotted_word(word: &str) -> Option<Plain> {
    match word {
        ".nan" | ".NaN" | ".NAN" => Some(Plain::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Plain::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Plain::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

/// A word that begins with a digit or a sign. Underscores may stand anywhere behind it.
fn number(word: &str) -> Option<Plain> {
    let word: Cow<'_, str> = match word.contains('_') {
        true => word.replace('_', "").into(),
        false => word.into(),
    };
    integer(&word).or_else(|| float(&word))
}

fn integer(word: &str) -> Option<Plain> {
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
    Some(Plain::Integer(number))
}

/// A float with digits; too large a one is a string.
fn float(word: &str) -> Option<Plain> {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !word.bytes().all(is_part) {
        return None;
    }
    let number: f64 = word.parse().ok()?;
    number.is_finite().then_some(Plain::Float(number))
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
