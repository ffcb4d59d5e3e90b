//! The largest objects that an API server stores, under the largest settings: each gets its verdict and
//! its sentence, and no expression runs out of its budget.

use http::Method;
use kuma_workload_rulebook::admission::{MAX_ENTRIES, TemplateKind};
use kuma_workload_rulebook::keys;
use serde_json::{Value, json};

use crate::api::{self, Call, User};
use crate::equality::{self, Batch};
use crate::objects::{self, Marks, collection};
use crate::policies;

const TAG: &str = "largest";

/// What is stored of an object may have 1.5 MB.
const MOST: usize = 1_400_000;

/// All annotations of an object together may have 256 KiB.
const MOST_IN_ANNOTATIONS: usize = 250_000;

/// So many containers take all of it, with the defaults that the API server gives them.
const CONTAINERS: usize = 12_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a22_the_largest_objects_get_their_verdicts_under_the_largest_settings() {
    let client = equality::prepare().await;
    let mut namespace = Marks::default();
    namespace
        .labels
        .insert(keys::SIDECAR_INJECTION, "enabled".to_owned());
    namespace
        .annotations
        .insert(keys::MESH, odd(MOST_IN_ANNOTATIONS));
    let stored = objects::namespace("largest", "none", &namespace);
    api::store(&client, &collection("v1", "", "namespaces"), &stored).await;
    let other = objects::namespace("largest-2", TAG, &namespace);

    let pods = collection("v1", "largest", "pods");
    let deployment = TemplateKind::of("apps", "Deployment").unwrap();
    let deployments = collection(deployment.api_version, "largest", deployment.plural);
    let workloads = collection("kuma.io/v1alpha1", "largest", "workloads");

    let mut forged = objects::pod("forged", TAG, &in_mesh("mesh0"));
    forged["metadata"]["labels"][keys::WORKLOAD] = json!("w");
    forged["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": "x".repeat(MOST)}]);
    let mut crowded = objects::pod("crowded", TAG, &Marks::default());
    crowded["spec"]["containers"] = containers();
    let mut templated = objects::templated(deployment, "crowded", TAG, &Marks::default());
    objects::template(deployment, &mut templated)["spec"]["containers"] = containers();
    let mut closed = crowded.clone();
    closed["metadata"]["name"] = json!("closed");
    closed["metadata"]["labels"][keys::MESH] = json!("mesh255");
    let mut open = closed.clone();
    open["metadata"]["name"] = json!("open");
    open["metadata"]["labels"][keys::MESH] = json!("open");

    let held = api::store(&client, &pods, &crowded).await;
    let mut moved = objects::changeable(&held);
    moved["metadata"]["labels"][keys::MESH] = json!("open");
    let held = api::store(&client, &deployments, &templated).await;
    let mut rolled = objects::changeable(&held);
    objects::template(deployment, &mut rolled)["metadata"]["labels"][keys::MESH] = json!("mesh7");
    let mut workload = objects::workload("wide", TAG);
    workload["status"] = (0..50_000)
        .map(|number| (format!("field{number}"), json!(1)))
        .collect();
    let held = api::store(&client, &workloads, &workload).await;
    let mut counted = objects::changeable(&held);
    counted["status"]["field49999"] = json!(2);

    let calls = [
        (Method::POST, pods.clone(), forged),
        (Method::POST, pods.clone(), closed),
        (Method::POST, pods.clone(), open),
        (Method::PUT, format!("{pods}/crowded"), moved),
        (Method::PUT, format!("{deployments}/crowded"), rolled),
        (Method::POST, collection("v1", "", "namespaces"), other),
        (Method::PUT, format!("{workloads}/wide"), counted),
    ];
    let calls = calls
        .into_iter()
        .enumerate()
        .map(|(number, (method, path, body))| Call {
            name: format!("largest-{number}"),
            method,
            path,
            body,
            user: Some(User {
                name: odd(300),
                groups: (0..4_000).map(|number| format!("group-{number}")).collect(),
            }),
        });
    let batch = Batch {
        tag: TAG.to_owned(),
        settings: settings(),
        calls: calls.collect(),
    };
    let tally = equality::compare(&client, "vap-largest", &[batch]).await;
    assert_eq!(tally.refused, 0);
    let rejected: Vec<_> = tally.rejected.into_iter().collect();
    assert_eq!(
        rejected,
        [("A1", 1), ("A17", 2), ("A20", 2), ("M4", 1), ("P1", 1)]
    );

    for (name, warnings) in policies::type_checked(&client, TAG).await {
        assert_eq!(warnings, json!({}), "{name}");
    }
}

fn in_mesh(mesh: &str) -> Marks {
    let mut marks = Marks::default();
    marks.labels.insert(keys::MESH, mesh.to_owned());
    marks
}

/// A text of this many bytes that no message shows as it is.
fn odd(bytes: usize) -> String {
    "\u{202e}x\"".repeat(bytes / 5)
}

fn containers() -> Value {
    let container = |number| json!({"name": format!("c{number}"), "image": "i"});
    (0..CONTAINERS).map(container).collect()
}

/// Settings with lists that are as long as they may be.
fn settings() -> Value {
    let list = |stem: &str, length: usize| -> Value {
        let fill = |number: usize| format!("{stem}{number:0>width$}", width = length - stem.len());
        (0..MAX_ENTRIES).map(fill).collect()
    };
    let meshes = (0..MAX_ENTRIES).map(|number| {
        // All of them together are what an object can hold: some long lists, many short ones.
        let patterns = match number % 16 {
            15 => list("ns-", 63),
            _ => json!(["payments", "payments-*"]),
        };
        (format!("mesh{number}"), patterns)
    });
    // As many users as groups, and half of them by their beginnings.
    let names = list("people:", 253);
    let managers = (0..).zip(names.as_array().unwrap());
    let managers = managers.map(|(number, name)| {
        let name = name.as_str().unwrap();
        match number % 4 {
            0 => json!(name),
            1 => json!(format!("{name}*")),
            2 => json!(format!("group:{name}")),
            _ => json!(format!("group:{name}*")),
        }
    });
    let managers: Value = managers.collect();
    json!({
        "disallowMultipleMeshesPerNamespace": true,
        "namespaceMesh": "declared",
        "updates": "membership",
        "systemNamespaces": list("system-", 63),
        "meshNamespaces": meshes.collect::<Value>(),
        "protectWorkloads": "deny",
        "workloadManagers": managers,
    })
}
