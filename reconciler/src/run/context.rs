//! What watches and workers share.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use kuma_workload_rulebook::roster::Key;
use tokio::{sync::watch, time::Instant};

use super::{
    index::Index, lease::Leadership, lock::lock, metrics::Metrics, queue::Queue,
    readiness::Readiness, work_item::WorkItem,
};

/// The same warning is logged at most once in this time.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// What watches and workers share. Clones share it too.
#[derive(Debug, Clone)]
pub(super) struct Context {
    index: Arc<Mutex<Index>>,
    pub(super) queue: Queue<WorkItem>,
    pub(super) readiness: Readiness,
    pub(super) metrics: Arc<Metrics>,
    leadership: watch::Receiver<Leadership>,
    /// When each warning was logged last.
    warnings: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Context {
    pub(super) fn new(
        index: Arc<Mutex<Index>>,
        queue: Queue<WorkItem>,
        metrics: Arc<Metrics>,
        leadership: watch::Receiver<Leadership>,
    ) -> Self {
        Self {
            index,
            queue,
            readiness: Readiness::default(),
            metrics,
            leadership,
            warnings: Arc::default(),
        }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }

    /// Enqueues changed items, if this replica is active. When it becomes active, all items are
    /// enqueued.
    pub(super) fn enqueue(&self, items: Vec<WorkItem>) {
        if self.is_active() {
            for item in items {
                self.queue.enqueue(item);
            }
        }
    }

    /// Enqueues all items. Whether a control plane manages Workloads is found out before the first of
    /// them is reconciled (L17).
    pub(super) fn enqueue_all(&self) {
        let mut index = self.index();
        let items = index.items();
        let evidence = items.iter().find_map(|item| match item {
            WorkItem::Workload(key) => index.detect_control_plane(key).then_some(key),
            WorkItem::Namespace(_) => None,
        });
        drop(index);
        if let Some(key) = evidence {
            log_control_plane(key);
        }
        self.enqueue(items);
    }

    pub(super) fn leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// Whether this replica leads.
    pub(super) fn leads(&self) -> bool {
        self.leadership.borrow().holds()
    }

    /// Until when this replica may write. None if it does not lead, or if a watch has not listed its
    /// objects yet.
    pub(super) fn write_deadline(&self) -> Option<Instant> {
        let leadership = *self.leadership.borrow();
        leadership.deadline().filter(|_| self.is_active())
    }

    /// Whether this replica leads, and every watch has listed its objects.
    fn is_active(&self) -> bool {
        self.leads() && self.readiness.is_ready()
    }

    /// Logs a warning, unless the same one was logged a short time ago.
    pub(super) fn warn(&self, sentence: &str) {
        let now = Instant::now();
        let mut warnings = lock(&self.warnings);
        warnings.retain(|_, last| now - *last < WARNING_INTERVAL);
        if !warnings.contains_key(sentence) {
            warnings.insert(sentence.to_owned(), now);
            tracing::warn!("{sentence}");
        }
    }
}

/// Logs that this Workload is the evidence of a control plane that manages Workloads.
pub(super) fn log_control_plane(
    Key {
        namespace,
        workload,
    }: &Key,
) {
    tracing::info!(
        "Workload {namespace}/{workload} is managed by a control plane and a Dataplane refers to it: from now on Workloads are left to the control plane (mode auto)"
    );
}
