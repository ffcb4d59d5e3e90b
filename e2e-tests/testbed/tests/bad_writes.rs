//! Writes that go wrong, each in every way that we know of: no Workload is lost, deleted early or
//! written twice, and no event is repeated.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::Duration;

use kuma_workload_testbed::eventually::within;
use kuma_workload_testbed::{Asked, Break, Fault, Kind, Team, Testbed, eventually};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

const SECOND: Duration = Duration::from_secs(1);

/// What may happen to a request that can be made again. Each has a name for its Workload.
fn misfortunes() -> Vec<(&'static str, Fault)> {
    vec![
        ("bad", Fault::Status(400)),
        ("forbidden", Fault::Status(403)),
        ("conflict", Fault::Status(409)),
        ("gone", Fault::Status(410)),
        ("storage", Fault::NotReady(1)),
        ("busy", Fault::TooMany(1)),
        ("internal", Fault::Status(500)),
        ("unavailable", Fault::Status(503)),
        ("timeout", Fault::Status(504)),
        ("webhook", Fault::Webhook),
        ("cut", Fault::Cut),
        ("lost", Fault::CutAfter),
        ("hung", Fault::Hang),
        ("stalled", Fault::Stall),
    ]
}

fn done(asked: Vec<Asked>) -> Vec<Asked> {
    asked.into_iter().filter(Asked::is_done).collect()
}

#[tokio::test]
async fn creates() {
    let (team, replica) = Team::at_work("creates").await.unwrap();
    for (name, fault) in misfortunes() {
        let create = format!("create workloads {name}");
        replica.proxy.next(2, &create, fault);
        team.dataplane(name, name, "default").await.unwrap();
    }
    for (name, _) in misfortunes() {
        team.counts(name, "default", 1).await.unwrap();
    }
    team.caught_up(&replica).await.unwrap();
    for (name, _) in misfortunes() {
        let created = done(replica.proxy.asked_to(&format!("create workloads {name}")));
        assert_eq!(created.len(), 1, "{name}: {created:?}");
        // Without a status subresource, it comes with its numbers.
        let patched = replica.proxy.asked_to(&format!("patch workloads {name}"));
        assert!(patched.is_empty(), "{name}: {patched:?}");
    }
    assert!(replica.proxy.asked_to("delete workloads").is_empty());
}

#[tokio::test]
async fn relabels_and_counts() {
    let (team, replica) = Team::at_work("patches").await.unwrap();
    for (name, _) in misfortunes() {
        team.dataplane(name, name, "default").await.unwrap();
    }
    for (name, _) in misfortunes() {
        team.counts(name, "default", 1).await.unwrap();
    }
    team.caught_up(&replica).await.unwrap();
    let before = replica.proxy.writes().len();
    for (name, fault) in misfortunes() {
        let patch = format!("patch workloads {name}");
        replica.proxy.next(2, &patch, fault);
        // The mesh is for the label, the second proxy for the numbers.
        team.dataplane(name, name, "other").await.unwrap();
        let second = format!("{name}-2");
        team.dataplane(&second, name, "other").await.unwrap();
    }
    for (name, _) in misfortunes() {
        team.counts(name, "other", 2).await.unwrap();
    }
    team.caught_up(&replica).await.unwrap();
    let writes = replica.proxy.writes();
    for (name, _) in misfortunes() {
        let written = writes[before..].iter().filter(|write| write.name == name);
        let written: Vec<_> = written.filter(|write| write.is_done()).collect();
        assert!(
            written.iter().all(|write| write.verb == "patch"),
            "{written:?}"
        );
        let bodies: Vec<_> = written
            .iter()
            .map(|write| without_version(&write.body))
            .collect();
        let labels = bodies
            .iter()
            .filter(|body| body["metadata"]["labels"].is_object());
        assert_eq!(labels.count(), 1, "{name}: {written:?}");
        for (place, body) in bodies.iter().enumerate() {
            assert!(!bodies[..place].contains(body), "{name} twice: {written:?}");
        }
    }
}

/// What is written, whichever version it is written over.
fn without_version(patch: &Value) -> Value {
    let mut patch = patch.clone();
    patch["metadata"]["resourceVersion"].take();
    patch
}

#[tokio::test]
async fn deletes() {
    let (team, replica) = Team::at_work("deletes").await.unwrap();
    for (name, _) in misfortunes() {
        team.dataplane(name, name, "default").await.unwrap();
    }
    for (name, _) in misfortunes() {
        team.counts(name, "default", 1).await.unwrap();
    }
    for (name, fault) in misfortunes() {
        let delete = format!("delete workloads {name}");
        replica.proxy.next(2, &delete, fault);
        team.space.delete(Kind::Dataplane, name).await.unwrap();
    }
    for (name, _) in misfortunes() {
        team.space.gone(name).await.unwrap();
    }
    team.caught_up(&replica).await.unwrap();
    for (name, _) in misfortunes() {
        let deleted = done(replica.proxy.asked_to(&format!("delete workloads {name}")));
        assert_eq!(deleted.len(), 1, "{name}: {deleted:?}");
        let created = replica.proxy.asked_to(&format!("create workloads {name}"));
        assert_eq!(created.len(), 1, "{name}: {created:?}");
    }
}

/// A delete that fails is made again only if it is still right.
#[tokio::test]
async fn a_workload_that_is_needed_again_is_not_deleted() {
    let (team, replica) = Team::at_work("needed").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    let first = team.counts("cart", "default", 1).await.unwrap();
    let storm = replica.proxy.all("delete workloads", Fault::Status(500));
    team.space.delete(Kind::Dataplane, "cart-1").await.unwrap();
    eventually("a delete is tried", async || {
        let tried = replica.proxy.asked_to("delete workloads cart");
        if tried.is_empty() {
            Err("none".into())
        } else {
            Ok(())
        }
    })
    .await
    .unwrap();
    team.dataplane("cart-2", "cart", "default").await.unwrap();
    team.dataplane("cart-3", "cart", "default").await.unwrap();
    team.counts("cart", "default", 2).await.unwrap();
    drop(storm);
    team.caught_up(&replica).await.unwrap();
    let last = team.find_workload("cart").await.unwrap().unwrap();
    assert_eq!(last["metadata"]["uid"], first["metadata"]["uid"]);
}

/// Whatever it is refused with, a create is tried again: Kuma's own webhook answers 400 while the Mesh
/// is not there yet, and the API server turns a denial without a code into 400 (L15).
#[rstest]
#[case::bad_request(400)]
#[case::forbidden(403)]
#[case::method_not_allowed(405)]
#[case::too_large(413)]
#[tokio::test]
async fn what_is_refused_once_is_made_within_seconds(#[case] code: u16) {
    let (team, replica) = Team::at_work("refused").await.unwrap();
    let create = "create workloads cart";
    replica.proxy.next(1, create, Fault::Status(code));
    let begun = Instant::now();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    assert!(begun.elapsed() < 5 * SECOND, "{:?}", begun.elapsed());
    assert_eq!(replica.proxy.asked_to(create).len(), 2);
    let said = replica.reconciler.said(&format!("answered {code}"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with("; it is tried again"), "{said:?}");
}

/// 422 names the field that is wrong: the same again would be wrong again (L15).
#[tokio::test]
async fn what_is_invalid_is_not_tried_again_until_something_changes() {
    let (team, replica) = Team::at_work("invalid").await.unwrap();
    let storm = replica
        .proxy
        .all("create workloads cart", Fault::Status(422));
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    replica.reconciler.says("answered 422").await.unwrap();
    // More of the same, other objects and relists change nothing about it.
    team.dataplane("cart-2", "cart", "default").await.unwrap();
    team.caught_up(&replica).await.unwrap();
    replica.proxy.break_watches("*", Break::Expire);
    team.caught_up(&replica).await.unwrap();
    assert_eq!(replica.proxy.asked_to("create workloads cart").len(), 1);
    assert_eq!(
        replica.reconciler.said("answered 422").len(),
        1,
        "{}",
        replica.reconciler.log()
    );
    drop(storm);
    team.dataplane("cart-1", "cart", "other").await.unwrap();
    team.dataplane("cart-2", "cart", "other").await.unwrap();
    team.counts("cart", "other", 2).await.unwrap();
}

/// Many refusals are told in few lines, and tried again at a quarter of the pace of other writes, which
/// do not wait for them (L22).
#[tokio::test]
async fn three_thousand_creates_are_refused() {
    const MANY: usize = 3_000;
    let (team, replica) = Team::at_work("many").await.unwrap();
    let storm = replica
        .proxy
        .all("create workloads w-*", Fault::Status(403));
    team.dataplanes((0..MANY).map(|n| (format!("p-{n:04}"), format!("w-{n:04}"))))
        .await
        .unwrap();
    let tried = || replica.proxy.asked_to("create workloads w-*");
    within(120 * SECOND, "each was tried", async || {
        let names: BTreeSet<_> = tried().into_iter().map(|asked| asked.name).collect();
        match names.len() {
            MANY => Ok(()),
            some => Err(format!("{some} of them")),
        }
    })
    .await
    .unwrap();

    let before = (tried().len(), replica.reconciler.said("").len());
    let minute = Instant::now();
    sleep(20 * SECOND).await;
    let begun = Instant::now();
    team.dataplane("till-1", "till", "default").await.unwrap();
    team.counts("till", "default", 1).await.unwrap();
    assert!(begun.elapsed() < 3 * SECOND, "{:?}", begun.elapsed());
    sleep_until(minute + 60 * SECOND).await;

    let lines = replica.reconciler.said("").split_off(before.1);
    let repeats = tried().split_off(before.0);
    println!(
        "{} repeats and {} lines in a minute",
        repeats.len(),
        lines.len()
    );
    assert!(lines.len() < 10, "{lines:#?}");
    assert!(repeats.len() > 100, "{}", repeats.len());
    // A quarter of 100 a second, a burst of a quarter of 200, and what 8 workers had begun before.
    let most = 25.0 * minute.elapsed().as_secs_f64() + 50.0 + 8.0;
    assert!((repeats.len() as f64) < most, "{}", repeats.len());
    drop(storm);
}

/// What changes meanwhile does not shorten it, and is written with it.
#[rstest]
#[case::of_the_status(Fault::NotReady(30))]
#[case::of_the_header(Fault::TooMany(30))]
#[tokio::test]
async fn retry_after_is_kept_under_changes(#[case] fault: Fault) {
    let (team, replica) = Team::at_work("changes").await.unwrap();
    let create = "create workloads cart";
    replica.proxy.next(1, create, fault);
    let mut proxies = 0;
    let begun = Instant::now();
    while begun.elapsed() < 28 * SECOND {
        let name = format!("cart-{proxies}");
        team.dataplane(&name, "cart", "default").await.unwrap();
        proxies += 1;
        sleep(SECOND / 2).await;
    }
    // Other objects are written meanwhile.
    team.caught_up(&replica).await.unwrap();
    team.counts("cart", "default", proxies).await.unwrap();
    let asked = replica.proxy.asked_to(create);
    assert_eq!(asked.len(), 2, "{asked:?}");
    let wait = asked[1].at - asked[0].at;
    assert!(wait >= 30 * SECOND, "{wait:?}");
}

#[rstest]
#[case::of_the_status(Fault::NotReady(4))]
#[case::of_the_header(Fault::TooMany(4))]
#[tokio::test]
async fn retry_after_is_kept(#[case] fault: Fault) {
    let (team, replica) = Team::at_work("busy").await.unwrap();
    for what in ["create workloads cart", "create events", "list dataplanes"] {
        replica.proxy.next(1, what, fault);
    }
    let before = replica.proxy.asked_to("list dataplanes").len();
    replica.proxy.break_watches("dataplanes", Break::Expire);
    eventually("it is listed again", async || {
        let lists = replica.proxy.asked_to("list dataplanes").len() - before;
        if lists >= 2 {
            Ok(())
        } else {
            Err(format!("{lists} lists"))
        }
    })
    .await
    .unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.dataplane("till-1", "till", "default").await.unwrap();
    team.dataplane("till-2", "till", "other").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    eventually("the event is there", async || {
        let events = team.space.events("MultipleMeshesDetected").await;
        match events.map_err(|error| error.to_string())?.len() {
            1 => Ok(()),
            other => Err(format!("{other} events")),
        }
    })
    .await
    .unwrap();
    for (what, first) in [
        ("create workloads cart", 0),
        ("create events", 0),
        ("list dataplanes", before),
    ] {
        let asked = replica.proxy.asked_to(what);
        let wait = asked[first + 1].at - asked[first].at;
        assert!(wait >= Duration::from_secs(4), "{what}: {wait:?}");
    }
}

/// An event that may have been written already is not written again.
#[tokio::test]
async fn events() {
    let (team, replica) = Team::at_work("events").await.unwrap();
    // In the end it is written, and nobody hears of it.
    for fault in [
        Fault::Status(409),
        Fault::TooMany(1),
        Fault::Status(500),
        Fault::Cut,
        Fault::CutAfter,
    ] {
        replica.proxy.next(1, "create events", fault);
    }
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.dataplane("cart-2", "cart", "other").await.unwrap();
    replica
        .reconciler
        .shows("mesh_conflicts", 1.0)
        .await
        .unwrap();
    eventually("what was written is found", async || {
        let found = replica.proxy.asked_to("get events");
        let asked = replica.proxy.asked_to("create events");
        match found.iter().any(Asked::is_done) {
            true => Ok(()),
            false => Err(format!("{asked:?}\n{}", replica.reconciler.log())),
        }
    })
    .await
    .unwrap();
    team.caught_up(&replica).await.unwrap();
    let events = team.space.events("MultipleMeshesDetected").await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].series, None, "{events:?}");
    let done = done(replica.proxy.asked_to("create events"));
    assert_eq!(done.len(), 1, "{done:?}");
}

/// What takes long is waited for, not done twice.
#[tokio::test]
async fn a_slow_api_server_is_asked_once() {
    let testbed = Testbed::shared().unwrap();
    let team = Team::new(testbed, "slow").await.unwrap();
    let patient = ["--lease-duration=15s", "--lease-renew-deadline=10s"];
    let replica = team.replica_with(testbed, &patient).await.unwrap();
    let late = Fault::Delay(Duration::from_millis(1200));
    let _storm = replica.proxy.all("* workloads", late);
    let names = ["cart", "till", "shelf", "door", "lamp", "roof"];
    for name in names {
        for number in 0..3 {
            let proxy = format!("{name}-{number}");
            team.dataplane(&proxy, name, "default").await.unwrap();
        }
    }
    for name in names {
        team.counts(name, "default", 3).await.unwrap();
    }
    for name in &names[3..] {
        for number in 0..3 {
            let proxy = format!("{name}-{number}");
            team.space.delete(Kind::Dataplane, &proxy).await.unwrap();
        }
    }
    for name in &names[3..] {
        team.space.gone(name).await.unwrap();
    }
    team.caught_up(&replica).await.unwrap();
    for write in replica.proxy.writes() {
        assert!(write.is_done(), "{write:?}");
    }
    for name in names {
        let writes = replica.proxy.asked_to(&format!("* workloads {name}"));
        let verbs: Vec<_> = writes.iter().map(|write| write.verb).collect();
        let creates = verbs.iter().filter(|verb| **verb == "create").count();
        assert_eq!(creates, 1, "{name}: {verbs:?}");
        let bodies = writes.iter().filter(|write| write.verb == "patch");
        let mut bodies: Vec<_> = bodies
            .map(|write| write.body["status"].to_string())
            .collect();
        let counted = bodies.len();
        bodies.dedup();
        assert_eq!(bodies.len(), counted, "{name}: {bodies:?}");
    }
}

/// The Workload that a slow answer tells of is not the one that is there by then.
#[tokio::test]
async fn an_edit_during_a_slow_write_is_seen() {
    let (team, replica) = Team::at_work("edited").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    let late = Fault::Delay(Duration::from_millis(1000));
    replica.proxy.next(1, "patch workloads cart", late);
    team.dataplane("cart-2", "cart", "default").await.unwrap();
    eventually("it is being counted", async || {
        let patches = replica.proxy.asked_to("patch workloads cart").len();
        if patches >= 1 {
            Ok(())
        } else {
            Err(format!("{patches} patches"))
        }
    })
    .await
    .unwrap();
    let labels = json!({"metadata": {"labels": {"kuma.io/managed-by": "helm"}}});
    team.space
        .merge(Kind::Workload, "cart", labels)
        .await
        .unwrap();
    team.caught_up(&replica).await.unwrap();
    let last = team.find_workload("cart").await.unwrap().unwrap();
    assert_eq!(last["metadata"]["labels"]["kuma.io/managed-by"], "helm");
    assert_eq!(last["status"]["dataplaneProxies"]["total"], 1);
}
