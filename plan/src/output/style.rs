//! How text for people looks: its width and its colours, which whoever shows it knows.

use std::borrow::Cow;

use crate::finding::FailOn;

/// How a report is written. The default is for pipes: whole lines, no colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// The columns of characters that a table may have; none where it may be as wide as it likes.
    pub width: Option<usize>,
    /// Whether tables have colours, as terminals understand them.
    pub colours: bool,
    /// Which findings are failures, in forms that tell failures apart.
    pub fail_on: FailOn,
    /// Whether tables say which kinds were skipped.
    pub verbose: bool,
}

/// A colour of the terminal's own palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Something is wrong.
    Red,
    /// Something is made.
    Green,
    /// Something deserves a look.
    Yellow,
    /// Something is worth knowing.
    Cyan,
}

impl Colour {
    /// The number that ECMA-48's "select graphic rendition" gives it.
    fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Cyan => "36",
        }
    }
}

impl Style {
    /// The text in this colour, if there are colours.
    pub fn painted<'t>(&self, text: &'t str, colour: Option<Colour>) -> Cow<'t, str> {
        self.rendered(text, colour.map(Colour::code))
    }

    /// The text in bold, if there are colours.
    pub fn bold<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.rendered(text, Some("1"))
    }

    fn rendered<'t>(&self, text: &'t str, code: Option<&str>) -> Cow<'t, str> {
        match code.filter(|_| self.colours && !text.is_empty()) {
            Some(code) => format!("\u{1b}[{code}m{text}\u{1b}[0m").into(),
            None => text.into(),
        }
    }
}
