//! Finds out what was said before this term: the events in the cluster are the memory that replicas
//! share.
//!
//! Of the events about one item, the one that was written last tells what stands. That is the one with
//! the highest resourceVersion: the times in events come from different clocks.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::{ResourceExt, api::ListParams};
use kuma_workload_rulebook::roster::Key;
use tokio::time::Instant;

use super::{
    condition::Announcement,
    reason::{EventReason, REASONS, REPEAT_INTERVAL},
    requests::{FailureKind, RequestFailure, Requests},
    schedule::Recalled,
    series::{CONTROLLER, age, last_sent},
};
use crate::run::work_item::WorkItem;

/// How many events are read at once.
const PAGE: u32 = 500;

/// How often it is tried to read the events of a namespace, or of all. After that, events are sent
/// without knowing them: an API server that cannot list its events in time may still accept new ones.
const ATTEMPTS: u32 = 10;

/// What was found out so far.
#[derive(Debug)]
pub(super) struct Recall {
    /// The term that it is for.
    pub(super) term: u64,
    /// Where to look, the next first; none is all namespaces.
    scopes: VecDeque<Option<String>>,
    newest: BTreeMap<WorkItem, Said>,
    /// How often a list has failed since the last success.
    failures: u32,
    /// Something of the next scope was read: so what is refused now was granted a moment ago.
    has_begun: bool,
}

/// What the newest event about an item says.
#[derive(Debug)]
struct Said {
    version: u64,
    standing: Option<Announcement>,
    age: Duration,
    read: Instant,
}

impl Recall {
    /// Nothing was found out. `namespaces`: where to look; everywhere if there are none.
    pub(super) fn new(term: u64, namespaces: &BTreeSet<String>) -> Self {
        let scopes = match namespaces.is_empty() {
            true => VecDeque::from([None]),
            false => namespaces.iter().cloned().map(Some).collect(),
        };
        Self {
            term,
            scopes,
            newest: BTreeMap::new(),
            failures: 0,
            has_begun: false,
        }
    }

    /// Whether there is nowhere left to look.
    pub(super) fn is_done(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Reads the events of the next scope. After a failure it is still the next.
    pub(super) async fn read_next(
        &mut self,
        requests: &Requests,
        now: Timestamp,
    ) -> Result<(), RequestFailure> {
        let Some(scope) = self.scopes.front().cloned() else {
            return Ok(());
        };
        let events = requests.events(scope.as_deref());
        let mut page = ListParams::default()
            .fields(&format!("reportingController={CONTROLLER}"))
            .limit(PAGE);
        loop {
            let list = requests.send(events.list(&page)).await;
            let list = list.map_err(|error| RequestFailure::of("list", &error))?;
            self.has_begun = true;
            for event in &list.items {
                self.read(event, now);
            }
            page.continue_token = list.metadata.continue_.filter(|token| !token.is_empty());
            if page.continue_token.is_none() {
                break;
            }
        }
        self.skip();
        Ok(())
    }

    /// Whether the next scope is tried again after this failure.
    pub(super) fn is_tried_again(&mut self, failed: &RequestFailure) -> bool {
        self.failures += 1;
        let may_succeed =
            failed.concerns_all() || failed.kind == FailureKind::Failed || self.has_begun;
        may_succeed && self.failures < ATTEMPTS
    }

    /// Does without the next scope.
    pub(super) fn skip(&mut self) {
        self.scopes.pop_front();
        (self.failures, self.has_begun) = (0, false);
    }

    fn read(&mut self, event: &Event, now: Timestamp) {
        let Some((about, standing)) = said(event) else {
            return;
        };
        let version = event.resource_version();
        let said = Said {
            version: version.map_or(0, |version| version.parse().unwrap_or(0)),
            standing,
            age: last_sent(event).map_or(Duration::ZERO, |last| age(last, now)),
            read: Instant::now(),
        };
        let newest = self.newest.get(&about);
        if newest.is_none_or(|newest| newest.version < said.version) {
            self.newest.insert(about, said);
        }
    }

    /// What was found out.
    pub(super) fn found(self) -> Recalled {
        let recalled = |said: Said| match said.standing {
            Some(standing) => {
                let left = REPEAT_INTERVAL.saturating_sub(said.age);
                (Some(standing), said.read + left)
            }
            None => (None, said.read + REPEAT_INTERVAL),
        };
        let newest = self.newest.into_iter();
        newest
            .map(|(about, said)| (about, recalled(said)))
            .collect()
    }
}

/// What an event is about, and what it says that stands. None if it is not one of ours, or does not tell
/// what it is about.
fn said(event: &Event) -> Option<(WorkItem, Option<Announcement>)> {
    let reason = event.reason.as_deref()?;
    let reason = REASONS.into_iter().find(|known| known.text() == reason)?;
    let namespace = event.namespace()?;
    let workload = event.related.as_ref().and_then(|it| it.name.clone());
    let about = match (reason, workload) {
        // It is not repeated and has no end, so there is nothing to know.
        (EventReason::InvalidWorkloadName, _) => return None,
        (EventReason::MultipleMeshesDetected | EventReason::WorkloadManagedByAnother, None) => {
            return None;
        }
        (EventReason::MultipleMeshesInNamespace, _) | (_, None) => WorkItem::Namespace(namespace),
        (_, Some(workload)) => WorkItem::Workload(Key {
            namespace,
            workload,
        }),
    };
    let name = event.name_any();
    let stands = reason != EventReason::MultipleMeshesResolved;
    Some((about, stands.then_some(Announcement { reason, name })))
}
