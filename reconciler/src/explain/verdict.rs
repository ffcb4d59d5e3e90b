//! The answer in one sentence, the decision, and its rules.

mod wording;
mod write;

use kuma_workload_rulebook::{
    quoted::{Quoted, printable},
    roster::{Action, CONTROL_PLANE, Foreign, MANAGER},
};

pub(super) use self::wording::Verdict;
use self::write::{due, withheld};
use super::{Facts, KnownWorkload, NamespaceState};
use crate::crd::DataplaneProxies;

/// What follows from these facts.
pub(super) fn verdict(facts: &Facts) -> Verdict {
    if let Some(first) = facts.waiting_for.first() {
        return Verdict {
            answer: format!(
                "It is not known yet whether {} should exist: {first}.",
                facts.name()
            ),
            rules: vec!["L23"],
            decision: "nothing is decided before each kind has been listed".to_owned(),
        };
    }
    if facts.namespace == NamespaceState::Unselected {
        return unselected(facts);
    }
    if facts
        .workload
        .as_ref()
        .is_some_and(|it| it.is_being_deleted)
    {
        return going(facts);
    }
    match &facts.decision.action {
        Action::Nothing => nothing(facts),
        Action::Write(write) => due(facts, write),
        Action::Withheld(write) => withheld(facts, write),
        Action::Leave { why, referenced } => left(facts, why, *referenced),
        Action::Conflict { meshes, orphan } => {
            let meshes: Vec<_> = meshes.iter().map(|mesh| printable(mesh)).collect();
            let several = format!(
                "Dataplanes of several meshes refer to it ({})",
                meshes.join(", ")
            );
            match orphan {
                false => facts.absent(
                    &several,
                    &["L7"],
                    format!("{several}, and it does not exist: nothing is created"),
                ),
                true => facts.present(
                    &format!("is left as it is because {several}"),
                    &["L8"],
                    format!("{several}, and it exists: it is left as it is"),
                ),
            }
        }
        Action::BadName(fault) => facts.absent(
            &format!("no Workload can have this name: {fault}"),
            &["W5"],
            format!(
                "{} cannot be the name of a Workload: nothing is created",
                Quoted(&facts.key.workload)
            ),
        ),
    }
}

fn unselected(facts: &Facts) -> Verdict {
    let namespace = &facts.key.namespace;
    let decision = "the Workloads of a namespace are left alone that --namespace or --namespace-selector does not select".to_owned();
    match facts.workload {
        None => facts.absent(
            &format!("namespace {namespace} is not selected"),
            &[],
            decision,
        ),
        Some(_) => facts.present(
            &format!("is left as it is because namespace {namespace} is not selected"),
            &[],
            decision,
        ),
    }
}

fn going(facts: &Facts) -> Verdict {
    let said = "is being deleted: it waits for its finalizers";
    match facts.dataplanes.is_empty() {
        true => facts.present(
            said,
            &["L2"],
            "nothing refers to it: it is let go".to_owned(),
        ),
        false => facts.present(
            said,
            &["L13"],
            "Dataplanes refer to it: it is made again when it has gone".to_owned(),
        ),
    }
}

fn nothing(facts: &Facts) -> Verdict {
    let Some(workload) = &facts.workload else {
        let decision = "nothing refers to it, and it does not exist: nothing is done".to_owned();
        return match facts.unreadable.first() {
            Some(unreadable) => facts.absent(unreadable, &["L1"], decision),
            None => {
                let namespace = &facts.key.namespace;
                let clause = format!("no Dataplane of namespace {namespace} refers to it");
                facts.absent(&clause, &["L1"], decision)
            }
        };
    };
    if facts.dataplanes.is_empty() {
        return facts.present(
            "is kept because a Dataplane that cannot be read names it",
            &["L2"],
            "nothing that can be read refers to it: it is deleted when none is unreadable"
                .to_owned(),
        );
    }
    match facts.numbers_to_write(workload) {
        Some(_) => facts.present(
            &facts.to_do("its numbers are to be written"),
            &["L5", "S4"],
            "its labels are right, and its numbers are not: they are written".to_owned(),
        ),
        None => facts.present(
            "is as it should be",
            &["L5"],
            "Dataplanes of one mesh refer to it, and its labels and numbers are right: nothing is done"
                .to_owned(),
        ),
    }
}

fn left(facts: &Facts, why: &Foreign, referenced: bool) -> Verdict {
    let refer = match referenced {
        true => "Dataplanes refer to it",
        false => "nothing refers to it",
    };
    let mut rules = match referenced {
        true => vec!["L6"],
        false => vec!["L3"],
    };
    let whose = match why {
        Foreign::ManagedBy(manager) if manager == CONTROL_PLANE => {
            rules.push("L16");
            format!("a control plane manages it (kuma.io/managed-by is {CONTROL_PLANE})")
        }
        Foreign::ManagedBy(manager) => {
            rules.push("L16");
            format!("{} manages it (kuma.io/managed-by)", Quoted(manager))
        }
        Foreign::Unmanaged => {
            format!("this program has not made it (kuma.io/managed-by is not {MANAGER})")
        }
        Foreign::NotLocal => {
            rules = vec!["S4"];
            "it is a copy of a Workload elsewhere".to_owned()
        }
    };
    let decision = format!("{refer}, and {whose}: it is left as it is");
    facts.present(
        &format!("is left as it is because {whose}"),
        &rules,
        decision,
    )
}

impl Facts {
    /// The numbers that are due for a Workload that exists.
    fn numbers_to_write(&self, workload: &KnownWorkload) -> Option<DataplaneProxies> {
        let status = self.decision.status.filter(|status| status.ours)?;
        let actual = status.counts.into();
        (workload.reported != Some(actual)).then_some(actual)
    }

    /// Whether something is to be written.
    pub(crate) fn is_write_due(&self) -> bool {
        let workload = self.workload.as_ref();
        let is_going = workload.is_some_and(|workload| workload.is_being_deleted);
        let numbers = workload.and_then(|workload| self.numbers_to_write(workload));
        let is_due = matches!(self.decision.action, Action::Write(_)) || numbers.is_some();
        is_due && !is_going && self.namespace != NamespaceState::Unselected
    }
}

#[cfg(test)]
mod tests;
