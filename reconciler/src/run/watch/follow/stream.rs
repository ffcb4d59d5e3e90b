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
use crate::run::{index::Index, journal::Journal, requests::RequestError, work_item::Changed};

/// The API server ends a watch after this time, in seconds.
const WATCH_SECONDS: u32 = 290;
/// This program ends it after this time.
const WATCH_TIMEOUT: Duration = Duration::from_secs(320);
/// A watch that has lasted this long has succeeded.
const LASTING: Duration = Duration::from_secs(5);

/// What an event changes in the index.
type Change<K> = fn(&K, &mut Index, &Journal) -> Changed;

/// What is to be done after a watch has ended.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    Resume,
    Relist,
    /// It has ended as soon as it had begun: wait, and resume.
    BackOff,
}

impl Follower {
    /// Watches the changes until the watch ends. Returns whether it is to be resumed; otherwise the
    /// objects are listed anew.
    pub(super) async fn watch<K: IndexedRecord>(&mut self) -> bool {
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
                        // A server that was away may have been restored meanwhile.
                        let was_down = self.state.down_since.take().is_some();
                        match was_down && !self.compare::<K>().await {
                            true => Ok(Then::Relist),
                            false => self.consume::<K>(stream).await,
                        }
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
        self.context.progress.epoch() == self.state.epoch
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
        self.context.health.answered();
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
