//! Several replicas: one writes, whatever becomes of them.
//!
//! Leases last 3 s here, leaders stop 2 s after their last renewal and renew each 0.5 s. The first of a
//! team makes its Lease, and leads one duration later.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use kuma_workload_testbed::{
    Asked, Break, Fault, Kind, Proxy, Replica, Team, Testbed, User, eventually,
};
use tokio::time::Instant;

const DURATION: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(2);
/// How far two clocks of ours and a busy machine may be apart.
const SLACK: Duration = Duration::from_millis(300);
/// A replica that waits looks this often, jitter and a busy machine included.
const LOOK: Duration = Duration::from_secs(2);

async fn team(stem: &str) -> (&'static Testbed, Team<'static>) {
    let testbed = Testbed::shared().unwrap();
    (testbed, Team::new(testbed, stem).await.unwrap())
}

async fn replica(testbed: &Testbed, team: &Team<'_>) -> Replica {
    let proxy = Proxy::start(testbed, User::Reconciler).await.unwrap();
    let replica = team.behind(testbed, proxy, &[]).unwrap();
    replica.reconciler.ready().await.unwrap();
    replica
}

/// A leader, and one that stands by.
async fn two(testbed: &Testbed, team: &Team<'_>) -> (Replica, Replica) {
    let first = replica(testbed, team).await;
    first.reconciler.shows("leader", 1.0).await.unwrap();
    (first, replica(testbed, team).await)
}

async fn leases(testbed: &Testbed) -> Api<Lease> {
    Api::namespaced(testbed.client(User::Admin).await.unwrap(), "kuma-workload")
}

async fn holder(testbed: &Testbed, team: &Team<'_>) -> String {
    let lease = leases(testbed).await.get(&team.space.name).await.unwrap();
    lease.spec.unwrap().holder_identity.unwrap_or_default()
}

/// A Workload is made for it; answers how long that took.
async fn works(team: &Team<'_>, name: &str) -> Duration {
    let begun = Instant::now();
    team.dataplane(name, name, "default").await.unwrap();
    team.counts(name, "default", 1).await.unwrap();
    begun.elapsed()
}

/// Every write was made by the one that had the Lease then, and not long after it had renewed it.
fn assert_one_writer_at_a_time(replicas: &[&Replica]) {
    let mut all: Vec<(usize, Asked)> = Vec::new();
    for (number, replica) in replicas.iter().enumerate() {
        all.extend(
            replica
                .proxy
                .asked()
                .into_iter()
                .map(|asked| (number, asked)),
        );
    }
    all.sort_by_key(|(_, asked)| asked.at);
    let mut leader = None;
    let mut writes = 0;
    for (number, asked) in all {
        let is_of_lease = matches!(
            (asked.verb, &*asked.resource),
            ("create" | "update", "leases")
        );
        if is_of_lease && asked.is_done() {
            let holder = asked.body["spec"]["holderIdentity"]
                .as_str()
                .unwrap_or_default();
            leader = (!holder.is_empty()).then_some((number, asked.at));
        }
        if asked.writes_workloads() || asked.is("create events") {
            let (leader, renewed) = leader.expect("nobody leads");
            assert_eq!(number, leader, "another leads: {asked:?}");
            let age = asked.at - renewed;
            assert!(age < DEADLINE + SLACK, "renewed {age:?} before: {asked:?}");
            writes += 1;
        }
    }
    assert!(writes > 0, "nothing is shown by no writes");
}

#[tokio::test]
async fn one_leads_and_the_other_is_ready_and_writes_nothing() {
    let (testbed, team) = team("pair").await;
    let (first, second) = two(testbed, &team).await;
    works(&team, "cart").await;
    team.caught_up(&first).await.unwrap();
    let workloads = r#"index_objects{kind="Workload"}"#;
    let known = first.reconciler.metric(workloads).await.unwrap();
    second.reconciler.shows(workloads, known).await.unwrap();
    assert_eq!(
        second.reconciler.page("/readyz").await.unwrap(),
        (200, "ok\n".to_owned())
    );
    assert!((second.reconciler.metric("leader").await.unwrap()).abs() < f64::EPSILON);
    let writes = second.proxy.asked().into_iter();
    let mut writes = writes.filter(|asked| !matches!(asked.verb, "get" | "list" | "watch"));
    assert!(writes.next().is_none());
    assert_one_writer_at_a_time(&[&first, &second]);
}

#[tokio::test]
async fn killed_in_turn_the_work_goes_on() {
    let (testbed, team) = team("turns").await;
    let (first, second) = two(testbed, &team).await;
    let mut all = vec![first, second];
    for turn in 0..4 {
        let leader = all.len() - 2;
        all[leader].reconciler.shows("leader", 1.0).await.unwrap();
        works(&team, &format!("before-{turn}")).await;
        all[leader].reconciler.kill().await.unwrap();
        let took = works(&team, &format!("after-{turn}")).await;
        assert!(took < DURATION + 2 * LOOK, "{took:?}");
        all.push(replica(testbed, &team).await);
    }
    assert_one_writer_at_a_time(&all.iter().collect::<Vec<_>>());
    let names = team.names().await.unwrap();
    assert_eq!(names.len(), 8, "{names:?}");
    let lease = leases(testbed).await.get(&team.space.name).await.unwrap();
    assert_eq!(lease.spec.unwrap().lease_transitions, Some(4));
}

#[tokio::test]
async fn who_is_terminated_gives_the_lease_back() {
    let (testbed, team) = team("release").await;
    let (mut first, second) = two(testbed, &team).await;
    works(&team, "cart").await;
    first.reconciler.signal("TERM").await.unwrap();
    assert_eq!(first.reconciler.ended().await.unwrap().code(), Some(0));
    let begun = Instant::now();
    second.reconciler.shows("leader", 1.0).await.unwrap();
    assert!(begun.elapsed() < LOOK, "{:?}", begun.elapsed());
    works(&team, "till").await;
    assert_one_writer_at_a_time(&[&first, &second]);
}

#[tokio::test]
async fn who_slept_beyond_its_lease_writes_nothing() {
    let (testbed, team) = team("sleeps").await;
    let (first, second) = two(testbed, &team).await;
    works(&team, "cart").await;
    team.caught_up(&first).await.unwrap();
    first.reconciler.signal("STOP").await.unwrap();
    // The new leader cannot make it, so it is there to be made when the old one wakes.
    let storm = second
        .proxy
        .all("create workloads left", Fault::Status(500));
    team.dataplane("left", "left", "default").await.unwrap();
    team.dataplane("torn-1", "torn", "default").await.unwrap();
    team.dataplane("torn-2", "torn", "other").await.unwrap();
    second.reconciler.shows("leader", 1.0).await.unwrap();
    works(&team, "till").await;
    let before = first.proxy.writes().len();
    first.reconciler.signal("CONT").await.unwrap();
    first
        .reconciler
        .says("this replica no longer leads")
        .await
        .unwrap();
    first
        .reconciler
        .shows(r#"workloads{state="missing"}"#, 1.0)
        .await
        .unwrap();
    first
        .reconciler
        .shows("workqueue_depth", 0.0)
        .await
        .unwrap();
    assert_eq!(first.proxy.writes().len(), before);
    drop(storm);
    team.counts("left", "default", 1).await.unwrap();
    assert_eq!(first.proxy.writes().len(), before);
    assert_one_writer_at_a_time(&[&first, &second]);
}

#[tokio::test]
async fn who_cannot_renew_stops_in_time_and_goes_on_later() {
    let (testbed, team) = team("renews").await;
    let first = replica(testbed, &team).await;
    works(&team, "cart").await;
    for fault in [Fault::Hang, Fault::Status(500), Fault::Status(409)] {
        let storm = first.proxy.all("* leases", fault);
        first.reconciler.shows("leader", 0.0).await.unwrap();
        let name = format!("left-{}", first.proxy.asked().len());
        team.dataplane(&name, &name, "default").await.unwrap();
        first
            .reconciler
            .shows(r#"workloads{state="missing"}"#, 1.0)
            .await
            .unwrap();
        drop(storm);
        team.counts(&name, "default", 1).await.unwrap();
    }
    assert_one_writer_at_a_time(&[&first]);
}

#[tokio::test]
async fn who_is_cut_off_stops_in_time_and_stands_by_later() {
    let (testbed, team) = team("cut").await;
    let (first, mut second) = two(testbed, &team).await;
    works(&team, "cart").await;
    let storm = first.proxy.all("*", Fault::Cut);
    first.proxy.break_watches("*", Break::Cut);
    let took = works(&team, "till").await;
    assert!(took < DURATION + 2 * LOOK, "{took:?}");
    first.reconciler.shows("leader", 0.0).await.unwrap();
    drop(storm);
    let workloads = r#"index_objects{kind="Workload"}"#;
    // Others make Workloads on this cluster meanwhile.
    eventually(
        "the first knows as many Workloads as the second",
        async || {
            let [known, seen] =
                [&second, &first].map(|replica| replica.reconciler.metric(workloads));
            let (known, seen) = (known.await.unwrap(), seen.await.unwrap());
            match known == seen {
                true => Ok(()),
                false => Err(format!("{seen} of {known}")),
            }
        },
    )
    .await
    .unwrap();
    second.reconciler.kill().await.unwrap();
    works(&team, "shelf").await;
    assert_one_writer_at_a_time(&[&first, &second]);
}

/// The Lease as a replica writes it whose clock is a minute off.
fn lease(team: &Team<'_>, offset: SignedDuration, version: Option<String>) -> Lease {
    let renewed = Some(MicroTime(Timestamp::now() + offset));
    Lease {
        metadata: ObjectMeta {
            name: Some(team.space.name.clone()),
            resource_version: version,
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some("another".to_owned()),
            lease_duration_seconds: Some(3),
            acquire_time: renewed.clone(),
            renew_time: renewed,
            ..LeaseSpec::default()
        }),
    }
}

#[tokio::test]
async fn the_dead_are_not_waited_for_longer_whatever_their_clock_said() {
    let testbed = Testbed::shared().unwrap();
    for minutes in [-1, 0, 1] {
        let team = Team::new(testbed, "dead").await.unwrap();
        let of_the_dead = lease(&team, SignedDuration::from_mins(minutes), None);
        let leases = leases(testbed).await;
        leases
            .create(&PostParams::default(), &of_the_dead)
            .await
            .unwrap();
        let replica = replica(testbed, &team).await;
        works(&team, "cart").await;
        let first_look = replica.proxy.asked_to("get leases")[0].at;
        let updates = replica.proxy.asked_to("update leases");
        let taken = updates.iter().find(|update| update.is_done()).unwrap().at;
        let waited = taken - first_look;
        assert!(waited >= DURATION, "stolen after {waited:?}");
        assert!(waited < DURATION + LOOK, "{waited:?}");
    }
}

#[tokio::test]
async fn the_living_are_let_alone_whatever_their_clock_says() {
    let testbed = Testbed::shared().unwrap();
    for minutes in [-1, 1] {
        let team = Team::new(testbed, "living").await.unwrap();
        let offset = SignedDuration::from_mins(minutes);
        let leases = leases(testbed).await;
        let mut own = lease(&team, offset, None);
        own = leases.create(&PostParams::default(), &own).await.unwrap();
        let replica = replica(testbed, &team).await;
        // It lives for three times the Lease's duration.
        let begun = Instant::now();
        while begun.elapsed() < 3 * DURATION {
            own = lease(&team, offset, own.metadata.resource_version);
            let renewed = leases
                .replace(&team.space.name, &PostParams::default(), &own)
                .await;
            own = renewed.expect("nobody else writes it");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert_eq!(holder(testbed, &team).await, "another");
        assert!(replica.proxy.asked_to("update leases").is_empty());
        assert!(replica.proxy.asked_to("get leases").len() > 6);
        replica.reconciler.shows("leader", 1.0).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_due_at_the_end_is_written_and_the_lease_given_back() {
    let (testbed, team) = team("drains").await;
    let mut replica = replica(testbed, &team).await;
    replica.reconciler.shows("leader", 1.0).await.unwrap();
    let late = Fault::Delay(Duration::from_millis(700));
    let storm = replica.proxy.all("create workloads", late);
    let names: Vec<_> = (0..16).map(|n| format!("w-{n:02}")).collect();
    let all = names.iter().map(|name| (name.clone(), name.clone()));
    team.dataplanes(all).await.unwrap();
    eventually("the first are being made, the others wait", async || {
        let begun = replica.proxy.asked_to("create workloads").len();
        let known = replica
            .reconciler
            .metric(r#"workloads{state="missing"}"#)
            .await;
        match (begun, known.map_err(|error| error.to_string())?) {
            (1.., 16.0) => Ok(()),
            seen => Err(format!("{seen:?}")),
        }
    })
    .await
    .unwrap();
    replica.reconciler.signal("TERM").await.unwrap();
    assert_eq!(replica.reconciler.ended().await.unwrap().code(), Some(0));
    drop(storm);
    assert_eq!(team.names().await.unwrap(), names);
    for name in &names {
        let workload = team.find_workload(name).await.unwrap().unwrap();
        assert_eq!(
            workload["status"]["dataplaneProxies"]["total"], 1,
            "{workload}"
        );
    }
    assert_eq!(holder(testbed, &team).await, "");
    assert_one_writer_at_a_time(&[&replica]);
}

#[tokio::test]
async fn the_end_comes_without_an_api_server_too() {
    let (testbed, team) = team("alone").await;
    let mut replica = replica(testbed, &team).await;
    works(&team, "cart").await;
    let storm = replica.proxy.all("*", Fault::Hang);
    team.dataplane("cart-2", "cart", "default").await.unwrap();
    team.space.delete(Kind::Dataplane, "cart").await.unwrap();
    let begun = Instant::now();
    replica.reconciler.signal("TERM").await.unwrap();
    assert_eq!(replica.reconciler.ended().await.unwrap().code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    drop(storm);
}
