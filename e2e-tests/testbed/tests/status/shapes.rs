//! S5: the two shapes of the CustomResourceDefinition, ours and Kuma's, and one put in the other's
//! place under a running reconciler.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use kuma_workload_testbed::{
    Error, Output, Reconciler, Space, Testbed, User, eventually, reconciler,
};
use serde_json::json;

use crate::{Done, insight, online, proxy, shows};

const NAME: &str = "workloads.kuma.io";

/// Ours, as `kuma-workload crds` prints it.
async fn ours() -> Result<CustomResourceDefinition, Error> {
    let printed = reconciler::run(&["crds", "-o", "json"]).await?;
    Ok(serde_json::from_str(&printed).unwrap())
}

/// Creates ours as the chart's hook does.
async fn created_if_absent(testbed: &Testbed) -> Result<String, Error> {
    let kubeconfig = testbed.kubeconfig(User::Admin);
    let kubeconfig = kubeconfig.to_string_lossy();
    reconciler::run(&["crds", "--create-if-absent", "--kubeconfig", &kubeconfig]).await
}

async fn definitions(testbed: &Testbed) -> Result<Api<CustomResourceDefinition>, Error> {
    Ok(Api::all(testbed.client(User::Admin).await?))
}

/// Puts a definition in the place of the one that is there, and waits until it is served.
async fn replace(testbed: &Testbed, mut definition: CustomResourceDefinition) -> Done {
    let crds = definitions(testbed).await?;
    definition.metadata.resource_version = crds.get(NAME).await?.metadata.resource_version;
    crds.replace(NAME, &PostParams::default(), &definition)
        .await?;
    served(testbed, &definition).await
}

/// Waits until the API server shows the kind in this shape.
async fn served(testbed: &Testbed, definition: &CustomResourceDefinition) -> Done {
    let has_status = definition.spec.versions[0].subresources.is_some();
    let client = testbed.client(User::Admin).await?;
    eventually("the shape is served", async || {
        let list = client.list_api_group_resources("kuma.io/v1alpha1").await;
        let list = list.map_err(|error| error.to_string())?;
        let is_served = |name: &str| list.resources.iter().any(|served| served.name == name);
        if is_served("workloads") && is_served("workloads/status") == has_status {
            return Ok(());
        }
        Err(format!("{list:?}"))
    })
    .await
}

/// Makes it so many proxies, the last one connected and healthy as all others.
async fn grown_to(team: &Space<'_>, number: i64) -> Done {
    let name = format!("web-{number}");
    proxy(team, &name, "default", json!([{}])).await?;
    insight(team, &name, "default", online()).await?;
    shows(team, "web", [number, number, number]).await?;
    Ok(())
}

#[tokio::test]
async fn s5_either_shape_works_and_may_take_the_others_place() -> Done {
    let testbed = Testbed::start()?;
    testbed.install_kuma().await?;
    let crds = definitions(&testbed).await?;
    let (kumas, ours) = (crds.get(NAME).await?, ours().await?);
    assert!(
        created_if_absent(&testbed)
            .await?
            .contains("stays as it is")
    );
    assert_eq!(crds.get(NAME).await?, kumas);
    let team = Space::new(&testbed, &[]).await?;
    let first = Reconciler::start(&testbed, &["--mode", "manage"]).await?;
    grown_to(&team, 1).await?;
    replace(&testbed, ours.clone()).await?;
    grown_to(&team, 2).await?;
    replace(&testbed, kumas).await?;
    grown_to(&team, 3).await?;
    // Uninstalled, and all Workloads with it; then installed in the other shape.
    crds.delete(NAME, &DeleteParams::default()).await?;
    eventually("the definition is gone", async || {
        match crds.get_opt(NAME).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;
    assert!(created_if_absent(&testbed).await?.starts_with("created"));
    served(&testbed, &ours).await?;
    grown_to(&team, 4).await?;
    drop(first);
    let _second = Reconciler::start(&testbed, &["--mode", "manage"]).await?;
    grown_to(&team, 5).await?;
    columns(&team).await
}

/// What people see of ours.
async fn columns(team: &Space<'_>) -> Done {
    let get = ["get", "workloads", "-n", &team.name];
    let table = team
        .testbed
        .kubectl(User::Alice, &get, "")
        .await
        .and_then(Output::ok)?;
    let rows: Vec<Vec<_>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        ["NAME", "MESH", "CONNECTED", "HEALTHY", "TOTAL", "AGE"]
    );
    assert_eq!(rows[1][..5], ["web", "default", "5", "5", "5"]);
    assert_eq!(rows.len(), 2);
    Ok(())
}
