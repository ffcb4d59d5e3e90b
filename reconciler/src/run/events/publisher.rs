//! Writes events to the API server, one at a time, while this replica leads.

use std::{collections::BTreeSet, fmt, future::Future, pin::pin, time::Duration};

use jiff::Timestamp;
use kube::Client;
use tokio::{
    task::yield_now,
    time::{Instant, sleep_until, timeout},
};

use super::{
    attempt::Attempt,
    due_event::{DueEvent, Outcome},
    metrics::EventMetrics,
    pacing::Pacing,
    recall::Recall,
    recorder::EventRecorder,
    requests::{FailureKind, RequestFailure, Requests},
    series::{self, Written},
    troubles::{Trouble, Troubles},
    waiting::{changed, sleep_until_some, while_leading},
};
use crate::run::{WallClock, lease::Leadership, ordered_watch, work_item::WorkItem};

/// How long the last events may take when the process ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Publishes the events that are due, while this replica leads.
pub(crate) struct Publisher {
    requests: Requests,
    identity: String,
    namespaces: BTreeSet<String>,
    metrics: EventMetrics,
    recorder: EventRecorder,
    leadership: ordered_watch::Receiver<Leadership>,
    wall_clock: WallClock,
    /// Has an item observed.
    look_at: Box<dyn Fn(WorkItem) + Send>,
    recall: Option<Recall>,
    pacing: Pacing,
    last_time: Timestamp,
    troubles: Troubles,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}

/// What is to be done.
#[derive(Debug)]
enum Work {
    /// Something may happen before this time. None: it is not known when.
    Wait(Option<Instant>),
    /// An event is due, but too many were sent.
    Pace(Instant),
    /// It is to be found out what was said before this term.
    Recall(u64),
    /// These items are to be observed.
    LookAt(Vec<WorkItem>),
    /// An event is to be sent.
    Publish(Box<DueEvent>),
}

impl Publisher {
    /// A publisher for this process. `identity` is the holder identity of the Lease, at most 128 bytes.
    /// `look_at` has an item reconciled, even one that no object refers to: an event announces it, and
    /// nobody has observed it in this term.
    pub(crate) fn new(
        client: Client,
        identity: &str,
        metrics: EventMetrics,
        recorder: EventRecorder,
        leadership: ordered_watch::Receiver<Leadership>,
        wall_clock: WallClock,
        look_at: impl Fn(WorkItem) + Send + 'static,
    ) -> Self {
        Self {
            requests: Requests::new(client, leadership.clone()),
            identity: identity.to_owned(),
            namespaces: BTreeSet::new(),
            metrics,
            recorder,
            leadership,
            wall_clock,
            look_at: Box::new(look_at),
            recall: None,
            pacing: Pacing::new(Instant::now()),
            last_time: Timestamp::UNIX_EPOCH,
            troubles: Troubles::default(),
        }
    }

    /// For these namespaces alone: events of others are not read. All, if there are none.
    pub(crate) fn in_namespaces(self, namespaces: BTreeSet<String>) -> Self {
        Self { namespaces, ..self }
    }

    /// Publishes events until `stop` resolves, and then those that are due, within a few seconds. To be
    /// stopped before the Lease is released.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let work = self.next();
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = self.perform(work) => (),
            }
        }
        // The next leader observes the same conditions and sends the events that are left.
        let _ = timeout(SHUTDOWN_TIMEOUT, self.finish()).await;
    }

    /// Sends what is due.
    async fn finish(&mut self) {
        loop {
            match self.next() {
                Work::Wait(_) => return,
                work => self.perform(work).await,
            }
        }
    }

    fn leads(&self) -> bool {
        self.leadership.borrow().holds()
    }

    fn next(&mut self) -> Work {
        let now = Instant::now();
        if !self.leads() {
            return Work::Wait(None);
        }
        if let Some(until) = self.pacing.paused(now) {
            return Work::Wait(Some(until));
        }
        let mut schedule = self.recorder.schedule();
        let recalling = schedule.recalling();
        let next = schedule.next();
        if recalling.is_none() && next.is_none_or(|next| next > now) {
            return Work::Wait(next);
        }
        let items = schedule.ask_for(now);
        if !items.is_empty() {
            return Work::LookAt(items);
        }
        let pace = self.pacing.next(now);
        if pace > now {
            return Work::Pace(pace);
        }
        match (recalling, schedule.due(now)) {
            (Some(term), _) => Work::Recall(term),
            (None, Some(due)) => Work::Publish(Box::new(due)),
            (None, None) => Work::Wait(schedule.next()),
        }
    }

    async fn perform(&mut self, work: Work) {
        match work {
            Work::Wait(until) => self.wait(until).await,
            Work::Pace(until) => sleep_until(until).await,
            Work::LookAt(items) => items.into_iter().for_each(&self.look_at),
            Work::Recall(term) => {
                while_leading(self.leadership.clone(), self.recall(term)).await;
            }
            Work::Publish(due) => {
                while_leading(self.leadership.clone(), self.publish(&due)).await;
            }
        }
    }

    async fn wait(&mut self, until: Option<Instant>) {
        if until.is_some_and(|until| until <= Instant::now()) {
            return yield_now().await;
        }
        tokio::select! {
            biased;
            () = changed(&mut self.leadership) => (),
            () = self.recorder.changed() => (),
            () = sleep_until_some(until) => (),
        }
    }

    /// Reads what was said in one more namespace, or in all.
    async fn recall(&mut self, term: u64) {
        let now = self.begin();
        let recall = self.recall.take().filter(|recall| recall.term == term);
        let recall = recall.unwrap_or_else(|| Recall::new(term, &self.namespaces));
        let recall = self.recall.insert(recall);
        match recall.read_next(&self.requests, now).await {
            Ok(()) => self.pacing.answered(),
            Err(_) if !self.leadership.borrow().holds() => return,
            Err(failed) if recall.is_tried_again(&failed) => {
                self.log_failure(Trouble::Away, &failed);
                self.pacing.pause(failed.retry_after, Instant::now());
            }
            Err(failed) => {
                recall.skip();
                self.log_failure(Trouble::NotRecalled, &failed);
            }
        }
        if let Some(recall) = self.recall.take_if(|recall| recall.is_done()) {
            let mut schedule = self.recorder.schedule();
            schedule.recall(term, recall.found(), Instant::now());
        }
    }

    /// Sends an event.
    async fn publish(&mut self, due: &DueEvent) {
        let now = self.begin();
        let attempt = due.attempt.clone();
        let attempt = attempt.unwrap_or_else(|| Attempt::new(now));
        // Recorded before it is sent, so that nothing is lost if this is cancelled.
        let recorder = &self.recorder;
        let record = |attempt: &Attempt| recorder.schedule().attempting(due, attempt.clone());
        let written = series::write(&self.requests, &self.identity, due, attempt, record).await;
        if written.is_err() && !self.leads() {
            return;
        }
        let outcome = self.outcome(due, written);
        let mut schedule = self.recorder.schedule();
        schedule.conclude(due, &outcome, Instant::now());
    }

    /// Something is sent now. Returns the time of day, and never the same twice: an event tells by it
    /// whose it is.
    fn begin(&mut self) -> Timestamp {
        self.pacing.sent(Instant::now());
        // As exact as it is written.
        let now = (self.wall_clock)().as_microsecond();
        let last = self.last_time.as_microsecond();
        let next = Timestamp::from_microsecond(now.max(last.saturating_add(1)));
        self.last_time = next.unwrap_or(self.last_time);
        self.last_time
    }

    fn outcome(&mut self, due: &DueEvent, written: Result<Written, RequestFailure>) -> Outcome {
        let reason = due.message.reason;
        let failed = match written {
            Ok(Written::Exists(age)) => {
                self.pacing.answered();
                return Outcome::Exists(age);
            }
            Ok(Written::Sent) => {
                self.pacing.answered();
                self.metrics.published(reason);
                return Outcome::Sent;
            }
            Err(failed) => failed,
        };
        let is_known = due.was_rejected && failed.kind == FailureKind::Rejected;
        if let Some(trouble) = Trouble::of(failed.kind).filter(|_| !is_known) {
            self.log_failure(trouble, &failed);
        }
        if !failed.concerns_all() {
            self.pacing.answered();
        }
        let now = Instant::now();
        match failed.kind {
            FailureKind::Away => Outcome::Unanswered {
                until: self.pacing.pause(failed.retry_after, now),
            },
            FailureKind::Failed => Outcome::Failed,
            FailureKind::Busy => Outcome::Busy {
                until: self.pacing.pause(failed.retry_after, now),
            },
            FailureKind::NamespaceGone => Outcome::NamespaceGone,
            FailureKind::Forbidden => Outcome::Forbidden,
            FailureKind::Refused => Outcome::Refused,
            FailureKind::Rejected => {
                self.metrics.suppressed(reason);
                Outcome::Rejected
            }
        }
    }

    fn log_failure(&mut self, trouble: Trouble, failed: &RequestFailure) {
        let now = Instant::now();
        self.troubles.log_failure(trouble, &failed.failure, now);
    }
}

#[cfg(test)]
mod tests;
