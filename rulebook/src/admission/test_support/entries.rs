//! Labels and annotations as the tests write them.

use crate::metadata::Labels;

/// Keys and their values.
pub(in crate::admission) type Entries<'e> = &'e [(&'static str, &'static str)];

pub(super) fn labels(entries: Entries<'_>) -> Labels<'static> {
    entries.iter().copied().collect()
}
