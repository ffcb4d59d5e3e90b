//! What the policy server may not read (A13), on a cluster of its own.

use kuma_workload_testbed::{Testbed, eventually};

use crate::cluster::{self, apply, denied, namespace, pod};

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
