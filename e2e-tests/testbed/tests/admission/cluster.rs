//! A cluster with the five policies of `examples/policies`, and what tests do in it.

use std::path::Path;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use kuma_workload_testbed::{Output, Program, Testbed, User, eventually, guard};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// What the API server puts before a policy's sentence; `name` is the policy's.
pub(crate) fn denied(name: &str, sentence: &str) -> String {
    format!(
        "admission webhook \"clusterwide-kuma-workload-{name}.kubewarden.admission\" denied the request: {sentence}"
    )
}

/// The cluster that the tests share, with the meshes `default`, `mesh1` and `mesh2`.
pub(crate) async fn shared() -> &'static Testbed {
    static GUARDED: OnceCell<Program> = OnceCell::const_new();
    let testbed = Testbed::shared().unwrap();
    GUARDED
        .get_or_init(|| async {
            prepare(testbed).await;
            guard(testbed).await
        })
        .await;
    testbed
}

/// A cluster of a test's own, as the one that is shared, and its webhook.
pub(crate) async fn own() -> (Testbed, Program) {
    let testbed = Testbed::start().unwrap();
    prepare(&testbed).await;
    let webhook = guard(&testbed).await;
    (testbed, webhook)
}

/// Kuma's kinds, the meshes, and Namespaces to ask in whether the policies are asked.
pub(crate) async fn prepare(testbed: &Testbed) {
    testbed.install_kuma().await.unwrap();
    let meshes = "
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: default}
spec: {}
---
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: mesh1}
spec: {}
---
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: mesh2}
spec: {}
---
apiVersion: v1
kind: Namespace
metadata: {name: probe, labels: {kuma.io/sidecar-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: probe-strays}
";
    testbed.apply(meshes).await.unwrap();
}

/// The webhook, asked by the API server from here on.
pub(crate) async fn guard(testbed: &Testbed) -> Program {
    let webhook = start_webhook(testbed);
    let client = testbed.client(User::Alice).await.unwrap();
    eventually("all five policies are asked", async || {
        for kind in ["pods", "strays", "templates", "namespaces", "workloads"] {
            let answer = probe(&client, kind).await;
            if !answer.contains(&denied(kind, "")) {
                return Err(format!("{kind}: {answer}; {}", webhook.log()));
            }
        }
        Ok(())
    })
    .await
    .unwrap();
    webhook
}

fn start_webhook(testbed: &Testbed) -> Program {
    let program = Path::new(env!("CARGO_BIN_EXE_policy-webhook"));
    guard::start(testbed, program, &[guard::examples()]).unwrap()
}

/// What is said to something that each of the policies rejects, if it is asked. Nothing is stored.
async fn probe(client: &Client, kind: &str) -> String {
    let dry_run = PostParams {
        dry_run: true,
        field_manager: None,
    };
    let forged = json!({"app": "probe", "kuma.io/workload": "forged"});
    let created = match kind {
        "pods" | "strays" => {
            let pod: Pod = from(json!({
                "metadata": {
                    "name": "probe",
                    "labels": forged,
                    "annotations": {"kuma.io/sidecar-injected": "true"},
                },
                "spec": {"containers": [{"name": "probe", "image": "probe"}]},
            }));
            let namespace = match kind {
                "pods" => "probe",
                _ => "probe-strays",
            };
            let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
            pods.create(&dry_run, &pod).await.map(drop)
        }
        "templates" => {
            let deployment: Deployment = from(json!({
                "metadata": {"name": "probe"},
                "spec": {
                    "selector": {"matchLabels": {"app": "probe"}},
                    "template": {
                        "metadata": {"labels": forged},
                        "spec": {"containers": [{"name": "probe", "image": "probe"}]},
                    },
                },
            }));
            let deployments: Api<Deployment> = Api::namespaced(client.clone(), "probe");
            deployments.create(&dry_run, &deployment).await.map(drop)
        }
        "namespaces" => {
            let namespace: Namespace = from(json!({
                "metadata": {"name": "probe-2", "labels": {"kuma.io/mesh": "NoMesh"}},
            }));
            let namespaces: Api<Namespace> = Api::all(client.clone());
            namespaces.create(&dry_run, &namespace).await.map(drop)
        }
        _ => {
            let kind = GroupVersionKind::gvk("kuma.io", "v1alpha1", "Workload");
            let kind = ApiResource::from_gvk(&kind);
            let workload = DynamicObject::new("probe", &kind).within("probe");
            let workloads: Api<DynamicObject> =
                Api::namespaced_with(client.clone(), "probe", &kind);
            workloads.create(&dry_run, &workload).await.map(drop)
        }
    };
    created.map_or_else(|error| error.to_string(), |()| "accepted".to_owned())
}

fn from<T: serde::de::DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).unwrap()
}

/// A Namespace of its own, with Kuma's injection on.
pub(crate) async fn namespace(testbed: &Testbed) -> String {
    let name = testbed.unique("team");
    plain_namespace(testbed, &name).await;
    inject(testbed, &name).await;
    name
}

/// A Namespace that the policies do not look into yet.
pub(crate) async fn plain_namespace(testbed: &Testbed, name: &str) {
    let manifest = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}");
    testbed.apply(&manifest).await.unwrap();
}

/// Turns Kuma's injection on, and with it the policies.
pub(crate) async fn inject(testbed: &Testbed, name: &str) {
    let label = [
        "label",
        "namespace",
        name,
        "kuma.io/sidecar-injection=enabled",
    ];
    allows(testbed, &label).await;
}

/// A Dataplane, as the control plane makes it.
pub(crate) async fn dataplane(testbed: &Testbed, namespace: &str, name: &str, mesh: &str) {
    let manifest = format!(
        "apiVersion: kuma.io/v1alpha1
kind: Dataplane
mesh: {mesh}
metadata:
  name: {name}
  namespace: {namespace}
  labels: {{kuma.io/mesh: {mesh}, k8s.kuma.io/namespace: {namespace}}}
  annotations: {{kuma.io/workload: default}}
spec: {{}}"
    );
    control_plane_makes(testbed, &manifest).await;
}

/// What Alice is told.
pub(crate) async fn alice(testbed: &Testbed, args: &[&str]) -> Output {
    testbed.kubectl(User::Alice, args, "").await.unwrap()
}

/// What Alice is told when she applies this.
pub(crate) async fn apply(testbed: &Testbed, namespace: &str, manifest: &str) -> Output {
    let args = ["apply", "-n", namespace, "-f", "-"];
    testbed.kubectl(User::Alice, &args, manifest).await.unwrap()
}

/// Alice may do it; what she is told.
pub(crate) async fn allows(testbed: &Testbed, args: &[&str]) -> String {
    alice(testbed, args).await.ok().unwrap()
}

/// Alice applies it, and it comes in.
pub(crate) async fn accepts(testbed: &Testbed, namespace: &str, manifest: &str) {
    apply(testbed, namespace, manifest).await.ok().unwrap();
}

/// Alice applies it, and it is refused with this sentence.
pub(crate) async fn refuses(testbed: &Testbed, namespace: &str, manifest: &str, sentence: &str) {
    let output = apply(testbed, namespace, manifest).await;
    assert!(output.stderr.contains(sentence), "{output:?}");
}

/// Waits until it is refused with this sentence: until a watch has seen why.
pub(crate) async fn comes_to_refuse(
    testbed: &Testbed,
    namespace: &str,
    manifest: &str,
    sentence: &str,
) {
    eventually("it is refused", async || {
        let output = apply(testbed, namespace, manifest).await;
        match output.stderr.contains(sentence) {
            true => Ok(()),
            false => Err(format!("{output:?}")),
        }
    })
    .await
    .unwrap();
}

/// Waits until Alice may do it: until a watch has seen that nothing is in the way.
pub(crate) async fn comes_to_allow(testbed: &Testbed, args: &[&str]) {
    eventually("it is allowed", async || {
        let output = alice(testbed, args).await;
        output.ok().map_err(|error| error.to_string())
    })
    .await
    .unwrap();
}

/// Waits until so many Pods are in the Namespace.
pub(crate) async fn comes_to_have_pods(testbed: &Testbed, namespace: &str, count: usize) {
    eventually(
        &format!("{count} Pods are there"),
        async || match pod_labels(testbed, namespace).await.len() {
            found if found == count => Ok(()),
            found => Err(format!("{found} Pods")),
        },
    )
    .await
    .unwrap();
}

/// The control plane makes an object.
pub(crate) async fn control_plane_makes(testbed: &Testbed, manifest: &str) {
    let args = ["create", "-f", "-"];
    let created = testbed.kubectl(User::ControlPlane, &args, manifest).await;
    created.unwrap().ok().unwrap();
}

/// A Pod's manifest with these lines in its metadata.
pub(crate) fn pod(name: &str, metadata: &str) -> String {
    format!(
        "apiVersion: v1
kind: Pod
metadata:
  name: {name}
  {metadata}
spec:
  containers: [{{name: web, image: nginx}}]"
    )
}

/// The forged label.
pub(crate) const FORGED: &str = "kuma.io/workload: backend";

/// A Deployment's manifest with these labels, beside `app`, in its Pod template.
///
/// No kubelet makes its Pods ready, so it must not wait for that when it rolls.
pub(crate) fn deployment(labels: &str) -> String {
    replica_set(labels)
        .replace("kind: ReplicaSet", "kind: Deployment")
        .replace(
            "spec:\n  replicas",
            "spec:\n  strategy: {rollingUpdate: {maxUnavailable: 100%}}\n  replicas",
        )
}

/// The same for a ReplicaSet.
pub(crate) fn replica_set(labels: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web, {labels}}}}}
    spec: {{containers: [{{name: web, image: nginx}}]}}"
    )
}

/// The labels of the Pods in a Namespace, as JSON.
pub(crate) async fn pod_labels(testbed: &Testbed, namespace: &str) -> Vec<Value> {
    let args = ["get", "pods", "-n", namespace, "-o", "json"];
    let list: Value = serde_json::from_str(&allows(testbed, &args).await).unwrap();
    let pods = list["items"].as_array().unwrap();
    pods.iter()
        .map(|pod| pod["metadata"]["labels"].clone())
        .collect()
}
