//! How far each watch is: what has been listed, what is stale, and whether it may be acted upon (L19,
//! L21, L23).
//!
//! An epoch ends when the API server is found to have been restored from a backup: then every watch
//! lists its kind anew.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{health::Health, lock::lock, ordered_watch};
use crate::kinds::RecordKind;

/// A needed watch that has been down for this long while the API server answers others is not ready.
const LONGEST_DOWN: Duration = Duration::from_secs(120);
/// A list that takes longer than this holds up no news.
const LONGEST_LIST: Duration = Duration::from_secs(60);

/// How far each watch is. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    state: Arc<Mutex<State>>,
    ready: Arc<ordered_watch::Sender<bool>>,
    /// Whether all Dataplanes are known, or were once.
    knows_dataplanes: Arc<ordered_watch::Sender<bool>>,
}

/// A watch, for [`Progress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WatchId(usize);

#[derive(Debug, Default)]
struct State {
    epoch: u64,
    watches: Vec<WatchState>,
    /// How many watches have not listed their kind, and nothing happens before they have.
    pending: usize,
    /// The watches of Dataplanes whose objects are being listed, and since when.
    listing: BTreeMap<usize, Instant>,
    /// How many needed watches have not listed their kind in this epoch, or find it not served. Nothing
    /// is deleted meanwhile.
    behind: usize,
}

#[derive(Debug)]
struct WatchState {
    kind: RecordKind,
    /// None for all namespaces.
    namespace: Option<String>,
    is_needed: bool,
    stage: Stage,
    /// The epoch of the last whole list.
    epoch: Option<u64>,
    /// When it has last shown that it is alive.
    sign: Instant,
    down_since: Option<Instant>,
    /// Why it is down.
    failure: Option<String>,
    relist: Arc<Notify>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its first list is waited for.
    Pending,
    /// It has listed its kind once.
    Listed,
    /// It is done without: its kind is not served, or it is optional and may not be read.
    Absent,
}

impl WatchState {
    fn is_behind(&self, epoch: u64) -> bool {
        self.is_needed && (self.stage != Stage::Listed || self.epoch != Some(epoch))
    }

    fn name(&self) -> String {
        let resource = self.kind.resource();
        match &self.namespace {
            Some(namespace) => format!("{resource} in {namespace}"),
            None => resource,
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            ready: Arc::new(ordered_watch::Sender::new(false)),
            knows_dataplanes: Arc::new(ordered_watch::Sender::new(false)),
        }
    }
}

impl Progress {
    /// A watch begins. What is not needed is done without where it may not be read.
    pub(super) fn register(
        &self,
        kind: RecordKind,
        namespace: Option<String>,
        is_needed: bool,
    ) -> (WatchId, Arc<Notify>) {
        let relist = Arc::<Notify>::default();
        let watch = WatchState {
            kind,
            namespace,
            is_needed,
            stage: Stage::Pending,
            epoch: None,
            sign: Instant::now(),
            down_since: Some(Instant::now()),
            failure: None,
            relist: relist.clone(),
        };
        let mut state = self.state();
        state.watches.push(watch);
        let id = WatchId(state.watches.len() - 1);
        self.count(state);
        (id, relist)
    }

    /// The first objects of a list have arrived. Until it has ended, those that are gone are still known
    /// beside those that have come.
    pub(super) fn lists(&self, id: WatchId) {
        let mut state = self.state();
        let watch = state.watches.get(id.0);
        if watch.is_some_and(|watch| watch.kind == RecordKind::Dataplane) {
            state.listing.insert(id.0, Instant::now());
        }
    }

    /// Whether the Dataplanes of a namespace are being listed.
    pub(super) fn is_listing_dataplanes(&self, namespace: &str) -> bool {
        let state = self.state();
        state.listing.iter().any(|(id, since)| {
            let home = state
                .watches
                .get(*id)
                .map(|watch| watch.namespace.as_deref());
            let is_of = home.is_some_and(|home| home.is_none_or(|home| home == namespace));
            is_of && since.elapsed() < LONGEST_LIST
        })
    }

    /// It has listed its whole kind in this epoch.
    pub(super) fn listed(&self, id: WatchId, epoch: u64) {
        self.state().listing.remove(&id.0);
        self.update(id, |watch| {
            watch.stage = Stage::Listed;
            watch.epoch = Some(epoch);
            (watch.sign, watch.failure) = (Instant::now(), None);
        });
    }

    /// It is done without: its kind is not served, or it is optional and may not be read.
    pub(super) fn absent(&self, id: WatchId) {
        self.update(id, |watch| watch.stage = Stage::Absent);
    }

    /// It is not used: other watches do its work.
    pub(super) fn retire(&self, id: WatchId) {
        self.update(id, |watch| {
            (watch.stage, watch.is_needed) = (Stage::Absent, false);
        });
    }

    /// It follows the changes of its kind.
    pub(super) fn connected(&self, id: WatchId) {
        self.update(id, |watch| {
            (watch.down_since, watch.failure) = (None, None);
        });
    }

    /// It has failed, and will be started again.
    pub(super) fn failed(&self, id: WatchId, failure: String) {
        self.update(id, |watch| {
            watch.down_since.get_or_insert_with(Instant::now);
            watch.failure = Some(failure);
        });
    }

    /// It has shown an event or a bookmark.
    pub(super) fn sign(&self, id: WatchId) {
        if let Some(watch) = self.state().watches.get_mut(id.0) {
            watch.sign = Instant::now();
        }
    }

    fn update(&self, id: WatchId, change: impl FnOnce(&mut WatchState)) {
        let mut state = self.state();
        let Some(watch) = state.watches.get_mut(id.0) else {
            return;
        };
        let before = (watch.stage, watch.epoch);
        change(watch);
        if before != (watch.stage, watch.epoch) {
            self.count(state);
        }
    }

    fn count(&self, mut state: MutexGuard<'_, State>) {
        let epoch = state.epoch;
        let watches = &state.watches;
        let pending = watches.iter().filter(|one| one.stage == Stage::Pending);
        let behind = watches.iter().filter(|one| one.is_behind(epoch));
        let counted = (pending.count(), behind.count());
        (state.pending, state.behind) = counted;
        let is_ready = !state.watches.is_empty() && state.pending == 0;
        let watches = state.watches.iter();
        let mut of_dataplanes =
            watches.filter(|one| one.kind == RecordKind::Dataplane && one.is_needed);
        let knows_dataplanes = is_ready && of_dataplanes.all(|one| one.epoch.is_some());
        drop(state);
        for (latch, is_so) in [
            (&self.ready, is_ready),
            (&self.knows_dataplanes, knows_dataplanes),
        ] {
            latch.send_if_modified(|before| is_so && !std::mem::replace(before, true));
        }
    }

    /// Whether each watch has listed its kind once, or is done without.
    pub(super) fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Resolves when that is so.
    pub(super) async fn ready(&self) {
        // This cannot fail: `self` has the sender.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Resolves when that is so, and all Dataplanes are known. Where their kind is not served, nothing is
    /// known of any conflict, for one: it may be there again in a moment.
    pub(super) async fn knows_dataplanes(&self) {
        self.ready().await;
        let mut knows = self.knows_dataplanes.subscribe();
        let _ = knows.wait_for(|knows| *knows).await;
    }

    /// Whether something may be deleted: each needed kind is served, and was listed in this epoch.
    pub(super) fn allows_deletes(&self) -> bool {
        self.is_ready() && self.state().behind == 0
    }

    /// The epoch.
    pub(super) fn epoch(&self) -> u64 {
        self.state().epoch
    }

    /// The API server was restored from a backup, as something in this epoch shows: every kind is
    /// listed anew. Returns whether that is news.
    pub(super) fn restored(&self, epoch: u64) -> bool {
        let mut state = self.state();
        if state.epoch != epoch {
            return false;
        }
        state.epoch += 1;
        for watch in &state.watches {
            watch.relist.notify_one();
        }
        self.count(state);
        true
    }

    /// The objects of a kind in a namespace are not those that are known: they are listed anew.
    pub(super) fn relist(&self, kind: RecordKind, namespace: &str) {
        let state = self.state();
        let watches = state.watches.iter().filter(|watch| {
            let home = watch.namespace.as_deref();
            watch.kind == kind && home.is_none_or(|home| home == namespace)
        });
        for watch in watches {
            watch.relist.notify_one();
        }
    }

    /// Why this replica is not ready, one line each (L23).
    pub(super) fn pending(&self, health: &Health) -> Vec<String> {
        let state = self.state();
        if state.watches.is_empty() {
            return vec!["the watches have not begun".to_owned()];
        }
        let others_are_answered = health.has_answered_within(LONGEST_DOWN / 4);
        let lines = state.watches.iter().filter_map(|watch| {
            let why = watch.failure.as_ref();
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            let is_down = |since: Instant| since.elapsed() > LONGEST_DOWN;
            match watch.stage {
                Stage::Pending => Some(format!("waiting for the list of {}{why}", watch.name())),
                Stage::Listed
                    if watch.is_needed
                        && others_are_answered
                        && watch.down_since.is_some_and(is_down) =>
                {
                    Some(format!("the watch of {} is down{why}", watch.name()))
                }
                _ => None,
            }
        });
        lines.collect()
    }

    /// For each kind that is watched: how long ago the watch that was silent for longest has shown
    /// something.
    pub(super) fn ages(&self) -> BTreeMap<RecordKind, Duration> {
        let mut ages = BTreeMap::<_, Duration>::new();
        for watch in &self.state().watches {
            let age = match watch.stage {
                Stage::Absent => continue,
                _ => watch.sign.elapsed(),
            };
            let oldest = ages.entry(watch.kind).or_default();
            *oldest = (*oldest).max(age);
        }
        ages
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests;
