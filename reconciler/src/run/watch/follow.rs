//! Follows one kind: lists its objects, watches their changes, and lists them again when it must (L20,
//! L21, L23).
//!
//! It is this program's own over list and watch. kube's watcher hides bookmarks, and resumes for ever at
//! a number that the API server no longer has or does not have yet.
//!
//! | part | job |
//! |---|---|
//! | `list` | lists all objects, and sweeps away those that were not in the list |
//! | `stream` | one watch, from its start to its end |
//! | `compare` | compares the watch with the server |

mod compare;
mod list;
mod stream;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::{record::IndexedRecord, starts::Starts};
use crate::run::{
    backoff::Backoff,
    context::Context,
    planted::{PlantedFault, planted},
    progress::WatchId,
    requests::{ApiClient, RequestError},
};

/// How many objects a list returns at a time. One page, as text and as records, is the memory that a
/// relist needs beyond the index, and is read in one poll (L23).
const PAGE: u32 = 125;
/// The smallest page, where larger ones do not arrive in time.
const SMALLEST_PAGE: u32 = 10;
/// After so many refusals in a row a grant is gone, and not only for a moment.
const FORBIDDEN: u32 = 4;
/// How often an optional kind that may not be read is tried again.
const OPTIONAL_RETRY: Duration = Duration::from_secs(300);

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
    epoch: u64,
    /// Resets only on success: the watch has lasted (L22).
    backoff: Backoff,
    page: u32,
    /// The highest number that this watch has had in this epoch.
    highest: Option<u64>,
    /// The list has got a page already.
    is_amid_list: bool,
    /// The number to resume at.
    version: String,
    /// How many objects there are.
    count: u64,
    /// The last comparison has shown another number of objects.
    miscounted: bool,
    recounted: Option<Instant>,
    compare_at: Instant,
    /// Since when no watch has shown something or lasted.
    down_since: Option<Instant>,
    /// How many watches in a row were refused, or showed nothing but an error.
    false_starts: u32,
    /// How often in a row it was answered 403.
    forbidden: u32,
    /// When the last list began.
    list_began: Instant,
}

impl Follower {
    pub(super) fn new(
        (id, relist): (WatchId, Arc<Notify>),
        scope: FollowScope,
        api: ApiClient,
        context: Context,
        starts: Starts,
    ) -> Self {
        let state = FollowerState {
            epoch: context.progress.epoch(),
            backoff: Backoff::of_watches(),
            page: PAGE,
            highest: None,
            is_amid_list: false,
            version: String::new(),
            count: 0,
            miscounted: false,
            recounted: None,
            compare_at: Instant::now(),
            down_since: None,
            false_starts: 0,
            forbidden: 0,
            list_began: Instant::now(),
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

    /// Follows the kind for ever; one watch for many namespaces, until it may not.
    pub(super) async fn run<K: IndexedRecord>(mut self) {
        while !self.gives_way() {
            self.starts.next().await;
            match self.list::<K>().await {
                Err(error) => self.list_failed::<K>(&error).await,
                Ok(()) => while self.watch::<K>().await {},
            }
        }
    }

    /// Whether other watches can do what this one may not do any more.
    fn gives_way(&self) -> bool {
        self.scope.only.is_some() && self.state.forbidden >= FORBIDDEN
    }

    async fn list_failed<K: IndexedRecord>(&mut self, error: &RequestError) {
        let what = format!("list {}", K::KIND.resource());
        if matches!(error, RequestError::TimedOut) {
            self.state.page = (self.state.page / 2).max(SMALLEST_PAGE);
        }
        if error.code() == Some(410) && self.state.is_amid_list {
            // With so small pages the list takes longer than the API server remembers.
            self.state.page = (self.state.page * 2).min(PAGE);
        }
        let is_denied = matches!(error.code(), Some(401 | 403 | 404));
        // A kind that was served a moment ago is served again soon, and half of it says nothing.
        let is_unserved = error.is_unserved() && !self.state.is_amid_list;
        if is_unserved || self.scope.is_optional && is_denied {
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

    /// Says what has failed, if it is more than a moment's refusal, and waits.
    async fn fail<K: IndexedRecord>(&mut self, error: &RequestError, what: &str) {
        let failure = error.failure(what).to_string();
        self.state.forbidden = match error.code() {
            Some(403) => self.state.forbidden.saturating_add(1),
            _ => 0,
        };
        // An API server that has just started knows no grants for a moment.
        let was_down = self.state.down_since.is_some();
        if !(was_down && self.state.forbidden == 1) {
            self.context.journal.warn(&error.trouble(what), &failure);
        }
        self.context.metrics.watch_restarted(K::KIND);
        self.context.progress.failed(self.id, failure);
        self.state.down_since.get_or_insert_with(Instant::now);
        self.back_off(error.retry_after()).await;
    }

    /// The watch shows something, or lasts.
    fn connected(&mut self) {
        self.context.progress.connected(self.id);
        (self.state.down_since, self.state.forbidden) = (None, 0);
    }

    async fn back_off(&mut self, asked: Option<Duration>) {
        let pause = self.state.backoff.next();
        sleep(pause.max(asked.unwrap_or_default())).await;
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
        let news = self.context.progress.restored(self.state.epoch);
        self.follow_epoch();
        if news {
            let resource = K::KIND.resource();
            let shown_by =
                format!("{shown_by} of {resource} has a lower resourceVersion than before");
            self.context.say_restored(&shown_by);
        }
    }

    /// In a new epoch, numbers of an earlier one say nothing.
    fn follow_epoch(&mut self) {
        let epoch = self.context.progress.epoch();
        if epoch != self.state.epoch {
            (self.state.epoch, self.state.highest) = (epoch, None);
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
