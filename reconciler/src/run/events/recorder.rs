//! Takes the conditions that the controller observes.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::{sync::Notify, time::Instant};

use super::{condition::Condition, schedule::Schedule};
use crate::run::{lock::lock, work_item::WorkItem};

/// Tells the publisher which conditions were observed. Clones share one schedule.
#[derive(Debug, Clone)]
pub(crate) struct EventRecorder {
    schedule: Arc<Mutex<Schedule>>,
    changed: Arc<Notify>,
}

impl EventRecorder {
    /// Records into this schedule.
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self {
            schedule: Arc::new(Mutex::new(schedule)),
            changed: Arc::default(),
        }
    }

    /// This replica begins to lead. What it observed before is forgotten, so this is to be called before
    /// all items are enqueued, and in each term.
    pub(crate) fn term_began(&self) {
        self.schedule().begin_term();
        self.changed.notify_one();
    }

    /// This replica no longer leads. What it observes from now on is not recorded.
    pub(crate) fn term_ended(&self) {
        self.schedule().end_term();
        self.changed.notify_one();
    }

    /// The condition of a workload or a namespace; none if all is well. To be called each time it is
    /// reconciled, whether it has changed or not.
    pub(crate) fn observe(&self, about: WorkItem, condition: Option<Condition>) {
        if self.schedule().observe(about, condition, Instant::now()) {
            self.changed.notify_one();
        }
    }

    /// This item is no longer reconciled. Its condition is not known, so nothing more is reported.
    pub(crate) fn forget(&self, about: &WorkItem) {
        self.schedule().forget(about);
    }

    /// Resolves when the schedule has changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        lock(&self.schedule)
    }
}
