//! The metrics of events.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};

use super::reason::EventReason;

/// What events are counted under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabels {
    reason: EventReason,
}

impl From<EventReason> for ReasonLabels {
    fn from(reason: EventReason) -> Self {
        Self { reason }
    }
}

/// Counts events. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventMetrics {
    /// Events that were written, repeats included.
    pub published: Family<ReasonLabels, Counter>,
    /// Events that were not written and will not be.
    pub suppressed: Family<ReasonLabels, Counter>,
}

impl EventMetrics {
    /// An event was written.
    pub(crate) fn published(&self, reason: EventReason) {
        self.published.get_or_create(&reason.into()).inc();
    }

    /// An event was not written and will not be.
    pub(crate) fn suppressed(&self, reason: EventReason) {
        self.suppressed.get_or_create(&reason.into()).inc();
    }
}
