//! The flags of `run`, each with its environment variable.

mod events;
mod lease;
mod serve;

use std::{
    collections::BTreeSet,
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use clap::{Args, ValueEnum};
use kuma_workload_rulebook::identifier::{Identifiers, PodAnnotation};

pub(super) use self::{events::EventFlags, lease::LeaseFlags, serve::ServeFlags};
use crate::{
    arguments::{duration, identifiers, namespace, pod_annotation},
    client::Connection,
};

/// The flags of `run`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kuma-workload run                   The whole cluster, from within a Pod or with a kubeconfig
  kuma-workload run --mode observe    Events and metrics; no Workload is written
  kuma-workload run -n team-a,team-b  These namespaces, with grants in them alone

Exit status: 0 after SIGTERM or SIGINT, 1 if it cannot go on, 2 for options that are wrong or where \
no cluster is known.")]
pub struct RunFlags {
    /// Whether Workloads are written.
    ///
    /// `auto` manages Workloads unless it sees one that a Dataplane refers to and a control plane
    /// manages. While there is one, it only deletes its own Workloads that nothing refers to.
    #[arg(long, env = "KUMA_WORKLOAD_MODE", value_enum, default_value_t = ModeFlag::Auto)]
    pub(super) mode: ModeFlag,

    /// With `--mode auto`: the field managers of control planes. A Workload whose label
    /// kuma.io/managed-by one of them has set shows that a control plane manages Workloads.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_CONTROL_PLANE_MANAGERS",
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "kuma-cp"
    )]
    pub(super) control_plane_managers: Vec<String>,

    /// With `--mode auto`: for how long Workloads are still left to a control plane after the last one
    /// that showed it has gone.
    #[arg(long, env = "KUMA_WORKLOAD_MODE_GRACE", value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(super) mode_grace: Duration,

    /// Where identifiers come from: the annotation that the control plane stores on the Dataplane, or,
    /// for control planes before 2.13, also the Dataplane's Pod.
    #[arg(long, env = "KUMA_WORKLOAD_IDENTIFIERS", value_name = "FROM", default_value = "dataplanes", value_parser = identifiers())]
    pub(super) identifiers: Identifiers,

    /// With `--identifiers pods`: the Pod labels that name a workload, in order. Use the control
    /// plane's own list.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_WORKLOAD_LABELS",
        value_name = "KEY",
        value_delimiter = ','
    )]
    pub(super) workload_labels: Vec<String>,

    /// With `--identifiers pods`: whether the Pod annotation kuma.io/workload names a workload. The
    /// Kong Mesh documentation says so; no control plane does it.
    #[arg(long, env = "KUMA_WORKLOAD_POD_ANNOTATION", value_name = "HOW", default_value = "ignore", value_parser = pod_annotation())]
    pub(super) pod_annotation: PodAnnotation,

    /// Only these namespaces. Grants are needed in these alone. Repeat the flag, or separate names with
    /// commas.
    #[arg(
        short,
        long,
        env = "KUMA_WORKLOAD_NAMESPACE",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = namespace
    )]
    namespace: Vec<String>,

    /// Only namespaces with these labels. Needs the grants to list and watch namespaces.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_NAMESPACE_SELECTOR",
        value_name = "SELECTOR",
        conflicts_with = "namespace"
    )]
    pub(super) namespace_selector: Option<String>,

    /// How many Workloads are reconciled at the same time.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_WORKERS",
        value_name = "N",
        default_value = "8"
    )]
    pub(super) workers: NonZeroUsize,

    /// The shortest time between two writes of the same Workload's numbers, or of its labels.
    #[arg(long, env = "KUMA_WORKLOAD_STATUS_INTERVAL", value_name = "TIME", default_value = "5s", value_parser = at_least_a_second)]
    pub(super) status_interval: Duration,

    /// Each Workload is looked at again once in this time, and each watch compared with the API server.
    #[arg(long, env = "KUMA_WORKLOAD_RESYNC", value_name = "TIME", default_value = "5m", value_parser = at_least_a_second)]
    pub(super) resync: Duration,

    /// At most so many writes of Workloads a second, and twice as many at once after a pause. Repeats of
    /// writes that have failed get a quarter of them at most.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_WRITES_PER_SECOND",
        value_name = "N",
        default_value = "100"
    )]
    pub(super) writes_per_second: NonZeroU32,

    /// The format of the log lines, which go to standard error.
    #[arg(long, env = "KUMA_WORKLOAD_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, help_heading = "Log")]
    pub(super) log_format: LogFormat,

    /// What is logged: error, warn, info, debug or trace, or directives such as
    /// `info,kuma_workload=debug`.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LOG",
        value_name = "LEVEL",
        default_value = "info",
        help_heading = "Log"
    )]
    pub(super) log: String,

    /// Events.
    #[command(flatten)]
    pub(super) events: EventFlags,

    /// Metrics and health.
    #[command(flatten)]
    pub(super) serve: ServeFlags,

    /// Leader election.
    #[command(flatten)]
    pub(super) lease: LeaseFlags,

    /// How to reach the API server.
    #[command(flatten)]
    pub(super) connection: Connection,
}

impl RunFlags {
    /// The only namespaces that count, each once; none where all do. Two watches of one namespace would
    /// take each other's objects for deleted ones.
    pub(super) fn namespaces(&self) -> BTreeSet<String> {
        self.namespace.iter().cloned().collect()
    }
}

/// Whether Workloads are written (L17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeFlag {
    /// `manage`, unless a control plane is seen to manage Workloads itself.
    Auto,
    /// Create, label, count and delete Workloads.
    Manage,
    /// Write no Workload. Events, metrics and logs only.
    Observe,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object per line.
    Json,
}

fn at_least_a_second(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration < Duration::from_secs(1) {
        return Err("it must be a second or more".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use rstest::rstest;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: RunFlags,
    }

    fn read(line: &str) -> Result<RunFlags, String> {
        let words = ["run"].into_iter().chain(line.split_whitespace());
        let line = CommandLine::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(line.options)
    }

    #[test]
    fn the_defaults() {
        let options = read("").unwrap();
        assert_eq!(options.mode, ModeFlag::Auto);
        assert_eq!(options.identifiers, Identifiers::Dataplanes);
        assert_eq!(options.pod_annotation, PodAnnotation::Ignore);
        assert_eq!(options.serve.metrics_addr.to_string(), "[::]:8080");
        assert!(options.events.warn_split_namespaces && !options.serve.metrics_proxies);
        let control_planes = ["kong-mesh-system", "kuma-system"];
        assert_eq!(options.events.system_namespaces, control_planes);
        assert_eq!(options.status_interval, Duration::from_secs(5));
        let lease = options.lease;
        let times = [
            lease.lease_duration,
            lease.lease_renew_deadline,
            lease.lease_retry_period,
        ];
        assert_eq!(times, [15, 10, 2].map(Duration::from_secs));
        assert!(lease.leader_election && lease.lease_identity.is_none());
    }

    #[rstest]
    #[case::none("", &[])]
    #[case::commas("--namespace shop,shop", &["shop"])]
    #[case::repeated("-n shop -n cart,shop --namespace cart", &["cart", "shop"])]
    fn each_namespace_is_taken_once(#[case] line: &str, #[case] namespaces: &[&str]) {
        let options = read(line).unwrap();
        assert!(options.namespaces().iter().eq(namespaces));
        // Each is the scope of one watch of a kind.
        let scope = crate::run::replica::watch_scope(&options);
        assert!(scope.namespaces.iter().eq(namespaces));
    }

    #[rstest]
    #[case::lists("--workload-labels a,b --namespace x,y", "")]
    #[case::switched_off("--warn-split-namespaces false --metrics-proxies", "")]
    #[case::control_planes("--system-namespaces mesh,mesh-2", "")]
    #[case::selector("--namespace-selector team=a,env!=test", "")]
    #[case::both_selections("--namespace a --namespace-selector a=b", "cannot be used with")]
    #[case::lease_times(
        "--lease-duration=1m --lease-renew-deadline 40s --lease-retry-period=500ms",
        ""
    )]
    #[case::no_namespace("--namespace shop,Cart", "'Cart'")]
    #[case::no_namespace_at_the_end("--namespace shop,", "no Namespace can have this name")]
    #[case::no_lease_namespace("--lease-namespace a/b", "no Namespace can have this name")]
    #[case::no_time("--lease-duration long", "not a length of time")]
    #[case::fast_status("--status-interval 100ms", "a second or more")]
    #[case::no_workers("--workers 0", "--workers")]
    #[case::unknown_mode("--mode maybe", "auto, manage, observe")]
    fn lines(#[case] line: &str, #[case] error: &str) {
        match read(line) {
            Ok(_) => assert_eq!(error, ""),
            Err(said) => assert!(!error.is_empty() && said.contains(error), "{said}"),
        }
    }
}
