//! Looks at an item: what is to be done about it. It is synchronous and asks nobody.

use std::time::Duration;

use kuma_workload_rulebook::roster::{Key, Write};
use tokio::time::Instant;

use super::{
    Controller, RejectedChange,
    change::{self, Change},
    look::{Look, Want},
};
use crate::run::{
    events::Condition,
    lock::lock,
    metrics::WorkloadState,
    queue::{ItemState, WriteKind},
    work_item::WorkItem,
};

/// How soon a condition is looked at again that was seen while Dataplanes were listed.
const LISTING: Duration = Duration::from_secs(1);

impl Controller {
    /// Looks at an item. What is wrong with it is reported if this replica leads.
    pub(in crate::run) fn look(&self, item: &WorkItem, leads: bool, now: Instant) -> Look {
        match item {
            WorkItem::Workload(key) => self.look_at_workload(item, key, leads, now),
            WorkItem::Namespace(name) => self.look_at_namespace(item, name, leads, now),
        }
    }

    fn look_at_namespace(&self, item: &WorkItem, name: &str, leads: bool, now: Instant) -> Look {
        let index = self.context.index();
        if !index.is_selected(name) {
            self.recorder.forget(item);
            return Look::nothing(None, index.has_workloads(name));
        }
        let meshes = index.meshes_of(name);
        let state = meshes.is_split().then_some(ItemState::SplitNamespace);
        let mut look = Look::nothing(state, !meshes.meshes.is_empty());
        if leads {
            look.again = self.report(item, Condition::of_namespace(&meshes), now);
        }
        look
    }

    /// Reports the condition of an item, unless it may not be so: while Dataplanes are listed, those that
    /// are gone are still known, and may be of another mesh than those that have come. Returns when to
    /// look again then.
    fn report(
        &self,
        item: &WorkItem,
        condition: Option<Condition>,
        now: Instant,
    ) -> Option<Instant> {
        let is_of_meshes = matches!(
            condition,
            Some(Condition::Conflict { .. } | Condition::Split { .. })
        );
        let progress = &self.context.progress;
        if is_of_meshes && progress.is_listing_dataplanes(item.namespace()) {
            return Some(now + LISTING);
        }
        self.recorder.observe(item.clone(), condition);
        None
    }

    fn look_at_workload(&self, item: &WorkItem, key: &Key, leads: bool, now: Instant) -> Look {
        let mut index = self.context.index();
        index.review_evidence(key);
        let view = index.view(key);
        if !index.is_selected(&key.namespace) {
            self.recorder.forget(item);
            let is_left = view.existing.as_ref().is_some_and(|it| it.is_ours());
            let state = is_left.then_some(ItemState::Workload(WorkloadState::Unselected));
            if is_left && leads {
                let sentence = format!(
                    "{item} is in a namespace that is not selected: it and its numbers stay as they are"
                );
                self.context
                    .tell_once("unselected", &key.namespace, &sentence);
            }
            let is_known = view.existing.is_some() || index.is_referred_to(key);
            return Look::nothing(state, is_known);
        }
        let has_no_namespace = index.is_terminating(&key.namespace);
        let is_known = view.existing.is_some() || index.is_referred_to(key);
        drop(index);
        let action = &view.decision.action;
        let state = WorkloadState::of(&view.decision).map(ItemState::Workload);
        let mut look = Look::nothing(state, is_known);
        if leads {
            look.again = self.report(item, Condition::of(action), now);
        }
        look.result = Some(change::result_without_change(action));
        // A Workload that is being deleted waits for its finalizers.
        let is_going = view.existing.as_ref().is_some_and(|it| it.is_terminating);
        let Some(change) = Change::due(&view).filter(|_| !is_going) else {
            return look;
        };
        let throttle = match &change {
            Change::Status(_) => Some(&self.counts),
            Change::Object(Write::Relabel { .. }) => Some(&self.relabels),
            Change::Object(Write::Create { .. } | Write::Delete) => None,
        };
        look.want = Some(Want {
            kind: match &change {
                Change::Object(_) => WriteKind::Object,
                Change::Status(_) => WriteKind::Numbers,
            },
            is_delete: matches!(change, Change::Object(Write::Delete)),
            has_no_namespace: has_no_namespace
                && matches!(change, Change::Object(Write::Create { .. })),
            not_before: throttle.and_then(|throttle| lock(throttle).not_before(key, now)),
            change: RejectedChange::of(change, &view),
        });
        look
    }
}
