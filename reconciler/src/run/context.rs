//! What watches, dispatcher and pages share.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{sync::Notify, time::Instant};

use super::{
    health::Health,
    index::Index,
    journal::Journal,
    lease::Leadership,
    lock::lock,
    metrics::Metrics,
    ordered_watch,
    planted::{PlantedFault, planted},
    progress::Progress,
    queue::{FailureKind, Queue, WriteFailure},
    requests::RequestError,
    work_item::Changed,
};

/// What watches, dispatcher and pages share. Clones share it too.
#[derive(Debug, Clone)]
pub(super) struct Context {
    index: Arc<Mutex<Index>>,
    queue: Arc<Mutex<Queue>>,
    enqueued: Arc<Notify>,
    pub(super) progress: Progress,
    pub(super) health: Health,
    pub(super) journal: Journal,
    pub(super) metrics: Arc<Metrics>,
    leadership: ordered_watch::Receiver<Leadership>,
    /// All items are to be looked at, since another rule is in force.
    review: Arc<AtomicBool>,
    /// What was said once.
    told: Arc<Mutex<BTreeSet<(&'static str, String)>>>,
}

impl Context {
    pub(super) fn new(
        index: Arc<Mutex<Index>>,
        queue: Queue,
        metrics: Arc<Metrics>,
        leadership: ordered_watch::Receiver<Leadership>,
    ) -> Self {
        Self {
            index,
            queue: Arc::new(Mutex::new(queue)),
            enqueued: Arc::default(),
            progress: Progress::default(),
            health: Health::default(),
            journal: Journal::default(),
            metrics,
            leadership,
            review: Arc::default(),
            told: Arc::default(),
        }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    /// Enqueues what has changed.
    pub(super) fn enqueue(&self, changed: Changed) {
        if changed == Changed::default() {
            return;
        }
        let now = Instant::now();
        let mut queue = self.queue();
        for item in changed.items {
            queue.enqueue(item, now);
        }
        for namespace in changed.namespaces {
            queue.enqueue_namespace(&namespace, now);
        }
        self.enqueued.notify_one();
    }

    /// Resolves when something was enqueued.
    pub(super) async fn enqueued(&self) {
        self.enqueued.notified().await;
    }

    /// All items are to be looked at.
    pub(super) fn review_all(&self) {
        self.review.store(true, Ordering::Relaxed);
        self.enqueued.notify_one();
    }

    /// Whether all items are to be looked at. The caller does it.
    pub(super) fn take_review(&self) -> bool {
        self.review.swap(false, Ordering::Relaxed)
    }

    pub(super) fn leadership(&self) -> ordered_watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// Whether this replica leads.
    pub(super) fn leads(&self) -> bool {
        self.leadership.borrow().holds()
    }

    /// Says something about a subject, the first time that it happens.
    pub(super) fn tell_once(&self, kind: &'static str, subject: &str, sentence: &str) {
        let is_news = lock(&self.told).insert((kind, subject.to_owned()));
        if is_news {
            self.journal.warn(kind, sentence);
        }
    }

    /// Counts and says that the API server was restored from a backup, as this clause shows.
    pub(super) fn say_restored(&self, shown_by: &str) {
        self.metrics.restored();
        let sentence = format!(
            "{shown_by}: the API server was restored from a backup, and every kind is listed anew"
        );
        self.journal.warn("restore", &sentence);
    }

    /// Says that a request for a write has failed.
    pub(super) fn journal_failure(&self, error: &RequestError, what: &str, failure: &WriteFailure) {
        // What has changed meanwhile is in order, and so is a namespace that goes.
        if !matches!(failure.kind, FailureKind::Stale | FailureKind::NoNamespace) {
            let sentence = format!("{}; it is tried again", failure.sentence);
            self.journal.warn(&error.trouble(what), &sentence);
        }
    }

    /// Until when this replica may write. None if it does not lead, or if a watch has not listed its
    /// objects yet.
    pub(super) fn write_deadline(&self) -> Option<Instant> {
        if planted(PlantedFault::WritesWithoutLeading) {
            return Some(Instant::now() + crate::client::REQUEST_TIMEOUT);
        }
        let leadership = *self.leadership.borrow();
        let may_write = leadership.holds() && self.progress.is_ready();
        leadership.deadline().filter(|_| may_write)
    }
}
