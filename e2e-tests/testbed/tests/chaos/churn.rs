//! What goes on in the namespaces meanwhile: Dataplanes come, go, move to another workload and change
//! their mesh; proxies connect and break down; others touch Workloads.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kuma_workload_testbed::space::{MANAGER, workload};
use kuma_workload_testbed::{Error, Kind, Space, Testbed, User};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// So many changes are under way at a time.
pub(crate) const HANDS: usize = 3;
const DATAPLANES: usize = 24;
const WORKLOADS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(60);

/// What was done, by name; only what the API server has taken counts.
#[derive(Debug, Default)]
pub(crate) struct Churn {
    done: RefCell<BTreeMap<&'static str, usize>>,
}

impl Churn {
    /// Changes things at random, until it is dropped.
    ///
    /// # Errors
    /// When the policy has let something in that it must refuse.
    pub(crate) async fn run(&self, teams: &[Space<'_>], testbed: &Testbed) -> Result<(), Error> {
        let manager = testbed.client(User::ControlPlane).await?;
        let alice = testbed.client(User::Alice).await?;
        loop {
            let team = &teams[fastrand::usize(..teams.len())];
            let (what, change) = match fastrand::u8(..100) {
                0..50 => ("Dataplanes put", put_dataplane(team).await),
                50..65 => (
                    "Dataplanes deleted",
                    delete(team, Kind::Dataplane, proxy()).await,
                ),
                65..85 => ("DataplaneInsights put", put_insight(team).await),
                85..90 => {
                    let deleted = delete(team, Kind::DataplaneInsight, proxy()).await;
                    ("DataplaneInsights deleted", deleted)
                }
                90..94 => ("Workloads deleted", delete_workload(&manager, team).await),
                94..97 => ("leftovers made", leave_workload(&manager, team).await),
                _ => match steal_workload(&alice, team).await {
                    Some(Ok(())) => return Err(Error::new("Alice has deleted a Workload")),
                    Some(Err(said)) => {
                        let is_refused = said.contains("may not delete it");
                        ("deletes by Alice refused", is_refused.then_some(()))
                    }
                    None => ("no answer to Alice", None),
                },
            };
            if change.is_some() {
                *self.done.borrow_mut().entry(what).or_default() += 1;
            }
            sleep(PAUSE.mul_f64(fastrand::f64() * 2.0)).await;
        }
    }

    /// How much of each was done.
    pub(crate) fn done(&self) -> BTreeMap<&'static str, usize> {
        self.done.borrow().clone()
    }
}

fn proxy() -> String {
    format!("proxy-{}", fastrand::usize(..DATAPLANES))
}

fn mesh() -> &'static str {
    match fastrand::u8(..20) {
        0 => "payments",
        1 => "other",
        _ => "default",
    }
}

/// None if it was not done, or nobody knows.
async fn taken<T>(answer: impl Future<Output = Result<T, Error>>) -> Option<()> {
    timeout(PATIENCE, answer).await.ok()?.ok().map(drop)
}

async fn put_dataplane(team: &Space<'_>) -> Option<()> {
    let inbound = match fastrand::u8(..6) {
        0 => json!([{"port": 80, "state": "NotReady"}]),
        1 => json!([{"port": 80, "state": "Ready", "health": {"ready": false}}]),
        2 => json!([]),
        _ => json!([{"port": 80, "state": "Ready"}]),
    };
    let mut object = json!({
        "metadata": {
            "name": proxy(),
            "annotations": {"kuma.io/workload": format!("app-{}", fastrand::usize(..WORKLOADS))},
        },
        "mesh": mesh(),
        "spec": {"networking": {"inbound": inbound}},
    });
    match fastrand::u8(..12) {
        // A copy from another zone, and one without an identifier.
        0 => object["metadata"]["labels"] = json!({"k8s.kuma.io/namespace": "elsewhere"}),
        1 => object["metadata"]["annotations"] = json!({}),
        _ => {}
    }
    taken(team.put(Kind::Dataplane, object)).await
}

async fn put_insight(team: &Space<'_>) -> Option<()> {
    let mut subscription = json!({"connectTime": "2026-01-01T00:00:00Z"});
    if fastrand::bool() {
        subscription["disconnectTime"] = "2026-01-01T00:01:00Z".into();
    }
    let object = json!({
        "metadata": {"name": proxy()},
        "mesh": mesh(),
        "status": {"subscriptions": [subscription]},
    });
    taken(team.put(Kind::DataplaneInsight, object)).await
}

async fn delete(team: &Space<'_>, kind: Kind, name: String) -> Option<()> {
    taken(team.delete(kind, &name)).await
}

fn workloads(client: &Client, team: &Space<'_>) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("kuma.io", "v1alpha1", "Workload");
    let resource = ApiResource::from_gvk_with_plural(&kind, "workloads");
    Api::namespaced_with(client.clone(), &team.name, &resource)
}

fn app() -> String {
    format!("app-{}", fastrand::usize(..WORKLOADS))
}

/// By somebody who may.
async fn delete_workload(client: &Client, team: &Space<'_>) -> Option<()> {
    let (name, parameters) = (app(), DeleteParams::default());
    let workloads = workloads(client, team);
    let deleted = async { Ok(workloads.delete(&name, &parameters).await?) };
    taken(deleted).await
}

/// One that says it is the reconciler's, needed or not.
async fn leave_workload(client: &Client, team: &Space<'_>) -> Option<()> {
    let labels = [("kuma.io/mesh", mesh()), ("kuma.io/managed-by", MANAGER)];
    let mut object: Value = workload(
        &format!("app-{}", fastrand::usize(..2 * WORKLOADS)),
        &labels,
    );
    object["apiVersion"] = "kuma.io/v1alpha1".into();
    object["kind"] = "Workload".into();
    let object: DynamicObject = serde_json::from_value(object).ok()?;
    let workloads = workloads(client, team);
    let parameters = PostParams::default();
    let created = async { Ok(workloads.create(&parameters, &object).await?) };
    taken(created).await
}

/// By somebody who may not: the API server asks the policy. None if no answer came.
async fn steal_workload(client: &Client, team: &Space<'_>) -> Option<Result<(), String>> {
    let (name, parameters) = (app(), DeleteParams::default());
    let workloads = workloads(client, team);
    let deleted = timeout(PATIENCE, workloads.delete(&name, &parameters))
        .await
        .ok()?;
    Some(deleted.map(drop).map_err(|error| error.to_string()))
}
