//! Writes events to the API server.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, pending},
    pin::pin,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::{
        core::v1::ObjectReference,
        events::v1::{Event, EventSeries},
    },
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client, Error,
    api::{Patch, PatchParams, PostParams},
    core::Status,
};
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{
    message::Message,
    metrics::EventMetrics,
    recorder::EventRecorder,
    schedule::{DueEvent, REPEAT_INTERVAL},
};
use crate::{
    client::{Failure, REQUEST_TIMEOUT, is_namespace_terminating, retry_after},
    kinds::{API_VERSION, RecordKind},
    run::{WallClock, backoff::Backoff, lease::Leadership},
};

/// The `reportingController` of events.
const CONTROLLER: &str = "kuma-workload";
/// The `action` of events.
const ACTION: &str = "Reconcile";
/// The resource, as RBAC names it.
const RESOURCE: &str = "events.events.k8s.io";
/// At most this many events wait to be written. Beyond that, the oldest is dropped.
const MAX_WAITING: usize = 1_000;
/// How long the last events may take when the process ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Publishes the events that are due, while this replica leads.
pub(crate) struct Publisher {
    client: Client,
    identity: String,
    metrics: EventMetrics,
    recorder: EventRecorder,
    leadership: watch::Receiver<Leadership>,
    wall_clock: WallClock,
    waiting: VecDeque<WaitingEvent>,
    backoff: Backoff,
    not_before: Instant,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

/// An event that waits to be written.
#[derive(Debug, Clone)]
struct WaitingEvent {
    event: DueEvent,
    since: Timestamp,
}

/// The result of an attempt.
#[derive(Debug)]
enum AttemptResult {
    Published,
    /// The event exists, and was sent this long ago.
    Exists(Duration),
    /// Its namespace does not exist, or is being deleted.
    NamespaceGone,
    /// The API server will never accept it.
    Rejected(Failure),
    /// To be tried again, after this time if the API server has asked for it. A missing grant may be
    /// given later.
    Failed(Failure, Option<Duration>),
}

impl Publisher {
    /// A publisher for this process. `identity` is the holder identity of the Lease, at most 128 bytes.
    pub(crate) fn new(
        client: Client,
        identity: &str,
        metrics: EventMetrics,
        recorder: EventRecorder,
        leadership: watch::Receiver<Leadership>,
        wall_clock: WallClock,
    ) -> Self {
        Self {
            client,
            identity: identity.to_owned(),
            metrics,
            recorder,
            leadership,
            wall_clock,
            waiting: VecDeque::new(),
            backoff: Backoff::of_events(),
            not_before: Instant::now(),
        }
    }

    /// Publishes events until `stop` resolves, and then the remaining ones within a few seconds. To be
    /// stopped before the Lease is released.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            self.collect();
            tokio::select! {
                () = &mut stop => break,
                () = self.work() => (),
            }
        }
        self.collect();
        let remaining = async {
            for _ in 0..self.waiting.len() {
                self.publish().await;
            }
        };
        // The next leader observes the same conditions and sends the events that are left.
        let _ = timeout(SHUTDOWN_TIMEOUT, remaining).await;
    }

    /// Takes the events that are due. While another replica leads, it sends them.
    fn collect(&mut self) {
        let now = Instant::now();
        if !self.leadership.borrow().holds() {
            return;
        }
        let due = self.recorder.schedule().due(now);
        let since = (self.wall_clock)();
        for event in due {
            if self.waiting.len() == MAX_WAITING
                && let Some(oldest) = self.waiting.pop_front()
            {
                self.metrics.suppressed(oldest.event.message.reason);
            }
            self.waiting.push_back(WaitingEvent { event, since });
        }
    }

    /// Publishes one event, or waits until there is one or until the leadership changes.
    async fn work(&mut self) {
        let leads = self.leadership.borrow().holds();
        let is_waiting = !self.waiting.is_empty();
        let next = match is_waiting {
            true => Some(self.not_before),
            false => self.recorder.schedule().next(),
        };
        let recorder = self.recorder.clone();
        let mut leadership = self.leadership.clone();
        tokio::select! {
            () = recorder.changed() => (),
            () = sleep_until_some(next.filter(|_| leads)) => {
                // The leadership may have ended during the backoff.
                if is_waiting && self.leadership.borrow().holds() {
                    self.publish().await;
                }
            }
            () = changed(&mut leadership) => {
                self.leadership.mark_unchanged();
                if !self.leadership.borrow().holds() {
                    self.waiting.clear();
                    self.recorder.schedule().forget_reported(Instant::now());
                }
            }
        }
    }

    /// Tries to write the first waiting event. It leaves the queue only when there is a result, so that
    /// a request that is cancelled is tried again.
    async fn publish(&mut self) {
        let Some(WaitingEvent { event, since }) = self.waiting.front().cloned() else {
            return;
        };
        let result = timeout(REQUEST_TIMEOUT, self.write(&event, since)).await;
        let result = result.unwrap_or_else(|_| {
            let sentence = format!("cannot write {RESOURCE}: no answer within {REQUEST_TIMEOUT:?}");
            AttemptResult::Failed(Failure::new(sentence), None)
        });
        let Some(first) = self.waiting.pop_front() else {
            return;
        };
        let reason = event.message.reason;
        match result {
            AttemptResult::Published => self.metrics.published(reason),
            AttemptResult::Exists(age) => {
                let mut schedule = self.recorder.schedule();
                schedule.was_sent(&event.about, age, Instant::now());
            }
            AttemptResult::NamespaceGone => (),
            AttemptResult::Rejected(failure) => {
                self.metrics.suppressed(reason);
                tracing::warn!(%failure, reason = reason.text(), "an event is not published");
            }
            AttemptResult::Failed(failure, after) => {
                // It goes to the end of the queue, so that it does not block the others.
                self.waiting.push_back(first);
                return self.back_off(&failure, after);
            }
        }
        self.backoff.reset();
        self.not_before = Instant::now();
    }

    fn back_off(&mut self, failure: &Failure, after: Option<Duration>) {
        if self.backoff.is_reset() {
            tracing::warn!(%failure, "events wait");
        }
        let pause = self.backoff.next();
        self.not_before = Instant::now() + pause.max(after.unwrap_or_default());
    }

    /// Creates the event. If it exists, continues its series: its note and most other fields are
    /// immutable (L9).
    async fn write(&self, due: &DueEvent, since: Timestamp) -> AttemptResult {
        let message = &due.message;
        let events: Api<Event> = Api::namespaced(self.client.clone(), &message.namespace);
        let event = self.event(message, since);
        // An event that expires between two requests is created again.
        for _ in 0..2 {
            match events.create(&PostParams::default(), &event).await {
                Ok(_) => return AttemptResult::Published,
                Err(Error::Api(status)) if status.is_already_exists() => (),
                Err(error) => return failed("create", &error),
            }
            let existing = match events.get_opt(&message.name).await {
                Ok(Some(existing)) => existing,
                Ok(None) => continue,
                Err(error) => return failed("get", &error),
            };
            let last = last_sent(&existing);
            let age = last.map(|last| age(last, since));
            if let Some(age) = age
                && due.may_exist
                && (age < REPEAT_INTERVAL || !due.repeats)
            {
                return AttemptResult::Exists(age);
            }
            let count = existing.series.map_or(1, |series| series.count);
            let series = EventSeries {
                count: count.saturating_add(1),
                last_observed_time: MicroTime(last.map_or(since, |last| last.max(since))),
            };
            let patch = Patch::Merge(json!({ "series": series }));
            let patched = events
                .patch(&message.name, &PatchParams::default(), &patch)
                .await;
            match patched {
                Ok(_) => return AttemptResult::Published,
                Err(Error::Api(status)) if status.code == 404 => (),
                Err(error) => return failed("patch", &error),
            }
        }
        AttemptResult::Failed(Failure::new("the event comes and goes"), None)
    }

    fn event(&self, message: &Message, since: Timestamp) -> Event {
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
            reporting_instance: Some(self.identity.clone()),
            type_: Some(message.reason.event_type().to_string()),
            ..Event::default()
        }
    }
}

async fn sleep_until_some(next: Option<Instant>) {
    match next {
        Some(next) => sleep_until(next).await,
        None => pending().await,
    }
}

async fn changed(leadership: &mut watch::Receiver<Leadership>) {
    if leadership.changed().await.is_err() {
        pending().await
    }
}

/// When an event was sent last.
fn last_sent(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref();
    let sent = series.map(|series| &series.last_observed_time);
    sent.or(event.event_time.as_ref()).map(|time| time.0)
}

/// The other time may come from a wall clock that is ahead: the age is never negative.
fn age(last: Timestamp, now: Timestamp) -> Duration {
    let age = now.duration_since(last).max(SignedDuration::ZERO);
    age.unsigned_abs()
}

fn failed(verb: &str, error: &Error) -> AttemptResult {
    let failure = Failure::of(&format!("{verb} {RESOURCE}"), error);
    match error {
        Error::Api(status) if is_namespace_gone(status) => AttemptResult::NamespaceGone,
        Error::Api(status) => match status.code {
            400 | 413 | 422 => AttemptResult::Rejected(failure),
            _ => AttemptResult::Failed(failure, retry_after(status)),
        },
        _ => AttemptResult::Failed(failure, None),
    }
}

/// A namespace that does not exist gives 404, one that is being deleted 403.
fn is_namespace_gone(status: &Status) -> bool {
    status.code == 404 || is_namespace_terminating(status)
}

#[cfg(test)]
mod tests;
