//! The two forms of a string in Go.

use std::borrow::Cow;

use super::{
    cursor::Cursor,
    fault::{Malformed, TemplateFault},
};

/// Reads a string in back quotes. It has no escapes, and Go removes its carriage returns.
pub(super) fn raw<'t>(cursor: &mut Cursor<'t>) -> Result<Cow<'t, str>, TemplateFault> {
    let at = cursor.at;
    cursor.eat("`");
    let body = cursor.take_while(|c| c != '`');
    if !cursor.eat("`") {
        return Err(TemplateFault::malformed(at, Malformed::UnterminatedString));
    }
    Ok(if body.contains('\r') {
        Cow::Owned(body.replace('\r', ""))
    } else {
        Cow::Borrowed(body)
    })
}

/// Reads a string in double quotes and decodes its escapes.
pub(super) fn interpreted(cursor: &mut Cursor<'_>) -> Result<String, TemplateFault> {
    let at = cursor.at;
    let unterminated = TemplateFault::malformed(at, Malformed::UnterminatedString);
    cursor.eat("\"");
    // In Go, \xff and \377 are bytes and not characters.
    let mut bytes = Vec::new();
    loop {
        let plain = cursor.take_while(|c| !matches!(c, '"' | '\\' | '\n'));
        bytes.extend_from_slice(plain.as_bytes());
        if cursor.eat("\"") {
            break;
        }
        let backslash = cursor.at;
        if !cursor.eat("\\") || matches!(cursor.peek(), None | Some('\n')) {
            return Err(unterminated);
        }
        escape(cursor, &mut bytes)
            .ok_or(TemplateFault::malformed(backslash, Malformed::BadEscape))?;
    }
    // No label has a key that is not UTF-8; what Go makes of such a string is left to Go.
    String::from_utf8(bytes).map_err(|_| TemplateFault::NotEvaluated { at })
}

/// Reads what follows a backslash; nothing if Go has no such escape.
fn escape(cursor: &mut Cursor<'_>, bytes: &mut Vec<u8>) -> Option<()> {
    let kind = cursor.peek()?;
    if kind.is_digit(8) {
        let byte = u8::try_from(number(cursor, 3, 8)?).ok()?;
        bytes.push(byte);
        return Some(());
    }
    cursor.at += kind.len_utf8();
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
        'x' => bytes.push(u8::try_from(number(cursor, 2, 16)?).ok()?),
        'u' => character(cursor, 4, bytes)?,
        'U' => character(cursor, 8, bytes)?,
        _ => return None,
    }
    Some(())
}

/// Reads the hexadecimal number of a character.
fn character(cursor: &mut Cursor<'_>, digits: usize, bytes: &mut Vec<u8>) -> Option<()> {
    let character = char::from_u32(number(cursor, digits, 16)?)?;
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}

/// Reads a number with exactly this many digits.
fn number(cursor: &mut Cursor<'_>, digits: usize, radix: u32) -> Option<u32> {
    let text = cursor.rest().get(..digits)?;
    // `from_str_radix` would accept a sign as well.
    if !text.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    cursor.at += digits;
    u32::from_str_radix(text, radix).ok()
}
