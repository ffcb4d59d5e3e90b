//! The flags of events.

use clap::{ArgAction, Args};

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
}
