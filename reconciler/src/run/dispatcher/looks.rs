//! Looks at the items that are due.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Dispatcher, SLICE};
use crate::run::{
    controller::Look,
    lock::lock,
    metrics::ReconcileResult,
    planted::{PlantedFault, planted},
    queue::{FailureKind, Next, WriteFailure},
    work_item::WorkItem,
};

/// How soon a delete is looked at again that waits until every kind has been listed anew.
const RELISTING: Duration = Duration::from_secs(5);

impl Dispatcher {
    /// Looks at the next items that are due. Returns whether there may be more.
    pub(super) fn look_at_due(&mut self, now: Instant) -> bool {
        for _ in 0..SLICE {
            let due = self.context.queue().next_due(now);
            let Some(item) = due else {
                return false;
            };
            self.look(&item, now);
        }
        true
    }

    fn look(&mut self, item: &Arc<WorkItem>, now: Instant) {
        let look = std::panic::catch_unwind(AssertUnwindSafe(|| {
            self.controller.look(item, self.leads, now)
        }));
        match look {
            Ok(look) => {
                let next = self.next(item, &look, now);
                let next = next.map(|next| next.within(look.again));
                if let Some(result) = look.result.filter(|_| look.want.is_none() && self.leads) {
                    self.context.metrics.looked(result);
                }
                let mut queue = self.context.queue();
                match next {
                    Ok(next) => queue.settle(item, look.state, next, now),
                    Err(failure) => {
                        queue.settle(item, look.state, Next::Rest, now);
                        queue.failed(item, failure, now);
                    }
                }
            }
            Err(_) => self.panicked(item),
        }
    }

    /// What follows from a look.
    ///
    /// # Errors
    /// When it is known without asking that the write would fail.
    fn next(&self, item: &WorkItem, look: &Look, now: Instant) -> Result<Next, WriteFailure> {
        let rest = match look.is_known {
            true => Next::Rest,
            false => Next::Forget,
        };
        let Some(want) = look.want.as_ref().filter(|_| self.leads) else {
            if let WorkItem::Workload(key) = item {
                lock(&self.fences).withdraw(key);
            }
            return Ok(rest);
        };
        let queue = self.context.queue();
        let held = queue.held(item, want.kind, &want.change, now);
        drop(queue);
        if let Some(until) = held.max(want.not_before) {
            if held.is_none() {
                self.context.metrics.looked(ReconcileResult::Throttled);
            }
            return Ok(Next::Wait(until));
        }
        let WorkItem::Workload(key) = item else {
            return Ok(rest);
        };
        if want.is_delete {
            if !self.context.progress.allows_deletes() {
                return Ok(Next::Wait(now + RELISTING));
            }
            if !lock(&self.fences).ask(key, now) && !planted(PlantedFault::NoFence) {
                return Ok(Next::Fence);
            }
        }
        if want.has_no_namespace && self.context.queue().hold(item).is_none() {
            // It is tried once in a while all the same: the watch of namespaces may be behind.
            return Err(WriteFailure {
                kind: FailureKind::NoNamespace,
                sentence: format!("the namespace {} is being deleted", key.namespace),
                retry_after: None,
                rejected: None,
            });
        }
        Ok(Next::Write(want.kind))
    }
}
