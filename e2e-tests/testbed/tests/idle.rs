//! With nothing to do, nothing is done.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use kuma_workload_testbed::{Asked, Replica, Team, Testbed};

const DATAPLANES: usize = 200;
/// Thirty renewals with their TLS cost 50 ms in a build that is not optimised.
const BOUND: Duration = Duration::from_millis(150);
const A_WHILE: Duration = Duration::from_secs(60);

/// Processor time so far, of our own and of the kernel for us.
fn processor_time(replica: &Replica) -> Duration {
    let pid = replica.reconciler.pid().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let numbers = stat.rsplit_once(") ").unwrap().1;
    let ticks = numbers.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // The kernel shows hundredths of a second, whatever it counts in.
    Duration::from_millis(ticks * 10)
}

fn is_renewal(asked: &Asked) -> bool {
    asked.is("update leases")
}

/// The usual lease times: how often one renews is part of what it costs to be idle.
const USUAL: [&str; 4] = [
    "--lease-duration=15s",
    "--lease-renew-deadline=10s",
    "--lease-retry-period=2s",
    "--status-interval=5s",
];

#[tokio::test]
async fn with_nothing_to_do_nothing_is_done() {
    let testbed = Testbed::shared().unwrap();
    let team = Team::new(testbed, "idle").await.unwrap();
    let mut first = team.replica_with(testbed, &USUAL).await.unwrap();
    let all = (0..DATAPLANES).map(|n| (format!("p-{n}"), format!("w-{}", n % 20)));
    team.dataplanes(all).await.unwrap();
    for n in 0..20 {
        team.counts(&format!("w-{n}"), "default", 10).await.unwrap();
    }
    first
        .reconciler
        .shows("workqueue_depth", 0.0)
        .await
        .unwrap();

    let (asked, begun) = (first.proxy.asked().len(), processor_time(&first));
    tokio::time::sleep(A_WHILE).await;
    let spent = processor_time(&first) - begun;
    let asked = first.proxy.asked().split_off(asked);
    let renewals = asked.iter().filter(|asked| is_renewal(asked)).count();
    println!("{renewals} renewals, {spent:?} of processor time in {A_WHILE:?}");
    let others: Vec<_> = asked.iter().filter(|asked| !is_renewal(asked)).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!((20..=31).contains(&renewals), "{renewals}");
    assert!(spent <= BOUND, "{spent:?}");

    // A restart reads everything, and writes nothing but its name into the Lease.
    first.reconciler.signal("TERM").await.unwrap();
    assert_eq!(first.reconciler.ended().await.unwrap().code(), Some(0));
    let second = team.replica_with(testbed, &USUAL).await.unwrap();
    let looked_at = r#"reconcile_total{result="unchanged"}"#;
    second.reconciler.reaches(looked_at, 20.0).await.unwrap();
    second
        .reconciler
        .shows("workqueue_depth", 0.0)
        .await
        .unwrap();
    let writes = second.proxy.asked().into_iter();
    let writes = writes.filter(|asked| !matches!(asked.verb, "get" | "list" | "watch"));
    let others: Vec<_> = writes.filter(|asked| !is_renewal(asked)).collect();
    assert!(others.is_empty(), "{others:?}");
}
