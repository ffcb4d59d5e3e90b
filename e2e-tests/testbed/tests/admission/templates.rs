//! Pod templates, and Deployments that roll.

use kuma_workload_testbed::eventually;

use crate::cluster::{
    self, FORGED, alice, apply, denied, deployment, inject, namespace, pod_labels, replica_set,
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
    apply(testbed, &team, &deployment(FORGED))
        .await
        .ok()
        .unwrap();
    eventually("the bad Pods are there", async || {
        match pod_labels(testbed, &team).await.len() {
            2 => Ok(()),
            pods => Err(format!("{pods} Pods")),
        }
    })
    .await
    .unwrap();
    inject(testbed, &team).await;

    // Its ReplicaSet has the label too, and nobody judges it: the Deployment's controller writes it.
    let scale = ["scale", "deployment", "web", "-n", &team, "--replicas=0"];
    alice(testbed, &scale).await.ok().unwrap();
    eventually("all of it is scaled down", async || {
        match pod_labels(testbed, &team).await.len() {
            0 => Ok(()),
            pods => Err(format!("{pods} Pods")),
        }
    })
    .await
    .unwrap();

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
    let output = apply(testbed, &team, &deployment(FORGED)).await;
    assert!(
        output.stderr.contains("cannot set kuma.io/workload label"),
        "{output:?}"
    );
}

/// A ReplicaSet of nobody is judged, but not for what it already was.
#[tokio::test]
async fn a2_a_lone_replica_set() {
    let testbed = cluster::shared().await;
    let team = testbed.unique("team");
    cluster::plain_namespace(testbed, &team).await;
    apply(testbed, &team, &replica_set(FORGED))
        .await
        .ok()
        .unwrap();
    inject(testbed, &team).await;
    let scale = ["scale", "replicaset", "web", "-n", &team, "--replicas=0"];
    alice(testbed, &scale).await.ok().unwrap();

    let other = namespace(testbed).await;
    let output = apply(testbed, &other, &replica_set(FORGED)).await;
    assert!(
        output
            .stderr
            .contains("the pod template of ReplicaSet \"web\""),
        "{output:?}"
    );
}
