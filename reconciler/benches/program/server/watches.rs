//! Watches: each stays open until its time is over, or until what it has to tell is forgotten.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures::{Stream, stream::unfold};
use kuma_workload::kinds::RecordKind;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Shared,
    cluster::{News, event_line},
};

/// How often a watch says how far it is.
const BOOKMARKS: Duration = Duration::from_secs(60);

/// A watch.
pub(super) struct OpenWatch {
    shared: Arc<Shared>,
    versions: watch::Receiver<u64>,
    kind: RecordKind,
    namespace: Option<String>,
    /// How far it is.
    version: u64,
    ends: Instant,
    bookmark: Instant,
    is_over: bool,
}

impl OpenWatch {
    pub(super) fn new(
        shared: Arc<Shared>,
        kind: RecordKind,
        namespace: Option<String>,
        version: u64,
        timeout: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            versions: shared.version.subscribe(),
            shared,
            kind,
            namespace,
            version,
            ends: now + timeout,
            bookmark: now + BOOKMARKS,
            is_over: false,
        }
    }

    /// The body of its answer.
    pub(super) fn body(self) -> Body {
        Body::from_stream(self.lines())
    }

    fn lines(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        unfold(self, |mut watch| async move {
            let lines = watch.next().await?;
            Some((Ok(lines), watch))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        loop {
            self.versions.borrow_and_update();
            let namespace = self.namespace.as_deref();
            let news = self
                .shared
                .cluster
                .lock()
                .unwrap()
                .news(self.kind, namespace, self.version);
            match news {
                News::Gone => {
                    self.is_over = true;
                    return Some(event_line("ERROR", &super::answer::gone().to_string()));
                }
                News::Lines(lines, version) => {
                    self.version = version;
                    if !lines.is_empty() {
                        return Some(lines);
                    }
                }
            }
            tokio::select! {
                biased;
                changed = self.versions.changed() => changed.ok()?,
                () = sleep_until(self.ends) => return None,
                () = sleep_until(self.bookmark) => {
                    self.bookmark += BOOKMARKS;
                    return Some(self.bookmark_line());
                }
            }
        }
    }

    fn bookmark_line(&self) -> Bytes {
        let object = json!({
            "kind": self.kind.name(),
            "apiVersion": "kuma.io/v1alpha1",
            "metadata": { "resourceVersion": self.version.to_string() },
        });
        event_line("BOOKMARK", &object.to_string())
    }
}
