//! Starts the writes that are ready, and takes their results.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use tokio::time::Instant;

use super::{Dispatcher, Done};
use crate::run::{
    controller::Written,
    lock::lock,
    metrics::ReconcileResult,
    planted::{PlantedFault, planted},
    queue::{FailureKind, WriteFailure},
    work_item::WorkItem,
};

impl Dispatcher {
    /// Starts the writes that may be started. Returns when the next one may.
    pub(super) fn start_writes(&mut self, now: Instant) -> Option<Instant> {
        while self.writes < self.workers {
            self.context.write_deadline()?;
            let next = self.context.queue().next_write(now);
            let item = match next {
                Ok(item) => item,
                Err(next) => return next,
            };
            self.writes += 1;
            self.start_write(item);
        }
        None
    }

    fn start_write(&mut self, item: Arc<WorkItem>) {
        let (controller, context) = (self.controller.clone(), self.context.clone());
        let fences = self.fences.clone();
        let poll = self.context.metrics.polls().of("writes");
        self.running.spawn(poll.measure(async move {
            let started = Instant::now();
            let write = async {
                let WorkItem::Workload(key) = &*item else {
                    return Ok(Written::Nothing);
                };
                let may_delete = || {
                    let mut fences = lock(&fences);
                    let may = context.write_deadline().is_some()
                        && context.progress.allows_deletes()
                        && (fences.has_passed(key, Instant::now())
                            || planted(PlantedFault::NoFence));
                    if may {
                        fences.deleting(key);
                    }
                    may
                };
                controller.write(key, may_delete).await
            };
            let written = AssertUnwindSafe(write).catch_unwind().await.ok();
            Done::Write {
                item,
                started,
                written,
            }
        }));
    }

    pub(super) fn finish_write(
        &self,
        item: &Arc<WorkItem>,
        started: Instant,
        written: Option<Result<Written, WriteFailure>>,
    ) {
        let now = Instant::now();
        let metrics = &self.context.metrics;
        match written {
            None => self.panicked(item),
            Some(Ok(Written::Nothing)) => self.context.queue().written(item, false, now),
            Some(Ok(Written::Done(result))) => {
                metrics.reconciled(result, started.elapsed());
                self.context.queue().written(item, true, now);
            }
            Some(Err(failure)) => {
                metrics.reconciled(result_of(failure.kind), started.elapsed());
                self.context.queue().failed(item, failure, now);
            }
        }
    }
}

fn result_of(kind: FailureKind) -> ReconcileResult {
    match kind {
        FailureKind::Stale => ReconcileResult::Stale,
        FailureKind::NoNamespace => ReconcileResult::NoNamespace,
        FailureKind::Refused | FailureKind::Rejected => ReconcileResult::Refused,
        FailureKind::Panicked => ReconcileResult::Panicked,
        FailureKind::Unreachable | FailureKind::Busy | FailureKind::Fence => {
            ReconcileResult::Failed
        }
    }
}
