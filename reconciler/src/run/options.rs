//! The flags of `run`, each with its environment variable.

use std::{num::NonZeroUsize, time::Duration};

use clap::{Args, ValueEnum};
use kuma_workload_rulebook::identifier::{Identifiers, PodAnnotation};

use super::{events, lease, serve};
use crate::{
    arguments::{duration, identifiers, pod_annotation},
    client::Connection,
};

/// What `run` is told.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kuma-workload run                   The whole cluster, from within a Pod or with a kubeconfig
  kuma-workload run --mode observe    Events and metrics; no Workload is written
  kuma-workload run -n team-a,team-b  These namespaces, with grants in them alone

Exit status: 0 after SIGTERM or SIGINT, 1 if it cannot go on, 2 for options that are wrong or where \
no cluster is known.")]
pub struct Options {
    /// What to do: everything, nothing but reports, or whichever fits.
    ///
    /// `auto` manages until it sees a Workload that a Dataplane refers to and a control plane
    /// manages; from then on it writes nothing but deletes its own that nothing refers to.
    #[arg(long, env = "KUMA_WORKLOAD_MODE", value_enum, default_value_t = ModeOption::Auto)]
    pub mode: ModeOption,

    /// Where identifiers come from: what the control plane stored at the Dataplane, or, for control
    /// planes before 2.13, also the Dataplane's Pod.
    #[arg(long, env = "KUMA_WORKLOAD_IDENTIFIERS", value_name = "FROM", default_value = "dataplanes", value_parser = identifiers())]
    pub identifiers: Identifiers,

    /// With `--identifiers pods`: the Pod labels that name a workload, in order. The control plane's
    /// own list.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_WORKLOAD_LABELS",
        value_name = "KEY",
        value_delimiter = ','
    )]
    pub workload_labels: Vec<String>,

    /// With `--identifiers pods`: whether the Pod annotation kuma.io/workload names a workload, as
    /// the Kong Mesh documentation has it and no control plane does.
    #[arg(long, env = "KUMA_WORKLOAD_POD_ANNOTATION", value_name = "HOW", default_value = "ignore", value_parser = pod_annotation())]
    pub pod_annotation: PodAnnotation,

    /// Only these namespaces, with grants in them alone. Repeat it, or separate with commas.
    #[arg(
        short,
        long,
        env = "KUMA_WORKLOAD_NAMESPACE",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub namespace: Vec<String>,

    /// Only namespaces with these labels. Needs list and watch of namespaces.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_NAMESPACE_SELECTOR",
        value_name = "SELECTOR",
        conflicts_with = "namespace"
    )]
    pub namespace_selector: Option<String>,

    /// How many Workloads are written at a time.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_WORKERS",
        value_name = "N",
        default_value = "8"
    )]
    pub workers: NonZeroUsize,

    /// The least time between two writes of the same Workload's numbers, or of its labels.
    #[arg(long, env = "KUMA_WORKLOAD_STATUS_INTERVAL", value_name = "TIME", default_value = "5s", value_parser = at_least_a_second)]
    pub status_interval: Duration,

    /// The form of the log lines, which go to standard error.
    #[arg(long, env = "KUMA_WORKLOAD_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, help_heading = "Log")]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug or trace, or directives such as
    /// `info,kuma_workload=debug`.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LOG",
        value_name = "LEVEL",
        default_value = "info",
        help_heading = "Log"
    )]
    pub log: String,

    /// Events.
    #[command(flatten)]
    pub events: events::Options,

    /// Metrics and health.
    #[command(flatten)]
    pub serve: serve::Options,

    /// The Lease with which one of several replicas leads.
    #[command(flatten)]
    pub lease: lease::Options,

    /// Where the API server is.
    #[command(flatten)]
    pub connection: Connection,
}

/// How much is done (L17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeOption {
    /// `manage` until a control plane is seen to manage Workloads itself.
    Auto,
    /// Everything.
    Manage,
    /// Events, metrics and logs; no Workload is written.
    Observe,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
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
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn read(line: &str) -> Result<Options, String> {
        let words = ["run"].into_iter().chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(line.options)
    }

    #[test]
    fn the_defaults() {
        let options = read("").unwrap();
        assert_eq!(options.mode, ModeOption::Auto);
        assert_eq!(options.identifiers, Identifiers::Dataplanes);
        assert_eq!(options.pod_annotation, PodAnnotation::Ignore);
        assert!(options.events.warn_split_namespaces && !options.serve.metrics_proxies);
        assert_eq!(options.status_interval, Duration::from_secs(5));
    }

    #[rstest]
    #[case::lists("--workload-labels a,b --namespace x,y", "")]
    #[case::switched_off("--warn-split-namespaces false --metrics-proxies", "")]
    #[case::selector("--namespace-selector team=a,env!=test", "")]
    #[case::both_selections("--namespace a --namespace-selector a=b", "cannot be used with")]
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
