//! The flags of leader election.

use std::time::Duration;

use clap::{ArgAction, Args};

use crate::arguments::{duration, namespace};

/// Leader election.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Leader election")]
pub(crate) struct LeaseFlags {
    /// Write only while holding a Lease. `false` is for a single replica only.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEADER_ELECTION",
        default_value_t = true,
        action = ArgAction::Set,
        value_name = "BOOL"
    )]
    pub(crate) leader_election: bool,
    /// The Lease's name.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_NAME",
        default_value = "kuma-workload",
        value_name = "NAME"
    )]
    pub(crate) lease_name: String,
    /// The Lease's namespace. Default: the namespace that this program runs in.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_NAMESPACE",
        value_name = "NAMESPACE",
        value_parser = namespace
    )]
    pub(crate) lease_namespace: Option<String>,
    /// The name of this replica. With a random part for each process, it is the holder of the Lease and
    /// the reportingInstance of events. Default: the host's name.
    #[arg(long, env = "KUMA_WORKLOAD_LEASE_IDENTITY", value_name = "NAME")]
    pub(crate) lease_identity: Option<String>,
    /// After this time without a renewal, another replica takes over. Whole seconds.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_DURATION",
        default_value = "15s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub(crate) lease_duration: Duration,
    /// After this time without a renewal, the leader stops writing.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_RENEW_DEADLINE",
        default_value = "10s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub(crate) lease_renew_deadline: Duration,
    /// How often the leader renews the Lease, and the others read it.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_RETRY_PERIOD",
        default_value = "2s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub(crate) lease_retry_period: Duration,
}
