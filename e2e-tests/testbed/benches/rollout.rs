//! What `kuma-workload run` costs on a real API server: 5,000 Dataplanes in one namespace with 50
//! workloads are created, then rolled over once (each is replaced by a new one), then the program
//! is started anew with nothing to do.
//!
//! Its CPU time and memory are read from `/proc`, its requests from its own metrics. Run it on a
//! machine that does nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, PostParams},
    core::GroupVersionKind,
};
use kuma_workload_testbed::{Program, Testbed, User, eventually::within};
use serde_json::{Value, json};
use tokio::process::Command;

const DATAPLANES: usize = 5_000;
const WORKLOADS: usize = 50;
/// Requests of ours at a time.
const WRITERS: usize = 16;
const NAMESPACE: &str = "rollout";
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() {
    let binary = std::env::var_os("KUMA_WORKLOAD_BIN")
        .map(PathBuf::from)
        .expect("KUMA_WORKLOAD_BIN names a release build of kuma-workload");
    let testbed = Testbed::start().unwrap();
    testbed.install_kuma().await.unwrap();
    let client = testbed.client(User::Admin).await.unwrap();
    let namespace = serde_json::from_value(json!({ "metadata": { "name": NAMESPACE } })).unwrap();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();

    let mut subject = Subject::start(&testbed, &binary).await;
    subject.settled(&client, 0).await;
    println!("{DATAPLANES} Dataplanes in one namespace, {WORKLOADS} workloads");

    let mut last = subject.reading().await;
    let begun = Instant::now();
    each_dataplane(|number| create(client.clone(), number)).await;
    subject.settled(&client, DATAPLANES).await;
    last = subject.report("created", &last, begun.elapsed()).await;

    let begun = Instant::now();
    each_dataplane(|number| replace(client.clone(), number)).await;
    subject.settled(&client, DATAPLANES).await;
    subject
        .report("rolled over once", &last, begun.elapsed())
        .await;

    subject.program.signal("TERM").await.unwrap();
    subject.program.ended().await.unwrap();
    let begun = Instant::now();
    let subject = Subject::start(&testbed, &binary).await;
    subject.settled(&client, DATAPLANES).await;
    subject
        .report(
            "restarted with nothing to do",
            &Reading::default(),
            begun.elapsed(),
        )
        .await;
}

async fn each_dataplane<F: Future<Output = ()>>(work: impl Fn(usize) -> F) {
    stream::iter(0..DATAPLANES)
        .for_each_concurrent(WRITERS, work)
        .await;
}

async fn create(client: Client, number: usize) {
    let object = serde_json::from_value(dataplane(&name(number, "a"), number)).unwrap();
    dataplanes(client)
        .create(&PostParams::default(), &object)
        .await
        .unwrap();
}

/// As a rollout does it: the new one comes, then the old one goes.
async fn replace(client: Client, number: usize) {
    let object = serde_json::from_value(dataplane(&name(number, "b"), number)).unwrap();
    let dataplanes = dataplanes(client);
    dataplanes
        .create(&PostParams::default(), &object)
        .await
        .unwrap();
    let old = name(number, "a");
    dataplanes
        .delete(&old, &DeleteParams::default())
        .await
        .unwrap();
}

fn name(number: usize, generation: &str) -> String {
    format!(
        "service-{}-5d8c7b6f9{generation}-{number:05}",
        number % WORKLOADS
    )
}

fn kuma(client: Client, kind: &str, plural: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("kuma.io", "v1alpha1", kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    Api::namespaced_with(client, NAMESPACE, &resource)
}

fn dataplanes(client: Client) -> Api<DynamicObject> {
    kuma(client, "Dataplane", "dataplanes")
}

fn dataplane(name: &str, number: usize) -> Value {
    let workload = format!("service-{}", number % WORKLOADS);
    json!({
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "Dataplane",
        "mesh": "default",
        "metadata": {
            "name": name,
            "labels": {
                "app": workload, "k8s.kuma.io/namespace": NAMESPACE, "k8s.kuma.io/service-account": workload,
                "kuma.io/env": "kubernetes", "kuma.io/mesh": "default", "kuma.io/origin": "zone", "kuma.io/zone": "east",
            },
            "annotations": { "kuma.io/display-name": name, "kuma.io/workload": workload },
        },
        "spec": {
            "networking": {
                "address": "10.244.1.21",
                "inbound": [{
                    "port": 8080, "name": "http", "state": "Ready", "health": { "ready": true },
                    "tags": { "k8s.kuma.io/namespace": NAMESPACE, "kuma.io/protocol": "http", "kuma.io/service": format!("{workload}_{NAMESPACE}_svc_80") },
                }],
                "transparentProxying": { "redirectPortInbound": 15006, "redirectPortOutbound": 15001 },
            },
        },
    })
}

/// The program that is measured.
struct Subject {
    program: Program,
    address: String,
}

/// What it has used so far.
#[derive(Default)]
struct Reading {
    cpu: Duration,
    requests: BTreeMap<String, u64>,
}

impl Subject {
    async fn start(testbed: &Testbed, binary: &PathBuf) -> Self {
        let address = free_address();
        let mut command = Command::new(binary);
        command
            .args([
                "run",
                "--lease-namespace=kuma-workload",
                "--metrics-addr",
                &address,
            ])
            .env("KUBECONFIG", testbed.kubeconfig(User::Reconciler));
        let program = testbed.spawn("kuma-workload", &mut command).unwrap();
        Self { program, address }
    }

    /// Waits until it leads, all Workloads show the right numbers, and nothing is left to do.
    async fn settled(&self, client: &Client, total: usize) {
        let workloads = kuma(client.clone(), "Workload", "workloads");
        let settled = within(PATIENCE, "all Workloads are right", async || {
            let page = self.metrics().await?;
            let known = format!("kuma_workload_index_objects{{kind=\"Dataplane\"}} {total}");
            for line in [
                "kuma_workload_leader 1",
                "kuma_workload_workqueue_depth 0",
                &known,
            ] {
                if !page.lines().any(|other| other == line) {
                    return Err(format!("no {line}"));
                }
            }
            // Each Workload has been looked at, with all of them known.
            let passes = sum(&page, "kuma_workload_reconcile_total");
            if total > 0 && passes < WORKLOADS as u64 {
                return Err(format!("{passes} passes"));
            }
            let list = workloads.list(&ListParams::default()).await;
            let list = list.map_err(|error| error.to_string())?;
            let shown = |workload: &DynamicObject| {
                workload.data["status"]["dataplaneProxies"]["total"]
                    .as_u64()
                    .unwrap_or_default()
            };
            match list.iter().map(shown).sum::<u64>() {
                sum if sum == total as u64 => Ok(()),
                sum => Err(format!("{sum} proxies of {total}")),
            }
        });
        settled.await.unwrap();
    }

    async fn metrics(&self) -> Result<String, String> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let failed = |error: std::io::Error| error.to_string();
        let mut stream = tokio::net::TcpStream::connect(&self.address)
            .await
            .map_err(failed)?;
        let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.map_err(failed)?;
        let mut page = String::new();
        stream.read_to_string(&mut page).await.map_err(failed)?;
        Ok(page)
    }

    async fn reading(&self) -> Reading {
        let page = self.metrics().await.unwrap();
        let mut requests = BTreeMap::new();
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("kuma_workload_api_requests_total{verb=\"") {
                let (verb, rest) = rest.split_once('"').unwrap();
                let count: u64 = rest.rsplit(' ').next().unwrap().parse().unwrap();
                *requests.entry(verb.to_owned()).or_default() += count;
            }
        }
        Reading {
            cpu: self.cpu(),
            requests,
        }
    }

    fn pid(&self) -> u32 {
        self.program.pid().unwrap()
    }

    /// User and system time, of all its threads.
    fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let nanos = tasks.map(|task| {
            let text = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanos.sum())
    }

    fn megabytes(&self, field: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap();
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kilobytes / 1024.0
    }

    async fn report(&self, what: &str, before: &Reading, took: Duration) -> Reading {
        let now = self.reading().await;
        println!("{what}, in {:.0} s", took.as_secs_f64());
        println!(
            "  CPU              {:>6.2} s",
            (now.cpu - before.cpu).as_secs_f64()
        );
        println!(
            "  resident         {:>6.1} MB  (at most {:.1} MB)",
            self.megabytes("VmRSS:"),
            self.megabytes("VmHWM:")
        );
        for (verb, count) in &now.requests {
            let count = count - before.requests.get(verb).copied().unwrap_or_default();
            println!("  {verb:<15}  {count:>6}");
        }
        now
    }
}

/// The sum of a metric over its labels.
fn sum(page: &str, metric: &str) -> u64 {
    let lines = page.lines().filter(|line| line.starts_with(metric));
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
