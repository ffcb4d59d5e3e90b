use super::*;
use crate::{
    counts::{Counts, Inbounds},
    identifier::{NameFault, NameForm},
};
use rstest::rstest;
use std::collections::BTreeSet;

const WEB: RosterDataplane<'_> = RosterDataplane {
    namespace: "team",
    name: "web-0",
    workload: Some("web"),
    mesh: Some("a"),
    local: true,
    inbounds: Inbounds::Ready,
};

fn key(workload: &str) -> Key {
    Key {
        namespace: "team".to_owned(),
        workload: workload.to_owned(),
    }
}

fn keys(workloads: &[&str]) -> BTreeSet<Key> {
    workloads.iter().map(|workload| key(workload)).collect()
}

/// A roster in which a Dataplane of each of these meshes refers to `web`.
fn roster(meshes: &[&str]) -> Roster {
    let mut roster = Roster::default();
    for (index, mesh) in meshes.iter().enumerate() {
        roster.apply(&RosterDataplane {
            name: &format!("web-{index}"),
            mesh: Some(mesh),
            ..WEB
        });
    }
    roster
}

fn workload<'a>(mesh: Option<&'a str>, managed_by: Option<&'a str>) -> ExistingWorkload<'a> {
    ExistingWorkload {
        mesh,
        managed_by,
        ..ExistingWorkload::default()
    }
}

fn ours(mesh: &str) -> ExistingWorkload<'_> {
    workload(Some(mesh), Some(MANAGER))
}

fn decide(meshes: &[&str], existing: Option<&ExistingWorkload<'_>>) -> Action {
    let decision = roster(meshes).decide(&key("web"), existing, Mode::Manage);
    decision.action
}

fn create(mesh: &str) -> Action {
    Action::Write(Write::Create {
        mesh: mesh.to_owned(),
    })
}

fn relabel(mesh: &str, drop_mesh_owners: &[&str]) -> Action {
    Action::Write(Write::Relabel {
        mesh: mesh.to_owned(),
        drop_mesh_owners: drop_mesh_owners.iter().map(|&o| o.to_owned()).collect(),
    })
}

fn conflict(meshes: &[&str], orphan: bool) -> Action {
    Action::Conflict {
        meshes: meshes.iter().map(|&mesh| mesh.to_owned()).collect(),
        orphan,
    }
}

fn managed_by(manager: &str) -> Foreign {
    Foreign::ManagedBy(manager.to_owned())
}

fn counts(connected: u32, healthy: u32, total: u32) -> Counts {
    Counts {
        connected,
        healthy,
        total,
    }
}

#[test]
fn l1_nothing_refers_and_nothing_exists() {
    assert_eq!(decide(&[], None), Action::Nothing);
}

#[rstest]
#[case::right(Some("a"))]
#[case::label_gone(None)]
fn l2_ours_that_nothing_refers_to_is_deleted(#[case] mesh: Option<&str>) {
    let existing = workload(mesh, Some(MANAGER));
    assert_eq!(decide(&[], Some(&existing)), Action::Write(Write::Delete));
}

#[rstest]
#[case::of_a_control_plane(Some("k8s-controller"), managed_by("k8s-controller"))]
#[case::of_somebody(Some("me"), managed_by("me"))]
#[case::an_empty_label_is_not_an_absent_one(Some(""), managed_by(""))]
#[case::of_nobody(None, Foreign::Unmanaged)]
fn l3_others_that_nothing_refers_to_are_left(#[case] manager: Option<&str>, #[case] why: Foreign) {
    let existing = workload(Some("a"), manager);
    let referenced = false;
    assert_eq!(
        decide(&[], Some(&existing)),
        Action::Leave { why, referenced }
    );
}

#[rstest]
#[case::one(&["a"], "a")]
#[case::several_of_one_mesh(&["a", "a", "a"], "a")]
#[case::no_mesh_is_the_default_one(&[""], "default")]
#[case::absent_and_named_default(&["", "default"], "default")]
fn l4_a_workload_that_is_missing_is_created(#[case] meshes: &[&str], #[case] mesh: &str) {
    assert_eq!(decide(meshes, None), create(mesh));
}

#[test]
fn l4_labels() {
    let expected = [
        ("kuma.io/mesh", "a"),
        ("kuma.io/managed-by", "kuma-workload-reconciler"),
    ];
    assert_eq!(labels("a"), expected);
}

#[rstest]
#[case::right(ours("a"), Action::Nothing)]
#[case::other_mesh(ours("b"), relabel("a", &[]))]
#[case::mesh_missing(workload(None, Some(MANAGER)), relabel("a", &[]))]
#[case::of_nobody(workload(Some("a"), None), relabel("a", &[]))]
#[case::bare(workload(None, None), relabel("a", &[]))]
fn l5_the_labels_of_ours_and_of_nobodys_are_made_right(
    #[case] existing: ExistingWorkload<'_>,
    #[case] action: Action,
) {
    assert_eq!(decide(&["a"], Some(&existing)), action);
}

#[rstest]
#[case::of_a_control_plane(workload(Some("a"), Some("k8s-controller")))]
#[case::of_somebody(workload(Some("b"), Some("me")))]
#[case::without_a_mesh(workload(None, Some("me")))]
fn l6_what_another_manages_is_left_and_reported(#[case] existing: ExistingWorkload<'_>) {
    let expected = Action::Leave {
        why: managed_by(existing.managed_by.unwrap()),
        referenced: true,
    };
    assert_eq!(decide(&["a"], Some(&existing)), expected);
}

#[rstest]
#[case::two(&["b", "a"], &["a", "b"])]
#[case::one_is_the_default(&["", "a"], &["a", "default"])]
#[case::three(&["c", "a", "b", "a"], &["a", "b", "c"])]
fn l7_a_conflict_creates_nothing(#[case] meshes: &[&str], #[case] reported: &[&str]) {
    assert_eq!(decide(meshes, None), conflict(reported, false));
}

#[rstest]
#[case::ours(ours("a"))]
#[case::ours_of_a_third_mesh(ours("c"))]
#[case::of_nobody(workload(Some("a"), None))]
#[case::of_somebody(workload(Some("a"), Some("me")))]
#[case::owned_by_another_mesh(ExistingWorkload { mesh_owners: vec!["c"], ..ours("a") })]
fn l8_a_conflict_leaves_the_object_as_it_is(#[case] existing: ExistingWorkload<'_>) {
    assert_eq!(
        decide(&["a", "b"], Some(&existing)),
        conflict(&["a", "b"], true)
    );
}

#[test]
fn l9_the_meshes_of_a_conflict_are_told_as_they_change() {
    let mut roster = roster(&["a", "b"]);
    assert_eq!(roster.census().conflicts, 1);
    let third = RosterDataplane {
        name: "web-2",
        mesh: Some("c"),
        ..WEB
    };
    assert_eq!(roster.apply(&third).keys, keys(&["web"]));
    let decision = roster.decide(&key("web"), None, Mode::Manage);
    assert_eq!(decision.action, conflict(&["a", "b", "c"], false));
    assert_eq!(roster.census().conflicts, 1);
}

#[rstest]
#[case::one_workload(&[("web", "a"), ("web", "a")], false)]
#[case::two_workloads_of_one_mesh(&[("web", "a"), ("api", "a")], false)]
#[case::two_workloads_of_two_meshes(&[("web", "a"), ("api", "b")], true)]
#[case::a_shared_name_is_a_conflict_instead(&[("web", "a"), ("web", "b")], false)]
#[case::beside_a_conflict(&[("web", "a"), ("web", "b"), ("api", "b")], false)]
#[case::both(&[("web", "a"), ("web", "b"), ("api", "b"), ("db", "a")], true)]
#[case::no_identifier(&[("web", "a"), ("", "b")], false)]
fn l11_a_namespace_is_split(#[case] references: &[(&str, &str)], #[case] split: bool) {
    let mut roster = Roster::default();
    for (index, (workload, mesh)) in references.iter().enumerate() {
        roster.apply(&RosterDataplane {
            name: &format!("d{index}"),
            workload: Some(workload),
            mesh: Some(mesh),
            ..WEB
        });
    }
    assert_eq!(roster.namespace("team").is_split(), split);
    assert!(!roster.namespace("other").is_split());
}

#[test]
fn l11_the_meshes_of_a_namespace() {
    let mut roster = roster(&["a", "b", "b"]);
    let changes = roster.apply(&RosterDataplane {
        name: "api-0",
        workload: Some("api"),
        ..WEB
    });
    assert_eq!(changes.namespaces, ["team".to_owned()].into());
    let presence = |dataplanes, workloads| Presence {
        dataplanes,
        workloads,
    };
    let expected = [
        ("a".to_owned(), presence(2, 1)),
        ("b".to_owned(), presence(2, 0)),
    ];
    assert_eq!(roster.namespace("team").meshes, expected.into());
}

#[test]
fn l11_a_namespace_is_not_reported_for_numbers_alone() {
    let mut roster = roster(&["a"]);
    let second = RosterDataplane {
        name: "web-1",
        ..WEB
    };
    assert_eq!(roster.apply(&second).namespaces, BTreeSet::new());
    assert_eq!(roster.delete("team", "web-1").namespaces, BTreeSet::new());
    let last = roster.delete("team", "web-0");
    assert_eq!(last.namespaces, ["team".to_owned()].into());
}

#[rstest]
#[case::to_another_workload(RosterDataplane { workload: Some("api"), ..WEB }, &["api", "web"])]
#[case::annotation_lost(RosterDataplane { workload: None, ..WEB }, &["web"])]
#[case::annotation_emptied(RosterDataplane { workload: Some(""), ..WEB }, &["web"])]
#[case::to_another_mesh(RosterDataplane { mesh: Some("b"), ..WEB }, &["web"])]
#[case::both_at_once(RosterDataplane { workload: Some("api"), mesh: Some("b"), ..WEB }, &["api", "web"])]
#[case::health(RosterDataplane { inbounds: Inbounds::NotReady, ..WEB }, &["web"])]
#[case::nothing_that_counts(WEB, &[])]
#[case::no_longer_local(RosterDataplane { local: false, ..WEB }, &["web"])]
#[case::another_dataplane_without_identifier(RosterDataplane { name: "x", workload: None, ..WEB }, &[])]
fn l12_both_sides_of_a_move_have_changed(
    #[case] moved: RosterDataplane<'_>,
    #[case] changed: &[&str],
) {
    let mut roster = Roster::default();
    assert_eq!(roster.apply(&WEB).keys, keys(&["web"]));
    assert_eq!(roster.apply(&moved).keys, keys(changed));
}

#[rstest]
#[case::nothing_exists(None, create("a"))]
#[case::an_orphan_that_is_right(Some(ours("a")), Action::Nothing)]
#[case::an_orphan_of_the_mesh_that_left(Some(ours("b")), relabel("a", &[]))]
#[case::its_owner_too(
    Some(ExistingWorkload { mesh_owners: vec!["b"], ..ours("b") }), relabel("a", &["b"]))]
fn l12_a_conflict_ends(#[case] existing: Option<ExistingWorkload<'_>>, #[case] action: Action) {
    let mut roster = roster(&["a", "b"]);
    assert_eq!(roster.delete("team", "web-1").keys, keys(&["web"]));
    let decision = roster.decide(&key("web"), existing.as_ref(), Mode::Manage);
    assert_eq!(decision.action, action);
    assert_eq!(roster.census().conflicts, 0);
}

#[rstest]
#[case::none(&[], Action::Nothing)]
#[case::the_same_mesh(&["a"], Action::Nothing)]
#[case::an_old_mesh(&["b"], relabel("a", &["b"]))]
#[case::old_and_new(&["b", "a"], relabel("a", &["b"]))]
fn l12_a_reference_to_an_old_mesh_goes(
    #[case] mesh_owners: &[&'static str],
    #[case] action: Action,
) {
    let existing = ExistingWorkload {
        mesh_owners: mesh_owners.to_vec(),
        ..ours("a")
    };
    assert_eq!(decide(&["a"], Some(&existing)), action);
}

#[test]
fn l13_a_terminating_dataplane_counts_until_it_is_gone() {
    let mut roster = roster(&["a"]);
    // Its update on the way out carries nothing that counts.
    assert_eq!(roster.apply(&WEB), Changes::default());
    let decide = |roster: &Roster| roster.decide(&key("web"), Some(&ours("a")), Mode::Manage);
    assert_eq!(decide(&roster).action, Action::Nothing);
    assert_eq!(roster.delete("team", "web-0").keys, keys(&["web"]));
    assert_eq!(decide(&roster).action, Action::Write(Write::Delete));
}

#[test]
fn l13_a_referenced_workload_comes_back() {
    let roster = roster(&["a"]);
    let existing = ours("a");
    let decide = |existing| roster.decide(&key("web"), existing, Mode::Manage).action;
    assert_eq!(decide(Some(&existing)), Action::Nothing);
    assert_eq!(decide(None), create("a"));
}

#[rstest]
#[case::dataplane(WatchedKind::Dataplanes)]
#[case::insight(WatchedKind::Insights)]
fn l14_what_is_not_in_the_list_is_gone(#[case] watched: WatchedKind) {
    let mut roster = roster(&["a", "a"]);
    let insights = ["web-0", "web-1"].map(|name| RosterInsight {
        namespace: "team",
        name,
        mesh: Some("a"),
        online: true,
    });
    for insight in &insights {
        roster.apply_insight(insight);
    }

    let since = roster.relist();
    let again = match watched {
        WatchedKind::Dataplanes => roster.apply(&WEB),
        WatchedKind::Insights => roster.apply_insight(&insights[0]),
    };
    assert_eq!(again, Changes::default());
    assert_eq!(
        sweep(&mut roster, watched, ListScope::Cluster, since).keys,
        keys(&["web"])
    );
    let left = match watched {
        WatchedKind::Dataplanes => counts(1, 1, 1),
        WatchedKind::Insights => counts(1, 2, 2),
    };
    assert_eq!(roster.references(&key("web")).counts("a"), left);
    assert_eq!(
        sweep(&mut roster, watched, ListScope::Cluster, since),
        Changes::default()
    );
}

fn sweep(
    roster: &mut Roster,
    watched: WatchedKind,
    scope: ListScope<'_>,
    since: Generation,
) -> Changes {
    let swept = roster.sweep(watched, scope, since, &mut SweptTo::default(), usize::MAX);
    swept.changes
}

#[test]
fn l14_a_sweep_goes_in_slices() {
    let mut roster = roster(&["a", "a", "a"]);
    let since = roster.relist();
    let mut swept_to = SweptTo::default();
    let mut slice = || {
        let (watched, scope) = (WatchedKind::Dataplanes, ListScope::Cluster);
        let swept = roster.sweep(watched, scope, since, &mut swept_to, 2);
        (swept.changes.keys.len(), swept.has_more)
    };
    assert_eq!(
        [slice(), slice(), slice()],
        [(1, true), (1, false), (0, false)]
    );
    assert_eq!(roster.census(), Census::default());
}

#[test]
fn l14_a_list_of_one_namespace_says_nothing_of_another() {
    let mut roster = roster(&["a"]);
    let elsewhere = RosterDataplane {
        namespace: "other",
        ..WEB
    };
    roster.apply(&elsewhere);
    let scope = ListScope::Namespace("team");
    let since = roster.relist();
    assert_eq!(
        sweep(&mut roster, WatchedKind::Dataplanes, scope, since).keys,
        keys(&["web"])
    );
    assert_eq!(roster.census().workloads, 1);
    let unknown = ListScope::Namespace("unknown");
    let since = roster.relist();
    assert!(sweep(&mut roster, WatchedKind::Dataplanes, unknown, since).is_empty());
}

#[test]
fn l14_a_list_that_breaks_off_is_begun_anew() {
    let mut roster = roster(&["a", "a"]);
    let second = RosterDataplane {
        name: "web-1",
        ..WEB
    };
    roster.relist();
    roster.apply(&second);
    // Between the two lists it went.
    let since = roster.relist();
    roster.apply(&WEB);
    sweep(
        &mut roster,
        WatchedKind::Dataplanes,
        ListScope::Cluster,
        since,
    );
    assert_eq!(roster.references(&key("web")).counts("a").total, 1);
}

#[rstest]
#[case::ours(ours("b"), true)]
#[case::of_nobody(workload(Some("b"), None), true)]
#[case::of_a_control_plane(workload(Some("b"), Some("k8s-controller")), false)]
#[case::of_somebody(workload(Some("b"), Some("me")), false)]
fn l16_only_ours_and_nobodys_are_written(
    #[case] existing: ExistingWorkload<'_>,
    #[case] written: bool,
) {
    let decision = roster(&["a"]).decide(&key("web"), Some(&existing), Mode::Manage);
    assert_eq!(matches!(decision.action, Action::Write(_)), written);
    assert_eq!(decision.status.unwrap().ours, written);
}

#[rstest]
#[case::manage(Mode::Manage, [true, true, true])]
#[case::observe(Mode::Observe, [false, false, false])]
#[case::yield_(Mode::Yield, [false, false, true])]
fn l17_what_a_mode_carries_out(#[case] mode: Mode, #[case] carried_out: [bool; 3]) {
    let existing = ours("b");
    let decisions = [
        roster(&["a"]).decide(&key("web"), None, mode),
        roster(&["a"]).decide(&key("web"), Some(&existing), mode),
        roster(&[]).decide(&key("web"), Some(&existing), mode),
    ];
    let written = decisions.map(|decision| match decision.action {
        Action::Write(_) => true,
        Action::Withheld(_) => false,
        other => panic!("{other:?}"),
    });
    assert_eq!(written, carried_out);
    let right = roster(&["b"]).decide(&key("web"), Some(&existing), mode);
    assert_eq!(right.status.unwrap().ours, mode == Mode::Manage);
}

#[rstest]
#[case::referred_to(&["a"], Some("k8s-controller"), true)]
#[case::in_conflict(&["a", "b"], Some("k8s-controller"), true)]
#[case::referred_to_by_nobody(&[], Some("k8s-controller"), false)]
#[case::ours(&["a"], Some(MANAGER), false)]
#[case::of_somebody(&["a"], Some("me"), false)]
#[case::of_nobody(&["a"], None, false)]
fn l17_evidence_of_a_control_plane_that_manages(
    #[case] meshes: &[&str],
    #[case] manager: Option<&str>,
    #[case] evidence: bool,
) {
    let existing = workload(Some("a"), manager);
    let roster = roster(meshes);
    assert_eq!(roster.shows_control_plane(&key("web"), &existing), evidence);
}

#[rstest]
#[case::local(true)]
#[case::a_copy(false)]
fn l4_a_copy_from_elsewhere_refers_to_nothing(#[case] local: bool) {
    let mut roster = Roster::default();
    roster.apply(&RosterDataplane { local, ..WEB });
    assert_eq!(!roster.references(&key("web")).is_empty(), local);
}

#[test]
fn s1_only_dataplanes_of_the_same_namespace_count() {
    let mut roster = roster(&["a", "a"]);
    roster.apply(&RosterDataplane {
        namespace: "other",
        ..WEB
    });
    assert_eq!(roster.references(&key("web")).counts("a").total, 2);
}

#[rstest]
#[case::online("team", "web-0", Some("a"), true, 1)]
#[case::offline("team", "web-0", Some("a"), false, 0)]
#[case::another_name("team", "web-1", Some("a"), true, 0)]
#[case::another_namespace("other", "web-0", Some("a"), true, 0)]
#[case::another_mesh("team", "web-0", Some("b"), true, 0)]
#[case::mesh_not_named("team", "web-0", None, true, 0)]
fn s2_the_insight_of_the_same_name_namespace_and_mesh_counts(
    #[case] namespace: &str,
    #[case] name: &str,
    #[case] mesh: Option<&str>,
    #[case] online: bool,
    #[case] connected: u32,
    #[values(true, false)] insight_first: bool,
) {
    let insight = RosterInsight {
        namespace,
        name,
        mesh,
        online,
    };
    let mut roster = Roster::default();
    if insight_first {
        roster.apply_insight(&insight);
        roster.apply(&WEB);
    } else {
        roster.apply(&WEB);
        let changes = roster.apply_insight(&insight);
        let changed: &[&str] = if connected > 0 { &["web"] } else { &[] };
        assert_eq!(changes.keys, keys(changed));
    }
    let counts = roster.references(&key("web")).counts("a");
    assert_eq!(counts.connected, connected);
}

#[test]
fn s2_a_proxy_goes_offline() {
    let online = RosterInsight {
        namespace: "team",
        name: "web-0",
        mesh: Some("a"),
        online: true,
    };
    let offline = RosterInsight {
        online: false,
        ..online
    };
    let mut roster = roster(&["a"]);
    roster.apply_insight(&online);
    assert_eq!(roster.apply_insight(&offline).keys, keys(&["web"]));
    assert!(roster.apply_insight(&offline).is_empty());
    roster.apply_insight(&online);
    assert_eq!(roster.delete_insight("team", "web-0").keys, keys(&["web"]));
    assert!(roster.delete_insight("team", "web-0").is_empty());
    assert_eq!(roster.references(&key("web")).counts("a").connected, 0);
}

#[rstest]
#[case::ready(Inbounds::Ready, counts(0, 1, 1), counts(1, 1, 1))]
#[case::not_ready(Inbounds::NotReady, counts(0, 0, 1), counts(1, 0, 1))]
#[case::gateway(Inbounds::Absent, counts(0, 0, 1), counts(1, 1, 1))]
fn s3_health_offline_and_online(
    #[case] inbounds: Inbounds,
    #[case] offline: Counts,
    #[case] online: Counts,
) {
    let mut roster = Roster::default();
    roster.apply(&RosterDataplane { inbounds, ..WEB });
    assert_eq!(roster.references(&key("web")).counts("a"), offline);
    roster.apply_insight(&RosterInsight {
        namespace: "team",
        name: "web-0",
        mesh: Some("a"),
        online: true,
    });
    assert_eq!(roster.references(&key("web")).counts("a"), online);
}

#[rstest]
#[case::of_ours(ExistingWorkload { is_copy: true, ..ours("b") })]
#[case::of_nobodys(ExistingWorkload { is_copy: true, ..workload(None, None) })]
fn s4_only_local_workloads_are_written(
    #[case] existing: ExistingWorkload<'_>,
    #[values(&[], &["a"])] meshes: &[&str],
) {
    let decision = roster(meshes).decide(&key("web"), Some(&existing), Mode::Manage);
    let why = Foreign::NotLocal;
    let referenced = !meshes.is_empty();
    assert_eq!(decision.action, Action::Leave { why, referenced });
    assert!(!decision.status.unwrap().ours);
}

#[rstest]
#[case::ours(ours("a"), counts(0, 2, 2), true)]
#[case::ours_of_the_other_mesh(ours("b"), counts(0, 1, 1), true)]
#[case::ours_of_a_third(ours("c"), counts(0, 0, 0), true)]
#[case::unlabelled_is_of_the_default_mesh(workload(None, Some(MANAGER)), counts(0, 0, 0), true)]
#[case::of_nobody(workload(Some("a"), None), counts(0, 2, 2), false)]
#[case::of_somebody(workload(Some("a"), Some("me")), counts(0, 2, 2), false)]
fn s6_in_a_conflict_the_labelled_mesh_is_counted(
    #[case] existing: ExistingWorkload<'_>,
    #[case] counts: Counts,
    #[case] ours: bool,
) {
    let decision = roster(&["a", "a", "b"]).decide(&key("web"), Some(&existing), Mode::Manage);
    assert_eq!(decision.status, Some(StatusNumbers { counts, ours }));
}

#[rstest]
#[case::created(&["a"], None, Mode::Manage, Some((1, true)))]
#[case::relabelled_in_the_new_mesh(&["a"], Some(ours("b")), Mode::Manage, Some((1, true)))]
#[case::not_relabelled_in_the_old_one(&["a"], Some(ours("b")), Mode::Observe, Some((0, false)))]
#[case::of_another_manager(&["a"], Some(workload(Some("a"), Some("me"))), Mode::Manage, Some((1, false)))]
#[case::deleted(&[], Some(ours("a")), Mode::Manage, None)]
#[case::not_deleted(&[], Some(ours("a")), Mode::Observe, Some((0, false)))]
#[case::not_created(&["a"], None, Mode::Observe, None)]
#[case::no_object_in_a_conflict(&["a", "b"], None, Mode::Manage, None)]
fn s6_the_numbers_are_those_of_the_object_that_will_be_there(
    #[case] meshes: &[&str],
    #[case] existing: Option<ExistingWorkload<'_>>,
    #[case] mode: Mode,
    #[case] expected: Option<(u32, bool)>,
) {
    let status = roster(meshes)
        .decide(&key("web"), existing.as_ref(), mode)
        .status;
    assert_eq!(status.map(|s| (s.counts.total, s.ours)), expected);
}

#[rstest]
#[case::one_mesh(&["a"])]
#[case::a_conflict(&["a", "b"])]
fn w5_a_name_that_no_object_can_have(#[case] meshes: &[&str]) {
    let mut roster = Roster::default();
    for (index, mesh) in meshes.iter().enumerate() {
        roster.apply(&RosterDataplane {
            name: &format!("d{index}"),
            workload: Some("Bad_Name"),
            mesh: Some(mesh),
            ..WEB
        });
    }
    let action = |roster: &Roster| roster.decide(&key("Bad_Name"), None, Mode::Manage).action;
    let fault = NameFault::Malformed(NameForm::Kubernetes);
    assert_eq!(action(&roster), Action::BadName(fault));
    for index in 0..meshes.len() {
        roster.delete("team", &format!("d{index}"));
    }
    assert_eq!(action(&roster), Action::Nothing);
}

#[test]
fn w6_the_name_is_the_identifier_to_the_letter() {
    let roster = roster(&["a"]);
    assert_eq!(roster.keys().collect::<BTreeSet<_>>(), keys(&["web"]));
    assert!(roster.references(&key("Web")).is_empty());
}

#[test]
fn nothing_is_kept_of_what_is_gone() {
    let mut roster = Roster::default();
    for round in 0..3 {
        for index in 0..100 {
            let name = format!("web-{round}-{index}");
            let mesh = ["a", "b", "c"][index % 3];
            roster.apply(&RosterDataplane {
                name: &name,
                mesh: Some(mesh),
                ..WEB
            });
            roster.apply_insight(&RosterInsight {
                namespace: "team",
                name: &name,
                mesh: Some(mesh),
                online: true,
            });
        }
        let since = roster.relist();
        sweep(
            &mut roster,
            WatchedKind::Dataplanes,
            ListScope::Cluster,
            since,
        );
        let since = roster.relist();
        sweep(
            &mut roster,
            WatchedKind::Insights,
            ListScope::Cluster,
            since,
        );
        assert_eq!(roster.census(), Census::default());
        assert!(roster.proxies.is_empty());
        assert!(roster.symbols.is_empty());
    }
}
