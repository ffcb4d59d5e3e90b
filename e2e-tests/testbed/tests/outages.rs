//! Servers that are away, and kinds that are not there yet. These tests share a cluster and break it,
//! so each has it to itself.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use kuma_workload_testbed::eventually::within;
use kuma_workload_testbed::{Fault, Kind, Proxy, Replica, Server, Team, Testbed, User, eventually};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// The cluster, to oneself, with Kuma's kinds.
async fn cluster() -> (MutexGuard<'static, ()>, &'static Testbed) {
    let alone = alone().await;
    let testbed = Testbed::shared().unwrap();
    testbed.install_kuma().await.unwrap();
    (alone, testbed)
}

/// The machine, to oneself: servers that start beside a test would take the time that it measures.
async fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    ONE_AT_A_TIME.lock().await
}

/// Three workloads and a replica that looks after them.
async fn at_work<'a>(testbed: &'a Testbed, stem: &str) -> (Team<'a>, Replica, Vec<Value>) {
    let team = Team::new(testbed, stem).await.unwrap();
    let replica = team.replica(testbed).await.unwrap();
    let mut workloads = Vec::new();
    for name in ["stays", "goes", "moves"] {
        team.dataplane(name, name, "default").await.unwrap();
        workloads.push(team.counts(name, "default", 1).await.unwrap());
    }
    team.caught_up(&replica).await.unwrap();
    (team, replica, workloads)
}

/// Everything is as it was, not written anew, and what changes now is followed.
async fn goes_on(team: &Team<'_>, replica: &Replica, before: &[Value], writes: usize) {
    team.space.delete(Kind::Dataplane, "goes").await.unwrap();
    team.dataplane("moves", "moves", "other").await.unwrap();
    team.dataplane("comes", "comes", "default").await.unwrap();
    team.space.gone("goes").await.unwrap();
    team.counts("comes", "default", 1).await.unwrap();
    let moved = team.counts("moves", "other", 1).await.unwrap();
    assert_eq!(moved["metadata"]["uid"], before[2]["metadata"]["uid"]);
    team.caught_up(replica).await.unwrap();
    assert_eq!(
        team.find_workload("stays").await.unwrap().unwrap(),
        before[0]
    );
    let writes = replica.proxy.writes().split_off(writes);
    let deleted = writes
        .iter()
        .filter(|write| write.verb == "delete" && write.is_done());
    assert_eq!(deleted.count(), 1, "{writes:?}");
    replica.reconciler.ready().await.unwrap();
}

/// No two of the log's lines that have these words are the same.
fn assert_said_once(replica: &Replica, words: &str) {
    let said = replica.reconciler.said(words);
    let mut sentences: Vec<_> = said
        .iter()
        .map(|line| line.split_once(' ').map_or("", |(_, rest)| rest))
        .collect();
    sentences.sort_unstable();
    let all = sentences.len();
    sentences.dedup();
    assert_eq!(sentences.len(), all, "{}", replica.reconciler.log());
}

#[tokio::test]
async fn the_api_server_is_away_for_a_while() {
    let (_alone, testbed) = cluster().await;
    let (team, replica, before) = at_work(testbed, "away").await;
    let writes = replica.proxy.writes().len();
    testbed.stop_server(Server::ApiServer).await.unwrap();
    replica.reconciler.shows("leader", 0.0).await.unwrap();
    let (status, _) = replica.reconciler.page("/readyz").await.unwrap();
    assert_eq!(status, 200, "a restart would not help");
    assert_eq!(replica.reconciler.page("/livez").await.unwrap().0, 200);
    let asked = replica.proxy.asked().len();
    // Time passes here: what is counted is what is asked in it.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let asked = replica.proxy.asked().len() - asked;
    assert!(
        asked < 60,
        "{asked} requests in 6 s to one who does not answer"
    );
    testbed.start_server(Server::ApiServer).await.unwrap();
    replica.reconciler.shows("leader", 1.0).await.unwrap();
    goes_on(&team, &replica, &before, writes).await;
    assert_said_once(&replica, "WARN");
}

/// A minute without it costs a few lines, and all is whole soon after, though much has changed.
#[tokio::test]
async fn the_api_server_is_away_for_a_minute() {
    const CHANGED: usize = 1_000;
    let (_alone, testbed) = cluster().await;
    let (team, replica, before) = at_work(testbed, "minute").await;
    let hold = replica.proxy.hold_watches("*");
    team.dataplanes((0..CHANGED).map(|n| (format!("p-{n}"), format!("w-{n}"))))
        .await
        .unwrap();
    let lines = replica.reconciler.said("").len();
    testbed.stop_server(Server::ApiServer).await.unwrap();
    drop(hold);
    // Time passes here: what is counted is what is said in it.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let is_ready = replica.reconciler.page("/readyz").await.unwrap().0;
    assert_eq!(is_ready, 200, "a restart would not help");
    let asked = replica.proxy.asked().len();
    testbed.start_server(Server::ApiServer).await.unwrap();
    let back = Instant::now();
    within(Duration::from_secs(120), "all is whole", async || {
        let names = team.names().await.map_err(|error| error.to_string())?;
        let made = names.iter().filter(|name| name.starts_with("w-")).count();
        match made == CHANGED {
            true => Ok(()),
            false => Err(format!("{made} of {CHANGED}\n{}", replica.reconciler.log())),
        }
    })
    .await
    .unwrap();
    let whole = back.elapsed();
    let mut lines = replica.reconciler.said("").split_off(lines);
    // Of what was done before, it says a minute later how often it was.
    lines.retain(|line| !line.contains(" Workload "));
    let asked = replica.proxy.asked().split_off(asked);
    let starts: Vec<_> = asked
        .iter()
        .filter(|asked| matches!(asked.verb, "list" | "watch") && !asked.is_continued)
        .map(|asked| asked.at)
        .collect();
    let in_a_second = |first: &Instant| {
        let after = starts.iter().filter(|start| *start >= first);
        after
            .take_while(|start| **start - *first < Duration::from_secs(1))
            .count()
    };
    let most = starts.iter().map(in_a_second).max().unwrap_or_default();
    println!(
        "whole after {:.1} s, {} lines, at most {most} lists and watches in a second",
        whole.as_secs_f64(),
        lines.len()
    );
    assert!(lines.len() < 10, "{lines:#?}");
    assert!(whole < Duration::from_secs(20), "{whole:?}: {lines:#?}");
    assert!(most <= 20, "{most}");
    assert_eq!(
        team.find_workload("stays").await.unwrap().unwrap(),
        before[0]
    );
}

/// After a restore, the numbers of objects are lower than before, and what is known is of another
/// time. All is listed anew, what was lost is made again, and nothing that is needed is deleted (L21).
#[tokio::test]
async fn etcd_is_restored_from_an_older_copy() {
    let _alone = alone().await;
    let testbed = Testbed::start().unwrap();
    let team = Team::new(&testbed, "restore").await.unwrap();
    let often = ["--resync=10s"];
    let replica = team.replica_with(&testbed, &often).await.unwrap();
    for name in ["stays", "goes", "less"] {
        team.dataplane(name, name, "default").await.unwrap();
        team.counts(name, "default", 1).await.unwrap();
    }
    // What the copy has is not whole: a Workload is missing, and the numbers of another are wrong.
    let tries = ["create workloads late", "patch workloads less"];
    let storms = tries.map(|what| replica.proxy.all(what, Fault::Status(500)));
    team.dataplane("late", "late", "default").await.unwrap();
    team.dataplane("less-2", "less", "default").await.unwrap();
    eventually("both are tried", async || {
        let tried = tries.map(|what| replica.proxy.asked_to(what).len());
        match tried.contains(&0) {
            true => Err(format!("{tried:?}")),
            false => Ok(()),
        }
    })
    .await
    .unwrap();
    testbed.stop_server(Server::Etcd).await.unwrap();
    copy(&testbed, "etcd", "older").await;
    testbed.start_server(Server::Etcd).await.unwrap();
    drop(storms);

    let lost = team.counts("late", "default", 1).await.unwrap();
    team.counts("less", "default", 2).await.unwrap();
    team.space.delete(Kind::Dataplane, "goes").await.unwrap();
    team.space.gone("goes").await.unwrap();
    for number in 0..20 {
        let name = format!("lost-{number}");
        team.dataplane(&name, "lost", "default").await.unwrap();
    }
    team.counts("lost", "default", 20).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    let deletes = replica.proxy.asked_to("delete workloads").len();

    for server in [Server::ApiServer, Server::Etcd] {
        testbed.stop_server(server).await.unwrap();
    }
    copy(&testbed, "older", "etcd").await;
    for server in [Server::Etcd, Server::ApiServer] {
        testbed.start_server(server).await.unwrap();
    }
    let back = Instant::now();
    let again = team.counts("late", "default", 1).await.unwrap();
    assert_ne!(again["metadata"]["uid"], lost["metadata"]["uid"]);
    team.counts("less", "default", 2).await.unwrap();
    println!(
        "whole {:.1} s after the restore",
        back.elapsed().as_secs_f64()
    );
    for name in ["stays", "goes"] {
        team.counts(name, "default", 1).await.unwrap();
    }
    replica
        .reconciler
        .reaches("restores_total", 1.0)
        .await
        .unwrap();
    let said = replica.reconciler.said("was restored from a backup");
    assert_eq!(said.len(), 1, "{said:?}");
    team.caught_up(&replica).await.unwrap();
    // What only the lost Dataplanes named may have been made again before their list has come.
    let mut deleted = replica
        .proxy
        .asked_to("delete workloads")
        .split_off(deletes);
    deleted.retain(|deleted| ["stays", "goes", "late", "less"].contains(&&*deleted.name));
    assert!(deleted.is_empty(), "{deleted:?}");
    // From now on it goes on as usual.
    team.space.delete(Kind::Dataplane, "goes").await.unwrap();
    team.space.gone("goes").await.unwrap();
    team.dataplane("lost", "lost", "other").await.unwrap();
    team.counts("lost", "other", 1).await.unwrap();
}

/// Makes one folder of the testbed be as another is.
async fn copy(testbed: &Testbed, from: &str, to: &str) {
    let [from, to] = [from, to].map(|name| testbed.folder().join(name));
    let _ = tokio::fs::remove_dir_all(&to).await;
    let copied = Command::new("cp").arg("-a").args([from, to]).status().await;
    assert!(copied.unwrap().success());
}

#[tokio::test]
async fn the_api_server_is_restarted() {
    let (_alone, testbed) = cluster().await;
    let (team, replica, before) = at_work(testbed, "restarted").await;
    let writes = replica.proxy.writes().len();
    for _ in 0..2 {
        testbed.restart_server(Server::ApiServer).await.unwrap();
    }
    goes_on(&team, &replica, &before, writes).await;
}

#[tokio::test]
async fn etcd_is_away_for_a_while() {
    let (_alone, testbed) = cluster().await;
    let (team, replica, before) = at_work(testbed, "etcd").await;
    let writes = replica.proxy.writes().len();
    testbed.stop_server(Server::Etcd).await.unwrap();
    replica.reconciler.shows("leader", 0.0).await.unwrap();
    testbed.start_server(Server::Etcd).await.unwrap();
    replica.reconciler.shows("leader", 1.0).await.unwrap();
    eventually("the API server writes again", async || {
        let name = team.dataplane("again", "again", "default").await;
        name.map_err(|error| error.to_string())
    })
    .await
    .unwrap();
    goes_on(&team, &replica, &before, writes).await;
}

#[tokio::test]
async fn replicas_outlive_a_restart_of_everything() {
    let (_alone, testbed) = cluster().await;
    let (team, replica, before) = at_work(testbed, "everything").await;
    let writes = replica.proxy.writes().len();
    for server in [Server::ApiServer, Server::Etcd] {
        testbed.stop_server(server).await.unwrap();
    }
    for server in [Server::Etcd, Server::ApiServer] {
        testbed.start_server(server).await.unwrap();
    }
    goes_on(&team, &replica, &before, writes).await;
}

/// A cluster without Kuma, its own since kinds come but once; and grants that are not needed.
#[tokio::test]
async fn kumas_kinds_are_missing_at_the_start() {
    let _alone = alone().await;
    let testbed = Testbed::start().unwrap();
    let proxy = Proxy::start(&testbed, User::Reconciler).await.unwrap();
    let replica = Replica::start(&testbed, proxy, &flags("early")).unwrap();
    for kind in ["dataplanes", "dataplaneinsights", "workloads"] {
        replica.reconciler
            .says(&format!(
                "cannot list {kind}.kuma.io: the API server does not know this kind; is its CustomResourceDefinition installed?"
            ))
            .await
            .unwrap();
    }
    eventually("it is tried a few times", async || {
        match replica.proxy.asked_to("list dataplanes").len() {
            4.. => Ok(()),
            times => Err(times.to_string()),
        }
    })
    .await
    .unwrap();
    assert_said_once(&replica, "does not know this kind");
    // What is not served cannot be waited for (L23).
    replica.reconciler.ready().await.unwrap();
    assert!(replica.proxy.writes().is_empty());
    // So many that one watch of each kind is tried for all of them.
    let names: Vec<_> = (0..17).map(|n| format!("--namespace=team-{n}")).collect();
    let mut of_many = flags("early-many").to_vec();
    of_many.extend(names.iter().map(String::as_str));
    let proxy = Proxy::start(&testbed, User::Reconciler).await.unwrap();
    let many = Replica::start(&testbed, proxy, &of_many).unwrap();
    many.reconciler.ready().await.unwrap();
    drop(many);

    // A kind that looks into nothing, so that a mesh can be a number.
    let kinds = include_str!("../manifests/kuma-crds.yaml");
    let lax = kinds.replace(
        "mesh: {type: string}",
        "mesh: {x-kubernetes-preserve-unknown-fields: true}",
    );
    testbed.apply(&lax).await.unwrap();
    let team = Team::new(&testbed, "early").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    replica.reconciler.ready().await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();

    let mesh = json!({
        "metadata": {"name": "cart-1", "annotations": {"kuma.io/workload": "cart"}},
        "mesh": 7,
    });
    team.space.put(Kind::Dataplane, mesh).await.unwrap();
    replica
        .reconciler
        .says("cart-1 cannot be read and is left out: mesh is a number where a string is expected")
        .await
        .unwrap();
    team.caught_up(&replica).await.unwrap();
    assert!(team.find_workload("cart").await.unwrap().is_some());

    without_optional_grants(&testbed, &team, replica).await;
    with_a_status_subresource(&testbed, &team).await;
}

/// Of a replica that looks after the whole cluster, with quick leases and prompt numbers.
fn flags(lease: &str) -> [&str; 7] {
    [
        "--lease-namespace=kuma-workload",
        "--lease-name",
        lease,
        "--lease-duration=3s",
        "--lease-renew-deadline=2s",
        "--lease-retry-period=500ms",
        "--status-interval=1s",
    ]
}

/// The shipped ClusterRole without these resources.
async fn without(testbed: &Testbed, resources: &[&str]) {
    let shipped = include_str!("../../../examples/reconciler/1-rbac.yaml");
    let documents = shipped.split("\n---\n");
    let mut role = documents
        .map(|document| serde_saphyr::from_str::<Value>(document).unwrap())
        .find(|document| document["kind"] == "ClusterRole")
        .unwrap();
    for rule in role["rules"].as_array_mut().unwrap() {
        let of = rule["resources"].as_array_mut().unwrap();
        of.retain(|resource| !resources.contains(&resource.as_str().unwrap()));
    }
    let rules = role["rules"].as_array_mut().unwrap();
    rules.retain(|rule| rule["resources"] != json!([]));
    testbed.apply(&role.to_string()).await.unwrap();
}

async fn without_optional_grants(testbed: &Testbed, team: &Team<'_>, mut before: Replica) {
    before.reconciler.signal("TERM").await.unwrap();
    assert_eq!(before.reconciler.ended().await.unwrap().code(), Some(0));
    without(testbed, &["namespaces", "meshes", "pods"]).await;
    let proxy = Proxy::start(testbed, User::Reconciler).await.unwrap();
    let replica = Replica::start(testbed, proxy, &flags("later")).unwrap();
    replica.reconciler.ready().await.unwrap();
    for kind in ["namespaces", "meshes.kuma.io"] {
        let sentence = format!("cannot list {kind}: the grant is missing");
        let said = replica.reconciler.said(&sentence);
        assert_eq!(said.len(), 1, "{}", replica.reconciler.log());
        assert!(said[0].ends_with("continuing without it"), "{said:?}");
    }
    team.dataplane("till-1", "till", "default").await.unwrap();
    team.counts("till", "default", 1).await.unwrap();
    team.dataplane("till-1", "till", "other").await.unwrap();
    team.counts("till", "other", 1).await.unwrap();
    team.space.delete(Kind::Dataplane, "till-1").await.unwrap();
    team.space.gone("till").await.unwrap();
    // A namespace that goes is not known to go; the API server says so, and that is enough.
    let doomed = Team::new(testbed, "doomed").await.unwrap();
    for name in ["a", "b", "c"] {
        doomed.dataplane(name, name, "default").await.unwrap();
        doomed.counts(name, "default", 1).await.unwrap();
    }
    let delete = ["delete", "namespace", &doomed.space.name, "--timeout=30s"];
    testbed
        .kubectl(User::Admin, &delete, "")
        .await
        .unwrap()
        .ok()
        .unwrap();
    replica
        .reconciler
        .shows("workqueue_depth", 0.0)
        .await
        .unwrap();
    assert!(
        replica.reconciler.said("is tried again").is_empty(),
        "{}",
        replica.reconciler.log()
    );
}

/// Where the CustomResourceDefinition has the subresource, its grant is a grant of its own.
async fn with_a_status_subresource(testbed: &Testbed, team: &Team<'_>) {
    let patch =
        r#"[{"op": "add", "path": "/spec/versions/0/subresources", "value": {"status": {}}}]"#;
    let patch = [
        "patch",
        "crd",
        "workloads.kuma.io",
        "--type=json",
        "-p",
        patch,
    ];
    testbed
        .kubectl(User::Admin, &patch, "")
        .await
        .unwrap()
        .ok()
        .unwrap();
    without(testbed, &["workloads/status"]).await;
    let proxy = Proxy::start(testbed, User::Reconciler).await.unwrap();
    let replica = Replica::start(testbed, proxy, &flags("last")).unwrap();
    team.dataplane("shelf-1", "shelf", "default").await.unwrap();
    let sentence = "cannot patch the status of workloads.kuma.io: the grant is missing";
    replica.reconciler.says(sentence).await.unwrap();
    without(testbed, &[]).await;
    team.counts("shelf", "default", 1).await.unwrap();
    assert_eq!(
        replica.reconciler.said(sentence).len(),
        1,
        "{}",
        replica.reconciler.log()
    );
}
