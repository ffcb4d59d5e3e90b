//! S1 to S3, S6, S7: what is counted.

use kuma_workload_testbed::space::workload;
use kuma_workload_testbed::{Error, Kind, Reconciler, Space, Testbed, eventually};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{Done, counted, insight, numbers, online, proxy, reconciler, shows};

fn ready() -> Value {
    json!([{ "port": 80 }])
}

#[tokio::test]
async fn s1_total_is_of_the_namespace_and_the_mesh() -> Done {
    let (team, other) = (counted().await?, counted().await?);
    for number in 0..3 {
        proxy(&team, &format!("web-{number}"), "default", ready()).await?;
    }
    proxy(&other, "web-0", "default", ready()).await?;
    team.proxy("cart-0", "default", "cart").await?;
    shows(&team, "web", [0, 3, 3]).await?;
    shows(&other, "web", [0, 1, 1]).await?;
    shows(&team, "cart", [0, 0, 1]).await?;
    team.delete(Kind::Dataplane, "web-1").await?;
    shows(&team, "web", [0, 2, 2]).await?;
    Ok(())
}

fn ended() -> Value {
    json!({ "connectTime": "2026-01-01T00:00:00Z", "disconnectTime": "2026-01-01T00:01:00Z" })
}

#[rstest]
#[case::never(json!([]), "default", 0)]
#[case::now(online(), "default", 1)]
#[case::before(json!([ended()]), "default", 0)]
#[case::again(json!([ended(), online()[0]]), "default", 1)]
#[case::not_begun(json!([{ "id": "1" }]), "default", 0)]
#[case::in_another_mesh(online(), "mesh-2", 0)]
#[tokio::test]
async fn s2_connected_is_who_has_an_open_subscription(
    #[case] subscriptions: Value,
    #[case] mesh: &str,
    #[case] connected: i64,
) -> Done {
    let team = counted().await?;
    insight(&team, "web-1", mesh, subscriptions).await?;
    // The insight that comes last is seen last.
    insight(&team, "web-2", "default", online()).await?;
    proxy(&team, "web-1", "default", ready()).await?;
    proxy(&team, "web-2", "default", ready()).await?;
    shows(&team, "web", [connected + 1, 2, 2]).await?;
    Ok(())
}

#[tokio::test]
async fn s2_who_leaves_is_no_longer_connected() -> Done {
    let team = counted().await?;
    for name in ["web-1", "web-2"] {
        proxy(&team, name, "default", ready()).await?;
        insight(&team, name, "default", online()).await?;
    }
    shows(&team, "web", [2, 2, 2]).await?;
    insight(&team, "web-1", "default", json!([])).await?;
    shows(&team, "web", [1, 2, 2]).await?;
    team.delete(Kind::DataplaneInsight, "web-2").await?;
    shows(&team, "web", [0, 2, 2]).await?;
    Ok(())
}

#[rstest]
#[case::no_state(json!([{}]), 1)]
#[case::ready(json!([{ "state": "Ready" }]), 1)]
#[case::not_ready(json!([{ "state": "NotReady" }]), 0)]
#[case::ignored(json!([{ "state": "Ignored" }]), 0)]
#[case::one_of_two(json!([{ "state": "NotReady" }, { "state": "Ready" }]), 1)]
#[case::sick(json!([{ "state": "Ready", "health": { "ready": false } }]), 0)]
#[case::well(json!([{ "health": { "ready": true } }]), 1)]
#[case::sick_and_well(json!([{ "health": { "ready": false } }, { "health": { "ready": true } }]), 1)]
#[tokio::test]
async fn s3_healthy_is_who_has_an_inbound_that_is_ready(
    #[case] inbounds: Value,
    #[case] healthy: i64,
) -> Done {
    let team = counted().await?;
    proxy(&team, "web-1", "default", inbounds).await?;
    shows(&team, "web", [0, healthy, 1]).await?;
    Ok(())
}

#[rstest]
#[case::none(json!([]))]
#[case::absent(Value::Null)]
#[tokio::test]
async fn s3_without_inbounds_healthy_is_who_is_connected(#[case] inbounds: Value) -> Done {
    let team = counted().await?;
    proxy(&team, "web-1", "default", inbounds).await?;
    shows(&team, "web", [0, 0, 1]).await?;
    insight(&team, "web-1", "default", online()).await?;
    shows(&team, "web", [1, 1, 1]).await?;
    Ok(())
}

#[tokio::test]
async fn s6_in_a_conflict_the_numbers_are_those_of_the_labelled_mesh() -> Done {
    let team = counted().await?;
    proxy(&team, "web-1", "default", ready()).await?;
    shows(&team, "web", [0, 1, 1]).await?;
    for name in ["web-2", "web-3", "web-4"] {
        proxy(&team, name, "mesh-2", ready()).await?;
    }
    team.wait_for_events("MultipleMeshesDetected", 1).await?;
    proxy(&team, "web-5", "default", ready()).await?;
    insight(&team, "web-5", "default", online()).await?;
    insight(&team, "web-2", "mesh-2", online()).await?;
    shows(&team, "web", [1, 2, 2]).await?;
    // The labelled mesh has none left, so from now on it is the other one's.
    team.delete(Kind::Dataplane, "web-1").await?;
    team.delete(Kind::Dataplane, "web-5").await?;
    shows(&team, "web", [1, 3, 3]).await?;
    team.made("web", "mesh-2").await?;
    Ok(())
}

/// The metric of workload `web`: `MESH STATE VALUE`, sorted.
async fn metric(team: &Space<'_>) -> Result<Vec<String>, Error> {
    let (_, page) = reconciler().await?.page("/metrics").await?;
    let mut values = Vec::new();
    for line in page
        .lines()
        .filter(|line| line.starts_with("kuma_workload_proxies{"))
    {
        let value = line.rsplit(' ').next().unwrap();
        let label = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap()
        };
        if label("namespace") == team.name && label("workload") == "web" {
            values.push(format!("{} {} {value}", label("mesh"), label("state")));
        }
    }
    values.sort();
    Ok(values)
}

#[tokio::test]
async fn s7_the_metric_has_the_right_numbers_of_each_mesh_whoever_manages() -> Done {
    let team = counted().await?;
    let labels = [
        ("kuma.io/managed-by", "k8s-controller"),
        ("kuma.io/mesh", "default"),
    ];
    team.put(Kind::Workload, workload("web", &labels)).await?;
    proxy(&team, "web-1", "default", ready()).await?;
    proxy(&team, "web-2", "mesh-2", ready()).await?;
    proxy(&team, "web-3", "mesh-2", json!([{ "state": "NotReady" }])).await?;
    insight(&team, "web-3", "mesh-2", online()).await?;
    let expected = [
        "default connected 0",
        "default healthy 1",
        "default total 1",
        "mesh-2 connected 1",
        "mesh-2 healthy 1",
        "mesh-2 total 2",
    ];
    eventually("the metric is right", async || match metric(&team).await {
        Ok(values) if values == expected => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await?;
    let left = team.get(Kind::Workload, "web").await?.unwrap();
    assert_eq!(numbers(&left), None);
    Ok(())
}

#[tokio::test]
async fn s7_the_metric_is_there_if_it_is_asked_for() -> Done {
    let team = counted().await?;
    proxy(&team, "web-1", "default", ready()).await?;
    shows(&team, "web", [0, 1, 1]).await?;
    assert_eq!(metric(&team).await?.len(), 3);
    let silent = Reconciler::start(Testbed::shared()?, &["--mode", "observe"]).await?;
    let (_, page) = silent.page("/metrics").await?;
    assert!(!page.contains("kuma_workload_proxies"), "{page}");
    Ok(())
}
