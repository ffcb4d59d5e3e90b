//! Chaos (`make chaos`): etcd, the API server and three replicas are killed and come back in a loop,
//! while much changes and the policy judges each write. Once that has stopped, the cluster must become
//! whole, and stay so: nothing is missing, nothing extra, the numbers are right, each conflict is
//! reported in its namespace.
//!
//! `CHAOS_SECONDS` says how long (300), `CHAOS_SEED` repeats the same changes and faults, as far as the
//! timing allows it.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod churn;
mod faults;
mod model;

use std::env;
use std::path::Path;
use std::time::Duration;

use futures::future::{join_all, select};
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kuma_workload_testbed::eventually::within;
use kuma_workload_testbed::{Error, Kind, Program, Space, Testbed, User, guard};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use churn::{Churn, HANDS};
use faults::Replicas;
use model::Live;

const NAMESPACES: usize = 3;
const REPLICAS: usize = 3;
/// All must be whole this soon after the last fault. A write that has failed for other reasons than an
/// API server that cannot be reached waits a minute at most.
const WHOLE: Duration = Duration::from_secs(120);
/// A conflict that comes and goes is reported once a minute after a few times (L10).
const REPORTED: Duration = Duration::from_secs(120);
const CALM: Duration = Duration::from_secs(10);

#[tokio::test]
#[ignore = "takes minutes: `make chaos`"]
async fn the_cluster_is_whole_after_the_chaos() -> Result<(), Error> {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse().expect(name));
    let seconds = Duration::from_secs(number("CHAOS_SECONDS").unwrap_or(300));
    let seed = number("CHAOS_SEED").unwrap_or_else(|| fastrand::u64(..));
    fastrand::seed(seed);
    println!("chaos for {} s with CHAOS_SEED={seed}", seconds.as_secs());

    let testbed = Testbed::start()?;
    testbed.install_kuma().await?;
    let _webhook = guarded(&testbed).await?;
    let mut teams = Vec::new();
    for _ in 0..NAMESPACES {
        teams.push(Space::new(&testbed, &[("kuma.io/sidecar-injection", "enabled")]).await?);
    }
    let mut replicas = Replicas::start(&testbed, flags(), REPLICAS)?;

    let churn = Churn::default();
    let hands = (0..HANDS).map(|_| Box::pin(churn.run(&teams, &testbed)));
    let end = Instant::now() + seconds;
    let broken = Box::pin(replicas.break_until(end));
    match select(broken, futures::future::select_all(hands)).await {
        futures::future::Either::Left((ended, _)) => ended?,
        futures::future::Either::Right(((ended, ..), _)) => ended?,
    }
    let calm = Instant::now();
    within(WHOLE, "all is whole", async || {
        let faults = faults(&teams).await.map_err(|error| error.to_string())?;
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults.join("\n")),
        }
    })
    .await
    .map_err(|error| with_logs(&error, &replicas))?;
    let whole = [calm, replicas.healed].map(|since| since.elapsed().as_secs_f64());
    let conflicts = within(REPORTED, "each conflict is reported", async || {
        reported(&teams).await.map_err(|error| error.to_string())
    })
    .await
    .map_err(|error| with_logs(&error, &replicas))?;

    // Now nothing is to be done, and nothing is done.
    let before = writes(&testbed, &teams)?;
    sleep(CALM).await;
    assert_eq!(
        writes(&testbed, &teams)?,
        before,
        "something is written for ever"
    );
    let faults = faults(&teams).await?;
    assert!(faults.is_empty(), "{faults:#?}");
    for replica in replicas.running() {
        replica.ready().await?;
    }
    let logs = replicas.running().iter().map(|replica| replica.log());
    let logs: Vec<_> = replicas.logs.iter().cloned().chain(logs).collect();
    for log in &logs {
        assert!(!log.contains("panicked"), "{log}");
    }

    for (what, times) in replicas.kills.iter().chain(&churn.done()) {
        println!("{times:>6} {what}");
    }
    println!("{before:>6} writes of Workloads by the reconciler");
    let lines: usize = logs.iter().map(|log| log.lines().count()).sum();
    println!("{lines:>6} lines in the logs of {} replicas", logs.len());
    println!("{conflicts:>6} conflicts that stand, each reported");
    let [changed, healed] = whole;
    println!("whole {changed:.1} s after the last change, {healed:.1} s after the last fault");
    Ok(())
}

/// Quick leases and prompt numbers.
fn flags() -> Vec<String> {
    let flags = [
        "--mode=manage",
        "--lease-namespace=kuma-workload",
        "--lease-name=chaos",
        "--lease-duration=3s",
        "--lease-renew-deadline=2s",
        "--lease-retry-period=500ms",
        "--status-interval=1s",
        "--resync=60s",
    ];
    flags.map(str::to_owned).into()
}

/// The policies as they are shipped, and asked. No write of a Workload is let through while the policy
/// cannot be asked, so that it is in the path of each.
async fn guarded(testbed: &Testbed) -> Result<Program, Error> {
    let shipped = guard::examples().join("workloads.yaml");
    let failed = |error: std::io::Error| Error::new(format!("{}: {error}", shipped.display()));
    let policy = std::fs::read_to_string(&shipped).map_err(failed)?;
    let strict = policy.replace("failurePolicy: Ignore", "failurePolicy: Fail");
    assert_ne!(strict, policy);
    let workloads = testbed.folder().join("workloads.yaml");
    std::fs::write(&workloads, strict).map_err(failed)?;
    let pods = guard::examples().join("pods.yaml");
    let program = Path::new(env!("CARGO_BIN_EXE_policy-webhook"));
    let webhook = guard::start(testbed, program, &[pods, workloads])?;

    let by_hand = r#"{"apiVersion": "kuma.io/v1alpha1", "kind": "Workload",
        "metadata": {"name": "by-hand", "namespace": "default"}}"#;
    let dry = ["create", "--dry-run=server", "-f", "-"];
    within(Duration::from_secs(60), "the policy is asked", async || {
        let output = testbed.kubectl(User::Alice, &dry, by_hand).await;
        let said = output.map_err(|error| error.to_string())?.stderr;
        match said.contains("may not create it") {
            true => Ok(()),
            false => Err(format!("{said}{}", webhook.log())),
        }
    })
    .await?;
    Ok(webhook)
}

async fn live(team: &Space<'_>) -> Result<Live, Error> {
    let list = async |kind| -> Result<Vec<Value>, Error> {
        let list = team.api(kind).list(&ListParams::default()).await?;
        let objects = list.items.into_iter();
        let objects = objects.map(|object| serde_json::to_value(object).unwrap_or_default());
        Ok(objects.collect())
    };
    Ok(Live {
        dataplanes: list(Kind::Dataplane).await?,
        insights: list(Kind::DataplaneInsight).await?,
        workloads: list(Kind::Workload).await?,
    })
}

async fn faults(teams: &[Space<'_>]) -> Result<Vec<String>, Error> {
    let of_team = async |team: &Space<'_>| -> Result<Vec<String>, Error> {
        let faults = model::faults(&live(team).await?).into_iter();
        Ok(faults
            .map(|fault| format!("{}/{fault}", team.name))
            .collect())
    };
    let all = join_all(teams.iter().map(of_team)).await.into_iter();
    Ok(all.collect::<Result<Vec<_>, _>>()?.concat())
}

/// The number of conflicts, if there is an event about each in its namespace.
async fn reported(teams: &[Space<'_>]) -> Result<usize, Error> {
    let mut conflicts = 0;
    for team in teams {
        let events = team.events("MultipleMeshesDetected").await?;
        for (workload, meshes) in model::conflicts(&live(team).await?) {
            let of_it = |event: &&Event| {
                let related = event.related.as_ref();
                related.is_some_and(|related| related.name.as_deref() == Some(&workload))
            };
            let meshes = format!("({meshes} meshes)");
            let says_so =
                |event: &Event| event.note.as_deref().is_some_and(|it| it.contains(&meshes));
            if !events.iter().filter(of_it).any(says_so) {
                let seen: Vec<_> = events.iter().filter(of_it).collect();
                return Err(Error::new(format!(
                    "{}/{workload} in {meshes} is not reported: {seen:?}",
                    team.name
                )));
            }
            conflicts += 1;
        }
    }
    Ok(conflicts)
}

/// What the reconciler has written so far, or tried to.
fn writes(testbed: &Testbed, teams: &[Space<'_>]) -> Result<usize, Error> {
    let mut writes = 0;
    for team in teams {
        let asked = testbed.asked(User::Reconciler, &team.name)?.into_iter();
        let asked = asked.filter(|asked| asked.writes() && asked.resource.starts_with("workloads"));
        writes += asked.count();
    }
    Ok(writes)
}

fn with_logs(error: &Error, replicas: &Replicas<'_>) -> Error {
    let logs = replicas.running().iter().map(|replica| replica.log());
    Error::new(format!(
        "{error}\n{}",
        logs.collect::<Vec<_>>().join("\n---\n")
    ))
}
