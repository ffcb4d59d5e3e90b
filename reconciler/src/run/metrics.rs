//! What is measured, and how Prometheus gets it.
//!
//! [`METRICS`] is the table of all metrics. No label contains the name of an object or the text of an
//! error, except those of `kuma_workload_proxies`, which is opt-in.

mod labels;
mod polls;
mod proxies;
mod table;

use std::{collections::BTreeMap, sync::atomic::AtomicU64, time::Duration};

use kuma_workload_rulebook::roster::Mode;
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Metric, Registry},
};

use self::{
    labels::{
        BuildLabels, KindLabels, ListLabels, ModeLabel, ModeLabels, ResultLabels, StateLabels,
    },
    proxies::Snapshot,
    table::PREFIX,
};
pub use self::{
    labels::{ReconcileResult, WorkloadState},
    table::{METRICS, MetricDescription, MetricForm},
};
pub(super) use self::{polls::PollMetrics, proxies::Proxies};
use super::{events::EventMetrics, queue::Totals};
use crate::{client::RequestCounter, kinds::RecordKind};

/// The bounds of the histogram's buckets, in seconds. A decision takes microseconds, a write as long as
/// its request.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// All metrics of a process.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    families: Families,
    proxies: Option<Snapshot>,
}

/// The metrics that are updated when something happens.
#[derive(Debug)]
struct Families {
    reconcile: Family<ResultLabels, Counter>,
    reconcile_duration: Histogram,
    workqueue_depth: Gauge,
    writes_held: Gauge,
    fence_lists: Family<ListLabels, Counter>,
    polls: PollMetrics,
    unknown_managers: Gauge,
    api_server_away: Gauge<f64, AtomicU64>,
    watch_age: Family<KindLabels, Gauge<f64, AtomicU64>>,
    restores: Counter,
    out_of_scope: Gauge,
    leader: Gauge,
    mode: Family<ModeLabels, Gauge>,
    watch_restarts: Family<KindLabels, Counter>,
    undecodable_objects: Family<KindLabels, Counter>,
    index_objects: Family<KindLabels, Gauge>,
    workloads: Family<StateLabels, Gauge>,
    mesh_conflicts: Gauge,
    split_namespaces: Gauge,
    status_writes: Counter,
    events: EventMetrics,
    api_requests: RequestCounter,
    build: BuildLabels,
}

impl Families {
    fn new(api_requests: RequestCounter) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            reconcile: Family::default(),
            reconcile_duration: Histogram::new(SECONDS),
            workqueue_depth: Gauge::default(),
            writes_held: Gauge::default(),
            fence_lists: Family::default(),
            polls: PollMetrics::default(),
            unknown_managers: Gauge::default(),
            api_server_away: Gauge::default(),
            watch_age: Family::default(),
            restores: Counter::default(),
            out_of_scope: Gauge::default(),
            leader: Gauge::default(),
            mode: Family::default(),
            watch_restarts: Family::default(),
            undecodable_objects: Family::default(),
            index_objects: Family::default(),
            workloads: Family::default(),
            mesh_conflicts: Gauge::default(),
            split_namespaces: Gauge::default(),
            status_writes: Counter::default(),
            events: EventMetrics::default(),
            api_requests,
            build: BuildLabels { version },
        }
    }

    /// Registers all of them. A field that is not named here does not compile.
    fn registry(&self) -> Registry {
        let Self {
            reconcile,
            reconcile_duration,
            workqueue_depth,
            writes_held,
            fence_lists,
            polls,
            unknown_managers,
            api_server_away,
            watch_age,
            restores,
            out_of_scope,
            leader,
            mode,
            watch_restarts,
            undecodable_objects,
            index_objects,
            workloads,
            mesh_conflicts,
            split_namespaces,
            status_writes,
            events:
                EventMetrics {
                    published,
                    suppressed,
                },
            api_requests,
            build,
        } = self;
        let mut registry = Registry::with_prefix(PREFIX.trim_end_matches('_'));
        let to = &mut registry;
        register(to, &table::RECONCILE, reconcile.clone());
        register(to, &table::RECONCILE_DURATION, reconcile_duration.clone());
        register(to, &table::WORKQUEUE_DEPTH, workqueue_depth.clone());
        register(to, &table::WRITES_HELD, writes_held.clone());
        register(to, &table::FENCE_LISTS, fence_lists.clone());
        to.register_collector(Box::new(polls.clone()));
        register(to, &table::LEADER, leader.clone());
        register(to, &table::MODE, mode.clone());
        register(to, &table::UNKNOWN_MANAGERS, unknown_managers.clone());
        register(to, &table::API_SERVER_AWAY, api_server_away.clone());
        register(to, &table::WATCH_AGE, watch_age.clone());
        register(to, &table::RESTORES, restores.clone());
        register(to, &table::WATCH_RESTARTS, watch_restarts.clone());
        register(to, &table::UNDECODABLE_OBJECTS, undecodable_objects.clone());
        register(to, &table::INDEX_OBJECTS, index_objects.clone());
        register(to, &table::OUT_OF_SCOPE, out_of_scope.clone());
        register(to, &table::WORKLOADS, workloads.clone());
        register(to, &table::MESH_CONFLICTS, mesh_conflicts.clone());
        register(to, &table::SPLIT_NAMESPACES, split_namespaces.clone());
        register(to, &table::STATUS_WRITES, status_writes.clone());
        register(to, &table::EVENTS_PUBLISHED, published.clone());
        register(to, &table::EVENTS_SUPPRESSED, suppressed.clone());
        register(to, &table::API_REQUESTS, api_requests.clone());
        register(to, &table::BUILD, Info::new(build.clone()));
        registry
    }
}

fn register(registry: &mut Registry, description: &MetricDescription, metric: impl Metric) {
    registry.register(description.stem(), description.help, metric);
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(RequestCounter::default())
    }
}

impl Metrics {
    /// All metrics at zero, without `kuma_workload_proxies`.
    pub(super) fn new(api_requests: RequestCounter) -> Self {
        let families = Families::new(api_requests);
        Self {
            registry: families.registry(),
            families,
            proxies: None,
        }
    }

    /// Adds `kuma_workload_proxies` (S7).
    #[must_use]
    pub(super) fn with_proxies(mut self) -> Self {
        let snapshot = Snapshot::default();
        self.registry.register_collector(Box::new(snapshot.clone()));
        self.proxies = Some(snapshot);
        self
    }

    /// Whether there is `kuma_workload_proxies`.
    pub(super) fn has_proxies(&self) -> bool {
        self.proxies.is_some()
    }

    /// The proxies of all Workloads, for the next page.
    pub(super) fn proxies(&self, proxies: Vec<Proxies>) {
        if let Some(snapshot) = &self.proxies {
            snapshot.set(proxies);
        }
    }

    /// The longest polls of tasks.
    pub(super) fn polls(&self) -> PollMetrics {
        self.families.polls.clone()
    }

    /// A Workload was looked at, and nothing was written.
    pub(super) fn looked(&self, result: ReconcileResult) {
        let results = &self.families.reconcile;
        results.get_or_create(&ResultLabels { result }).inc();
    }

    /// The Dataplanes of a namespace were listed before or after deletes.
    pub(super) fn fenced(&self, succeeded: bool) {
        let result = if succeeded { "listed" } else { "failed" };
        let lists = &self.families.fence_lists;
        lists.get_or_create(&ListLabels { result }).inc();
    }

    /// The API server was restored from a backup.
    pub(super) fn restored(&self) {
        self.families.restores.inc();
    }

    /// This many Workloads of this program are outside the namespaces of `--namespace`.
    pub(super) fn out_of_scope(&self, workloads: usize) {
        self.families.out_of_scope.set(number(workloads));
    }

    /// This many writes wait after a failure.
    pub(super) fn held(&self, writes: usize) {
        self.families.writes_held.set(number(writes));
    }

    /// How long ago each watch has shown something.
    pub(super) fn watch_ages(&self, ages: &BTreeMap<RecordKind, Duration>) {
        for (&kind, age) in ages {
            let gauge = self.families.watch_age.get_or_create(&KindLabels { kind });
            gauge.set(age.as_secs_f64());
        }
    }

    /// For how long the API server has answered no request.
    pub(super) fn api_server_away(&self, time: Option<Duration>) {
        let seconds = time.unwrap_or_default().as_secs_f64();
        self.families.api_server_away.set(seconds);
    }

    /// This many Workloads name a control plane by an unknown field manager (L17).
    pub(super) fn strangers(&self, workloads: usize) {
        self.families.unknown_managers.set(number(workloads));
    }

    /// A Workload was reconciled.
    pub(super) fn reconciled(&self, result: ReconcileResult, elapsed: Duration) {
        let results = &self.families.reconcile;
        results.get_or_create(&ResultLabels { result }).inc();
        self.families
            .reconcile_duration
            .observe(elapsed.as_secs_f64());
    }

    /// This many items wait to be reconciled.
    pub(super) fn queue_depth(&self, depth: usize) {
        self.families.workqueue_depth.set(number(depth));
    }

    /// Whether this replica writes.
    pub(super) fn leads(&self, leads: bool) {
        self.families.leader.set(leads.into());
    }

    /// The mode in force (L17).
    pub(super) fn mode(&self, in_force: Mode) {
        for &mode in ModeLabel::ALL {
            let is_in_force = mode == in_force.into();
            let modes = &self.families.mode;
            modes
                .get_or_create(&ModeLabels { mode })
                .set(is_in_force.into());
        }
    }

    /// A watch failed and is started again.
    pub(super) fn watch_restarted(&self, kind: RecordKind) {
        let restarts = &self.families.watch_restarts;
        restarts.get_or_create(&KindLabels { kind }).inc();
    }

    /// An object could not be read and is skipped.
    pub(super) fn undecodable(&self, kind: RecordKind) {
        let undecodable = &self.families.undecodable_objects;
        undecodable.get_or_create(&KindLabels { kind }).inc();
    }

    /// This many objects are in the index.
    pub(super) fn indexed(&self, kind: RecordKind, objects: usize) {
        let indexed = &self.families.index_objects;
        indexed
            .get_or_create(&KindLabels { kind })
            .set(number(objects));
    }

    /// How many Workloads and namespaces are in each state.
    pub(super) fn totals(&self, totals: &Totals) {
        for &state in WorkloadState::ALL {
            let count = totals.workloads.get(&state).copied().unwrap_or_default();
            let workloads = &self.families.workloads;
            workloads
                .get_or_create(&StateLabels { state })
                .set(number(count));
        }
        self.families.mesh_conflicts.set(number(totals.conflicts()));
        let split = number(totals.split_namespaces);
        self.families.split_namespaces.set(split);
    }

    /// A status was written.
    pub(super) fn status_written(&self) {
        self.families.status_writes.inc();
    }

    /// Counts events.
    pub(super) fn events(&self) -> EventMetrics {
        self.families.events.clone()
    }

    /// All metrics in OpenMetrics' text format.
    pub(super) fn encode(&self) -> String {
        let mut page = String::new();
        // Writing to a String does not fail.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{client::RequestLabels, run::events::EventReason};
    use kuma_workload_rulebook::counts::Counts;

    /// Metrics of which each was used once.
    fn used() -> Metrics {
        let proxies = vec![Proxies {
            namespace: "shop".into(),
            workload: "cart".into(),
            mesh: "default".into(),
            counts: Counts {
                connected: 2,
                healthy: 1,
                total: 3,
            },
        }];
        let metrics = Metrics::default().with_proxies();
        metrics.proxies(proxies);
        metrics.fenced(true);
        metrics.restored();
        metrics.held(3);
        metrics.out_of_scope(1);
        metrics.strangers(2);
        metrics.api_server_away(Some(Duration::from_secs(7)));
        metrics.watch_ages(&BTreeMap::from([(
            RecordKind::Dataplane,
            Duration::from_secs(5),
        )]));
        metrics.polls().of("dispatcher");
        metrics.reconciled(ReconcileResult::Created, Duration::from_millis(3));
        metrics.queue_depth(4);
        metrics.leads(true);
        metrics.mode(Mode::Manage);
        metrics.watch_restarted(RecordKind::Dataplane);
        metrics.undecodable(RecordKind::Dataplane);
        metrics.indexed(RecordKind::Dataplane, 100);
        metrics.totals(&Totals {
            workloads: [(WorkloadState::Managed, 1), (WorkloadState::Orphan, 1)].into(),
            split_namespaces: 2,
        });
        metrics.status_written();
        let events = metrics.events();
        events.published(EventReason::MultipleMeshesDetected);
        events.suppressed(EventReason::InvalidWorkloadName);
        let answer = RequestLabels {
            verb: "list",
            code: "200".into(),
        };
        metrics.families.api_requests.get_or_create(&answer).inc();
        metrics
    }

    #[test]
    fn the_page_is_the_table() {
        let page = used().encode();
        let mut types = BTreeMap::new();
        for line in page.lines() {
            if let Some(line) = line.strip_prefix("# TYPE ") {
                let (name, form) = line.split_once(' ').unwrap();
                types.insert(name.to_owned(), form.to_owned());
            }
        }
        let expected: BTreeMap<_, _> = METRICS
            .iter()
            .map(|metric| {
                let name = format!("{}{}", PREFIX, metric.stem());
                (name, metric.form.to_string())
            })
            .collect();
        assert_eq!(types, expected);
        for metric in METRICS {
            let line = page
                .lines()
                .find(|line| {
                    let rest = line.strip_prefix(metric.name);
                    rest.is_some_and(|rest| rest.starts_with(['{', ' ', '_']))
                })
                .unwrap_or_else(|| panic!("{} is not on the page", metric.name));
            for label in metric.labels {
                assert!(line.contains(&format!("{label}=\"")), "{line}");
            }
            assert_eq!(
                line.matches("=\"").count(),
                metric.labels.len() + usize::from(line.contains("le=\"")),
                "{line}"
            );
            let help = format!("# HELP {}{} {}.", PREFIX, metric.stem(), metric.help);
            assert!(page.contains(&help), "{help}");
        }
        assert!(page.ends_with("# EOF\n"));
    }

    #[test]
    fn values() {
        let page = used().encode();
        for line in [
            "kuma_workload_reconcile_total{result=\"created\"} 1",
            "kuma_workload_leader 1",
            "kuma_workload_mode{mode=\"manage\"} 1",
            "kuma_workload_mode{mode=\"observe\"} 0",
            "kuma_workload_index_objects{kind=\"Dataplane\"} 100",
            "kuma_workload_workloads{state=\"missing\"} 0",
            "kuma_workload_workloads{state=\"managed\"} 1",
            "kuma_workload_events_published_total{reason=\"MultipleMeshesDetected\"} 1",
            "kuma_workload_proxies{namespace=\"shop\",workload=\"cart\",mesh=\"default\",state=\"healthy\"} 1",
        ] {
            assert!(page.lines().any(|there| there == line), "{line}\n{page}");
        }
        let build = format!(
            "kuma_workload_build_info{{version=\"{}\"}} 1",
            env!("CARGO_PKG_VERSION")
        );
        assert!(page.contains(&build), "{page}");
    }
}
