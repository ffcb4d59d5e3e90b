//! Lists all objects of a kind, and sweeps away those that were not in the list.

use futures::FutureExt;
use kube::{
    api::{ListParams, Request},
    core::ObjectList,
};
use tokio::{task::yield_now, time::Instant};

use super::{Follower, IndexedRecord, PAGE};
use crate::run::{
    index::{Index, ListBegan},
    journal::Journal,
    planted::{PlantedFault, planted},
    requests::RequestError,
    work_item::Changed,
};

/// How many objects are applied, or swept away, before other tasks have their turn.
pub(super) const SLICE: usize = 250;

impl Follower {
    /// Lists all objects, in pages.
    pub(super) async fn list<K: IndexedRecord>(&mut self) -> Result<(), RequestError> {
        if planted(PlantedFault::ListResetsBackoff) {
            self.state.backoff.reset();
        }
        // What was asked for until now, this list answers.
        let _ = self.relist.notified().now_or_never();
        self.state.list_began = Instant::now();
        self.follow_epoch();
        let mut began = self.context.index().relist(K::KIND);
        let mut parameters = ListParams::default().limit(self.state.page);
        parameters.label_selector.clone_from(&self.scope.selector);
        let mut count = 0;
        loop {
            let request = Request::new(self.path::<K>()).list(&parameters);
            self.state.is_amid_list = parameters.continue_token.is_some();
            let page: ObjectList<K> = self.api.send(request, None).await?;
            let version = page.metadata.resource_version.unwrap_or_default();
            if !self.state.is_amid_list {
                if !self.is_in_order(&version) {
                    self.restored::<K>("a list");
                    self.is_in_order(&version);
                }
                self.context.progress.lists(self.id);
            }
            count += page.items.len() as u64;
            self.apply_page(page.items, &began).await;
            if planted(PlantedFault::SharedMarks) {
                self.sweep(&mut began).await;
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters.continue_token = Some(token),
                None => {
                    self.state.version = version;
                    break;
                }
            }
        }
        self.sweep(&mut began).await;
        let compare = self.scope.compare.mul_f64(0.9 + fastrand::f64() / 5.0);
        let state = &mut self.state;
        (state.count, state.miscounted) = (count, false);
        state.compare_at = Instant::now() + compare;
        state.page = PAGE;
        self.context.progress.listed(self.id, self.state.epoch);
        Ok(())
    }

    async fn apply_page<K: IndexedRecord>(&self, objects: Vec<K>, began: &ListBegan) {
        for slice in objects.chunks(SLICE) {
            yield_now().await;
            for object in slice.iter().filter(|object| self.counts(*object)) {
                self.apply(object, |object, index, journal| {
                    object.apply_listed(index, began, journal)
                });
            }
        }
    }

    async fn sweep(&self, began: &mut ListBegan) {
        if planted(PlantedFault::SweepSkipped) {
            return;
        }
        loop {
            yield_now().await;
            let namespace = self.scope.namespace.as_deref();
            let swept = self.context.index().sweep(began, namespace, SLICE);
            self.context.enqueue(swept.changed);
            if !swept.has_more {
                return;
            }
        }
    }

    pub(super) fn apply<K: IndexedRecord>(
        &self,
        object: &K,
        change: impl FnOnce(&K, &mut Index, &Journal) -> Changed,
    ) {
        if object.is_faulty() {
            self.context.metrics.undecodable(K::KIND);
        }
        let changed = change(object, &mut self.context.index(), &self.context.journal);
        self.context.enqueue(changed);
    }

    /// Whether an object is in the namespaces that count.
    pub(super) fn counts<K: IndexedRecord>(&self, object: &K) -> bool {
        let namespace = object.meta().namespace.as_deref().unwrap_or_default();
        let only = self.scope.only.as_ref();
        only.is_none_or(|only| only.contains(namespace))
    }
}
