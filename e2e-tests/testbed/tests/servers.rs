//! The testbed itself: who may do what, what outlives a restart, and that nothing outlives its holder.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use kuma_workload_testbed::{Server, Testbed, User, eventually};
use rstest::rstest;

#[tokio::test]
async fn it_says_which_version_it_is() {
    let testbed = Testbed::shared().unwrap();
    let version = testbed.kubectl(User::Alice, &["version"], "").await;
    let version = version.unwrap().ok().unwrap();
    let said: Vec<&str> = version
        .lines()
        .filter_map(|line| line.split_once(" Version: ").map(|(_, version)| version))
        .filter(|version| version.starts_with("v1."))
        .collect();
    assert_eq!(said.len(), 2, "{version}");
    if std::env::var_os("KUBEBUILDER_ASSETS").is_none() {
        let required = format!("k8s.io/kubernetes {}\n", said[0]);
        assert!(include_str!("../go.mod").contains(&required), "{version}");
        assert_eq!(said[0], said[1]);
    }
}

#[rstest]
#[case::who_runs_the_cluster(User::Admin, "delete nodes", "yes")]
#[case::reconciler_writes_workloads(User::Reconciler, "patch workloads.kuma.io", "yes")]
#[case::reconciler_leads(
    User::Reconciler,
    "update leases.coordination.k8s.io -n kuma-workload",
    "yes"
)]
#[case::reconciler_leads_nowhere_else(
    User::Reconciler,
    "update leases.coordination.k8s.io -n default",
    "no"
)]
#[case::reconciler_never_writes_dataplanes(User::Reconciler, "delete dataplanes.kuma.io", "no")]
#[case::policy_server_watches(User::PolicyServer, "watch dataplanes.kuma.io", "yes")]
#[case::policy_server_only_reads(User::PolicyServer, "create dataplanes.kuma.io", "no")]
#[case::control_plane_writes(User::ControlPlane, "create workloads.kuma.io", "yes")]
#[case::alice_edits(User::Alice, "create workloads.kuma.io", "yes")]
#[case::alice_does_not_rule(User::Alice, "create clusterroles.rbac.authorization.k8s.io", "no")]
#[tokio::test]
async fn users_may(#[case] user: User, #[case] what: &str, #[case] answer: &str) {
    let testbed = Testbed::shared().unwrap();
    testbed.install_kuma().await.unwrap();
    let mut args = vec!["auth", "can-i"];
    args.extend(what.split(' '));
    let output = testbed.kubectl(user, &args, "").await.unwrap();
    assert_eq!(output.stdout.trim(), answer, "{}", output.stderr);
}

#[tokio::test]
async fn data_and_address_outlive_restarts() {
    let testbed = Testbed::start().unwrap();
    let maps: Api<ConfigMap> =
        Api::namespaced(testbed.client(User::Admin).await.unwrap(), "default");
    let map: ConfigMap = serde_json::from_str(r#"{"metadata": {"name": "kept"}}"#).unwrap();
    maps.create(&PostParams::default(), &map).await.unwrap();
    for server in [Server::Etcd, Server::ApiServer, Server::ControllerManager] {
        testbed.stop_server(server).await.unwrap();
        if server == Server::ApiServer {
            assert!(maps.get("kept").await.is_err());
        }
        testbed.start_server(server).await.unwrap();
        eventually("the object is there", async || {
            let kept = maps.get("kept").await;
            kept.map_err(|error| error.to_string())
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn nothing_outlives_a_killed_holder() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The holder of the pipe is a process that is killed, as a test run may be.
    let mut holder = Command::new("bash")
        .args(["-c", "exec 3> >(exec \"$0\"); read -r _"])
        .arg(scripts.join("hold"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut folder = String::new();
    let mut output = BufReader::new(holder.stdout.take().unwrap());
    output.read_line(&mut folder).unwrap();
    let folder = Path::new(folder.trim());
    let pids: Vec<String> = ["etcd", "kube-apiserver", "kube-controller-manager"]
        .iter()
        .map(|server| {
            let entry = std::fs::read_to_string(folder.join(format!("{server}.pid"))).unwrap();
            entry.split(' ').next().unwrap().to_owned()
        })
        .collect();
    assert!(pids.iter().all(|pid| runs(pid)));
    holder.kill().unwrap();
    holder.wait().unwrap();
    eventually("all of it is gone", async || {
        let left: Vec<&String> = pids.iter().filter(|pid| runs(pid)).collect();
        if left.is_empty() && !folder.exists() {
            Ok(())
        } else {
            Err(format!("processes {left:?}, folder {}", folder.exists()))
        }
    })
    .await
    .unwrap();
}

fn runs(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}
