//! Events (L9 to L11, L6, W5): what is wrong, where people look for it.
//!
//! | part | job |
//! |---|---|
//! | [`Condition`] | what is reported about a workload or a namespace |
//! | `message`, `note` | the content of an event, and its sentences |
//! | [`Schedule`] | when an event is sent: a pure state machine |
//! | [`EventRecorder`] | takes the conditions that the controller observes |
//! | [`Publisher`] | writes events to the API server, and retries |
//!
//! [`REASONS`] lists every event, for the docs.

mod condition;
mod message;
mod metrics;
mod note;
mod publisher;
mod reason;
mod recorder;
mod schedule;

pub use self::reason::{EventReason, EventType, REASONS};
pub(super) use self::{
    condition::Condition, metrics::EventMetrics, publisher::Publisher, recorder::EventRecorder,
    schedule::Schedule,
};
