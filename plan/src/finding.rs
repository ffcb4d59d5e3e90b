//! What the plan has to say. A finding is data: how grave it is, why, and what it is about. What has
//! one cause is put together, and becomes text, when all is found.
//!
//! | file | what |
//! |---|---|
//! | `code` | the codes, and how grave a finding is |
//! | `cause` | why there is something to say |
//! | `affected` | what it is about: objects, and how many of their Pods |
//! | `group` | puts together what has one cause |
//! | `text` | what is said, and what to do |

mod affected;
mod cause;
mod code;
pub(crate) mod group;
mod kuma3;
mod text;

pub(crate) use affected::{Member, ObjectName};
pub(crate) use cause::{Cause, Kuma3, Reason};
pub(crate) use code::{BAD_INPUT, PODS_REJECTED};
pub use code::{Code, FailOn, Severity};

use super::read::{Place, tree::Position};

/// Something that is found, and the objects that it is found in, if it is about any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    severity: Severity,
    cause: Cause,
    place: Option<Place>,
    members: Vec<Member>,
}

impl Finding {
    /// An error about the reading, told in full.
    pub fn error(code: Code, place: Option<Place>, message: String, remedy: String) -> Self {
        Self::told(Severity::Error, code, place, message, remedy)
    }

    /// A warning about the reading, told in full.
    pub fn warning(code: Code, place: Option<Place>, message: String, remedy: String) -> Self {
        Self::told(Severity::Warning, code, place, message, remedy)
    }

    /// A note about the reading, told in full.
    pub fn note(code: Code, place: Option<Place>, message: String, remedy: String) -> Self {
        Self::told(Severity::Note, code, place, message, remedy)
    }

    fn told(
        severity: Severity,
        code: Code,
        place: Option<Place>,
        message: String,
        remedy: String,
    ) -> Self {
        let cause = Cause::Told {
            code,
            message,
            remedy,
        };
        Self::of(severity, cause).at(place)
    }

    /// Something found for this cause.
    pub(crate) fn of(severity: Severity, cause: Cause) -> Self {
        Self {
            severity,
            cause,
            place: None,
            members: Vec::new(),
        }
    }

    /// Where it stands.
    pub(crate) fn at(self, place: Option<Place>) -> Self {
        Self { place, ..self }
    }

    /// What it is about, besides what was given before.
    pub(crate) fn about(mut self, members: impl IntoIterator<Item = Member>) -> Self {
        self.members.extend(members);
        self
    }
}

/// The same file at another position, if that is known.
pub(crate) fn place_at(place: Option<&Place>, at: Option<Position>) -> Option<Place> {
    let mut place = place?.clone();
    if let Some(at) = at {
        place.at = at;
    }
    Some(place)
}
