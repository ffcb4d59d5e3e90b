//! Why a template cannot be evaluated.

use std::fmt;

use crate::quoted::Quoted;

/// Why a template cannot be evaluated here. Positions are offsets in bytes, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateFault {
    /// It contains something other than fields and labels. Kuma may evaluate it, this crate does
    /// not (ID3).
    NotEvaluated {
        /// Where this begins.
        at: usize,
    },
    /// It is not a Go template.
    Malformed {
        /// Where the fault is.
        at: usize,
        /// What is wrong there.
        what: Malformed,
    },
    /// It contains a field that the data does not have.
    UnknownField {
        /// Where the field is.
        at: usize,
        /// Its name, without the dot.
        name: String,
    },
    /// It asks for a label that is absent. An empty label is not absent.
    LabelMissing {
        /// Where it asks for the label.
        at: usize,
        /// Its key.
        key: String,
    },
}

/// What is wrong in a text that is not a Go template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// `{{` without `}}`.
    UnclosedAction,
    /// Nothing between `{{` and `}}`.
    EmptyAction,
    /// A string without a closing quote.
    UnterminatedString,
    /// A backslash followed by something that is no escape in Go.
    BadEscape,
    /// `label` without a key.
    LabelWithoutKey,
    /// A character that is not allowed at this place.
    UnexpectedCharacter(char),
}

impl TemplateFault {
    /// A template that is malformed at this offset.
    pub(super) fn malformed(at: usize, what: Malformed) -> Self {
        Self::Malformed { at, what }
    }

    /// Whether the template may be right, but cannot be evaluated here.
    pub fn is_not_evaluated(&self) -> bool {
        matches!(self, Self::NotEvaluated { .. })
    }

    /// Where the fault is: an offset in bytes, from 0.
    pub fn at(&self) -> usize {
        match self {
            Self::NotEvaluated { at }
            | Self::Malformed { at, .. }
            | Self::UnknownField { at, .. }
            | Self::LabelMissing { at, .. } => *at,
        }
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEvaluated { .. } => formatter.write_str(
                "it has more than fields and labels, which is not evaluated here: \
                 Kuma decides",
            )?,
            Self::Malformed { what, .. } => write!(formatter, "{what}")?,
            Self::UnknownField { name, .. } => write!(formatter, "there is no field .{name}")?,
            Self::LabelMissing { key, .. } => {
                write!(formatter, "there is no label {}", Quoted(key))?
            }
        }
        write!(formatter, " (at byte {})", self.at())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnclosedAction => formatter.write_str("'{{' is never closed"),
            Self::EmptyAction => formatter.write_str("nothing stands between '{{' and '}}'"),
            Self::UnterminatedString => formatter.write_str("a string is never closed"),
            Self::BadEscape => formatter.write_str("no such escape in a string"),
            Self::LabelWithoutKey => formatter.write_str("'label' needs a key in quotes"),
            Self::UnexpectedCharacter(found) => {
                write!(formatter, "the character {found:?} cannot stand here")
            }
        }
    }
}
