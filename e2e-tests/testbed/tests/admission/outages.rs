//! The webhook is down or told to end, or the API server is away. Each on a cluster of its own.

use kuma_workload_testbed::{Server, eventually};

use crate::cluster::{
    self, FORGED, accepts, alice, allows, apply, comes_to_have_pods, comes_to_refuse, dataplane,
    denied, deployment, namespace, pod, pod_labels, refuses,
};

/// While it is down: Pods are refused (Fail), all else comes in (Ignore). Then all is put right.
#[tokio::test]
async fn failure_policies_and_the_way_back() {
    let (testbed, mut webhook) = cluster::own().await;
    let team = namespace(&testbed).await;
    dataplane(&testbed, &team, "there", "mesh1").await;
    webhook.kill().await.unwrap();

    let output = apply(&testbed, &team, &pod("web", "")).await;
    let failed = "failed calling webhook \"clusterwide-kuma-workload-pods.kubewarden.admission\"";
    assert!(output.stderr.contains(failed), "{output:?}");
    let relabel = ["label", "namespace", &team, "kuma.io/mesh=mesh2"];
    allows(&testbed, &relabel).await;
    let back = [
        "label",
        "namespace",
        &team,
        "kuma.io/mesh=mesh1",
        "--overwrite",
    ];
    allows(&testbed, &back).await;
    accepts(&testbed, &team, &deployment(FORGED)).await;

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
    accepts(&testbed, &team, &fixed).await;
    comes_to_have_pods(&testbed, &team, 2).await;
}

/// The watches behind the lists outlive the server that they watch.
#[tokio::test]
async fn an_api_server_that_comes_back() {
    let (testbed, _webhook) = cluster::own().await;
    let team = namespace(&testbed).await;
    dataplane(&testbed, &team, "there", "mesh1").await;
    let second = pod("web", "labels: {kuma.io/mesh: mesh2}");
    let refusal = format!("namespace \"{team}\" already contains dataplanes");
    refuses(&testbed, &team, &second, &refusal).await;

    for server in [Server::Etcd, Server::ApiServer] {
        testbed.restart_server(server).await.unwrap();
    }
    comes_to_refuse(&testbed, &team, &second, &refusal).await;
    let delete = ["delete", "dataplane", "there", "-n", &team];
    allows(&testbed, &delete).await;
    eventually("it sees what has changed since", async || {
        let output = apply(&testbed, &team, &second).await;
        output.ok().map_err(|error| error.to_string())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_webhook_that_is_told_to_end_ends() {
    let (_testbed, mut webhook) = cluster::own().await;
    webhook.signal("TERM").await.unwrap();
    assert!(
        webhook.ended().await.unwrap().success(),
        "{}",
        webhook.log()
    );
}
