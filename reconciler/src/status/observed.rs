//! The cluster as lists and watches have shown it.

use std::collections::{BTreeMap, BTreeSet};

use kube::{core::ObjectMeta, runtime::watcher::Event};
use kuma_workload_rulebook::roster::{Generation, Key, ListScope, Roster, SweptTo, WatchedKind};

use super::row::{ReportedWorkload, Row};
use crate::kinds::{self, DataplaneRecord, InsightRecord, WorkloadRecord, workload_key};

/// An event of one of the three watches.
#[derive(Debug)]
pub(super) enum WatchEvent {
    Dataplane(Event<DataplaneRecord>),
    Insight(Event<InsightRecord>),
    Workload(Event<WorkloadRecord>),
}

impl WatchEvent {
    /// Whether it ends a list.
    pub(super) fn ends_list(&self) -> bool {
        matches!(
            self,
            Self::Dataplane(Event::InitDone)
                | Self::Insight(Event::InitDone)
                | Self::Workload(Event::InitDone)
        )
    }
}

/// What is known about the cluster.
#[derive(Debug, Default)]
pub(super) struct ObservedCluster {
    namespace: Option<String>,
    roster: Roster,
    workloads: BTreeMap<Key, WorkloadRecord>,
    /// Workloads that the current list has not shown yet.
    unseen: BTreeSet<Key>,
    /// When the lists of Dataplanes and of DataplaneInsights began.
    relisted: (Generation, Generation),
}

impl ObservedCluster {
    /// Nothing is known yet about the namespace, or about all of them.
    pub(super) fn new(namespace: Option<&str>) -> Self {
        Self {
            namespace: namespace.map(str::to_owned),
            ..Self::default()
        }
    }

    /// All workloads.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut keys: BTreeSet<_> = self.roster.keys().collect();
        keys.extend(self.workloads.keys().cloned());
        keys.iter()
            .filter_map(|key| {
                let existing = self.workloads.get(key).map(ReportedWorkload::from);
                Row::of(&self.roster, key, existing.as_ref())
            })
            .collect()
    }

    /// Which Dataplanes refer to which Workload.
    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// A Workload that exists.
    pub(super) fn existing(&self, key: &Key) -> Option<&WorkloadRecord> {
        self.workloads.get(key)
    }

    /// Applies an event. Returns a warning if its object cannot be read.
    pub(super) fn apply(&mut self, event: WatchEvent) -> Option<String> {
        match event {
            WatchEvent::Dataplane(event) => self.dataplane(event),
            WatchEvent::Insight(event) => self.insight(event),
            WatchEvent::Workload(event) => {
                self.workload(event);
                None
            }
        }
    }

    fn dataplane(&mut self, event: Event<DataplaneRecord>) -> Option<String> {
        match event {
            Event::Init => self.relisted.0 = self.roster.relist(),
            Event::InitDone => self.sweep(WatchedKind::Dataplanes, self.relisted.0),
            Event::Apply(object) | Event::InitApply(object) => {
                let (namespace, name) = kinds::names(&object.metadata);
                if let Some(fault) = &object.fault {
                    self.roster.delete(namespace, name);
                    return Some(unreadable("Dataplane", &object.metadata, fault));
                }
                self.roster.apply(&object.facts(object.stored_identifier()));
            }
            Event::Delete(object) => {
                let (namespace, name) = kinds::names(&object.metadata);
                self.roster.delete(namespace, name);
            }
        }
        None
    }

    fn insight(&mut self, event: Event<InsightRecord>) -> Option<String> {
        match event {
            Event::Init => self.relisted.1 = self.roster.relist(),
            Event::InitDone => self.sweep(WatchedKind::Insights, self.relisted.1),
            Event::Apply(object) | Event::InitApply(object) => {
                let (namespace, name) = kinds::names(&object.metadata);
                if let Some(fault) = &object.fault {
                    self.roster.delete_insight(namespace, name);
                    return Some(unreadable("DataplaneInsight", &object.metadata, fault));
                }
                self.roster.apply_insight(&object.facts());
            }
            Event::Delete(object) => {
                let (namespace, name) = kinds::names(&object.metadata);
                self.roster.delete_insight(namespace, name);
            }
        }
        None
    }

    fn workload(&mut self, event: Event<WorkloadRecord>) {
        match event {
            Event::Init => self.unseen = self.workloads.keys().cloned().collect(),
            Event::InitDone => {
                let unseen = std::mem::take(&mut self.unseen);
                self.workloads.retain(|key, _| !unseen.contains(key));
            }
            Event::Apply(object) | Event::InitApply(object) => {
                let key = workload_key(&object.metadata);
                self.unseen.remove(&key);
                self.workloads.insert(key, object);
            }
            Event::Delete(object) => {
                self.workloads.remove(&workload_key(&object.metadata));
            }
        }
    }

    fn sweep(&mut self, watched: WatchedKind, since: Generation) {
        let scope = ListScope::from(self.namespace.as_deref());
        let from = &mut SweptTo::default();
        self.roster.sweep(watched, scope, since, from, usize::MAX);
    }
}

fn unreadable(kind: &str, metadata: &ObjectMeta, error: &str) -> String {
    let (namespace, name) = kinds::names(metadata);
    format!("{kind} {namespace}/{name} cannot be read and is left out: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn dataplane(name: &str, spec: Value) -> DataplaneRecord {
        serde_json::from_value(json!({
            "metadata": {
                "namespace": "shop",
                "name": name,
                "annotations": { "kuma.io/workload": "cart" },
            },
            "spec": spec,
        }))
        .unwrap()
    }

    fn workload(name: &str) -> WorkloadRecord {
        serde_json::from_value(json!({ "metadata": { "namespace": "shop", "name": name } }))
            .unwrap()
    }

    fn names(observed: &ObservedCluster) -> Vec<String> {
        observed.rows().into_iter().map(|row| row.name).collect()
    }

    #[test]
    fn a_workload_that_a_list_no_longer_has_is_gone() {
        let mut observed = ObservedCluster::new(None);
        for names in [&["a", "b"][..], &["b", "c"]] {
            observed.apply(WatchEvent::Workload(Event::Init));
            for name in names {
                observed.apply(WatchEvent::Workload(Event::InitApply(workload(name))));
            }
            observed.apply(WatchEvent::Workload(Event::InitDone));
        }
        assert_eq!(names(&observed), ["b", "c"]);
    }

    #[rstest]
    #[case::all(None)]
    #[case::one(Some("shop"))]
    fn proxies_come_and_go(#[case] namespace: Option<&str>) {
        let mut observed = ObservedCluster::new(namespace);
        observed.apply(WatchEvent::Dataplane(Event::Apply(dataplane(
            "p",
            json!({}),
        ))));
        assert_eq!(names(&observed), ["cart"]);
        observed.apply(WatchEvent::Dataplane(Event::Init));
        observed.apply(WatchEvent::Dataplane(Event::InitDone));
        assert_eq!(names(&observed), Vec::<String>::new());
    }

    #[test]
    fn an_object_that_cannot_be_read_is_named_and_left_out() {
        let mut observed = ObservedCluster::new(None);
        observed.apply(WatchEvent::Dataplane(Event::Apply(dataplane(
            "p",
            json!({}),
        ))));
        let warning = observed.apply(WatchEvent::Dataplane(Event::Apply(dataplane(
            "p",
            json!("x"),
        ))));
        let warning = warning.unwrap();
        assert_eq!(
            warning,
            "Dataplane shop/p cannot be read and is left out: spec is a string where an object is expected"
        );
        assert_eq!(names(&observed), Vec::<String>::new());
    }
}
