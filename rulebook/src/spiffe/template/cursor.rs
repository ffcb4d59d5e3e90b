//! A position in a template that is being read.

/// A template, and how far it has been read.
pub(super) struct Cursor<'t> {
    source: &'t str,
    /// The offset of the next character, in bytes.
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    /// A cursor at the beginning.
    pub(super) fn new(source: &'t str) -> Self {
        Self { source, at: 0 }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'t str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Reads a text if it is next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// Reads everything before the first character that is not wanted.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }
}
