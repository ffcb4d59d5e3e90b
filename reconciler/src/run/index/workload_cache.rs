//! The Workloads that exist, from watches and from the answers to requests (L13, L21).
//!
//! Watches and answers come in any order. An answer to a request that was sent after everything that
//! is known of its Workload had arrived is the newest, whatever its number: after a restore from a
//! backup, numbers are lower. If something arrived while the request was under way, only a higher
//! number of the same object shows which is newer; without it, the Workload is read once more.

use std::collections::HashMap;

use kuma_workload_rulebook::roster::Key;

use super::cached_workload::CachedWorkload;
use crate::{
    kinds::{self, WorkloadRecord},
    run::store::{Moment, Store},
};

/// The Workloads that exist.
#[derive(Debug, Default)]
pub(super) struct WorkloadCache {
    workloads: Store<Key, CachedWorkload>,
    /// The keys with a request under way.
    in_flight: HashMap<Key, Request>,
}

/// A request that is under way.
#[derive(Debug)]
struct Request {
    /// When it was sent.
    sent: Moment,
    /// The Workload was deleted since.
    deleted: bool,
}

/// What an answer to a request was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerOutcome {
    /// It is what is known now.
    Taken,
    /// It cannot be told whether it or what arrived meanwhile is newer. The Workload has to be read.
    Unclear,
}

impl WorkloadCache {
    pub(super) fn get(&self, key: &Key) -> Option<&CachedWorkload> {
        self.workloads.get(key)
    }

    pub(super) fn len(&self) -> usize {
        self.workloads.len()
    }

    /// A watch has shown this change. Returns what is replaced, if it has changed.
    pub(super) fn apply(&mut self, key: &Key, new: CachedWorkload) -> bool {
        let known = self.workloads.get(key);
        // This program knows its own writes before a watch shows them.
        if known.is_some_and(|known| known.is_newer_than(&new) || *known == new) {
            self.workloads.touch(key);
            return false;
        }
        self.workloads.insert(key.clone(), new);
        true
    }

    /// A list that began at this moment has shown this Workload. Returns whether it has changed.
    pub(super) fn apply_listed(&mut self, key: &Key, new: CachedWorkload, began: Moment) -> bool {
        let arrived_meanwhile = self.workloads.is_stored_since(key, began);
        let known = self.workloads.get(key);
        if known.is_some_and(|known| *known == new || arrived_meanwhile && !new.succeeds(known)) {
            // What is newer than the list is shown by the watch that follows it.
            self.workloads.touch(key);
            return false;
        }
        self.workloads.insert(key.clone(), new);
        true
    }

    /// A request for this Workload is sent.
    pub(super) fn begin_request(&mut self, key: &Key) {
        let request = Request {
            sent: self.workloads.mark(),
            deleted: false,
        };
        self.in_flight.insert(key.clone(), request);
    }

    /// The request was answered with this Workload, or with its absence.
    pub(super) fn apply_answer(
        &mut self,
        key: &Key,
        answer: Option<&WorkloadRecord>,
    ) -> AnswerOutcome {
        let Some(Request { sent, deleted }) = self.in_flight.remove(key) else {
            return AnswerOutcome::Unclear;
        };
        let known = self.workloads.get(key);
        let arrived_meanwhile = deleted || self.workloads.is_stored_since(key, sent);
        let new = answer.map(CachedWorkload::of);
        let is_newer = match (&new, known) {
            _ if !arrived_meanwhile => true,
            (Some(new), Some(known)) => new == known || new.succeeds(known),
            _ => false,
        };
        match new {
            _ if !is_newer => return AnswerOutcome::Unclear,
            Some(new) => drop(self.workloads.insert(key.clone(), new)),
            None => drop(self.workloads.remove(key)),
        }
        AnswerOutcome::Taken
    }

    /// The request has ended without an answer that says how the Workload is.
    pub(super) fn end_request(&mut self, key: &Key) {
        self.in_flight.remove(key);
    }

    /// The Workload of this uid was deleted; without a uid, the one in the cache. Returns whether it
    /// was in the cache.
    pub(super) fn delete(&mut self, key: &Key, uid: Option<&str>) -> bool {
        if let Some(request) = self.in_flight.get_mut(key) {
            request.deleted = true;
        }
        let known = self.workloads.get(key);
        // A newer object of the same name has another uid.
        let is_deleted = known.is_some_and(|known| uid.is_none_or(|uid| uid == &*known.uid));
        if is_deleted {
            self.workloads.remove(key);
        }
        is_deleted
    }

    /// A list begins.
    pub(super) fn relist(&mut self) -> Moment {
        self.workloads.mark()
    }

    /// The list of these keys, which began at this moment, has ended. Returns the keys of the
    /// Workloads that are gone, at most `limit`.
    pub(super) fn sweep(
        &mut self,
        is_listed: impl Fn(&Key) -> bool,
        began: Moment,
        limit: usize,
    ) -> Vec<Key> {
        let gone = self.workloads.sweep(is_listed, began, limit).into_iter();
        let key = |(key, _): (Key, CachedWorkload)| {
            if let Some(request) = self.in_flight.get_mut(&key) {
                request.deleted = true;
            }
            key
        };
        gone.map(key).collect()
    }
}

/// The cached form of a record, with its key.
pub(super) fn cached(workload: &WorkloadRecord) -> (Key, CachedWorkload) {
    let key = kinds::workload_key(&workload.metadata);
    (key, CachedWorkload::of(workload))
}
