//! The one write that a reconciliation makes, as a pure function of what the index says.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kuma_workload_rulebook::{
    counts::Counts,
    roster::{Action, Write},
};

use crate::{
    kinds,
    run::{
        index::{CachedWorkload, WorkloadView},
        metrics::ReconcileResult,
    },
};

/// What a reconciliation writes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// The object.
    Object(Write),
    /// The numbers in its status.
    Status(Counts),
}

impl Change {
    /// The change that is due; none if there is nothing to write.
    pub(super) fn due(view: &WorkloadView) -> Option<Self> {
        match &view.decision.action {
            Action::Write(write) => Some(Self::Object(write.clone())),
            _ => {
                let status = view.decision.status.filter(|status| status.ours)?;
                let reported = view.existing.as_ref()?.reported;
                (reported != Some(status.counts.into())).then_some(Self::Status(status.counts))
            }
        }
    }
}

/// The result when nothing is written.
pub(super) fn result_without_change(action: &Action) -> ReconcileResult {
    match action {
        Action::Nothing | Action::Write(_) => ReconcileResult::Unchanged,
        Action::Withheld(_) => ReconcileResult::Withheld,
        Action::Leave { .. } => ReconcileResult::Foreign,
        Action::Conflict { .. } => ReconcileResult::Conflict,
        Action::Impossible(_) => ReconcileResult::Impossible,
    }
}

/// The owners of a Workload without the dropped Meshes, and with the new Mesh where it is known (L12).
pub(super) fn owners(
    existing: &CachedWorkload,
    dropped_meshes: &BTreeSet<String>,
    mesh: Option<&OwnerReference>,
) -> Vec<OwnerReference> {
    let is_dropped =
        |owner: &OwnerReference| kinds::is_mesh(owner) && dropped_meshes.contains(&owner.name);
    let kept = existing.owners.iter().filter(|owner| !is_dropped(owner));
    let is_missing =
        |mesh: &&OwnerReference| existing.owners.iter().all(|owner| owner.uid != mesh.uid);
    kept.chain(mesh.filter(is_missing)).cloned().collect()
}
