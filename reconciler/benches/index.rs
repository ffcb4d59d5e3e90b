//! What `run` needs for a cluster of 100,000 Dataplanes in 2,000 namespaces and 20,000 workloads:
//! memory and CPU for reading all lists as the API server sends them, for reading them again, and for
//! one change in a small and in a large namespace.
//!
//! The lists are generated page by page. Each page is freed when it has been read.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use kube::core::ObjectList;
use kuma_workload::{
    kinds::{DataplaneRecord, InsightRecord, RecordKind, WorkloadRecord},
    run::{ConfiguredMode, Index, WorkItem},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const NAMESPACES: usize = 2_000;
const WORKLOADS_EACH: usize = 10;
const PODS_EACH: usize = 5;
const PAGE: usize = 250;
const MESHES: [&str; 3] = ["default", "payments", "edge"];

const SMALL: usize = 10;
const LARGE: usize = 1_000;
const ROUNDS: usize = 21;

fn main() {
    let mut index = Index::new(ConfiguredMode::Manage, None, false);
    let before = resident();
    let (first, bytes) = read_all(&mut index);
    let after_first = resident();
    let (again, _) = read_all(&mut index);
    let census = index.roster().census();
    assert_eq!((census.dataplanes, census.workloads), (100_000, 20_000));

    println!(
        "100,000 Dataplanes, 100,000 DataplaneInsights, 20,000 Workloads; lists of {} MB",
        bytes / 1_000_000
    );
    println!("  resident before            {:>8.1} MB", megabytes(before));
    println!(
        "  resident with all of them  {:>8.1} MB",
        megabytes(after_first)
    );
    println!(
        "  resident at most           {:>8.1} MB   (after a relist: {:.1} MB)",
        megabytes(peak()),
        megabytes(resident())
    );
    println!(
        "  CPU for reading all        {:>8.2} s",
        first.as_secs_f64()
    );
    println!(
        "  CPU for a relist           {:>8.2} s",
        again.as_secs_f64()
    );

    let [small, large] = [SMALL, LARGE].map(|size| change(&mut index, size));
    println!("one change, decoding and decision with it");
    println!(
        "  namespace of {SMALL:>5}         {:>8.2} µs",
        micros(small)
    );
    println!(
        "  namespace of {LARGE:>5}         {:>8.2} µs",
        micros(large)
    );
    println!(
        "  ratio                      {:>8.2}",
        large.as_secs_f64() / small.as_secs_f64()
    );
}

/// The CPU time for reading all lists, without their generation, and their size.
fn read_all(index: &mut Index) -> (Duration, usize) {
    let mut sum = (Duration::ZERO, 0);
    let mut add = |(time, bytes): (Duration, usize)| sum = (sum.0 + time, sum.1 + bytes);
    add(read::<DataplaneRecord>(
        index,
        RecordKind::Dataplane,
        pods(),
        dataplane,
        |index, object| index.apply_dataplane(object).0.len(),
    ));
    add(read::<InsightRecord>(
        index,
        RecordKind::DataplaneInsight,
        pods(),
        insight,
        |index, object| index.apply_insight(object).0.len(),
    ));
    add(read::<WorkloadRecord>(
        index,
        RecordKind::Workload,
        workloads(),
        workload,
        |index, object| index.apply_workload(object).len(),
    ));
    sum
}

fn read<K: DeserializeOwned + Clone>(
    index: &mut Index,
    kind: RecordKind,
    objects: impl Iterator<Item = GeneratedObject>,
    generate: fn(&GeneratedObject) -> Value,
    apply: fn(&mut Index, &K) -> usize,
) -> (Duration, usize) {
    let (mut time, mut bytes) = (Duration::ZERO, 0);
    let mut objects = objects.peekable();
    let list_began = index.relist(kind);
    while objects.peek().is_some() {
        let items: Vec<_> = objects
            .by_ref()
            .take(PAGE)
            .map(|place| generate(&place))
            .collect();
        let page = json!({
            "kind": format!("{}List", kind.name()),
            "apiVersion": "kuma.io/v1alpha1",
            "metadata": { "resourceVersion": "1", "continue": "more" },
            "items": items,
        });
        drop(items);
        let page = page.to_string();
        bytes += page.len();
        let begun = cpu();
        let list: ObjectList<K> = serde_json::from_str(&page).unwrap();
        for object in &list.items {
            black_box(apply(index, object));
        }
        time += cpu() - begun;
    }
    let begun = cpu();
    black_box(index.sweep(&list_began, None, usize::MAX));
    (time + (cpu() - begun), bytes)
}

/// The best time for one change of a Dataplane, from its JSON to the decision about its Workload.
fn change(index: &mut Index, size: usize) -> Duration {
    let places: Vec<_> = (0..size)
        .map(|number| GeneratedObject {
            namespace: format!("team-of-{size}"),
            workload: "web".to_owned(),
            mesh: "default",
            number,
        })
        .collect();
    let line = |place: &GeneratedObject, port: usize| {
        let mut object = dataplane(place);
        object["spec"]["networking"]["inbound"][0]["state"] =
            json!(if port == 0 { "Ready" } else { "NotReady" });
        object.to_string()
    };
    let apply = |index: &mut Index, line: &str| {
        let object: DataplaneRecord = serde_json::from_str(line).unwrap();
        for item in index.apply_dataplane(&object).0 {
            if let WorkItem::Workload(key) = item {
                black_box(index.view(&key));
            }
        }
    };
    for place in &places {
        apply(index, &line(place, 0));
    }
    let lines: Vec<_> = places
        .iter()
        .cycle()
        .take(LARGE)
        .enumerate()
        .map(|(at, place)| line(place, (at / size + 1) % 2))
        .collect();
    let round = |index: &mut Index| {
        let begun = Instant::now();
        lines.iter().for_each(|line| apply(index, line));
        begun.elapsed() / u32::try_from(lines.len()).unwrap()
    };
    (0..ROUNDS).map(|_| round(index)).min().unwrap()
}

/// Where an object is, and what it is part of.
struct GeneratedObject {
    namespace: String,
    workload: String,
    mesh: &'static str,
    number: usize,
}

impl GeneratedObject {
    fn name(&self) -> String {
        let replica_set = scatter(self.number / PODS_EACH) & 0xff_ffff_ffff;
        let suffix = scatter(self.number) & 0xf_ffff;
        format!("{}-{replica_set:010x}-{suffix:05x}", self.workload)
    }
}

fn workloads() -> impl Iterator<Item = GeneratedObject> {
    (0..NAMESPACES * WORKLOADS_EACH).map(|number| GeneratedObject {
        namespace: format!("team-{:04}", number / WORKLOADS_EACH),
        workload: format!("service-{}", number % WORKLOADS_EACH),
        mesh: MESHES[number / WORKLOADS_EACH % MESHES.len()],
        number,
    })
}

fn pods() -> impl Iterator<Item = GeneratedObject> {
    workloads().flat_map(|workload| {
        (0..PODS_EACH).map(move |pod| GeneratedObject {
            namespace: workload.namespace.clone(),
            workload: workload.workload.clone(),
            mesh: workload.mesh,
            number: workload.number * PODS_EACH + pod,
        })
    })
}

/// A Dataplane as Kuma writes it: about 2 KB, its managed fields among them.
fn dataplane(place: &GeneratedObject) -> Value {
    let name = place.name();
    let GeneratedObject {
        namespace,
        workload,
        mesh,
        number,
    } = place;
    json!({
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "Dataplane",
        "mesh": mesh,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid(*number),
            "resourceVersion": (1_000_000 + number).to_string(),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {
                "app": workload,
                "k8s.kuma.io/namespace": namespace,
                "k8s.kuma.io/service-account": workload,
                "kuma.io/env": "kubernetes",
                "kuma.io/mesh": mesh,
                "kuma.io/origin": "zone",
                "kuma.io/proxy-type": "sidecar",
                "kuma.io/zone": "east",
                "pod-template-hash": "5d8c7b6f9d",
            },
            "annotations": { "kuma.io/display-name": name, "kuma.io/workload": workload },
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid(number + 1),
                "controller": true, "blockOwnerDeletion": true,
            }],
            "managedFields": [{
                "manager": "kuma-cp", "operation": "Update", "apiVersion": "kuma.io/v1alpha1",
                "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {
                    "f:mesh": {},
                    "f:metadata": { "f:annotations": { ".": {}, "f:kuma.io/workload": {} }, "f:labels": { ".": {}, "f:app": {}, "f:kuma.io/mesh": {}, "f:kuma.io/zone": {} }, "f:ownerReferences": { ".": {} } },
                    "f:spec": { ".": {}, "f:networking": { ".": {}, "f:address": {}, "f:inbound": {} } },
                },
            }],
        },
        "spec": {
            "networking": {
                "address": "10.244.1.21",
                "inbound": [{
                    "port": 8080, "name": "http", "state": "Ready", "health": { "ready": true },
                    "tags": {
                        "k8s.kuma.io/namespace": namespace, "k8s.kuma.io/service-name": workload,
                        "k8s.kuma.io/service-port": "80", "kuma.io/protocol": "http",
                        "kuma.io/service": format!("{workload}_{namespace}_svc_80"), "kuma.io/zone": "east",
                    },
                }],
                "transparentProxying": { "redirectPortInbound": 15006, "redirectPortOutbound": 15001 },
            },
            "probes": { "port": 9000, "endpoints": [{ "inboundPort": 8080, "inboundPath": "/", "path": "/8080/" }] },
        },
    })
}

/// A DataplaneInsight of a proxy that was connected twice.
fn insight(place: &GeneratedObject) -> Value {
    let subscription = |disconnected: Option<&str>| {
        let mut subscription = json!({
            "id": uid(place.number),
            "controlPlaneInstanceId": "kuma-control-plane-6d9f8b6c5d-x2k4q-1a2b",
            "connectTime": "2026-01-01T00:00:00Z",
            "generation": 4,
            "status": { "lastUpdateTime": "2026-01-01T00:00:00Z", "total": { "responsesSent": "12", "responsesAcknowledged": "12" }, "cds": { "responsesSent": "3", "responsesAcknowledged": "3" } },
            "version": { "kumaDp": { "version": "2.13.10", "kumaCpCompatible": true }, "envoy": { "version": "1.35.0" } },
        });
        if let Some(time) = disconnected {
            subscription["disconnectTime"] = json!(time);
        }
        subscription
    };
    json!({
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "DataplaneInsight",
        "mesh": place.mesh,
        "metadata": {
            "name": place.name(),
            "namespace": place.namespace,
            "uid": uid(place.number),
            "resourceVersion": (2_000_000 + place.number).to_string(),
        },
        "status": { "subscriptions": [subscription(Some("2026-01-01T01:00:00Z")), subscription(None)] },
    })
}

fn workload(place: &GeneratedObject) -> Value {
    json!({
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "Workload",
        "metadata": {
            "name": place.workload,
            "namespace": place.namespace,
            "uid": uid(place.number),
            "resourceVersion": (3_000_000 + place.number).to_string(),
            "labels": { "kuma.io/managed-by": "kuma-workload-reconciler", "kuma.io/mesh": place.mesh },
        },
        "spec": {},
        "status": { "dataplaneProxies": { "connected": 5, "healthy": 5, "total": 5 } },
    })
}

fn uid(number: usize) -> String {
    let bits = scatter(number);
    format!(
        "{:08x}-{:04x}-4000-8000-{:012x}",
        bits >> 32,
        bits & 0xffff,
        bits >> 16
    )
}

/// The same number, scattered over 64 bits.
fn scatter(number: usize) -> u64 {
    let bits = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (bits ^ bits >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// The CPU time of this thread, which is the only one.
fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn resident() -> usize {
    kilobytes("VmRSS:")
}

fn peak() -> usize {
    kilobytes("VmHWM:")
}

fn kilobytes(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn megabytes(kilobytes: usize) -> f64 {
    kilobytes as f64 / 1024.0
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
