//! The items that are ready to be written, and their pace (L22).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::time::Instant;

use crate::run::{token_bucket::TokenBucket, work_item::WorkItem};

/// Repeats get this part of all writes at most.
const REPEATS: f64 = 0.25;

/// The order in which writes are done: objects before numbers, first tries before repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::run) enum WriteKind {
    /// An object is created, labelled or deleted.
    Object,
    /// The numbers of a Workload.
    Numbers,
}

/// The items that are ready to be written.
#[derive(Debug)]
pub(super) struct ReadyWrites {
    /// By kind, first tries and repeats. One that is not ready any more is skipped.
    items: BTreeMap<(WriteKind, bool), VecDeque<Arc<WorkItem>>>,
    writes: TokenBucket,
    repeats: TokenBucket,
}

impl ReadyWrites {
    /// None are ready.
    pub(super) fn new(writes_per_second: u32, now: Instant) -> Self {
        let rate = f64::from(writes_per_second);
        let burst = writes_per_second.saturating_mul(2);
        Self {
            items: BTreeMap::new(),
            writes: TokenBucket::new(rate, burst, now),
            repeats: TokenBucket::new(rate * REPEATS, burst / 4, now),
        }
    }

    /// An item is ready.
    pub(super) fn push(&mut self, item: Arc<WorkItem>, kind: WriteKind, is_repeat: bool) {
        let items = self.items.entry((kind, is_repeat)).or_default();
        items.push_back(item);
    }

    /// Takes the next item that may be written. Otherwise the error is when one may be, if one is
    /// ready. `is_ready` says whether an item is still ready in this way.
    pub(super) fn next(
        &mut self,
        now: Instant,
        is_ready: impl Fn(&WorkItem, WriteKind, bool) -> bool,
    ) -> Result<Arc<WorkItem>, Option<Instant>> {
        let next = self.writes.next(now);
        let mut earliest = None;
        for (&(kind, is_repeat), items) in &mut self.items {
            while items
                .front()
                .is_some_and(|item| !is_ready(item, kind, is_repeat))
            {
                items.pop_front();
            }
            if items.is_empty() {
                continue;
            }
            let when = match is_repeat {
                true => next.max(self.repeats.next(now)),
                false => next,
            };
            if when <= now
                && let Some(item) = items.pop_front()
            {
                // Both have one, as was seen.
                let _ = self.writes.take(now);
                if is_repeat {
                    let _ = self.repeats.take(now);
                }
                return Ok(item);
            }
            earliest = Some(earliest.map_or(when, |earliest: Instant| earliest.min(when)));
        }
        Err(earliest)
    }
}
