//! Runs the lists before and after deletes (L19).

use std::{collections::BTreeSet, sync::Arc};

use kuma_workload_rulebook::roster::Key;
use tokio::time::Instant;

use super::{Dispatcher, Done};
use crate::{
    kinds::RecordKind,
    run::{
        fence::{FenceList, FenceOutcome, References, list_references},
        lock::lock,
        queue::{FailureKind, WriteFailure},
        requests::RequestError,
        work_item::WorkItem,
    },
};

impl Dispatcher {
    /// Starts the lists that are due before deletes. Returns when the next one is.
    pub(super) fn start_fences(&mut self, now: Instant) -> Option<Instant> {
        if !self.leads {
            return None;
        }
        loop {
            let next = lock(&self.fences).next(now);
            let list = match next {
                Ok(list) => list,
                Err(next) => return next,
            };
            let (api, context) = (self.api.clone(), self.context.clone());
            let poll = self.context.metrics.polls().of("lists before deletes");
            self.running.spawn(poll.measure(async move {
                let references = list_references(&api, &context, &list.namespace).await;
                Done::Fence { list, references }
            }));
        }
    }

    pub(super) fn finish_fence(
        &self,
        list: FenceList,
        references: Result<References, RequestError>,
    ) {
        const WHAT: &str = "list dataplanes.kuma.io";
        let now = Instant::now();
        let metrics = &self.context.metrics;
        match references {
            Ok(references) => {
                let outcome = lock(&self.fences).listed(list, &references, now);
                metrics.fenced(true);
                self.follow_fence(outcome, now);
            }
            Err(error) => {
                metrics.fenced(false);
                let failure = error.failure(WHAT).to_string();
                let sentence = format!(
                    "{failure}; no Workload is deleted in namespace {} before that succeeds",
                    list.namespace
                );
                self.context
                    .journal
                    .warn(&format!("fence {}", error.trouble(WHAT)), &sentence);
                let retry_after = error.retry_after();
                lock(&self.fences).failed(list, failure, retry_after, now);
            }
        }
    }

    fn follow_fence(&self, outcome: FenceOutcome, now: Instant) {
        let FenceOutcome {
            passed,
            referenced,
            unknown,
            missed,
        } = outcome;
        let mut behind = BTreeSet::new();
        for key in missed {
            if !self.context.index().is_referred_to(&key) {
                behind.insert(key.namespace);
            }
        }
        for key in referenced {
            if self.hold_back(
                &key,
                "a Dataplane refers to it that the watch has not shown",
                now,
            ) {
                behind.insert(key.namespace);
            }
        }
        // A list cannot help: what it lacks is not in the Dataplane.
        for key in unknown {
            self.hold_back(
                &key,
                "the workload of a Dataplane in its namespace is not known",
                now,
            );
        }
        for namespace in behind {
            self.context
                .progress
                .relist(RecordKind::Dataplane, &namespace);
        }
        for key in passed {
            self.context.queue().enqueue(WorkItem::Workload(key), now);
        }
    }

    /// A delete is not done, and is due again later. Returns false if it is not due any more: the watch has
    /// shown a Dataplane meanwhile.
    fn hold_back(&self, key: &Key, why: &str, now: Instant) -> bool {
        let item = WorkItem::Workload(key.clone());
        let is_referred_to = self.context.index().is_referred_to(key);
        let mut queue = self.context.queue();
        if is_referred_to {
            queue.enqueue(item, now);
            return false;
        }
        let failure = WriteFailure {
            kind: FailureKind::Fence,
            sentence: format!(
                "Workload {}/{} is not deleted: {why}",
                key.namespace, key.workload
            ),
            retry_after: None,
            rejected: None,
        };
        queue.failed(&Arc::new(item), failure, now);
        true
    }
}
