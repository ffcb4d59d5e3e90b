//! One workload: its numbers as reported and as they are, and the findings.

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    counts::Counts,
    mesh,
    roster::{Action, ExistingWorkload, Foreign, Key, Mode, Roster},
};
use serde::Serialize;

use crate::{crd::DataplaneProxies, kinds::WorkloadRecord};

/// The numbers of proxies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Numbers {
    pub(super) connected: i64,
    pub(super) healthy: i64,
    pub(super) total: i64,
}

impl From<Counts> for Numbers {
    fn from(counts: Counts) -> Self {
        Self {
            connected: counts.connected.into(),
            healthy: counts.healthy.into(),
            total: counts.total.into(),
        }
    }
}

impl From<DataplaneProxies> for Numbers {
    fn from(proxies: DataplaneProxies) -> Self {
        Self {
            connected: proxies.connected.into(),
            healthy: proxies.healthy.into(),
            total: proxies.total.into(),
        }
    }
}

/// Something that is not as reported, or not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StatusFinding {
    /// The reported numbers are wrong.
    Numbers,
    /// The proxies are in another mesh than the label says.
    Mesh,
    /// Proxies in several meshes refer to it (L9).
    Conflict,
    /// Proxies refer to it, and it does not exist.
    Missing,
    /// It exists, and no proxy refers to it.
    Unreferenced,
    /// Its name cannot be the name of an object (W5).
    Name,
}

/// A workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub(super) namespace: String,
    pub(super) name: String,
    /// The mesh of its label. If it does not exist, the mesh of its proxies, if they are in one.
    pub(super) mesh: Option<String>,
    pub(super) manager: Option<String>,
    pub(super) reported: Option<Numbers>,
    /// None for a copy of a Workload in another zone, whose proxies are not here.
    pub(super) actual: Option<Numbers>,
    pub(super) meshes: BTreeMap<String, Numbers>,
    pub(super) findings: Vec<StatusFinding>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) gone: bool,
}

impl Row {
    /// The row of a key. None if neither the Workload nor proxies of it exist.
    pub(super) fn of(
        roster: &Roster,
        key: &Key,
        workload: Option<&WorkloadRecord>,
    ) -> Option<Self> {
        let references = roster.references(key);
        if references.is_empty() && workload.is_none() {
            return None;
        }
        let existing = workload.map(WorkloadRecord::facts);
        let decision = roster.decide(key, existing.as_ref(), Mode::Observe);
        let reported = workload
            .and_then(|workload| workload.reported)
            .map(Numbers::from);
        let is_copy = matches!(
            decision.action,
            Action::Leave {
                why: Foreign::NotLocal,
                ..
            }
        );
        let meshes: BTreeMap<_, Numbers> = references
            .iter()
            .map(|(mesh, counts)| (mesh.to_owned(), counts.into()))
            .collect();
        let actual = match decision.status {
            _ if is_copy => None,
            Some(status) => Some(status.counts.into()),
            None => Some(sum(meshes.values())),
        };
        let labelled = existing.as_ref().map(labelled_mesh);
        let sole = references.sole_mesh();
        let mut findings = Vec::new();
        let mut find = |found, finding| {
            if found {
                findings.push(finding);
            }
        };
        if !is_copy {
            let is_impossible = matches!(decision.action, Action::Impossible(_));
            find(is_impossible, StatusFinding::Name);
            find(references.is_conflict(), StatusFinding::Conflict);
            find(
                existing.is_none() && sole.is_some() && !is_impossible,
                StatusFinding::Missing,
            );
            find(references.is_empty(), StatusFinding::Unreferenced);
            let is_elsewhere = labelled
                .zip(sole)
                .is_some_and(|(label, sole)| label != sole);
            find(is_elsewhere, StatusFinding::Mesh);
            let is_wrong = existing.is_some() && actual != Some(reported.unwrap_or_default());
            find(is_wrong, StatusFinding::Numbers);
        }
        Some(Self {
            namespace: key.namespace.clone(),
            name: key.workload.clone(),
            mesh: labelled.or(sole).map(str::to_owned),
            manager: existing
                .as_ref()
                .and_then(|existing| existing.managed_by)
                .map(str::to_owned),
            reported,
            actual,
            meshes,
            findings,
            gone: false,
        })
    }

    /// Whether all is as it is reported.
    pub(super) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings in words.
    pub(super) fn state(&self) -> String {
        if self.gone {
            return "gone".to_owned();
        }
        let words = self.findings.iter().map(|finding| match finding {
            StatusFinding::Numbers => "numbers differ".to_owned(),
            StatusFinding::Mesh => format!("mesh is {}", self.mesh_names()),
            StatusFinding::Conflict => format!("conflict: {}", self.mesh_names()),
            StatusFinding::Missing => "missing".to_owned(),
            StatusFinding::Unreferenced => "nothing refers to it".to_owned(),
            StatusFinding::Name => "name is not possible".to_owned(),
        });
        let words: Vec<_> = words.collect();
        match self.actual {
            None => "copy from elsewhere".to_owned(),
            Some(_) if words.is_empty() => "ok".to_owned(),
            Some(_) => words.join("; "),
        }
    }

    fn mesh_names(&self) -> String {
        let names: Vec<_> = self.meshes.keys().map(String::as_str).collect();
        names.join(", ")
    }
}

fn labelled_mesh<'a>(existing: &ExistingWorkload<'a>) -> &'a str {
    mesh::of_dataplane(existing.mesh)
}

fn sum<'a>(numbers: impl Iterator<Item = &'a Numbers>) -> Numbers {
    numbers.fold(Numbers::default(), |sum, numbers| Numbers {
        connected: sum.connected + numbers.connected,
        healthy: sum.healthy + numbers.healthy,
        total: sum.total + numbers.total,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::{
        counts::Inbounds,
        roster::{MANAGER, RosterDataplane, RosterInsight},
    };
    use rstest::rstest;
    use serde_json::{Value, json};

    /// A proxy of each of these meshes; the first is connected.
    fn roster(workload: &str, meshes: &[&str]) -> Roster {
        let mut roster = Roster::default();
        for (number, mesh) in meshes.iter().enumerate() {
            let name = format!("pod-{number}");
            roster.apply(&RosterDataplane {
                namespace: "shop",
                name: &name,
                workload: Some(workload),
                mesh: Some(mesh),
                local: true,
                inbounds: Inbounds::Ready,
            });
            roster.apply_insight(&RosterInsight {
                namespace: "shop",
                name: &name,
                mesh: Some(mesh),
                online: number == 0,
            });
        }
        roster
    }

    fn workload(labels: Value, numbers: Option<[i32; 3]>) -> WorkloadRecord {
        let numbers = numbers.map(|[connected, healthy, total]| {
            json!({ "connected": connected, "healthy": healthy, "total": total })
        });
        serde_json::from_value(json!({
            "metadata": { "namespace": "shop", "name": "cart", "labels": labels },
            "status": { "dataplaneProxies": numbers },
        }))
        .unwrap()
    }

    fn ours(mesh: &str, numbers: [i32; 3]) -> WorkloadRecord {
        let labels = json!({ "kuma.io/mesh": mesh, "kuma.io/managed-by": MANAGER });
        workload(labels, Some(numbers))
    }

    use StatusFinding::{Conflict, Mesh, Missing, Name, Numbers as Differ, Unreferenced};

    #[rstest]
    #[case::right("cart", &["a", "a"], Some(ours("a", [1, 2, 2])), &[], "ok")]
    #[case::too_many("cart", &["a", "a"], Some(ours("a", [1, 2, 3])), &[Differ], "numbers differ")]
    #[case::no_numbers_yet("cart", &["a"], Some(workload(json!({ "kuma.io/mesh": "a" }), None)), &[Differ], "numbers differ")]
    #[case::missing("cart", &["a"], None, &[Missing], "missing")]
    #[case::conflict("cart", &["a", "b"], None, &[Conflict], "conflict: a, b")]
    #[case::s6_conflict_with_the_numbers_of_its_mesh("cart", &["a", "b"], Some(ours("a", [1, 1, 1])), &[Conflict], "conflict: a, b")]
    #[case::conflict_and_numbers("cart", &["a", "b"], Some(ours("a", [1, 2, 2])), &[Conflict, Differ], "conflict: a, b; numbers differ")]
    #[case::moved("cart", &["b"], Some(ours("a", [1, 1, 1])), &[Mesh, Differ], "mesh is b; numbers differ")]
    #[case::unreferenced("cart", &[], Some(ours("a", [0, 0, 0])), &[Unreferenced], "nothing refers to it")]
    #[case::unlabelled_is_default("cart", &["default"], Some(workload(json!({}), Some([1, 1, 1]))), &[], "ok")]
    #[case::of_a_control_plane("cart", &["a"], Some(workload(json!({ "kuma.io/mesh": "a", "kuma.io/managed-by": "k8s-controller" }), Some([1, 1, 1]))), &[], "ok")]
    #[case::s4_a_copy_is_not_judged("cart", &[], Some(workload(json!({ "kuma.io/origin": "global" }), Some([9, 9, 9]))), &[], "copy from elsewhere")]
    #[case::bad_name("Cart", &["a"], None, &[Name], "name is not possible")]
    fn findings(
        #[case] name: &str,
        #[case] meshes: &[&str],
        #[case] workload: Option<WorkloadRecord>,
        #[case] expected: &[StatusFinding],
        #[case] state: &str,
    ) {
        let key = Key {
            namespace: "shop".into(),
            workload: name.into(),
        };
        let row = Row::of(&roster(name, meshes), &key, workload.as_ref()).unwrap();
        assert_eq!(row.findings, expected);
        assert_eq!(row.state(), state);
    }

    #[test]
    fn a_key_of_nothing_is_nothing() {
        let key = Key {
            namespace: "shop".into(),
            workload: "cart".into(),
        };
        assert_eq!(Row::of(&Roster::default(), &key, None), None);
    }

    #[test]
    fn json() {
        let key = Key {
            namespace: "shop".into(),
            workload: "cart".into(),
        };
        let workload = ours("a", [1, 2, 2]);
        let row = Row::of(&roster("cart", &["a", "b"]), &key, Some(&workload)).unwrap();
        assert_eq!(
            serde_json::to_value(row).unwrap(),
            json!({
                "namespace": "shop",
                "name": "cart",
                "mesh": "a",
                "manager": MANAGER,
                "reported": { "connected": 1, "healthy": 2, "total": 2 },
                "actual": { "connected": 1, "healthy": 1, "total": 1 },
                "meshes": {
                    "a": { "connected": 1, "healthy": 1, "total": 1 },
                    "b": { "connected": 0, "healthy": 1, "total": 1 },
                },
                "findings": ["conflict", "numbers"],
            })
        );
    }
}
