//! The actual numbers of every Workload's proxies, as a metric (S7).

use std::fmt;

use kuma_workload_rulebook::counts::Counts;
use prometheus_client::{
    collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

use super::{labels::ProxyLabels, table::PROXIES};

/// The proxies of a workload in one mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxies {
    /// The workload's namespace.
    pub namespace: String,
    /// Its name.
    pub workload: String,
    /// The mesh.
    pub mesh: String,
    /// Their numbers.
    pub counts: Counts,
}

/// Computes the numbers for each scrape.
pub(super) struct Collector<F>(F);

impl<F: Fn() -> Vec<Proxies> + Send + Sync + 'static> Collector<F> {
    pub(super) fn new(snapshot: F) -> Self {
        Self(snapshot)
    }
}

impl<F> fmt::Debug for Collector<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

impl<F: Fn() -> Vec<Proxies> + Send + Sync + 'static> collector::Collector for Collector<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = format!("{}.", PROXIES.help);
        let mut family =
            encoder.encode_descriptor(PROXIES.stem(), &help, None, MetricType::Gauge)?;
        for proxies in (self.0)() {
            let Counts {
                connected,
                healthy,
                total,
            } = proxies.counts;
            for (state, count) in [
                ("connected", connected),
                ("healthy", healthy),
                ("total", total),
            ] {
                let labels = ProxyLabels {
                    namespace: proxies.namespace.clone(),
                    workload: proxies.workload.clone(),
                    mesh: proxies.mesh.clone(),
                    state,
                };
                ConstGauge::new(i64::from(count)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
