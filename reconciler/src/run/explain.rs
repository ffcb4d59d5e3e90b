//! Why a Workload is there or not, as this replica knows it: for `status --why` and its page.

mod holder;
mod page;
mod standing;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use kuma_workload_rulebook::roster::{Key, Mode};
use tokio::time::Instant;

use self::{
    holder::Holder,
    standing::{after_failure, failure, next_look},
};
pub(super) use self::{holder::SeenHolder, page::WhyPage};
use super::{
    context::Context,
    fence::Fences,
    index::{CachedWorkload, Index},
    lock::lock,
    options::ModeFlag,
    queue::Standing,
    work_item::WorkItem,
};
use crate::explain::{
    Explanation, Facts, KnownWorkload, LeaseState, NamespaceState, ReconcilerState, by_mesh,
    command, seconds,
};

/// How many other workloads of a namespace are named.
const OTHERS: usize = 10;

/// What explains Workloads. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Explainer {
    pub(super) context: Context,
    pub(super) fences: Arc<Mutex<Fences>>,
    /// The name of this replica.
    pub(super) identity: String,
    pub(super) mode: ModeFlag,
    /// The only namespaces that count; none where all do.
    pub(super) namespaces: BTreeSet<String>,
    /// None without leader election.
    pub(super) lease: Option<SeenLease>,
}

/// The Lease, as this replica has seen it last.
#[derive(Debug, Clone)]
pub(super) struct SeenLease {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) holder: SeenHolder,
}

impl Explainer {
    /// Explains a Workload.
    pub(super) fn explain(&self, key: &Key) -> Explanation {
        let now = Instant::now();
        let leads = self.context.leads();
        let item = WorkItem::Workload(key.clone());
        let standing = self.context.queue().standing(&item);
        let (mut facts, mode) = self.facts(key);
        facts.obstacle = match facts.is_write_due() {
            true => Some(self.obstacle(leads, standing.as_ref(), now)),
            false => None,
        };
        let is_unknown = facts.workload.is_none() && facts.dataplanes.is_empty();
        let mut explanation = Explanation::of(facts);
        if is_unknown {
            explanation.other_workloads = self.others(key);
        }
        let progress = &self.context.progress;
        explanation.reconciler = Some(ReconcilerState {
            replica: self.identity.clone(),
            leads,
            mode,
            next: standing.as_ref().map(|standing| next_look(standing, now)),
            last_failure: standing
                .and_then(|it| it.hold)
                .map(|hold| failure(&hold, now)),
            fence: lock(&self.fences).explain(key),
            waiting_for: progress.pending(&self.context.health),
            api_server_away_seconds: self
                .context
                .health
                .away_since()
                .map(|since| seconds(now.saturating_duration_since(since))),
        });
        explanation.lease = self.lease.as_ref().map(SeenLease::state);
        explanation.note = self.note(key, leads);
        explanation
    }

    /// What is known about a Workload, and the mode in words.
    fn facts(&self, key: &Key) -> (Facts, String) {
        let progress = &self.context.progress;
        let waiting_for = match progress.is_ready() {
            true => Vec::new(),
            false => progress.pending(&self.context.health),
        };
        let index = self.context.index();
        let is_listed = self.namespaces.is_empty() || self.namespaces.contains(&key.namespace);
        let view = index.view(key);
        let facts = Facts {
            key: key.clone(),
            decision: view.decision,
            workload: view.existing.as_ref().map(known_workload),
            dataplanes: by_mesh(index.roster().references(key)),
            unreadable: index.unreadable(key),
            namespace: match () {
                () if !is_listed || !index.is_selected(&key.namespace) => {
                    NamespaceState::Unselected
                }
                () if index.is_terminating(&key.namespace) => NamespaceState::Terminating,
                () => NamespaceState::Present,
            },
            mode: index.mode(),
            waiting_for,
            obstacle: None,
        };
        (facts, self.mode(&index))
    }

    fn mode(&self, index: &Index) -> String {
        let why = match (self.mode, index.mode(), index.evidence()) {
            (ModeFlag::Manage, ..) => return "manage (--mode manage)".to_owned(),
            (ModeFlag::Observe, ..) => return "observe (--mode observe)".to_owned(),
            (ModeFlag::Auto, Mode::Yield, Some(key)) => format!(
                "a control plane manages Workloads, as {}/{} shows",
                key.namespace, key.workload
            ),
            (ModeFlag::Auto, Mode::Yield, None) => {
                "a control plane has managed Workloads until a moment ago".to_owned()
            }
            (ModeFlag::Auto, ..) => {
                return "manage (--mode auto, and no control plane is seen to manage Workloads)"
                    .to_owned();
            }
        };
        format!("yield (--mode auto, and {why})")
    }

    /// Why a write that is due has not been done, as a clause.
    fn obstacle(&self, leads: bool, standing: Option<&Standing>, now: Instant) -> String {
        if !leads {
            return self.standby();
        }
        let Some(standing) = standing else {
            return "it has just been seen".to_owned();
        };
        if let Some(hold) = &standing.hold
            && hold.until > now
        {
            return after_failure(hold);
        }
        if !self.context.progress.allows_deletes() && standing.is_waiting {
            return "every kind is being listed anew".to_owned();
        }
        match standing.is_waiting {
            true => "its last write was a moment ago (--status-interval)".to_owned(),
            false => standing.step.to_owned(),
        }
    }

    /// Why this replica does not lead, as a clause.
    fn standby(&self) -> String {
        let Some(lease) = &self.lease else {
            return "this replica is stopping".to_owned();
        };
        match lease.holder.get() {
            Holder::Unknown => "this replica has not read the Lease yet".to_owned(),
            Holder::Nobody => "no replica leads: nobody holds the Lease".to_owned(),
            Holder::Somebody(holder) if holder == self.identity => {
                "this replica holds the Lease and does not lead yet".to_owned()
            }
            Holder::Somebody(holder) => {
                format!("the leader, {holder}, has not written it, and this replica is a standby")
            }
        }
    }

    /// The names that Dataplanes of the same namespace refer to, for whoever has mistyped one.
    fn others(&self, key: &Key) -> Vec<String> {
        let first = Arc::new(WorkItem::Namespace(key.namespace.clone()));
        let keys: Vec<_> = {
            let queue = self.context.queue();
            let items = queue.items_after(Some(&first));
            let items = items.take_while(|item| item.namespace() == key.namespace);
            let keys = items.filter_map(|item| match &**item {
                WorkItem::Workload(key) => Some(key.clone()),
                WorkItem::Namespace(_) => None,
            });
            keys.take(OTHERS * 2).collect()
        };
        let index = self.context.index();
        let referred = keys.into_iter().filter(|key| index.is_referred_to(key));
        referred.map(|key| key.workload).take(OTHERS).collect()
    }

    /// Whom to ask if this replica does not know all.
    fn note(&self, key: &Key, leads: bool) -> Option<String> {
        let lease = self.lease.as_ref()?;
        match lease.holder.get() {
            Holder::Somebody(holder) if !leads && holder != self.identity => {
                let command = command(&lease.namespace, Some(&holder), key);
                Some(format!("ask the leader: {command}"))
            }
            _ => None,
        }
    }
}

impl SeenLease {
    fn state(&self) -> LeaseState {
        let (holder, unknown) = match self.holder.get() {
            Holder::Unknown => (None, Some("it has not been read yet".to_owned())),
            Holder::Nobody => (None, None),
            Holder::Somebody(holder) => (Some(holder), None),
        };
        LeaseState {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            holder,
            renewed: None,
            unknown,
        }
    }
}

fn known_workload(workload: &CachedWorkload) -> KnownWorkload {
    let facts = workload.facts();
    KnownWorkload {
        mesh: facts.mesh.map(str::to_owned),
        manager: facts.managed_by.map(str::to_owned),
        reported: workload.reported,
        is_being_deleted: workload.is_terminating,
    }
}

#[cfg(test)]
mod tests;
