//! What is counted, and how it is shown to Prometheus.
//!
//! [`METRICS`] is the one table of them: they are registered from it, and the docs are tested
//! against it. No label has the name of an object or the text of an error, but for
//! [`PROXIES`], which is asked for.

mod labels;
mod proxies;
mod requests;

use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};

use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Metric, Registry},
};

pub use self::{
    labels::{Outcome, RunMode, State},
    proxies::Proxies,
    requests::{CountRequests, Counted},
};
use super::{events::Reason, index::Kind};

/// What every name begins with.
const PREFIX: &str = "kuma_workload_";

/// A metric, as it is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Its name, as it is asked for.
    pub name: &'static str,
    /// What it is.
    pub form: Form,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says, without a full stop.
    pub help: &'static str,
}

/// The forms of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It grows; its name ends in `_total`.
    Counter,
    /// It comes and goes.
    Gauge,
    /// A distribution; its parts end in `_bucket`, `_sum` and `_count`.
    Histogram,
    /// Always 1, with something to say in its labels; its name ends in `_info`.
    Info,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        })
    }
}

impl Description {
    /// The name as it is registered: without prefix, and without the suffix that its form adds.
    fn stem(&self) -> &'static str {
        let stem = self.name.strip_prefix(PREFIX).unwrap_or(self.name);
        let suffix = match self.form {
            Form::Counter => "_total",
            Form::Info => "_info",
            Form::Gauge | Form::Histogram => "",
        };
        stem.strip_suffix(suffix).unwrap_or(stem)
    }
}

macro_rules! metrics {
    ($($constant:ident: $form:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Description = Description {
                name: concat!("kuma_workload_", $name),
                form: Form::$form,
                labels: &[$($label),*],
                help: $help,
            };
        )*

        /// All of them.
        pub const METRICS: &[Description] = &[$($constant),*];
    };
}

metrics! {
    RECONCILE: Counter "reconcile_total" ["result"]
        "Workloads looked at, by what came of it";
    RECONCILE_DURATION: Histogram "reconcile_duration_seconds" []
        "Seconds that looking at a Workload took, its writes among them";
    WORKQUEUE_DEPTH: Gauge "workqueue_depth" []
        "Workloads that wait to be looked at";
    LEADER: Gauge "leader" []
        "1 if this replica writes, 0 if it stands by";
    MODE: Gauge "mode" ["mode"]
        "1 for the mode that is in force";
    WATCH_RESTARTS: Counter "watch_restarts_total" ["kind"]
        "Watches that broke off and were begun anew";
    UNDECODABLE_OBJECTS: Counter "undecodable_objects_total" ["kind"]
        "Objects that could not be read and were skipped";
    INDEX_OBJECTS: Gauge "index_objects" ["kind"]
        "Objects in the index";
    WORKLOADS: Gauge "workloads" ["state"]
        "Workloads by state";
    MESH_CONFLICTS: Gauge "mesh_conflicts" []
        "Workloads that proxies of several meshes refer to";
    SPLIT_NAMESPACES: Gauge "split_namespaces" []
        "Namespaces with workloads of several meshes";
    STATUS_WRITES: Counter "status_writes_total" []
        "Statuses of Workloads that were written";
    EVENTS_PUBLISHED: Counter "events_published_total" ["reason"]
        "Events that were written, repeats among them";
    EVENTS_SUPPRESSED: Counter "events_suppressed_total" ["reason"]
        "Events that were not written: too many, or not acceptable";
    API_REQUESTS: Counter "api_requests_total" ["verb", "code"]
        "Requests to the API server; code is error where no answer came";
    BUILD: Info "build_info" ["version"]
        "The version of this program";
    PROXIES: Gauge "proxies" ["namespace", "workload", "mesh", "state"]
        "Proxies of a Workload by state, with --metrics-proxies";
}

/// One label.
type By = [(&'static str, &'static str); 1];
/// Verb and code.
type ByAnswer = [(&'static str, Cow<'static, str>); 2];

/// All metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconcile: Family<By, Counter>,
    reconcile_duration: Histogram,
    workqueue_depth: Gauge,
    leader: Gauge,
    mode: Family<By, Gauge>,
    watch_restarts: Family<By, Counter>,
    undecodable_objects: Family<By, Counter>,
    index_objects: Family<By, Gauge>,
    workloads: Family<By, Gauge>,
    mesh_conflicts: Gauge,
    split_namespaces: Gauge,
    status_writes: Counter,
    events_published: Family<By, Counter>,
    events_suppressed: Family<By, Counter>,
    api_requests: Family<ByAnswer, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All of them at zero, without [`PROXIES`].
    pub fn new() -> Self {
        // From a millisecond to half a minute: a decision takes microseconds, a write its request.
        let seconds = [
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
        ];
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX.trim_end_matches('_')),
            reconcile: Family::default(),
            reconcile_duration: Histogram::new(seconds),
            workqueue_depth: Gauge::default(),
            leader: Gauge::default(),
            mode: Family::default(),
            watch_restarts: Family::default(),
            undecodable_objects: Family::default(),
            index_objects: Family::default(),
            workloads: Family::default(),
            mesh_conflicts: Gauge::default(),
            split_namespaces: Gauge::default(),
            status_writes: Counter::default(),
            events_published: Family::default(),
            events_suppressed: Family::default(),
            api_requests: Family::default(),
        };
        metrics.register_all();
        metrics
    }

    /// Adds [`PROXIES`] (S7). The numbers are asked for at each scrape and stored nowhere.
    #[must_use]
    pub fn with_proxies(
        mut self,
        snapshot: impl Fn() -> Vec<Proxies> + Send + Sync + 'static,
    ) -> Self {
        let collector = proxies::Collector::new(snapshot);
        self.registry.register_collector(Box::new(collector));
        self
    }

    fn register_all(&mut self) {
        self.register(&RECONCILE, self.reconcile.clone());
        self.register(&RECONCILE_DURATION, self.reconcile_duration.clone());
        self.register(&WORKQUEUE_DEPTH, self.workqueue_depth.clone());
        self.register(&LEADER, self.leader.clone());
        self.register(&MODE, self.mode.clone());
        self.register(&WATCH_RESTARTS, self.watch_restarts.clone());
        self.register(&UNDECODABLE_OBJECTS, self.undecodable_objects.clone());
        self.register(&INDEX_OBJECTS, self.index_objects.clone());
        self.register(&WORKLOADS, self.workloads.clone());
        self.register(&MESH_CONFLICTS, self.mesh_conflicts.clone());
        self.register(&SPLIT_NAMESPACES, self.split_namespaces.clone());
        self.register(&STATUS_WRITES, self.status_writes.clone());
        self.register(&EVENTS_PUBLISHED, self.events_published.clone());
        self.register(&EVENTS_SUPPRESSED, self.events_suppressed.clone());
        self.register(&API_REQUESTS, self.api_requests.clone());
        self.register(&BUILD, Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    }

    fn register(&mut self, description: &Description, metric: impl Metric) {
        let Description { help, .. } = description;
        self.registry.register(description.stem(), *help, metric);
    }

    /// A Workload was looked at.
    pub fn reconciled(&self, outcome: Outcome, elapsed: Duration) {
        by(&self.reconcile, "result", outcome.text()).inc();
        self.reconcile_duration.observe(elapsed.as_secs_f64());
    }

    /// This many wait to be looked at.
    pub fn queue_depth(&self, depth: usize) {
        self.workqueue_depth.set(number(depth));
    }

    /// Whether this replica writes.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// The mode that is in force (L17).
    pub fn mode(&self, mode: RunMode) {
        for other in RunMode::ALL {
            by(&self.mode, "mode", other.text()).set((*other == mode).into());
        }
    }

    /// A watch broke off and is begun anew.
    pub fn watch_restarted(&self, kind: Kind) {
        by(&self.watch_restarts, "kind", kind.name()).inc();
    }

    /// An object could not be read and is skipped.
    pub fn undecodable(&self, kind: Kind) {
        by(&self.undecodable_objects, "kind", kind.name()).inc();
    }

    /// This many are in the index.
    pub fn indexed(&self, kind: Kind, objects: usize) {
        by(&self.index_objects, "kind", kind.name()).set(number(objects));
    }

    /// This many Workloads stand so (a state that is not given: none).
    pub fn workloads(&self, states: &BTreeMap<State, usize>) {
        for state in State::ALL {
            let count = states.get(state).copied().unwrap_or_default();
            by(&self.workloads, "state", state.text()).set(number(count));
        }
    }

    /// This many keys are in conflict (L9).
    pub fn conflicts(&self, conflicts: usize) {
        self.mesh_conflicts.set(number(conflicts));
    }

    /// This many namespaces are split (L11).
    pub fn split_namespaces(&self, namespaces: usize) {
        self.split_namespaces.set(number(namespaces));
    }

    /// A status was written.
    pub fn status_written(&self) {
        self.status_writes.inc();
    }

    /// An event was written.
    pub fn event_published(&self, reason: Reason) {
        by(&self.events_published, "reason", reason.text()).inc();
    }

    /// An event was not written, and will not be.
    pub fn event_suppressed(&self, reason: Reason) {
        by(&self.events_suppressed, "reason", reason.text()).inc();
    }

    /// What counts the requests of a client, for [`kube::client::ClientBuilder::with_layer`].
    pub fn count_requests(&self) -> CountRequests {
        CountRequests::new(self.api_requests.clone())
    }

    /// All of it, in OpenMetrics' text form.
    pub fn encode(&self) -> String {
        let mut page = String::new();
        // Writing to a String does not fail.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

fn by<M: Clone + Default>(family: &Family<By, M>, key: &'static str, value: &'static str) -> M {
    family.get_or_create_owned(&[(key, value)])
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::counts::Counts;
    use std::collections::BTreeMap;

    /// All of them, each used once.
    fn used() -> Metrics {
        let proxies = || {
            vec![Proxies {
                namespace: "shop".into(),
                workload: "cart".into(),
                mesh: "default".into(),
                counts: Counts {
                    connected: 2,
                    healthy: 1,
                    total: 3,
                },
            }]
        };
        let metrics = Metrics::new().with_proxies(proxies);
        metrics.reconciled(Outcome::Created, Duration::from_millis(3));
        metrics.queue_depth(4);
        metrics.leads(true);
        metrics.mode(RunMode::Manage);
        metrics.watch_restarted(Kind::Dataplane);
        metrics.undecodable(Kind::Dataplane);
        metrics.indexed(Kind::Dataplane, 100);
        metrics.workloads(&BTreeMap::from([(State::Managed, 1)]));
        metrics.conflicts(1);
        metrics.split_namespaces(2);
        metrics.status_written();
        metrics.event_published(Reason::MultipleMeshesDetected);
        metrics.event_suppressed(Reason::InvalidWorkloadName);
        let answer = [
            ("verb", Cow::Borrowed("list")),
            ("code", Cow::Borrowed("200")),
        ];
        metrics.api_requests.get_or_create_owned(&answer).inc();
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
                let name = format!("{PREFIX}{}", metric.stem());
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
            let help = format!("# HELP {PREFIX}{} {}.", metric.stem(), metric.help);
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
