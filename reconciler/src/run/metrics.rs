//! stub
#[derive(Debug, Default)]
/// stub
pub struct Metrics;
impl Metrics {
    pub(super) fn watch_restarted(&self, _: super::index::Kind) {}
    pub(super) fn reconciled(&self, _: &str, _: std::time::Duration) {}
}
