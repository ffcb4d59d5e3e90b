//! What is in the cluster, as far as lists and watches have told.

use std::collections::{BTreeMap, BTreeSet};

use kube::{core::ObjectMeta, runtime::watcher::Event};
use kuma_workload_rulebook::roster::{Key, ListScope, Roster, WatchedKind};

use super::row::{Reported, Row};
use crate::kinds::{self, Dataplane, DataplaneInsight, Workload};

/// An event of one of the three watches.
#[derive(Debug)]
pub(super) enum Seen {
    Dataplane(Event<Dataplane>),
    Insight(Event<DataplaneInsight>),
    Workload(Event<Workload>),
}

impl Seen {
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

/// What is known.
#[derive(Debug, Default)]
pub(super) struct World {
    namespace: Option<String>,
    roster: Roster,
    workloads: BTreeMap<Key, Workload>,
    /// Workloads that a list under way has not told of yet.
    unseen: BTreeSet<Key>,
}

impl World {
    /// Nothing yet, of a namespace or of all.
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
                let existing = self.workloads.get(key).map(Reported::from);
                Row::of(&self.roster, key, existing.as_ref())
            })
            .collect()
    }

    /// Takes in an event; a warning, if it is of an object that cannot be read.
    pub(super) fn apply(&mut self, seen: Seen) -> Option<String> {
        match seen {
            Seen::Dataplane(event) => self.dataplane(event),
            Seen::Insight(event) => self.insight(event),
            Seen::Workload(event) => {
                self.workload(event);
                None
            }
        }
    }

    fn dataplane(&mut self, event: Event<Dataplane>) -> Option<String> {
        match event {
            Event::Init => self.relist(WatchedKind::Dataplanes),
            Event::InitDone => self.sweep(WatchedKind::Dataplanes),
            Event::Apply(there) | Event::InitApply(there) => {
                let (namespace, name) = names(&there.metadata);
                if let Some(fault) = &there.fault {
                    self.roster.delete(namespace, name);
                    return Some(unreadable("Dataplane", &there.metadata, fault));
                }
                self.roster.apply(&there.facts(there.stored_identifier()));
            }
            Event::Delete(there) => {
                let (namespace, name) = names(&there.metadata);
                self.roster.delete(namespace, name);
            }
        }
        None
    }

    fn insight(&mut self, event: Event<DataplaneInsight>) -> Option<String> {
        match event {
            Event::Init => self.relist(WatchedKind::Insights),
            Event::InitDone => self.sweep(WatchedKind::Insights),
            Event::Apply(there) | Event::InitApply(there) => {
                let (namespace, name) = names(&there.metadata);
                if let Some(fault) = &there.fault {
                    self.roster.delete_insight(namespace, name);
                    return Some(unreadable("DataplaneInsight", &there.metadata, fault));
                }
                self.roster.apply_insight(&there.facts());
            }
            Event::Delete(there) => {
                let (namespace, name) = names(&there.metadata);
                self.roster.delete_insight(namespace, name);
            }
        }
        None
    }

    fn workload(&mut self, event: Event<Workload>) {
        match event {
            Event::Init => self.unseen = self.workloads.keys().cloned().collect(),
            Event::InitDone => {
                let unseen = std::mem::take(&mut self.unseen);
                self.workloads.retain(|key, _| !unseen.contains(key));
            }
            Event::Apply(there) | Event::InitApply(there) => {
                let key = key(&there.metadata);
                self.unseen.remove(&key);
                self.workloads.insert(key, there);
            }
            Event::Delete(there) => {
                self.workloads.remove(&key(&there.metadata));
            }
        }
    }

    fn relist(&mut self, watched: WatchedKind) {
        self.roster
            .relist(watched, scope(self.namespace.as_deref()));
    }

    fn sweep(&mut self, watched: WatchedKind) {
        self.roster.sweep(watched, scope(self.namespace.as_deref()));
    }
}

fn scope(namespace: Option<&str>) -> ListScope<'_> {
    namespace.map_or(ListScope::Cluster, ListScope::Namespace)
}

fn names(metadata: &ObjectMeta) -> (&str, &str) {
    (kinds::namespace(metadata), kinds::name(metadata))
}

fn key(metadata: &ObjectMeta) -> Key {
    let (namespace, name) = names(metadata);
    Key {
        namespace: namespace.to_owned(),
        workload: name.to_owned(),
    }
}

fn unreadable(kind: &str, metadata: &ObjectMeta, error: &str) -> String {
    let (namespace, name) = names(metadata);
    format!("{kind} {namespace}/{name} cannot be read and is left out: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn dataplane(name: &str, spec: Value) -> Dataplane {
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

    fn workload(name: &str) -> Workload {
        serde_json::from_value(json!({ "metadata": { "namespace": "shop", "name": name } }))
            .unwrap()
    }

    fn names(world: &World) -> Vec<String> {
        world.rows().into_iter().map(|row| row.name).collect()
    }

    #[test]
    fn what_a_list_has_no_more_is_gone() {
        let mut world = World::new(None);
        for names in [&["a", "b"][..], &["b", "c"]] {
            world.apply(Seen::Workload(Event::Init));
            for name in names {
                world.apply(Seen::Workload(Event::InitApply(workload(name))));
            }
            world.apply(Seen::Workload(Event::InitDone));
        }
        assert_eq!(names(&world), ["b", "c"]);
    }

    #[rstest]
    #[case::all(None)]
    #[case::one(Some("shop"))]
    fn proxies_come_and_go(#[case] namespace: Option<&str>) {
        let mut world = World::new(namespace);
        world.apply(Seen::Dataplane(Event::Apply(dataplane("p", json!({})))));
        assert_eq!(names(&world), ["cart"]);
        world.apply(Seen::Dataplane(Event::Init));
        world.apply(Seen::Dataplane(Event::InitDone));
        assert_eq!(names(&world), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_read_is_named_and_left_out() {
        let mut world = World::new(None);
        world.apply(Seen::Dataplane(Event::Apply(dataplane("p", json!({})))));
        let warning = world.apply(Seen::Dataplane(Event::Apply(dataplane("p", json!("x")))));
        let warning = warning.unwrap();
        assert_eq!(
            warning,
            "Dataplane shop/p cannot be read and is left out: spec is a string where an object is expected"
        );
        assert_eq!(names(&world), Vec::<String>::new());
    }
}
