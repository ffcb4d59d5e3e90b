//! The race that A10 leaves open: two Pods of different meshes come to one Namespace, so close to each
//! other that the second one's evaluation may not see the first. It counts how often both get in, by
//! policy and by the time between them, on a real API server with the policy as its webhook.
//!
//! No control plane runs there, so that no Pod gets a Dataplane: what the table shows without
//! `considerPods` is the time until Kuma has made one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{env, path::PathBuf, time::Duration};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{DeleteParams, PostParams},
};
use kuma_workload_testbed::{
    Kind, PolicyServer, Space, Testbed, User, eventually::eventually, policy_server::Hosted,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

/// How often two Pods are sent at each distance.
const TIMES: usize = 60;
const DISTANCES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(200),
];
const MESHES: [&str; 2] = ["race-a", "race-b"];

/// A policy, and the Namespaces in which it is asked.
struct Mode {
    policy: &'static str,
    shown: &'static str,
    settings: Value,
    /// A new Namespace each time, so that the policy server has no watch on it yet.
    anew: bool,
}

fn modes() -> [Mode; 4] {
    let mode = |policy, shown, namespace_mesh: &str, consider_pods: bool, anew| Mode {
        policy,
        shown,
        settings: json!({
            "disallowMultipleMeshesPerNamespace": true,
            "namespaceMesh": namespace_mesh,
            "considerPods": consider_pods,
            // What lets a Pod into a Namespace that is split already is not the question here.
            "alreadySplit": "deny",
        }),
        anew,
    };
    [
        mode(
            "race-pods",
            "`observed`, `considerPods: true`",
            "observed",
            true,
            false,
        ),
        mode(
            "race-pods",
            "the same, in a new namespace each time",
            "observed",
            true,
            true,
        ),
        mode(
            "race-dataplanes",
            "`observed`, `considerPods: false`",
            "observed",
            false,
            false,
        ),
        mode("race-declared", "`declared`", "declared", true, false),
    ]
}

#[tokio::main]
async fn main() {
    let testbed = Testbed::start().unwrap();
    testbed.install_kuma().await.unwrap();
    let modes = modes();
    let server = host(&testbed, &modes).await;
    // A client of its own for each Pod: neither waits for the other's connection.
    let clients = [
        testbed.client(User::Admin).await.unwrap(),
        testbed.client(User::Admin).await.unwrap(),
    ];
    let host = match server.is_real() {
        true => "policy-server",
        false => "the project's own host",
    };
    println!("Both of two Pods of different meshes let in, of {TIMES}, hosted by {host}:");
    let distances = DISTANCES.map(|distance| match distance.as_millis() {
        0 => "at once".to_owned(),
        millis => format!("{millis} ms apart"),
    });
    println!("| policy | {} |", distances.join(" | "));
    println!("|---|{}", "---|".repeat(DISTANCES.len()));
    for mode in &modes {
        let mut row = Vec::new();
        let mut space = namespace(&testbed, mode).await;
        is_asked(&clients, &space).await;
        for distance in DISTANCES {
            let mut both = 0;
            for _ in 0..TIMES {
                if mode.anew {
                    space = namespace(&testbed, mode).await;
                }
                if race(&clients, &space, distance).await {
                    both += 1;
                }
                if !mode.anew {
                    clear(&clients, &space, mode).await;
                }
            }
            row.push(format!("{both}"));
        }
        println!("| {} | {} |", mode.shown, row.join(" | "));
    }
}

/// Hosts each policy for the Namespaces that carry its name.
async fn host(testbed: &Testbed, modes: &[Mode]) -> PolicyServer {
    let module = env::var_os("KUMA_WORKLOAD_POLICY_WASM")
        .map(PathBuf::from)
        .expect("KUMA_WORKLOAD_POLICY_WASM names the policy; make race sets it");
    let mut policies: Vec<Hosted> = Vec::new();
    for mode in modes.iter().filter(|mode| !mode.anew) {
        let mut policy = Hosted::pods(&module, mode.policy, mode.settings.clone()).unwrap();
        policy.manifest["spec"]["namespaceSelector"] = json!({"matchExpressions": [
            {"key": "race", "operator": "In", "values": [mode.policy]},
        ]});
        policies.push(policy);
    }
    let webhook = PathBuf::from(env!("CARGO_BIN_EXE_policy-webhook"));
    let server = PolicyServer::start(testbed, &webhook, &policies).await;
    server.unwrap()
}

/// A Namespace whose Pods the policy of this mode judges.
async fn namespace<'a>(testbed: &'a Testbed, mode: &Mode) -> Space<'a> {
    let labels = [
        ("race", mode.policy),
        ("kuma.io/sidecar-injection", "enabled"),
        ("kuma.io/mesh", MESHES[0]),
    ];
    let space = Space::new(testbed, &labels).await.unwrap();
    for mesh in MESHES {
        let mesh = json!({"metadata": {"name": mesh}});
        space.put(Kind::Mesh, mesh).await.unwrap();
    }
    space
}

/// Waits until the API server asks the policy: it refuses a Pod of a mesh that is not there.
async fn is_asked(clients: &[Client; 2], space: &Space<'_>) {
    let pods: Api<Pod> = Api::namespaced(clients[0].clone(), &space.name);
    eventually("the API server asks the policy", async || {
        match created(&pods, "race-none", &dry_run()).await {
            true => Err("a Pod of an unknown mesh gets in".to_owned()),
            false => Ok(()),
        }
    })
    .await
    .unwrap();
}

fn dry_run() -> PostParams {
    PostParams {
        dry_run: true,
        ..PostParams::default()
    }
}

fn pod(mesh: &str) -> Pod {
    let manifest = json!({
        "metadata": {"name": mesh, "labels": {"kuma.io/mesh": mesh}},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    });
    serde_json::from_value(manifest).unwrap()
}

/// Sends a Pod of each mesh, and says whether both got in.
async fn race(clients: &[Client; 2], space: &Space<'_>, distance: Duration) -> bool {
    let start = Instant::now();
    let sent = |client: &Client, mesh: &'static str, at: Instant| {
        let pods: Api<Pod> = Api::namespaced(client.clone(), &space.name);
        tokio::spawn(async move {
            sleep_until(at).await;
            created(&pods, mesh, &PostParams::default()).await
        })
    };
    let first = sent(&clients[0], MESHES[0], start);
    let second = sent(&clients[1], MESHES[1], start + distance);
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert!(first || second, "neither Pod got in");
    first && second
}

/// Whether a Pod of this mesh gets in. It may only be refused by the policy.
async fn created(pods: &Api<Pod>, mesh: &str, how: &PostParams) -> bool {
    match pods.create(how, &pod(mesh)).await {
        Ok(_) => true,
        Err(kube::Error::Api(status)) if status.code == 403 && status.message.contains("mesh") => {
            false
        }
        Err(error) => panic!("{error}"),
    }
}

/// Takes the Pods away, and waits until the policy has seen that: until it would let in either.
async fn clear(clients: &[Client; 2], space: &Space<'_>, mode: &Mode) {
    let pods: Api<Pod> = Api::namespaced(clients[0].clone(), &space.name);
    for mesh in MESHES {
        let at_once = DeleteParams::default().grace_period(0);
        match pods.delete(mesh, &at_once).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => panic!("{error}"),
        }
    }
    let declared = mode.settings["namespaceMesh"] == "declared";
    let others = if declared { 1 } else { MESHES.len() };
    for mesh in &MESHES[..others] {
        eventually("the policy has seen the Pods go", async || {
            match created(&pods, mesh, &dry_run()).await {
                true => Ok(()),
                false => Err("it refuses a Pod of another mesh".to_owned()),
            }
        })
        .await
        .unwrap();
    }
}
