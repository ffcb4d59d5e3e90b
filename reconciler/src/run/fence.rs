//! The fence before deletes (L19): nothing is deleted before a list has shown that no Dataplane refers
//! to it.
//!
//! Watches run apart from each other, and one of Dataplanes may lag behind. So the Dataplanes of a
//! namespace are listed before Workloads are deleted in it, and once more after that: a Dataplane that
//! came in between, and that the watch has not shown, has its Workload back soon.
//!
//! This is the pure part. `list` does the request.

mod list;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use kuma_workload_rulebook::roster::Key;
use tokio::time::Instant;

pub(super) use self::list::{References, list_references};
use super::backoff::Backoff;

/// At most one list of a namespace in this time.
const INTERVAL: Duration = Duration::from_secs(1);
/// At most so many lists at once.
const LISTS: usize = 4;
/// A delete must be sent within this time after its list was answered.
const VALID: Duration = Duration::from_secs(5);
/// The longest pause after a list that has failed.
const LONGEST: Duration = Duration::from_secs(60);

/// The fences of all namespaces.
#[derive(Debug)]
pub(super) struct Fences {
    /// The term of this replica.
    term: u64,
    namespaces: BTreeMap<String, Fence>,
    running: usize,
    /// How many deletes the running lists are for.
    listing: usize,
    /// At most so many deletes are listed for, or wait for their turn after that. With more, a list
    /// would be too old when their turn comes, and they would be listed for again and again.
    limit: usize,
}

/// The fence of a namespace.
#[derive(Debug, Default)]
struct Fence {
    /// The workloads whose delete is due.
    waiting: BTreeSet<String>,
    /// The workloads that may be deleted, and until when.
    passed: BTreeMap<String, Instant>,
    /// The workloads that were deleted since the last list.
    deleted: BTreeSet<String>,
    is_listing: bool,
    not_before: Option<Instant>,
    failures: u32,
    last_failure: Option<String>,
}

/// A list that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FenceList {
    /// The term of this replica in which it was begun.
    term: u64,
    pub(super) namespace: String,
    /// The workloads whose delete was due at its start.
    pub(super) due: BTreeSet<String>,
    /// The workloads that were deleted before.
    pub(super) deleted: BTreeSet<String>,
}

/// What a list has shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FenceOutcome {
    /// These may be deleted now.
    pub(super) passed: Vec<Key>,
    /// To these a Dataplane refers.
    pub(super) referenced: Vec<Key>,
    /// To these a Dataplane may refer of which nobody knows the workload.
    pub(super) unknown: Vec<Key>,
    /// These have been deleted, and a Dataplane refers to them.
    pub(super) missed: Vec<Key>,
}

impl Fences {
    /// No fence yet. About `writes_per_second` deletes are sent in a second.
    pub(super) fn new(writes_per_second: u32) -> Self {
        let within_two_seconds = writes_per_second.saturating_mul(2);
        Self {
            term: 0,
            namespaces: BTreeMap::new(),
            running: 0,
            listing: 0,
            limit: usize::try_from(within_two_seconds).unwrap_or(usize::MAX),
        }
    }

    /// Whether a Workload may be deleted now. If not, its delete waits for a list.
    pub(super) fn ask(&mut self, key: &Key, now: Instant) -> bool {
        let fence = self.namespaces.entry(key.namespace.clone()).or_default();
        if fence
            .passed
            .get(&key.workload)
            .is_some_and(|until| now < *until)
        {
            return true;
        }
        fence.passed.remove(&key.workload);
        fence.waiting.insert(key.workload.clone());
        false
    }

    /// Whether a Workload may still be deleted now.
    pub(super) fn has_passed(&self, key: &Key, now: Instant) -> bool {
        let fence = self.namespaces.get(&key.namespace);
        let until = fence.and_then(|fence| fence.passed.get(&key.workload));
        until.is_some_and(|until| now < *until)
    }

    /// A delete is sent. It has used up its list.
    pub(super) fn deleting(&mut self, key: &Key) {
        if let Some(fence) = self.namespaces.get_mut(&key.namespace) {
            fence.passed.remove(&key.workload);
            fence.deleted.insert(key.workload.clone());
        }
    }

    /// The next list that is to be done. Otherwise the error is when there is one, if there is.
    pub(super) fn next(&mut self, now: Instant) -> Result<FenceList, Option<Instant>> {
        if self.running >= LISTS {
            return Err(None);
        }
        let has_passed = |moment: Instant| moment <= now;
        self.namespaces
            .retain(|_, fence| !fence.is_idle() || !fence.not_before.is_none_or(has_passed));
        let passed = self.namespaces.values().flat_map(|it| it.passed.values());
        let passed: Vec<_> = passed.filter(|until| now < **until).copied().collect();
        let mut room = self.limit.saturating_sub(self.listing + passed.len());
        let mut earliest = None;
        for (namespace, fence) in &mut self.namespaces {
            // One list is to serve many deletes, not one for each that has made room.
            let wanted = fence.waiting.len().min(self.limit / 2).max(1);
            if !fence.waiting.is_empty() && room < wanted {
                room = 0;
                // Those that become too old make room.
                earliest = earliest.into_iter().chain(passed.iter().copied()).min();
            }
            let is_due = room > 0 && !fence.waiting.is_empty() || !fence.deleted.is_empty();
            if fence.is_listing || !is_due {
                continue;
            }
            let when = fence.not_before.unwrap_or(now);
            if when > now {
                earliest = Some(earliest.map_or(when, |earliest: Instant| earliest.min(when)));
                continue;
            }
            fence.is_listing = true;
            fence.not_before = Some(now + INTERVAL);
            let due = take_first(&mut fence.waiting, room);
            self.running += 1;
            self.listing += due.len();
            return Ok(FenceList {
                term: self.term,
                namespace: namespace.clone(),
                due,
                deleted: std::mem::take(&mut fence.deleted),
            });
        }
        Err(earliest)
    }

    /// A list has ended.
    pub(super) fn listed(
        &mut self,
        list: FenceList,
        references: &References,
        now: Instant,
    ) -> FenceOutcome {
        let FenceList {
            term,
            namespace,
            due,
            deleted,
        } = list;
        let key = |workload: String| Key {
            namespace: namespace.clone(),
            workload,
        };
        let missed = deleted.into_iter().filter(|it| references.includes(it));
        let mut outcome = FenceOutcome {
            missed: missed.map(key).collect(),
            ..FenceOutcome::default()
        };
        if term != self.term {
            return outcome;
        }
        self.ended(due.len());
        let Some(fence) = self.namespaces.get_mut(&namespace) else {
            return outcome;
        };
        (fence.is_listing, fence.failures, fence.last_failure) = (false, 0, None);
        fence.passed.retain(|_, until| now < *until);
        for workload in due {
            if references.includes(&workload) {
                outcome.referenced.push(key(workload));
            } else if references.has_unknown() {
                outcome.unknown.push(key(workload));
            } else {
                fence.passed.insert(workload.clone(), now + VALID);
                outcome.passed.push(key(workload));
            }
        }
        outcome
    }

    /// A list has failed: none of the deletes that were due is done, and the list is tried again (L22).
    /// Returns how often it has failed in a row.
    pub(super) fn failed(
        &mut self,
        list: FenceList,
        failure: String,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> u32 {
        if list.term != self.term {
            return 0;
        }
        self.ended(list.due.len());
        let Some(fence) = self.namespaces.get_mut(&list.namespace) else {
            return 0;
        };
        fence.is_listing = false;
        fence.waiting.extend(list.due);
        fence.deleted.extend(list.deleted);
        let pause = Backoff::after(fence.failures, INTERVAL, LONGEST).next();
        fence.not_before = Some(now + pause.max(retry_after.unwrap_or_default()));
        fence.failures = fence.failures.saturating_add(1);
        fence.last_failure = Some(failure);
        fence.failures
    }

    fn ended(&mut self, due: usize) {
        self.running = self.running.saturating_sub(1);
        self.listing = self.listing.saturating_sub(due);
    }

    /// The delete of a Workload is not due any more.
    pub(super) fn withdraw(&mut self, key: &Key) {
        if let Some(fence) = self.namespaces.get_mut(&key.namespace) {
            fence.waiting.remove(&key.workload);
            fence.passed.remove(&key.workload);
            if fence.is_idle() {
                self.namespaces.remove(&key.namespace);
            }
        }
    }

    /// A term of this replica begins or ends: what was listed in one says nothing to the next, nor do the
    /// lists that still run.
    pub(super) fn clear(&mut self) {
        self.term += 1;
        (self.running, self.listing) = (0, 0);
        self.namespaces.clear();
    }

    /// What a delete in a namespace waits for, for people; none if nothing is due there.
    pub(super) fn explain(&self, key: &Key) -> Option<String> {
        let fence = self.namespaces.get(&key.namespace)?;
        Some(match (&fence.last_failure, fence.is_listing) {
            (Some(failure), _) => format!("the list before the delete has failed: {failure}"),
            (None, true) => "the Dataplanes of the namespace are being listed".to_owned(),
            (None, false) if fence.passed.contains_key(&key.workload) => {
                "the list has shown that no Dataplane refers to it".to_owned()
            }
            (None, false) if fence.waiting.contains(&key.workload) => {
                "the Dataplanes of the namespace are listed next".to_owned()
            }
            _ => return None,
        })
    }
}

impl Fence {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty()
            && self.passed.is_empty()
            && self.deleted.is_empty()
            && !self.is_listing
    }
}

/// Takes the first ones, at most so many.
fn take_first(from: &mut BTreeSet<String>, limit: usize) -> BTreeSet<String> {
    let Some(first_left) = from.iter().nth(limit).cloned() else {
        return std::mem::take(from);
    };
    let left = from.split_off(&first_left);
    std::mem::replace(from, left)
}

#[cfg(test)]
mod tests;
