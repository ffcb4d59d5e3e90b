//! Reconciles items: reports what the rules say, and carries it out.
//!
//! A reconciliation makes one write at most. Its answer goes into the index, which enqueues the item
//! again, and the next reconciliation writes what is left to write.

mod change;
mod failures;

use std::{sync::Mutex, time::Duration};

use kuma_workload_rulebook::{
    counts::Counts,
    roster::{Key, Write},
};
use tokio::time::Instant;

use self::{change::Change, failures::Failures};
use super::{
    context::{Context, log_control_plane},
    events::{Condition, EventRecorder},
    index::{CachedWorkload, WorkloadView},
    lock::lock,
    metrics::ReconcileResult,
    throttle::Throttle,
    work_item::WorkItem,
    writer::{WriteError, Writer},
};
use crate::{client::Failure, kinds::WorkloadRecord};

/// Reconciles items.
pub(super) struct Controller {
    context: Context,
    writer: Writer,
    recorder: EventRecorder,
    /// Limits how often the numbers of a Workload are written ...
    counts: Mutex<Throttle<Key>>,
    /// ... and its labels, in case that somebody else keeps changing them back.
    relabels: Mutex<Throttle<Key>>,
    failures: Failures,
    has_status_subresource: Mutex<Option<bool>>,
}

/// What a reconciliation did, if nothing went wrong.
#[derive(Debug)]
enum Applied {
    /// There was nothing to write.
    Nothing,
    /// A write.
    Written(ReconcileResult),
    /// Nothing yet: the write is permitted at this time.
    Throttled(Instant),
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
            failures: Failures::default(),
            has_status_subresource: Mutex::default(),
        }
    }

    /// Reconciles an item. Returns when it is due again, if it is.
    pub(super) async fn reconcile(&self, item: WorkItem) -> Option<Instant> {
        let deadline = self.context.write_deadline()?;
        match &item {
            WorkItem::Workload(key) => self.reconcile_workload(key, deadline).await,
            WorkItem::Namespace(name) => {
                self.reconcile_namespace(name);
                None
            }
        }
    }

    fn reconcile_namespace(&self, name: &str) {
        let index = self.context.index();
        let item = WorkItem::Namespace(name.to_owned());
        if !index.is_selected(name) {
            return self.recorder.forget(&item);
        }
        let condition = Condition::of_namespace(&index.meshes_of(name));
        self.recorder.observe(item, condition);
    }

    async fn reconcile_workload(&self, key: &Key, deadline: Instant) -> Option<Instant> {
        let started = Instant::now();
        let item = WorkItem::Workload(key.clone());
        let view = {
            let mut index = self.context.index();
            if !index.is_selected(&key.namespace) {
                self.recorder.forget(&item);
                return None;
            }
            if index.detect_control_plane(key) {
                log_control_plane(key);
                let items = index.items();
                items
                    .into_iter()
                    .for_each(|item| self.context.queue.enqueue(item));
            }
            index.begin_requests(key);
            index.view(key)
        };
        let condition = Condition::of(&view.decision.action);
        self.recorder.observe(item, condition);
        let mut applied = self.apply(key, &view, deadline).await;
        if matches!(applied, Err(WriteError::Stale))
            && let Err(error) = self.refresh(key, &view).await
        {
            applied = Err(error);
        }
        self.context.index().end_requests(key);
        let (result, again) = self.conclude(key, &view, applied);
        self.context.metrics.reconciled(result, started.elapsed());
        again
    }

    /// Reads a Workload that has changed although no watch has shown it yet.
    async fn refresh(&self, key: &Key, view: &WorkloadView) -> Result<(), WriteError> {
        let read = self.writer.read(key).await?;
        let mut index = self.context.index();
        match (read, &view.existing) {
            (Some(workload), _) => drop(index.apply_response(&workload)),
            (None, Some(existing)) => drop(index.delete_workload(key, Some(&existing.uid))),
            (None, None) => {}
        }
        Ok(())
    }

    async fn apply(
        &self,
        key: &Key,
        view: &WorkloadView,
        deadline: Instant,
    ) -> Result<Applied, WriteError> {
        let Some(change) = Change::due(view) else {
            self.failures.forget_rejected(key);
            return Ok(Applied::Nothing);
        };
        let existing = view.existing.as_ref();
        if existing.is_some_and(|existing| existing.is_terminating)
            || self.failures.is_rejected(key, &change, view)
        {
            return Ok(Applied::Nothing);
        }
        let applied = match &change {
            Change::Object(write) => self.write_object(key, view, write, deadline).await,
            Change::Status(counts) => self.write_status(key, existing, *counts, deadline).await,
        };
        match &applied {
            Err(WriteError::Rejected(_)) => self.failures.reject(key, change, view),
            _ => self.failures.forget_rejected(key),
        }
        applied
    }

    async fn write_object(
        &self,
        key: &Key,
        view: &WorkloadView,
        write: &Write,
        deadline: Instant,
    ) -> Result<Applied, WriteError> {
        let Key {
            namespace,
            workload: name,
        } = key;
        let (written, result) = match (write, &view.existing) {
            (Write::Create { mesh }, _) => {
                if self.context.index().is_terminating(namespace) {
                    return Err(WriteError::NamespaceTerminating);
                }
                let created = self.writer.create(key, mesh, deadline).await?;
                tracing::info!("created Workload {namespace}/{name} in mesh {mesh}");
                (created, ReconcileResult::Created)
            }
            (
                Write::Relabel {
                    mesh,
                    drop_mesh_owners,
                },
                Some(existing),
            ) => {
                if let Err(when) = permit(&self.relabels, key) {
                    return Ok(Applied::Throttled(when));
                }
                let owners = (!drop_mesh_owners.is_empty())
                    .then(|| change::owners(existing, drop_mesh_owners, view.mesh_owner.as_ref()));
                let relabelled = self
                    .writer
                    .relabel(key, existing, mesh, owners, deadline)
                    .await?;
                tracing::info!("labelled Workload {namespace}/{name} for mesh {mesh}");
                (relabelled, ReconcileResult::Relabelled)
            }
            (Write::Delete, Some(existing)) => {
                self.writer.delete(key, existing, deadline).await?;
                tracing::info!("deleted Workload {namespace}/{name}, which nothing refers to");
                let uid = Some(&*existing.uid);
                let items = self.context.index().delete_workload(key, uid);
                self.context.enqueue(items);
                return Ok(Applied::Written(ReconcileResult::Deleted));
            }
            // The rules decide on these only for a Workload that exists.
            (Write::Relabel { .. } | Write::Delete, None) => return Ok(Applied::Nothing),
        };
        self.take_response(&written);
        Ok(Applied::Written(result))
    }

    async fn write_status(
        &self,
        key: &Key,
        existing: Option<&CachedWorkload>,
        counts: Counts,
        deadline: Instant,
    ) -> Result<Applied, WriteError> {
        let Some(existing) = existing else {
            return Ok(Applied::Nothing);
        };
        let has_subresource = self.has_status_subresource().await?;
        if let Err(when) = permit(&self.counts, key) {
            return Ok(Applied::Throttled(when));
        }
        let written = self
            .writer
            .status(key, existing, counts, has_subresource, deadline)
            .await;
        let is_stored = |workload: &WorkloadRecord| workload.reported == Some(counts.into());
        if !written.as_ref().is_ok_and(is_stored) {
            // The CustomResourceDefinition may have been replaced. Ask again before the next write.
            *lock(&self.has_status_subresource) = None;
        }
        let workload = written?;
        if !is_stored(&workload) {
            return Err(WriteError::Retry {
                failure: Failure::new("the API server has not kept the numbers of a Workload"),
                after: None,
            });
        }
        self.context.metrics.status_written();
        self.take_response(&workload);
        Ok(Applied::Written(ReconcileResult::Counted))
    }

    fn take_response(&self, workload: &WorkloadRecord) {
        let items = self.context.index().apply_response(workload);
        self.context.enqueue(items);
    }

    async fn has_status_subresource(&self) -> Result<bool, WriteError> {
        let known = *lock(&self.has_status_subresource);
        if let Some(known) = known {
            return Ok(known);
        }
        let asked = self.writer.has_status_subresource().await?;
        *lock(&self.has_status_subresource) = Some(asked);
        Ok(asked)
    }

    /// The result for the metric, and when the Workload is due again.
    fn conclude(
        &self,
        key: &Key,
        view: &WorkloadView,
        applied: Result<Applied, WriteError>,
    ) -> (ReconcileResult, Option<Instant>) {
        if !matches!(applied, Err(WriteError::Stale | WriteError::Retry { .. })) {
            self.failures.reset(key);
        }
        let retry_at = |after| Some(Instant::now() + self.failures.back_off(key, after));
        match applied {
            Ok(Applied::Nothing) => (change::result_without_change(&view.decision.action), None),
            Ok(Applied::Throttled(when)) => (ReconcileResult::Throttled, Some(when)),
            Ok(Applied::Written(result)) => (result, None),
            Err(WriteError::NamespaceTerminating) => (ReconcileResult::NoNamespace, None),
            Err(WriteError::Rejected(failure)) => {
                let Key {
                    namespace,
                    workload,
                } = key;
                tracing::warn!(
                    "Workload {namespace}/{workload}: {failure}; it is not tried again until something changes"
                );
                (ReconcileResult::Refused, None)
            }
            Err(WriteError::Stale) => (ReconcileResult::Stale, retry_at(None)),
            Err(WriteError::Retry { failure, after }) => {
                let retry_at = retry_at(after);
                self.context.warn(&format!("{failure}; it is tried again"));
                (ReconcileResult::Failed, retry_at)
            }
        }
    }
}

/// Permits a write now. Otherwise the error is when the next one is permitted.
fn permit(throttle: &Mutex<Throttle<Key>>, key: &Key) -> Result<(), Instant> {
    lock(throttle).take(key.clone(), Instant::now())
}
