//! Follows one kind: lists its objects, watches their changes, and lists them again when it must (L20,
//! L21, L23).
//!
//! It is this program's own over list and watch. kube's watcher hides bookmarks, and resumes for ever at
//! a number that the API server no longer has or does not have yet.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::{Stream, StreamExt};
use kube::{
    api::{ListParams, Request, WatchParams},
    core::{ObjectList, WatchEvent},
};
use tokio::{
    sync::{Notify, watch},
    task::yield_now,
    time::{Instant, sleep, sleep_until},
};

use super::{record::IndexedRecord, starts::Starts};
use crate::run::{
    backoff::Backoff,
    context::Context,
    index::{Index, ListBegan},
    planted::{PlantedFault, planted},
    progress::WatchId,
    requests::{ApiClient, RequestError},
    work_item::Changed,
};

/// How many objects a list returns at a time. One page, as text and as records, is the memory that a
/// relist needs beyond the index.
const PAGE: u32 = 250;
/// The smallest page, where larger ones do not arrive in time.
const SMALLEST_PAGE: u32 = 10;
/// How many objects are applied, or swept away, before other tasks have their turn.
const SLICE: usize = 250;
/// The API server ends a watch after this time, in seconds.
const WATCH_SECONDS: u32 = 290;
/// This program ends it after this time.
const WATCH_TIMEOUT: Duration = Duration::from_secs(320);
/// A watch that has lasted this long has succeeded.
const LASTING: Duration = Duration::from_secs(5);
/// How often an optional kind that may not be read is tried again.
const OPTIONAL_RETRY: Duration = Duration::from_secs(300);
/// A number of objects that differs twice in a row is a reason to list them anew, once in this time.
const RECOUNT: Duration = Duration::from_secs(60 * 60);

/// What is followed.
#[derive(Debug, Clone)]
pub(super) struct FollowScope {
    /// One namespace; none for all of them.
    pub(super) namespace: Option<String>,
    /// Of all namespaces, only these count.
    pub(super) only: Option<Arc<BTreeSet<String>>>,
    /// Only objects with these labels.
    pub(super) selector: Option<String>,
    /// Whether the program can do without.
    pub(super) is_optional: bool,
    /// How often the watch is compared with the server.
    pub(super) compare: Duration,
}

/// Follows one kind.
pub(super) struct Follower {
    pub(super) id: WatchId,
    pub(super) relist: Arc<Notify>,
    pub(super) scope: FollowScope,
    pub(super) api: ApiClient,
    pub(super) context: Context,
    pub(super) starts: Starts,
    state: FollowerState,
}

struct FollowerState {
    epochs: watch::Receiver<u64>,
    epoch: u64,
    /// Resets only on success: the watch has lasted (L22).
    backoff: Backoff,
    page: u32,
    /// The highest number that this watch has had in this epoch.
    highest: Option<u64>,
    /// The number to resume at.
    version: String,
    /// How many objects there are.
    count: u64,
    /// The last comparison has shown another number of objects.
    miscounted: bool,
    recounted: Option<Instant>,
    compare_at: Instant,
    down_since: Option<Instant>,
}

/// What is to be done after a watch has ended.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    Resume,
    Relist,
    /// It has ended as soon as it had begun: wait, and resume.
    BackOff,
}

impl Follower {
    pub(super) fn new(
        (id, relist): (WatchId, Arc<Notify>),
        scope: FollowScope,
        api: ApiClient,
        context: Context,
        starts: Starts,
    ) -> Self {
        let epochs = context.progress.epochs();
        let epoch = *epochs.borrow();
        let state = FollowerState {
            epoch,
            epochs,
            backoff: Backoff::of_watches(),
            page: PAGE,
            highest: None,
            version: String::new(),
            count: 0,
            miscounted: false,
            recounted: None,
            compare_at: Instant::now(),
            down_since: None,
        };
        Self {
            id,
            relist,
            scope,
            api,
            context,
            starts,
            state,
        }
    }

    /// Follows the kind for ever.
    pub(super) async fn run<K: IndexedRecord>(mut self) {
        loop {
            self.starts.next().await;
            if let Err(error) = self.list::<K>().await {
                self.list_failed::<K>(&error).await;
                continue;
            }
            while self.watch::<K>().await {}
        }
    }

    /// Lists all objects, in pages.
    async fn list<K: IndexedRecord>(&mut self) -> Result<(), RequestError> {
        if planted(PlantedFault::ListResetsBackoff) {
            self.state.backoff.reset();
        }
        self.state.epoch = *self.state.epochs.borrow_and_update();
        let began = self.context.index().relist(K::KIND);
        let mut parameters = ListParams::default().limit(self.state.page);
        parameters.label_selector.clone_from(&self.scope.selector);
        let mut count = 0;
        loop {
            let request = Request::new(self.path::<K>()).list(&parameters);
            let page: ObjectList<K> = self.api.send(request, None).await?;
            let version = page.metadata.resource_version.unwrap_or_default();
            if parameters.continue_token.is_none() && !self.is_in_order(&version) {
                self.restored::<K>("a list");
                self.is_in_order(&version);
            }
            count += page.items.len() as u64;
            self.apply_page(page.items, &began).await;
            if planted(PlantedFault::SharedMarks) {
                self.sweep(&began).await;
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters.continue_token = Some(token),
                None => {
                    self.state.version = version;
                    break;
                }
            }
        }
        self.sweep(&began).await;
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
                self.apply(object, |object, index| object.apply_listed(index, began));
            }
        }
    }

    async fn sweep(&self, began: &ListBegan) {
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

    fn apply<K: IndexedRecord>(&self, object: &K, change: impl FnOnce(&K, &mut Index) -> Changed) {
        if object.is_faulty() {
            self.context.metrics.undecodable(K::KIND);
        }
        let changed = change(object, &mut self.context.index());
        self.context.enqueue(changed);
    }

    /// Whether an object is in the namespaces that count.
    fn counts<K: IndexedRecord>(&self, object: &K) -> bool {
        let namespace = object.meta().namespace.as_deref().unwrap_or_default();
        let only = self.scope.only.as_ref();
        only.is_none_or(|only| only.contains(namespace))
    }

    async fn list_failed<K: IndexedRecord>(&mut self, error: &RequestError) {
        let what = format!("list {}", K::KIND.resource());
        if matches!(error, RequestError::TimedOut) {
            self.state.page = (self.state.page / 2).max(SMALLEST_PAGE);
        }
        let is_denied = matches!(error.code(), Some(401 | 403 | 404));
        if error.is_unserved() || self.scope.is_optional && is_denied {
            self.context.progress.absent(self.id);
        }
        if self.scope.is_optional && is_denied {
            let failure = error.failure(&what);
            let sentence = format!("{failure}; continuing without it");
            self.context.journal.warn(&error.trouble(&what), &sentence);
            return sleep(OPTIONAL_RETRY).await;
        }
        self.fail::<K>(error, &what).await;
    }

    /// Says what has failed, and waits.
    async fn fail<K: IndexedRecord>(&mut self, error: &RequestError, what: &str) {
        let failure = error.failure(what).to_string();
        self.context.journal.warn(&error.trouble(what), &failure);
        self.context.metrics.watch_restarted(K::KIND);
        self.context.progress.failed(self.id, failure);
        self.state.down_since.get_or_insert_with(Instant::now);
        self.back_off(error.retry_after()).await;
    }

    async fn back_off(&mut self, asked: Option<Duration>) {
        let pause = self.state.backoff.next();
        sleep(pause.max(asked.unwrap_or_default())).await;
    }

    /// Watches the changes until the watch ends. Returns whether it is to be resumed; otherwise the
    /// objects are listed anew.
    async fn watch<K: IndexedRecord>(&mut self) -> bool {
        self.starts.next().await;
        let mut parameters = WatchParams::default().timeout(WATCH_SECONDS);
        parameters.label_selector.clone_from(&self.scope.selector);
        let request = Request::new(self.path::<K>()).watch(&parameters, &self.state.version);
        let what = format!("watch {}", K::KIND.resource());
        let began = Instant::now();
        let then = match request {
            Err(error) => Err(RequestError::Invalid(error)),
            Ok(request) => {
                let stream = self.api.client().request_events::<K>(request);
                let stream = self.api.within(stream, None).await;
                match stream {
                    Err(error) => Err(error),
                    Ok(stream) => {
                        self.context.progress.connected(self.id);
                        self.state.down_since = None;
                        self.consume::<K>(stream).await
                    }
                }
            }
        };
        if began.elapsed() >= LASTING {
            self.state.backoff.reset();
        }
        let then = match then {
            Err(error) if error.code() == Some(410) => {
                if began.elapsed() < LASTING {
                    self.back_off(None).await;
                }
                Then::Relist
            }
            Err(error) => {
                // A number from the future: of a replica that lags, or of a server that was restored.
                if is_from_the_future(&error) && !self.compare::<K>().await {
                    return false;
                }
                self.fail::<K>(&error, &what).await;
                Then::Resume
            }
            Ok(Then::Resume) if began.elapsed() < LASTING => Then::BackOff,
            Ok(then) => then,
        };
        match then {
            Then::Relist => return false,
            Then::BackOff => self.back_off(None).await,
            Then::Resume => {}
        }
        // A watch that may not be started is no reason to be wrong for ever.
        let is_down = |since: Instant| since.elapsed() > self.scope.compare;
        if self.state.down_since.is_some_and(is_down) {
            self.state.down_since = Some(Instant::now());
            return false;
        }
        !self.state.epochs.has_changed().unwrap_or_default()
    }

    /// Takes events until the stream ends or something else is to be done.
    async fn consume<K: IndexedRecord>(
        &mut self,
        stream: impl Stream<Item = kube::Result<WatchEvent<K>>>,
    ) -> Result<Then, RequestError> {
        let mut stream = std::pin::pin!(stream);
        let deadline = Instant::now() + WATCH_TIMEOUT;
        let relist = self.relist.clone();
        let (mut shown, mut in_a_row) = (false, 0);
        loop {
            let compare_at = self.state.compare_at;
            let event = tokio::select! {
                biased;
                _ = self.state.epochs.changed() => return Ok(Then::Relist),
                () = relist.notified() => return Ok(Then::Relist),
                event = stream.next() => event,
                () = sleep_until(compare_at) => match self.compare::<K>().await {
                    true => continue,
                    false => return Ok(Then::Relist),
                },
                () = sleep_until(deadline) => None,
            };
            let Some(event) = event else { break };
            let event = event.map_err(|error| RequestError::Client(Box::new(error)))?;
            if let Some(then) = self.take(event)? {
                return Ok(then);
            }
            shown = true;
            in_a_row += 1;
            if in_a_row % SLICE == 0 {
                yield_now().await;
            }
        }
        // What has shown nothing may have been resumed at a number that will never come.
        match shown || self.compare::<K>().await {
            true => Ok(Then::Resume),
            false => Ok(Then::Relist),
        }
    }

    /// Takes one event. Returns what is to be done if the watch cannot go on.
    fn take<K: IndexedRecord>(
        &mut self,
        event: WatchEvent<K>,
    ) -> Result<Option<Then>, RequestError> {
        self.context.progress.sign(self.id);
        let (object, change): (K, fn(&K, &mut Index) -> Changed) = match event {
            WatchEvent::Added(object) => {
                self.state.count += 1;
                (object, K::apply)
            }
            WatchEvent::Modified(object) => (object, K::apply),
            WatchEvent::Deleted(object) => {
                self.state.count = self.state.count.saturating_sub(1);
                (object, K::delete)
            }
            WatchEvent::Bookmark(bookmark) => {
                let version = bookmark.metadata.resource_version;
                return Ok((!self.follow_to::<K>(version)).then_some(Then::Relist));
            }
            WatchEvent::Error(status) => return Err(RequestError::Status(status)),
        };
        let version = object.meta().resource_version.clone().unwrap_or_default();
        if !self.follow_to::<K>(version) {
            return Ok(Some(Then::Relist));
        }
        if self.counts(&object) {
            self.apply(&object, change);
        }
        Ok(None)
    }

    /// The watch is at this number now. A lower one than before means a restore.
    fn follow_to<K: IndexedRecord>(&mut self, version: String) -> bool {
        if !self.is_in_order(&version) {
            self.restored::<K>("an event");
            return false;
        }
        self.state.version = version;
        true
    }

    /// Compares the watch with the server (L20). Returns false if the objects are to be listed anew.
    async fn compare<K: IndexedRecord>(&mut self) -> bool {
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

    /// Notes a number, and returns whether it is not lower than one that this watch has had.
    fn is_in_order(&mut self, version: &str) -> bool {
        if is_lower(version, self.state.highest) {
            return false;
        }
        let number = version.parse().ok();
        self.state.highest = number.max(self.state.highest);
        true
    }

    /// The API server has lower numbers than before: it was restored from a backup.
    fn restored<K: IndexedRecord>(&mut self, shown_by: &str) {
        let progress = &self.context.progress;
        let news = progress.epoch() == self.state.epoch;
        progress.restored(self.state.epoch);
        self.state.epoch = *self.state.epochs.borrow_and_update();
        self.state.highest = None;
        if news {
            self.context.metrics.restored();
            self.context.journal.warn(
                "restore",
                &format!(
                    "{shown_by} of {} has a lower resourceVersion than before: the API server was restored from a backup, and every kind is listed anew",
                    K::KIND.resource()
                ),
            );
        }
    }

    fn path<K: IndexedRecord>(&self) -> String {
        K::KIND.path(self.scope.namespace.as_deref())
    }
}

fn is_lower(version: &str, highest: Option<u64>) -> bool {
    let number = version.parse::<u64>().ok();
    number
        .zip(highest)
        .is_some_and(|(number, highest)| number < highest)
        && !planted(PlantedFault::NoRestoreDetection)
}

/// Whether a watch was refused because the server has no such number yet: "Too large resource version".
fn is_from_the_future(error: &RequestError) -> bool {
    let RequestError::Status(status) = error else {
        return false;
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut reasons = causes.map(|cause| &*cause.reason);
    reasons.any(|reason| reason == "ResourceVersionTooLarge")
}
