//! What nobody should see of a document is masked before the document goes into a link or into storage:
//! `data` and `stringData` of Secrets, and the values of environment variables.
//!
//! All else stays as it is, byte for byte. A document that cannot be read is masked by its lines, with more
//! than there has to be.

mod lines;
mod secrets;
mod tree;

use std::ops::Range;

/// What stands for a value that is masked: text in YAML and in JSON.
const MASKED: &str = "\"***\"";

/// The text with all of that masked.
pub(crate) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for document in documents(text) {
        // The parser minds tabs between brackets, which JSON may have. A space is as long.
        let spaced = || document.replace('\t', " ");
        let tree = tree::read(document).or_else(|| tree::read(&spaced()));
        match tree {
            Some(tree) => replace(document, secrets::of(&tree), &mut masked),
            None => lines::mask(document, MASKED, &mut masked),
        }
    }
    masked
}

/// The YAML documents of a text, each with the line that ends it: as kubectl cuts it.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = 0;
        for line in rest.split_inclusive('\n') {
            if end > 0 && line.starts_with("---") {
                break;
            }
            end += line.len();
        }
        let (document, after) = rest.split_at(end);
        rest = after;
        Some(document)
    })
}

/// Adds the text with these parts of it masked.
fn replace(text: &str, mut parts: Vec<Range<usize>>, to: &mut String) {
    parts.sort_by_key(|part| part.start);
    let mut from = 0;
    for part in parts {
        // One value can be hidden for two reasons.
        if part.start < from {
            continue;
        }
        to.push_str(text.get(from..part.start).unwrap_or_default());
        to.push_str(MASKED);
        from = part.end;
    }
    to.push_str(text.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests;
