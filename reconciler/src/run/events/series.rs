//! One Event object: created, or continued if it exists. Its note and most other fields are immutable
//! (L9).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::{
        core::v1::ObjectReference,
        events::v1::{Event, EventSeries},
    },
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Error,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::{
    attempt::Attempt,
    due_event::DueEvent,
    message::Message,
    reason::REPEAT_INTERVAL,
    requests::{FailureKind, RequestFailure, Requests},
};
use crate::{
    client::Failure,
    kinds::{API_VERSION, RecordKind},
};

/// The `reportingController` of events.
pub(super) const CONTROLLER: &str = "kuma-workload";
/// The `action` of events.
const ACTION: &str = "Reconcile";

/// What the API server has of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It was created or continued.
    Sent,
    /// It existed, and was sent this long ago.
    Exists(Duration),
}

/// Creates the event, or continues its series if it exists. `record` gets each attempt before it is sent.
pub(super) async fn write(
    requests: &Requests,
    identity: &str,
    due: &DueEvent,
    mut attempt: Attempt,
    record: impl Fn(&Attempt),
) -> Result<Written, RequestFailure> {
    let message = &due.message;
    let events = requests.events(Some(&message.namespace));
    let event = event(message, identity, attempt.since);
    let failed = |verb: &str, error: &Error| Err(RequestFailure::of(verb, error));
    // An event that expires between two requests is created again.
    for _ in 0..2 {
        record(&attempt);
        let (post, patch) = (PostParams::default(), PatchParams::default());
        match requests.send(events.create(&post, &event)).await {
            Ok(_) => return Ok(Written::Sent),
            Err(Error::Api(status)) if status.is_already_exists() => (),
            Err(error) => return failed("create", &error),
        }
        let existing = match requests.send(events.get_opt(&message.name)).await {
            Ok(Some(existing)) => existing,
            Ok(None) => continue,
            Err(error) => return failed("get", &error),
        };
        if attempt.has_made(&existing, identity) {
            return Ok(Written::Sent);
        }
        let last = last_sent(&existing);
        let age = last.map(|last| age(last, attempt.since));
        if let Some(age) = age
            && due.may_exist
            && (age < REPEAT_INTERVAL || !message.reason.repeats())
        {
            return Ok(Written::Exists(age));
        }
        let count = existing.series.map_or(1, |series| series.count);
        let series = EventSeries {
            count: count.saturating_add(1),
            last_observed_time: MicroTime(
                last.map_or(attempt.since, |last| last.max(attempt.since)),
            ),
        };
        let change = Patch::Merge(json!({ "series": series }));
        attempt.series = Some(series);
        record(&attempt);
        let patched = events.patch(&message.name, &patch, &change);
        match requests.send(patched).await {
            Ok(_) => return Ok(Written::Sent),
            Err(Error::Api(status)) if status.code == 404 => (),
            Err(error) => return failed("patch", &error),
        }
    }
    Err(RequestFailure {
        kind: FailureKind::Refused,
        failure: Failure::new("the event comes and goes"),
        retry_after: None,
    })
}

/// The object.
fn event(message: &Message, identity: &str, since: Timestamp) -> Event {
    let namespace = || Some(message.namespace.clone());
    let related = message.related.as_ref().map(|workload| ObjectReference {
        api_version: Some(API_VERSION.to_owned()),
        kind: Some(RecordKind::Workload.name().to_owned()),
        namespace: namespace(),
        name: Some(workload.clone()),
        ..ObjectReference::default()
    });
    Event {
        metadata: ObjectMeta {
            name: Some(message.name.clone()),
            namespace: namespace(),
            ..ObjectMeta::default()
        },
        action: Some(ACTION.to_owned()),
        event_time: Some(MicroTime(since)),
        note: Some(message.note.clone()),
        reason: Some(message.reason.text().to_owned()),
        // A Namespace has no namespace, but the API server requires the event's here.
        regarding: Some(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some(RecordKind::Namespace.name().to_owned()),
            namespace: namespace(),
            name: namespace(),
            ..ObjectReference::default()
        }),
        related,
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some(identity.to_owned()),
        type_: Some(message.reason.event_type().to_string()),
        ..Event::default()
    }
}

/// When an event was sent last.
pub(super) fn last_sent(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref();
    let sent = series.map(|series| &series.last_observed_time);
    sent.or(event.event_time.as_ref()).map(|time| time.0)
}

/// How long ago that was. The other time may come from a wall clock that is ahead: the age is never
/// negative.
pub(super) fn age(last: Timestamp, now: Timestamp) -> Duration {
    let age = now.duration_since(last).max(SignedDuration::ZERO);
    age.unsigned_abs()
}
