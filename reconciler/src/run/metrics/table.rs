//! The table of all metrics. They are registered from it, and the docs are tested against it.

use std::fmt;

/// The beginning of every metric's name.
pub(super) const PREFIX: &str = "kuma_workload_";

/// A metric, as it is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricDescription {
    /// Its name, as queries state it.
    pub name: &'static str,
    /// Its type.
    pub form: MetricForm,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it measures, without a full stop.
    pub help: &'static str,
}

/// The types of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricForm {
    /// It only grows. Its name ends in `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
    /// A distribution. The names of its parts end in `_bucket`, `_sum` and `_count`.
    Histogram,
    /// Always 1; the information is in its labels. Its name ends in `_info`.
    Info,
}

impl fmt::Display for MetricForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        })
    }
}

impl MetricDescription {
    /// The name for the registry, without the prefix and the suffix that the registry adds.
    pub(super) fn stem(&self) -> &'static str {
        let stem = self.name.strip_prefix(PREFIX).unwrap_or(self.name);
        let suffix = match self.form {
            MetricForm::Counter => "_total",
            MetricForm::Info => "_info",
            MetricForm::Gauge | MetricForm::Histogram => "",
        };
        stem.strip_suffix(suffix).unwrap_or(stem)
    }
}

macro_rules! metrics {
    ($($constant:ident: $form:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub(super) const $constant: MetricDescription = MetricDescription {
                name: concat!("kuma_workload_", $name),
                form: MetricForm::$form,
                labels: &[$($label),*],
                help: $help,
            };
        )*

        /// All metrics.
        pub const METRICS: &[MetricDescription] = &[$($constant),*];
    };
}

metrics! {
    RECONCILE: Counter "reconcile_total" ["result"]
        "Reconciliations of Workloads, by their result";
    RECONCILE_DURATION: Histogram "reconcile_duration_seconds" []
        "Seconds that the reconciliation of a Workload took, with its writes";
    WORKQUEUE_DEPTH: Gauge "workqueue_depth" []
        "Workloads and namespaces that wait to be reconciled";
    WRITES_HELD: Gauge "writes_held" []
        "Workloads whose write has failed and waits to be tried again";
    FENCE_LISTS: Counter "fence_lists_total" ["result"]
        "Lists of the Dataplanes of a namespace before and after deletes, by their result";
    LONGEST_POLL: Gauge "longest_poll_seconds" ["task"]
        "The longest time for which a task has kept the thread, in seconds of CPU time";
    LEADER: Gauge "leader" []
        "1 if this replica writes, 0 if it is a standby";
    MODE: Gauge "mode" ["mode"]
        "1 for the mode in force, 0 for the others";
    UNKNOWN_MANAGERS: Gauge "unknown_managers" []
        "Workloads that name a control plane as their manager, set by a field manager that is none of --control-plane-managers";
    API_SERVER_AWAY: Gauge "api_server_away_seconds" []
        "Seconds since when the API server has answered no request, 0 while it answers";
    WATCH_AGE: Gauge "watch_age_seconds" ["kind"]
        "Seconds since the watch that was silent for longest has shown an event, a bookmark or a list";
    RESTORES: Counter "restores_total" []
        "Times that the API server was found to have been restored from a backup, after which every kind is listed anew";
    WATCH_RESTARTS: Counter "watch_restarts_total" ["kind"]
        "Watches that failed and were started again";
    UNDECODABLE_OBJECTS: Counter "undecodable_objects_total" ["kind"]
        "Objects that could not be read and were skipped";
    INDEX_OBJECTS: Gauge "index_objects" ["kind"]
        "Objects in the index";
    OUT_OF_SCOPE: Gauge "out_of_scope_workloads" []
        "Workloads of this program outside the namespaces of --namespace, where the grant shows them: they and their numbers stay as they are";
    WORKLOADS: Gauge "workloads" ["state"]
        "Workloads by state";
    MESH_CONFLICTS: Gauge "mesh_conflicts" []
        "Workloads that proxies in several meshes refer to";
    SPLIT_NAMESPACES: Gauge "split_namespaces" []
        "Namespaces with workloads in several meshes, but for those of control planes";
    STATUS_WRITES: Counter "status_writes_total" []
        "Writes of the status of a Workload";
    EVENTS_PUBLISHED: Counter "events_published_total" ["reason"]
        "Events that were written, repeats included";
    EVENTS_SUPPRESSED: Counter "events_suppressed_total" ["reason"]
        "Events that the API server rejected, each time that they were tried";
    API_REQUESTS: Counter "api_requests_total" ["verb", "code"]
        "Requests to the API server; code is error where no answer came";
    BUILD: Info "build_info" ["version"]
        "The version of this program";
    PROXIES: Gauge "proxies" ["namespace", "workload", "mesh", "state"]
        "Proxies of a Workload by state, with --metrics-proxies";
}
