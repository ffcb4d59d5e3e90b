//! Lists and watches the three kinds.

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
    row::Row,
    world::{Seen, World},
};
use crate::client::{Failure, REQUEST_TIMEOUT};

/// Changes within this time are shown together.
const TOGETHER: Duration = Duration::from_millis(100);

/// A watch that broke, and what it was of.
#[derive(Debug)]
struct Broken {
    resource: String,
    error: watcher::Error,
}

impl Broken {
    fn failure(&self) -> Failure {
        let resource = &self.resource;
        match &self.error {
            watcher::Error::InitialListFailed(error) => {
                Failure::of(&format!("list {resource}"), error)
            }
            watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
                Failure::of(&format!("watch {resource}"), error)
            }
            error => Failure::new(format!("cannot watch {resource}: {error}")),
        }
    }

    /// Whether to try again is in vain.
    fn is_final(&self) -> bool {
        match &self.error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => {
                matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403))
            }
            _ => false,
        }
    }
}

type Watch = BoxStream<'static, Result<Seen, Broken>>;

/// The cluster, as it is and as it changes.
pub(super) struct Live {
    watches: Vec<Watch>,
    world: World,
    warned: BTreeSet<String>,
}

impl Live {
    /// Of a namespace, or of all. Nothing is asked yet.
    pub(super) fn new(client: Client, namespace: Option<&str>) -> Self {
        Self {
            watches: vec![
                watch(&client, namespace, Seen::Dataplane),
                watch(&client, namespace, Seen::Insight),
                watch(&client, namespace, Seen::Workload),
            ],
            world: World::new(namespace),
            warned: BTreeSet::new(),
        }
    }

    /// All workloads.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.world.rows()
    }

    /// Lists all of it. Nothing is watched yet.
    pub(super) async fn list(&mut self) -> Result<(), Failure> {
        let mut watches = std::mem::take(&mut self.watches);
        for watch in &mut watches {
            loop {
                let seen = timeout(REQUEST_TIMEOUT, watch.next()).await.map_err(|_| {
                    Failure::new(format!(
                        "the API server did not answer within {REQUEST_TIMEOUT:?}"
                    ))
                })?;
                let seen = match seen {
                    Some(Ok(seen)) => seen,
                    Some(Err(broken)) => return Err(broken.failure()),
                    None => break,
                };
                let ends = seen.ends_list();
                self.apply(seen);
                if ends {
                    break;
                }
            }
        }
        self.watches = watches;
        Ok(())
    }

    /// Watches all of it until it is interrupted, or what it shows cannot be written.
    pub(super) async fn watch(
        &mut self,
        mut show: impl FnMut(&[Row]) -> io::Result<()>,
    ) -> Result<io::Result<()>, Failure> {
        let mut watches = stream::select_all(std::mem::take(&mut self.watches));
        let mut due = Some(Instant::now());
        loop {
            tokio::select! {
                seen = watches.next() => match seen {
                    Some(Ok(seen)) => {
                        self.apply(seen);
                        due = due.or_else(|| Some(Instant::now() + TOGETHER));
                    }
                    Some(Err(broken)) if broken.is_final() => return Err(broken.failure()),
                    Some(Err(broken)) => self.warn(broken.failure().to_string()),
                    None => return Ok(Ok(())),
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = None;
                    if let Err(error) = show(&self.world.rows()) {
                        return Ok(Err(error));
                    }
                }
                _ = tokio::signal::ctrl_c() => return Ok(Ok(())),
            }
        }
    }

    fn apply(&mut self, seen: Seen) {
        if let Some(warning) = self.world.apply(seen) {
            self.warn(warning);
        }
    }

    /// Each warning once.
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
    seen: impl Fn(Event<K>) -> Seen + Send + 'static,
) -> Watch
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
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
    let resource = format!("{}.{}", K::plural(&()), K::group(&()));
    watcher::watcher(api, watcher::Config::default())
        .default_backoff()
        .map_ok(seen)
        .map_err(move |error| Broken {
            resource: resource.clone(),
            error,
        })
        .boxed()
}
