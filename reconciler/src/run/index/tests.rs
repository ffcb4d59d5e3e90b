use std::time::Duration;

use super::*;
use crate::{
    kinds::{DataplaneRecord, NamespaceRecord, PodRecord, WorkloadRecord},
    run::work_item::{Changed, WorkItem},
};
use kuma_workload_rulebook::{
    identifier::PodAnnotation,
    roster::{CONTROL_PLANE, MANAGER},
};
use rstest::rstest;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn object<K: DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).unwrap()
}

fn dataplane(name: &str, workload: Option<&str>, rest: Value) -> DataplaneRecord {
    let mut object = json!({ "metadata": { "namespace": "shop", "name": name } });
    if let Some(workload) = workload {
        object["metadata"]["annotations"] = json!({ "kuma.io/workload": workload });
    }
    for (key, value) in rest.as_object().unwrap() {
        object[key] = value.clone();
    }
    self::object(object)
}

fn workload(version: u32, managed_by: &str) -> WorkloadRecord {
    object(json!({ "metadata": {
        "namespace": "shop", "name": "web", "uid": "u", "resourceVersion": version.to_string(),
        "labels": { "kuma.io/mesh": "default", "kuma.io/managed-by": managed_by },
    } }))
}

fn web() -> Key {
    Key {
        namespace: "shop".into(),
        workload: "web".into(),
    }
}

fn managing() -> Index {
    Index::new(ConfiguredMode::Manage, None, false)
}

fn is_delete(index: &Index) -> bool {
    matches!(
        index.view(&web()).decision.action,
        Action::Write(Write::Delete)
    )
}

fn sweep(index: &mut Index, began: &ListBegan) -> Vec<WorkItem> {
    let mut began = *began;
    index.sweep(&mut began, None, usize::MAX).changed.items
}

fn version(index: &Index) -> Option<String> {
    let existing = index.view(&web()).existing?;
    Some(existing.resource_version.to_string())
}

/// Something arrives while a request for a Workload is under way.
#[rstest]
#[case::nothing(|_: &mut Index| {}, Some(11), AnswerOutcome::Taken, Some("11"))]
#[case::nothing_and_it_is_gone(|_: &mut Index| {}, None, AnswerOutcome::Taken, None)]
#[case::older(|index: &mut Index| drop(index.apply_workload(&workload(10, MANAGER))), Some(11), AnswerOutcome::Taken, Some("11"))]
#[case::newer(|index: &mut Index| drop(index.apply_workload(&workload(12, MANAGER))), Some(11), AnswerOutcome::Unclear, Some("12"))]
#[case::and_it_is_gone(|index: &mut Index| drop(index.apply_workload(&workload(12, MANAGER))), None, AnswerOutcome::Unclear, Some("12"))]
#[case::deleted(|index: &mut Index| drop(index.delete_workload(&web(), Some("u"))), Some(11), AnswerOutcome::Unclear, None)]
#[case::swept(|index: &mut Index| {
    let mut began = index.relist(RecordKind::Workload);
    index.sweep(&mut began, None, usize::MAX);
}, Some(11), AnswerOutcome::Unclear, None)]
fn l21_an_answer_counts_if_it_is_the_newest(
    #[case] meanwhile: fn(&mut Index),
    #[case] answer: Option<u32>,
    #[case] expected: AnswerOutcome,
    #[case] known: Option<&str>,
) {
    let mut index = managing();
    index.apply_workload(&workload(9, MANAGER));
    index.begin_request(&web());
    meanwhile(&mut index);
    let answer = answer.map(|version| workload(version, MANAGER));
    let (outcome, _) = index.apply_answer(&web(), answer.as_ref());
    assert_eq!(outcome, expected);
    assert_eq!(version(&index).as_deref(), known);
}

#[test]
fn l21_an_answer_with_a_lower_number_counts_after_a_restore() {
    let mut index = managing();
    index.apply_workload(&workload(900, MANAGER));
    index.begin_request(&web());
    let (outcome, items) = index.apply_answer(&web(), Some(&workload(3, MANAGER)));
    assert_eq!(outcome, AnswerOutcome::Taken);
    assert_eq!(items, [WorkItem::Workload(web())]);
    assert_eq!(version(&index).as_deref(), Some("3"));
}

#[test]
fn l21_a_list_counts_unless_something_arrived_meanwhile() {
    let mut index = managing();
    index.apply_workload(&workload(900, MANAGER));
    let began = index.relist(RecordKind::Workload);
    index.apply_listed_workload(&workload(3, MANAGER), &began);
    assert_eq!(version(&index).as_deref(), Some("3"), "it was restored");
    let began = index.relist(RecordKind::Workload);
    index.apply_workload(&workload(5, MANAGER));
    index.apply_listed_workload(&workload(4, MANAGER), &began);
    assert_eq!(version(&index).as_deref(), Some("5"));
    assert_eq!(sweep(&mut index, &began), []);
}

#[test]
fn l19_a_workload_that_was_made_during_a_list_is_not_swept() {
    let mut index = managing();
    let began = index.relist(RecordKind::Workload);
    index.begin_request(&web());
    index.apply_answer(&web(), Some(&workload(5, MANAGER)));
    assert_eq!(sweep(&mut index, &began), []);
    let began = index.relist(RecordKind::Workload);
    assert_eq!(sweep(&mut index, &began), [WorkItem::Workload(web())]);
}

#[test]
fn a_workload_is_not_deleted_while_a_dataplane_of_it_cannot_be_read() {
    let mut index = managing();
    index.apply_workload(&workload(1, MANAGER));
    let (_, problem) =
        index.apply_dataplane(&dataplane("web-0", Some("web"), json!({ "mesh": 5 })));
    assert!(matches!(
        problem,
        Some(DataplaneProblem::Undecodable { .. })
    ));
    assert!(!is_delete(&index));

    let again = index.apply_dataplane(&dataplane("web-0", Some("web"), json!({ "mesh": 5 })));
    assert_eq!(again.1, None, "it is reported once");

    let gone = dataplane("web-0", Some("web"), json!({}));
    let items = index.delete_dataplane(&gone.metadata);
    assert!(items.contains(&WorkItem::Workload(web())), "{items:?}");
    assert!(is_delete(&index));
}

#[test]
fn a_dataplane_that_cannot_be_read_protects_nothing_once_it_is_gone() {
    let mut index = managing();
    index.apply_workload(&workload(1, MANAGER));
    index.apply_dataplane(&dataplane("web-0", Some("web"), json!({ "spec": [] })));
    let began = index.relist(RecordKind::Dataplane);
    let items = sweep(&mut index, &began);
    assert!(items.contains(&WorkItem::Workload(web())), "{items:?}");
    assert!(is_delete(&index));
}

#[test]
fn a6_a_label_that_differs_from_the_field_is_reported_once() {
    let mut index = managing();
    let mut odd = dataplane("web-0", Some("web"), json!({ "mesh": "a" }));
    odd.metadata.labels = Some([("kuma.io/mesh".to_owned(), "b".to_owned())].into());
    let expected = DataplaneProblem::MeshLabel {
        label: "b".into(),
        field: "a".into(),
    };
    assert_eq!(index.apply_dataplane(&odd).1, Some(expected));
    assert_eq!(index.apply_dataplane(&odd).1, None);
    assert_eq!(index.problems.len(), 1);
}

#[test]
fn an_older_version_does_not_replace_a_newer_one() {
    let mut index = managing();
    index.apply_workload(&workload(10, MANAGER));
    assert_eq!(index.apply_workload(&workload(9, "somebody")), []);
    assert_eq!(index.apply_workload(&workload(10, MANAGER)), []);
    assert_eq!(version(&index).as_deref(), Some("10"));
    assert_eq!(
        index.apply_workload(&workload(11, MANAGER)),
        [WorkItem::Workload(web())]
    );
    assert_eq!(version(&index).as_deref(), Some("11"));
}

#[test]
fn the_deletion_of_an_earlier_object_of_the_same_name_is_ignored() {
    let mut index = managing();
    index.apply_workload(&workload(10, MANAGER));
    assert_eq!(index.delete_workload(&web(), Some("another")), []);
    assert_eq!(
        index.delete_workload(&web(), Some("u")),
        [WorkItem::Workload(web())]
    );
    assert_eq!(index.delete_workload(&web(), Some("u")), []);
}

fn by_control_plane(version: u32, manager: &str) -> WorkloadRecord {
    let fields = json!({ "f:metadata": { "f:labels": { "f:kuma.io/managed-by": {} } } });
    object(json!({ "metadata": {
        "namespace": "shop", "name": "web", "uid": "u", "resourceVersion": version.to_string(),
        "labels": { "kuma.io/mesh": "default", "kuma.io/managed-by": CONTROL_PLANE },
        "managedFields": [{ "manager": manager, "fieldsV1": fields }],
    } }))
}

fn auto(only_selected: bool) -> Index {
    let mode = ConfiguredMode::Auto {
        managers: ["kuma-cp".to_owned()].into(),
        grace: Duration::from_secs(600),
    };
    Index::new(mode, None, only_selected)
}

#[test]
fn l17_auto_yields_to_a_control_plane_whose_workload_is_referred_to() {
    let mut index = auto(false);
    index.apply_workload(&by_control_plane(1, "kuma-cp"));
    assert_eq!(index.mode(), Mode::Manage, "nothing refers to it");
    index.apply_dataplane(&dataplane("web-0", Some("web"), json!({})));
    assert_eq!(index.mode(), Mode::Yield);
    assert_eq!(index.evidence(), Some(&web()));
    index.delete_workload(&web(), None);
    assert_eq!(index.evidence(), None);
    assert_eq!(index.mode(), Mode::Yield, "for the grace period");
}

#[rstest]
#[case::by_hand(by_control_plane(1, "kubectl-label"), 1)]
#[case::without_managed_fields(workload(1, CONTROL_PLANE), 0)]
fn l17_a_label_alone_is_no_evidence(#[case] workload: WorkloadRecord, #[case] strangers: usize) {
    let mut index = auto(false);
    index.apply_dataplane(&dataplane("web-0", Some("web"), json!({})));
    index.apply_workload(&workload);
    assert_eq!(index.mode(), Mode::Manage);
    assert_eq!(index.strangers().1, strangers);
}

#[test]
fn l17_what_is_not_selected_is_no_evidence() {
    let mut index = auto(true);
    index.apply_dataplane(&dataplane("web-0", Some("web"), json!({})));
    index.apply_workload(&by_control_plane(1, "kuma-cp"));
    assert_eq!(index.mode(), Mode::Manage);
    index.apply_namespace(&object(json!({ "metadata": { "name": "shop" } })));
    index.review_evidence(&web());
    assert_eq!(index.mode(), Mode::Yield);
}

#[test]
fn only_selected_namespaces_are_reconciled() {
    let mut index = Index::new(ConfiguredMode::Manage, None, true);
    index.apply_dataplane(&dataplane("web-0", Some("web"), json!({})));
    assert!(!index.is_selected("shop"));
    let shop: NamespaceRecord = object(json!({ "metadata": { "name": "shop" } }));
    assert_eq!(index.apply_namespace(&shop), Changed::namespace("shop"));
    assert_eq!(index.apply_namespace(&shop), Changed::default());
    assert!(index.is_selected("shop"));
    let mut began = index.relist(RecordKind::Namespace);
    let swept = index.sweep(&mut began, None, usize::MAX);
    assert_eq!(swept.changed, Changed::namespace("shop"));
    assert!(!index.is_selected("shop"));
}

#[test]
fn a_namespace_that_is_made_anew_is_looked_at() {
    let mut index = managing();
    let going =
        json!({ "metadata": { "name": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z" } });
    index.apply_namespace(&object(going));
    assert!(index.is_terminating("shop"));
    let made: NamespaceRecord = object(json!({ "metadata": { "name": "shop" } }));
    assert_eq!(index.apply_namespace(&made), Changed::namespace("shop"));
    assert!(!index.is_terminating("shop"));
}

#[test]
fn l12_a_new_owner_only_where_meshes_can_be_read() {
    let mut index = managing();
    let mut old = workload(1, MANAGER);
    let owner = json!({ "apiVersion": API_VERSION, "kind": "Mesh", "name": "old", "uid": "m0" });
    old.metadata.owner_references = Some(vec![object(owner)]);
    index.apply_workload(&old);
    index.apply_dataplane(&dataplane("web-0", Some("web"), json!({ "mesh": "new" })));
    assert_eq!(index.view(&web()).mesh_owner, None);
    index.apply_mesh(&object(
        json!({ "metadata": { "name": "new", "uid": "m1" } }),
    ));
    let owner = index.view(&web()).mesh_owner.unwrap();
    assert_eq!((&*owner.name, &*owner.uid), ("new", "m1"));
}

mod w8 {
    use super::*;

    fn index(annotation: PodAnnotation) -> Index {
        let pods = PodIdentifiers::new(vec!["app".to_owned()], annotation);
        Index::new(ConfiguredMode::Manage, Some(pods), false)
    }

    fn pod(rest: Value) -> PodRecord {
        let mut metadata = json!({ "namespace": "shop", "name": "web-0" });
        for (key, value) in rest.as_object().unwrap() {
            metadata[key] = value.clone();
        }
        object(json!({ "metadata": metadata, "spec": { "serviceAccountName": "account" } }))
    }

    fn workloads(index: &Index) -> Vec<String> {
        index.roster().keys().map(|key| key.workload).collect()
    }

    #[test]
    fn whichever_comes_first() {
        let of_label = pod(json!({ "labels": { "app": "web" } }));
        for dataplane_first in [true, false] {
            let mut index = index(PodAnnotation::Ignore);
            if dataplane_first {
                index.apply_dataplane(&dataplane("web-0", None, json!({})));
                assert_eq!(workloads(&index), [""; 0]);
            }
            index.apply_pod(&of_label);
            if !dataplane_first {
                index.apply_dataplane(&dataplane("web-0", None, json!({})));
            }
            assert_eq!(workloads(&index), ["web"]);
        }
    }

    /// A Dataplane that is gone is swept, though an event of its Pod came during the list.
    #[test]
    fn a_pod_does_not_keep_a_dataplane_that_is_gone() {
        let mut index = index(PodAnnotation::Ignore);
        index.apply_dataplane(&dataplane("web-0", None, json!({})));
        index.apply_pod(&pod(json!({})));
        let began = index.relist(RecordKind::Dataplane);
        index.apply_pod(&pod(json!({ "labels": { "app": "web" } })));
        assert_eq!(workloads(&index), ["web"]);
        sweep(&mut index, &began);
        assert_eq!(workloads(&index), [""; 0]);
    }

    #[test]
    fn a_stored_identifier_wins() {
        let mut index = index(PodAnnotation::Ignore);
        index.apply_dataplane(&dataplane("web-0", Some("stored"), json!({})));
        index.apply_pod(&pod(json!({})));
        assert_eq!(workloads(&index), ["stored"]);
    }

    #[test]
    fn the_last_identifier_outlives_the_pod() {
        let mut index = index(PodAnnotation::Ignore);
        index.apply_dataplane(&dataplane("web-0", None, json!({})));
        let pod = pod(json!({}));
        index.apply_pod(&pod);
        index.delete_pod(&pod.metadata);
        index.apply_dataplane(&dataplane("web-0", None, json!({ "mesh": "a" })));
        assert_eq!(workloads(&index), ["account"]);
        index.delete_dataplane(&dataplane("web-0", None, json!({})).metadata);
        assert_eq!(workloads(&index), [""; 0]);
    }

    #[test]
    fn the_annotation_counts_if_it_is_honored() {
        let annotated = pod(json!({ "annotations": { "kuma.io/workload": "annotated" } }));
        for (annotation, expected) in [
            (PodAnnotation::Ignore, "account"),
            (PodAnnotation::Honor, "annotated"),
        ] {
            let mut index = index(annotation);
            index.apply_pod(&annotated);
            index.apply_dataplane(&dataplane("web-0", None, json!({})));
            assert_eq!(workloads(&index), [expected]);
        }
    }

    #[test]
    fn w8_builtin_gateways_have_none() {
        let builtin = json!({ "spec": { "networking": { "gateway": { "type": "BUILTIN" } } } });
        let mut index = index(PodAnnotation::Ignore);
        index.apply_pod(&pod(json!({})));
        index.apply_dataplane(&dataplane("web-0", None, builtin));
        assert_eq!(workloads(&index), [""; 0]);
    }

    /// Kuma 2 makes no Dataplane of a zone proxy, and Kuma 3 an ordinary one.
    #[test]
    fn i5_the_annotations_of_zone_proxies_say_nothing() {
        let mut index = index(PodAnnotation::Ignore);
        index.apply_pod(&pod(
            json!({ "annotations": { "kuma.io/ingress": "enabled" } }),
        ));
        index.apply_dataplane(&dataplane("web-0", None, json!({})));
        assert_eq!(workloads(&index), ["account"]);
    }
}

#[rstest]
#[case::application("shop", true)]
#[case::control_plane("kuma-system", false)]
#[case::another_control_plane("mesh", false)]
#[case::like_one("kuma-system-2", true)]
fn l11_the_namespace_of_a_control_plane_is_not_split(#[case] namespace: &str, #[case] split: bool) {
    let control_planes = ["kuma-system", "mesh"].map(str::to_owned).to_vec();
    let mut index = managing().with_system_namespaces(control_planes);
    for mesh in ["a", "b"] {
        let proxy = json!({
            "metadata": {
                "namespace": namespace, "name": mesh,
                "annotations": { "kuma.io/workload": format!("zone-{mesh}") },
            },
            "mesh": mesh,
        });
        index.apply_dataplane(&object(proxy));
    }
    assert_eq!(index.meshes_of(namespace).is_split(), split);
    // Its Workloads are made all the same.
    assert_eq!(index.roster().keys().count(), 2);
}
