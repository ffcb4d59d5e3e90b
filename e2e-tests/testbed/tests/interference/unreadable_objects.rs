//! Dataplanes that cannot be read, and names that no Workload can have.

use kuma_workload_testbed::{Kind, Team, User, eventually};
use rstest::rstest;
use serde_json::{Value, json};

use crate::relist;

#[rstest]
#[case::inbound_is_a_string(
    json!({"networking": {"inbound": "all of it"}}),
    "spec.networking.inbound is a string where a list is expected"
)]
#[case::inbounds_are_numbers(
    json!({"networking": {"inbound": [{"state": "Ready"}, 7]}}),
    "spec.networking.inbound[1] is a number where an object is expected"
)]
#[case::networking_is_a_list(
    json!({"networking": []}),
    "spec.networking is a list where an object is expected"
)]
#[tokio::test]
async fn a_dataplane_that_cannot_be_read(#[case] spec: Value, #[case] fault: &str) {
    let (team, replica) = Team::at_work("undecodable").await.unwrap();
    let testbed = team.space.testbed;
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.dataplane("till-1", "till", "default").await.unwrap();
    let before = team.counts("cart", "default", 1).await.unwrap();
    team.counts("till", "default", 1).await.unwrap();
    let undecodable = r#"undecodable_objects_total{kind="Dataplane"}"#;
    let counted = replica.reconciler.metric(undecodable).await.unwrap();

    let bad = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "Dataplane", "mesh": "default",
        "metadata": {
            "name": "cart-1", "namespace": team.space.name,
            "annotations": {"kuma.io/workload": "cart"},
        },
        "spec": spec,
    });
    let replace = ["replace", "-f", "-"];
    let replaced = testbed
        .kubectl(User::Admin, &replace, &bad.to_string())
        .await;
    replaced.unwrap().ok().unwrap();
    let named = format!(
        "Dataplane {}/cart-1 cannot be read and is left out: {fault}",
        team.space.name
    );
    replica.reconciler.says(&named).await.unwrap();
    assert!(replica.reconciler.metric(undecodable).await.unwrap() > counted);

    // Nothing that happens beside it, no relist, makes it said again or its Workload go.
    team.space.delete(Kind::Dataplane, "till-1").await.unwrap();
    team.space.gone("till").await.unwrap();
    relist(&replica).await;
    team.caught_up(&replica).await.unwrap();
    let now = team.find_workload("cart").await.unwrap().unwrap();
    assert_eq!(now["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(
        replica.reconciler.said(&named).len(),
        1,
        "{}",
        replica.reconciler.log()
    );

    // Gone, it holds nothing any more.
    team.space.delete(Kind::Dataplane, "cart-1").await.unwrap();
    team.space.gone("cart").await.unwrap();
}

#[tokio::test]
async fn a_dataplane_that_can_be_read_again_counts_again() {
    let (team, replica) = Team::at_work("again").await.unwrap();
    let bad = json!({
        "metadata": {"name": "cart-1", "annotations": {"kuma.io/workload": "cart"}},
        "spec": {"networking": {"inbound": "none"}},
    });
    team.space.put(Kind::Dataplane, bad).await.unwrap();
    replica
        .reconciler
        .says("cannot be read and is left out")
        .await
        .unwrap();
    team.caught_up(&replica).await.unwrap();
    assert_eq!(team.find_workload("cart").await.unwrap(), None);
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
}

/// A name that no object can have: said once, not tried.
#[rstest]
#[case::upper_case("Cart")]
#[case::too_long(&"x".repeat(254))]
#[case::a_path("../cart")]
#[tokio::test]
async fn a_name_that_no_object_can_have(#[case] name: &str) {
    let (team, replica) = Team::at_work("names").await.unwrap();
    team.dataplane("one", name, "default").await.unwrap();
    eventually("it is said", async || {
        let events = team.space.events("InvalidWorkloadName").await;
        match events.map_err(|error| error.to_string())?.len() {
            0 => Err(replica.reconciler.log()),
            _ => Ok(()),
        }
    })
    .await
    .unwrap();
    team.dataplane("two", name, "default").await.unwrap();
    relist(&replica).await;
    team.caught_up(&replica).await.unwrap();
    let writes = replica.proxy.writes().into_iter();
    let writes: Vec<_> = writes
        .filter(|write| !write.name.starts_with("fence"))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
    let events = team.space.events("InvalidWorkloadName").await.unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(replica.proxy.asked_to("create events").len(), 1);
    assert!(replica.proxy.asked_to("patch events").is_empty());
}
