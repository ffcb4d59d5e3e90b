//! The work queue: it owns when each item is looked at again, and why not yet. It is synchronous and
//! does no I/O; the dispatcher runs it.
//!
//! ```text
//! change, resync ─▶ due ─▶ look ─┬─▶ nothing to write ─▶ due again at its resync
//!                                ├─▶ must wait ────────▶ due again then
//!                                └─▶ ready to write ───▶ a token ─▶ write ─▶ look again, or hold
//! ```
//!
//! A look costs microseconds and no request. Whatever changes is looked at right away, also while a
//! write waits after a failure; only the write waits (L22). Each item that is known is looked at once
//! in the resync period, at a moment of its own (L20).

mod hold;
mod holds;
mod ready;
mod totals;

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

pub(super) use self::{
    hold::{FailureKind, Hold, WriteFailure},
    ready::WriteKind,
    totals::{ItemState, Totals},
};
use self::{holds::Holds, ready::ReadyWrites};
use super::{
    controller::RejectedChange,
    planted::{PlantedFault, planted},
    work_item::WorkItem,
};

/// What follows from a look at an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It is right, or nothing can be done.
    Rest,
    /// It is unknown: nothing refers to it and it does not exist.
    Forget,
    /// It must wait until then.
    Wait(Instant),
    /// It has to be written.
    Write(WriteKind),
    /// It waits for the list before a delete (L19).
    Fence,
}

impl Next {
    /// The same, but if nothing is to be written it is looked at again by this moment.
    pub(super) fn within(self, again: Option<Instant>) -> Self {
        match (self, again) {
            (Self::Rest | Self::Forget, Some(again)) => Self::Wait(again),
            (Self::Wait(until), Some(again)) => Self::Wait(until.min(again)),
            (next, _) => next,
        }
    }
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    resync: Duration,
    started: Instant,
    entries: BTreeMap<Arc<WorkItem>, Entry>,
    agenda: BTreeSet<(Instant, Arc<WorkItem>)>,
    ready: ReadyWrites,
    totals: Totals,
    pending: usize,
}

/// An item in the queue.
#[derive(Debug)]
struct Entry {
    /// When it is looked at next.
    due: Option<Instant>,
    step: Step,
    holds: Holds,
    state: Option<ItemState>,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It is due at a moment.
    Waiting,
    /// It has changed, and is due now.
    Changed,
    /// It is ready to be written, as a first try or as a repeat.
    Ready(WriteKind, bool),
    /// It is being written; whether it has changed meanwhile.
    Writing(WriteKind, bool),
    /// It waits for the list before a delete.
    Fenced,
}

impl Step {
    fn is_pending(self) -> bool {
        matches!(self, Self::Changed | Self::Ready(..) | Self::Fenced)
    }
}

/// When and why an item is looked at again, for people.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// When it is looked at next.
    pub(super) due: Option<Instant>,
    /// What it waits for.
    pub(super) step: &'static str,
    /// Whether it waits only until it is due.
    pub(super) is_waiting: bool,
    /// The failure after which its write waits.
    pub(super) hold: Option<Hold>,
}

impl Queue {
    /// An empty queue, in which each item is looked at once in `resync`, and that lets
    /// `writes_per_second` through, and a burst of twice as many.
    pub(super) fn new(resync: Duration, writes_per_second: u32, now: Instant) -> Self {
        Self {
            resync,
            started: now,
            entries: BTreeMap::new(),
            agenda: BTreeSet::new(),
            ready: ReadyWrites::new(writes_per_second, now),
            totals: Totals::default(),
            pending: 0,
        }
    }

    /// An item has changed: it is looked at now.
    pub(super) fn enqueue(&mut self, item: WorkItem, now: Instant) {
        let item = match self.entries.get_key_value(&item) {
            Some((item, _)) => item.clone(),
            None => {
                let item = Arc::new(item);
                let entry = Entry {
                    due: None,
                    step: Step::Waiting,
                    holds: Holds::default(),
                    state: None,
                };
                self.entries.insert(item.clone(), entry);
                item
            }
        };
        self.change(&item, now);
    }

    /// All items of a namespace are looked at now. What could not be written because the namespace was
    /// going may be possible again.
    pub(super) fn enqueue_namespace(&mut self, namespace: &str, now: Instant) {
        let first = WorkItem::Namespace(namespace.to_owned());
        let of_namespace = self.entries.range::<WorkItem, _>(&first..);
        let items: Vec<_> = of_namespace
            .map(|(item, _)| item.clone())
            .take_while(|item| item.namespace() == namespace)
            .collect();
        for item in items {
            if let Some(entry) = self.entries.get_mut(&item)
                && !planted(PlantedFault::NamespaceGoneForgets)
            {
                entry.holds.has_namespace(now);
            }
            self.change(&item, now);
        }
    }

    /// The next items after this one are looked at now, at most `limit`. Returns the last of them, if
    /// there may be more.
    pub(super) fn enqueue_after(
        &mut self,
        last: Option<&Arc<WorkItem>>,
        limit: usize,
        now: Instant,
    ) -> Option<Arc<WorkItem>> {
        let after = last.map_or(Bound::Unbounded, |last| Bound::Excluded(last.clone()));
        let range = self.entries.range((after, Bound::Unbounded));
        let items: Vec<_> = range.map(|(item, _)| item.clone()).take(limit).collect();
        for item in &items {
            self.change(item, now);
        }
        items.last().filter(|_| items.len() == limit).cloned()
    }

    fn change(&mut self, item: &Arc<WorkItem>, now: Instant) {
        if planted(PlantedFault::ChangeShortensRetryAfter)
            && let Some(entry) = self.entries.get_mut(item)
        {
            entry.holds.end(now);
        }
        match self.entries.get_mut(item).map(|entry| &mut entry.step) {
            Some(Step::Writing(_, changed)) => *changed = true,
            Some(_) => self.set(item, Step::Changed, Some(now)),
            None => {}
        }
    }

    /// Takes the next item that is due. It has to be settled.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<Arc<WorkItem>> {
        let (due, item) = self.agenda.first()?;
        if *due > now {
            return None;
        }
        let item = item.clone();
        self.set(&item, Step::Waiting, None);
        Some(item)
    }

    /// When the next item is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.agenda.first().map(|(due, _)| *due)
    }

    /// Whether a write of this sort and change must wait, and until when.
    pub(super) fn held(
        &self,
        item: &WorkItem,
        kind: WriteKind,
        change: &RejectedChange,
        now: Instant,
    ) -> Option<Instant> {
        self.entries.get(item)?.holds.blocked(kind, change, now)
    }

    /// How often a write has failed in a row, and how the last time.
    pub(super) fn hold(&self, item: &WorkItem) -> Option<&Hold> {
        self.entries.get(item)?.holds.longest()
    }

    /// What follows from a look at an item.
    pub(super) fn settle(
        &mut self,
        item: &Arc<WorkItem>,
        state: Option<ItemState>,
        next: Next,
        now: Instant,
    ) {
        let resync = self.next_resync(item, now);
        let Some(entry) = self.entries.get_mut(item) else {
            return;
        };
        if entry.state != state {
            self.totals.remove(entry.state);
            self.totals.add(state);
            entry.state = state;
        }
        let held = entry.holds.until();
        match next {
            Next::Rest | Next::Forget => {
                // A failure is forgotten by success, or when its time has passed and nothing has to be
                // written any more. Until then a change that comes and goes does not start over.
                match held {
                    Some(until) if until > now => self.set(item, Step::Waiting, Some(until)),
                    _ if next == Next::Forget => self.forget(item),
                    _ => {
                        entry.holds = Holds::default();
                        self.set(item, Step::Waiting, Some(resync));
                    }
                }
            }
            Next::Wait(until) => self.set(item, Step::Waiting, Some(until)),
            Next::Fence => self.set(item, Step::Fenced, Some(resync)),
            Next::Write(kind) => {
                let is_repeat = entry.holds.make_repeat(kind);
                self.set(item, Step::Ready(kind, is_repeat), Some(resync));
                self.ready.push(item.clone(), kind, is_repeat);
            }
        }
    }

    /// Takes the next item that may be written. Otherwise the error is when one may be, if one is
    /// ready.
    pub(super) fn next_write(&mut self, now: Instant) -> Result<Arc<WorkItem>, Option<Instant>> {
        let entries = &self.entries;
        let is_ready = |item: &WorkItem, kind, is_repeat| {
            let step = entries.get(item).map(|entry| entry.step);
            step == Some(Step::Ready(kind, is_repeat))
        };
        let item = self.ready.next(now, is_ready)?;
        let kind = self.kind_of(&item);
        self.set(&item, Step::Writing(kind, false), None);
        Ok(item)
    }

    /// An item that was taken has been written, or needs no write any more: it is looked at again.
    pub(super) fn written(&mut self, item: &Arc<WorkItem>, succeeded: bool, now: Instant) {
        let kind = self.kind_of(item);
        if succeeded && let Some(entry) = self.entries.get_mut(item) {
            entry.holds.succeeded(kind);
        }
        self.set(item, Step::Changed, Some(now));
    }

    /// The write of an item has failed. Returns the hold that follows.
    pub(super) fn failed(
        &mut self,
        item: &Arc<WorkItem>,
        failure: WriteFailure,
        now: Instant,
    ) -> Option<Instant> {
        let kind = self.kind_of(item);
        let entry = self.entries.get_mut(item)?;
        let until = entry.holds.failed(kind, failure, now);
        let has_changed = matches!(entry.step, Step::Writing(_, true));
        match has_changed {
            true => self.set(item, Step::Changed, Some(now)),
            false => self.set(item, Step::Waiting, Some(until)),
        }
        Some(until)
    }

    /// When and why an item is looked at again.
    pub(super) fn standing(&self, item: &WorkItem) -> Option<Standing> {
        let entry = self.entries.get(item)?;
        Some(Standing {
            due: entry.due,
            is_waiting: entry.step == Step::Waiting,
            step: match entry.step {
                Step::Waiting if entry.holds.longest().is_some() => "it waits after a failure",
                Step::Waiting => "nothing is to be written before that",
                Step::Changed => "it has changed and is looked at next",
                Step::Ready(_, false) => "it waits for its turn to be written",
                Step::Ready(_, true) => "it waits for its turn to be written again",
                Step::Writing(..) => "it is being written",
                Step::Fenced => "it waits for the list of Dataplanes before it is deleted",
            },
            hold: entry.holds.longest().cloned(),
        })
    }

    /// How many items have changed or are ready to be written.
    pub(super) fn depth(&self) -> usize {
        self.pending
    }

    /// How many writes wait after a failure.
    pub(super) fn holds(&self) -> usize {
        let entries = self.entries.values();
        entries
            .filter(|entry| entry.holds.longest().is_some())
            .count()
    }

    /// How many items are in each state.
    pub(super) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// All items that follow this one, in order.
    pub(super) fn items_after(
        &self,
        last: Option<&Arc<WorkItem>>,
    ) -> impl Iterator<Item = &Arc<WorkItem>> {
        let after = last.map_or(Bound::Unbounded, |last| Bound::Excluded(last.clone()));
        let range = self.entries.range((after, Bound::Unbounded));
        range.map(|(item, _)| item)
    }

    fn set(&mut self, item: &Arc<WorkItem>, step: Step, due: Option<Instant>) {
        let Some(entry) = self.entries.get_mut(item) else {
            return;
        };
        if entry.due != due {
            if let Some(due) = entry.due {
                self.agenda.remove(&(due, item.clone()));
            }
            if let Some(due) = due {
                self.agenda.insert((due, item.clone()));
            }
            entry.due = due;
        }
        self.pending += usize::from(step.is_pending());
        self.pending -= usize::from(entry.step.is_pending());
        entry.step = step;
    }

    /// The sort of the write that an item is ready for, or in. What fails before that, as the list before a
    /// delete does, is about the object.
    fn kind_of(&self, item: &WorkItem) -> WriteKind {
        match self.entries.get(item).map(|entry| entry.step) {
            Some(Step::Ready(kind, _) | Step::Writing(kind, _)) => kind,
            _ => WriteKind::Object,
        }
    }

    fn forget(&mut self, item: &Arc<WorkItem>) {
        self.set(item, Step::Waiting, None);
        if let Some(entry) = self.entries.remove(item) {
            self.totals.remove(entry.state);
        }
    }

    /// The next moment of an item's own (L20): the same in each period, and spread over it.
    fn next_resync(&self, item: &WorkItem, now: Instant) -> Instant {
        let mut hasher = DefaultHasher::new();
        item.hash(&mut hasher);
        let period = self.resync.as_millis().max(1);
        let moment = u128::from(hasher.finish()) % period;
        let elapsed = now.duration_since(self.started).as_millis();
        let into = elapsed % period;
        let wait = match moment > into {
            true => moment - into,
            false => period + moment - into,
        };
        now + Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests;
