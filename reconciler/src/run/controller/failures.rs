//! What is remembered about failed writes, and when they are tried again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kuma_workload_rulebook::roster::Key;

use super::change::Change;
use crate::run::{backoff::Backoff, index::WorkloadView};

/// The failed writes of all Workloads.
#[derive(Debug, Default)]
pub(super) struct Failures {
    backoffs: Mutex<HashMap<Key, Backoff>>,
    rejected: Mutex<HashMap<Key, RejectedChange>>,
}

/// A change that the API server rejects until something changes.
#[derive(Debug, PartialEq)]
struct RejectedChange {
    change: Change,
    resource_version: Option<Box<str>>,
}

impl RejectedChange {
    fn of(change: Change, view: &WorkloadView) -> Self {
        let existing = view.existing.as_ref();
        Self {
            change,
            resource_version: existing.map(|existing| existing.resource_version.clone()),
        }
    }
}

impl Failures {
    /// The last write has failed. Answers how long to wait before the next attempt, at least `at_least`.
    pub(super) fn back_off(&self, key: &Key, at_least: Option<Duration>) -> Duration {
        let mut backoffs = lock(&self.backoffs);
        let backoff = backoffs.entry(key.clone());
        let wait = backoff.or_insert_with(Backoff::of_writes).next();
        wait.max(at_least.unwrap_or_default())
    }

    /// The last write has not failed in a way that is tried again.
    pub(super) fn reset(&self, key: &Key) {
        lock(&self.backoffs).remove(key);
    }

    /// The API server has rejected this change.
    pub(super) fn reject(&self, key: &Key, change: Change, view: &WorkloadView) {
        let rejected = RejectedChange::of(change, view);
        lock(&self.rejected).insert(key.clone(), rejected);
    }

    /// Whether the API server has rejected this change, and nothing has changed since.
    pub(super) fn is_rejected(&self, key: &Key, change: &Change, view: &WorkloadView) -> bool {
        let rejected = RejectedChange::of(change.clone(), view);
        lock(&self.rejected).get(key) == Some(&rejected)
    }

    /// The rejected change of this Workload is no longer due.
    pub(super) fn forget_rejected(&self, key: &Key) {
        lock(&self.rejected).remove(key);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
