//! Lists and watches Dataplanes, DataplaneInsights and Workloads.

use std::{
    collections::BTreeSet,
    fmt::Debug,
    io::{self, Write},
    time::Duration,
};

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use kube::{
    Api, Client, Resource,
    core::NamespaceResourceScope,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    observed::{ObservedCluster, WatchEvent},
    row::Row,
};
use crate::{
    client::{Failure, REQUEST_TIMEOUT, watch_status},
    kinds::{Record, RecordKind},
};

/// Changes within this time are shown together.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);

/// A watch that failed.
#[derive(Debug)]
struct FailedWatch {
    kind: RecordKind,
    error: watcher::Error,
}

impl FailedWatch {
    fn failure(&self) -> Failure {
        Failure::of_watch(&self.kind.resource(), &self.error)
    }

    /// Whether another attempt is useless.
    fn is_final(&self) -> bool {
        watch_status(&self.error).is_some_and(|status| matches!(status.code, 401 | 403))
    }
}

type Watch = BoxStream<'static, Result<WatchEvent, FailedWatch>>;

/// The cluster as it is, and its changes.
pub(super) struct WatchedCluster {
    watches: Vec<Watch>,
    observed: ObservedCluster,
    warned: BTreeSet<String>,
}

impl WatchedCluster {
    /// One namespace, or all of them. No request is sent yet.
    pub(super) fn new(client: Client, namespace: Option<&str>) -> Self {
        Self {
            watches: vec![
                watch(&client, namespace, WatchEvent::Dataplane),
                watch(&client, namespace, WatchEvent::Insight),
                watch(&client, namespace, WatchEvent::Workload),
            ],
            observed: ObservedCluster::new(namespace),
            warned: BTreeSet::new(),
        }
    }

    /// All workloads.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.observed.rows()
    }

    /// What the lists have shown.
    pub(super) fn observed(&self) -> &ObservedCluster {
        &self.observed
    }

    /// Lists all objects. Nothing is watched yet.
    pub(super) async fn list(&mut self) -> Result<(), Failure> {
        let mut watches = std::mem::take(&mut self.watches);
        for watch in &mut watches {
            loop {
                let event = timeout(REQUEST_TIMEOUT, watch.next()).await.map_err(|_| {
                    Failure::new(format!(
                        "the API server did not answer within {REQUEST_TIMEOUT:?}"
                    ))
                })?;
                let event = match event {
                    Some(Ok(event)) => event,
                    Some(Err(failed)) => return Err(failed.failure()),
                    None => break,
                };
                let ends = event.ends_list();
                self.apply(event);
                if ends {
                    break;
                }
            }
        }
        self.watches = watches;
        Ok(())
    }

    /// Watches all objects until it is interrupted, or until `show` fails.
    pub(super) async fn watch(
        &mut self,
        mut show: impl FnMut(&[Row]) -> io::Result<()>,
    ) -> Result<io::Result<()>, Failure> {
        let mut watches = stream::select_all(std::mem::take(&mut self.watches));
        let mut due = Some(Instant::now());
        loop {
            tokio::select! {
                event = watches.next() => match event {
                    Some(Ok(event)) => {
                        self.apply(event);
                        due = due.or_else(|| Some(Instant::now() + BATCH_INTERVAL));
                    }
                    Some(Err(failed)) if failed.is_final() => return Err(failed.failure()),
                    Some(Err(failed)) => self.warn(failed.failure().to_string()),
                    None => return Ok(Ok(())),
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = None;
                    if let Err(error) = show(&self.observed.rows()) {
                        return Ok(Err(error));
                    }
                }
                _ = tokio::signal::ctrl_c() => return Ok(Ok(())),
            }
        }
    }

    fn apply(&mut self, event: WatchEvent) {
        if let Some(warning) = self.observed.apply(event) {
            self.warn(warning);
        }
    }

    /// Prints each warning once.
    fn warn(&mut self, warning: String) {
        if !self.warned.contains(&warning) {
            let _ = writeln!(io::stderr(), "warning: {warning}");
            self.warned.insert(warning);
        }
    }
}

fn watch<K>(
    client: &Client,
    namespace: Option<&str>,
    into_event: impl Fn(Event<K>) -> WatchEvent + Send + 'static,
) -> Watch
where
    K: Record
        + Resource<Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + 'static,
{
    let api: Api<K> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    watcher::watcher(api, watcher::Config::default())
        .default_backoff()
        .map_ok(into_event)
        .map_err(|error| FailedWatch {
            kind: K::KIND,
            error,
        })
        .boxed()
}
