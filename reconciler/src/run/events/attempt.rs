//! An attempt to send an event.

use jiff::Timestamp;
use k8s_openapi::{
    api::events::v1::{Event, EventSeries},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};

/// What was sent for an event. If the answer is lost, it shows in the object whether it was done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attempt {
    /// The time in the event. No two events of a process have the same.
    pub since: Timestamp,
    /// The series that was sent, if the event existed.
    pub series: Option<EventSeries>,
}

impl Attempt {
    /// An attempt that begins now.
    pub(super) fn new(since: Timestamp) -> Self {
        Self {
            since,
            series: None,
        }
    }

    /// Whether it has made the event what it is.
    pub(super) fn has_made(&self, event: &Event, identity: &str) -> bool {
        match &event.series {
            Some(series) => self.series.as_ref() == Some(series),
            None => {
                event.reporting_instance.as_deref() == Some(identity)
                    && event.event_time == Some(MicroTime(self.since))
            }
        }
    }
}
