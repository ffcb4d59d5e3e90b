//! Writes that are due, or would be in another mode.

use kuma_workload_rulebook::{
    quoted::printable,
    roster::{Mode, Write},
};

use super::Verdict;
use crate::explain::{Facts, NamespaceState};

/// The rules of a write, what it is for, and what it does.
fn of_write(write: &Write) -> (Vec<&'static str>, &'static str, String) {
    match write {
        Write::Create { mesh } => (
            vec!["L4"],
            "Dataplanes of one mesh refer to it, and it does not exist",
            format!("created in mesh {}", printable(mesh)),
        ),
        Write::Relabel {
            mesh,
            drop_mesh_owners,
        } => {
            let rules = match drop_mesh_owners.is_empty() {
                true => vec!["L5"],
                false => vec!["L5", "L12"],
            };
            let fits = "Dataplanes of one mesh refer to it, and its labels or owners do not fit";
            (
                rules,
                fits,
                format!("labelled for mesh {}", printable(mesh)),
            )
        }
        Write::Delete => (
            vec!["L2"],
            "nothing refers to it, and this program has made it",
            "deleted".to_owned(),
        ),
    }
}

/// What is said about a write that is due.
pub(super) fn due(facts: &Facts, write: &Write) -> Verdict {
    let (mut rules, why, what) = of_write(write);
    let decision = format!("{why}: it is {what}");
    let namespace = &facts.key.namespace;
    match write {
        Write::Create { mesh } => match (facts.namespace, &facts.obstacle) {
            (NamespaceState::Terminating, _) => facts.absent(
                &format!(
                    "namespace {namespace} is being deleted, so that nothing can be created there"
                ),
                &["L4", "L15"],
                decision,
            ),
            (NamespaceState::Missing, _) => facts.absent(
                &format!("namespace {namespace} does not exist"),
                &["L4", "L15"],
                decision,
            ),
            (_, Some(obstacle)) => facts.absent(obstacle, &rules, decision),
            (_, None) => Verdict {
                answer: format!(
                    "{} does not exist, and should: Dataplanes of mesh {} refer to it.",
                    facts.name(),
                    printable(mesh)
                ),
                rules,
                decision,
            },
        },
        Write::Relabel { .. } => facts.present(
            &facts.to_do("its labels are to be corrected"),
            &rules,
            decision,
        ),
        Write::Delete => {
            rules.push("L19");
            facts.present(&facts.to_do("it is to be deleted"), &rules, decision)
        }
    }
}

/// What is said about a write that another mode would do (L17).
pub(super) fn withheld(facts: &Facts, write: &Write) -> Verdict {
    let (mut rules, why, what) = of_write(write);
    rules.insert(0, "L17");
    let clause = withheld_because(facts.mode);
    let decision = format!("{why}: it would be {what}, but {clause}");
    match write {
        Write::Create { .. } => facts.absent(clause, &rules, decision),
        _ => facts.present(&format!("is not {what} because {clause}"), &rules, decision),
    }
}

/// Why a write is withheld in this mode, as a clause (L17).
fn withheld_because(mode: Mode) -> &'static str {
    match mode {
        Mode::Manage => "nothing is withheld in mode manage",
        Mode::Observe => "no Workload is written in mode observe",
        Mode::Yield => "Workloads are left to a control plane in mode auto",
    }
}
