//! How a text is cut into documents: by lines, so that a bad document does not hide the others.

use super::super::{
    parsed::Remark,
    tree::{self, Position},
};

/// A byte order mark, as some editors put it before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// One document of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Chunk<'t> {
    /// Its text, without the line `---` before it.
    pub(in super::super) text: &'t str,
    /// How many lines of the file come before it.
    pub(in super::super) lines_before: u32,
    /// What kubectl has against its markers.
    pub(in super::super) remarks: Vec<Remark>,
}

impl Chunk<'_> {
    /// Where its text begins.
    pub(in super::super) fn start(&self) -> Position {
        line_after(self.lines_before)
    }
}

/// The documents of a text, but for those that hold nothing.
///
/// A line that begins with `---` or `...` is a marker wherever it stands, in a quoted or literal text
/// too, as for kubectl.
#[derive(Debug)]
pub(in super::super) struct Chunks<'t> {
    rest: &'t str,
    lines: u32,
    /// The last document ended with `...`.
    is_ended: bool,
}

impl<'t> Chunks<'t> {
    /// The documents of a text that has so many lines before it.
    pub(in super::super) fn new(text: &'t str, lines_before: u32) -> Self {
        Self {
            rest: text,
            lines: lines_before,
            is_ended: false,
        }
    }
}

impl<'t> Iterator for Chunks<'t> {
    type Item = Chunk<'t>;

    fn next(&mut self) -> Option<Chunk<'t>> {
        while !self.rest.is_empty() {
            let chunk = self.cut();
            if !is_blank(chunk.text) {
                return Some(chunk);
            }
        }
        None
    }
}

impl<'t> Chunks<'t> {
    /// Takes all up to the next marker.
    fn cut(&mut self) -> Chunk<'t> {
        let mut remarks = Vec::new();
        let (mut start, mut lines_before) = (0, self.lines);
        let (mut end, mut length) = (0, 0);
        let mut is_ended = false;
        for (index, line) in self.rest.split_inclusive('\n').enumerate() {
            let bare = line.trim_start_matches(BYTE_ORDER_MARK);
            if is_marker(bare, "---") {
                if index > 0 {
                    break;
                }
                if is_blank(bare) {
                    (start, lines_before) = (line.len(), self.lines.saturating_add(1));
                }
            }
            if bare.starts_with("---") && !is_blank(bare) {
                remarks.push(Remark {
                    at: line_after(self.lines),
                    message: "kubectl refuses what follows --- on the same line".to_owned(),
                    remedy: "put it on a line of its own",
                });
            }
            self.lines = self.lines.saturating_add(tree::line_breaks(line));
            length += line.len();
            if is_marker(bare, "...") {
                is_ended = true;
                break;
            }
            end = length;
        }
        let (chunk, rest) = self.rest.split_at(length);
        self.rest = rest;
        let text = chunk.get(start.min(end)..end).unwrap_or_default();
        let follows_end = std::mem::replace(&mut self.is_ended, is_ended);
        if follows_end && start == 0 && !is_blank(text) {
            remarks.push(Remark {
                at: line_after(lines_before),
                message: "kubectl does not read what follows a line ...".to_owned(),
                remedy: "put a line --- before it",
            });
        }
        Chunk {
            text: text.trim_start_matches(BYTE_ORDER_MARK),
            lines_before,
            remarks,
        }
    }
}

/// Where the line after so many begins.
pub(super) fn line_after(lines: u32) -> Position {
    Position {
        line: lines.saturating_add(1),
        column: 1,
    }
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Nothing but comments, directives and the marker.
fn is_blank(document: &str) -> bool {
    document.lines().all(|line| {
        let line = line.trim_start_matches(BYTE_ORDER_MARK);
        let line = match is_marker(line, "---") {
            true => line.trim_start_matches('-'),
            false => line,
        };
        let line = line.trim();
        let is_directive = line.starts_with("%YAML") || line.starts_with("%TAG");
        line.is_empty() || line.starts_with('#') || is_directive
    })
}
