//! Namespaces: moved to another mesh, and deleted.

use kuma_workload_testbed::{User, eventually};

use crate::cluster::{self, FORGED, alice, apply, dataplane, denied, deployment, inject, pod};

#[tokio::test]
async fn a12_no_move_over_the_heads_of_dataplanes() {
    let testbed = cluster::shared().await;
    let team = cluster::namespace(testbed).await;
    let label = |mesh: &str| format!("kuma.io/mesh={mesh}");
    let (first, second) = (label("mesh1"), label("mesh2"));
    alice(testbed, &["label", "namespace", &team, &first])
        .await
        .ok()
        .unwrap();
    dataplane(testbed, &team, "web", "mesh1").await;
    let relabel = ["label", "namespace", &team, &second, "--overwrite"];
    let output = alice(testbed, &relabel).await;
    let sentence = denied(
        "namespaces",
        &format!(
            "namespace \"{team}\" cannot move to mesh \"mesh2\": it still contains dataplanes in mesh \"mesh1\"; only one mesh per namespace is allowed"
        ),
    );
    assert_eq!(output.stderr, format!("Error from server: {sentence}\n"));

    alice(testbed, &["delete", "dataplane", "web", "-n", &team])
        .await
        .ok()
        .unwrap();
    eventually("nobody is in the way", async || {
        alice(testbed, &relabel)
            .await
            .ok()
            .map_err(|error| error.to_string())
    })
    .await
    .unwrap();
}

/// Whatever is in it, even what would not come in now.
#[tokio::test]
async fn a_namespace_can_be_deleted() {
    let testbed = cluster::shared().await;
    let team = testbed.unique("team");
    cluster::plain_namespace(testbed, &team).await;
    let forged = pod("web", &format!("labels: {{{FORGED}}}"));
    apply(testbed, &team, &forged).await.ok().unwrap();
    apply(testbed, &team, &deployment(FORGED))
        .await
        .ok()
        .unwrap();
    inject(testbed, &team).await;
    dataplane(testbed, &team, "web", "mesh1").await;
    dataplane(testbed, &team, "other", "mesh2").await;
    let workload = format!(
        "apiVersion: kuma.io/v1alpha1\nkind: Workload\nmetadata: {{name: default, namespace: {team}}}\nspec: {{}}"
    );
    let create = ["create", "-f", "-"];
    let created = testbed
        .kubectl(User::ControlPlane, &create, &workload)
        .await;
    created.unwrap().ok().unwrap();

    let output = alice(testbed, &["delete", "namespace", &team, "--timeout=60s"]).await;
    assert!(output.success, "{output:?}");
    assert_eq!(output.stderr, "");
}
