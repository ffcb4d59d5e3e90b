//! Pod templates, and Deployments that roll.

use kuma_workload_testbed::eventually;

use crate::cluster::{
    self, FORGED, accepts, allows, apply, comes_to_have_pods, dataplane, denied, deployment,
    inject, namespace, pod_labels, refuses, replica_set,
};

#[tokio::test]
async fn a2_a_deployment_is_refused_at_apply() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let output = apply(testbed, &team, &deployment(FORGED)).await;
    let sentence = denied(
        "templates",
        "cannot set kuma.io/workload label in the pod template of Deployment \"web\" (spec.template.metadata.labels); it is automatically managed by Kuma",
    );
    assert_eq!(
        output.stderr,
        format!("Error from server: error when creating \"STDIN\": {sentence}\n")
    );
}

#[tokio::test]
async fn a_deployment_rolls() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    for version in ["version: one", "version: two"] {
        let output = apply(testbed, &team, &deployment(version)).await;
        assert_eq!(output.stderr, "");
        let version = version.trim_start_matches("version: ");
        eventually("the Pods are of this version", async || {
            let labels = pod_labels(testbed, &team).await;
            if labels.len() == 2 && labels.iter().all(|labels| labels["version"] == version) {
                Ok(())
            } else {
                Err(format!("{labels:?}"))
            }
        })
        .await
        .unwrap();
    }
}

/// What was there before the policies: its Deployment is fixed, and everything follows.
#[tokio::test]
async fn a2_an_old_template_can_be_scaled_and_fixed() {
    let testbed = cluster::shared().await;
    let team = testbed.unique("team");
    cluster::plain_namespace(testbed, &team).await;
    accepts(testbed, &team, &deployment(FORGED)).await;
    comes_to_have_pods(testbed, &team, 2).await;
    inject(testbed, &team).await;

    // Its ReplicaSet has the label too, and nobody judges it: the Deployment's controller writes it.
    let scale = ["scale", "deployment", "web", "-n", &team, "--replicas=0"];
    allows(testbed, &scale).await;
    comes_to_have_pods(testbed, &team, 0).await;

    let output = apply(testbed, &team, &deployment("fixed: yes-it-is")).await;
    assert_eq!(output.stderr, "");
    eventually("the good Pods are there", async || {
        let labels = pod_labels(testbed, &team).await;
        let good = |labels: &serde_json::Value| {
            labels["fixed"] == "yes-it-is" && labels.get("kuma.io/workload").is_none()
        };
        if labels.len() == 2 && labels.iter().all(good) {
            Ok(())
        } else {
            Err(format!("{labels:?}"))
        }
    })
    .await
    .unwrap();

    // And the label does not come back.
    refuses(
        testbed,
        &team,
        &deployment(FORGED),
        "cannot set kuma.io/workload label",
    )
    .await;
}

/// A ReplicaSet of nobody is judged, but not for what it already was.
#[tokio::test]
async fn a2_a_lone_replica_set() {
    let testbed = cluster::shared().await;
    let team = testbed.unique("team");
    cluster::plain_namespace(testbed, &team).await;
    accepts(testbed, &team, &replica_set(FORGED)).await;
    inject(testbed, &team).await;
    let scale = ["scale", "replicaset", "web", "-n", &team, "--replicas=0"];
    allows(testbed, &scale).await;

    let other = namespace(testbed).await;
    refuses(
        testbed,
        &other,
        &replica_set(FORGED),
        "the pod template of ReplicaSet \"web\"",
    )
    .await;
}

/// `web-0` moves to another mesh, and is not kept out by what the last `web-0` left behind.
#[tokio::test]
async fn a7_a_stateful_set_replaces_its_own_pod() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let stateful_set = |mesh: &str| {
        replica_set(&format!("kuma.io/mesh: {mesh}"))
            .replace("kind: ReplicaSet", "kind: StatefulSet")
            // Parallel: it does not wait for its Pod to become ready, which none does here.
            .replace(
                "replicas: 2",
                "replicas: 1\n  podManagementPolicy: Parallel",
            )
    };
    let web_0_in = async |mesh: &str| {
        eventually("web-0 is in the mesh", async || {
            let labels = pod_labels(testbed, &team).await;
            match labels.as_slice() {
                [labels] if labels["kuma.io/mesh"] == mesh => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await
        .unwrap();
    };
    accepts(testbed, &team, &stateful_set("mesh1")).await;
    web_0_in("mesh1").await;
    dataplane(testbed, &team, "web-0", "mesh1").await;
    accepts(testbed, &team, &stateful_set("mesh2")).await;
    web_0_in("mesh2").await;
}
