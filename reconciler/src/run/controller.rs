//! What is to be done about an item, and doing it.
//!
//! A look is pure and costs no request. A write makes one change at most; its answer goes into the
//! index, and the next look finds what is left to write.

mod change;
mod look;
mod look_at;
mod status_subresource;

use std::{sync::Mutex, time::Duration};

use kuma_workload_rulebook::{
    counts::Counts,
    roster::{Key, Write},
};
use tokio::time::Instant;

use self::{change::Change, status_subresource::StatusSubresource};
pub(super) use self::{change::RejectedChange, look::Look};
use super::{
    context::Context,
    events::EventRecorder,
    index::{AnswerOutcome, CachedWorkload, WorkloadView},
    lock::lock,
    metrics::ReconcileResult,
    queue::{FailureKind, WriteFailure},
    requests::RequestError,
    throttle::Throttle,
    writer::Writer,
};
use crate::kinds::WorkloadRecord;

/// Looks at items, and writes Workloads.
pub(super) struct Controller {
    context: Context,
    writer: Writer,
    recorder: EventRecorder,
    /// Limits how often the numbers of a Workload are written ...
    counts: Mutex<Throttle<Key>>,
    /// ... and its labels, in case that somebody else keeps changing them back.
    relabels: Mutex<Throttle<Key>>,
    subresource: Mutex<StatusSubresource>,
}

/// What a write has come to, if nothing went wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// There was nothing to write any more, or something else first.
    Nothing,
    /// It was written.
    Done(ReconcileResult),
}

impl Controller {
    pub(super) fn new(
        context: Context,
        writer: Writer,
        recorder: EventRecorder,
        status_interval: Duration,
    ) -> Self {
        Self {
            context,
            writer,
            recorder,
            counts: Mutex::new(Throttle::new(status_interval)),
            relabels: Mutex::new(Throttle::new(status_interval)),
            subresource: Mutex::default(),
        }
    }

    /// Writes what is due for a Workload. `may_delete` says whether a list has shown that it may be deleted
    /// (L19); it is asked right before the delete is sent.
    ///
    /// # Errors
    /// Why nothing was written, or why it is not known whether it was.
    pub(super) async fn write(
        &self,
        key: &Key,
        may_delete: impl FnOnce() -> bool,
    ) -> Result<Written, WriteFailure> {
        let view = self.context.index().view(key);
        let Some(change) = Change::due(&view) else {
            return Ok(Written::Nothing);
        };
        if let Change::Object(Write::Delete) = change
            && !may_delete()
        {
            return Ok(Written::Nothing);
        }
        let written = self.apply(key, &view, &change).await;
        self.context.index().end_request(key);
        written.map_err(|failure| WriteFailure {
            rejected: (failure.kind == FailureKind::Rejected)
                .then(|| RejectedChange::of(change, &view)),
            ..failure
        })
    }

    async fn apply(
        &self,
        key: &Key,
        view: &WorkloadView,
        change: &Change,
    ) -> Result<Written, WriteFailure> {
        let answer = match (change, &view.existing) {
            (Change::Object(Write::Create { mesh }), _) => {
                let counts = view.decision.status.map(|status| status.counts);
                self.begin(key);
                let created = self.writer.create(key, mesh, counts).await;
                created.map(|created| (Some(created), ReconcileResult::Created))
            }
            (
                Change::Object(Write::Relabel {
                    mesh,
                    drop_mesh_owners,
                }),
                Some(existing),
            ) => {
                let owners = (!drop_mesh_owners.is_empty())
                    .then(|| change::owners(existing, drop_mesh_owners, view.mesh_owner.as_ref()));
                let _ = lock(&self.relabels).take(key.clone(), Instant::now());
                self.begin(key);
                let writer = &self.writer;
                let relabelled = writer.relabel(key, existing, mesh, owners).await;
                relabelled.map(|relabelled| (Some(relabelled), ReconcileResult::Relabelled))
            }
            (Change::Object(Write::Delete), Some(existing)) => {
                self.begin(key);
                let deleted = self.writer.delete(key, existing).await;
                // With finalizers, the Workload is still there.
                deleted.map(|left| (left, ReconcileResult::Deleted))
            }
            (Change::Status(counts), Some(existing)) => {
                return self.write_status(key, existing, *counts).await;
            }
            // The rules decide on these only for a Workload that exists.
            (Change::Object(Write::Relabel { .. } | Write::Delete) | Change::Status(_), None) => {
                return Ok(Written::Nothing);
            }
        };
        let (answer, result) = match answer {
            Ok(answer) => answer,
            Err(RequestError::NotLeading) => return Ok(Written::Nothing),
            Err(error) => return Err(self.failed(key, change, &error).await),
        };
        self.say(key, result, change);
        self.take(key, answer.as_ref()).await?;
        Ok(Written::Done(result))
    }

    async fn write_status(
        &self,
        key: &Key,
        existing: &CachedWorkload,
        counts: Counts,
    ) -> Result<Written, WriteFailure> {
        let change = Change::Status(counts);
        let known = lock(&self.subresource).known();
        let has_subresource = match known {
            Some(known) => known,
            None => {
                let asked = self.writer.has_status_subresource().await;
                let asked = asked
                    .map_err(|error| self.say_failure(&error, StatusSubresource::WHAT, key))?;
                lock(&self.subresource).set(asked, Instant::now());
                asked
            }
        };
        let _ = lock(&self.counts).take(key.clone(), Instant::now());
        self.begin(key);
        let writer = &self.writer;
        let written = writer.status(key, existing, counts, has_subresource).await;
        let is_stored = |workload: &WorkloadRecord| workload.reported == Some(counts.into());
        if !written.as_ref().is_ok_and(is_stored) {
            // The CustomResourceDefinition may have been replaced.
            lock(&self.subresource).doubt(Instant::now());
        }
        let workload = match written {
            Ok(workload) => workload,
            Err(RequestError::NotLeading) => return Ok(Written::Nothing),
            Err(error) => return Err(self.failed(key, &change, &error).await),
        };
        let kept = is_stored(&workload);
        self.take(key, Some(&workload)).await?;
        if !kept {
            let Key {
                namespace,
                workload,
            } = key;
            let sentence = format!(
                "Workload {namespace}/{workload}: the API server has not kept the numbers that were written"
            );
            self.context.journal.warn("numbers are not kept", &sentence);
            return Err(WriteFailure {
                kind: FailureKind::Refused,
                sentence,
                retry_after: None,
                rejected: None,
            });
        }
        self.context.metrics.status_written();
        Ok(Written::Done(ReconcileResult::Counted))
    }

    fn begin(&self, key: &Key) {
        self.context.index().begin_request(key);
    }

    /// Takes an answer. If it is not clear whether it is the newest that is known, the Workload is read
    /// once more (L21).
    async fn take(&self, key: &Key, answer: Option<&WorkloadRecord>) -> Result<(), WriteFailure> {
        let (outcome, items) = self.context.index().apply_answer(key, answer);
        self.context.enqueue(items.into());
        match outcome {
            AnswerOutcome::Taken => Ok(()),
            AnswerOutcome::Unclear => self.read(key).await,
        }
    }

    async fn read(&self, key: &Key) -> Result<(), WriteFailure> {
        self.begin(key);
        let read = self.writer.read(key).await;
        let read = read.map_err(|error| self.say_failure(&error, "get workloads.kuma.io", key))?;
        let (outcome, items) = self.context.index().apply_answer(key, read.as_ref());
        self.context.enqueue(items.into());
        match outcome {
            AnswerOutcome::Taken => Ok(()),
            AnswerOutcome::Unclear => Err(stale(key)),
        }
    }

    /// What a failed request means. A Workload that has changed meanwhile is read, so that the next
    /// decision knows it even if no watch has shown it.
    async fn failed(&self, key: &Key, change: &Change, error: &RequestError) -> WriteFailure {
        let what = change.verb();
        let mut failure = failure(error, what, key);
        let is_create = matches!(change, Change::Object(Write::Create { .. }));
        if is_create && error.code() == Some(404) && !error.is_unserved() {
            // The namespace in the path does not exist.
            failure.kind = FailureKind::NoNamespace;
        }
        if failure.kind == FailureKind::Stale
            && let Err(of_read) = self.read(key).await
        {
            return of_read;
        }
        self.context.journal_failure(error, what, &failure);
        failure
    }

    fn say_failure(&self, error: &RequestError, what: &str, key: &Key) -> WriteFailure {
        let failure = failure(error, what, key);
        self.context.journal_failure(error, what, &failure);
        failure
    }

    fn say(&self, key: &Key, result: ReconcileResult, change: &Change) {
        let Key {
            namespace,
            workload,
        } = key;
        let sentence = match change {
            Change::Object(Write::Create { mesh }) => {
                format!("created Workload {namespace}/{workload} in mesh {mesh}")
            }
            Change::Object(Write::Relabel { mesh, .. }) => {
                format!("labelled Workload {namespace}/{workload} for mesh {mesh}")
            }
            Change::Object(Write::Delete) => {
                format!("deleted Workload {namespace}/{workload}, which nothing refers to")
            }
            Change::Status(_) => return,
        };
        self.context.journal.info(result.text(), &sentence);
    }
}

fn failure(error: &RequestError, what: &str, key: &Key) -> WriteFailure {
    let Key {
        namespace,
        workload,
    } = key;
    let why = error.failure(what);
    WriteFailure {
        kind: error.kind(),
        sentence: format!("Workload {namespace}/{workload}: {why}"),
        retry_after: error.retry_after(),
        rejected: None,
    }
}

fn stale(key: &Key) -> WriteFailure {
    let Key {
        namespace,
        workload,
    } = key;
    WriteFailure {
        kind: FailureKind::Stale,
        sentence: format!("Workload {namespace}/{workload} keeps changing"),
        retry_after: None,
        rejected: None,
    }
}
