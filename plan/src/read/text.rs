//! Bytes as text: UTF-8, or UTF-16 with a byte order mark, as some shells of Windows write it.

use std::borrow::Cow;

use super::{fault::Problem, tree::Position};

/// The text of a file, without a byte order mark.
///
/// # Errors
///
/// Where it is no text.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes).map(Cow::Borrowed),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let valid = std::str::from_utf8(valid).unwrap_or_default();
        no_text(valid)
    })?;
    Ok(text.trim_start_matches('\u{feff}'))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, Problem> {
    let (pairs, rest) = bytes.as_chunks();
    let mut text = String::with_capacity(bytes.len() / 2);
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let Ok(character) = decoded else {
            return Err(no_text(&text));
        };
        text.push(character);
    }
    match rest {
        [] => Ok(text.into()),
        _ => Err(no_text(&text)),
    }
}

fn no_text(before: &str) -> Problem {
    Problem {
        at: Position::START.after(before),
        message: "this is no UTF-8 text; save the file as UTF-8".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::utf8("ä: 1".as_bytes(), "ä: 1")]
    #[case::utf8_with_a_mark(b"\xef\xbb\xbfa: 1", "a: 1")]
    #[case::utf16_little(b"\xff\xfea\0:\0\x3d\xd8\0\xde", "a:😀")]
    #[case::utf16_big(b"\xfe\xff\0a\0:\0\n", "a:\n")]
    #[case::empty(b"", "")]
    fn texts(#[case] bytes: &[u8], #[case] text: &str) {
        assert_eq!(decode(bytes).unwrap(), text);
    }

    #[rstest]
    #[case::latin1(b"a: 1\nb: \xe4\xe4\n", 2, 4)]
    #[case::after_a_wide_character(b"\xc3\xa4: \xff", 1, 4)]
    #[case::half_a_pair(b"\xff\xfea\0\n\0\x3d\xd8", 2, 1)]
    #[case::odd_bytes(b"\xfe\xff\0a\0", 1, 2)]
    fn what_is_no_text_is_told_with_its_place(
        #[case] bytes: &[u8],
        #[case] line: u32,
        #[case] column: u32,
    ) {
        let problem = decode(bytes).unwrap_err();
        assert_eq!(problem.at, Position { line, column });
    }
}
