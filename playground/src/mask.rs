//! What nobody should see of a document is masked before the document goes into a link or into storage:
//! what Secrets hold, and the values of environment variables.
//!
//! All else stays as it is, byte for byte. A document that cannot be read for certain is masked by its lines, with
//! more than there has to be.

mod comments;
mod kinds;
mod line;
mod lines;
mod place;
mod secrets;
mod tree;
mod words;

use std::ops::Range;

use kuma_workload_plan::read::{Piece, pieces};

/// What stands for a value that is masked: text in YAML and in JSON.
const MASKED: &str = "\"***\"";

/// The text with all of that masked.
pub(crate) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut state = lines::State::default();
    if lines::has_doubtful_end(text) {
        lines::mask(text, MASKED, &mut state, &mut masked);
        return masked;
    }
    for piece in pieces(text) {
        match piece {
            Piece::Between(text) if state.is_open() => {
                lines::mask(text, MASKED, &mut state, &mut masked);
            }
            Piece::Between(text) => masked.push_str(text),
            Piece::Document { text, is_read } => {
                let is_certain = !state.at_document(text, is_read) && is_read;
                // Without a letter there is no key: many such documents would take their time.
                if is_certain && !text.contains(char::is_alphabetic) {
                    masked.push_str(text);
                    continue;
                }
                match is_certain.then(|| parts(text)).flatten() {
                    Some((parts, holds_something)) => {
                        if holds_something {
                            state.held_something();
                        }
                        replace(text, parts, &mut masked);
                    }
                    None => lines::mask(text, MASKED, &mut state, &mut masked),
                }
            }
        }
    }
    masked
}

/// A part of a text, and what stands for it.
type Part = (Range<usize>, &'static str);

/// What is masked of a document, and whether there is a place for it; nothing, if that is in doubt.
fn parts(document: &str) -> Option<(Vec<Part>, bool)> {
    // The parser minds tabs between brackets, which JSON may have. A space is as long.
    let spaced = || document.replace('\t', " ");
    let tree = tree::read(document).or_else(|| tree::read(&spaced()))?;
    let hidden = secrets::of(document, &tree)?;
    let holds_something = !hidden.values.is_empty() || !hidden.among.is_empty();
    let comments = comments::of(document, &tree, hidden.among);
    let comments = comments.into_iter().map(|comment| (comment, "#"));
    let values = hidden.values.into_iter().map(|value| (value, MASKED));
    let tags = hidden.tags.into_iter().map(|(start, stand_in)| {
        let tag = document.get(start..).unwrap_or_default();
        let length = tag.find(char::is_whitespace).unwrap_or(tag.len());
        (start..start + length, stand_in)
    });
    let parts = values.chain(comments).chain(tags).collect();
    Some((parts, holds_something))
}

/// Adds the text with these parts of it replaced.
fn replace(text: &str, mut parts: Vec<Part>, to: &mut String) {
    parts.sort_by_key(|(part, _)| part.start);
    let mut from = 0;
    for (part, word) in parts {
        // One value can be hidden for two reasons.
        if part.start < from {
            continue;
        }
        to.push_str(text.get(from..part.start).unwrap_or_default());
        to.push_str(word);
        from = part.end;
    }
    to.push_str(text.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests;
