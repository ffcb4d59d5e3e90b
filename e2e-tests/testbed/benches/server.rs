//! How many requests a second a policy server answers, by policy: a Pod that passes, asked for again and
//! again over several connections, in a Namespace without Dataplanes and in one with 1,000 of its mesh.
//! The cluster that the policies ask is a real API server; the policy server is the real one where
//! `POLICY_SERVER` names its program, else the project's own host.
//!
//! Ratios are to a policy that parses nothing, medians of rounds in which all policies take turns. It
//! fails where one is below its bound, and where the policy server logs an error for this honest Pod.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{env, fs, path::PathBuf, process::ExitCode, time::Duration};

use futures::{StreamExt, stream};
use kuma_workload_benches::{Bound, Bounds, Series};
use kuma_workload_testbed::{
    Kind, PolicyServer, Space, Testbed, User,
    policy_server::{Hosted, Reviewer},
    space::dataplane,
};
use serde_json::{Value, json};
use tokio::time::Instant;

const ROUNDS: usize = 10;
/// How long a policy is asked in one round.
const TURN: Duration = Duration::from_secs(1);
/// How many requests are under way at a time.
const CONNECTIONS: usize = 8;
const DATAPLANES: usize = 1_000;
const MESH: &str = "default";

/// A policy: its name, its settings over those of the example, and what it must answer at least, as a
/// ratio to the first.
struct Subject {
    name: &'static str,
    settings: Value,
    at_least: Option<f64>,
    /// Whether the policy server must not log an error while it answers.
    silent: bool,
}

/// The first one's module is another.
fn subjects() -> Vec<Subject> {
    let user = User::PolicyServer.name();
    let subject = |name, settings, at_least, silent| Subject {
        name,
        settings,
        at_least,
        silent,
    };
    let rule = |settings: Value| {
        let mut all = json!({"disallowMultipleMeshesPerNamespace": true});
        for (setting, value) in settings.as_object().unwrap() {
            all[setting] = value.clone();
        }
        all
    };
    let observed = |grants: &str| rule(json!({"namespaceMesh": "observed", "grants": grants}));
    let mut asking = observed("ask");
    asking["policyServerUser"] = user.into();
    let off = json!({"disallowMultipleMeshesPerNamespace": false});
    vec![
        subject("floor", json!({}), None, false),
        subject("label-rule", off, None, true),
        subject(
            "declared",
            rule(json!({"namespaceMesh": "declared"})),
            None,
            true,
        ),
        subject("observed-assume", observed("assume"), Some(0.6), true),
        subject("observed-ask", asking, Some(0.15), true),
        // Its gets are answered with 404, which policy-server logs as errors.
        subject("observed-probe", observed("probe"), Some(0.15), false),
    ]
}

/// What was measured of a policy in a Namespace.
struct Measured {
    subject: usize,
    dataplanes: usize,
    reviewer: Reviewer,
    review: Vec<u8>,
    per_second: Series,
    errors: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let subjects = subjects();
    let testbed = Testbed::start().unwrap();
    testbed.install_kuma().await.unwrap();
    let (empty, full) = (
        namespace(&testbed, 0).await,
        namespace(&testbed, DATAPLANES).await,
    );
    let server = host(&testbed, &subjects).await;

    let mut measured = Vec::new();
    for (dataplanes, space) in [(0, &empty), (DATAPLANES, &full)] {
        for (subject, policy) in subjects.iter().enumerate() {
            measured.push(Measured {
                subject,
                dataplanes,
                reviewer: server.reviewer(policy.name).await.unwrap(),
                review: review(&space.name),
                per_second: Series::default(),
                errors: 0,
            });
        }
    }
    for round in 0..=ROUNDS {
        for measured in &mut measured {
            let logged = server.logged().unwrap();
            let answered = turn(&measured.reviewer, &measured.review).await;
            measured.errors += server.errors_since(&logged).unwrap().len();
            // The first round opens connections and watches.
            if round > 0 {
                measured.per_second.push(answered);
            }
        }
    }
    report(&server, &subjects, &measured)
}

/// A Namespace that injects, with so many Dataplanes of the Pod's mesh.
async fn namespace(testbed: &Testbed, dataplanes: usize) -> Space<'_> {
    let labels = [("kuma.io/sidecar-injection", "enabled")];
    let space = Space::new(testbed, &labels).await.unwrap();
    let mesh = json!({"metadata": {"name": MESH}});
    space.put(Kind::Mesh, mesh).await.unwrap();
    stream::iter(0..dataplanes)
        .for_each_concurrent(CONNECTIONS, async |number| {
            let name = format!("web-{number}");
            let mut dataplane = dataplane(&name, MESH, "web");
            dataplane["metadata"]["labels"] = json!({"kuma.io/mesh": MESH});
            space.put(Kind::Dataplane, dataplane).await.unwrap();
        })
        .await;
    space
}

async fn host(testbed: &Testbed, subjects: &[Subject]) -> PolicyServer {
    let module = |variable: &str| {
        let path = env::var_os(variable).map(PathBuf::from);
        path.unwrap_or_else(|| panic!("{variable} names a module; make bench-server sets it"))
    };
    let policies = subjects.iter().enumerate().map(|(number, subject)| {
        let module = match number {
            0 => module("KUMA_WORKLOAD_FLOOR_WASM"),
            _ => module("KUMA_WORKLOAD_POLICY_WASM"),
        };
        Hosted::pods(&module, subject.name, subject.settings.clone()).unwrap()
    });
    let policies: Vec<Hosted> = policies.collect();
    let webhook = PathBuf::from(env!("CARGO_BIN_EXE_policy-webhook"));
    PolicyServer::start(testbed, &webhook, &policies)
        .await
        .unwrap()
}

/// The example request, in this Namespace.
fn review(namespace: &str) -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/requests/pod-injected.json"
    );
    let mut review: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    review["request"]["namespace"] = namespace.into();
    review["request"]["object"]["metadata"]["namespace"] = namespace.into();
    serde_json::to_vec(&review).unwrap()
}

/// Asks for the length of a turn, and gives how many answers came in a second.
async fn turn(reviewer: &Reviewer, review: &[u8]) -> f64 {
    let start = Instant::now();
    let askers = (0..CONNECTIONS).map(|_| async {
        let mut answered = 0_u32;
        while start.elapsed() < TURN {
            let answer = reviewer.review(review.to_vec()).await.unwrap();
            assert!(answer.contains(r#""allowed":true"#), "{answer}");
            answered += 1;
        }
        answered
    });
    let answered: u32 = futures::future::join_all(askers).await.iter().sum();
    f64::from(answered) / start.elapsed().as_secs_f64()
}

fn report(server: &PolicyServer, subjects: &[Subject], measured: &[Measured]) -> ExitCode {
    let host = match server.is_real() {
        true => "policy-server",
        false => "the project's own host",
    };
    println!(
        "A Pod whose AdmissionReview has {} bytes, hosted by {host}, {CONNECTIONS} connections; ratios to the first:",
        measured[0].review.len()
    );
    println!("| policy | Dataplanes | requests/s | ratio of medians | errors logged |");
    println!("|---|---|---|---|---|");
    let mut bounds = Bounds::default();
    for one in measured {
        let subject = &subjects[one.subject];
        let base = measured
            .iter()
            .find(|other| other.subject == 0 && other.dataplanes == one.dataplanes)
            .unwrap();
        let ratios = one.per_second.ratios(&base.per_second);
        println!(
            "| {} | {} | {:.0} | {} | {} |",
            subject.name,
            one.dataplanes,
            one.per_second.median(),
            ratios.show(2),
            one.errors
        );
        let what = format!("{} with {} Dataplanes", subject.name, one.dataplanes);
        // Our own host answers a policy that parses nothing more than twice as fast as policy-server, so
        // that the same questions weigh more than twice as much.
        let asks = subject.at_least.filter(|&least| least < 0.5);
        let at_least = match asks {
            Some(least) if !server.is_real() => Some(least / 2.0),
            _ => subject.at_least,
        };
        if let Some(least) = at_least {
            bounds.hold(&what, &ratios, Bound::AtLeast(least));
        }
        if subject.silent && one.errors > 0 {
            bounds.breach(format!("{what}: {} errors logged", one.errors));
        }
    }
    match bounds.verdict() {
        Ok(()) => ExitCode::SUCCESS,
        Err(broken) => {
            eprintln!("{broken}");
            ExitCode::FAILURE
        }
    }
}
