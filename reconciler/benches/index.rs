//! What `run` needs for a cluster of 100,000 Dataplanes in 2,000 namespaces and 20,000 workloads:
//! memory and CPU for reading all lists as the API server sends them, for reading them again, and for
//! one change in a small and in a large namespace.
//!
//! The lists are generated page by page. Each page is freed when it has been read.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "shared/generated.rs"]
mod generated;
#[path = "shared/process.rs"]
mod process;

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use generated::{GeneratedObject, dataplane, insight, pods, workload, workloads};
use kube::core::ObjectList;
use kuma_workload::{
    kinds::{DataplaneRecord, InsightRecord, RecordKind, WorkloadRecord},
    run::{ConfiguredMode, Index, WorkItem},
};
use process::megabytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const PAGE: usize = 250;

const SMALL: usize = 10;
const LARGE: usize = 1_000;
const ROUNDS: usize = 21;
/// How long one change may take, however large the namespace is.
const CHANGE: Duration = Duration::from_micros(10);

fn main() {
    let mut index = Index::new(ConfiguredMode::Manage, None, false);
    let before = megabytes("self", "VmRSS");
    let (first, bytes) = read_all(&mut index);
    let after_first = megabytes("self", "VmRSS");
    let (again, _) = read_all(&mut index);
    let census = index.roster().census();
    assert_eq!((census.dataplanes, census.workloads), (100_000, 20_000));

    println!(
        "100,000 Dataplanes, 100,000 DataplaneInsights, 20,000 Workloads; lists of {} MB",
        bytes / 1_000_000
    );
    println!("  resident before            {before:>8.1} MB");
    println!("  resident with all of them  {after_first:>8.1} MB");
    println!(
        "  resident at most           {:>8.1} MB   (after a relist: {:.1} MB)",
        megabytes("self", "VmHWM"),
        megabytes("self", "VmRSS")
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
    assert!(
        small.max(large) <= CHANGE,
        "one change takes more than {CHANGE:?}"
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
    let mut list_began = index.relist(kind);
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
    black_box(index.sweep(&mut list_began, None, usize::MAX));
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

/// The CPU time of this thread, which is the only one.
fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
