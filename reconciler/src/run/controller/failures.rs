//! What is remembered about failed writes, and when they are tried again.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use kuma_workload_rulebook::roster::Key;

use super::change::Change;
use crate::run::{backoff::Backoff, index::WorkloadView, lock::lock};

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
    /// The last write has failed. Returns how long to wait before the next attempt, at least `at_least`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{index::Index, mode::ConfiguredMode};
    use kuma_workload_rulebook::counts::Counts;
    use serde_json::json;

    fn web() -> Key {
        Key {
            namespace: "shop".into(),
            workload: "web".into(),
        }
    }

    fn view(version: &str) -> WorkloadView {
        let mut index = Index::new(ConfiguredMode::Manage, None, false);
        let workload = json!({
            "metadata": { "namespace": "shop", "name": "web", "resourceVersion": version },
        });
        index.apply_workload(&serde_json::from_value(workload).unwrap());
        index.view(&web())
    }

    #[test]
    fn l15_a_rejected_change_is_tried_again_when_something_changes() {
        let (failures, change) = (Failures::default(), Change::Status(Counts::default()));
        failures.reject(&web(), change.clone(), &view("1"));
        assert!(failures.is_rejected(&web(), &change, &view("1")));
        assert!(!failures.is_rejected(&web(), &change, &view("2")));
        let other = Change::Status(Counts::of_one(true, true));
        assert!(!failures.is_rejected(&web(), &other, &view("1")));
        failures.forget_rejected(&web());
        assert!(!failures.is_rejected(&web(), &change, &view("1")));
    }

    #[test]
    fn l15_the_backoff_grows_and_is_never_shorter_than_retry_after() {
        let failures = Failures::default();
        let first = failures.back_off(&web(), None);
        let fifth = (0..4).map(|_| failures.back_off(&web(), None)).last();
        assert!(fifth.unwrap() > first * 4);
        let asked = Duration::from_secs(600);
        assert_eq!(failures.back_off(&web(), Some(asked)), asked);
        failures.reset(&web());
        assert!(failures.back_off(&web(), None) <= Duration::from_millis(250));
    }
}
