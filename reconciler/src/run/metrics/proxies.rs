//! The actual numbers of every Workload's proxies, as a metric (S7).

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use kuma_workload_rulebook::counts::Counts;
use prometheus_client::{
    collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

use super::{labels::ProxyLabels, table::PROXIES};
use crate::run::lock::lock;

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

/// The numbers of the last snapshot. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot(Arc<Mutex<Vec<Proxies>>>);

impl Snapshot {
    /// The numbers for the next page.
    pub(super) fn set(&self, proxies: Vec<Proxies>) {
        *lock(&self.0) = proxies;
    }
}

impl collector::Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = format!("{}.", PROXIES.help);
        let mut family =
            encoder.encode_descriptor(PROXIES.stem(), &help, None, MetricType::Gauge)?;
        for proxies in std::mem::take(&mut *lock(&self.0)) {
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
