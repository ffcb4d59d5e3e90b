//! What can be said of a line of a document that cannot be read.

use super::words::{BESIDE_DATA, GENERATED, HIDDEN, OF_METADATA, SECRET_DATA, VARIABLES, is_one};

/// What is hidden in a document that cannot be read, beside those words: whatever the object is, and wherever it
/// stands.
const VALUE: [&str; 1] = ["value"];

/// What comes before the first word of a line.
pub(super) fn start(line: &str) -> usize {
    let is_before =
        |character: char| character.is_whitespace() || character == '-' || character == '\u{feff}';
    line.len() - line.trim_start_matches(is_before).len()
}

/// A key in a line whose value is hidden.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Where it begins, without quotes.
    pub(super) at: usize,
    /// Where its value begins, behind the colon.
    pub(super) value: usize,
    /// It is that of a Secret's data, or may be.
    pub(super) is_data: bool,
}

/// The first key of a line whose value is hidden.
pub(super) fn first_key(line: &str) -> Option<Key> {
    let keys = keys(
        line,
        &[&HIDDEN, &SECRET_DATA, &VARIABLES, &GENERATED, &VALUE],
    );
    let keys = keys.chain(escaped_key(line)).chain(anchor(line));
    keys.min_by_key(|key| key.at)
}

/// Whether a line has one of the keys that are enough to hide a text that stands in another document.
pub(super) fn has_strong_key(line: &str) -> bool {
    let mut keys = keys(line, &[&HIDDEN, &SECRET_DATA, &VARIABLES]);
    let is_key = |key: Key| {
        let before = line.get(..key.at).unwrap_or_default();
        is_first(before) && line.get(..key.value).is_some_and(|key| key.ends_with(':'))
    };
    let is_step = |step: &str| is_one(step, &SECRET_DATA) || is_one(step, &VARIABLES);
    keys.any(is_key) || line.contains("path") && line.split(['/', '"', '\'']).any(is_step)
}

/// All of these keys, from left to right.
fn keys<'l>(line: &'l str, words: &'l [&'l [&'l str]]) -> impl Iterator<Item = Key> + 'l {
    let in_word = |one: char| one.is_alphanumeric() || "_./".contains(one);
    let starts = line.char_indices().filter(move |(at, first)| {
        let before = line.get(..*at).unwrap_or_default();
        first.is_alphanumeric() && !before.ends_with(in_word)
    });
    let words = move || words.iter().copied().flatten();
    starts.flat_map(move |(at, _)| words().filter_map(move |word| key(line, at, word)))
}

/// This key, if it stands there.
fn key(line: &str, at: usize, word: &str) -> Option<Key> {
    let found = line.get(at..at + word.len())?;
    if !found.eq_ignore_ascii_case(word) {
        return None;
    }
    let (before, after) = (line.get(..at)?, line.get(at + word.len()..)?);
    let is_space = |one: char| one.is_whitespace() || "\"'\\".contains(one);
    let rest = after.trim_start_matches(is_space);
    let end = line.len() - rest.len();
    let quotes = after.len() - after.trim_start_matches(['"', '\'', '\\']).len();
    let value = match rest.starts_with(':') {
        true => end + 1,
        // The colon can stand in the next line, or be missing.
        false if is_first(before) && !after.starts_with(is_in_key) => at + word.len() + quotes,
        false => return None,
    };
    let is_data = SECRET_DATA.contains(&word);
    Some(Key { at, value, is_data })
}

/// Whether a key can begin behind this, by the look of it.
fn is_first(before: &str) -> bool {
    let before = before.trim_end_matches(|character: char| {
        character.is_whitespace() || "\"'\\\u{feff}".contains(character)
    });
    before.is_empty() || before.ends_with(['{', '}', '[', ',', '?', '-', ':'])
}

/// A key in double quotes that has an escape in it: it may be any.
fn escaped_key(line: &str) -> Option<Key> {
    let escape = line.find('\\')?;
    let at = line.get(..escape)?.find('"')? + 1;
    let ends = line.match_indices('"').filter(|(quote, _)| *quote > escape);
    let mut values = ends.filter_map(|(quote, _)| {
        let rest = line.get(quote + 1..)?.trim_start();
        let end = line.len() - rest.len();
        (rest.is_empty() || rest.starts_with([':', '#']))
            .then_some(end + usize::from(rest.starts_with(':')))
    });
    let value = match line.trim_end().ends_with('\\') {
        true => Some(line.len()),
        false => values.next(),
    };
    let is_data = true;
    value.map(|value| Key { at, value, is_data })
}

/// A value with an anchor: an alias may use it where it is hidden.
fn anchor(line: &str) -> Option<Key> {
    line.match_indices('&').find_map(|(at, _)| {
        let before = line.get(..at)?.chars().next_back();
        let is_begun =
            before.is_none_or(|before| before.is_whitespace() || "[{,:-?\u{feff}".contains(before));
        let rest = line.get(at + 1..)?;
        let is_end = |character: char| character.is_whitespace() || ",[]{}".contains(character);
        let length = rest.find(is_end).unwrap_or(rest.len());
        let is_named = rest.starts_with(|first: char| !is_end(first) && first != '&');
        (is_begun && is_named).then_some(Key {
            at,
            value: at + 1 + length,
            is_data: false,
        })
    })
}

/// Whether nothing stands before a key in its line but space, quotes and dashes; before an anchor, another key.
pub(super) fn is_alone(line: &str, key: Key) -> bool {
    let before = line.get(..key.at).unwrap_or_default();
    let before = before
        .trim_start_matches('\u{feff}')
        .trim_end_matches(['"', '\'']);
    match line.get(key.at..).is_some_and(|rest| rest.starts_with('&')) {
        true => !before.contains(['{', '}', '[', ']', ',', '"', '\'']),
        false => before.trim_matches([' ', '-']).is_empty(),
    }
}

/// Whether a line says that the object is a Secret.
pub(super) fn says_secret(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let mut kinds = ["kind", "type"]
        .into_iter()
        .flat_map(|key| lower.match_indices(key));
    kinds.any(|(at, key)| {
        let is_sign = |one: char| one.is_whitespace() || "\"':".contains(one);
        let value = lower.get(at + key.len()..).unwrap_or_default();
        let value = value.trim_start_matches(is_sign);
        value.starts_with("secret") || value.starts_with("globalsecret")
    })
}

/// Whether nothing stands in a line but a comment, a marker, or a key of a Secret beside its data, with a value that
/// is closed.
pub(super) fn is_beside_data(line: &str) -> bool {
    let bare = line.trim_matches(|one: char| one.is_whitespace() || "\u{feff}{}[],-".contains(one));
    let key = bare.trim_start_matches(['"', '\'']);
    let length = key.find(|one: char| !is_in_key(one)).unwrap_or(key.len());
    let (key, value) = key.split_at(length);
    let value = value.trim_start_matches(['"', '\'']).trim_start();
    let is_key = is_one(key, &BESIDE_DATA) || is_one(key, &OF_METADATA);
    bare.is_empty()
        || bare.starts_with('#')
        || is_key && value.starts_with(':') && !value.contains('{')
}

/// Whether a character can be part of a key that is not in quotes.
fn is_in_key(character: char) -> bool {
    character.is_alphanumeric() || "_-./".contains(character)
}

/// Whether a line begins a key as objects have them, no further to the right than this.
pub(super) fn begins_key(line: &str, column: usize) -> bool {
    let rest = line.trim_start_matches(' ');
    let after = rest.trim_start_matches(is_in_key);
    // The names of variables begin with capital letters.
    line.len() - rest.len() <= column
        && rest.starts_with(|first: char| first.is_ascii_lowercase())
        && after
            .strip_prefix(':')
            .is_some_and(|value| value.is_empty() || value.starts_with(' '))
}

/// Whether no quote and no bracket is open at the end of a line, if none was before it. Whatever could be read in
/// two ways is not closed.
pub(super) fn is_closed(line: &str) -> bool {
    let mut depth = 0_usize;
    let mut before = ' ';
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(_), '\\') => return false,
            (Some(open), _) => quote = Some(open).filter(|open| *open != character),
            (None, '#') if before.is_whitespace() => break,
            (None, '"' | '\'') if before.is_whitespace() || "[{(,:".contains(before) => {
                quote = Some(character);
            }
            // In a word, it may be part of that.
            (None, '"' | '\'') => return false,
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            (None, _)
                if "\"'".contains(before)
                    && !(character.is_whitespace() || ",:)".contains(character)) =>
            {
                return false;
            }
            (None, _) => {}
        }
        before = character;
    }
    quote.is_none() && depth == 0
}
