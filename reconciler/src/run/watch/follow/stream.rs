//! One watch, from its start to its end.

use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::{
    api::{Request, WatchParams},
    core::WatchEvent,
};
use tokio::{
    task::yield_now,
    time::{Instant, sleep_until},
};

use super::{Follower, IndexedRecord, list::SLICE};
use crate::run::{
    index::Index, journal::Journal, requests::RequestError, watch_events, work_item::Changed,
};

/// The API server ends a watch after this time, in seconds.
const WATCH_SECONDS: u32 = 290;
/// This program ends it after this time.
const WATCH_TIMEOUT: Duration = Duration::from_secs(320);
/// A watch that has lasted this long has succeeded.
const LASTING: Duration = Duration::from_secs(5);
/// After so many watches in a row that come to nothing, all is listed anew.
const FALSE_STARTS: u32 = 3;
/// How often a watch lists anew at most because another list has shown what it does not know.
const RELIST_INTERVAL: Duration = Duration::from_secs(2);

/// What an event changes in the index.
type Change<K> = fn(&K, &mut Index, &Journal) -> Changed;

/// What is to be done after a watch has ended.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    Resume,
    Relist,
    /// It cannot go on from its number: list anew, and wait before that if it was short, since the next one
    /// may be so too.
    RelistLater,
    /// It has ended as soon as it had begun: wait, and resume.
    BackOff,
}

/// How far a watch has come.
#[derive(Debug, Clone, Copy, Default)]
struct Course {
    /// The API server has agreed to it.
    is_accepted: bool,
    /// There was an event.
    has_shown: bool,
}

impl Follower {
    /// Watches the changes until the watch ends. Returns whether it is to be resumed; otherwise the
    /// objects are listed anew.
    pub(super) async fn watch<K: IndexedRecord>(&mut self) -> bool {
        self.starts.next().await;
        let (began, mut course) = (Instant::now(), Course::default());
        let ended = self.watch_once::<K>(&mut course).await;
        let has_lasted = course.is_accepted && began.elapsed() >= LASTING;
        if has_lasted {
            self.state.backoff.reset();
        }
        let what = format!("watch {}", K::KIND.resource());
        let then = match ended {
            Ok(Then::Resume) if !has_lasted => self.after_short::<K>(course, &what),
            Ok(then) => then,
            Err(error) => self.after_error::<K>(&error, course, &what).await,
        };
        match then {
            Then::Relist => return false,
            Then::RelistLater => {
                if !has_lasted {
                    self.back_off(None).await;
                }
                return false;
            }
            Then::BackOff => self.back_off(None).await,
            Then::Resume => {}
        }
        // A watch that may not be started is no reason to be wrong for ever.
        let is_down = |since: Instant| since.elapsed() > self.scope.compare;
        if self.state.down_since.is_some_and(is_down) {
            self.state.down_since = Some(Instant::now());
            return false;
        }
        self.context.progress.epoch() == self.state.epoch && !self.gives_way()
    }

    async fn watch_once<K: IndexedRecord>(
        &mut self,
        course: &mut Course,
    ) -> Result<Then, RequestError> {
        let mut parameters = WatchParams::default().timeout(WATCH_SECONDS);
        parameters.label_selector.clone_from(&self.scope.selector);
        let request = Request::new(self.path::<K>()).watch(&parameters, &self.state.version);
        let stream = watch_events::watch::<K>(&self.api, request).await?;
        course.is_accepted = true;
        // A server that was away may have been restored meanwhile.
        if self.state.down_since.is_some() && !self.compare::<K>().await {
            return Ok(Then::Relist);
        }
        self.consume::<K>(stream, &mut course.has_shown).await
    }

    /// What follows a watch that has ended early, and not by an error.
    fn after_short<K: IndexedRecord>(&mut self, course: Course, what: &str) -> Then {
        if course.has_shown {
            return Then::BackOff;
        }
        self.say_nothing_shown::<K>(what);
        match self.is_at_fault() {
            true => Then::RelistLater,
            false => Then::BackOff,
        }
    }

    /// What follows a watch that was refused or has ended by an error.
    async fn after_error<K: IndexedRecord>(
        &mut self,
        error: &RequestError,
        course: Course,
        what: &str,
    ) -> Then {
        if error.code() == Some(410) || error.is_unserved() {
            // The list says what that means.
            return Then::RelistLater;
        }
        // A number from the future: of a replica that lags, or of a server that was restored.
        if is_from_the_future(error) && !self.compare::<K>().await {
            return Then::Relist;
        }
        let is_answer = matches!(error, RequestError::Status(_) | RequestError::Unreadable(_));
        let is_busy = !course.is_accepted && matches!(error.code(), Some(429 | 500..));
        self.fail::<K>(error, what).await;
        match is_answer && !is_busy && self.is_at_fault() {
            true => Then::Relist,
            false => Then::Resume,
        }
    }

    /// Counts another watch that was refused or came to nothing. The number at which it begins may be at
    /// fault: returns true once, so that all is listed anew.
    fn is_at_fault(&mut self) -> bool {
        self.state.false_starts = self.state.false_starts.saturating_add(1);
        self.state.false_starts == FALSE_STARTS
    }

    fn say_nothing_shown<K: IndexedRecord>(&mut self, what: &str) {
        let sentence = format!("cannot {what}: it ends as soon as it has begun");
        self.context
            .journal
            .warn(&format!("{what} ends"), &sentence);
        self.context.metrics.watch_restarted(K::KIND);
        self.context.progress.failed(self.id, sentence);
        self.state.down_since.get_or_insert_with(Instant::now);
    }

    /// Takes events until the stream ends or something else is to be done. `shown` is set once there was
    /// an event.
    async fn consume<K: IndexedRecord>(
        &mut self,
        stream: impl Stream<Item = Result<WatchEvent<K>, RequestError>>,
        shown: &mut bool,
    ) -> Result<Then, RequestError> {
        let mut stream = std::pin::pin!(stream);
        let now = Instant::now();
        let (lasting, deadline) = (now + LASTING, now + WATCH_TIMEOUT);
        let relist = self.relist.clone();
        let (mut is_connected, mut in_a_row, mut relist_at) = (false, 0, None);
        loop {
            let compare_at = self.state.compare_at;
            let event = tokio::select! {
                biased;
                () = relist.notified(), if relist_at.is_none() => {
                    relist_at = Some(self.state.list_began + RELIST_INTERVAL);
                    continue;
                }
                () = sleep_until(relist_at.unwrap_or(deadline)), if relist_at.is_some() => {
                    return Ok(Then::Relist);
                }
                event = stream.next() => event,
                () = sleep_until(compare_at) => match self.compare::<K>().await {
                    true => continue,
                    false => return Ok(Then::Relist),
                },
                () = sleep_until(lasting), if !is_connected => {
                    is_connected = true;
                    self.connected();
                    continue;
                }
                () = sleep_until(deadline) => None,
            };
            let Some(event) = event else { break };
            if let Some(then) = self.take(event?)? {
                return Ok(then);
            }
            if !is_connected {
                is_connected = true;
                self.connected();
            }
            self.state.false_starts = 0;
            *shown = true;
            in_a_row += 1;
            if in_a_row % SLICE == 0 {
                yield_now().await;
            }
        }
        if is_connected {
            self.state.false_starts = 0;
        }
        // What has shown nothing may have been resumed at a number that will never come. A watch after a
        // failure was compared when it began.
        let was_compared = self.state.down_since.is_some();
        match *shown || was_compared || self.compare::<K>().await {
            true => Ok(Then::Resume),
            false => Ok(Then::Relist),
        }
    }

    /// Takes one event. Returns what is to be done if the watch cannot go on.
    fn take<K: IndexedRecord>(
        &mut self,
        event: WatchEvent<K>,
    ) -> Result<Option<Then>, RequestError> {
        self.context.health.answered();
        if !matches!(event, WatchEvent::Error(_)) {
            self.context.progress.sign(self.id);
        }
        let (object, change): (K, Change<K>) = match event {
            WatchEvent::Added(object) => {
                self.state.count += 1;
                (object, K::apply)
            }
            WatchEvent::Modified(object) => (object, K::apply),
            WatchEvent::Deleted(object) => {
                self.state.count = self.state.count.saturating_sub(1);
                (object, |object, index, _| object.delete(index))
            }
            WatchEvent::Bookmark(bookmark) => {
                let version = bookmark.metadata.resource_version;
                return Ok((!self.follow_to::<K>(version)).then_some(Then::RelistLater));
            }
            WatchEvent::Error(status) => return Err(RequestError::Status(status)),
        };
        let version = object.meta().resource_version.clone().unwrap_or_default();
        if !self.follow_to::<K>(version) {
            return Ok(Some(Then::RelistLater));
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
