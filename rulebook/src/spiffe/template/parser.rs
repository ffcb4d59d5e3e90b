//! Reads a template into its parts.

use std::borrow::Cow;

use super::{
    cursor::Cursor,
    fault::{Malformed, TemplateFault},
    go_string,
};

/// What Go's templates treat as space, in actions and beside trim markers.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplatePart<'t> {
    /// Text between actions, trimmed if a trim marker says so.
    Text(&'t str),
    /// `{{ .Field }}`.
    Field { at: usize, name: &'t str },
    /// `{{ label "key" }}`.
    Label { at: usize, key: Cow<'t, str> },
}

/// An action, and whether the text after it is trimmed.
struct TemplateAction<'t> {
    part: TemplatePart<'t>,
    trim_after: bool,
}

/// The parts of a template.
///
/// # Errors
///
/// The first thing in it that is malformed or is not evaluated here.
pub(super) fn parse(source: &str) -> Result<Vec<TemplatePart<'_>>, TemplateFault> {
    let mut cursor = Cursor::new(source);
    let mut parts = Vec::new();
    let mut trim_start = false;
    loop {
        let (text, open) = text(&mut cursor);
        let trim_end = open.is_some() && eat_left_trim_marker(&mut cursor);
        let text = trimmed(text, trim_start, trim_end);
        if !text.is_empty() {
            parts.push(TemplatePart::Text(text));
        }
        let Some(open) = open else {
            return Ok(parts);
        };
        let action = action(&mut cursor, open)?;
        trim_start = action.trim_after;
        parts.push(action.part);
    }
}

fn trimmed(text: &str, start: bool, end: bool) -> &str {
    let text = if start {
        text.trim_start_matches(SPACES)
    } else {
        text
    };
    if end {
        text.trim_end_matches(SPACES)
    } else {
        text
    }
}

/// Whether a character can be part of a word in Go.
fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Reads the text before the next action, and the `{{` of that action. Returns the text and where
/// the action begins, if there is one.
fn text<'t>(cursor: &mut Cursor<'t>) -> (&'t str, Option<usize>) {
    match cursor.rest().split_once(OPEN) {
        None => (cursor.rest(), None),
        Some((text, _)) => {
            let open = cursor.at + text.len();
            cursor.at = open + OPEN.len();
            (text, Some(open))
        }
    }
}

/// Reads a trim marker at the beginning of an action: a minus and a space. Without the space it is
/// a minus sign.
fn eat_left_trim_marker(cursor: &mut Cursor<'_>) -> bool {
    let marked = cursor
        .rest()
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(SPACES));
    if marked {
        cursor.at += 2;
    }
    marked
}

/// Reads spaces and the end of the action, if the action ends here. Returns whether the end has a
/// trim marker, which must have a space before it.
fn close(cursor: &mut Cursor<'_>) -> Option<bool> {
    let spaces = cursor.take_while(|c| SPACES.contains(&c));
    if !spaces.is_empty() && cursor.rest().starts_with("-}}") {
        cursor.at += 1;
        cursor.eat(CLOSE);
        return Some(true);
    }
    cursor.eat(CLOSE).then_some(false)
}

/// Reads an action after its `{{`, which is at `open`.
fn action<'t>(cursor: &mut Cursor<'t>, open: usize) -> Result<TemplateAction<'t>, TemplateFault> {
    if cursor.rest().starts_with("/*") {
        return Err(TemplateFault::NotEvaluated { at: cursor.at });
    }
    if close(cursor).is_some() {
        return Err(TemplateFault::malformed(open, Malformed::EmptyAction));
    }
    let part = match cursor.peek() {
        Some('.') => field(cursor, open)?,
        _ if eat_word(cursor, "label") => label(cursor, open)?,
        _ => return Err(unsupported(cursor, open)),
    };
    match close(cursor) {
        Some(trim_after) => Ok(TemplateAction { part, trim_after }),
        None => Err(unsupported(cursor, open)),
    }
}

/// Reads `.Field`.
fn field<'t>(cursor: &mut Cursor<'t>, open: usize) -> Result<TemplatePart<'t>, TemplateFault> {
    let at = cursor.at;
    cursor.eat(".");
    if cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
        // A number such as .5.
        return Err(TemplateFault::NotEvaluated { at });
    }
    let name = cursor.take_while(is_word);
    check_terminator(cursor)?;
    if name.is_empty() {
        // A dot alone is the whole data.
        return Err(match cursor.peek() {
            None => TemplateFault::malformed(open, Malformed::UnclosedAction),
            Some(_) => TemplateFault::NotEvaluated { at },
        });
    }
    Ok(TemplatePart::Field { at, name })
}

/// Reads the key after `label`.
fn label<'t>(cursor: &mut Cursor<'t>, open: usize) -> Result<TemplatePart<'t>, TemplateFault> {
    let at = cursor.at - "label".len();
    check_terminator(cursor)?;
    if close(cursor).is_some() {
        return Err(TemplateFault::malformed(at, Malformed::LabelWithoutKey));
    }
    let key = match cursor.peek() {
        Some('"') => Cow::Owned(go_string::interpreted(cursor)?),
        Some('`') => go_string::raw(cursor)?,
        _ => return Err(unsupported(cursor, open)),
    };
    Ok(TemplatePart::Label { at, key })
}

/// Reads a word if it is next and ends there.
fn eat_word(cursor: &mut Cursor<'_>, word: &str) -> bool {
    let is_next = cursor
        .rest()
        .strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(is_word));
    is_next && cursor.eat(word)
}

/// Checks that a field or word may end here: Go allows only certain characters after it.
fn check_terminator(cursor: &Cursor<'_>) -> Result<(), TemplateFault> {
    match cursor.peek() {
        None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
        _ if cursor.rest().starts_with(CLOSE) => Ok(()),
        Some(found) => Err(TemplateFault::malformed(
            cursor.at,
            Malformed::UnexpectedCharacter(found),
        )),
    }
}

/// The fault of an action that contains something here that is not evaluated and is not its end.
fn unsupported(cursor: &Cursor<'_>, open: usize) -> TemplateFault {
    let mut characters = cursor.rest().chars();
    let Some(found) = characters.next() else {
        return TemplateFault::malformed(open, Malformed::UnclosedAction);
    };
    let richer = match found {
        '.' | '"' | '`' | '\'' | '$' | '(' | '|' => true,
        // In Go, a sign can only belong to a number.
        '+' | '-' => characters
            .next()
            .is_some_and(|c| c == '.' || c.is_ascii_digit()),
        _ => is_word(found),
    };
    if richer {
        TemplateFault::NotEvaluated { at: cursor.at }
    } else {
        TemplateFault::malformed(cursor.at, Malformed::UnexpectedCharacter(found))
    }
}
