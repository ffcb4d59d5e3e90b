//! The flags of events.

use clap::{ArgAction, Args};
use kuma_workload_rulebook::admission::SYSTEM_NAMESPACES;

use crate::arguments::namespace;

/// Events.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Events")]
pub(crate) struct EventFlags {
    /// Warn about namespaces with workloads in several meshes. Kuma allows these so far.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_WARN_SPLIT_NAMESPACES",
        default_value_t = true,
        action = ArgAction::Set,
        value_name = "BOOL"
    )]
    pub(crate) warn_split_namespaces: bool,
    /// The namespaces of control planes, which may have workloads in several meshes: the zone proxies of
    /// Kuma 2.14 and later are of one mesh each.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_SYSTEM_NAMESPACES",
        default_values = SYSTEM_NAMESPACES,
        value_delimiter = ',',
        value_parser = namespace,
        value_name = "NAME"
    )]
    pub(crate) system_namespaces: Vec<String>,
}
