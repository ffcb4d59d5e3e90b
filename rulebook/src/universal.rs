//! Workloads on Universal, where resources are documents and not objects in a cluster (U1, U2).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    identifier::{self, NameFault, NameForm},
    keys, mesh,
};

/// The value of [`keys::MANAGED_BY`] on the Workloads that Kuma makes on Universal (U1).
pub const MANAGER: &str = "workload-generator";

/// A Dataplane document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UniversalDataplane<'a> {
    /// Its `mesh`; empty means `default`.
    pub mesh: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its label `kuma.io/workload`. An empty label is no identifier, but tags do not count then.
    pub label: Option<&'a str>,
    /// The values of the tag `kuma.io/workload`, in the order of the inbounds.
    pub tags: Vec<&'a str>,
}

/// A Workload document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UniversalWorkload<'a> {
    /// Its `mesh`; empty means `default`.
    pub mesh: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its labels.
    pub labels: BTreeMap<&'a str, &'a str>,
}

/// What identifies a Workload: the same name in two meshes is two Workloads (U1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UniversalKey<'a> {
    /// The mesh.
    pub mesh: &'a str,
    /// The name.
    pub name: &'a str,
}

/// What to do about a Workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniversalAction<'a> {
    /// It is missing: create it, with its [`labels`].
    Create,
    /// It is as it should be.
    Keep,
    /// Some of its [`labels`] are missing or wrong: correct them.
    Relabel,
    /// Nothing refers to it and Kuma made it: delete it (U2).
    Delete,
    /// Leave it: this manager made it or, without one, nobody says who did.
    Leave(Option<&'a str>),
}

/// What to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UniversalFinding<'a> {
    /// No Workload can have this name, so it is skipped (U2, W5).
    BadName {
        /// The mesh and name of the Workload.
        key: UniversalKey<'a>,
        /// What is wrong with the name.
        fault: NameFault,
    },
    /// The name is used in several meshes, which makes several Workloads (U1).
    SeveralMeshes {
        /// The name.
        name: &'a str,
        /// The meshes.
        meshes: BTreeSet<&'a str>,
    },
    /// The identifier comes from an inbound tag, which Kuma does not read (W4).
    TagRead {
        /// The mesh of the Dataplane.
        mesh: &'a str,
        /// The name of the Dataplane.
        dataplane: &'a str,
        /// The tag of the first inbound that has one. This is the identifier.
        taken: &'a str,
        /// Other tags, of other inbounds.
        others: BTreeSet<&'a str>,
    },
}

/// What to do about all Workloads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UniversalPlan<'a> {
    /// The action for each Workload that exists or should exist.
    pub actions: BTreeMap<UniversalKey<'a>, UniversalAction<'a>>,
    /// What to report: the tags in the order of the Dataplanes, then the names.
    pub findings: Vec<UniversalFinding<'a>>,
}

/// Whether a document of this name is no copy from another zone: with the values of its labels
/// [`keys::DISPLAY_NAME`] and [`keys::HOME_NAMESPACE`].
///
/// A Global control plane stores the documents of every zone under names of its own, beside what
/// comes from zones on Kubernetes. A zone stores its own under the names that they have.
pub fn is_local(name: &str, display_name: Option<&str>, home_namespace: Option<&str>) -> bool {
    let is_empty_or =
        |label: Option<&str>, value| label.is_none_or(|label| label.is_empty() || label == value);
    is_empty_or(display_name, name) && is_empty_or(home_namespace, "")
}

/// The labels of a Workload in this mesh (U1). There is no label for the zone if the zone is
/// unknown.
pub fn labels<'a>(mesh: &'a str, zone: Option<&'a str>) -> BTreeMap<&'static str, &'a str> {
    [
        (keys::MESH, mesh),
        (keys::MANAGED_BY, MANAGER),
        (keys::ENVIRONMENT, keys::ENVIRONMENT_UNIVERSAL),
    ]
    .into_iter()
    .chain(zone.map(|zone| (keys::ZONE, zone)))
    .collect()
}

/// Plans the Workloads of these Dataplanes (U1, U2).
pub fn plan<'a>(
    dataplanes: &[UniversalDataplane<'a>],
    existing: &[UniversalWorkload<'a>],
    zone: Option<&str>,
) -> UniversalPlan<'a> {
    let mut findings: Vec<_> = dataplanes.iter().filter_map(tag_read).collect();
    let referenced: BTreeSet<_> = dataplanes.iter().filter_map(reference).collect();
    let (possible, bad) = split_by_name(&referenced);
    findings.extend(bad);
    findings.extend(names_in_several_meshes(&possible));

    let mut actions: BTreeMap<_, _> = possible
        .iter()
        .map(|key| (*key, UniversalAction::Create))
        .collect();
    for workload in existing {
        let key = UniversalKey {
            mesh: mesh_of(workload.mesh),
            name: workload.name,
        };
        let action = action_for(workload, key, referenced.contains(&key), zone);
        actions.insert(key, action);
    }
    UniversalPlan { actions, findings }
}

fn mesh_of(field: &str) -> &str {
    mesh::of_dataplane(Some(field))
}

/// Where the identifier of a Dataplane document is (W4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelOrTag {
    /// Its label `kuma.io/workload`.
    Label,
    /// The tag of an inbound, which Kuma does not read.
    Tag,
}

/// The identifier of a Dataplane: its label, or else the tag of an inbound (W4).
pub fn identifier<'a>(dataplane: &UniversalDataplane<'a>) -> Option<(&'a str, LabelOrTag)> {
    match dataplane.label {
        Some("") => None,
        Some(label) => Some((label, LabelOrTag::Label)),
        None => first_tag(dataplane).map(|tag| (tag, LabelOrTag::Tag)),
    }
}

fn first_tag<'a>(dataplane: &UniversalDataplane<'a>) -> Option<&'a str> {
    dataplane.tags.iter().copied().find(|tag| !tag.is_empty())
}

fn reference<'a>(dataplane: &UniversalDataplane<'a>) -> Option<UniversalKey<'a>> {
    Some(UniversalKey {
        mesh: mesh_of(dataplane.mesh),
        name: identifier(dataplane)?.0,
    })
}

fn tag_read<'a>(dataplane: &UniversalDataplane<'a>) -> Option<UniversalFinding<'a>> {
    if dataplane.label.is_some() {
        return None;
    }
    let taken = first_tag(dataplane)?;
    let others = dataplane.tags.iter().copied();
    Some(UniversalFinding::TagRead {
        mesh: mesh_of(dataplane.mesh),
        dataplane: dataplane.name,
        taken,
        others: others
            .filter(|tag| !tag.is_empty() && *tag != taken)
            .collect(),
    })
}

/// The keys with a possible name, and a finding for each of the others.
fn split_by_name<'a>(
    referenced: &BTreeSet<UniversalKey<'a>>,
) -> (BTreeSet<UniversalKey<'a>>, Vec<UniversalFinding<'a>>) {
    let mut possible = BTreeSet::new();
    let mut bad = Vec::new();
    for &key in referenced {
        match identifier::check(key.name, NameForm::Universal) {
            Ok(()) => {
                possible.insert(key);
            }
            Err(fault) => bad.push(UniversalFinding::BadName { key, fault }),
        }
    }
    (possible, bad)
}

fn names_in_several_meshes<'a>(possible: &BTreeSet<UniversalKey<'a>>) -> Vec<UniversalFinding<'a>> {
    let mut meshes: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for key in possible {
        meshes.entry(key.name).or_default().insert(key.mesh);
    }
    let several = meshes.into_iter().filter(|(_, meshes)| meshes.len() > 1);
    several
        .map(|(name, meshes)| UniversalFinding::SeveralMeshes { name, meshes })
        .collect()
}

fn action_for<'a>(
    workload: &UniversalWorkload<'a>,
    key: UniversalKey<'_>,
    referenced: bool,
    zone: Option<&str>,
) -> UniversalAction<'a> {
    let manager = workload.labels.get(keys::MANAGED_BY).copied();
    let is_right = || {
        labels(key.mesh, zone)
            .into_iter()
            .all(|(label, value)| workload.labels.get(label) == Some(&value))
    };
    match (manager, referenced) {
        (Some(other), _) if other != MANAGER => UniversalAction::Leave(Some(other)),
        (None, false) => UniversalAction::Leave(None),
        (Some(_), false) => UniversalAction::Delete,
        (_, true) if is_right() => UniversalAction::Keep,
        (_, true) => UniversalAction::Relabel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn dataplane<'a>(mesh: &'a str, name: &'a str, label: &'a str) -> UniversalDataplane<'a> {
        UniversalDataplane {
            mesh,
            name,
            label: Some(label),
            tags: Vec::new(),
        }
    }

    fn existing<'a>(
        mesh: &'a str,
        name: &'a str,
        labels: &[(&'a str, &'a str)],
    ) -> UniversalWorkload<'a> {
        UniversalWorkload {
            mesh,
            name,
            labels: labels.iter().copied().collect(),
        }
    }

    fn key<'a>(mesh: &'a str, name: &'a str) -> UniversalKey<'a> {
        UniversalKey { mesh, name }
    }

    #[test]
    fn u1_one_workload_for_each_mesh_and_name() {
        let dataplanes = [
            dataplane("default", "d0", "web"),
            dataplane("default", "d1", "web"),
            dataplane("", "d2", "api"),
            dataplane("mesh2", "d3", "web"),
            dataplane("mesh2", "d4", ""),
        ];
        let plan = plan(&dataplanes, &[], None);
        let created = [
            key("default", "api"),
            key("default", "web"),
            key("mesh2", "web"),
        ];
        assert_eq!(
            plan.actions,
            created.map(|k| (k, UniversalAction::Create)).into()
        );
    }

    #[rstest]
    #[case::nothing_is_said(None, None, true)]
    #[case::its_own_name(Some("vm-1"), None, true)]
    #[case::empty(Some(""), Some(""), true)]
    #[case::copy(Some("vm"), None, false)]
    #[case::copy_on_kubernetes(Some("vm-1"), Some("kuma-system"), false)]
    fn which_documents_are_local(
        #[case] display_name: Option<&str>,
        #[case] home_namespace: Option<&str>,
        #[case] local: bool,
    ) {
        assert_eq!(is_local("vm-1", display_name, home_namespace), local);
    }

    #[rstest]
    #[case::zone_known(Some("east"), &[("kuma.io/zone", "east")])]
    #[case::zone_unknown(None, &[])]
    fn u1_labels(#[case] zone: Option<&str>, #[case] more: &[(&'static str, &str)]) {
        let always = [
            ("kuma.io/mesh", "mesh2"),
            ("kuma.io/managed-by", "workload-generator"),
            ("kuma.io/env", "universal"),
        ];
        let expected: BTreeMap<_, _> = always.into_iter().chain(more.iter().copied()).collect();
        assert_eq!(labels("mesh2", zone), expected);
    }

    #[rstest]
    #[case::two_meshes(&[("default", "web"), ("mesh2", "web")], &["default", "mesh2"])]
    #[case::one_mesh_twice(&[("default", "web"), ("", "web")], &[])]
    #[case::two_names(&[("default", "web"), ("mesh2", "api")], &[])]
    #[case::a_name_that_makes_no_workload(&[("default", "a_b"), ("mesh2", "a_b")], &[])]
    fn u1_a_name_in_several_meshes_is_reported(
        #[case] references: &[(&'static str, &'static str)],
        #[case] meshes: &[&'static str],
    ) {
        let dataplanes: Vec<_> = references
            .iter()
            .map(|&(mesh, label)| dataplane(mesh, "d", label))
            .collect();
        let findings = plan(&dataplanes, &[], None).findings;
        let reported = findings.into_iter().find_map(|finding| match finding {
            UniversalFinding::SeveralMeshes { name, meshes } => Some((name, meshes)),
            _ => None,
        });
        let expected = (!meshes.is_empty()).then(|| ("web", meshes.iter().copied().collect()));
        assert_eq!(reported, expected);
    }

    #[rstest]
    #[case::underscore("a_b", NameFault::Malformed(NameForm::Universal))]
    #[case::a_subdomain_is_none_here("a.b", NameFault::Malformed(NameForm::Universal))]
    #[case::digit_first("1a", NameFault::Malformed(NameForm::Universal))]
    #[case::too_long(&"a".repeat(64), NameFault::TooLong(63))]
    fn u2_bad_names_are_skipped_and_reported_once_each(
        #[case] name: &str,
        #[case] fault: NameFault,
    ) {
        let dataplanes = ["d0", "d1", "d2"].map(|d| dataplane("default", d, name));
        let key = key("default", name);
        let plan = plan(&dataplanes, &[], None);
        assert_eq!(plan.actions, BTreeMap::new());
        assert_eq!(plan.findings, [UniversalFinding::BadName { key, fault }]);
    }

    const OURS: (&str, &str) = ("kuma.io/managed-by", "workload-generator");
    const MESH: (&str, &str) = ("kuma.io/mesh", "default");
    const ENV: (&str, &str) = ("kuma.io/env", "universal");
    const EAST: (&str, &str) = ("kuma.io/zone", "east");

    #[rstest]
    #[case::ours(&[OURS], UniversalAction::Delete)]
    #[case::of_the_kubernetes_controller(&[("kuma.io/managed-by", "k8s-controller")], UniversalAction::Leave(Some("k8s-controller")))]
    #[case::of_somebody(&[("kuma.io/managed-by", "me")], UniversalAction::Leave(Some("me")))]
    #[case::of_nobody(&[MESH], UniversalAction::Leave(None))]
    fn u2_only_ours_are_proposed_for_deletion(
        #[case] labels: &[(&'static str, &'static str)],
        #[case] action: UniversalAction<'_>,
    ) {
        let plan = plan(&[], &[existing("default", "web", labels)], Some("east"));
        assert_eq!(plan.actions, [(key("default", "web"), action)].into());
    }

    #[rstest]
    #[case::right(&[OURS, MESH, ENV, EAST], UniversalAction::Keep)]
    #[case::with_more(&[OURS, MESH, ENV, EAST, ("team", "x")], UniversalAction::Keep)]
    #[case::wrong_mesh(&[OURS, ("kuma.io/mesh", "mesh2"), ENV, EAST], UniversalAction::Relabel)]
    #[case::another_zone(&[OURS, MESH, ENV, ("kuma.io/zone", "west")], UniversalAction::Relabel)]
    #[case::of_nobody(&[], UniversalAction::Relabel)]
    #[case::of_somebody(&[("kuma.io/managed-by", "me")], UniversalAction::Leave(Some("me")))]
    fn u1_a_workload_that_is_referred_to(
        #[case] labels: &[(&'static str, &'static str)],
        #[case] action: UniversalAction<'_>,
    ) {
        let dataplanes = [dataplane("default", "d0", "web")];
        let plan = plan(
            &dataplanes,
            &[existing("default", "web", labels)],
            Some("east"),
        );
        assert_eq!(plan.actions, [(key("default", "web"), action)].into());
    }

    #[test]
    fn u1_a_workload_of_another_mesh_is_another_one() {
        let dataplanes = [dataplane("default", "d0", "web")];
        let plan = plan(&dataplanes, &[existing("mesh2", "web", &[OURS])], None);
        let expected = [
            (key("default", "web"), UniversalAction::Create),
            (key("mesh2", "web"), UniversalAction::Delete),
        ];
        assert_eq!(plan.actions, expected.into());
    }

    #[rstest]
    #[case::label_alone(Some("web"), &[], Some("web"), false, &[])]
    #[case::label_before_tag(Some("web"), &["api"], Some("web"), false, &[])]
    #[case::empty_label_before_tag(Some(""), &["api"], None, false, &[])]
    #[case::tag_alone(None, &["api"], Some("api"), true, &[])]
    #[case::tags_agree(None, &["api", "api"], Some("api"), true, &[])]
    #[case::tags_differ(None, &["api", "web"], Some("api"), true, &["web"])]
    #[case::empty_tag(None, &["", "api"], Some("api"), true, &[])]
    #[case::neither(None, &[], None, false, &[])]
    fn w4_the_tag_counts_only_without_the_label(
        #[case] label: Option<&'static str>,
        #[case] tags: &[&'static str],
        #[case] name: Option<&'static str>,
        #[case] warned: bool,
        #[case] others: &[&'static str],
    ) {
        let dataplanes = [UniversalDataplane {
            mesh: "default",
            name: "d0",
            label,
            tags: tags.to_vec(),
        }];
        let plan = plan(&dataplanes, &[], None);
        let created: Vec<_> = plan.actions.keys().map(|key| key.name).collect();
        assert_eq!(created, Vec::from_iter(name));
        let warnings = warned.then(|| UniversalFinding::TagRead {
            mesh: "default",
            dataplane: "d0",
            taken: name.unwrap(),
            others: others.iter().copied().collect(),
        });
        assert_eq!(plan.findings, Vec::from_iter(warnings));
    }
}
