//! What is shipped, installed as users install it (`make install-test`): module, image and chart come from
//! a registry, and all that runs is taken from the objects that the chart has made in the cluster.
//!
//! | part | it stands for |
//! |---|---|
//! | [`registry`] | the registry, to which all is pushed |
//! | [`helm`] | the user, who installs the chart from there |
//! | [`kubewarden`] | Kubewarden: webhooks from the live policies, over the module that they name |
//! | [`node`] | the scheduler and the kubelet: from live Pods to containers and probes |
//! | [`image`], [`volumes`], [`bundle`], [`seccomp`], [`container`], [`probe`] | the kubelet's parts, and what it leaves to others |
//! | [`service`] | kube-proxy: the address by which Pods know the API server |
//! | [`monitors`] | the Prometheus operator: from the live ServiceMonitor and PrometheusRule to a configuration |
//! | [`prometheus`] | a real Prometheus with it |
//! | [`leader`] | whoever looks at the Lease |
//! | [`forgery`] | somebody who forges a label |
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bundle;
mod container;
mod forgery;
mod helm;
mod image;
mod kubewarden;
mod leader;
mod monitors;
mod node;
mod probe;
mod prometheus;
mod registry;
mod seccomp;
mod service;
mod told;
mod tools;
mod volumes;

use futures::TryFutureExt;
use kuma_workload_testbed::space::total;
use kuma_workload_testbed::{Error, Kind, Space, Testbed, User};
use rstest::rstest;
use serde_json::json;

use forgery::Judge;
use helm::Helm;
use leader::one_leads;
use node::Node;
use prometheus::Prometheus;
use registry::Registry;
use told::{seen, step};

/// Release and namespace, as in docs/chart.md.
const RELEASE: &str = "kuma-workload";

const KUBEWARDEN_CRDS: &str = include_str!("../../manifests/kubewarden-crds.yaml");
const MONITORING_CRDS: &str = include_str!("../../manifests/prometheus-operator-crds.yaml");
/// Kubewarden's own chart makes both.
const POLICY_SERVER: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: kubewarden}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: policy-server, namespace: kubewarden}}
";

#[rstest]
#[case::kubewarden(Judge::Kubewarden)]
#[case::vap(Judge::Vap)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, containers and what is shipped: `make install-test`"]
async fn what_is_shipped_works_where_it_is_installed(#[case] judge: Judge) -> Result<(), Error> {
    println!("\nenforcement: {judge}");
    let testbed = step("a cluster", cluster(judge)).await?;
    let registry = step("a registry", Registry::start(&testbed)).await?;
    let published = step("push all", registry.publish(&testbed)).await?;
    let helm = Helm::new(&testbed, &registry, &published);
    let mut node = step("a node", Node::start(&testbed)).await?;

    let values = [format!("enforcement={judge}"), "mode=monitor".to_owned()];
    // Helm waits until the Pods are ready.
    let (installed, running) = (helm.install(&values), node.run(RELEASE, &published.image));
    let both = async { tokio::try_join!(installed, running).map(drop) };
    step("install the chart, in mode monitor", both).await?;
    step("a replica leads", one_leads(&testbed, &node, RELEASE)).await?;

    let team = Space::new(&testbed, &[("kuma.io/sidecar-injection", "enabled")]).await?;
    for mesh in ["default", "payments"] {
        team.put(Kind::Mesh, json!({"metadata": {"name": mesh}}))
            .await?;
    }

    let judging = step("judges, in mode monitor", judge.start(&testbed, "monitor")).await?;
    step(
        "a forged label is accepted and reported",
        judging.reports(&team),
    )
    .await?;
    step("a Workload is made", counted(&team, &node, "web")).await?;
    step("an alert fires", alert(&testbed, &node, &team)).await?;
    drop(judging);

    step(
        "upgrade to mode protect",
        helm.upgrade(&["mode=protect".to_owned()]),
    )
    .await?;
    let judging = step("judges, in mode protect", judge.start(&testbed, "protect")).await?;
    step("a forged label is refused", judging.refuses(&team)).await?;
    step(
        "the reconciler still may write",
        counted(&team, &node, "orders"),
    )
    .await?;
    step("all containers are alive", node.alive()).await
}

/// What is there before the chart is.
async fn cluster(judge: Judge) -> Result<Testbed, Error> {
    let testbed = Testbed::bare()?;
    testbed.install_kuma().await?;
    testbed.apply(MONITORING_CRDS).await?;
    if judge == Judge::Kubewarden {
        testbed.apply(KUBEWARDEN_CRDS).await?;
        testbed.apply(POLICY_SERVER).await?;
    }
    let established = [
        "wait",
        "--for=condition=Established",
        "--timeout=30s",
        "crd",
        "--all",
    ];
    testbed.kubectl(User::Admin, &established, "").await?.ok()?;
    Ok(testbed)
}

/// Two proxies of a workload come about, and with them a Workload that counts them.
async fn counted(team: &Space<'_>, node: &Node<'_>, workload: &str) -> Result<(), Error> {
    for number in 1..=2 {
        team.proxy(&format!("{workload}-{number}"), "default", workload)
            .await?;
    }
    let counts_two = |workload: &_| total(workload) == Some(2);
    let (made, counted) = (
        team.made(workload, "default"),
        team.workload(workload, counts_two),
    );
    made.and_then(|_| counted)
        .await
        .map_err(|error| node.explained(&error))?;
    seen(&format!(
        "Workload {}/{workload} in mesh default, with 2 proxies",
        team.name
    ));
    Ok(())
}

/// Both replicas are scraped, and a workload in two meshes makes the alert on conflicts fire.
async fn alert(testbed: &Testbed, node: &Node<'_>, team: &Space<'_>) -> Result<(), Error> {
    let prometheus = Prometheus::start(testbed, node, RELEASE).await?;
    prometheus.scrapes(2).await?;
    prometheus.shows("sum(kuma_workload_leader)", 1.0).await?;
    prometheus.is_silent("KumaWorkloadConflict").await?;
    team.proxy("split-1", "default", "split").await?;
    team.proxy("split-2", "payments", "split").await?;
    let fires = prometheus.fires("KumaWorkloadConflict").await;
    fires.map_err(|error| node.explained(&error))
}
