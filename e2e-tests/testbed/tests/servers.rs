//! The testbed itself: who may do what, what outlives a restart, and that nothing outlives its holder.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use kuma_workload_testbed::{Server, Testbed, User, eventually};
use rstest::rstest;

#[tokio::test]
async fn it_says_which_version_it_is() {
    let [client, server] = versions(Testbed::shared().unwrap()).await;
    if std::env::var_os("KUBEBUILDER_ASSETS").is_none() {
        let required = format!("k8s.io/kubernetes {client}\n");
        assert!(include_str!("../go.mod").contains(&required), "{client}");
        assert_eq!(client, server);
    }
}

/// The versions of kubectl and of the API server, as kubectl prints them.
async fn versions(testbed: &Testbed) -> [String; 2] {
    let printed = testbed.kubectl(User::Alice, &["version"], "").await;
    let printed = printed.unwrap().ok().unwrap();
    ["Client Version: ", "Server Version: "].map(|title| {
        let line = printed.lines().find_map(|line| line.strip_prefix(title));
        line.unwrap_or_else(|| panic!("no {title}in {printed}"))
            .to_owned()
    })
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
    assert_eq!(may(testbed, user, what).await, answer);
}

/// What the API server says to whether somebody may do this: `yes` or `no`.
async fn may(testbed: &Testbed, user: User, what: &str) -> String {
    let args: Vec<_> = ["auth", "can-i"]
        .into_iter()
        .chain(what.split(' '))
        .collect();
    let output = testbed.kubectl(user, &args, "").await.unwrap();
    output.stdout.trim().to_owned()
}

#[tokio::test]
async fn data_and_address_outlive_restarts() {
    let testbed = Testbed::start().unwrap();
    let maps = config_maps(&testbed).await;
    make(&maps, "kept").await;
    for server in [Server::Etcd, Server::ApiServer, Server::ControllerManager] {
        testbed.stop_server(server).await.unwrap();
        if server == Server::ApiServer {
            assert!(maps.get("kept").await.is_err());
        }
        testbed.start_server(server).await.unwrap();
        comes_to_have(&maps, "kept").await;
    }
}

async fn config_maps(testbed: &Testbed) -> Api<ConfigMap> {
    Api::namespaced(testbed.client(User::Admin).await.unwrap(), "default")
}

async fn make(maps: &Api<ConfigMap>, name: &str) {
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    };
    maps.create(&PostParams::default(), &map).await.unwrap();
}

async fn comes_to_have(maps: &Api<ConfigMap>, name: &str) {
    eventually("the object is there", async || {
        let found = maps.get(name).await;
        found.map_err(|error| error.to_string())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn nothing_outlives_a_killed_holder() {
    let mut holder = Holder::start();
    let servers = holder.servers();
    assert!(servers.iter().all(|server| runs(server)));
    holder.kill();
    eventually("all of it is gone", async || {
        let left: Vec<_> = servers.iter().filter(|server| runs(server)).collect();
        if left.is_empty() && !holder.folder.exists() {
            Ok(())
        } else {
            let folder = holder.folder.exists();
            Err(format!("processes {left:?}, folder {folder}"))
        }
    })
    .await
    .unwrap();
}

/// A process that holds a testbed by a pipe, as a test run does.
struct Holder {
    process: Child,
    /// The testbed's.
    folder: PathBuf,
}

impl Holder {
    fn start() -> Self {
        let hold = Path::new(env!("CARGO_MANIFEST_DIR")).join("hold");
        let mut process = Command::new("bash")
            .args(["-c", "exec 3> >(exec \"$0\"); read -r _"])
            .arg(hold)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut folder = String::new();
        let mut printed = BufReader::new(process.stdout.take().unwrap());
        printed.read_line(&mut folder).unwrap();
        Self {
            process,
            folder: folder.trim().into(),
        }
    }

    /// The process ids of its servers.
    fn servers(&self) -> [String; 3] {
        ["etcd", "kube-apiserver", "kube-controller-manager"].map(|server| {
            let file = self.folder.join(format!("{server}.pid"));
            let entry = std::fs::read_to_string(file).unwrap();
            entry.split(' ').next().unwrap().to_owned()
        })
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn runs(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}
