//! The look before the lock: what `plan --cluster` says of what runs is what admission says when it is
//! made anew.

use std::path::Path;

use kuma_workload_testbed::{Testbed, User, reconciler};
use serde_json::Value;
use tokio::process::Command;

use crate::cluster::{
    self, accepts, alice, allows, apply, control_plane_makes, dataplane, denied, plain_namespace,
    pod,
};

/// The findings of `plan --cluster` in a Namespace, as by an example policy.
async fn findings(testbed: &Testbed, namespace: &str, policy: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let planned = Command::new(reconciler::program().unwrap())
        .args(["plan", "--cluster", "-o", "json", "-n", namespace])
        .arg("--kubeconfig")
        .arg(testbed.kubeconfig(User::Admin))
        .arg("--settings")
        .arg(root.join("examples/policies").join(policy))
        .output()
        .await
        .unwrap();
    let report: Value = serde_json::from_slice(&planned.stdout).unwrap();
    report["findings"].as_array().unwrap().clone()
}

/// What is said of an object, without its name before it.
fn sentence(findings: &[Value], code: &str) -> String {
    let found = findings.iter().find(|one| one["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no {code} in {findings:?}"));
    let message = found["message"].as_str().unwrap();
    message.split_once(": ").unwrap().1.to_owned()
}

/// A stray of each sort runs. It is told, and refused when it comes again.
#[tokio::test]
async fn i4_a_stray_that_runs_does_not_come_in_again() {
    let testbed = cluster::shared().await;
    for (mark, code) in [
        ("labels: {kuma.io/mesh: mesh2}", "second-mesh"),
        (
            "annotations: {kuma.io/sidecar-injected: \"true\"}",
            "second-mesh",
        ),
        ("annotations: {kuma.io/gateway: builtin}", "second-mesh"),
    ] {
        let plain = testbed.unique("plain");
        plain_namespace(testbed, &plain).await;
        accepts(testbed, &plain, &pod("web", mark)).await;
        accepts(testbed, &plain, &pod("other", "labels: {app: web}")).await;
        dataplane(testbed, &plain, "there", "mesh1").await;

        let told = sentence(&findings(testbed, &plain, "pods.yaml").await, code);
        allows(
            testbed,
            &["delete", "pod", "web", "other", "-n", &plain, "--now"],
        )
        .await;
        let output = apply(testbed, &plain, &pod("web", mark)).await;
        assert!(
            output.stderr.contains(&denied("strays", &told)),
            "{told}\n{output:?}"
        );
        accepts(testbed, &plain, &pod("other", "labels: {app: web}")).await;
    }
}

/// A mesh that is gone: what runs in it is told, and refused when it comes again (A16).
#[tokio::test]
async fn a16_a_mesh_that_is_gone() {
    let testbed = cluster::shared().await;
    let mesh = testbed.unique("mesh");
    control_plane_makes(
        testbed,
        &format!("{{apiVersion: kuma.io/v1alpha1, kind: Mesh, metadata: {{name: {mesh}}}}}"),
    )
    .await;
    let team = cluster::namespace(testbed).await;
    let web = pod("web", &format!("labels: {{kuma.io/mesh: {mesh}}}"));
    accepts(testbed, &team, &web).await;
    allows(testbed, &["delete", "mesh", &mesh]).await;

    let told = sentence(&findings(testbed, &team, "pods.yaml").await, "unknown-mesh");
    allows(testbed, &["delete", "pod", "web", "-n", &team, "--now"]).await;
    kuma_workload_testbed::eventually("it is refused", async || {
        let output = apply(testbed, &team, &web).await;
        if output.stderr.contains(&denied("pods", &told)) {
            return Ok(());
        }
        // What the policy server knows of Meshes may be some seconds old.
        let _ = alice(testbed, &["delete", "pod", "web", "-n", &team, "--now"]).await;
        Err(format!("{told}\n{output:?}"))
    })
    .await
    .unwrap();
}

/// A Workload that somebody made before the policy came: told, and its maker may not go on.
#[tokio::test]
async fn p1_a_workload_made_by_hand() {
    let testbed = cluster::shared().await;
    let team = cluster::namespace(testbed).await;
    for (name, manager) in [("web", "jane"), ("api", "k8s-controller")] {
        let workload = format!(
            "apiVersion: kuma.io/v1alpha1\nkind: Workload\nmetadata:\n  name: {name}\n  namespace: {team}\n  labels: {{kuma.io/managed-by: {manager}}}\nspec: {{}}"
        );
        control_plane_makes(testbed, &workload).await;
    }
    let found = findings(testbed, &team, "workloads.yaml").await;
    let by_hand: Vec<_> = found
        .iter()
        .filter(|one| one["code"] == "workload-object")
        .collect();
    assert_eq!(by_hand.len(), 1, "{found:?}");
    assert_eq!(by_hand[0]["objects"][0]["name"], "web");
    assert_eq!(by_hand[0]["count"], 1);
    let label = ["label", "workload", "web", "-n", &team, "a=b"];
    let output = alice(testbed, &label).await;
    let sentence = "Workload \"web\" is managed automatically; \"alice\" may not change it";
    assert!(
        output.stderr.contains(&denied("workloads", sentence)),
        "{output:?}"
    );
}
