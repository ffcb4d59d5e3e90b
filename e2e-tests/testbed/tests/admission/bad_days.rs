//! The webhook is down, slow to be granted what it reads, or told to end. Each on a cluster of its own.

use kuma_workload_testbed::{Testbed, eventually};

use crate::cluster::{
    self, FORGED, alice, apply, dataplane, denied, deployment, namespace, pod, pod_labels,
};

/// While it is down: Pods are refused (Fail), all else comes in (Ignore). Then all is put right.
#[tokio::test]
async fn failure_policies_and_the_way_back() {
    let testbed = Testbed::start().unwrap();
    cluster::prepare(&testbed).await;
    let mut webhook = cluster::guard(&testbed).await;
    let team = namespace(&testbed).await;
    dataplane(&testbed, &team, "there", "mesh1").await;
    webhook.kill().await.unwrap();

    let output = apply(&testbed, &team, &pod("web", "")).await;
    let failed = "failed calling webhook \"clusterwide-kuma-workload-pods.kubewarden.admission\"";
    assert!(output.stderr.contains(failed), "{output:?}");
    let relabel = ["label", "namespace", &team, "kuma.io/mesh=mesh2"];
    alice(&testbed, &relabel).await.ok().unwrap();
    let back = [
        "label",
        "namespace",
        &team,
        "kuma.io/mesh=mesh1",
        "--overwrite",
    ];
    alice(&testbed, &back).await.ok().unwrap();
    apply(&testbed, &team, &deployment(FORGED))
        .await
        .ok()
        .unwrap();

    let _webhook = cluster::guard(&testbed).await;
    // The ReplicaSet is there, its Pods are refused, and its events say why.
    let events = [
        "get",
        "events",
        "-n",
        &team,
        "-o",
        "jsonpath={.items[*].message}",
    ];
    let sentence = denied("pods", "cannot manually set kuma.io/workload label on Pod");
    eventually("the ReplicaSet's events say why", async || {
        let messages = alice(&testbed, &events).await.stdout;
        if messages.contains(&sentence) {
            Ok(())
        } else {
            Err(messages)
        }
    })
    .await
    .unwrap();
    assert!(pod_labels(&testbed, &team).await.is_empty());

    let fixed = deployment("kuma.io/mesh: mesh1");
    apply(&testbed, &team, &fixed).await.ok().unwrap();
    eventually(
        "the Pods of the fixed template are there",
        async || match pod_labels(&testbed, &team).await.len() {
            2 => Ok(()),
            pods => Err(format!("{pods} Pods")),
        },
    )
    .await
    .unwrap();
}

/// A13: what is missing has a name; get without list hangs; a grant is enough to go on.
#[tokio::test]
async fn missing_grants() {
    let testbed = Testbed::start().unwrap();
    cluster::prepare(&testbed).await;
    let _webhook = cluster::guard(&testbed).await;
    let role = |rules: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: kuma-workload-policy}}
rules:
  - {{apiGroups: [\"\"], resources: [namespaces, pods], verbs: [get, list, watch]}}
{rules}"
        )
    };
    let meshes = "  - {apiGroups: [kuma.io], resources: [meshes], verbs: [get, list, watch]}\n";
    let kuma = |verbs: &str| {
        format!("{meshes}  - {{apiGroups: [kuma.io], resources: [dataplanes], verbs: [{verbs}]}}")
    };
    let ungranted = |resource: &str| {
        denied(
            "pods",
            &format!(
                "the mesh rule cannot be checked: the policy is not granted get, list and watch of {resource} to the policy server's ServiceAccount"
            ),
        )
    };
    let interrupted = denied(
        "pods",
        "Policy execution interrupted because it exceeded the allowed execution time",
    );

    for (rules, answer) in [
        (String::new(), ungranted("meshes.kuma.io")),
        (meshes.to_owned(), ungranted("dataplanes.kuma.io")),
        (kuma("get"), interrupted),
        (kuma("get, list, watch"), "pod/web created".to_owned()),
    ] {
        testbed.apply(&role(&rules)).await.unwrap();
        // A Namespace of its own: what was listed once is kept.
        let team = namespace(&testbed).await;
        let web = pod("web", "labels: {kuma.io/mesh: mesh1}");
        eventually("the answer that fits the grants", async || {
            let output = apply(&testbed, &team, &web).await;
            if output.stdout.contains(&answer) || output.stderr.contains(&answer) {
                Ok(())
            } else {
                Err(format!("{answer} expected, {output:?}"))
            }
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_webhook_that_is_told_to_end_ends() {
    let testbed = Testbed::start().unwrap();
    cluster::prepare(&testbed).await;
    let mut webhook = cluster::guard(&testbed).await;
    webhook.signal("TERM").await.unwrap();
    assert!(
        webhook.ended().await.unwrap().success(),
        "{}",
        webhook.log()
    );
}
