//! A document that cannot be read, masked by its lines: the value of each key that may hold something, whatever
//! the object is, with all lines that may belong to it.

use super::line;

/// How far the value of a key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Up to a line that begins another key no further to the right than this.
    Column(usize),
    /// Nothing tells.
    ToTheEnd,
}

/// What the lines before leave open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    masked: Option<Extent>,
    /// A quote or bracket may be open.
    is_open: bool,
}

impl State {
    /// A document has been masked by its meaning. It may go on behind a marker that was not meant as one.
    pub(super) fn held_something(&mut self) {
        self.masked = Some(Extent::ToTheEnd);
    }

    /// Says whether the next document has to be masked by its lines, because it can belong to the one before.
    pub(super) fn at_document(&mut self, text: &str, is_read: bool) -> bool {
        let goes_on = self.masked.is_some() && (self.is_open || !is_object(text, is_read));
        match goes_on {
            true => self.masked = Some(Extent::ToTheEnd),
            false => *self = Self::default(),
        }
        goes_on
    }

    /// Whether a quote or bracket may be open around what is masked: a marker ends it for kubectl only.
    pub(super) fn is_open(self) -> bool {
        self.masked.is_some() && self.is_open
    }
}

/// Whether a document says what it is, and so is one of its own. Of one that cannot be read, the end of a Secret
/// is to be told apart.
fn is_object(text: &str, is_read: bool) -> bool {
    let mut lines = text.split(is_break).filter(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let is_json = text.trim_start().starts_with(['{', '[']);
    let is_kind = |line: &str| ["kind:", "type:"].iter().any(|key| line.starts_with(key));
    let has_kind = match is_json {
        true => text.contains("\"kind\"") || text.contains("\"type\"") || text.contains("kind:"),
        false => lines.clone().any(is_kind),
    };
    let is_begun = is_json || lines.next().is_some_and(|line| line::begins_key(line, 0));
    has_kind && (is_read || is_begun && !may_be_secret(text))
}

/// Adds the text with all of that masked by this word.
pub(super) fn mask(text: &str, word: &str, state: &mut State, to: &mut String) {
    let may_be_secret = may_be_secret(text);
    let is_secret = text.split(is_break).any(line::says_secret);
    for line in text.split_inclusive(is_break) {
        let content = line.trim_end_matches(is_break);
        let end = line.get(content.len()..).unwrap_or_default();
        if let Some(Extent::Column(column)) = state.masked
            && !state.is_open
            && line::begins_key(content, column)
        {
            state.masked = None;
        }
        state.is_open |= !line::is_closed(content);
        if state.masked.is_some() {
            let (before, rest) = content.split_at(line::start(content));
            to.push_str(before);
            if !rest.is_empty() {
                to.push_str(word);
            }
        } else if let Some(key) = line::first_key(content) {
            let (before, rest) = content.split_at(key.value);
            to.push_str(before);
            if !rest.trim().is_empty() {
                to.push(' ');
                to.push_str(word);
            }
            let is_unknown = state.is_open || key.is_data && may_be_secret;
            state.masked = Some(match is_unknown || !line::is_alone(content, key) {
                true => Extent::ToTheEnd,
                false => Extent::Column(line::start(content)),
            });
        } else if is_secret && !line::is_beside_data(content) {
            // The key of its data may be misspelt.
            to.push_str(content.split_at(line::start(content)).0);
            to.push_str(word);
            state.masked = Some(Extent::ToTheEnd);
        } else {
            to.push_str(content);
        }
        to.push_str(end);
    }
}

/// Whether a text that stands in a document is one that holds something, or has one in it.
pub(super) fn hold_something(text: &str) -> bool {
    let may_have_one = text.contains(['{', '[']) || text.trim_end().contains(is_break);
    may_have_one && text.split(is_break).any(line::has_strong_key)
}

/// Whether something ends a line for some readers that does not for others: it ends a comment, or does not.
pub(super) fn has_doubtful_end(text: &str) -> bool {
    let others = text.matches(is_break).filter(|end| *end != "\n").count();
    others > text.matches("\r\n").count()
}

/// What ends a line, for one reader or another.
fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a Secret is mentioned, or some object does not say plainly what it is.
fn may_be_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut is_known = false;
    for (at, word) in lower.match_indices("kind") {
        let rest = lower.get(at + word.len()..).unwrap_or_default();
        let rest = rest.trim_start_matches(['"', '\'', ' ']);
        if let Some(value) = rest.strip_prefix(':') {
            let is_end = |character: char| is_break(character) || ",}#".contains(character);
            let value = value.split(is_end).next().unwrap_or_default();
            let value = value.trim_matches(|at: char| at.is_whitespace() || "\"'".contains(at));
            is_known = !value.is_empty() && value.chars().all(char::is_alphanumeric);
            if !is_known {
                break;
            }
        }
    }
    !is_known || lower.contains("secret")
}
