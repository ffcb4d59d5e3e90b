//! Runs the queue: looks at what is due, lists before deletes, and writes what is ready.
//!
//! Everything here that is not a request is done in slices, so that no poll takes long (L23).

mod fences;
mod looks;
mod writes;

use std::sync::{Arc, Mutex};

use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, sleep_until},
};

use super::{
    context::Context,
    controller::{Controller, Written},
    events::EventRecorder,
    fence::{FenceList, Fences, References},
    lease::Leadership,
    lock::lock,
    metrics::ReconcileResult,
    ordered_watch,
    planted::{PlantedFault, planted},
    queue::{FailureKind, WriteFailure},
    requests::{ApiClient, RequestError},
    work_item::WorkItem,
};

/// How many items are looked at, or enqueued, before other tasks have their turn.
const SLICE: usize = 100;

/// Runs the queue.
pub(super) struct Dispatcher {
    context: Context,
    controller: Arc<Controller>,
    recorder: EventRecorder,
    api: ApiClient,
    workers: usize,
    fences: Arc<Mutex<Fences>>,
    running: JoinSet<Done>,
    /// How many of the running tasks are writes.
    writes: usize,
    leadership: ordered_watch::Receiver<Leadership>,
    /// Whether this replica leads, as it was noticed last.
    leads: bool,
    /// How far all items have been enqueued, if they are being.
    sweep: Option<Sweep>,
}

/// All items are enqueued, in slices.
#[derive(Debug)]
struct Sweep {
    last: Option<Arc<WorkItem>>,
}

/// A task that has ended.
enum Done {
    Write {
        item: Arc<WorkItem>,
        started: Instant,
        /// None if it has panicked.
        written: Option<Result<Written, WriteFailure>>,
    },
    Fence {
        list: FenceList,
        references: Result<References, RequestError>,
    },
}

impl Dispatcher {
    pub(super) fn new(
        context: Context,
        controller: Controller,
        recorder: EventRecorder,
        api: ApiClient,
        workers: usize,
        fences: Arc<Mutex<Fences>>,
    ) -> Self {
        let leadership = context.leadership();
        Self {
            context,
            controller: Arc::new(controller),
            recorder,
            api,
            workers,
            fences,
            running: JoinSet::new(),
            writes: 0,
            leadership,
            leads: false,
            sweep: None,
        }
    }

    /// Runs until `stop` resolves. Then it writes what is ready, until nothing is or until the deadline
    /// that `stop` has given.
    pub(super) async fn run(mut self, stop: impl Future<Output = Instant>) {
        let mut stop = std::pin::pin!(stop);
        let mut deadline = None;
        tokio::select! {
            biased;
            given = &mut stop => deadline = Some(given),
            () = self.context.progress.knows_dataplanes() => {}
        }
        loop {
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline || self.is_drained(now)) {
                return;
            }
            self.follow_leadership();
            let busy = self.sweep_on(now) | self.look_at_due(now);
            let next = self.start_fences(now).min_some(self.start_writes(now));
            if busy {
                while let Some(Ok(done)) = self.running.try_join_next() {
                    self.finish(done);
                }
                yield_now().await;
                continue;
            }
            let next = next.min_some(self.context.queue().due()).min_some(deadline);
            let leadership_ends = self.leadership.borrow().deadline().filter(|_| self.leads);
            let next = next.min_some(leadership_ends);
            let context = self.context.clone();
            tokio::select! {
                biased;
                Some(done) = self.running.join_next(), if !self.running.is_empty() => {
                    if let Ok(done) = done {
                        self.finish(done);
                    }
                }
                changed = self.leadership.changed() => if changed.is_err() { return },
                () = context.enqueued() => {}
                given = &mut stop, if deadline.is_none() => deadline = Some(given),
                () = sleep_until_some(next) => {}
            }
        }
    }

    /// All items are looked at when this replica begins to lead, and when another rule is in force.
    fn follow_leadership(&mut self) {
        // It may have led no more for a moment, in which another did.
        let is_news = self.leadership.has_changed();
        let leads = self.leadership.borrow_and_update().holds()
            || self.leads && planted(PlantedFault::WritesWithoutLeading);
        if leads == self.leads && !(leads && is_news) {
            return;
        }
        self.leads = leads;
        lock(&self.fences).clear();
        if leads {
            self.sweep = Some(Sweep { last: None });
            self.recorder.term_began();
        } else {
            self.recorder.term_ended();
        }
    }

    /// Enqueues the next slice of all items. Returns whether there was one.
    fn sweep_on(&mut self, now: Instant) -> bool {
        if self.context.take_review() {
            self.sweep = Some(Sweep { last: None });
        }
        let Some(sweep) = &mut self.sweep else {
            return false;
        };
        let mut queue = self.context.queue();
        sweep.last = queue.enqueue_after(sweep.last.as_ref(), SLICE, now);
        if sweep.last.is_none() {
            self.sweep = None;
        }
        true
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Write {
                item,
                started,
                written,
            } => {
                self.writes = self.writes.saturating_sub(1);
                self.finish_write(&item, started, written);
            }
            Done::Fence { list, references } => self.finish_fence(list, references),
        }
    }

    /// A panic is the failure of this item alone (L23).
    fn panicked(&self, item: &Arc<WorkItem>) {
        let sentence = format!("the reconciliation of {item} has panicked");
        self.context.journal.warn("panic", &sentence);
        self.context.metrics.looked(ReconcileResult::Panicked);
        let failure = WriteFailure {
            kind: FailureKind::Panicked,
            sentence,
            retry_after: None,
            rejected: None,
        };
        self.context.queue().failed(item, failure, Instant::now());
    }

    /// Whether nothing is left to write.
    fn is_drained(&self, now: Instant) -> bool {
        let queue = self.context.queue();
        self.running.is_empty()
            && (!self.leads || queue.depth() == 0 && queue.due().is_none_or(|due| due > now))
    }
}

/// The earlier of two moments that may be missing.
trait MinSome {
    fn min_some(self, other: Self) -> Self;
}

impl MinSome for Option<Instant> {
    fn min_some(self, other: Self) -> Self {
        match (self, other) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        }
    }
}

async fn sleep_until_some(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
