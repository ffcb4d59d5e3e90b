//! Writes that go wrong, each in every way that we know of: no Workload is lost, deleted early or
//! written twice, and no event is repeated.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use kuma_workload_testbed::{Asked, Break, Fault, Kind, Team, Testbed, eventually};
use rstest::rstest;
use serde_json::{Value, json};

/// What may happen to a request that can be made again. Each has a name for its Workload.
fn misfortunes() -> Vec<(&'static str, Fault)> {
    vec![
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
        let counted = done(replica.proxy.asked_to(&format!("patch workloads {name}")));
        assert_eq!(counted.len(), 1, "{name}: {counted:?}");
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

#[rstest]
#[case::invalid(422)]
#[case::bad_request(400)]
#[tokio::test]
async fn what_is_refused_is_not_tried_again_until_something_changes(#[case] code: u16) {
    let (team, replica) = Team::at_work("refused").await.unwrap();
    let storm = replica
        .proxy
        .all("create workloads cart", Fault::Status(code));
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    replica
        .reconciler
        .says("it is not tried again until something changes")
        .await
        .unwrap();
    // More of the same, other objects and relists change nothing about it.
    team.dataplane("cart-2", "cart", "default").await.unwrap();
    team.caught_up(&replica).await.unwrap();
    replica.proxy.break_watches("*", Break::Expire);
    team.caught_up(&replica).await.unwrap();
    assert_eq!(replica.proxy.asked_to("create workloads cart").len(), 1);
    assert_eq!(
        replica.reconciler.said(&format!("answered {code}")).len(),
        1,
        "{}",
        replica.reconciler.log()
    );
    drop(storm);
    team.dataplane("cart-1", "cart", "other").await.unwrap();
    team.dataplane("cart-2", "cart", "other").await.unwrap();
    team.counts("cart", "other", 2).await.unwrap();
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
        if patches >= 2 {
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
