//! The numbers of Workloads (DOMAIN §8) with the real reconciler on a real API server.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod numbers;
mod plugin;
mod shapes;
mod writes;

use kube::api::DynamicObject;
use kuma_workload_testbed::space::dataplane;
use kuma_workload_testbed::{Error, Kind, Reconciler, Space, Testbed};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// How a test ends.
type Done = Result<(), Error>;

/// The reconciler that most tests share. It looks after the whole cluster.
async fn reconciler() -> Result<&'static Reconciler, Error> {
    static SHARED: OnceCell<Reconciler> = OnceCell::const_new();
    let testbed = Testbed::shared()?;
    testbed.install_kuma().await?;
    let flags = ["--mode", "manage", "--metrics-proxies"];
    let start = async || Reconciler::start(testbed, &flags).await;
    SHARED.get_or_try_init(start).await
}

/// A namespace of it.
async fn counted() -> Result<Space<'static>, Error> {
    reconciler().await?;
    Space::new(Testbed::shared()?, &[]).await
}

/// A Dataplane of workload `web` with these inbounds.
async fn proxy(team: &Space<'_>, name: &str, mesh: &str, inbounds: Value) -> Done {
    let mut object = dataplane(name, mesh, "web");
    object["spec"]["networking"]["inbound"] = inbounds;
    team.put(Kind::Dataplane, object).await.map(drop)
}

/// A DataplaneInsight with these subscriptions.
async fn insight(team: &Space<'_>, name: &str, mesh: &str, subscriptions: Value) -> Done {
    let object = json!({
        "metadata": { "name": name }, "mesh": mesh, "status": { "subscriptions": subscriptions },
    });
    team.put(Kind::DataplaneInsight, object).await.map(drop)
}

/// The subscription of a proxy that is online.
fn online() -> Value {
    json!([{ "connectTime": "2026-01-01T00:00:00Z" }])
}

/// Connected, healthy and total, as a Workload shows them.
fn numbers(workload: &DynamicObject) -> Option<[i64; 3]> {
    let proxies = &workload.data["status"]["dataplaneProxies"];
    proxies.as_object()?;
    Some(["connected", "healthy", "total"].map(|name| proxies[name].as_i64().unwrap_or_default()))
}

/// Waits until a Workload shows these numbers.
async fn shows(team: &Space<'_>, name: &str, expected: [i64; 3]) -> Result<DynamicObject, Error> {
    team.workload(name, |workload| numbers(workload) == Some(expected))
        .await
}
