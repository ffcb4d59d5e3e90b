//! What the policy server may not read (A13), on a cluster of its own.

use kuma_workload_testbed::eventually;

use crate::cluster::{self, apply, denied, namespace, pod};

/// A13: what is missing has a name, before anything is listed; a grant is enough to go on. The
/// policies say `grants: ask`.
#[tokio::test]
async fn missing_grants() {
    let (testbed, _webhook) = cluster::own().await;
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
    let meshes = "  - {apiGroups: [kuma.io], resources: [meshes], verbs: [get]}\n";
    let reviews = "  - {apiGroups: [authorization.k8s.io], resources: [subjectaccessreviews], verbs: [create]}\n";
    let kuma = |verbs: &str| {
        let dataplanes = "apiGroups: [kuma.io], resources: [dataplanes]";
        format!("{meshes}{reviews}  - {{{dataplanes}, verbs: [{verbs}]}}")
    };
    let refused = |why: &str| denied("pods", &format!("the mesh rule cannot be checked: {why}"));
    let of_dataplanes = |verb: &str| {
        refused(&format!(
            "the policy is not granted {verb} of dataplanes.kuma.io to \"system:serviceaccount:kubewarden:policy-server\" (setting policyServerUser)"
        ))
    };

    for (rules, answer) in [
        (
            String::new(),
            refused(
                "the policy is not granted get, list and watch of meshes.kuma.io to the policy server's ServiceAccount",
            ),
        ),
        (
            meshes.to_owned(),
            refused("the policy server may not create subjectaccessreviews"),
        ),
        (kuma("get"), of_dataplanes("list")),
        (kuma("get, list"), of_dataplanes("watch")),
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
