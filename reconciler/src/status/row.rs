//! One workload: its numbers as reported and as they are, and the findings.

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    counts::Counts,
    identifier::{self, NameForm},
    mesh,
    roster::{Action, ExistingWorkload, Foreign, Key, Mode, References, Roster},
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
#[serde(rename_all = "kebab-case")]
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
    BadName,
}

/// A workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// None on Universal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
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

/// A Workload that exists.
#[derive(Debug, Clone)]
pub(super) struct ReportedWorkload<'a> {
    /// The facts for the roster.
    pub(super) facts: ExistingWorkload<'a>,
    /// The numbers in its status.
    pub(super) reported: Option<Numbers>,
}

impl<'a> From<&'a WorkloadRecord> for ReportedWorkload<'a> {
    fn from(workload: &'a WorkloadRecord) -> Self {
        Self {
            facts: workload.facts(),
            reported: workload.reported.map(Numbers::from),
        }
    }
}

impl Row {
    /// The row of a key. None if neither the Workload nor proxies of it exist.
    pub(super) fn of(
        roster: &Roster,
        key: &Key,
        existing: Option<&ReportedWorkload<'_>>,
    ) -> Option<Self> {
        let references = roster.references(key);
        let decision = roster.decide(key, existing.map(|one| &one.facts), Mode::Observe);
        let is_copy = matches!(
            decision.action,
            Action::Leave {
                why: Foreign::NotLocal,
                ..
            }
        );
        RowFacts {
            name: &key.workload,
            references,
            existing,
            labelled: existing.map(|one| mesh::of_dataplane(one.facts.mesh)),
            is_copy,
            has_bad_name: matches!(decision.action, Action::BadName(_)),
            of_mesh: decision.status.map(|status| status.counts.into()),
        }
        .row(Some(&key.namespace))
    }

    /// The same on Universal, where a key's namespace is its mesh (U1).
    pub(super) fn of_universal(
        roster: &Roster,
        key: &Key,
        existing: Option<&ReportedWorkload<'_>>,
        is_copy: bool,
    ) -> Option<Self> {
        RowFacts {
            name: &key.workload,
            references: roster.references(key),
            existing,
            labelled: existing.map(|_| &*key.namespace),
            is_copy,
            has_bad_name: identifier::check(&key.workload, NameForm::Universal).is_err(),
            of_mesh: None,
        }
        .row(None)
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
            StatusFinding::BadName => "bad name".to_owned(),
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

/// What is known about a workload.
struct RowFacts<'a> {
    name: &'a str,
    references: References<'a>,
    existing: Option<&'a ReportedWorkload<'a>>,
    /// The mesh of the Workload, if it exists.
    labelled: Option<&'a str>,
    /// Whether the Workload is a copy from another zone.
    is_copy: bool,
    /// Whether the name cannot be the name of a Workload.
    has_bad_name: bool,
    /// The numbers of its own mesh, if the proxies are in several (S6).
    of_mesh: Option<Numbers>,
}

impl RowFacts<'_> {
    fn row(self, namespace: Option<&str>) -> Option<Row> {
        if self.references.is_empty() && self.existing.is_none() {
            return None;
        }
        let references = self.references.iter();
        let meshes: BTreeMap<_, Numbers> = references
            .map(|(mesh, counts)| (mesh.to_owned(), counts.into()))
            .collect();
        let actual = self.of_mesh.unwrap_or_else(|| sum(meshes.values()));
        let actual = (!self.is_copy).then_some(actual);
        let manager = self.existing.and_then(|one| one.facts.managed_by);
        Some(Row {
            namespace: namespace.map(str::to_owned),
            name: self.name.to_owned(),
            mesh: self
                .labelled
                .or(self.references.sole_mesh())
                .map(str::to_owned),
            manager: manager.map(str::to_owned),
            reported: self.existing.and_then(|one| one.reported),
            findings: actual.map_or_else(Vec::new, |actual| self.findings(actual)),
            actual,
            meshes,
            gone: false,
        })
    }

    fn findings(&self, actual: Numbers) -> Vec<StatusFinding> {
        let exists = self.existing.is_some();
        let sole = self.references.sole_mesh();
        let reported = self.existing.and_then(|one| one.reported);
        let is_elsewhere = self
            .labelled
            .zip(sole)
            .is_some_and(|(label, sole)| label != sole);
        let all = [
            (self.has_bad_name, StatusFinding::BadName),
            (self.references.is_conflict(), StatusFinding::Conflict),
            (
                !exists && sole.is_some() && !self.has_bad_name,
                StatusFinding::Missing,
            ),
            (self.references.is_empty(), StatusFinding::Unreferenced),
            (is_elsewhere, StatusFinding::Mesh),
            (
                exists && actual != reported.unwrap_or_default(),
                StatusFinding::Numbers,
            ),
        ];
        let found = all.into_iter().filter(|(is_so, _)| *is_so);
        found.map(|(_, finding)| finding).collect()
    }
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

    use StatusFinding::{BadName, Conflict, Mesh, Missing, Numbers as Differ, Unreferenced};

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
    #[case::s4_a_copy_of_a_universal_zone("cart", &[], Some(workload(json!({ "kuma.io/origin": "zone", "kuma.io/env": "universal", "kuma.io/managed-by": "workload-generator" }), Some([9, 9, 9]))), &[], "copy from elsewhere")]
    #[case::s4_a_copy_under_another_name("cart", &[], Some(workload(json!({ "kuma.io/origin": "zone", "kuma.io/display-name": "web" }), Some([9, 9, 9]))), &[], "copy from elsewhere")]
    #[case::bad_name("Cart", &["a"], None, &[BadName], "bad name")]
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
        let existing = workload.as_ref().map(ReportedWorkload::from);
        let row = Row::of(&roster(name, meshes), &key, existing.as_ref()).unwrap();
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
        let existing = ReportedWorkload::from(&workload);
        let row = Row::of(&roster("cart", &["a", "b"]), &key, Some(&existing)).unwrap();
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
