//! Pods, as people apply them.

use kuma_workload_testbed::eventually;
use serde_json::Value;

use crate::cluster::{
    self, FORGED, accepts, alice, allows, apply, comes_to_allow, dataplane, denied, inject,
    namespace, pod,
};

#[tokio::test]
async fn an_honest_pod_comes_in() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let output = apply(testbed, &team, &pod("web", "")).await;
    assert_eq!(output.stderr, "");
    assert_eq!(output.stdout, "pod/web created\n");
}

#[tokio::test]
async fn a1_the_forged_label() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let forged = pod("web", &format!("labels: {{{FORGED}}}"));
    let output = apply(testbed, &team, &forged).await;
    let sentence = denied(
        "pods",
        "cannot manually set kuma.io/workload label on Pod; it is automatically managed by Kuma",
    );
    assert_eq!(
        output.stderr,
        format!("Error from server: error when creating \"STDIN\": {sentence}\n")
    );
    assert!(!output.success);
}

#[tokio::test]
async fn a1_a_running_pod_gains_no_label() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    accepts(testbed, &team, &pod("web", "")).await;
    let output = alice(
        testbed,
        &["label", "pod", "web", "-n", &team, "kuma.io/workload=x"],
    )
    .await;
    assert!(
        output
            .stderr
            .contains("cannot manually set kuma.io/workload label on Pod"),
        "{output:?}"
    );
}

/// README's first example, and that the answer follows what the cluster holds.
#[tokio::test]
async fn a5_a_second_mesh() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    dataplane(testbed, &team, "first", "mesh1").await;
    let run = [
        "run",
        "web",
        "--image=nginx",
        "-n",
        &team,
        "--labels=kuma.io/mesh=mesh2",
    ];
    let sentence = denied(
        "pods",
        &format!(
            "pod is in mesh \"mesh2\" but namespace \"{team}\" already contains dataplanes in mesh \"mesh1\"; only one mesh per namespace is allowed when runtime.kubernetes.disallowMultipleMeshesPerNamespace is enabled"
        ),
    );
    let output = alice(testbed, &run).await;
    assert_eq!(output.stderr, format!("Error from server: {sentence}\n"));

    let honest = pod("same", "labels: {kuma.io/mesh: mesh1}");
    accepts(testbed, &team, &honest).await;
    for leaver in ["pod/same", "dataplane/first"] {
        allows(testbed, &["delete", leaver, "-n", &team]).await;
    }
    // The other mesh has left, so this one may come.
    comes_to_allow(testbed, &run).await;
}

#[tokio::test]
async fn a10_a_pod_of_another_mesh_without_a_dataplane() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let first = pod("first", "labels: {kuma.io/mesh: mesh1}");
    accepts(testbed, &team, &first).await;
    let second = pod("second", "labels: {kuma.io/mesh: mesh2}");
    let expected = format!("namespace \"{team}\" already contains pods in mesh \"mesh1\"");
    eventually("the watch has seen the first", async || {
        let clear = ["delete", "pod", "second", "-n", &team, "--ignore-not-found"];
        allows(testbed, &clear).await;
        let output = apply(testbed, &team, &second).await;
        if output.stderr.contains(&expected) {
            Ok(())
        } else {
            Err(format!("{output:?}"))
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a16_a_mesh_that_does_not_exist() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let output = apply(testbed, &team, &pod("web", "labels: {kuma.io/mesh: mehs1}")).await;
    let sentence = denied("pods", "pod is in mesh \"mehs1\", which does not exist");
    assert!(output.stderr.contains(&sentence), "{output:?}");
}

#[tokio::test]
async fn w7_kubectl_prints_warnings_and_the_audit_log_has_them() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let annotated = pod("web", &format!("annotations: {{{FORGED}}}"));
    let output = apply(testbed, &team, &annotated).await;
    let sentence = "annotation kuma.io/workload has no effect: in a mesh, this pod gets workload \"default\" from the default ServiceAccount";
    assert_eq!(output.stderr, format!("Warning: {sentence}\n"));
    assert_eq!(output.stdout, "pod/web created\n");

    let log = testbed.folder().join("audit.log");
    let key = "clusterwide-kuma-workload-pods.kubewarden.admission/idle-annotation";
    eventually("the audit log has the whole sentence", async || {
        let text = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        let events = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut annotated = events.filter(|event| {
            event["objectRef"]["namespace"] == team.as_str()
                && event["annotations"][key] == sentence
        });
        annotated.next().map(drop).ok_or("no such event".to_owned())
    })
    .await
    .unwrap();
}

/// Upstream leaves such a Pod stranded.
#[tokio::test]
async fn a4_a_terminating_pod_loses_its_finalizers() {
    let testbed = cluster::shared().await;
    let team = testbed.unique("team");
    cluster::plain_namespace(testbed, &team).await;
    let old = pod(
        "web",
        &format!("labels: {{{FORGED}}}\n  finalizers: [example.com/slow]"),
    );
    accepts(testbed, &team, &old).await;
    inject(testbed, &team).await;
    let delete = ["delete", "pod", "web", "-n", &team, "--wait=false"];
    allows(testbed, &delete).await;
    let patch = ["patch", "pod", "web", "-n", &team, "--type=json"];
    let remove = "--patch=[{\"op\": \"remove\", \"path\": \"/metadata/finalizers\"}]";
    let output = alice(testbed, &[&patch[..], &[remove]].concat()).await;
    assert!(output.success, "{output:?}");
    let wait = [
        "wait",
        "--for=delete",
        "pod/web",
        "-n",
        &team,
        "--timeout=30s",
    ];
    allows(testbed, &wait).await;
}

/// A way around the mesh rule as it was: a Pod that is exempt by an annotation, a slow delete, and then
/// what decides is changed while it terminates.
#[tokio::test]
async fn a4_i5_an_annotation_and_a_slow_delete_let_no_second_mesh_in() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    dataplane(testbed, &team, "first", "mesh1").await;
    let ingress = pod(
        "web",
        "labels: {kuma.io/mesh: mesh2}\n  annotations: {kuma.io/ingress: enabled}",
    );
    let second_mesh = format!("namespace \"{team}\" already contains dataplanes in mesh \"mesh1\"");
    let output = apply(testbed, &team, &ingress).await;
    assert!(output.stderr.contains(&second_mesh), "{output:?}");

    // The API server removes a Pod at once that is on no node.
    let idle = pod("idle", "labels: {kuma.io/sidecar-injection: disabled}")
        .replace("spec:\n", "spec:\n  nodeName: node-1\n");
    accepts(testbed, &team, &idle).await;
    let pod = ["pod", "idle", "-n", &team];
    let slowly = ["--grace-period=31536000", "--wait=false"];
    allows(testbed, &[&["delete"], &pod[..], &slowly].concat()).await;

    let forged = "cannot manually set kuma.io/workload label on Pod";
    let changes: [(&[&str], &str); 4] = [
        (
            &["label", "kuma.io/sidecar-injection-", "kuma.io/mesh=mesh2"],
            &second_mesh,
        ),
        (
            &[
                "annotate",
                "kuma.io/sidecar-injected=true",
                "kuma.io/mesh=mesh2",
            ],
            &second_mesh,
        ),
        (&["annotate", "kuma.io/gateway=builtin"], &second_mesh),
        (&["label", "kuma.io/workload=other"], forged),
    ];
    for (change, sentence) in changes {
        let (verb, words) = change.split_at(1);
        let output = alice(testbed, &[verb, &pod[..], words].concat()).await;
        assert!(output.stderr.contains(sentence), "{change:?}: {output:?}");
    }
    allows(
        testbed,
        &[&["annotate"], &pod[..], &["example.com/note=x"]].concat(),
    )
    .await;
}

/// Object and old object together are more than the webhook reads.
#[tokio::test]
async fn a_request_that_is_too_large_is_refused_unread() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let ballast = "x".repeat(1_100_000);
    let large = pod("web", "").replace("image: nginx", &format!("image: nginx, args: [{ballast}]"));
    let create = ["create", "-n", &team, "-f", "-"];
    let created = testbed
        .kubectl(kuma_workload_testbed::User::Alice, &create, &large)
        .await;
    created.unwrap().ok().unwrap();
    let output = alice(testbed, &["label", "pod", "web", "-n", &team, "a=b"]).await;
    assert!(
        output.stderr.contains("failed calling webhook"),
        "{output:?}"
    );
    assert!(output.stderr.contains("413"), "{output:?}");
}
