//! What the roster costs: memory and time for 100,000 Dataplanes in 2,000 namespaces and 20,000
//! workloads, and for one change in a small and in a large namespace.
//!
//! Each time is the shortest of several runs, because other work on the machine only adds to it.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use kuma_workload_rulebook::{
    counts::Inbounds,
    roster::{ListScope, Roster, RosterDataplane, RosterInsight, SweptTo, WatchedKind},
};

const NAMESPACES: usize = 2_000;
const WORKLOADS_EACH: usize = 10;
const PODS_EACH: usize = 5;
const MESHES: [&str; 3] = ["default", "payments", "edge"];

const RUNS: usize = 5;
const LARGE: usize = 1_000;
const SMALL: usize = 10;
const ROUNDS: usize = 200;

/// Counts the bytes that are allocated.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The Dataplane of a Pod.
struct Pod {
    namespace: String,
    name: String,
    workload: String,
    mesh: &'static str,
}

impl Pod {
    fn new(namespace: String, workload: String, mesh: &'static str, number: usize) -> Self {
        let replica_set = scatter(number / PODS_EACH) & 0xff_ffff_ffff;
        let suffix = scatter(number) & 0xf_ffff;
        Self {
            name: format!("{workload}-{replica_set:010x}-{suffix:05x}"),
            namespace,
            workload,
            mesh,
        }
    }

    fn dataplane(&self) -> RosterDataplane<'_> {
        RosterDataplane {
            namespace: &self.namespace,
            name: &self.name,
            workload: Some(&self.workload),
            mesh: Some(self.mesh),
            local: true,
            inbounds: Inbounds::Ready,
        }
    }

    fn insight(&self) -> RosterInsight<'_> {
        RosterInsight {
            namespace: &self.namespace,
            name: &self.name,
            mesh: Some(self.mesh),
            online: true,
        }
    }
}

/// Spreads a number over all bits, in the same way each time.
fn scatter(number: usize) -> u64 {
    let mut bits = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^ (bits >> 31)
}

/// The Pods of a cluster with this many different workload names.
fn cluster(kinds: usize) -> Vec<Pod> {
    let mut pods = Vec::new();
    for namespace in 0..NAMESPACES {
        for workload in 0..WORKLOADS_EACH {
            let kind = (namespace * WORKLOADS_EACH + workload) % kinds;
            for _ in 0..PODS_EACH {
                pods.push(Pod::new(
                    format!("team-{namespace}"),
                    format!("service-{kind}"),
                    MESHES[namespace % MESHES.len()],
                    pods.len(),
                ));
            }
        }
    }
    pods
}

/// A namespace with this many Pods of two workloads.
fn team(name: &str, size: usize) -> Vec<Pod> {
    (0..size)
        .map(|number| {
            let workload = ["blue", "green"][number % 2];
            Pod::new(name.to_owned(), workload.to_owned(), "default", number)
        })
        .collect()
}

fn build(pods: &[Pod]) -> Roster {
    let mut roster = Roster::default();
    for pod in pods {
        black_box(roster.apply(&pod.dataplane()));
    }
    for pod in pods {
        black_box(roster.apply_insight(&pod.insight()));
    }
    roster
}

fn relist(roster: &mut Roster, pods: &[Pod]) {
    let since = roster.relist();
    for pod in pods {
        black_box(roster.apply(&pod.dataplane()));
    }
    let gone = roster.sweep(
        WatchedKind::Dataplanes,
        ListScope::Cluster,
        since,
        &mut SweptTo::default(),
        usize::MAX,
    );
    assert!(gone.changes.keys.is_empty());
}

fn best(mut run: impl FnMut()) -> Duration {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

/// Moves each Pod to the other workload and back, which changes two keys each time.
fn moves(roster: &mut Roster, pods: &[Pod]) -> Duration {
    let start = Instant::now();
    for workload in ["green", "blue", "green", "blue"] {
        for pod in pods {
            let moved = RosterDataplane {
                workload: Some(workload),
                ..pod.dataplane()
            };
            black_box(roster.apply(&moved));
        }
    }
    start.elapsed()
}

fn report_memory(names: &str, pods: &[Pod]) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let roster = build(pods);
    let bytes = (LIVE.load(Relaxed) - before) as f64;
    let peak = (PEAK.load(Relaxed) - before) as f64;
    let workloads = roster.census().workloads;
    println!(
        "memory, {names}: {:.1} MB for {} Dataplanes of {workloads} workloads, \
         {:.1} bytes each ({:.1} MB at its highest)",
        bytes / 1e6,
        pods.len(),
        bytes / pods.len() as f64,
        peak / 1e6,
    );
}

fn report_rebuild(pods: &[Pod]) {
    let built = best(|| drop(black_box(build(pods))));
    let mut roster = build(pods);
    let relisted = best(|| relist(&mut roster, pods));
    println!("built from nothing, Dataplanes and insights: {built:.1?}");
    println!("listed again, nothing changed: {relisted:.1?}");
}

/// A roster with the cluster, a large namespace, and small namespaces with as many Pods in total.
struct Teams {
    roster: Roster,
    large: Vec<Pod>,
    small: Vec<Pod>,
}

impl Teams {
    fn new(cluster: &[Pod]) -> Self {
        let mut roster = build(cluster);
        let large = team("large", LARGE);
        let small: Vec<_> = (0..LARGE / SMALL)
            .flat_map(|number| team(&format!("small-{number}"), SMALL))
            .collect();
        for pod in large.iter().chain(&small) {
            roster.apply(&pod.dataplane());
            roster.apply_insight(&pod.insight());
        }
        Self {
            roster,
            large,
            small,
        }
    }
}

fn report_change(cluster: &[Pod]) {
    let mut teams = Teams::new(cluster);
    let mut times = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (best, pods) in times.iter_mut().zip([&teams.large, &teams.small]) {
            *best = moves(&mut teams.roster, pods).min(*best);
        }
    }
    let [large, small] = times.map(|time| time.as_secs_f64() / (4 * LARGE) as f64);
    println!(
        "one change: {:.2} µs among {LARGE} Dataplanes, {:.2} µs among {SMALL}, ratio {:.2}",
        large * 1e6,
        small * 1e6,
        large / small,
    );
}

/// Makes the changes in one kind of namespace, or none, so that instructions can be counted:
/// `perf stat -e instructions:u` of the benchmark with the argument `large`, `small` or `none`.
fn only(which: &str, cluster: &[Pod]) {
    let mut teams = Teams::new(cluster);
    let pods = match which {
        "large" => &teams.large[..],
        "small" => &teams.small[..],
        _ => &[],
    };
    for _ in 0..ROUNDS {
        moves(&mut teams.roster, pods);
    }
    println!("{which}: {} changes", ROUNDS * 4 * pods.len());
}

fn main() {
    let own_names = cluster(NAMESPACES * WORKLOADS_EACH);
    let mut arguments = std::env::args();
    if let Some(which) = arguments.find(|a| ["large", "small", "none"].contains(&&**a)) {
        return only(&which, &own_names);
    }
    report_memory("names shared by namespaces", &cluster(500));
    report_memory("a name for each workload", &own_names);
    report_rebuild(&own_names);
    report_change(&own_names);
}
