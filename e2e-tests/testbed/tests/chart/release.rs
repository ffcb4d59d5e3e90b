//! A release from its installation to its end.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use kuma_workload_testbed::space::workload;
use kuma_workload_testbed::{Error, Kind, Space};
use rstest::rstest;

use crate::cluster::{self, Cluster};
use crate::helm::Release;

/// How a test ends.
pub(crate) type Done = Result<(), Error>;

/// Names that YAML takes for a boolean and a number if they are not quoted, and that of the
/// documentation, with all that there is.
#[rstest]
#[case::as_documented("kuma-workload", "kuma-workload", &[
    "enforcement=both", "mode=protect", "settings.action=warn", "settings.protectWorkloads=warn",
    "monitoring.serviceMonitor.enabled=true", "monitoring.prometheusRule.enabled=true",
    "monitoring.dashboard.enabled=true", "policyServer.name=whole",
])]
#[case::y("y", "release-y", &["policyServer.name=y"])]
#[case::one("1", "release-1", &["policyServer.name=one"])]
#[tokio::test]
async fn it_comes_changes_and_goes(
    #[case] name: &str,
    #[case] namespace: &str,
    #[case] values: &[&str],
) -> Done {
    let cluster = cluster::shared().await?;
    let release = Release::new(cluster, name, namespace);
    let values = values.join(",");
    let common = ["--wait", "--timeout=2m", "--set", &values];
    let with = |more: &'static str| [&common[..], &["--set", more]].concat();

    release.install(&common).await?;
    assert_eq!(flag(&release, "--log=").await?, "info");
    is_ready_and_spread(&release).await?;
    release.upgrade(&with("reconciler.logLevel=debug")).await?;
    assert_eq!(flag(&release, "--log=").await?, "debug");
    is_ready_and_spread(&release).await?;
    release.rollback(&["--wait", "--timeout=2m"]).await?;
    assert_eq!(flag(&release, "--log=").await?, "info");
    is_ready_and_spread(&release).await?;

    let team = Space::new(cluster.testbed, &[]).await?;
    team.put(
        Kind::Workload,
        workload("web", &[("kuma.io/managed-by", "kuma-workload-reconciler")]),
    )
    .await?;
    assert_ne!(objects(cluster, name).await?, "");
    release.uninstall().await?;
    assert_eq!(objects(cluster, name).await?, "");
    assert!(team.get(Kind::Workload, "web").await?.is_some());
    Ok(())
}

/// The value of a flag in the live Deployment.
async fn flag(release: &Release<'_>, name: &str) -> Result<String, Error> {
    let arguments = arguments(release).await?;
    let value = arguments.iter().find_map(|flag| flag.strip_prefix(name));
    Ok(value.unwrap().to_owned())
}

/// The arguments of the live Deployment's container.
pub(crate) async fn arguments(release: &Release<'_>) -> Result<Vec<String>, Error> {
    let client = release.cluster.client().await?;
    let deployments: Api<Deployment> = Api::namespaced(client, &release.namespace);
    let deployment = deployments.get(&release.full_name()).await?;
    let mut pod = deployment.spec.unwrap().template.spec.unwrap();
    Ok(pod.containers.remove(0).args.unwrap())
}

/// The reconciler's Pods that are not on their way out.
pub(crate) async fn pods(release: &Release<'_>) -> Result<Vec<Pod>, Error> {
    let pods: Api<Pod> = Api::namespaced(release.cluster.client().await?, &release.namespace);
    let labels = format!(
        "app.kubernetes.io/component=reconciler,app.kubernetes.io/instance={}",
        release.name
    );
    let list = pods.list(&ListParams::default().labels(&labels)).await?;
    let stays = |pod: &Pod| pod.metadata.deletion_timestamp.is_none();
    Ok(list.items.into_iter().filter(stays).collect())
}

/// Whether a Pod is ready.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// There are two replicas, ready, in two zones.
async fn is_ready_and_spread(release: &Release<'_>) -> Done {
    let nodes: Api<Node> = Api::all(release.cluster.client().await?);
    let mut zones = BTreeSet::new();
    for pod in pods(release).await? {
        assert!(is_ready(&pod), "{pod:?}");
        let node = nodes.get(&pod.spec.unwrap().node_name.unwrap()).await?;
        zones.insert(node.labels()["topology.kubernetes.io/zone"].clone());
    }
    assert_eq!(zones, ["a", "b"].map(str::to_owned).into());
    Ok(())
}

/// Everything of a release that is there, of whatever kind.
pub(crate) async fn objects(cluster: &Cluster<'_>, release: &str) -> Result<String, Error> {
    let kinds = cluster
        .kubectl(&["api-resources", "--verbs=list", "-o", "name"])
        .await?;
    // Pods and ReplicaSets go a moment later, with their Deployment; Helm's own records are Secrets.
    let kinds: Vec<_> = kinds
        .lines()
        .filter(|kind| {
            !matches!(
                *kind,
                "pods" | "replicasets.apps" | "events" | "events.events.k8s.io"
            )
        })
        .collect();
    let label = format!("app.kubernetes.io/instance={release}");
    cluster
        .kubectl(&["get", &kinds.join(","), "-A", "-l", &label, "-o", "name"])
        .await
}
