//! A cluster in which Pods are scheduled and become ready.

use std::path::Path;

use k8s_openapi::api::core::v1::{Namespace, Node};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use kuma_workload_testbed::{
    Error, Output, Program, Server, Testbed, User, eventually, reconciler,
};
use serde_json::json;
use tokio::process::Command;
use tokio::sync::OnceCell;

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// The Nodes, each with its zone.
const NODES: [(&str, &str); 3] = [("node-1", "a"), ("node-2", "a"), ("node-3", "b")];

/// What runs beside the testbed's servers. It ends when this is dropped.
pub(crate) struct Cluster<'a> {
    pub(crate) testbed: &'a Testbed,
    _kwok: Program,
}

/// The one that most tests share. It has our definition of Workload, with Kuma's other kinds.
pub(crate) async fn shared() -> Result<&'static Cluster<'static>, Error> {
    static SHARED: OnceCell<Cluster<'static>> = OnceCell::const_new();
    let start = async || {
        let cluster = Cluster::on(Testbed::shared()?).await?;
        let kubeconfig = cluster.testbed.kubeconfig(User::Admin);
        let kubeconfig = kubeconfig.to_string_lossy();
        reconciler::run(&["crds", "--create-if-absent", "--kubeconfig", &kubeconfig]).await?;
        cluster.testbed.install_kuma().await?;
        Ok(cluster)
    };
    SHARED.get_or_try_init(start).await
}

impl<'a> Cluster<'a> {
    /// Starts all that a testbed lacks, and takes away the grants that it has of examples/, so that those
    /// of the chart are the only ones.
    pub(crate) async fn on(testbed: &'a Testbed) -> Result<Self, Error> {
        testbed.start_server(Server::Scheduler).await?;
        let mut kwok = Command::new("kwok");
        kwok.env("KWOK_WORKDIR", testbed.folder().join("kwok"))
            .arg("--kubeconfig")
            .arg(testbed.kubeconfig(User::Admin))
            .args(["--manage-all-nodes", "--config"])
            .arg(Path::new(MANIFESTS).join("kwok-stages.yaml"));
        let kwok = testbed.spawn("kwok", &mut kwok).map_err(|error| {
            Error::new(format!("{error}; `make chart-cluster-test` installs it"))
        })?;
        let cluster = Self {
            testbed,
            _kwok: kwok,
        };
        cluster.nodes().await?;
        for (kind, names) in [
            (
                "clusterrole",
                ["kuma-workload", "kuma-workload-policy-server"],
            ),
            (
                "clusterrolebinding",
                ["kuma-workload", "kuma-workload-policy-server"],
            ),
        ] {
            let delete = ["delete", "--ignore-not-found", kind, names[0], names[1]];
            cluster.kubectl(&delete).await?;
        }
        let home = format!("{EXAMPLES}/reconciler/1-rbac.yaml");
        cluster
            .kubectl(&["delete", "--ignore-not-found", "-f", &home])
            .await?;
        for kinds in ["kubewarden", "prometheus-operator"] {
            let file = format!("{MANIFESTS}/{kinds}-crds.yaml");
            cluster.kubectl(&["apply", "-f", &file]).await?;
            let wait = [
                "wait",
                "--for=condition=Established",
                "--timeout=30s",
                "-f",
                &file,
            ];
            cluster.kubectl(&wait).await?;
        }
        Ok(cluster)
    }

    /// Makes the Nodes, and waits until they are ready. Admission keeps Pods from a new Node until the
    /// node lifecycle controller, which does not run here, has seen that it is ready.
    async fn nodes(&self) -> Result<(), Error> {
        let nodes: Api<Node> = Api::all(self.client().await?);
        for (name, zone) in NODES {
            let node = json!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": {"name": name, "labels": {
                    "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone,
                }},
            });
            let ours = PatchParams::apply("test").force();
            nodes.patch(name, &ours, &Patch::Apply(&node)).await?;
            let untainted = Patch::Merge(json!({"spec": {"taints": null}}));
            nodes
                .patch(name, &PatchParams::default(), &untainted)
                .await?;
            eventually(&format!("Node {name} is ready"), async || {
                let node = nodes.get(name).await.map_err(|error| error.to_string())?;
                let conditions = node.status.unwrap_or_default().conditions;
                let is_ready = |it: &k8s_openapi::api::core::v1::NodeCondition| {
                    it.type_ == "Ready" && it.status == "True"
                };
                match conditions.iter().flatten().any(is_ready) {
                    true => Ok(()),
                    false => Err(format!("{conditions:?}")),
                }
            })
            .await?;
        }
        Ok(())
    }

    /// An administrator's client.
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        self.testbed.client(User::Admin).await
    }

    /// What kubectl prints for an administrator.
    pub(crate) async fn kubectl(&self, args: &[&str]) -> Result<String, Error> {
        self.kubectl_with(args, "").await
    }

    /// The same with an input.
    pub(crate) async fn kubectl_with(&self, args: &[&str], input: &str) -> Result<String, Error> {
        let ran = self.testbed.kubectl(User::Admin, args, input).await;
        ran.and_then(Output::ok)
    }

    /// Makes a namespace, if it is not there.
    pub(crate) async fn namespace(&self, name: &str) -> Result<(), Error> {
        let namespaces: Api<Namespace> = Api::all(self.client().await?);
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let ours = PatchParams::apply("test").force();
        namespaces
            .patch(name, &ours, &Patch::Apply(&namespace))
            .await?;
        Ok(())
    }
}
