//! Watches that go wrong, each in every way that we know of: what is there is kept, what goes away
//! meanwhile is found, and nobody asks in a loop.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use kuma_workload_testbed::{
    Asked, Break, Fault, Kind, Proxy, Replica, Team, Testbed, User, eventually,
};
use rstest::rstest;
use serde_json::Value;

const KINDS: [&str; 5] = [
    "dataplanes",
    "dataplaneinsights",
    "workloads",
    "namespaces",
    "meshes",
];

/// Waits until so many of these were asked.
async fn asked(replica: &Replica, what: &str, times: usize) -> Vec<Asked> {
    eventually(&format!("{times} × {what}"), async || {
        let asked = replica.proxy.asked_to(what);
        match asked.len() >= times {
            true => Ok(asked),
            false => Err(format!("{}\n{}", asked.len(), replica.reconciler.log())),
        }
    })
    .await
    .unwrap()
}

fn uid(workload: &Value) -> &Value {
    &workload["metadata"]["uid"]
}

/// While watches are silent, one Dataplane goes, one comes and one moves; then the watches break in
/// this way. What stayed as it was is not touched.
async fn what_happens_unseen_is_found(team: &Team<'_>, replica: &Replica, how: impl AsyncFnOnce()) {
    for name in ["stays", "goes", "moves"] {
        team.dataplane(name, name, "default").await.unwrap();
    }
    let mut before = Vec::new();
    for name in ["stays", "goes", "moves"] {
        before.push(team.counts(name, "default", 1).await.unwrap());
    }
    team.caught_up(replica).await.unwrap();
    let writes = replica.proxy.writes().len();

    let hold = replica.proxy.hold_watches("*");
    team.space.delete(Kind::Dataplane, "goes").await.unwrap();
    team.dataplane("comes", "comes", "default").await.unwrap();
    team.dataplane("moves", "moves", "other").await.unwrap();
    assert_eq!(replica.proxy.writes().len(), writes, "it cannot know yet");
    how().await;
    drop(hold);

    team.space.gone("goes").await.unwrap();
    team.counts("comes", "default", 1).await.unwrap();
    let moved = team.counts("moves", "other", 1).await.unwrap();
    team.caught_up(replica).await.unwrap();
    assert_eq!(uid(&moved), uid(&before[2]));
    let stayed = team.find_workload("stays").await.unwrap().unwrap();
    assert_eq!(stayed, before[0], "not one bit of it");
    let writes = replica.proxy.writes().split_off(writes);
    let deleted = writes
        .iter()
        .filter(|write| write.verb == "delete" && write.is_done());
    assert_eq!(deleted.count(), 1, "{writes:?}");
    let created = writes
        .iter()
        .filter(|write| write.is("create workloads comes") && write.is_done());
    assert_eq!(created.count(), 1, "{writes:?}");
}

#[rstest]
#[case::end(Break::End)]
#[case::cut(Break::Cut)]
#[case::expire(Break::Expire)]
#[tokio::test]
async fn a_watch_breaks_off(#[case] how: Break) {
    let (team, replica) = Team::at_work("breaks").await.unwrap();
    what_happens_unseen_is_found(&team, &replica, async || {
        replica.proxy.break_watches("*", how);
    })
    .await;
}

#[rstest]
#[case::expired(Fault::Status(410))]
#[case::expired_in_the_stream(Fault::Expired)]
#[case::conflict(Fault::Status(409))]
#[case::invalid(Fault::Status(422))]
#[case::busy(Fault::TooMany(1))]
#[case::internal(Fault::Status(500))]
#[case::unavailable(Fault::Status(503))]
#[case::forbidden(Fault::Status(403))]
#[case::cut(Fault::Cut)]
#[case::lost(Fault::CutAfter)]
#[tokio::test]
async fn a_watch_does_not_begin(#[case] fault: Fault) {
    let (team, replica) = Team::at_work("begins").await.unwrap();
    what_happens_unseen_is_found(&team, &replica, async || {
        for kind in ["dataplanes", "workloads"] {
            replica.proxy.next(2, &format!("watch {kind}"), fault);
            replica.proxy.break_watches(kind, Break::End);
        }
    })
    .await;
}

/// However often it is tried. What is listed after some attempts shows what no watch does.
#[rstest]
#[case::expired(Fault::Status(410))]
#[case::expired_in_the_stream(Fault::Expired)]
#[case::forbidden(Fault::Status(403))]
#[case::not_found(Fault::Status(404))]
#[case::conflict(Fault::Status(409))]
#[tokio::test]
async fn a_watch_never_begins_again(#[case] fault: Fault) {
    let (team, replica) = Team::at_work("never").await.unwrap();
    team.dataplane("moves", "moves", "default").await.unwrap();
    team.counts("moves", "default", 1).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    let storm = replica.proxy.all("watch dataplanes", fault);
    replica.proxy.break_watches("dataplanes", Break::End);
    // As many as before, so that no comparison shows it.
    team.dataplane("moves", "moves", "other").await.unwrap();
    team.counts("moves", "other", 1).await.unwrap();
    drop(storm);
    team.caught_up(&replica).await.unwrap();
}

#[rstest]
#[case::expired(Fault::Status(410))]
#[case::internal(Fault::Status(500))]
#[case::busy(Fault::TooMany(1))]
#[case::forbidden(Fault::Status(403))]
#[case::not_found(Fault::Status(404))]
#[case::cut(Fault::Cut)]
#[case::bad_request(Fault::Status(400))]
#[case::slow(Fault::Delay(Duration::from_secs(2)))]
#[case::hung(Fault::Hang)]
#[case::stalled(Fault::Stall)]
#[tokio::test]
async fn a_relist_fails(#[case] fault: Fault) {
    let (team, replica) = Team::at_work("relists").await.unwrap();
    what_happens_unseen_is_found(&team, &replica, async || {
        for kind in ["dataplanes", "workloads"] {
            replica.proxy.next(1, &format!("list {kind}"), fault);
            replica.proxy.break_watches(kind, Break::Expire);
        }
    })
    .await;
}

/// Half a list is no list: what is on the other pages is not gone.
#[tokio::test]
async fn a_relist_breaks_off_between_its_pages() {
    let (team, replica) = Team::at_work("pages").await.unwrap();
    let all = (0..300).map(|n| (format!("p-{n:03}"), format!("w-{}", n % 3)));
    team.dataplanes(all).await.unwrap();
    for workload in ["w-0", "w-1", "w-2"] {
        team.counts(workload, "default", 100).await.unwrap();
    }
    team.caught_up(&replica).await.unwrap();
    let writes = replica.proxy.writes().len();
    let lists = replica.proxy.asked_to("list dataplanes").len();
    // Every second request fails: the continuation of each list, until there are no more of them.
    let storm = replica.proxy.all("list dataplanes", Fault::PageGone);
    replica.proxy.break_watches("dataplanes", Break::Expire);
    asked(&replica, "list dataplanes", lists + 4).await;
    drop(storm);
    team.caught_up(&replica).await.unwrap();
    let writes = replica.proxy.writes().split_off(writes);
    let others = writes.iter().filter(|write| write.name.starts_with("w-"));
    assert_eq!(others.count(), 0, "{writes:?}");
}

/// Who starts and cannot read one kind yet knows nothing, and does nothing.
#[rstest]
#[case::dataplanes("dataplanes")]
#[case::insights("dataplaneinsights")]
#[case::workloads("workloads")]
#[tokio::test]
async fn nothing_is_written_before_all_is_known(#[case] kind: &str) {
    let (team, mut first) = Team::at_work("knows").await.unwrap();
    let testbed = team.space.testbed;
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    let before = team.counts("cart", "default", 1).await.unwrap();
    first.reconciler.signal("TERM").await.unwrap();
    assert!(first.reconciler.ended().await.unwrap().success());
    team.dataplane("till-1", "till", "default").await.unwrap();

    let proxy = Proxy::start(testbed, User::Reconciler).await.unwrap();
    let storm = proxy.all(&format!("list {kind}"), Fault::Status(500));
    let replica = team.behind(testbed, proxy, &[]).unwrap();
    asked(&replica, &format!("list {kind}"), 3).await;
    replica.reconciler.shows("leader", 1.0).await.unwrap();
    let (status, waits_for) = replica.reconciler.page("/readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(
        waits_for.contains(&format!("waiting for the list of {kind}")),
        "{waits_for}"
    );
    assert_eq!(waits_for.lines().count(), 1, "{waits_for}");
    assert!(replica.proxy.writes().is_empty());
    assert_eq!(
        replica
            .reconciler
            .said(&format!("cannot list {kind}"))
            .len(),
        1,
        "{}",
        replica.reconciler.log()
    );

    drop(storm);
    replica.reconciler.ready().await.unwrap();
    team.counts("till", "default", 1).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    assert_eq!(team.find_workload("cart").await.unwrap().unwrap(), before);
}

/// A namespace that is named twice is watched once: two watches of it would take each other's objects
/// for deleted ones.
#[tokio::test]
async fn a_namespace_that_is_named_twice_is_watched_once() {
    let testbed = Testbed::shared().unwrap();
    let team = Team::new(testbed, "twice").await.unwrap();
    let name = &team.space.name;
    let twice = format!("--namespace={name},{name}");
    let again = format!("--namespace={name}");
    let replica = team.replica_with(testbed, &[&twice, &again]).await.unwrap();
    for kind in ["dataplanes", "dataplaneinsights", "workloads"] {
        let mut lists = replica.proxy.asked_to(&format!("list {kind}"));
        // The Workloads outside are counted.
        lists.retain(|list| list.namespace == *name);
        assert_eq!(lists.len(), 1, "{lists:?}");
        let watches = replica.proxy.asked_to(&format!("watch {kind}"));
        assert_eq!(watches.len(), 1, "{watches:?}");
    }
    let all = (0..300).map(|n| (format!("p-{n:03}"), format!("w-{}", n % 30)));
    team.dataplanes(all).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    // The second page of each list is late, and another list comes in between, if there is one.
    for _ in 0..4 {
        let lists = replica.proxy.asked_to("list dataplanes").len();
        let late = Fault::LatePage(Duration::from_secs(1));
        let storm = replica.proxy.all("list dataplanes", late);
        replica.proxy.break_watches("*", Break::Expire);
        asked(&replica, "list dataplanes", lists + 2).await;
        team.caught_up(&replica).await.unwrap();
        drop(storm);
    }
    let deleted = replica.proxy.asked_to("delete workloads");
    assert!(deleted.is_empty(), "{deleted:?}");
}

/// An API server that has just started knows no grants for a moment, and that is not said. A grant that is
/// missing is.
#[rstest]
#[case::for_a_moment(&[Fault::Cut, Fault::Status(403)], 0)]
#[case::after_it_was_away(&[Fault::Cut, Fault::Status(403), Fault::Status(403)], 1)]
#[case::at_once(&[Fault::Status(403)], 1)]
#[tokio::test]
async fn a_missing_grant_is_said(#[case] faults: &[Fault], #[case] lines: usize) {
    let (_team, replica) = Team::at_work("grant").await.unwrap();
    let begun = replica.proxy.asked_to("watch meshes").len();
    for fault in faults {
        replica.proxy.next(1, "watch meshes", *fault);
    }
    replica.proxy.break_watches("meshes", Break::Expire);
    asked(&replica, "watch meshes", begun + faults.len() + 1).await;
    let said = replica
        .reconciler
        .said("cannot watch meshes.kuma.io: the API server answered 403");
    assert_eq!(said.len(), lines, "{}", replica.reconciler.log());
}

/// Watches that end as soon as they begin, or fail for as long as anybody looks, are not begun in a
/// loop.
#[rstest]
#[case::end(Fault::EndAtOnce)]
#[case::expired(Fault::Expired)]
#[case::gone(Fault::Status(410))]
#[case::internal(Fault::Status(500))]
#[case::cut(Fault::Cut)]
#[tokio::test]
async fn no_watch_is_begun_in_a_loop(#[case] fault: Fault) {
    let (team, replica) = Team::at_work("loops").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    let before = replica.proxy.asked().len();
    let storm = replica.proxy.all("watch *", fault);
    replica.proxy.break_watches("*", Break::End);
    // Time passes here: what is counted is what is asked in it.
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(storm);
    let asked = replica.proxy.asked().split_off(before);
    for kind in KINDS {
        let of_kind = asked.iter().filter(|asked| asked.resource == kind);
        let watches = of_kind
            .clone()
            .filter(|asked| asked.verb == "watch")
            .count();
        // A list has more than one page while other tests have many objects.
        let lists = of_kind
            .filter(|asked| asked.verb == "list" && !asked.is_continued)
            .count();
        assert!((2..=8).contains(&watches), "{kind}: {watches} watches");
        assert!(lists <= 8, "{kind}: {lists} lists");
    }
    team.space.delete(Kind::Dataplane, "cart-1").await.unwrap();
    team.space.gone("cart").await.unwrap();
}
