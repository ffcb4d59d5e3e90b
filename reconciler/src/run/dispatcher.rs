//! Runs the queue: looks at what is due, lists before deletes, and writes what is ready.
//!
//! Everything here that is not a request is done in slices, so that no poll takes long (L23).

use std::{
    collections::BTreeSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::FutureExt;
use tokio::{
    sync::watch,
    task::{JoinSet, yield_now},
    time::{Instant, sleep_until},
};

use super::{
    context::Context,
    controller::{Controller, Look, Written},
    events::EventRecorder,
    fence::{FenceList, FenceOutcome, Fences, References, list_references},
    lease::Leadership,
    lock::lock,
    metrics::ReconcileResult,
    queue::{FailureKind, Next, WriteFailure},
    requests::{ApiClient, RequestError},
    work_item::WorkItem,
};
use crate::kinds::RecordKind;

/// How many items are looked at, or enqueued, before other tasks have their turn.
const SLICE: usize = 100;

/// How soon a delete is looked at again that waits until every kind has been listed anew.
const RELISTING: Duration = Duration::from_secs(5);

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
    leadership: watch::Receiver<Leadership>,
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
            () = self.context.progress.ready() => {}
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
        let leads = self.leadership.borrow_and_update().holds();
        if leads == self.leads {
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

    /// Looks at the next items that are due. Returns whether there may be more.
    fn look_at_due(&mut self, now: Instant) -> bool {
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
        let held = self.context.queue().held(item, &want.change, now);
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
            if !lock(&self.fences).ask(key, now) {
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

    /// Starts the lists that are due before deletes. Returns when the next one is.
    fn start_fences(&mut self, now: Instant) -> Option<Instant> {
        if !self.leads {
            return None;
        }
        loop {
            let next = lock(&self.fences).next(now);
            let list = match next {
                Ok(list) => list,
                Err(next) => return next,
            };
            let (api, context) = (self.api.clone(), self.context.clone());
            let poll = self.context.metrics.polls().of("lists before deletes");
            self.running.spawn(poll.measure(async move {
                let references = list_references(&api, &context, &list.namespace).await;
                Done::Fence { list, references }
            }));
        }
    }

    /// Starts the writes that may be started. Returns when the next one may.
    fn start_writes(&mut self, now: Instant) -> Option<Instant> {
        while self.writes < self.workers {
            let deadline = self.context.write_deadline()?;
            let next = self.context.queue().next_write(now);
            let item = match next {
                Ok(item) => item,
                Err(next) => return next,
            };
            self.writes += 1;
            self.start_write(item, deadline);
        }
        None
    }

    fn start_write(&mut self, item: Arc<WorkItem>, deadline: Instant) {
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
                        && fences.has_passed(key, Instant::now());
                    if may {
                        fences.deleting(key);
                    }
                    may
                };
                controller.write(key, deadline, may_delete).await
            };
            let written = AssertUnwindSafe(write).catch_unwind().await.ok();
            Done::Write {
                item,
                started,
                written,
            }
        }));
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

    fn finish_write(
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

    fn finish_fence(&self, list: FenceList, references: Result<References, RequestError>) {
        const WHAT: &str = "list dataplanes.kuma.io";
        let now = Instant::now();
        let metrics = &self.context.metrics;
        match references {
            Ok(references) => {
                let outcome = lock(&self.fences).listed(list, &references, now);
                metrics.fenced(true);
                self.follow_fence(outcome, now);
            }
            Err(error) => {
                metrics.fenced(false);
                let failure = error.failure(WHAT).to_string();
                let sentence = format!(
                    "{failure}; no Workload is deleted in namespace {} before that succeeds",
                    list.namespace
                );
                self.context
                    .journal
                    .warn(&format!("fence {}", error.trouble(WHAT)), &sentence);
                let retry_after = error.retry_after();
                lock(&self.fences).failed(list, failure, retry_after, now);
            }
        }
    }

    fn follow_fence(&self, outcome: FenceOutcome, now: Instant) {
        let FenceOutcome {
            passed,
            referenced,
            missed,
        } = outcome;
        let mut behind = BTreeSet::new();
        for key in missed {
            if !self.context.index().is_referred_to(&key) {
                behind.insert(key.namespace);
            }
        }
        for key in referenced {
            let is_referred_to = self.context.index().is_referred_to(&key);
            let item = Arc::new(WorkItem::Workload(key.clone()));
            let mut queue = self.context.queue();
            if is_referred_to {
                queue.enqueue((*item).clone(), now);
                continue;
            }
            behind.insert(key.namespace.clone());
            let failure = WriteFailure {
                kind: FailureKind::Fence,
                sentence: format!(
                    "Workload {}/{} is not deleted: a Dataplane refers to it, or may, that the watch has not shown",
                    key.namespace, key.workload
                ),
                retry_after: None,
                rejected: None,
            };
            queue.failed(&item, failure, now);
        }
        for namespace in behind {
            self.context
                .progress
                .relist(RecordKind::Dataplane, &namespace);
        }
        for key in passed {
            self.context.queue().enqueue(WorkItem::Workload(key), now);
        }
    }

    /// Whether nothing is left to write.
    fn is_drained(&self, now: Instant) -> bool {
        let queue = self.context.queue();
        self.running.is_empty()
            && (!self.leads || queue.depth() == 0 && queue.due().is_none_or(|due| due > now))
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
