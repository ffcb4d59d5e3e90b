//! The Workloads that exist, from watches and from the answers to requests.
//!
//! Watches and answers come in any order. A newer version is never replaced by an older one, and an
//! answer never brings back a Workload that a watch has shown to be deleted (L13).

use std::collections::HashMap;

use kuma_workload_rulebook::roster::Key;

use super::cached_workload::CachedWorkload;
use crate::{
    kinds::{self, WorkloadRecord},
    run::store::Store,
};

/// The Workloads that exist.
#[derive(Debug, Default)]
pub(super) struct WorkloadCache {
    workloads: Store<Key, CachedWorkload>,
    /// The keys with requests under way, and the uids that were deleted meanwhile.
    in_flight: HashMap<Key, Vec<Box<str>>>,
}

impl WorkloadCache {
    pub(super) fn get(&self, key: &Key) -> Option<&CachedWorkload> {
        self.workloads.get(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.workloads.iter().map(|(key, _)| key)
    }

    pub(super) fn len(&self) -> usize {
        self.workloads.len()
    }

    /// A watch has shown this Workload. Returns its key if it has changed.
    pub(super) fn apply(&mut self, workload: &WorkloadRecord) -> Option<Key> {
        let key = kinds::workload_key(&workload.metadata);
        let new = CachedWorkload::of(workload);
        if self.is_known(&key, &new) {
            self.workloads.mark_seen(&key);
            return None;
        }
        self.workloads.insert(key.clone(), new);
        Some(key)
    }

    /// From now on, requests for this Workload may be under way.
    pub(super) fn begin_requests(&mut self, key: &Key) {
        self.in_flight.insert(key.clone(), Vec::new());
    }

    /// No request for this Workload is under way any more.
    pub(super) fn end_requests(&mut self, key: &Key) {
        self.in_flight.remove(key);
    }

    /// A request was answered with this Workload. Returns its key if it has changed. If the watch has
    /// shown its deletion meanwhile, the answer is out of date.
    pub(super) fn apply_response(&mut self, workload: &WorkloadRecord) -> Option<Key> {
        let key = kinds::workload_key(&workload.metadata);
        let new = CachedWorkload::of(workload);
        let is_deleted = |deleted: &Vec<_>| deleted.contains(&new.uid);
        if self.in_flight.get(&key).is_some_and(is_deleted) || self.is_known(&key, &new) {
            return None;
        }
        self.workloads.update(key.clone(), new);
        Some(key)
    }

    /// Whether this version, or a newer one, is in the cache.
    fn is_known(&self, key: &Key, new: &CachedWorkload) -> bool {
        let known = self.workloads.get(key);
        known.is_some_and(|known| known.is_newer_than(new) || known == new)
    }

    /// The Workload of this uid was deleted; without a uid, the one in the cache. Returns whether it
    /// was in the cache.
    pub(super) fn delete(&mut self, key: &Key, uid: Option<&str>) -> bool {
        let known = self.workloads.get(key);
        let deleted = uid.or(known.map(|known| &*known.uid));
        if let (Some(deleted), Some(uids)) = (deleted, self.in_flight.get_mut(key)) {
            uids.push(deleted.into());
        }
        // A newer object of the same name has another uid.
        let is_deleted = known.is_some_and(|known| uid.is_none_or(|uid| uid == &*known.uid));
        if is_deleted {
            self.workloads.remove(key);
        }
        is_deleted
    }

    /// A list of these keys begins.
    pub(super) fn relist(&mut self, is_listed: impl Fn(&Key) -> bool) {
        self.workloads.relist(is_listed);
    }

    /// The list of these keys has ended. Returns the keys of the Workloads that are gone.
    pub(super) fn sweep(&mut self, is_listed: impl Fn(&Key) -> bool) -> Vec<Key> {
        let deleted = self.workloads.sweep(is_listed).into_iter();
        let key = |(key, workload): (Key, CachedWorkload)| {
            if let Some(uids) = self.in_flight.get_mut(&key) {
                uids.push(workload.uid);
            }
            key
        };
        deleted.map(key).collect()
    }
}
