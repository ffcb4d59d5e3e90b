//! One pass over an item: what the rules say of it is reported and carried out.
//!
//! A pass makes one write at most. Its answer goes into the index, which asks for another pass: that
//! one writes what is left to write, or nothing.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kuma_workload_rulebook::{
    counts::Counts,
    roster::{Action, Key, Write},
};
use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use super::{
    backoff::Backoff,
    events::{Condition, Reporter, Subject},
    index::{Index, Item, Kept, View},
    lease::Leadership,
    metrics::{Metrics, Outcome},
    queue::Queue,
    readiness::Readiness,
    throttle::Throttle,
    write::{NotDone, Writer},
};
use crate::{
    client::Failure,
    kinds::{self, DataplaneProxies, Workload},
};

/// How long the same complaint is not repeated in the log.
const QUIET: Duration = Duration::from_secs(60);

/// What watches and workers share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    index: Arc<Mutex<Index>>,
    pub(super) queue: Queue<Item>,
    pub(super) readiness: Readiness,
    pub(super) metrics: Arc<Metrics>,
    leadership: watch::Receiver<Leadership>,
    said: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Shared {
    pub(super) fn new(
        index: Arc<Mutex<Index>>,
        queue: Queue<Item>,
        metrics: Arc<Metrics>,
        leadership: watch::Receiver<Leadership>,
    ) -> Self {
        Self {
            index,
            queue,
            readiness: Readiness::default(),
            metrics,
            leadership,
            said: Arc::default(),
        }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These have changed. Until we are at work nobody looks, and then all is looked at.
    pub(super) fn look_at(&self, items: Vec<Item>) {
        if self.is_at_work() {
            for item in items {
                self.queue.soon(item);
            }
        }
    }

    /// Looks at all there is. That a control plane manages Workloads is known before the first of
    /// them is written, whichever that is (L17).
    pub(super) fn look_at_all(&self) {
        let mut index = self.index();
        let items = index.items();
        let evidence = items.iter().find_map(|item| match item {
            Item::Workload(key) => index.yields_now(key).then_some(key),
            Item::Namespace(_) => None,
        });
        drop(index);
        if let Some(key) = evidence {
            say_that_we_yield(key);
        }
        self.look_at(items);
    }

    pub(super) fn leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// Whether we hold the Lease.
    pub(super) fn leads(&self) -> bool {
        self.leadership.borrow().holds()
    }

    /// Whether we lead and know all there is.
    fn is_at_work(&self) -> bool {
        self.leads() && self.readiness.is_ready()
    }

    /// A complaint for the log, once in a while.
    pub(super) fn say(&self, sentence: &str) {
        let now = Instant::now();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, last| now - *last < QUIET);
        if !said.contains_key(sentence) {
            said.insert(sentence.to_owned(), now);
            tracing::warn!("{sentence}");
        }
    }
}

fn say_that_we_yield(
    Key {
        namespace,
        workload,
    }: &Key,
) {
    tracing::info!(
        "Workload {namespace}/{workload} is managed by a control plane and a Dataplane refers to it: from now on Workloads are left to the control plane (mode auto)"
    );
}

/// Carries out what the rules say.
pub(super) struct Controller {
    shared: Shared,
    writer: Writer,
    reporter: Reporter,
    /// Numbers are written once in a time ...
    counts: Mutex<Throttle<Key>>,
    /// ... and labels too, in case that another changes them back.
    relabels: Mutex<Throttle<Key>>,
    failing: Mutex<HashMap<Item, Backoff>>,
    /// Writes that the API server will never take, until something changes.
    refused: Mutex<HashMap<Key, Refused>>,
    has_status_subresource: Mutex<Option<bool>>,
}

#[derive(Debug, PartialEq)]
struct Refused {
    write: Intent,
    resource_version: Option<Box<str>>,
}

/// What a pass is to write.
#[derive(Debug, Clone, PartialEq)]
enum Intent {
    Object(Write),
    Status(Counts),
}

impl Controller {
    pub(super) fn new(
        shared: Shared,
        writer: Writer,
        reporter: Reporter,
        status_interval: Duration,
    ) -> Self {
        Self {
            shared,
            writer,
            reporter,
            counts: Mutex::new(Throttle::new(status_interval)),
            relabels: Mutex::new(Throttle::new(status_interval)),
            failing: Mutex::default(),
            refused: Mutex::default(),
            has_status_subresource: Mutex::default(),
        }
    }

    /// One pass; answers when the next is due, if one is.
    pub(super) async fn pass(&self, item: Item) -> Option<Instant> {
        let leadership = *self.shared.leadership.borrow();
        let until = leadership.until().filter(|_| self.shared.is_at_work())?;
        match &item {
            Item::Workload(key) => self.workload(key, until).await,
            Item::Namespace(name) => {
                self.namespace(name);
                None
            }
        }
    }

    fn namespace(&self, name: &str) {
        let index = self.shared.index();
        let subject = Subject::Namespace(name.to_owned());
        if !index.is_selected(name) {
            return self.reporter.forget(&subject);
        }
        let namespace = index.roster().namespace(name);
        self.reporter
            .observe(subject, Condition::of_namespace(&namespace));
    }

    async fn workload(&self, key: &Key, until: Instant) -> Option<Instant> {
        let begun = Instant::now();
        let view = {
            let mut index = self.shared.index();
            if !index.is_selected(&key.namespace) {
                self.reporter.forget(&Subject::Workload(key.clone()));
                return None;
            }
            if index.yields_now(key) {
                say_that_we_yield(key);
                let items = index.items();
                items
                    .into_iter()
                    .for_each(|item| self.shared.queue.soon(item));
            }
            index.asks(key);
            index.view(key)
        };
        let condition = Condition::of(&view.decision.action);
        self.reporter
            .observe(Subject::Workload(key.clone()), condition);
        let mut carried_out = self.carry_out(key, &view, until).await;
        if matches!(carried_out, Err(NotDone::Stale))
            && let Err(failed) = self.refresh(key, &view).await
        {
            carried_out = Err(failed);
        }
        self.shared.index().asks_no_more(key);
        let (result, again) = self.outcome(key, &view, carried_out);
        self.shared.metrics.reconciled(result, begun.elapsed());
        again
    }

    /// Reads what has changed unseen: the watch may be slow.
    async fn refresh(&self, key: &Key, view: &View) -> Result<(), NotDone> {
        let read = self.writer.read(key).await?;
        let mut index = self.shared.index();
        match (read, &view.existing) {
            (Some(workload), _) => drop(index.answered(&workload)),
            (None, Some(seen)) => drop(index.delete_workload(key, Some(&seen.uid))),
            (None, None) => {}
        }
        Ok(())
    }

    async fn carry_out(&self, key: &Key, view: &View, until: Instant) -> Result<Done, NotDone> {
        let Some(intent) = intent(view) else {
            self.refused().remove(key);
            return Ok(Done::Nothing);
        };
        let is_terminating = |kept: &Kept| kept.is_terminating;
        if view.existing.as_ref().is_some_and(is_terminating) {
            return Ok(Done::Nothing);
        }
        let refused = Refused {
            write: intent.clone(),
            resource_version: view
                .existing
                .as_ref()
                .map(|kept| kept.resource_version.clone()),
        };
        if self.refused().get(key) == Some(&refused) {
            return Ok(Done::Nothing);
        }
        let done = match intent {
            Intent::Object(write) => self.write(key, view, &write, until).await,
            Intent::Status(counts) => self.count(key, view, counts, until).await,
        };
        match &done {
            Err(NotDone::Refused(_)) => self.refused().insert(key.clone(), refused),
            _ => self.refused().remove(key),
        };
        done
    }

    async fn write(
        &self,
        key: &Key,
        view: &View,
        write: &Write,
        until: Instant,
    ) -> Result<Done, NotDone> {
        let Key {
            namespace,
            workload: name,
        } = key;
        let workload = match (write, &view.existing) {
            (Write::Create { mesh }, _) => {
                if self.shared.index().is_terminating(namespace) {
                    return Err(NotDone::NoNamespace);
                }
                let created = self.writer.create(key, mesh, until).await?;
                tracing::info!("created Workload {namespace}/{name} in mesh {mesh}");
                created
            }
            (
                Write::Relabel {
                    mesh,
                    drop_mesh_owners,
                    ..
                },
                Some(seen),
            ) => {
                if let Err(when) = turn(&self.relabels, key) {
                    return Ok(Done::NotYet(when));
                }
                let owners = (!drop_mesh_owners.is_empty())
                    .then(|| owners(seen, drop_mesh_owners, view.mesh_owner.as_ref()));
                let relabelled = self.writer.relabel(key, seen, mesh, owners, until).await?;
                tracing::info!("labelled Workload {namespace}/{name} for mesh {mesh}");
                relabelled
            }
            (Write::Delete, Some(seen)) => {
                self.writer.delete(key, seen, until).await?;
                tracing::info!("deleted Workload {namespace}/{name}, which nothing refers to");
                let items = self.shared.index().delete_workload(key, Some(&seen.uid));
                self.shared.look_at(items);
                return Ok(Done::Written(written(write)));
            }
            // There is nothing to relabel or delete: not decided by the rules.
            (Write::Relabel { .. } | Write::Delete, None) => return Ok(Done::Nothing),
        };
        let items = self.shared.index().answered(&workload);
        self.shared.look_at(items);
        Ok(Done::Written(written(write)))
    }

    async fn count(
        &self,
        key: &Key,
        view: &View,
        counts: Counts,
        until: Instant,
    ) -> Result<Done, NotDone> {
        let Some(seen) = &view.existing else {
            return Ok(Done::Nothing);
        };
        let has_subresource = self.has_status_subresource().await?;
        if let Err(when) = turn(&self.counts, key) {
            return Ok(Done::NotYet(when));
        }
        let written = self
            .writer
            .status(key, seen, counts, has_subresource, until)
            .await;
        let is_kept = |workload: &Workload| workload.reported == Some(proxies(counts));
        if !written.as_ref().is_ok_and(is_kept) {
            // Perhaps another CustomResourceDefinition is in place now: ask again before the next.
            *self.subresource() = None;
        }
        let workload = written?;
        if !is_kept(&workload) {
            return Err(NotDone::Later {
                failure: Failure::new("the API server has not kept the numbers of a Workload"),
                after: None,
            });
        }
        self.shared.metrics.status_written();
        let items = self.shared.index().answered(&workload);
        self.shared.look_at(items);
        Ok(Done::Written(Outcome::Counted))
    }

    async fn has_status_subresource(&self) -> Result<bool, NotDone> {
        let known = *self.subresource();
        if let Some(known) = known {
            return Ok(known);
        }
        let asked = self.writer.has_status_subresource().await?;
        *self.subresource() = Some(asked);
        Ok(asked)
    }

    /// What became of a pass: a word for the metric, and when to try again.
    fn outcome(
        &self,
        key: &Key,
        view: &View,
        done: Result<Done, NotDone>,
    ) -> (Outcome, Option<Instant>) {
        let item = Item::Workload(key.clone());
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(done, Err(NotDone::Later { .. } | NotDone::Stale)) {
            failing.remove(&item);
        }
        let now = Instant::now();
        match done {
            Ok(Done::Nothing) => (idle(&view.decision.action), None),
            Ok(Done::NotYet(when)) => (Outcome::Throttled, Some(when)),
            Ok(Done::Written(what)) => (what, None),
            Err(NotDone::NoNamespace) => (Outcome::NoNamespace, None),
            Err(NotDone::Refused(failure)) => {
                let Key {
                    namespace,
                    workload,
                } = key;
                tracing::warn!(
                    "Workload {namespace}/{workload}: {failure}; it is not tried again until something changes"
                );
                (Outcome::Refused, None)
            }
            Err(NotDone::Stale) => {
                let backoff = failing.entry(item).or_insert_with(Backoff::of_writes);
                let wait = backoff.next();
                drop(failing);
                (Outcome::Stale, Some(now + wait))
            }
            Err(NotDone::Later { failure, after }) => {
                let backoff = failing.entry(item).or_insert_with(Backoff::of_writes);
                let wait = backoff.next().max(after.unwrap_or_default());
                drop(failing);
                self.shared.say(&format!("{failure}; it is tried again"));
                (Outcome::Failed, Some(now + wait))
            }
        }
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<Key, Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subresource(&self) -> MutexGuard<'_, Option<bool>> {
        self.has_status_subresource
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the right to write now, or says when there will be one.
fn turn(throttle: &Mutex<Throttle<Key>>, key: &Key) -> Result<(), Instant> {
    let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
    throttle.take(key.clone(), Instant::now())
}

/// What a pass did.
#[derive(Debug)]
enum Done {
    Nothing,
    Written(Outcome),
    NotYet(Instant),
}

fn written(write: &Write) -> Outcome {
    match write {
        Write::Create { .. } => Outcome::Created,
        Write::Relabel { .. } => Outcome::Relabelled,
        Write::Delete => Outcome::Deleted,
    }
}

/// Why nothing was written.
fn idle(action: &Action) -> Outcome {
    match action {
        Action::Nothing | Action::Write(_) => Outcome::Unchanged,
        Action::Withheld(_) => Outcome::Withheld,
        Action::Leave { .. } => Outcome::Foreign,
        Action::Conflict { .. } => Outcome::Conflict,
        Action::Impossible(_) => Outcome::Impossible,
    }
}

fn intent(view: &View) -> Option<Intent> {
    match &view.decision.action {
        Action::Write(write) => Some(Intent::Object(write.clone())),
        _ => {
            let status = view.decision.status.filter(|status| status.ours)?;
            let reported = view.existing.as_ref()?.reported;
            (reported != Some(proxies(status.counts))).then_some(Intent::Status(status.counts))
        }
    }
}

/// The numbers as an object has them.
pub(super) fn proxies(counts: Counts) -> DataplaneProxies {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    DataplaneProxies {
        connected: number(counts.connected),
        healthy: number(counts.healthy),
        total: number(counts.total),
    }
}

/// All owners that stay, and the Mesh that comes.
fn owners(seen: &Kept, dropped: &BTreeSet<String>, mesh: Option<&OwnerReference>) -> Value {
    let stays = |owner: &&OwnerReference| !(kinds::is_mesh(owner) && dropped.contains(&owner.name));
    let staying = seen.owners.iter().filter(stays);
    let is_there = |mesh: &&OwnerReference| seen.owners.iter().all(|owner| owner.uid != mesh.uid);
    let owners = staying.chain(mesh.filter(is_there));
    owners
        .map(|owner| serde_json::to_value(owner).unwrap_or_default())
        .collect()
}
