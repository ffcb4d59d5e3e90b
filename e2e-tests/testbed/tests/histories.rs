//! The 60 histories of Kuma's real control plane (L1 to L8), replayed against the real reconciler
//! on a real API server.
//!
//! After each step the Workloads are those that the rulebook's own replay makes of it, labels and
//! all; and that one holds them against upstream's, where each difference must have a rule.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../rulebook/tests/upstream_histories/histories.rs"]
mod histories;

use std::cell::RefCell;

use futures::{StreamExt, TryStreamExt, stream};
use histories::{History, Labels, SimulatedNamespace, Step, Tally, histories, replay};
use kube::api::{DeleteParams, DynamicObject, PostParams};
use kuma_workload_testbed::space::{MANAGER, dataplane, workload};
use kuma_workload_testbed::{Error, Kind, Reconciler, Space, Testbed, eventually};
use serde_json::{Value, json};

/// So many histories are replayed at a time.
const AT_A_TIME: usize = 12;

#[tokio::test]
async fn l1_to_l8_the_workloads_are_upstreams_or_a_rule_says_why() -> Result<(), Error> {
    let testbed = Testbed::shared()?;
    testbed.install_kuma().await?;
    let _reconciler = Reconciler::start(testbed, &["--mode", "manage"]).await?;
    let tally = RefCell::new(Tally::default());
    let replays = histories()
        .into_iter()
        .map(|history| lived(testbed, history, &tally));
    stream::iter(replays)
        .buffer_unordered(AT_A_TIME)
        .try_collect::<()>()
        .await?;
    assert_eq!(tally.into_inner(), Tally::of_all());
    Ok(())
}

/// Replays a history in a namespace of its own.
async fn lived(testbed: &Testbed, history: History, tally: &RefCell<Tally>) -> Result<(), Error> {
    let team = Space::new(testbed, &[]).await?;
    let mut simulated = SimulatedNamespace::default();
    let steps = history.steps.iter().zip(history.workloads_after_each_step);
    for (index, (step, upstream)) in steps.enumerate() {
        let place = format!("{}, step {index}, in {}", history.id, team.name);
        let answer = take(&team, step).await?;
        team.settled().await?;
        let upstream = upstream.into_iter().collect();
        let expected = replay(
            &mut simulated,
            step,
            &upstream,
            &place,
            &mut tally.borrow_mut(),
        );
        assert_eq!(answer, expected, "{place}");
        // Labels are written once in an interval: only such a write may still be due.
        eventually(&place, async || match team.workloads().await {
            Ok(workloads) if workloads == simulated.workloads => Ok(()),
            other => Err(format!("{other:?}, not {:?}", simulated.workloads)),
        })
        .await?;
    }
    Ok(())
}

/// Takes a step; gives the API server's answer.
async fn take(team: &Space<'_>, step: &Step) -> Result<u16, Error> {
    match step {
        Step::ApplyDataplane {
            name,
            mesh,
            workload,
            ..
        } => {
            let is_new = team.get(Kind::Dataplane, name).await?.is_none();
            let mut object = dataplane(name, mesh, "");
            object["metadata"]["annotations"] = match workload {
                Some(workload) => json!({ "kuma.io/workload": workload }),
                None => json!({}),
            };
            team.put(Kind::Dataplane, object).await?;
            Ok(if is_new { 201 } else { 200 })
        }
        Step::DeleteDataplane { name, .. } => deleted(team, Kind::Dataplane, name).await,
        Step::DeleteWorkload { name, .. } => deleted(team, Kind::Workload, name).await,
        Step::CreateWorkload { name, labels, .. } => {
            let mut labels = labels.clone();
            // The histories' manager is upstream's own; here it is ours.
            if let Some(manager) = labels.get_mut("kuma.io/managed-by")
                && manager == "k8s-controller"
            {
                MANAGER.clone_into(manager);
            }
            created(team, name, &labels).await
        }
    }
}

async fn created(team: &Space<'_>, name: &str, labels: &Labels) -> Result<u16, Error> {
    let labels: Vec<_> = labels
        .iter()
        .map(|(key, value)| (&**key, &**value))
        .collect();
    let mut object: Value = workload(name, &labels);
    object["apiVersion"] = "kuma.io/v1alpha1".into();
    object["kind"] = "Workload".into();
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    let created = team
        .api(Kind::Workload)
        .create(&PostParams::default(), &object)
        .await;
    code(created.map(|_| 201))
}

async fn deleted(team: &Space<'_>, kind: Kind, name: &str) -> Result<u16, Error> {
    let deleted = team.api(kind).delete(name, &DeleteParams::default()).await;
    code(deleted.map(|_| 200))
}

fn code(answer: kube::Result<u16>) -> Result<u16, Error> {
    match answer {
        Err(kube::Error::Api(status)) => Ok(status.code),
        other => Ok(other?),
    }
}
