//! The way out (README, docs/operations.md): the policy server is dead, and Pods do not start.

use kuma_workload_testbed::{User, eventually};

use crate::cluster::{
    self, accepts, apply, dataplane, deployment, namespace, pod, pod_labels, refuses,
};

/// The command of the docs for which nothing but the API server is needed.
fn documented() -> Vec<String> {
    let docs = include_str!("../../../../docs/operations.md");
    let section = docs.split("## The way out").nth(1).unwrap();
    let command = section
        .lines()
        .find_map(|line| {
            line.trim()
                .strip_prefix("$ kubectl delete validatingwebhookconfiguration ")
        })
        .unwrap();
    let names = command.split_whitespace().map(str::to_owned);
    ["delete", "validatingwebhookconfiguration"]
        .into_iter()
        .map(str::to_owned)
        .chain(names)
        .collect()
}

#[tokio::test]
async fn pods_start_again_and_the_policies_come_back() {
    let (testbed, mut webhook) = cluster::own().await;
    let team = namespace(&testbed).await;
    dataplane(&testbed, &team, "there", "mesh1").await;
    webhook.kill().await.unwrap();
    let web = pod("web", "labels: {kuma.io/mesh: mesh1}");
    refuses(&testbed, &team, &web, "failed calling webhook").await;
    accepts(&testbed, &team, &deployment("kuma.io/mesh: mesh1")).await;

    let command = documented();
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let done = testbed.kubectl(User::Admin, &command, "").await.unwrap();
    let done = done.ok().unwrap();
    for name in ["pods", "strays"] {
        let deleted = format!("\"clusterwide-kuma-workload-{name}\" deleted");
        assert!(done.contains(&deleted), "{done}");
    }
    // The API server takes a moment to forget a webhook.
    eventually("Pods start", async || {
        let output = apply(&testbed, &team, &web).await;
        output.ok().map_err(|error| error.to_string())
    })
    .await
    .unwrap();
    // Those that controllers were waiting to make come too: of the Deployment, as the docs say, at once
    // when it is rolled.
    let roll = ["rollout", "restart", "deployment", "web", "-n", &team];
    let rolled = testbed.kubectl(User::Alice, &roll, "").await.unwrap();
    rolled.ok().unwrap();
    eventually("the Deployment's Pods start", async || {
        match pod_labels(&testbed, &team).await.len() {
            0 | 1 => Err("none but the one by hand".to_owned()),
            _ => Ok(()),
        }
    })
    .await
    .unwrap();
    // What the others ask for still goes unheard, and keeps nobody.
    let label = ["label", "namespace", &team, "kuma.io/mesh=mesh1"];
    let labelled = testbed.kubectl(User::Alice, &label, "").await.unwrap();
    labelled.ok().unwrap();

    // The way back: a policy server that answers, and then the policies.
    let _webhook = cluster::guard(&testbed).await;
    let second = pod("second", "labels: {kuma.io/mesh: mesh2}");
    refuses(&testbed, &team, &second, "pod is in mesh \"mesh2\"").await;
}
