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
    /// The request, as failures name it.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Object(Write::Create { .. }) => "create workloads.kuma.io",
            Self::Object(Write::Relabel { .. }) => "patch workloads.kuma.io",
            Self::Object(Write::Delete) => "delete workloads.kuma.io",
            Self::Status(_) => "patch the status of workloads.kuma.io",
        }
    }

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

/// A change that the API server has rejected, and what it was based on.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::run) struct RejectedChange {
    change: Change,
    resource_version: Option<Box<str>>,
}

impl RejectedChange {
    /// A change of a Workload of this version.
    #[cfg(test)]
    pub(in crate::run) fn example(version: u32) -> Self {
        Self {
            change: Change::Status(Counts::default()),
            resource_version: Some(version.to_string().into()),
        }
    }

    /// This change of a Workload as it is.
    pub(super) fn of(change: Change, view: &WorkloadView) -> Self {
        let existing = view.existing.as_ref();
        Self {
            change,
            resource_version: existing.map(|existing| existing.resource_version.clone()),
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
        Action::BadName(_) => ReconcileResult::BadName,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{index::Index, mode::ConfiguredMode};
    use kuma_workload_rulebook::roster::{Key, MANAGER};
    use rstest::rstest;
    use serde_json::{Value, json};

    /// A view of a Workload with one proxy in mesh `a`.
    fn view(workload: Option<Value>) -> WorkloadView {
        let mut index = Index::new(ConfiguredMode::Manage, None, false);
        let dataplane = json!({
            "metadata": {
                "namespace": "shop", "name": "web-0",
                "annotations": { "kuma.io/workload": "web" },
            },
            "mesh": "a",
            "spec": { "networking": { "inbound": [{}] } },
        });
        index.apply_dataplane(&serde_json::from_value(dataplane).unwrap());
        if let Some(mut workload) = workload {
            workload["metadata"]["namespace"] = json!("shop");
            workload["metadata"]["name"] = json!("web");
            index.apply_workload(&serde_json::from_value(workload).unwrap());
        }
        index.view(&Key {
            namespace: "shop".into(),
            workload: "web".into(),
        })
    }

    fn workload(mesh: &str, manager: &str, total: i32) -> Value {
        json!({
            "metadata": { "labels": { "kuma.io/mesh": mesh, "kuma.io/managed-by": manager } },
            "status": { "dataplaneProxies": { "healthy": 1, "total": total } },
        })
    }

    const RIGHT: Counts = Counts {
        connected: 0,
        healthy: 1,
        total: 1,
    };

    #[rstest]
    #[case::l4_missing(None, Some(Change::Object(Write::Create { mesh: "a".into() })))]
    #[case::l5_labels_before_numbers(
        Some(workload("b", MANAGER, 7)),
        Some(Change::Object(Write::Relabel { mesh: "a".into(), drop_mesh_owners: BTreeSet::new() }))
    )]
    #[case::s4_other_numbers(Some(workload("a", MANAGER, 7)), Some(Change::Status(RIGHT)))]
    #[case::s4_the_same_numbers(Some(workload("a", MANAGER, 1)), None)]
    #[case::l16_of_another_manager(Some(workload("a", "helm", 7)), None)]
    fn due(#[case] existing: Option<Value>, #[case] expected: Option<Change>) {
        assert_eq!(Change::due(&view(existing)), expected);
    }

    fn mesh_owner(name: &str) -> OwnerReference {
        let owner = json!({
            "apiVersion": "kuma.io/v1alpha1", "kind": "Mesh", "name": name, "uid": name,
        });
        serde_json::from_value(owner).unwrap()
    }

    #[rstest]
    #[case::dropped_without_a_new_one(&["old"], None, &["other"])]
    #[case::replaced(&["old"], Some("new"), &["other", "new"])]
    #[case::there_already(&["old", "new"], Some("new"), &["new", "other"])]
    fn l12_owners(#[case] meshes: &[&str], #[case] new: Option<&str>, #[case] expected: &[&str]) {
        let mut owners: Vec<_> = meshes.iter().map(|name| mesh_owner(name)).collect();
        owners.push(OwnerReference {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            ..mesh_owner("other")
        });
        let workload = json!({ "metadata": { "ownerReferences": owners } });
        let existing = view(Some(workload)).existing.unwrap();
        let dropped = BTreeSet::from(["old".to_owned(), "other".to_owned()]);
        let owners = super::owners(&existing, &dropped, new.map(mesh_owner).as_ref());
        let names: Vec<_> = owners.iter().map(|owner| &*owner.name).collect();
        assert_eq!(names, expected);
    }
}
