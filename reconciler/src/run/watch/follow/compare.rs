//! Compares a watch with the server (L20).

use std::time::Duration;

use kube::{
    api::{ListParams, Request},
    core::ObjectList,
};
use tokio::time::Instant;

use super::{Follower, IndexedRecord, is_lower};

/// A number of objects that differs twice in a row is a reason to list them anew, once in this time.
const RECOUNT: Duration = Duration::from_secs(60 * 60);

impl Follower {
    /// Compares the watch with the server (L20). Returns false if the objects are to be listed anew.
    pub(super) async fn compare<K: IndexedRecord>(&mut self) -> bool {
        let compare = self.scope.compare.mul_f64(0.9 + fastrand::f64() / 5.0);
        self.state.compare_at = Instant::now() + compare;
        self.starts.next().await;
        let mut parameters = ListParams::default().limit(1);
        parameters.label_selector.clone_from(&self.scope.selector);
        let request = Request::new(self.path::<K>()).list(&parameters);
        let list: ObjectList<K> = match self.api.send(request, None).await {
            Ok(list) => list,
            // The watch itself shows whether that matters.
            Err(_) => return true,
        };
        let version = list.metadata.resource_version.unwrap_or_default();
        if is_lower(&version, self.state.highest) {
            self.restored::<K>("a comparison");
            return false;
        }
        if self.scope.selector.is_some() {
            // Then the server does not say how many remain.
            return true;
        }
        let remaining = list.metadata.remaining_item_count.unwrap_or_default();
        let count = list.items.len() as u64 + u64::try_from(remaining).unwrap_or_default();
        let was_miscounted = self.state.miscounted;
        self.state.miscounted = count != self.state.count;
        let is_recent = |last: Instant| last.elapsed() < RECOUNT;
        if was_miscounted && self.state.miscounted && !self.state.recounted.is_some_and(is_recent) {
            self.state.recounted = Some(Instant::now());
            return false;
        }
        true
    }
}
