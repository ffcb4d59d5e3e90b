//! The user, who installs the chart from the registry.

use kuma_workload_testbed::{Error, Testbed, User};

use crate::RELEASE;
use crate::registry::{Published, Registry};
use crate::told::seen;
use crate::tools::{in_own_home, output, tool};

/// Helm, with the chart that was published.
pub(crate) struct Helm<'a> {
    testbed: &'a Testbed,
    chart: String,
    values: Vec<String>,
}

impl<'a> Helm<'a> {
    pub(crate) fn new(testbed: &'a Testbed, registry: &Registry, published: &Published) -> Self {
        let digest = |reference: &str| {
            reference
                .split_once('@')
                .map_or_else(String::new, |(_, digest)| digest.to_owned())
        };
        Self {
            testbed,
            chart: format!("oci://{}", published.chart),
            values: vec![
                format!("global.imageRegistry={}", registry.host),
                format!("policy.digest={}", digest(&published.module)),
                format!("reconciler.image.digest={}", digest(&published.image)),
                "controlPlane.namespace=kong-mesh-system".to_owned(),
                "controlPlane.serviceAccountName=kong-mesh-control-plane".to_owned(),
                "monitoring.serviceMonitor.enabled=true".to_owned(),
                "monitoring.serviceMonitor.interval=1s".to_owned(),
                "monitoring.prometheusRule.enabled=true".to_owned(),
            ],
        }
    }

    /// Installs the chart with these values over the others.
    pub(crate) async fn install(&self, values: &[String]) -> Result<(), Error> {
        let all: Vec<_> = self.values.iter().chain(values).cloned().collect();
        self.run(
            &["install", RELEASE, &self.chart, "--create-namespace"],
            &all,
        )
        .await
    }

    /// Upgrades it, as docs/chart.md says.
    pub(crate) async fn upgrade(&self, values: &[String]) -> Result<(), Error> {
        self.run(
            &["upgrade", RELEASE, &self.chart, "--reset-then-reuse-values"],
            values,
        )
        .await
    }

    async fn run(&self, arguments: &[&str], values: &[String]) -> Result<(), Error> {
        let mut helm = in_own_home(self.testbed, tool("helm"));
        helm.args(arguments)
            .args([
                "--plain-http",
                "--wait",
                "--timeout=2m",
                "--namespace",
                RELEASE,
            ])
            .arg("--kubeconfig")
            .arg(self.testbed.kubeconfig(User::Admin));
        for value in values {
            helm.args(["--set", value]);
        }
        let told = output(&mut helm).await?;
        let status = told.lines().find(|line| line.starts_with("STATUS:"));
        seen(&format!(
            "helm {}: {}",
            arguments[0],
            status.unwrap_or_default()
        ));
        Ok(())
    }
}
