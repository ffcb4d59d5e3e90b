//! Templates that nobody has rendered: what is no YAML because of `{{`, `{%` or `${`.
//!
//! These are legal in many places, such as the path of a MeshIdentity or the rules of Prometheus. So
//! a document is called a template only if it cannot be read as it is, and gets further with something
//! plain in their place.

use super::{Parsed, Problem, tree::Position};

/// What begins and ends a place that is filled in, and what fills it in.
const MARKS: [(&str, &str, &str); 3] = [
    ("{{", "}}", "helm template or kustomize build"),
    ("{%", "%}", "Ansible or Jinja"),
    ("${", "}", "envsubst"),
];

/// Says of a document that it is a template, if that is what keeps it from being read. It begins at
/// `start`; `read` reads a document in its place.
pub(super) fn problem(
    document: &str,
    start: Position,
    result: &Result<Parsed, Problem>,
    read: impl FnOnce(&str) -> Result<Parsed, Problem>,
) -> Option<Problem> {
    if result
        .as_ref()
        .is_ok_and(|parsed| parsed.problems.is_empty())
    {
        return None;
    }
    let filled_in = fill_in(document)?;
    let is_cause = match (result, read(&filled_in.document)) {
        (Err(before), Err(after)) => before.at < after.at,
        (Err(_), Ok(_)) => true,
        (Ok(before), Ok(after)) => after.problems.len() < before.problems.len(),
        (Ok(_), Err(_)) => false,
    };
    is_cause.then(|| Problem {
        at: start.after(document.get(..filled_in.first).unwrap_or_default()),
        message: unrendered(filled_in.mark, filled_in.program),
    })
}

fn unrendered(mark: &str, program: &str) -> String {
    format!(
        "this is a template, as its {mark} shows; render it first, such as with {program}, and plan the result"
    )
}

/// A document with something plain in the place of what is to be filled in: each character stays
/// where it stood.
struct FilledIn {
    document: String,
    /// The byte at which the first place begins, and how.
    first: usize,
    mark: &'static str,
    program: &'static str,
}

fn fill_in(document: &str) -> Option<FilledIn> {
    let mut found: Option<FilledIn> = None;
    let mut ends = MARKS.map(|_| true);
    let mut done = 0;
    let mut offset = 0;
    while let Some(step) = document
        .get(offset..)
        .and_then(|rest| rest.find(['{', '$']))
    {
        let begin = offset + step;
        offset = begin + 1;
        let rest = document.get(begin..).unwrap_or_default();
        let marks = MARKS.iter().zip(&mut ends);
        let Some(((mark, close, program), is_closed)) = marks
            .filter(|(_, is_closed)| **is_closed)
            .find(|((mark, ..), _)| rest.starts_with(mark))
        else {
            continue;
        };
        // Where none ends from here on, none is looked for again.
        let Some(length) = rest.find(close) else {
            *is_closed = false;
            continue;
        };
        if is_comment(document, begin) {
            continue;
        }
        let end = begin + length + close.len();
        let filled_in = found.get_or_insert_with(|| FilledIn {
            document: String::with_capacity(document.len()),
            first: begin,
            mark,
            program,
        });
        let text = &mut filled_in.document;
        text.push_str(document.get(done..begin).unwrap_or_default());
        let place = document.get(begin..end).unwrap_or_default();
        let filling = match is_alone(document, begin, end) {
            true => ' ',
            false => 'x',
        };
        text.extend(place.chars().map(|character| match character {
            '\n' | '\r' => character,
            _ => filling,
        }));
        (done, offset) = (end, end);
    }
    if let Some(filled_in) = &mut found {
        let rest = document.get(done..).unwrap_or_default();
        filled_in.document.push_str(rest);
    }
    found
}

/// Whether the line has nothing before this but `#` and what follows it.
fn is_comment(document: &str, offset: usize) -> bool {
    line_before(document, offset).trim_start().starts_with('#')
}

/// Whether nothing else stands on these lines: what is filled in there may be whole lines, or none.
fn is_alone(document: &str, begin: usize, end: usize) -> bool {
    let after = document.get(end..).unwrap_or_default();
    let after = after.lines().next().unwrap_or_default();
    line_before(document, begin).trim().is_empty() && after.trim().is_empty()
}

fn line_before(document: &str, offset: usize) -> &str {
    let before = document.get(..offset).unwrap_or_default();
    before.rsplit('\n').next().unwrap_or_default()
}
