//! Workloads that others edit, delete, take over or fight about, and a Namespace that is deleted.

use kuma_workload_testbed::{Kind, Team, User, eventually};
use rstest::rstest;
use serde_json::{Value, json};

use crate::relist;

fn label<'a>(workload: &'a Value, key: &str) -> &'a Value {
    &workload["metadata"]["labels"][key]
}

#[rstest]
#[case::another_mesh(json!({"kuma.io/mesh": "other"}))]
#[case::no_mesh(json!({"kuma.io/mesh": null}))]
#[case::no_manager(json!({"kuma.io/managed-by": null}))]
#[case::neither(json!({"kuma.io/mesh": null, "kuma.io/managed-by": null}))]
#[tokio::test]
async fn a_workload_edited_by_hand_is_put_right(#[case] labels: Value) {
    let (team, replica) = Team::at_work("edited").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    let before = team.counts("cart", "default", 1).await.unwrap();
    let mut labels = labels;
    labels["kept"] = "yes".into();
    let edit = json!({"metadata": {"labels": labels}, "spec": {"kept": true}});
    team.space
        .merge(Kind::Workload, "cart", edit)
        .await
        .unwrap();
    let after = eventually("it is right again", async || {
        let workload = team
            .find_workload("cart")
            .await
            .map_err(|error| error.to_string())?;
        let workload = workload.unwrap();
        let is_right = label(&workload, "kuma.io/mesh") == "default"
            && label(&workload, "kuma.io/managed-by") == "kuma-workload-reconciler";
        if is_right {
            Ok(workload)
        } else {
            Err(workload.to_string())
        }
    })
    .await
    .unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(
        (label(&after, "kept"), &after["spec"]["kept"]),
        (&json!("yes"), &json!(true))
    );
    team.caught_up(&replica).await.unwrap();
    let patches = replica.proxy.asked_to("patch workloads cart");
    assert_eq!(patches.len(), 1, "{patches:?}");
}

#[tokio::test]
async fn numbers_changed_by_hand_are_put_right() {
    let (team, replica) = Team::at_work("numbers").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    for status in [
        json!({"dataplaneProxies": {"total": 99}}),
        json!(null),
        json!("none"),
    ] {
        let edit = json!({"status": status});
        // What the CustomResourceDefinition does not allow is no edit.
        if team.space.merge(Kind::Workload, "cart", edit).await.is_ok() {
            let workload = team.counts("cart", "default", 1).await.unwrap();
            assert_eq!(workload["status"]["dataplaneProxies"]["healthy"], 1);
        }
    }
    team.caught_up(&replica).await.unwrap();
    assert_eq!(replica.proxy.asked_to("create workloads cart").len(), 1);
}

#[tokio::test]
async fn a_workload_deleted_by_hand_comes_back() {
    let (team, replica) = Team::at_work("deleted").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    let mut before = team.counts("cart", "default", 1).await.unwrap();
    for _ in 0..3 {
        team.space.delete(Kind::Workload, "cart").await.unwrap();
        let after = team.counts("cart", "default", 1).await.unwrap();
        assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
        before = after;
    }
    team.caught_up(&replica).await.unwrap();
    assert_eq!(replica.proxy.asked_to("create workloads cart").len(), 4);
    assert!(replica.proxy.asked_to("delete workloads").is_empty());
}

/// L16: whose label says another is another's, from then on.
#[rstest]
#[case::helm("helm", 1)]
#[case::the_control_plane("k8s-controller", 0)]
#[tokio::test]
async fn a_workload_that_another_takes_is_let_go(#[case] manager: &str, #[case] events: usize) {
    let (team, replica) = Team::at_work("taken").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    let writes = replica.proxy.asked_to("* workloads cart").len();
    let stamp = json!({
        "metadata": {"labels": {"kuma.io/managed-by": manager, "kuma.io/mesh": "wrong"}},
    });
    team.space
        .merge(Kind::Workload, "cart", stamp)
        .await
        .unwrap();
    let taken = team.find_workload("cart").await.unwrap();
    // Whatever would be a reason to write it if it were ours.
    team.dataplane("cart-2", "cart", "default").await.unwrap();
    team.caught_up(&replica).await.unwrap();
    team.dataplane("cart-1", "cart", "other").await.unwrap();
    team.caught_up(&replica).await.unwrap();
    team.space.delete(Kind::Dataplane, "cart-1").await.unwrap();
    team.space.delete(Kind::Dataplane, "cart-2").await.unwrap();
    team.caught_up(&replica).await.unwrap();
    relist(&replica).await;
    team.caught_up(&replica).await.unwrap();
    assert_eq!(team.find_workload("cart").await.unwrap(), taken);
    assert_eq!(replica.proxy.asked_to("* workloads cart").len(), writes);
    let said = team.space.events("WorkloadManagedByAnother").await.unwrap();
    assert_eq!(said.len(), events, "{said:?}");
}

/// Another that stamps whatever we write: we write each once.
#[tokio::test]
async fn another_that_stamps_our_objects_is_not_fought() {
    let (team, replica) = Team::at_work("stamps").await.unwrap();
    let stamp = json!({"metadata": {"labels": {"kuma.io/managed-by": "helm"}}});
    let stamping = async {
        for _ in 0.. {
            for name in team.names().await.unwrap() {
                if !name.starts_with("fence") {
                    let _ = team.space.merge(Kind::Workload, &name, stamp.clone()).await;
                }
            }
        }
    };
    let working = async {
        for round in 0..3 {
            for name in ["cart", "till", "shelf"] {
                let proxy = format!("{name}-{round}");
                team.dataplane(&proxy, name, "default").await.unwrap();
            }
            team.caught_up(&replica).await.unwrap();
        }
    };
    tokio::select! {
        () = stamping => {}
        () = working => {}
    }
    for name in ["cart", "till", "shelf"] {
        let writes = replica.proxy.asked_to(&format!("* workloads {name}"));
        let done = writes
            .iter()
            .filter(|write| write.is_done() && write.writes_workloads());
        assert!(done.count() <= 2, "made, perhaps counted once: {writes:?}");
    }
}

/// Another that takes our labels away as often as we put them there: we do not race.
#[tokio::test]
async fn another_that_strips_our_objects_does_not_hurry_us() {
    let (team, replica) = Team::at_work("strips").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    let before = replica.proxy.asked_to("patch workloads cart").len();
    let begun = tokio::time::Instant::now();
    let strip = json!({"metadata": {"labels": {"kuma.io/mesh": "wrong"}}});
    while begun.elapsed().as_secs() < 5 {
        team.space
            .merge(Kind::Workload, "cart", strip.clone())
            .await
            .unwrap();
    }
    team.counts("cart", "default", 1).await.unwrap();
    let writes = replica.proxy.asked_to("patch workloads cart").len() - before;
    // Once in the time in which numbers are written once, a second here.
    assert!((2..=12).contains(&writes), "{writes} writes in 5 s");
}

/// A Namespace that goes and comes again, while its watch shows it going still or shows all of it.
#[rstest]
#[case::seen(true)]
#[case::unseen(false)]
#[tokio::test]
async fn a_namespace_is_made_anew(#[case] seen: bool) {
    let (team, replica) = Team::at_work("anew").await.unwrap();
    let testbed = team.space.testbed;
    let name = &team.space.name;
    // It holds the Namespace until it was seen to go.
    let held = json!({
        "metadata": {
            "name": "cart-0",
            "annotations": {"kuma.io/workload": "cart"},
            "finalizers": ["example.com/held"],
        },
        "mesh": "default",
    });
    team.space.put(Kind::Dataplane, held).await.unwrap();
    let before = team.counts("cart", "default", 1).await.unwrap();
    let delete = ["delete", "namespace", name, "--wait=false"];
    let deleted = testbed.kubectl(User::Admin, &delete, "").await.unwrap();
    deleted.ok().unwrap();
    team.space.gone("cart").await.unwrap();
    replica.reconciler.shows("writes_held", 1.0).await.unwrap();

    let hold = (!seen).then(|| replica.proxy.hold_watches("namespaces"));
    let freed = json!({"metadata": {"finalizers": null}});
    team.space
        .merge(Kind::Dataplane, "cart-0", freed)
        .await
        .unwrap();
    let namespace = format!("namespace/{name}");
    let gone = ["wait", "--for=delete", "--timeout=30s", &namespace];
    let gone = testbed.kubectl(User::Admin, &gone, "").await.unwrap();
    gone.ok().unwrap();
    team.space.label(&[("team", name)]).await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    let after = team.counts("cart", "default", 1).await.unwrap();
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    drop(hold);
    team.caught_up(&replica).await.unwrap();
    assert_eq!(team.find_workload("cart").await.unwrap().unwrap(), after);
}

#[tokio::test]
async fn a_namespace_is_deleted() {
    let (team, replica) = Team::at_work("doomed").await.unwrap();
    let testbed = team.space.testbed;
    for n in 0..12 {
        let name = format!("cart-{n}");
        let mesh = if n < 10 { "default" } else { "other" };
        team.dataplane(&name, &format!("w-{}", n % 4), mesh)
            .await
            .unwrap();
    }
    team.counts("w-0", "default", 3).await.unwrap();
    let rights = ["delete", "namespace", &team.space.name, "--timeout=30s"];
    let deleted = testbed.kubectl(User::Admin, &rights, "").await.unwrap();
    deleted.ok().unwrap();
    replica
        .reconciler
        .shows("workqueue_depth", 0.0)
        .await
        .unwrap();
    let created = replica.proxy.asked_to("create workloads").into_iter();
    let refused: Vec<_> = created
        .filter(|asked| asked.answer.is_some_and(|code| code != 201))
        .collect();
    assert!(refused.len() <= 4, "at most once each: {refused:?}");
    assert!(
        replica.reconciler.said("ERROR").is_empty(),
        "{}",
        replica.reconciler.log()
    );
    assert!(
        replica.reconciler.said("is tried again").is_empty(),
        "{}",
        replica.reconciler.log()
    );
}
