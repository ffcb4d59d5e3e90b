//! L1 to L8, L12, L13, L15, L18: the table.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kuma_workload_testbed::space::{MANAGER, dataplane, ours, total, workload};
use kuma_workload_testbed::{Fault, Kind, Proxy, Reconciler, Space, Testbed, User, eventually};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{BY, Done, managed};

const MESH: &str = "kuma.io/mesh";
const MANAGED_BY: &str = "kuma.io/managed-by";

fn version(workload: &DynamicObject) -> &str {
    workload
        .metadata
        .resource_version
        .as_deref()
        .unwrap_or_default()
}

fn uid(workload: &DynamicObject) -> &str {
    workload.metadata.uid.as_deref().unwrap_or_default()
}

fn label<'a>(workload: &'a DynamicObject, key: &str) -> Option<&'a str> {
    let labels = workload.metadata.labels.as_ref()?;
    labels.get(key).map(String::as_str)
}

#[tokio::test]
async fn l1_nothing_comes_of_nothing() -> Done {
    let team = managed().await?;
    let mut bare = dataplane("web-1", "default", "");
    bare["metadata"]["annotations"] = json!({});
    team.put(Kind::Dataplane, bare).await?;
    team.proxy("web-2", "default", "").await?;
    team.settled().await?;
    assert_eq!(team.workloads().await?, [].into());
    Ok(())
}

#[tokio::test]
async fn l2_ours_that_nothing_refers_to_is_deleted() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    team.proxy("web-2", "default", "web").await?;
    team.made("web", "default").await?;
    team.delete(Kind::Dataplane, "web-1").await?;
    team.settled().await?;
    team.made("web", "default").await?;
    team.delete(Kind::Dataplane, "web-2").await?;
    team.gone("web").await
}

#[tokio::test]
async fn l2_ours_that_nothing_ever_referred_to_is_deleted() -> Done {
    let team = managed().await?;
    team.put(
        Kind::Workload,
        workload("web", &[(MESH, "default"), (MANAGED_BY, MANAGER)]),
    )
    .await?;
    team.gone("web").await
}

#[rstest]
#[case::of_another(&[(MANAGED_BY, "someone")])]
#[case::of_a_control_plane(&[(MANAGED_BY, "k8s-controller"), (MESH, "default")])]
#[case::of_nobody(&[(MESH, "default")])]
#[case::of_nobody_without_labels(&[])]
#[tokio::test]
async fn l3_one_that_is_not_ours_and_unreferenced_is_left(#[case] labels: &[(&str, &str)]) -> Done {
    let team = managed().await?;
    let before = team.put(Kind::Workload, workload("web", labels)).await?;
    team.settled().await?;
    let after = team.get(Kind::Workload, "web").await?.unwrap();
    assert_eq!(version(&after), version(&before));
    assert_eq!(team.events("WorkloadManagedByAnother").await?, []);
    Ok(())
}

#[rstest]
#[case::named(Some("mesh-2"), "mesh-2")]
#[case::empty(Some(""), "default")]
#[case::absent(None, "default")]
#[tokio::test]
async fn l4_creates_one_with_its_labels_and_an_empty_spec(
    #[case] mesh: Option<&str>,
    #[case] labelled: &str,
) -> Done {
    let team = managed().await?;
    let mut web = dataplane("web-1", "", "web");
    match mesh {
        Some(mesh) => web["mesh"] = mesh.into(),
        None => drop(web.as_object_mut().unwrap().remove("mesh")),
    }
    team.put(Kind::Dataplane, web).await?;
    let made = team.made("web", labelled).await?;
    assert_eq!(made.metadata.labels, Some(ours(labelled)));
    assert_eq!(made.data["spec"], json!({}));
    assert_eq!(made.metadata.annotations, None);
    assert_eq!(made.metadata.owner_references, None);
    assert_eq!(made.metadata.finalizers, None);
    Ok(())
}

#[rstest]
#[case::unlabelled(&[])]
#[case::of_nobody(&[(MESH, "other")])]
#[case::of_ours_in_another_mesh(&[(MESH, "other"), (MANAGED_BY, MANAGER)])]
#[case::of_ours_without_a_mesh(&[(MANAGED_BY, MANAGER)])]
#[tokio::test]
async fn l5_makes_the_labels_right_and_keeps_everything_else(
    #[case] labels: &[(&str, &str)],
) -> Done {
    let team = managed().await?;
    let mut before = workload("web", labels);
    before["metadata"]["labels"]["team"] = "shop".into();
    before["metadata"]["annotations"] = json!({ "note": "kept" });
    before["metadata"]["finalizers"] = json!(["example.com/kept"]);
    before["spec"] = json!({ "kept": [1, 2] });
    let before = team.put(Kind::Workload, before).await?;
    // An unreferenced one of ours is on its way out at once, but the finalizer holds it.
    if label(&before, MANAGED_BY).is_some() {
        return l5_of_one_that_is_referenced(&team, labels).await;
    }
    team.proxy("web-1", "default", "web").await?;
    let after = team.made("web", "default").await?;
    assert_eq!(uid(&after), uid(&before));
    assert_eq!(label(&after, "team"), Some("shop"));
    assert_eq!(after.metadata.annotations, before.metadata.annotations);
    assert_eq!(after.metadata.finalizers, before.metadata.finalizers);
    assert_eq!(after.data["spec"], before.data["spec"]);
    Ok(())
}

/// The same of one that somebody edits while Dataplanes refer to it.
async fn l5_of_one_that_is_referenced(team: &Space<'_>, labels: &[(&str, &str)]) -> Done {
    team.proxy("cart-1", "default", "cart").await?;
    let before = team.made("cart", "default").await?;
    let mesh = labels
        .iter()
        .find(|(key, _)| *key == MESH)
        .map(|(_, mesh)| *mesh);
    let edit = json!({ "metadata": {
        "labels": { MESH: mesh, "team": "shop" },
        "annotations": { "note": "kept" },
        "finalizers": ["example.com/kept"],
    } });
    let patch = Patch::Merge(&edit);
    let edited = team
        .api(Kind::Workload)
        .patch("cart", &PatchParams::default(), &patch)
        .await?;
    assert_eq!(label(&edited, MESH), mesh);
    let after = team.made("cart", "default").await?;
    assert_eq!(uid(&after), uid(&before));
    assert_eq!(label(&after, "team"), Some("shop"));
    assert_eq!(after.metadata.annotations, edited.metadata.annotations);
    assert_eq!(after.metadata.finalizers, edited.metadata.finalizers);
    Ok(())
}

#[rstest]
#[case::another("someone", 1)]
#[case::the_control_plane("k8s-controller", 0)]
#[tokio::test]
async fn l6_leaves_another_managers_and_says_so(
    #[case] manager: &str,
    #[case] events: usize,
) -> Done {
    let team = managed().await?;
    let labels = [(MESH, "other"), (MANAGED_BY, manager)];
    let before = team.put(Kind::Workload, workload("web", &labels)).await?;
    team.proxy("web-1", "default", "web").await?;
    team.settled().await?;
    let published = team
        .wait_for_events("WorkloadManagedByAnother", events)
        .await?;
    if let [event] = &published[..] {
        let note = event.note.as_deref().unwrap_or_default();
        let expected = "Workload web is managed by \"someone\" (label kuma.io/managed-by) and is left as it is.";
        assert_eq!(note, expected);
        assert_eq!(event.type_.as_deref(), Some("Warning"));
    }
    let after = team.get(Kind::Workload, "web").await?.unwrap();
    assert_eq!(version(&after), version(&before));
    // Nothing changes when nothing refers to it any more (L3).
    team.delete(Kind::Dataplane, "web-1").await?;
    team.settled().await?;
    let after = team.get(Kind::Workload, "web").await?.unwrap();
    assert_eq!(version(&after), version(&before));
    Ok(())
}

#[tokio::test]
async fn l6_one_that_its_manager_lets_go_is_adopted() -> Done {
    let team = managed().await?;
    let labels = [(MESH, "default"), (MANAGED_BY, "someone")];
    let before = team.put(Kind::Workload, workload("web", &labels)).await?;
    team.proxy("web-1", "default", "web").await?;
    team.wait_for_events("WorkloadManagedByAnother", 1).await?;
    team.put(Kind::Workload, workload("web", &[(MESH, "default")]))
        .await?;
    let after = team.made("web", "default").await?;
    assert_eq!(uid(&after), uid(&before));
    Ok(())
}

#[tokio::test]
async fn l7_creates_nothing_in_a_conflict() -> Done {
    let team = managed().await?;
    // Another workload keeps both from being seen one after the other.
    team.proxy("web-1", "default", "other").await?;
    team.proxy("web-2", "mesh-2", "web").await?;
    team.made("web", "mesh-2").await?;
    team.delete(Kind::Workload, "web").await?;
    team.proxy("web-1", "default", "web").await?;
    team.wait_for_events("MultipleMeshesDetected", 1).await?;
    team.gone("other").await?;
    // It came back before, or not at all: from now on it does not.
    if team.get(Kind::Workload, "web").await?.is_some() {
        team.delete(Kind::Workload, "web").await?;
    }
    team.settled().await?;
    assert_eq!(team.get(Kind::Workload, "web").await?, None);
    Ok(())
}

#[rstest]
#[case::ours(&[])]
#[case::of_another(&[(MANAGED_BY, "someone")])]
#[tokio::test]
async fn l8_leaves_the_orphan_of_a_conflict(#[case] labels: &[(&str, &str)]) -> Done {
    let team = managed().await?;
    if !labels.is_empty() {
        team.put(Kind::Workload, workload("web", labels)).await?;
    }
    team.proxy("web-1", "default", "web").await?;
    team.settled().await?;
    team.proxy("web-2", "mesh-2", "web").await?;
    team.wait_for_events("MultipleMeshesDetected", 1).await?;
    team.settled().await?;
    let orphan = team.get(Kind::Workload, "web").await?.unwrap();
    let expected = if labels.is_empty() {
        MANAGER
    } else {
        "someone"
    };
    assert_eq!(label(&orphan, MANAGED_BY), Some(expected));
    // An orphan that is deleted by hand stays away (L7).
    team.delete(Kind::Workload, "web").await?;
    team.settled().await?;
    assert_eq!(team.get(Kind::Workload, "web").await?, None);
    // The conflict ends, so it is made again.
    team.delete(Kind::Dataplane, "web-1").await?;
    team.made("web", "mesh-2").await?;
    Ok(())
}

#[tokio::test]
async fn l12_a_dataplane_that_moves_changes_both_sides() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    team.made("web", "default").await?;
    team.proxy("web-1", "default", "cart").await?;
    team.made("cart", "default").await?;
    team.gone("web").await
}

#[tokio::test]
async fn l12_a_dataplane_that_loses_its_annotation_refers_to_nothing() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    team.made("web", "default").await?;
    let mut bare = dataplane("web-1", "default", "");
    bare["metadata"]["annotations"] = json!({});
    team.put(Kind::Dataplane, bare).await?;
    team.gone("web").await
}

#[tokio::test]
async fn l12_a_dataplane_that_changes_its_mesh_takes_the_workload_along() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    let before = team.made("web", "default").await?;
    team.proxy("web-1", "mesh-2", "web").await?;
    let after = team.made("web", "mesh-2").await?;
    assert_eq!(uid(&after), uid(&before));
    Ok(())
}

#[tokio::test]
async fn l12_an_orphan_is_made_right_when_the_conflict_ends() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    let before = team.made("web", "default").await?;
    team.proxy("web-2", "mesh-2", "web").await?;
    team.wait_for_events("MultipleMeshesDetected", 1).await?;
    team.delete(Kind::Dataplane, "web-1").await?;
    let after = team.made("web", "mesh-2").await?;
    assert_eq!(uid(&after), uid(&before));
    Ok(())
}

/// A Mesh as an owner, as upstream's webhook sets it on CREATE.
fn owned_by(mesh: &DynamicObject) -> Value {
    json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "Mesh",
        "name": mesh.metadata.name, "uid": mesh.metadata.uid,
    })
}

#[tokio::test]
async fn l12_deleting_the_old_mesh_does_not_take_the_workload_along() -> Done {
    let team = managed().await?;
    let names = [team.testbed.unique("old"), team.testbed.unique("new")];
    let old = team
        .put(Kind::Mesh, json!({ "metadata": { "name": names[0] } }))
        .await?;
    let new = team
        .put(Kind::Mesh, json!({ "metadata": { "name": names[1] } }))
        .await?;
    team.proxy("web-1", &names[0], "web").await?;
    team.made("web", &names[0]).await?;
    let own = json!({ "metadata": { "ownerReferences": [owned_by(&old)] } });
    let patch = Patch::Merge(&own);
    team.api(Kind::Workload)
        .patch("web", &PatchParams::default(), &patch)
        .await?;
    // One that stays with the old mesh shows that the garbage collector is at work.
    let mut doomed = workload("doomed", &[]);
    doomed["metadata"]["ownerReferences"] = json!([owned_by(&old)]);
    team.put(Kind::Workload, doomed).await?;

    team.proxy("web-1", &names[1], "web").await?;
    let moved = team.made("web", &names[1]).await?;
    let owners = serde_json::to_value(&moved.metadata.owner_references).unwrap();
    assert_eq!(owners, json!([owned_by(&new)]));
    team.delete(Kind::Mesh, &names[0]).await?;
    team.gone("doomed").await?;
    team.settled().await?;
    let after = team.get(Kind::Workload, "web").await?.unwrap();
    assert_eq!(uid(&after), uid(&moved));
    team.delete(Kind::Mesh, &names[1]).await
}

#[tokio::test]
async fn l12_other_owners_stay() -> Done {
    let team = managed().await?;
    let old = team.testbed.unique("old");
    let old = team
        .put(Kind::Mesh, json!({ "metadata": { "name": old } }))
        .await?;
    team.proxy("web-1", "default", "web").await?;
    team.proxy("other-1", "default", "other").await?;
    team.made("web", "default").await?;
    let other = team.made("other", "default").await?;
    let other = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "Workload",
        "name": "other", "uid": other.metadata.uid,
    });
    let own = json!({ "metadata": { "ownerReferences": [owned_by(&old), other] } });
    let patch = Patch::Merge(&own);
    team.api(Kind::Workload)
        .patch("web", &PatchParams::default(), &patch)
        .await?;
    let has_one = |workload: &DynamicObject| {
        let owners = workload.metadata.owner_references.as_ref();
        owners.is_some_and(|owners| owners.len() == 1 && owners[0].name == "other")
    };
    team.workload("web", has_one).await?;
    team.delete(Kind::Mesh, &old.metadata.name.unwrap()).await
}

#[tokio::test]
async fn l13_a_terminating_dataplane_counts_until_it_is_gone() -> Done {
    let team = managed().await?;
    let mut web = dataplane("web-1", "default", "web");
    web["metadata"]["finalizers"] = json!(["example.com/held"]);
    team.put(Kind::Dataplane, web).await?;
    let before = team.made("web", "default").await?;
    team.delete(Kind::Dataplane, "web-1").await?;
    team.settled().await?;
    let after = team.made("web", "default").await?;
    assert_eq!(uid(&after), uid(&before));
    team.proxy("web-1", "default", "web").await?;
    team.gone("web").await
}

#[tokio::test]
async fn l13_a_referenced_workload_that_is_deleted_comes_back() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    let before = team.made("web", "default").await?;
    team.delete(Kind::Workload, "web").await?;
    let after = team
        .workload("web", |workload| uid(workload) != uid(&before))
        .await?;
    assert_eq!(after.metadata.labels, Some(ours("default")));
    Ok(())
}

/// The watch shows its end before the answer to the write comes.
#[rstest]
#[case::made("create", 1)]
#[case::counted("patch", 2)]
#[tokio::test]
async fn l13_one_that_is_deleted_while_it_is_written_comes_back(
    #[case] verb: &str,
    #[case] proxies: i64,
) -> Done {
    let testbed = Testbed::shared()?;
    testbed.install_kuma().await?;
    let by = testbed.unique("own");
    let team = Space::new(testbed, &[(BY, &by)]).await?;
    let proxy = Proxy::start(testbed, User::Reconciler).await?;
    let selector = format!("--namespace-selector={BY}={by}");
    let flags = ["--mode", "manage", &selector];
    let _reconciler = Reconciler::start_as(testbed, proxy.kubeconfig(), &flags).await?;
    let late = Fault::Late(Duration::from_secs(2));
    proxy.next(1, &format!("{verb} workloads web"), late);
    let mut first = None;
    for number in 1..=proxies {
        team.proxy(&format!("web-{number}"), "default", "web")
            .await?;
        let is_counted = |web: &DynamicObject| total(web) == Some(number);
        first = Some(team.workload("web", is_counted).await?);
    }
    team.delete(Kind::Workload, "web").await?;
    let is_another = |web: &DynamicObject| {
        first.as_ref().is_some_and(|first| uid(web) != uid(first)) && total(web) == Some(proxies)
    };
    team.workload("web", is_another).await.map(drop)
}

#[tokio::test]
async fn l13_one_that_a_finalizer_holds_comes_back_when_it_has_gone() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    let before = team.made("web", "default").await?;
    let held = json!({ "metadata": { "finalizers": ["example.com/held"] } });
    let workloads = team.api(Kind::Workload);
    workloads
        .patch("web", &PatchParams::default(), &Patch::Merge(&held))
        .await?;
    team.delete(Kind::Workload, "web").await?;
    team.settled().await?;
    let terminating = team.get(Kind::Workload, "web").await?.unwrap();
    assert_eq!(uid(&terminating), uid(&before));
    let free = json!({ "metadata": { "finalizers": null } });
    workloads
        .patch("web", &PatchParams::default(), &Patch::Merge(&free))
        .await?;
    team.workload("web", |workload| uid(workload) != uid(&before))
        .await?;
    Ok(())
}

#[tokio::test]
async fn l15_one_that_appears_at_the_same_moment_is_decided_upon_again() -> Done {
    let team = managed().await?;
    // Each round is a race for ten names, which the hand must win once each way.
    let mut lost = [false; 2];
    for round in 0..50 {
        let race = (0..10).map(async |number| -> Done {
            let name = format!("web-{round}-{number}");
            let foreign: &[_] = if number % 2 == 0 { &[] } else { &[(MANAGED_BY, "someone")] };
            let by_hand = async {
                // Half of them are late on purpose.
                if number % 4 > 1 {
                    tokio::task::yield_now().await;
                }
                let object = serde_json::from_value(json!({
                    "apiVersion": "kuma.io/v1alpha1", "kind": "Workload",
                    "metadata": {
                        "name": name,
                        "labels": foreign.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
                        "annotations": { "by": "hand" },
                    },
                }));
                team.api(Kind::Workload).create(&Default::default(), &object.unwrap()).await
            };
            let (dataplane, by_hand) = tokio::join!(team.proxy(&name, "default", &name), by_hand);
            dataplane?;
            if by_hand.is_ok() && number % 2 == 1 {
                return Ok(());
            }
            team.made(&name, "default").await.map(drop)
        });
        futures::future::try_join_all(race).await?;
        team.settled().await?;
        for (name, labels) in team.workloads().await? {
            let by_hand = team
                .get(Kind::Workload, &name)
                .await?
                .unwrap()
                .metadata
                .annotations;
            let manager = labels.get(MANAGED_BY).map(String::as_str);
            let is_odd = name.ends_with(['1', '3', '5', '7', '9']);
            let expected = if by_hand.is_some() && is_odd {
                "someone"
            } else {
                MANAGER
            };
            assert_eq!(manager, Some(expected), "{name}");
        }
        for request in team.testbed.asked(User::Reconciler, &team.name)? {
            if request.verb == "create" && request.code == 409 {
                let is_odd = request.name.ends_with(['1', '3', '5', '7', '9']);
                lost[usize::from(is_odd)] = true;
            }
        }
        if lost == [true; 2] {
            return Ok(());
        }
    }
    panic!("no race was ever lost: {lost:?}");
}

#[tokio::test]
async fn l18_kumas_definitions_are_left_alone() -> Done {
    let testbed = Testbed::shared()?;
    testbed.install_kuma().await?;
    let crds: Api<CustomResourceDefinition> = Api::all(testbed.client(User::Admin).await?);
    let versions = async || -> Result<Vec<_>, kuma_workload_testbed::Error> {
        let list = crds.list(&Default::default()).await?;
        let of_crd = |crd: CustomResourceDefinition| {
            (crd.metadata.name, crd.metadata.uid, crd.metadata.generation)
        };
        Ok(list.items.into_iter().map(of_crd).collect())
    };
    let before = versions().await?;
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    team.settled().await?;
    assert_eq!(versions().await?, before);
    let asked = testbed.asked(User::Reconciler, "")?;
    assert!(
        asked.iter().any(|request| request.resource == "dataplanes"),
        "{asked:?}"
    );
    let about = |resource: &str| resource == "customresourcedefinitions";
    assert!(!asked.iter().any(|request| about(&request.resource)));
    Ok(())
}

#[tokio::test]
async fn a_copy_of_another_namespaces_dataplane_does_not_count() -> Done {
    let team = managed().await?;
    let mut copy = dataplane("copy-1", "default", "copy");
    copy["metadata"]["labels"] = json!({ "k8s.kuma.io/namespace": "elsewhere" });
    team.put(Kind::Dataplane, copy).await?;
    let mut web = dataplane("web-1", "default", "web");
    web["metadata"]["labels"] = json!({ "k8s.kuma.io/namespace": team.name });
    team.put(Kind::Dataplane, web).await?;
    team.made("web", "default").await?;
    team.settled().await?;
    assert_eq!(team.get(Kind::Workload, "copy").await?, None);
    Ok(())
}

#[tokio::test]
async fn in_a_namespace_on_its_way_out_nothing_is_made_again() -> Done {
    let team = managed().await?;
    // What is held keeps the Namespace terminating, and its workload referenced.
    let mut web = dataplane("web-1", "default", "web");
    web["metadata"]["finalizers"] = json!(["example.com/held"]);
    team.put(Kind::Dataplane, web).await?;
    let before = team.made("web", "default").await?;
    let delete = ["delete", "namespace", &team.name, "--wait=false"];
    team.testbed.kubectl(User::Admin, &delete, "").await?.ok()?;
    team.gone("web").await?;
    // Whatever it sees now leads to another look at the workload.
    for mesh in ["mesh-2", "default"] {
        let mut web = dataplane("web-1", mesh, "web");
        web["metadata"]["finalizers"] = json!(["example.com/held"]);
        team.put(Kind::Dataplane, web).await?;
    }
    managed().await?.settled().await?;
    let created = |requests: Vec<kuma_workload_testbed::audit::Asked>| {
        let creates = requests
            .into_iter()
            .filter(|request| request.verb == "create");
        creates
            .filter(|request| request.resource == "workloads")
            .count()
    };
    let tried = created(team.testbed.asked(User::Reconciler, &team.name)?);
    // Once before; and a few times more, each after twice as long, since the watch of Namespaces may be
    // behind.
    assert!((1..=8).contains(&tried), "{tried} times, of {before:?}");
    team.proxy("web-1", "default", "web").await?;
    eventually("the Namespace is gone", async || {
        let get = ["get", "namespace", &team.name];
        let there = team.testbed.kubectl(User::Admin, &get, "").await;
        match there {
            Ok(output) if !output.success => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}
