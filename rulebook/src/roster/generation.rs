//! What was applied before a list began, and what since.

/// What was applied before a moment, and what since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u32);

impl Generation {
    /// The one that follows.
    pub(super) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}
