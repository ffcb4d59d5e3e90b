//! Evictions: one replica at a time, and one that is not ready at any time.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{EvictParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use kuma_workload_testbed::{Error, User, eventually};
use serde_json::json;

use crate::cluster;
use crate::helm::Release;
use crate::release::{Done, is_ready, pods};

#[tokio::test]
async fn one_at_a_time_and_the_unready_always() -> Done {
    let cluster = cluster::shared().await?;
    let release = Release::new(cluster, "evicted", "evicted");
    // While no Node has the label, what comes in place of a Pod waits.
    label_nodes(&release, "yes").await?;
    let selector = "enforcement=none,reconciler.nodeSelector.evicted=yes";
    release.install(&["--wait", "--set", selector]).await?;
    has(&release, [2, 1]).await?;
    label_nodes(&release, "no").await?;

    // Not tried again after a 429, as it would be by default.
    let mut config = cluster.testbed.config(User::Admin).await?;
    config.default_retry = false;
    let api: Api<Pod> = Api::namespaced(Client::try_from(config)?, &release.namespace);
    let [first, second] = &names(&release).await?[..] else {
        panic!("there are two replicas");
    };
    api.evict(first, &EvictParams::default()).await?;
    refuses(&api, second).await;
    has(&release, [1, 0]).await?;
    refuses(&api, second).await;

    label_nodes(&release, "yes").await?;
    has(&release, [2, 1]).await?;
    label_nodes(&release, "no").await?;
    // One of the two does no work; then the other stays. Where neither does, both may go.
    let [ill, well] = &names(&release).await?[..] else {
        panic!("there are two replicas");
    };
    let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    let unready = Patch::Strategic(unready);
    let now = PatchParams::default();
    api.patch_status(ill, &now, &unready).await?;
    has(&release, [1, 0]).await?;
    refuses(&api, well).await;
    api.patch_status(well, &now, &unready).await?;
    has(&release, [0, 0]).await?;
    api.evict(ill, &EvictParams::default()).await?;
    api.evict(well, &EvictParams::default()).await?;
    release.uninstall().await.map(drop)
}

/// The ready replicas.
async fn names(release: &Release<'_>) -> Result<Vec<String>, Error> {
    let pods = pods(release).await?.into_iter();
    Ok(pods.filter(is_ready).map(|pod| pod.name_any()).collect())
}

async fn label_nodes(release: &Release<'_>, value: &str) -> Done {
    let label = format!("evicted={value}");
    let command = ["label", "nodes", "--all", "--overwrite", &label];
    release.cluster.kubectl(&command).await.map(drop)
}

/// Waits until so many replicas are ready, and so many evictions allowed.
async fn has(release: &Release<'_>, [ready, allowed]: [i32; 2]) -> Done {
    let client = release.cluster.client().await?;
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client, &release.namespace);
    let what = format!("{ready} are ready, and {allowed} evictions allowed");
    eventually(&what, async || {
        let budget = budgets.get(&release.full_name()).await;
        let status = budget.map_err(|error| error.to_string())?.status;
        let status = status.unwrap_or_default();
        let seen = [status.current_healthy, status.disruptions_allowed];
        match seen == [Some(ready), Some(allowed)] {
            true => Ok(()),
            false => Err(format!("{status:?}")),
        }
    })
    .await
}

async fn refuses(pods: &Api<Pod>, name: &str) {
    let refused = pods.evict(name, &EvictParams::default()).await;
    match refused.unwrap_err() {
        kube::Error::Api(status) if status.code == 429 => {
            assert!(status.message.contains("disruption budget"), "{status:?}");
        }
        other => panic!("{other}"),
    }
}
