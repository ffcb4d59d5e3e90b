//! What a look at an item has found.

use tokio::time::Instant;

use super::RejectedChange;
use crate::run::{
    metrics::ReconcileResult,
    queue::{ItemState, WriteKind},
};

/// What a look has found.
#[derive(Debug)]
pub(in crate::run) struct Look {
    /// The state of the item.
    pub(in crate::run) state: Option<ItemState>,
    /// Whether the item exists at all.
    pub(in crate::run) is_known: bool,
    /// What is to be written, if anything is.
    pub(in crate::run) want: Option<Want>,
    /// The result, if nothing is to be written.
    pub(in crate::run) result: Option<ReconcileResult>,
    /// When it is looked at again at the latest, if something was seen that may not be so.
    pub(in crate::run) again: Option<Instant>,
}

/// A write that is due.
#[derive(Debug)]
pub(in crate::run) struct Want {
    pub(in crate::run) kind: WriteKind,
    pub(in crate::run) is_delete: bool,
    /// Whether it is a create in a namespace that is known to be going.
    pub(in crate::run) has_no_namespace: bool,
    /// What is compared with what the API server has rejected.
    pub(in crate::run) change: RejectedChange,
    /// When it is permitted, if it is not yet (S4).
    pub(in crate::run) not_before: Option<Instant>,
}

impl Look {
    /// Nothing is to be written.
    pub(super) fn nothing(state: Option<ItemState>, is_known: bool) -> Self {
        Self {
            state,
            is_known,
            want: None,
            result: None,
            again: None,
        }
    }
}
