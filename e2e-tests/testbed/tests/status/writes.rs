//! S4 and L16: which numbers are written, and how often.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kuma_workload_testbed::space::{MANAGER, total, workload};
use kuma_workload_testbed::{Error, Kind, Reconciler, Space, User, audit::Asked};
use rstest::rstest;
use serde_json::json;

use crate::{Done, counted, insight, numbers, online, proxy, shows};

const MANAGED_BY: &str = "kuma.io/managed-by";

/// The writes to a Workload, its creation apart.
fn writes(team: &Space<'_>, name: &str) -> Result<Vec<Asked>, Error> {
    let mut asked = team.testbed.asked(User::Reconciler, &team.name)?;
    asked.retain(|request| request.name == name && request.verb == "patch");
    Ok(asked)
}

#[tokio::test]
async fn s4_changes_are_written_together_once_in_an_interval() -> Done {
    let team = counted().await?;
    proxy(&team, "web-0", "default", json!([{}])).await?;
    shows(&team, "web", [0, 1, 1]).await?;
    // Changes without a pause, until three intervals have passed for the reconciler.
    let (mut proxies, mut seen) = (1, BTreeSet::new());
    while seen.len() < 4 {
        proxy(&team, &format!("web-{proxies}"), "default", json!([{}])).await?;
        proxies += 1;
        seen.extend(team.get(Kind::Workload, "web").await?.as_ref().map(total));
    }
    shows(&team, "web", [0, proxies, proxies]).await?;
    let writes = writes(&team, "web")?;
    for pair in writes.windows(2) {
        // From the sending of one to the sending of the other it is a second.
        let pause = pair[1].at.0.duration_since(pair[0].at.0).unsigned_abs();
        assert!(pause >= Duration::from_millis(900), "{pause:?}: {writes:?}");
    }
    assert!(
        usize::try_from(proxies).unwrap() > 2 * writes.len(),
        "{proxies} proxies: {writes:?}"
    );
    Ok(())
}

#[tokio::test]
async fn s4_numbers_that_have_not_changed_are_not_written() -> Done {
    let team = counted().await?;
    proxy(&team, "web-1", "default", json!([{}])).await?;
    insight(&team, "web-1", "default", online()).await?;
    let before = shows(&team, "web", [1, 1, 1]).await?;
    // Another inbound, another subscription: the same numbers.
    proxy(
        &team,
        "web-1",
        "default",
        json!([{ "port": 1 }, { "port": 2 }]),
    )
    .await?;
    let more = json!([{ "connectTime": "2026-01-01T00:00:00Z", "id": "1" }]);
    insight(&team, "web-1", "default", more).await?;
    team.settled().await?;
    assert_eq!(team.get(Kind::Workload, "web").await?.unwrap(), before);
    Ok(())
}

#[tokio::test]
async fn s4_a_restart_with_nothing_to_do_writes_nothing() -> Done {
    let team = counted().await?;
    proxy(&team, "web-1", "default", json!([{}])).await?;
    insight(&team, "web-1", "default", online()).await?;
    let before = shows(&team, "web", [1, 1, 1]).await?;
    team.label(&[("looked-at", &team.name)]).await?;
    let selector = format!("looked-at={}", team.name);
    let flags = ["--mode", "manage", "--namespace-selector", &selector];
    let another = Reconciler::start(team.testbed, &flags).await?;
    // Its one Workload has been looked at.
    another
        .reaches("reconcile_total{result=\"unchanged\"}", 1.0)
        .await?;
    another.shows("status_writes_total", 0.0).await?;
    assert_eq!(team.get(Kind::Workload, "web").await?.unwrap(), before);
    Ok(())
}

#[tokio::test]
async fn s4_numbers_that_somebody_else_has_written_are_put_right() -> Done {
    let team = counted().await?;
    proxy(&team, "web-1", "default", json!([{}])).await?;
    shows(&team, "web", [0, 1, 1]).await?;
    let wrong = json!({ "status": { "dataplaneProxies": { "connected": 7, "total": 7 } } });
    let workloads = team.api(Kind::Workload);
    workloads
        .patch("web", &PatchParams::default(), &Patch::Merge(&wrong))
        .await?;
    shows(&team, "web", [0, 1, 1]).await?;
    Ok(())
}

#[rstest]
#[case::of_another_zone(&[("kuma.io/origin", "global"), (MANAGED_BY, MANAGER)])]
#[case::of_another_namespace(&[("k8s.kuma.io/namespace", "elsewhere"), (MANAGED_BY, MANAGER)])]
#[case::of_a_control_plane(&[(MANAGED_BY, "k8s-controller")])]
#[case::of_another(&[(MANAGED_BY, "someone")])]
#[tokio::test]
async fn s4_only_local_workloads_of_ours_are_written(#[case] labels: &[(&str, &str)]) -> Done {
    let team = counted().await?;
    let before = team.put(Kind::Workload, workload("web", labels)).await?;
    proxy(&team, "web-1", "default", json!([{}])).await?;
    team.settled().await?;
    let after = team.get(Kind::Workload, "web").await?.unwrap();
    assert_eq!((numbers(&after), &after), (None, &before));
    Ok(())
}

#[tokio::test]
async fn s4_one_that_says_that_it_is_of_this_zone_is_local() -> Done {
    let team = counted().await?;
    let labels = [
        ("kuma.io/origin", "zone"),
        ("k8s.kuma.io/namespace", team.name.as_str()),
    ];
    team.put(Kind::Workload, workload("web", &labels)).await?;
    proxy(&team, "web-1", "default", json!([{}])).await?;
    shows(&team, "web", [0, 1, 1]).await?;
    Ok(())
}
