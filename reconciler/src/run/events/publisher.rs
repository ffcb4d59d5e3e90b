//! Brings events to the API server.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, pending},
    pin::pin,
    sync::Arc,
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

use super::{Message, REPEAT, Report, Reporter};
use crate::{
    client::{Failure, REQUEST_TIMEOUT, is_of_dying_namespace, retry_after},
    kinds,
    run::{backoff::Backoff, lease::Leadership, metrics::Metrics},
};

/// Who reports, as events say it.
const CONTROLLER: &str = "kuma-workload";
/// What was tried, as events say it.
const ACTION: &str = "Reconcile";
/// The resource, as a grant names it.
const RESOURCE: &str = "events.events.k8s.io";
/// The longest `reportingInstance`.
const LONGEST_INSTANCE: usize = 128;
/// More events than this do not wait.
const MOST_WAITING: usize = 1_000;
/// What may be spent on the last events when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Publishes what the [`Reporter`] was told, while this replica leads.
pub struct Publisher {
    client: Client,
    instance: String,
    metrics: Arc<Metrics>,
    reporter: Reporter,
    leadership: watch::Receiver<Leadership>,
    waiting: VecDeque<Waiting>,
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

#[derive(Debug, Clone)]
struct Waiting {
    report: Report,
    since: Timestamp,
}

/// What came of an attempt.
#[derive(Debug)]
enum Answer {
    Published,
    /// It was said this long ago.
    Said(Duration),
    /// There is no namespace to say it in, or not for long.
    Gone,
    /// Never to be accepted.
    Rejected(Failure),
    /// To be tried again, perhaps only after a time that is asked for. What is not granted may be.
    Failed(Failure, Option<Duration>),
}

impl Publisher {
    /// One for this process; `instance` is its name among the replicas.
    pub fn new(
        client: Client,
        instance: &str,
        metrics: Arc<Metrics>,
        reporter: Reporter,
        leadership: watch::Receiver<Leadership>,
    ) -> Self {
        Self {
            client,
            instance: instance.chars().take(LONGEST_INSTANCE).collect(),
            metrics,
            reporter,
            leadership,
            waiting: VecDeque::new(),
            backoff: Backoff::of_events(),
            not_before: Instant::now(),
        }
    }

    /// Publishes until `stop` resolves, and then what is left, for a few seconds at most. To be
    /// stopped before the lease is released.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            self.collect();
            tokio::select! {
                () = &mut stop => break,
                () = self.work() => (),
            }
        }
        self.collect();
        let last_words = async {
            for _ in 0..self.waiting.len() {
                self.publish().await;
            }
        };
        // What is left then is left to the next leader, who sees the same.
        let _ = timeout(LAST_WORDS, last_words).await;
    }

    /// Takes over what is due; while another leads, nothing is.
    fn collect(&mut self) {
        let now = Instant::now();
        if !self.leadership.borrow().holds() {
            return;
        }
        let due = self.reporter.reports().due(now);
        let since = Timestamp::now();
        for report in due {
            if self.waiting.len() == MOST_WAITING
                && let Some(oldest) = self.waiting.pop_front()
            {
                self.metrics.event_suppressed(oldest.report.message.reason);
            }
            self.waiting.push_back(Waiting { report, since });
        }
    }

    /// Publishes one event, or waits for one, or for the leadership to turn.
    async fn work(&mut self) {
        let leads = self.leadership.borrow().holds();
        let is_waiting = !self.waiting.is_empty();
        let next = match is_waiting {
            true => Some(self.not_before),
            false => self.reporter.reports().next(),
        };
        let reporter = self.reporter.clone();
        let mut leadership = self.leadership.clone();
        tokio::select! {
            () = reporter.0.seen.notified() => (),
            () = until(next.filter(|_| leads)) => {
                // A pause may outlast our leadership.
                if is_waiting && self.leadership.borrow().holds() {
                    self.publish().await;
                }
            }
            () = turn(&mut leadership) => {
                self.leadership.mark_unchanged();
                if !self.leadership.borrow().holds() {
                    self.waiting.clear();
                    self.reporter.reports().fall_silent(Instant::now());
                }
            }
        }
    }

    /// Tries the first that waits. It goes only when it is done with: what is broken off is tried
    /// again.
    async fn publish(&mut self) {
        let Some(Waiting { report, since }) = self.waiting.front().cloned() else {
            return;
        };
        let answer = timeout(REQUEST_TIMEOUT, self.say(&report, since)).await;
        let answer = answer.unwrap_or_else(|_| {
            let sentence = format!("cannot write {RESOURCE}: no answer within {REQUEST_TIMEOUT:?}");
            Answer::Failed(Failure::new(sentence), None)
        });
        let Some(first) = self.waiting.pop_front() else {
            return;
        };
        let reason = report.message.reason;
        match answer {
            Answer::Published => self.metrics.event_published(reason),
            Answer::Said(age) => {
                let mut reports = self.reporter.reports();
                reports.was_said(&report.subject, age, Instant::now());
            }
            Answer::Gone => (),
            Answer::Rejected(failure) => {
                self.metrics.event_suppressed(reason);
                tracing::warn!(%failure, reason = reason.text(), "an event is not published");
            }
            Answer::Failed(failure, after) => {
                // At the end of the line: one that always fails keeps no other waiting.
                self.waiting.push_back(first);
                return self.back_off(&failure, after);
            }
        }
        self.backoff.reset();
        self.not_before = Instant::now();
    }

    fn back_off(&mut self, failure: &Failure, after: Option<Duration>) {
        if self.backoff.is_fresh() {
            tracing::warn!(%failure, "events wait");
        }
        let pause = self.backoff.next();
        self.not_before = Instant::now() + pause.max(after.unwrap_or_default());
    }

    /// Creates the event; or, if it is there, counts on in it. Notes and most else are immutable
    /// (L9).
    async fn say(&self, report: &Report, since: Timestamp) -> Answer {
        let message = &report.message;
        let events: Api<Event> = Api::namespaced(self.client.clone(), &message.namespace);
        let event = self.event(message, since);
        // An event that expires between two requests is created anew.
        for _ in 0..2 {
            match events.create(&PostParams::default(), &event).await {
                Ok(_) => return Answer::Published,
                Err(Error::Api(status)) if status.is_already_exists() => (),
                Err(error) => return failed("create", &error),
            }
            let there = match events.get_opt(&message.name).await {
                Ok(Some(there)) => there,
                Ok(None) => continue,
                Err(error) => return failed("get", &error),
            };
            let last = last_said(&there);
            let age = last.map(|last| age(last, since));
            if let Some(age) = age
                && report.perhaps_said
                && (age < REPEAT || !report.repeats)
            {
                return Answer::Said(age);
            }
            let count = there.series.map_or(1, |series| series.count);
            let series = EventSeries {
                count: count.saturating_add(1),
                last_observed_time: MicroTime(last.map_or(since, |last| last.max(since))),
            };
            let patch = Patch::Merge(json!({ "series": series }));
            let patched = events
                .patch(&message.name, &PatchParams::default(), &patch)
                .await;
            match patched {
                Ok(_) => return Answer::Published,
                Err(Error::Api(status)) if status.code == 404 => (),
                Err(error) => return failed("patch", &error),
            }
        }
        Answer::Failed(Failure::new("the event comes and goes"), None)
    }

    fn event(&self, message: &Message, since: Timestamp) -> Event {
        let namespace = || Some(message.namespace.clone());
        let related = message.related.as_ref().map(|workload| ObjectReference {
            api_version: Some(kinds::API_VERSION.to_owned()),
            kind: Some("Workload".to_owned()),
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
            // With its namespace, though a Namespace has none: the API server wants the event's.
            regarding: Some(ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Namespace".to_owned()),
                namespace: namespace(),
                name: namespace(),
                ..ObjectReference::default()
            }),
            related,
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some(message.reason.severity().to_string()),
            ..Event::default()
        }
    }
}

async fn until(next: Option<Instant>) {
    match next {
        Some(next) => sleep_until(next).await,
        None => pending().await,
    }
}

async fn turn(leadership: &mut watch::Receiver<Leadership>) {
    if leadership.changed().await.is_err() {
        pending().await
    }
}

/// When an event was said last.
fn last_said(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref();
    let said = series.map(|series| &series.last_observed_time);
    said.or(event.event_time.as_ref()).map(|time| time.0)
}

/// By whoever's wall clock: never below nothing.
fn age(last: Timestamp, now: Timestamp) -> Duration {
    let age = now.duration_since(last).max(SignedDuration::ZERO);
    age.unsigned_abs()
}

fn failed(verb: &str, error: &Error) -> Answer {
    let failure = Failure::of(&format!("{verb} {RESOURCE}"), error);
    match error {
        Error::Api(status) if is_gone(status) => Answer::Gone,
        Error::Api(status) => match status.code {
            400 | 413 | 422 => Answer::Rejected(failure),
            _ => Answer::Failed(failure, retry_after(status)),
        },
        _ => Answer::Failed(failure, None),
    }
}

/// A namespace that is gone answers 404, one that is going 403.
fn is_gone(status: &Status) -> bool {
    status.code == 404 || is_of_dying_namespace(status)
}

#[cfg(test)]
mod tests;
