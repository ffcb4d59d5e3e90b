//! Tabs that indent: go-yaml takes them between brackets only. The parser is stricter there, and laxer
//! elsewhere.

/// Looks for the first tab in what stands between the nodes of a document.
#[derive(Debug)]
pub(super) struct Indent {
    /// Up to which byte has been looked.
    offset: usize,
    /// Whether nothing but indentation stands before it in its line.
    is_leading: bool,
    is_found: bool,
}

impl Indent {
    pub(super) fn new() -> Self {
        Self {
            offset: 0,
            is_leading: true,
            is_found: false,
        }
    }

    /// The byte of the first tab that indents a line, if it stands between what was read last and
    /// this byte, where the next node begins.
    pub(super) fn tab(&mut self, text: &str, begin: usize) -> Option<usize> {
        let gap = text.get(self.offset..begin).unwrap_or_default();
        let mut is_comment = false;
        let mut found = None;
        for (offset, byte) in (self.offset..).zip(gap.bytes()) {
            match byte {
                b'\n' => (self.is_leading, is_comment) = (true, false),
                _ if is_comment => {}
                b'\t' if self.is_leading => {
                    found.get_or_insert(offset);
                }
                b'#' => is_comment = true,
                b' ' | b'\t' | b'\r' | b'-' | b'?' => {}
                _ => self.is_leading = false,
            }
        }
        self.offset = self.offset.max(begin);
        let is_first = !self.is_found;
        self.is_found |= found.is_some();
        found.filter(|_| is_first)
    }

    /// A node that is no list or map without brackets ends at this byte.
    pub(super) fn skip(&mut self, end: usize) {
        self.offset = self.offset.max(end);
        self.is_leading = false;
    }
}

/// Whether the line of this byte stands between brackets, by the look of what comes before it.
pub(super) fn follows_bracket(text: &str, offset: usize) -> bool {
    let lines = text.get(..line(text, offset)).unwrap_or_default();
    lines.trim_end().ends_with(['[', '{', ','])
}

/// The text with spaces for the tabs that indent the line of this byte, and the lines after it that
/// have such tabs too. Each character stays where it is.
pub(super) fn as_spaces(text: &str, offset: usize) -> String {
    let (kept, lines) = text.split_at(line(text, offset));
    let mut spaced = String::with_capacity(text.len());
    spaced.push_str(kept);
    let mut is_over = false;
    for line in lines.split_inclusive('\n') {
        let rest = line.trim_start_matches([' ', '\t']);
        let (indent, rest) = line.split_at(line.len() - rest.len());
        is_over |= !indent.contains('\t') && !rest.trim().is_empty();
        match is_over {
            true => spaced.push_str(indent),
            false => spaced.extend(std::iter::repeat_n(' ', indent.len())),
        }
        spaced.push_str(rest);
    }
    spaced
}

/// Where the line of this byte begins.
fn line(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.rfind('\n').map_or(0, |feed| feed + 1)
}
