//! W8: identifiers from Pods, for control planes that store none.

use kuma_workload_testbed::space::dataplane;
use kuma_workload_testbed::{Error, Kind, Space, User};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{Done, alone};

const FLAGS: [&str; 6] = [
    "--mode",
    "manage",
    "--identifiers",
    "pods",
    "--workload-labels",
    "app.kubernetes.io/name,app",
];

/// Makes a Pod, and the Dataplane of its name, which stores no identifier.
async fn pod(team: &Space<'_>, name: &str, metadata: Value, account: &str) -> Done {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {
            "serviceAccountName": account,
            "containers": [{ "name": "app", "image": "example.com/app" }],
        },
    });
    pod["metadata"]["name"] = name.into();
    pod["metadata"]["namespace"] = team.name.as_str().into();
    team.testbed.apply(&pod.to_string()).await?;
    bare(team, name, json!({})).await
}

/// A Dataplane that stores no identifier.
async fn bare(team: &Space<'_>, name: &str, networking: Value) -> Done {
    let mut bare = dataplane(name, "default", "");
    bare["metadata"]["annotations"] = json!({});
    bare["spec"]["networking"] = networking;
    team.put(Kind::Dataplane, bare).await.map(drop)
}

async fn names(team: &Space<'_>) -> Result<Vec<String>, Error> {
    Ok(team.workloads().await?.into_keys().collect())
}

#[tokio::test]
async fn w8_the_pod_says_what_its_dataplane_does_not() -> Done {
    let (_reconciler, team) = alone(&FLAGS, async |_| Ok(())).await?;
    pod(
        &team,
        "a",
        json!({ "labels": { "app": "by-label" } }),
        "account",
    )
    .await?;
    team.made("by-label", "default").await?;
    let both = json!({ "labels": { "app": "second", "app.kubernetes.io/name": "first" } });
    pod(&team, "b", both, "account").await?;
    team.made("first", "default").await?;
    pod(&team, "c", json!({ "labels": { "app": "" } }), "by-account").await?;
    team.made("by-account", "default").await?;
    pod(&team, "d", json!({}), "").await?;
    team.made("default", "default").await?;
    // What is stored wins over what the Pod says.
    team.proxy("a", "default", "stored").await?;
    team.made("stored", "default").await?;
    team.gone("by-label").await?;
    // The annotation is no identifier (W3), unless it is to be honoured (W7).
    pod(
        &team,
        "e",
        json!({ "annotations": { "kuma.io/workload": "annotated" } }),
        "ignored",
    )
    .await?;
    team.made("ignored", "default").await?;
    assert_eq!(
        names(&team).await?,
        ["by-account", "default", "first", "ignored", "stored"]
    );
    Ok(())
}

#[tokio::test]
async fn w8_the_last_identifier_holds_until_the_dataplane_goes() -> Done {
    let (_reconciler, team) = alone(&FLAGS, async |_| Ok(())).await?;
    pod(&team, "a", json!({ "labels": { "app": "web" } }), "account").await?;
    team.made("web", "default").await?;
    let delete = ["delete", "pod", "a", "-n", &team.name];
    team.testbed.kubectl(User::Admin, &delete, "").await?.ok()?;
    team.settled().await?;
    team.made("web", "default").await?;
    team.delete(Kind::Dataplane, "a").await?;
    team.gone("web").await
}

/// Kuma 3 makes an ordinary Dataplane of such a Pod.
#[rstest]
#[case::ingress("kuma.io/ingress")]
#[case::egress("kuma.io/egress")]
#[tokio::test]
async fn i5_annotations_of_zone_proxies_take_no_workload_away(#[case] key: &str) -> Done {
    let (_reconciler, team) = alone(&FLAGS, async |_| Ok(())).await?;
    let annotated = json!({ "annotations": { key: "enabled" } });
    pod(&team, "a", annotated, "account").await?;
    bare(&team, "a", json!({})).await?;
    team.made("account", "default").await?;
    Ok(())
}

#[tokio::test]
async fn w8_builtin_gateways_have_no_workload() -> Done {
    let (_reconciler, team) = alone(&FLAGS, async |_| Ok(())).await?;
    let gateway = json!({ "annotations": { "kuma.io/gateway": "builtin" } });
    pod(&team, "a", gateway, "account").await?;
    bare(&team, "a", json!({ "gateway": { "type": "BUILTIN" } })).await?;
    team.settled().await?;
    // Pods have a watch of their own: a later one is seen later.
    pod(&team, "b", json!({}), "fence").await?;
    team.made("fence", "default").await?;
    if team.get(Kind::Workload, "account").await?.is_some() {
        // Between the Pod and what makes its Dataplane a gateway.
        team.gone("account").await?;
    }
    assert_eq!(names(&team).await?, ["fence"]);
    Ok(())
}

#[tokio::test]
async fn w7_the_pods_annotation_can_be_honoured() -> Done {
    let flags = [&FLAGS[..], &["--pod-annotation", "honor"]].concat();
    let (_reconciler, team) = alone(&flags, async |_| Ok(())).await?;
    let both = json!({
        "labels": { "app": "by-label" }, "annotations": { "kuma.io/workload": "annotated" },
    });
    pod(&team, "a", both, "account").await?;
    team.made("annotated", "default").await?;
    pod(
        &team,
        "b",
        json!({ "annotations": { "kuma.io/workload": "" } }),
        "account",
    )
    .await?;
    team.made("account", "default").await?;
    assert_eq!(names(&team).await?, ["account", "annotated"]);
    Ok(())
}

#[tokio::test]
async fn w8_without_the_flag_pods_say_nothing() -> Done {
    let (_reconciler, team) = alone(&["--mode", "manage"], async |_| Ok(())).await?;
    pod(&team, "a", json!({ "labels": { "app": "web" } }), "account").await?;
    team.settled().await?;
    assert_eq!(names(&team).await?, [""; 0]);
    let asked = team.testbed.asked(User::Reconciler, &team.name)?;
    assert!(
        !asked.iter().any(|request| request.resource == "pods"),
        "{asked:?}"
    );
    Ok(())
}
