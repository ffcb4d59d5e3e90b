//! Replays 60 histories with the roster, and compares its decisions with the Workloads that Kuma's
//! real control plane made. The test of the reconciler on a real API server uses this file too.
//!
//! The Workload objects are simulated: a step changes Dataplanes or Workloads, and then the roster
//! decides about every key that changed until there is nothing left to do. The names and labels
//! must be the same as in Kuma, except for the manager. There is only one reason for another
//! result, and the history shows it: a Workload of another manager, which Kuma takes over and the
//! roster leaves (L6), and what follows from that (L3, L8).

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

/// A simulated namespace with its Dataplanes and Workloads.
#[derive(Default)]
pub(crate) struct SimulatedNamespace {
    roster: Roster,
    dataplanes: BTreeSet<String>,
    pub(crate) workloads: BTreeMap<String, Labels>,
    /// The Workloads that Kuma has taken over from another manager, as they were before.
    taken_over: BTreeMap<String, Labels>,
}

fn key(workload: &str) -> Key {
    Key {
        namespace: NAMESPACE.to_owned(),
        workload: workload.to_owned(),
    }
}

impl SimulatedNamespace {
    /// Takes a step. Returns the answer of the API server, and the keys that changed.
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
                | Action::BadName(_) => continue,
                Action::Withheld(write) => panic!("{write:?} is withheld in mode manage"),
            }
            let left = self.decide(&key);
            assert!(!matches!(left, Action::Write(_)), "{key:?} never settles");
        }
    }

    /// The rule by which the roster leaves a Workload of another manager, if Kuma's result shows
    /// that this is the reason.
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
            // Kuma's Workload may be in any earlier mesh, or may have gone before the conflict.
            Action::Conflict { orphan: true, .. } => ("L8", true),
            _ => return None,
        };
        let taken_over = self.taken_over.contains_key(name);
        (taken_over && upstream_went_on).then_some(rule)
    }
}

/// The labels of a Workload that are compared: all except the manager's. Those of a Workload that
/// no Dataplane refers to are not compared, because Kuma's status updater writes to such a
/// Workload.
fn compared(simulated: &SimulatedNamespace, name: &str, labels: &Labels) -> Labels {
    let mut labels = labels.clone();
    labels.remove(keys::MANAGED_BY);
    if simulated.roster.references(&key(name)).is_empty() {
        labels.clear();
    }
    labels
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) steps: usize,
    /// The Workloads that are the same as in Kuma.
    pub(crate) equal: usize,
    /// The Workloads that differ, or that only one side has, by the rule that is the reason.
    pub(crate) better: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// The tally of all histories.
    pub(crate) fn of_all() -> Self {
        Self {
            steps: 360,
            equal: 260,
            better: [("L3", 5), ("L6", 4), ("L8", 1)].into(),
        }
    }
}

/// Takes a step, carries out the decisions, and compares the result with Kuma's. Each difference
/// must have a rule that is the reason. Returns the answer of the API server.
pub(crate) fn replay(
    simulated: &mut SimulatedNamespace,
    step: &Step,
    upstream: &BTreeMap<String, Labels>,
    place: &str,
    tally: &mut Tally,
) -> u16 {
    let (Step::ApplyDataplane { code, name, .. }
    | Step::DeleteDataplane { code, name }
    | Step::CreateWorkload { code, name, .. }
    | Step::DeleteWorkload { code, name }) = step;
    let about_taken_over = simulated.taken_over.contains_key(name);
    let (answer, keys) = simulated.take(step);
    if !about_taken_over {
        assert_eq!(answer, *code, "{place}");
    }
    simulated.settle(keys);
    tally.steps += 1;

    for (name, before) in &simulated.taken_over {
        assert_eq!(
            simulated.workloads.get(name),
            Some(before),
            "{place}: {name}"
        );
    }
    let names: BTreeSet<_> = simulated.workloads.keys().chain(upstream.keys()).collect();
    for name in names {
        let find = |labels: Option<&Labels>| labels.map(|l| compared(simulated, name, l));
        let (own, theirs) = (
            find(simulated.workloads.get(name)),
            find(upstream.get(name)),
        );
        if own == theirs {
            tally.equal += 1;
        } else {
            let rule = simulated.rule(name, theirs.as_ref());
            let rule = rule.unwrap_or_else(|| panic!("{place}: {name}: {own:?}, not {theirs:?}"));
            *tally.better.entry(rule).or_default() += 1;
        }
    }
    answer
}
