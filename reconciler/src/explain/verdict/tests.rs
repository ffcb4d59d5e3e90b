use super::*;
use crate::explain::by_mesh;
use kuma_workload_rulebook::{
    counts::Inbounds,
    roster::{ExistingWorkload, Key, Mode, Roster, RosterDataplane, Write},
};
use rstest::rstest;

const OURS: Option<&str> = Some(MANAGER);

/// The Workload `shop/web` that exists: manager, mesh.
type Existing = Option<(Option<&'static str>, &'static str)>;

fn facts(name: &str, meshes: &[&str], existing: Existing, mode: Mode) -> Facts {
    let mut roster = Roster::default();
    for (number, mesh) in meshes.iter().enumerate() {
        roster.apply(&RosterDataplane {
            namespace: "shop",
            name: &format!("web-{number}"),
            workload: Some(name),
            mesh: Some(mesh),
            local: true,
            inbounds: Inbounds::default(),
        });
    }
    let key = Key {
        namespace: "shop".into(),
        workload: name.into(),
    };
    let known = existing.map(|(managed_by, mesh)| ExistingWorkload {
        mesh: Some(mesh),
        managed_by,
        ..ExistingWorkload::default()
    });
    let decision = roster.decide(&key, known.as_ref(), mode);
    let dataplanes = by_mesh(roster.references(&key));
    let labelled = existing.and_then(|(_, mesh)| dataplanes.get(mesh).copied());
    Facts {
        workload: existing.map(|(manager, mesh)| KnownWorkload {
            mesh: Some(mesh.to_owned()),
            manager: manager.map(str::to_owned),
            reported: labelled,
            is_being_deleted: false,
        }),
        key,
        decision,
        dataplanes,
        unreadable: Vec::new(),
        namespace: NamespaceState::Present,
        mode,
        waiting_for: Vec::new(),
        obstacle: None,
    }
}

/// The table of DOMAIN §7, L16, L17 and W5.
#[rstest]
#[case::l1("web", &[], None, Mode::Manage, &["L1"],
    "Workload shop/web does not exist because no Dataplane of namespace shop refers to it.",
    "nothing refers to it, and it does not exist: nothing is done")]
#[case::l2("web", &[], Some((OURS, "a")), Mode::Manage, &["L2", "L19"],
    "Workload shop/web exists and is not as it should be: it is to be deleted.",
    "nothing refers to it, and this program has made it: it is deleted")]
#[case::l3_of_another("web", &[], Some((Some("helm"), "a")), Mode::Manage, &["L3", "L16"],
    "Workload shop/web exists and is left as it is because \"helm\" manages it (kuma.io/managed-by).",
    "nothing refers to it, and \"helm\" manages it (kuma.io/managed-by): it is left as it is")]
#[case::l3_of_nobody("web", &[], Some((None, "a")), Mode::Manage, &["L3"],
    "Workload shop/web exists and is left as it is because this program has not made it (kuma.io/managed-by is not kuma-workload-reconciler).",
    "nothing refers to it, and this program has not made it (kuma.io/managed-by is not kuma-workload-reconciler): it is left as it is")]
#[case::l4("web", &["a", "a"], None, Mode::Manage, &["L4"],
    "Workload shop/web does not exist, and should: Dataplanes of mesh a refer to it.",
    "Dataplanes of one mesh refer to it, and it does not exist: it is created in mesh a")]
#[case::l5_right("web", &["a"], Some((OURS, "a")), Mode::Manage, &["L5"],
    "Workload shop/web exists and is as it should be.",
    "Dataplanes of one mesh refer to it, and its labels and numbers are right: nothing is done")]
#[case::l5_wrong_mesh("web", &["a"], Some((OURS, "b")), Mode::Manage, &["L5"],
    "Workload shop/web exists and is not as it should be: its labels are to be corrected.",
    "Dataplanes of one mesh refer to it, and its labels or owners do not fit: it is labelled for mesh a")]
#[case::l5_of_nobody("web", &["a"], Some((None, "a")), Mode::Manage, &["L5"],
    "Workload shop/web exists and is not as it should be: its labels are to be corrected.",
    "Dataplanes of one mesh refer to it, and its labels or owners do not fit: it is labelled for mesh a")]
#[case::l6("web", &["a"], Some((Some("helm"), "a")), Mode::Manage, &["L6", "L16"],
    "Workload shop/web exists and is left as it is because \"helm\" manages it (kuma.io/managed-by).",
    "Dataplanes refer to it, and \"helm\" manages it (kuma.io/managed-by): it is left as it is")]
#[case::l16_of_a_control_plane("web", &["a"], Some((Some(CONTROL_PLANE), "a")), Mode::Manage, &["L6", "L16"],
    "Workload shop/web exists and is left as it is because a control plane manages it (kuma.io/managed-by is k8s-controller).",
    "Dataplanes refer to it, and a control plane manages it (kuma.io/managed-by is k8s-controller): it is left as it is")]
#[case::l7("web", &["b", "a"], None, Mode::Manage, &["L7"],
    "Workload shop/web does not exist because Dataplanes of several meshes refer to it (a, b).",
    "Dataplanes of several meshes refer to it (a, b), and it does not exist: nothing is created")]
#[case::l8("web", &["b", "a"], Some((OURS, "a")), Mode::Manage, &["L8"],
    "Workload shop/web exists and is left as it is because Dataplanes of several meshes refer to it (a, b).",
    "Dataplanes of several meshes refer to it (a, b), and it exists: it is left as it is")]
#[case::l17_observe("web", &["a"], None, Mode::Observe, &["L17", "L4"],
    "Workload shop/web does not exist because no Workload is written in mode observe.",
    "Dataplanes of one mesh refer to it, and it does not exist: it would be created in mesh a, but no Workload is written in mode observe")]
#[case::l17_yield("web", &["a"], None, Mode::Yield, &["L17", "L4"],
    "Workload shop/web does not exist because Workloads are left to a control plane in mode auto.",
    "Dataplanes of one mesh refer to it, and it does not exist: it would be created in mesh a, but Workloads are left to a control plane in mode auto")]
#[case::l17_leftover("web", &[], Some((OURS, "a")), Mode::Observe, &["L17", "L2"],
    "Workload shop/web exists and is not deleted because no Workload is written in mode observe.",
    "nothing refers to it, and this program has made it: it would be deleted, but no Workload is written in mode observe")]
#[case::w5("Web", &["a"], None, Mode::Manage, &["W5"],
    "Workload shop/Web does not exist because no Workload can have this name: it must be lower-case letters, digits, '-' and '.', each part beginning and ending with a letter or digit.",
    "\"Web\" cannot be the name of a Workload: nothing is created")]
fn decisions(
    #[case] name: &str,
    #[case] meshes: &[&str],
    #[case] existing: Existing,
    #[case] mode: Mode,
    #[case] rules: &[&'static str],
    #[case] answer: &str,
    #[case] decision: &str,
) {
    let expected = Verdict {
        answer: answer.to_owned(),
        rules: rules.to_vec(),
        decision: decision.to_owned(),
    };
    assert_eq!(verdict(&facts(name, meshes, existing, mode)), expected);
}

fn missing() -> Facts {
    facts("web", &["a"], None, Mode::Manage)
}

fn right() -> Facts {
    facts("web", &["a"], Some((OURS, "a")), Mode::Manage)
}

fn leftover() -> Facts {
    facts("web", &[], Some((OURS, "a")), Mode::Manage)
}

/// What else decides.
#[rstest]
#[case::not_listed(missing(), |facts: &mut Facts| facts.waiting_for = vec!["waiting for the list of pods".into()],
    &["L23"], "It is not known yet whether Workload shop/web should exist: waiting for the list of pods.")]
#[case::unselected(missing(), |facts: &mut Facts| facts.namespace = NamespaceState::Unselected,
    &[], "Workload shop/web does not exist because namespace shop is not selected.")]
#[case::unselected_and_there(right(), |facts: &mut Facts| facts.namespace = NamespaceState::Unselected,
    &[], "Workload shop/web exists and is left as it is because namespace shop is not selected.")]
#[case::namespace_going(missing(), |facts: &mut Facts| facts.namespace = NamespaceState::Terminating,
    &["L4", "L15"], "Workload shop/web does not exist because namespace shop is being deleted, so that nothing can be created there.")]
#[case::namespace_missing(missing(), |facts: &mut Facts| facts.namespace = NamespaceState::Missing,
    &["L4", "L15"], "Workload shop/web does not exist because namespace shop does not exist.")]
#[case::obstacle(missing(), |facts: &mut Facts| facts.obstacle = Some("no replica leads".into()),
    &["L4"], "Workload shop/web does not exist because no replica leads.")]
#[case::obstacle_of_a_delete(leftover(), |facts: &mut Facts| facts.obstacle = Some("no replica leads".into()),
    &["L2", "L19"], "Workload shop/web exists and is not as it should be: it is to be deleted, but not yet: no replica leads.")]
#[case::finalizers(right(), going, &["L13"],
    "Workload shop/web exists and is being deleted: it waits for its finalizers.")]
#[case::finalizers_unreferenced(leftover(), going, &["L2"],
    "Workload shop/web exists and is being deleted: it waits for its finalizers.")]
#[case::numbers(right(), |facts: &mut Facts| facts.workload.as_mut().unwrap().reported = None,
    &["L5", "S4"], "Workload shop/web exists and is not as it should be: its numbers are to be written.")]
#[case::copy(right(), |facts: &mut Facts| {
    facts.decision.action = Action::Leave { why: Foreign::NotLocal, referenced: true };
}, &["S4"], "Workload shop/web exists and is left as it is because it is a copy of a Workload elsewhere.")]
#[case::owner_of_another_mesh(right(), |facts: &mut Facts| {
    let drop_mesh_owners = ["b".to_owned()].into();
    facts.decision.action = Action::Write(Write::Relabel { mesh: "a".into(), drop_mesh_owners });
}, &["L5", "L12"], "Workload shop/web exists and is not as it should be: its labels are to be corrected.")]
#[case::unreadable(facts("web", &[], None, Mode::Manage),
    |facts: &mut Facts| facts.unreadable = vec!["Dataplane shop/web-0, which names it, cannot be read: x".into()],
    &["L1"], "Workload shop/web does not exist because Dataplane shop/web-0, which names it, cannot be read: x.")]
#[case::protected(leftover(), |facts: &mut Facts| facts.decision.action = Action::Nothing,
    &["L2"], "Workload shop/web exists and is kept because a Dataplane that cannot be read names it.")]
fn other_reasons(
    #[case] mut facts: Facts,
    #[case] change: fn(&mut Facts),
    #[case] rules: &[&'static str],
    #[case] answer: &str,
) {
    change(&mut facts);
    let verdict = verdict(&facts);
    assert_eq!((&*verdict.answer, &*verdict.rules), (answer, rules));
}

fn going(facts: &mut Facts) {
    facts.workload.as_mut().unwrap().is_being_deleted = true;
}

#[rstest]
#[case::create(missing(), |_: &mut Facts| {}, true)]
#[case::delete(leftover(), |_: &mut Facts| {}, true)]
#[case::right(right(), |_: &mut Facts| {}, false)]
#[case::numbers(right(), |facts: &mut Facts| facts.workload.as_mut().unwrap().reported = None, true)]
#[case::finalizers(leftover(), going, false)]
#[case::unselected(missing(), |facts: &mut Facts| facts.namespace = NamespaceState::Unselected, false)]
#[case::withheld(facts("web", &["a"], None, Mode::Observe), |_: &mut Facts| {}, false)]
fn what_is_due(#[case] mut facts: Facts, #[case] change: fn(&mut Facts), #[case] is_due: bool) {
    change(&mut facts);
    assert_eq!(facts.is_write_due(), is_due);
}

#[test]
fn a_name_cannot_control_the_terminal() {
    let facts = facts("web\u{1b}[2J", &["a"], None, Mode::Manage);
    let verdict = verdict(&facts);
    assert!(!format!("{verdict:?}").contains("\\u{1b}"), "{verdict:?}");
}
