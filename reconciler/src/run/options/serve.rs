//! The flags of metrics and health.

use std::net::SocketAddr;

use clap::Args;

use crate::explain::loopback;

/// Metrics and health.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics and health")]
pub(crate) struct ServeFlags {
    /// The address on which /metrics, /livez and /readyz are served. [::] is all addresses, of IPv4 too,
    /// and of IPv4 alone where the kernel has no IPv6.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_METRICS_ADDR",
        default_value = "[::]:8080",
        value_name = "ADDRESS"
    )]
    pub(crate) metrics_addr: SocketAddr,
    /// The address on which `status --why` is answered: a loopback address, since the page names objects
    /// and errors. Default: 127.0.0.1:8081, and no page where that is taken.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_WHY_ADDR",
        value_name = "ADDRESS",
        value_parser = loopback
    )]
    pub(crate) why_addr: Option<SocketAddr>,
    /// Also serve the metric kuma_workload_proxies: three time series for each Workload and mesh.
    #[arg(long, env = "KUMA_WORKLOAD_METRICS_PROXIES")]
    pub(crate) metrics_proxies: bool,
}
