//! Compares the roster with a simple model that stores everything it is told, and computes all
//! results anew after each step.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use kuma_workload_rulebook::{
    counts::{Counts, Inbounds},
    identifier::{self, NameForm},
    roster::{
        Action, Census, Changes, Decision, ExistingWorkload, Foreign, Generation, Key, ListScope,
        MANAGER, Mode, Presence, PresenceByMesh, Roster, RosterDataplane, RosterInsight,
        StatusNumbers, SweptTo, WatchedKind, Write,
    },
};
use proptest::{prelude::*, sample::select};

const NAMESPACES: [&str; 2] = ["team", "other"];
const NAMES: [&str; 5] = ["web-0", "web-1", "web-7d9f8b6c5d-x2k4q", "web", "web-"];
const WORKLOADS: [Option<&str>; 6] = [
    Some("web"),
    Some("api"),
    Some("team"),
    Some("Bad_Name"),
    Some(""),
    None,
];
const MESHES: [Option<&str>; 5] = [Some("a"), Some("b"), Some("default"), Some(""), None];
const INBOUNDS: [Inbounds; 3] = [Inbounds::Absent, Inbounds::Ready, Inbounds::NotReady];
const WATCHED: [WatchedKind; 2] = [WatchedKind::Dataplanes, WatchedKind::Insights];
const SCOPES: [ListScope<'_>; 3] = [
    ListScope::Cluster,
    ListScope::Namespace("team"),
    ListScope::Namespace("other"),
];
const MODES: [Mode; 3] = [Mode::Manage, Mode::Observe, Mode::Yield];

/// What the roster is told.
#[derive(Debug, Clone, Copy)]
enum Step {
    Apply(RosterDataplane<'static>),
    Delete(&'static str, &'static str),
    ApplyInsight(RosterInsight<'static>),
    DeleteInsight(&'static str, &'static str),
    Relist(WatchedKind, ListScope<'static>),
    Sweep(WatchedKind, ListScope<'static>),
}

fn step() -> impl Strategy<Value = Step> {
    let dataplane = (
        select(&NAMESPACES),
        select(&NAMES),
        select(&WORKLOADS),
        select(&MESHES),
        any::<bool>(),
        select(&INBOUNDS),
    );
    let dataplane =
        dataplane.prop_map(
            |(namespace, name, workload, mesh, local, inbounds)| RosterDataplane {
                namespace,
                name,
                workload,
                mesh,
                local,
                inbounds,
            },
        );
    let insight = (
        select(&NAMESPACES),
        select(&NAMES),
        select(&MESHES),
        any::<bool>(),
    );
    let insight = insight.prop_map(|(namespace, name, mesh, online)| RosterInsight {
        namespace,
        name,
        mesh,
        online,
    });
    let address = || (select(&NAMESPACES), select(&NAMES));
    let list = || (select(&WATCHED), select(&SCOPES));
    prop_oneof![
        8 => dataplane.prop_map(Step::Apply),
        2 => address().prop_map(|(namespace, name)| Step::Delete(namespace, name)),
        4 => insight.prop_map(Step::ApplyInsight),
        1 => address().prop_map(|(namespace, name)| Step::DeleteInsight(namespace, name)),
        1 => list().prop_map(|(watched, scope)| Step::Relist(watched, scope)),
        2 => list().prop_map(|(watched, scope)| Step::Sweep(watched, scope)),
    ]
}

type Address = (&'static str, &'static str);

#[derive(Debug, Clone, Default)]
struct Model {
    dataplanes: BTreeMap<Address, RosterDataplane<'static>>,
    insights: BTreeMap<Address, RosterInsight<'static>>,
    /// For each list that has begun: the objects that it has not shown.
    unlisted: Vec<(List, BTreeSet<Address>)>,
}

/// What is listed.
type List = (WatchedKind, ListScope<'static>);

fn mesh_of(field: Option<&'static str>) -> &'static str {
    match field {
        None | Some("") => "default",
        Some(mesh) => mesh,
    }
}

fn covers(scope: ListScope<'_>, (namespace, _): &Address) -> bool {
    match scope {
        ListScope::Cluster => true,
        ListScope::Namespace(only) => only == *namespace,
    }
}

impl Model {
    fn take(&mut self, step: Step) {
        match step {
            Step::Apply(dataplane) => {
                let address = (dataplane.namespace, dataplane.name);
                self.dataplanes.insert(address, dataplane);
                self.show(WatchedKind::Dataplanes, &address);
            }
            Step::Delete(namespace, name) => {
                self.dataplanes.remove(&(namespace, name));
            }
            Step::ApplyInsight(insight) => {
                let address = (insight.namespace, insight.name);
                self.insights.insert(address, insight);
                self.show(WatchedKind::Insights, &address);
            }
            Step::DeleteInsight(namespace, name) => {
                self.insights.remove(&(namespace, name));
            }
            Step::Relist(watched, scope) => {
                let known: Vec<_> = match watched {
                    WatchedKind::Dataplanes => self.dataplanes.keys().collect(),
                    WatchedKind::Insights => self.insights.keys().collect(),
                };
                let listed = known.into_iter().filter(|address| covers(scope, address));
                let unlisted = listed.copied().collect();
                self.unlisted.retain(|(list, _)| *list != (watched, scope));
                self.unlisted.push(((watched, scope), unlisted));
            }
            Step::Sweep(watched, scope) => {
                let mut lists = self.unlisted.iter();
                let Some((_, unlisted)) = lists.find(|(list, _)| *list == (watched, scope)) else {
                    return;
                };
                match watched {
                    WatchedKind::Dataplanes => self.dataplanes.retain(|a, _| !unlisted.contains(a)),
                    WatchedKind::Insights => self.insights.retain(|a, _| !unlisted.contains(a)),
                }
            }
        }
    }

    /// An object is applied, and so was in each list that has begun.
    fn show(&mut self, shown: WatchedKind, address: &Address) {
        for ((watched, _), unlisted) in &mut self.unlisted {
            if *watched == shown {
                unlisted.remove(address);
            }
        }
    }

    fn references(&self) -> impl Iterator<Item = (Key, &RosterDataplane<'static>)> {
        self.dataplanes.values().filter_map(|dataplane| {
            let workload = dataplane.workload.filter(|workload| !workload.is_empty())?;
            let key = Key {
                namespace: dataplane.namespace.to_owned(),
                workload: workload.to_owned(),
            };
            dataplane.local.then_some((key, dataplane))
        })
    }

    fn referring_to(&self, key: &Key) -> Vec<&RosterDataplane<'static>> {
        self.references()
            .filter(|(referred, _)| referred == key)
            .map(|(_, dataplane)| dataplane)
            .collect()
    }

    fn meshes(&self, key: &Key) -> BTreeSet<&'static str> {
        let dataplanes = self.referring_to(key).into_iter();
        dataplanes.map(|d| mesh_of(d.mesh)).collect()
    }

    fn counts(&self, key: &Key, mesh: &str) -> Counts {
        let mut counts = Counts::default();
        for dataplane in self.referring_to(key) {
            if mesh_of(dataplane.mesh) != mesh {
                continue;
            }
            let insight = self.insights.get(&(dataplane.namespace, dataplane.name));
            let connected = insight.is_some_and(|i| i.online && mesh_of(i.mesh) == mesh);
            counts.total += 1;
            counts.connected += u32::from(connected);
            counts.healthy += u32::from(match dataplane.inbounds {
                Inbounds::Ready => true,
                Inbounds::NotReady => false,
                Inbounds::Absent => connected,
            });
        }
        counts
    }

    fn all_counts(&self, key: &Key) -> BTreeMap<String, Counts> {
        self.meshes(key)
            .into_iter()
            .map(|mesh| (mesh.to_owned(), self.counts(key, mesh)))
            .collect()
    }

    fn namespace(&self, namespace: &str) -> PresenceByMesh {
        let mut meshes: BTreeMap<String, Presence> = BTreeMap::new();
        let mut keys = BTreeSet::new();
        for (key, dataplane) in self.references() {
            if key.namespace == namespace {
                let mesh = mesh_of(dataplane.mesh).to_owned();
                meshes.entry(mesh).or_default().dataplanes += 1;
                keys.insert(key);
            }
        }
        for key in keys {
            let of_key = self.meshes(&key);
            if let (1, Some(mesh)) = (of_key.len(), of_key.first()) {
                meshes.entry((*mesh).to_owned()).or_default().workloads += 1;
            }
        }
        PresenceByMesh { meshes }
    }

    fn census(&self) -> Census {
        let keys: BTreeSet<_> = self.references().map(|(key, _)| key).collect();
        let namespaces: BTreeSet<_> = keys.iter().map(|key| &key.namespace).collect();
        Census {
            workloads: keys.len(),
            conflicts: keys.iter().filter(|k| self.meshes(k).len() > 1).count(),
            namespaces: namespaces.len(),
            dataplanes: self.references().count(),
            insights: self
                .insights
                .values()
                .filter(|insight| insight.online)
                .count(),
        }
    }

    fn decide(&self, key: &Key, existing: Option<&ExistingWorkload<'_>>, mode: Mode) -> Decision {
        let meshes = self.meshes(key);
        let action = match existing {
            None => decide_missing(&key.workload, &meshes),
            Some(existing) => decide_existing(&meshes, existing),
        };
        let action = match action {
            Action::Write(write)
                if mode == Mode::Observe || (mode == Mode::Yield && write != Write::Delete) =>
            {
                Action::Withheld(write)
            }
            action => action,
        };
        let labelled = match &action {
            Action::Write(Write::Create { mesh } | Write::Relabel { mesh, .. }) => {
                Some(mesh.clone())
            }
            Action::Write(Write::Delete) => None,
            _ => existing.map(|e| match e.mesh {
                None | Some("") => "default".to_owned(),
                Some(mesh) => mesh.to_owned(),
            }),
        };
        let written = matches!(action, Action::Write(_));
        let ours_already = existing.is_some_and(|e| e.managed_by == Some(MANAGER) && !e.is_copy);
        let status = labelled.map(|mesh| StatusNumbers {
            counts: self.counts(key, &mesh),
            ours: mode == Mode::Manage && (written || ours_already),
        });
        Decision { action, status }
    }
}

fn conflict(meshes: &BTreeSet<&str>, orphan: bool) -> Action {
    Action::Conflict {
        meshes: meshes.iter().map(|&mesh| mesh.to_owned()).collect(),
        orphan,
    }
}

fn decide_missing(workload: &str, meshes: &BTreeSet<&str>) -> Action {
    let name = identifier::check(workload, NameForm::Kubernetes);
    match (meshes.len(), name) {
        (0, _) => Action::Nothing,
        (_, Err(fault)) => Action::BadName(fault),
        (1, Ok(())) => Action::Write(Write::Create {
            mesh: (*meshes.first().unwrap()).to_owned(),
        }),
        _ => conflict(meshes, false),
    }
}

fn decide_existing(meshes: &BTreeSet<&str>, existing: &ExistingWorkload<'_>) -> Action {
    let referenced = !meshes.is_empty();
    if meshes.len() > 1 {
        return conflict(meshes, true);
    }
    if existing.is_copy {
        let why = Foreign::NotLocal;
        return Action::Leave { why, referenced };
    }
    match (meshes.first(), existing.managed_by) {
        (_, Some(other)) if other != MANAGER => {
            let why = Foreign::ManagedBy(other.to_owned());
            Action::Leave { why, referenced }
        }
        (None, Some(_)) => Action::Write(Write::Delete),
        (None, None) => Action::Leave {
            why: Foreign::Unmanaged,
            referenced,
        },
        (Some(&mesh), manager) => {
            let right = manager.is_some()
                && existing.mesh == Some(mesh)
                && existing.mesh_owners.iter().all(|owner| *owner == mesh);
            if right {
                return Action::Nothing;
            }
            Action::Write(Write::Relabel {
                mesh: mesh.to_owned(),
                drop_mesh_owners: existing
                    .mesh_owners
                    .iter()
                    .filter(|owner| **owner != mesh)
                    .map(|owner| (*owner).to_owned())
                    .collect(),
            })
        }
    }
}

fn existing_workloads() -> Vec<Option<ExistingWorkload<'static>>> {
    let labelled = |mesh, managed_by| ExistingWorkload {
        mesh,
        managed_by,
        ..ExistingWorkload::default()
    };
    vec![
        None,
        Some(labelled(Some("a"), Some(MANAGER))),
        Some(labelled(Some("b"), Some(MANAGER))),
        Some(labelled(None, Some(MANAGER))),
        Some(labelled(Some("a"), None)),
        Some(labelled(Some("a"), Some("someone"))),
        Some(ExistingWorkload {
            is_copy: true,
            ..labelled(Some("a"), Some(MANAGER))
        }),
        Some(ExistingWorkload {
            mesh_owners: vec!["a", "b"],
            ..labelled(Some("a"), Some(MANAGER))
        }),
    ]
}

fn every_key() -> Vec<Key> {
    let workloads = WORKLOADS.iter().flatten().filter(|name| !name.is_empty());
    workloads
        .flat_map(|workload| {
            NAMESPACES.map(|namespace| Key {
                namespace: namespace.to_owned(),
                workload: (*workload).to_owned(),
            })
        })
        .collect()
}

/// The roster, and the lists that have begun.
#[derive(Default)]
struct Subject {
    roster: Roster,
    lists: Vec<(List, Generation)>,
}

impl Subject {
    fn take(&mut self, step: Step) -> Changes {
        match step {
            Step::Apply(dataplane) => self.roster.apply(&dataplane),
            Step::Delete(namespace, name) => self.roster.delete(namespace, name),
            Step::ApplyInsight(insight) => self.roster.apply_insight(&insight),
            Step::DeleteInsight(namespace, name) => self.roster.delete_insight(namespace, name),
            Step::Relist(watched, scope) => {
                let began = self.roster.relist();
                self.lists.retain(|(list, _)| *list != (watched, scope));
                self.lists.push(((watched, scope), began));
                Changes::default()
            }
            Step::Sweep(watched, scope) => self.sweep(watched, scope),
        }
    }

    /// In slices, as the caller does it.
    fn sweep(&mut self, watched: WatchedKind, scope: ListScope<'static>) -> Changes {
        const SLICE: usize = 2;
        let mut changes = Changes::default();
        let mut lists = self.lists.iter();
        let Some(&(_, began)) = lists.find(|(list, _)| *list == (watched, scope)) else {
            return changes;
        };
        let mut swept_to = SweptTo::default();
        loop {
            let swept = self
                .roster
                .sweep(watched, scope, began, &mut swept_to, SLICE);
            changes.keys.extend(swept.changes.keys);
            changes.namespaces.extend(swept.changes.namespaces);
            if !swept.has_more {
                return changes;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn l1_to_l14_as_if_recomputed_from_scratch(steps in prop::collection::vec(step(), 1..50)) {
        let (mut subject, mut model) = (Subject::default(), Model::default());
        let keys = every_key();
        let workloads = existing_workloads();
        for step in steps {
            let before = model.clone();
            let changes = subject.take(step);
            model.take(step);
            let roster = &subject.roster;

            // The roster may report more keys, but it reports exactly those whose counts changed.
            let moved = keys.iter().filter(|key| before.all_counts(key) != model.all_counts(key));
            prop_assert_eq!(&changes.keys, &moved.cloned().collect(), "{:?}", step);
            for namespace in NAMESPACES {
                let (old, new) = (before.namespace(namespace), model.namespace(namespace));
                let facts = |namespace: &PresenceByMesh| -> Vec<_> {
                    let meshes = namespace.meshes.iter();
                    meshes.map(|(mesh, has)| (mesh.clone(), has.workloads > 0)).collect()
                };
                let told = changes.namespaces.contains(namespace);
                prop_assert_eq!(told, facts(&old) != facts(&new), "{:?}", step);
                prop_assert_eq!(roster.namespace(namespace), new);
            }
            prop_assert_eq!(roster.census(), model.census());

            for key in &keys {
                let told = changes.keys.contains(key);
                let counts = roster.references(key).iter();
                let counts: BTreeMap<_, _> = counts.map(|(m, c)| (m.to_owned(), c)).collect();
                prop_assert_eq!(counts, model.all_counts(key));
                for (existing, mode) in workloads
                    .iter()
                    .flat_map(|existing| MODES.map(|mode| (existing.as_ref(), mode)))
                {
                    let decision = model.decide(key, existing, mode);
                    prop_assert!(told || before.decide(key, existing, mode) == decision);
                    prop_assert_eq!(roster.decide(key, existing, mode), decision);
                }
            }
        }
    }
}
