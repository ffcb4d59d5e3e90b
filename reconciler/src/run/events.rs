//! Events (L9 to L11, L6, W5): what is wrong, where people look for it.
//!
//! | part | job |
//! |---|---|
//! | [`Condition`] | what is reported about a workload or a namespace |
//! | `message`, `note` | the content of an event, and its sentences |
//! | [`Schedule`] | when an event is sent: a pure state machine |
//! | `entry`, `agenda` | its parts: what is known about one item, and what is due when |
//! | `due_event` | what it gives to the publisher, and what it gets back |
//! | [`EventRecorder`] | takes the conditions that the controller observes |
//! | [`Publisher`], `waiting` | sends the events that are due, one at a time, and retries |
//! | `attempt` | what was sent for an event: the object shows whether it was done |
//! | `series` | creates one Event object, or continues it |
//! | `recall` | finds out what was said before this term |
//! | `pacing` | how fast events are sent |
//! | `requests`, `troubles` | what failures mean, and what is logged about them |
//!
//! [`REASONS`] lists every event, for the docs.
//!
//! # Each episode is announced once
//!
//! An episode of a conflict lasts while its proxies are in one set of two or more meshes. Other meshes are
//! another episode. What is promised:
//!
//! - *The schedule knows only what holds now.* When a term begins, everything is forgotten, and every item
//!   is observed again. What a standby or a former leader observed counts for nothing.
//! - *The events in the cluster are the memory.* Before the first event of a term, this program's events
//!   are listed. Of those about one item, the one that was written last tells what stands: a conflict that
//!   was announced, or none. What stands is compared with what is observed. If it is the same, nothing is
//!   said before its next repetition, 10 minutes after the last. If it is not, the difference is said:
//!   another replica announced a conflict that has ended meanwhile, or a conflict ended and began anew.
//! - *An item that stands in an event and is not observed is asked for*, again and again until it is: after
//!   its last proxy is gone, nothing else would lead to it.
//! - *An event counts as sent when the API server has it.* Until then it is due. The publisher takes the
//!   first that is due, tries it, and says what came of it; there is no list that could overflow.
//! - *An event whose answer was lost is completed before anything else is said about its item.* The object
//!   shows whether it was done, so it is neither done twice nor left half known.
//!
//! What is not promised:
//!
//! - A condition that ends before it could be said is not said, nor is an end after which it returns before
//!   the end could be said: then both are one episode. Of a condition that comes and goes, six changes are
//!   said at once, and then one a minute.
//! - Where listing events is not granted, the end of a conflict that another replica announced is not said,
//!   and one that began anew is said at its next repetition. An event that has expired (after one hour by
//!   default, in which nobody led) tells nothing either.
//! - A namespace that is deleted and made anew is noticed when its conditions end and begin anew. If no
//!   watch shows it in between without its proxies, the event is there again after its next repetition.

mod agenda;
mod attempt;
mod condition;
mod due_event;
mod entry;
mod message;
mod metrics;
mod note;
mod pacing;
mod publisher;
mod reason;
mod recall;
mod recorder;
mod requests;
mod schedule;
mod series;
mod troubles;
mod waiting;

pub use self::reason::{EventReason, EventType, REASONS};
pub(super) use self::{
    condition::Condition, metrics::EventMetrics, publisher::Publisher, recorder::EventRecorder,
    schedule::Schedule,
};
