//! What a sweep after a list has found.

use crate::run::work_item::Changed;

/// What a sweep has found.
#[derive(Debug, Default)]
pub struct Swept {
    /// What must be looked at again.
    pub changed: Changed,
    /// Whether there may be more to sweep.
    pub has_more: bool,
}
