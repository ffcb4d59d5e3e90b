//! Namespaces: moved to another mesh, and deleted.

use crate::cluster::{
    self, FORGED, accepts, alice, allows, comes_to_allow, control_plane_makes, dataplane, denied,
    deployment, inject, pod,
};

#[tokio::test]
async fn a12_a_namespace_with_dataplanes_does_not_move() {
    let testbed = cluster::shared().await;
    let team = cluster::namespace(testbed).await;
    let label = |mesh: &str| format!("kuma.io/mesh={mesh}");
    let (first, second) = (label("mesh1"), label("mesh2"));
    allows(testbed, &["label", "namespace", &team, &first]).await;
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

    allows(testbed, &["delete", "dataplane", "web", "-n", &team]).await;
    comes_to_allow(testbed, &relabel).await;
}

/// Whatever is in it, even what would not come in now.
#[tokio::test]
async fn a_namespace_can_be_deleted() {
    let testbed = cluster::shared().await;
    let team = testbed.unique("team");
    cluster::plain_namespace(testbed, &team).await;
    let forged = pod("web", &format!("labels: {{{FORGED}}}"));
    accepts(testbed, &team, &forged).await;
    accepts(testbed, &team, &deployment(FORGED)).await;
    inject(testbed, &team).await;
    dataplane(testbed, &team, "web", "mesh1").await;
    dataplane(testbed, &team, "other", "mesh2").await;
    let workload = format!(
        "apiVersion: kuma.io/v1alpha1\nkind: Workload\nmetadata: {{name: default, namespace: {team}}}\nspec: {{}}"
    );
    control_plane_makes(testbed, &workload).await;

    let output = alice(testbed, &["delete", "namespace", &team, "--timeout=60s"]).await;
    assert!(output.success, "{output:?}");
    assert_eq!(output.stderr, "");
}
