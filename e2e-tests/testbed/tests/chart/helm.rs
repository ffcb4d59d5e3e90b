//! Helm, run as its users run it.

use std::process::Stdio;

use kuma_workload_testbed::{Error, User};
use tokio::process::Command;

use crate::cluster::Cluster;

/// The chart.
pub(crate) const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/kuma-workload");

/// A release of the chart, in a namespace of its own name unless it is told otherwise.
pub(crate) struct Release<'a> {
    pub(crate) cluster: &'a Cluster<'a>,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl<'a> Release<'a> {
    /// One of this name, which is yet to be installed.
    pub(crate) fn new(cluster: &'a Cluster<'a>, name: &str, namespace: &str) -> Self {
        Self {
            cluster,
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        }
    }

    /// The name of its Deployment, ServiceAccount, roles and Lease.
    pub(crate) fn full_name(&self) -> String {
        match &self.name {
            name if name.contains("kuma-workload") => name.clone(),
            // The name of a Service begins with a letter.
            name if name.starts_with(|first: char| first.is_ascii_digit()) => {
                format!("kuma-workload-{name}")
            }
            name => format!("{name}-kuma-workload"),
        }
    }

    /// Installs it, and makes its namespace.
    pub(crate) async fn install(&self, flags: &[&str]) -> Result<String, Error> {
        let command = ["install", &self.name, CHART, "--create-namespace"];
        self.run(&[&command, flags].concat()).await
    }

    /// Upgrades it.
    pub(crate) async fn upgrade(&self, flags: &[&str]) -> Result<String, Error> {
        self.run(&[&["upgrade", &self.name, CHART], flags].concat())
            .await
    }

    /// Rolls it back by one revision.
    pub(crate) async fn rollback(&self, flags: &[&str]) -> Result<String, Error> {
        self.run(&[&["rollback", &self.name], flags].concat()).await
    }

    /// Uninstalls it.
    pub(crate) async fn uninstall(&self) -> Result<String, Error> {
        self.run(&["uninstall", &self.name, "--wait"]).await
    }

    /// Its manifests, without a cluster.
    pub(crate) async fn template(&self, flags: &[&str]) -> Result<String, Error> {
        self.run(&[&["template", &self.name, CHART], flags].concat())
            .await
    }

    async fn run(&self, args: &[&str]) -> Result<String, Error> {
        let testbed = self.cluster.testbed;
        let home = testbed.folder().join("helm");
        // Nothing of the user's own Helm.
        let output = Command::new("helm")
            .args(args)
            .args(["--namespace", &self.namespace])
            .env("KUBECONFIG", testbed.kubeconfig(User::Admin))
            .env("KUBECACHEDIR", home.join("discovery"))
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| {
                Error::new(format!(
                    "helm does not run: {error}; `make chart-cluster-test` installs it"
                ))
            })?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(Error::new(format!(
                "helm {}: {}",
                args.join(" "),
                String::from_utf8_lossy(&output.stderr)
            ))),
        }
    }
}
