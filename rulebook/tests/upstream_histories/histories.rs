//! The Workloads that Kuma's real control plane made in 60 histories, and what the roster decides in
//! them. The reconciler's replay on a real API server reads this file too.
//!
//! The Workload objects are simulated: a step changes Dataplanes or Workloads, then every key that
//! changed is decided until nothing is left to do. The names and labels must be upstream's, apart
//! from who manages them. Only one thing may lead elsewhere, and the history shows it: a Workload
//! of a foreign manager, which upstream takes over and the roster leaves (L6), together with what
//! follows from that (L3, L8).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
};

use flate2::read::GzDecoder;
use kuma_workload_rulebook::{
    counts::Inbounds,
    keys,
    roster::{
        Action, CONTROL_PLANE, ExistingWorkload, Key, MANAGER, Mode, Roster, RosterDataplane,
        Write, labels,
    },
};
use serde::Deserialize;

const NAMESPACE: &str = "team";

pub(crate) type Labels = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct History {
    pub(crate) id: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) workloads_after_each_step: Vec<Vec<(String, Labels)>>,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "camelCase")]
pub(crate) enum Step {
    ApplyDataplane {
        name: String,
        mesh: String,
        workload: Option<String>,
        code: u16,
    },
    DeleteDataplane {
        name: String,
        code: u16,
    },
    CreateWorkload {
        name: String,
        labels: Labels,
        code: u16,
    },
    DeleteWorkload {
        name: String,
        code: u16,
    },
}

pub(crate) fn histories() -> Vec<History> {
    let mut lines = String::new();
    GzDecoder::new(&include_bytes!("histories.jsonl.gz")[..])
        .read_to_string(&mut lines)
        .unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A namespace: its Dataplanes, known to the roster, and its Workloads.
#[derive(Default)]
pub(crate) struct World {
    roster: Roster,
    dataplanes: BTreeSet<String>,
    pub(crate) workloads: BTreeMap<String, Labels>,
    /// The Workloads that upstream has taken over from a foreign manager, as they were.
    taken_over: BTreeMap<String, Labels>,
}

fn key(workload: &str) -> Key {
    Key {
        namespace: NAMESPACE.to_owned(),
        workload: workload.to_owned(),
    }
}

impl World {
    /// Takes a step and answers as the API server would, with the keys to look at.
    fn take(&mut self, step: &Step) -> (u16, BTreeSet<Key>) {
        match step {
            Step::ApplyDataplane {
                name,
                mesh,
                workload,
                ..
            } => {
                let new = self.dataplanes.insert(name.clone());
                let changes = self.roster.apply(&RosterDataplane {
                    namespace: NAMESPACE,
                    name,
                    workload: workload.as_deref(),
                    mesh: Some(mesh),
                    local: true,
                    inbounds: Inbounds::Absent,
                });
                (if new { 201 } else { 200 }, changes.keys)
            }
            Step::DeleteDataplane { name, .. } => {
                let there = self.dataplanes.remove(name);
                let changes = self.roster.delete(NAMESPACE, name);
                (if there { 200 } else { 404 }, changes.keys)
            }
            Step::CreateWorkload { name, labels, .. } => {
                if self.workloads.contains_key(name) {
                    return (409, BTreeSet::new());
                }
                let mut labels = labels.clone();
                if labels
                    .get(keys::MANAGED_BY)
                    .is_some_and(|m| m == CONTROL_PLANE)
                {
                    labels.insert(keys::MANAGED_BY.to_owned(), MANAGER.to_owned());
                }
                self.workloads.insert(name.clone(), labels);
                (201, [key(name)].into())
            }
            Step::DeleteWorkload { name, .. } => {
                self.taken_over.remove(name);
                let there = self.workloads.remove(name).is_some();
                (if there { 200 } else { 404 }, [key(name)].into())
            }
        }
    }

    fn decide(&self, key: &Key) -> Action {
        let existing = self
            .workloads
            .get(&key.workload)
            .map(|labels| ExistingWorkload {
                mesh: labels.get(keys::MESH).map(String::as_str),
                managed_by: labels.get(keys::MANAGED_BY).map(String::as_str),
                ..ExistingWorkload::default()
            });
        let decision = self.roster.decide(key, existing.as_ref(), Mode::Manage);
        decision.action
    }

    fn settle(&mut self, keys: BTreeSet<Key>) {
        for key in keys {
            match self.decide(&key) {
                Action::Write(Write::Create { mesh } | Write::Relabel { mesh, .. }) => {
                    let own = labels(&mesh).map(|(key, value)| (key.to_owned(), value.to_owned()));
                    self.workloads
                        .entry(key.workload.clone())
                        .or_default()
                        .extend(own);
                }
                Action::Write(Write::Delete) => {
                    self.workloads.remove(&key.workload);
                }
                Action::Leave {
                    referenced: true, ..
                } => {
                    let labels = self.workloads[&key.workload].clone();
                    self.taken_over
                        .entry(key.workload.clone())
                        .or_insert(labels);
                }
                Action::Nothing
                | Action::Leave { .. }
                | Action::Conflict { .. }
                | Action::Impossible(_) => continue,
                Action::Withheld(write) => panic!("{write:?} is withheld in mode manage"),
            }
            let left = self.decide(&key);
            assert!(!matches!(left, Action::Write(_)), "{key:?} never settles");
        }
    }

    /// The rule that keeps a Workload of a foreign manager as it was, where upstream has it so.
    fn rule(&self, name: &str, upstream: Option<&Labels>) -> Option<&'static str> {
        let key = key(name);
        let upstream_mesh = upstream
            .and_then(|labels| labels.get(keys::MESH))
            .map(|m| &**m);
        let (rule, upstream_went_on) = match self.decide(&key) {
            Action::Leave {
                referenced: true, ..
            } => {
                let mesh = self.roster.references(&key).sole_mesh();
                ("L6", upstream_mesh == mesh)
            }
            Action::Leave { .. } => ("L3", upstream.is_none()),
            // Upstream's orphan may be of any mesh of the past, or gone since before the conflict.
            Action::Conflict { orphan: true, .. } => ("L8", true),
            _ => return None,
        };
        let taken_over = self.taken_over.contains_key(name);
        (taken_over && upstream_went_on).then_some(rule)
    }
}

/// What is compared of a Workload: its labels but for the manager's, and of one that no Dataplane
/// refers to, nothing: upstream's status updater writes into those (as told in the file's source).
fn compared(world: &World, name: &str, labels: &Labels) -> Labels {
    let mut labels = labels.clone();
    labels.remove(keys::MANAGED_BY);
    if world.roster.references(&key(name)).is_empty() {
        labels.clear();
    }
    labels
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) steps: usize,
    /// The Workloads that are upstream's.
    pub(crate) equal: usize,
    /// The Workloads that are not, or are missing there, for each rule that says why.
    pub(crate) better: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// What all of them come to.
    pub(crate) fn of_all() -> Self {
        Self {
            steps: 360,
            equal: 260,
            better: [("L3", 5), ("L6", 4), ("L8", 1)].into(),
        }
    }
}

/// Takes a step, settles, and compares: each difference must have a rule that says why. Gives the
/// API server's answer.
pub(crate) fn replay(
    world: &mut World,
    step: &Step,
    upstream: &BTreeMap<String, Labels>,
    place: &str,
    tally: &mut Tally,
) -> u16 {
    let (Step::ApplyDataplane { code, name, .. }
    | Step::DeleteDataplane { code, name }
    | Step::CreateWorkload { code, name, .. }
    | Step::DeleteWorkload { code, name }) = step;
    let about_taken_over = world.taken_over.contains_key(name);
    let (answer, keys) = world.take(step);
    if !about_taken_over {
        assert_eq!(answer, *code, "{place}");
    }
    world.settle(keys);
    tally.steps += 1;

    for (name, before) in &world.taken_over {
        assert_eq!(world.workloads.get(name), Some(before), "{place}: {name}");
    }
    let names: BTreeSet<_> = world.workloads.keys().chain(upstream.keys()).collect();
    for name in names {
        let find = |labels: Option<&Labels>| labels.map(|l| compared(world, name, l));
        let (own, theirs) = (find(world.workloads.get(name)), find(upstream.get(name)));
        if own == theirs {
            tally.equal += 1;
        } else {
            let rule = world.rule(name, theirs.as_ref());
            let rule = rule.unwrap_or_else(|| panic!("{place}: {name}: {own:?}, not {theirs:?}"));
            *tally.better.entry(rule).or_default() += 1;
        }
    }
    answer
}
