//! L9 to L11: what is said of conflicts, and where.

use k8s_openapi::api::events::v1::Event;
use kuma_workload_testbed::space::ours;
use kuma_workload_testbed::{Kind, User};
use serde_json::{Value, json};

use crate::{Done, alone, managed};

const DETECTED: &str = "MultipleMeshesDetected";
const RESOLVED: &str = "MultipleMeshesResolved";
const SPLIT: &str = "MultipleMeshesInNamespace";

fn note(event: &Event) -> &str {
    event.note.as_deref().unwrap_or_default()
}

#[tokio::test]
async fn l9_t1_the_event_is_where_the_page_tells_people_to_look() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    team.proxy("web-2", "mesh-2", "web").await?;
    let events = team.wait_for_events(DETECTED, 1).await?;
    let expected = format!(
        "Skipping Workload generation: namespace {0} has pods in multiple meshes (2 meshes) for workload web. This configuration is not supported.",
        team.name
    );
    let look = [
        "get",
        "events",
        "-n",
        &team.name,
        "--field-selector",
        "type=Warning",
    ];
    let seen = team.testbed.kubectl(User::Alice, &look, "").await?.ok()?;
    let line = seen.lines().find(|line| line.contains(DETECTED));
    let line = line.unwrap_or_else(|| panic!("{seen}"));
    assert!(line.ends_with(&expected), "{line}");
    assert!(line.contains(&format!("namespace/{}", team.name)), "{line}");

    let event = serde_json::to_value(&events[0]).unwrap();
    assert_eq!(note(&events[0]), expected);
    let regarding = json!({
        "apiVersion": "v1", "kind": "Namespace", "namespace": team.name, "name": team.name,
    });
    let related = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "Workload", "namespace": team.name, "name": "web",
    });
    assert_eq!(
        (&event["regarding"], &event["related"]),
        (&regarding, &related)
    );
    assert_eq!(event["type"], "Warning");
    assert_eq!(event["reportingController"], "kuma-workload");
    assert_eq!(
        event["deprecatedSource"]["component"]
            .as_str()
            .unwrap_or_default(),
        ""
    );
    Ok(())
}

#[tokio::test]
async fn l9_each_workload_has_its_own() -> Done {
    let team = managed().await?;
    for workload in ["cart", "web"] {
        team.proxy(&format!("{workload}-1"), "default", workload)
            .await?;
        team.proxy(&format!("{workload}-2"), "mesh-2", workload)
            .await?;
    }
    let events = team.wait_for_events(DETECTED, 2).await?;
    for workload in ["cart", "web"] {
        let about = format!("for workload {workload}.");
        let of_it = events.iter().filter(|event| note(event).contains(&about));
        assert_eq!(of_it.count(), 1, "{events:?}");
    }
    Ok(())
}

#[tokio::test]
async fn l10_one_when_it_begins_or_its_meshes_change_and_one_when_it_ends() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    team.proxy("web-2", "mesh-2", "web").await?;
    let first = team.wait_for_events(DETECTED, 1).await?;
    // More of the same is no news.
    for number in 3..8 {
        team.proxy(&format!("web-{number}"), "mesh-2", "web")
            .await?;
    }
    team.settled().await?;
    team.proxy("web-8", "mesh-3", "web").await?;
    let second = team.wait_for_events(DETECTED, 2).await?;
    assert!(
        second.contains(&first[0]),
        "the first is as it was: {second:?}"
    );
    assert!(
        second
            .iter()
            .any(|event| note(event).contains("(3 meshes)")),
        "{second:?}"
    );
    assert!(
        second.iter().all(|event| event.series.is_none()),
        "{second:?}"
    );
    assert_eq!(team.events(RESOLVED).await?, []);

    for number in 2..9 {
        team.delete(Kind::Dataplane, &format!("web-{number}"))
            .await?;
    }
    let resolved = team.wait_for_events(RESOLVED, 1).await?;
    let expected = format!(
        "Namespace {} no longer has pods in multiple meshes for workload web.",
        team.name
    );
    assert_eq!(note(&resolved[0]), expected);
    assert_eq!(resolved[0].type_.as_deref(), Some("Normal"));
    team.made("web", "default").await?;
    Ok(())
}

#[tokio::test]
async fn l11_both_workloads_of_a_split_namespace_are_made_and_it_is_reported() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "web").await?;
    team.proxy("cart-1", "mesh-2", "cart").await?;
    assert_eq!(
        team.made("web", "default").await?.metadata.labels,
        Some(ours("default"))
    );
    assert_eq!(
        team.made("cart", "mesh-2").await?.metadata.labels,
        Some(ours("mesh-2"))
    );
    let events = team.wait_for_events(SPLIT, 1).await?;
    let expected = format!(
        "Namespace {} has workloads in multiple meshes (default, mesh-2). Use one mesh per namespace.",
        team.name
    );
    assert_eq!(note(&events[0]), expected);
    assert_eq!(events[0].type_.as_deref(), Some("Warning"));
    let event: Value = serde_json::to_value(&events[0]).unwrap();
    assert_eq!(event["regarding"]["name"], team.name.as_str());
    assert_eq!(event["related"], Value::Null);
    assert_eq!(team.events(DETECTED).await?, []);

    team.delete(Kind::Dataplane, "cart-1").await?;
    let resolved = team.wait_for_events(RESOLVED, 1).await?;
    let expected = format!(
        "Namespace {} no longer has workloads in multiple meshes.",
        team.name
    );
    assert_eq!(note(&resolved[0]), expected);
    Ok(())
}

#[tokio::test]
async fn l11_split_namespaces_are_not_reported_if_that_is_not_wanted() -> Done {
    let flags = ["--mode", "manage", "--warn-split-namespaces=false"];
    let (reconciler, team) = alone(&flags, async |_| Ok(())).await?;
    team.proxy("web-1", "default", "web").await?;
    team.proxy("cart-1", "mesh-2", "cart").await?;
    team.made("web", "default").await?;
    team.made("cart", "mesh-2").await?;
    reconciler.shows("split_namespaces", 1.0).await?;
    team.settled().await?;
    // Events are published in turn.
    team.proxy("both-1", "default", "both").await?;
    team.proxy("both-2", "mesh-2", "both").await?;
    team.wait_for_events(DETECTED, 1).await?;
    assert_eq!(team.events(SPLIT).await?, []);
    Ok(())
}
