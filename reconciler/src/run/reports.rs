//! stub
use super::index::{Index, View};
use kuma_workload_rulebook::roster::Key;
use tokio::time::Instant;
#[derive(Debug, Default)]
pub(super) struct Reporter;
impl Reporter {
    pub(super) fn workload(&self, _: &Key, _: &View, _: &Index) -> Option<Instant> {
        None
    }
    pub(super) fn namespace(&self, _: &str, _: &Index) -> Option<Instant> {
        None
    }
    pub(super) fn forget_workload(&self, _: &Key) {}
    pub(super) fn forget_namespace(&self, _: &str) {}
}
