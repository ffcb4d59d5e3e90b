//! The longest poll of each long-lived task, as a metric (L23).

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

use super::{labels::TaskLabels, table::LONGEST_POLL};
use crate::run::{lock::lock, poll_time::LongestPoll};

/// The longest polls, by task. Clones share them.
#[derive(Debug, Clone, Default)]
pub(in crate::run) struct PollMetrics(Arc<Mutex<BTreeMap<&'static str, LongestPoll>>>);

impl PollMetrics {
    /// That of a task. Tasks of one name share it.
    pub(in crate::run) fn of(&self, task: &'static str) -> LongestPoll {
        lock(&self.0).entry(task).or_default().clone()
    }
}

impl Collector for PollMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = format!("{}.", LONGEST_POLL.help);
        let stem = LONGEST_POLL.stem();
        let mut family = encoder.encode_descriptor(stem, &help, None, MetricType::Gauge)?;
        for (&task, longest) in &*lock(&self.0) {
            let seconds = ConstGauge::new(longest.get().as_secs_f64());
            seconds.encode(family.encode_family(&TaskLabels { task })?)?;
        }
        Ok(())
    }
}
