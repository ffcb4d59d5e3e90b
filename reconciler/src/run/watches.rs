//! The watches: each lists the objects of a kind, follows their changes, and lists them again when it
//! must.

use std::{fmt::Debug, pin::pin, time::Duration};

use futures::StreamExt;
use kube::{
    Api, Client, Resource,
    core::{ClusterResourceScope, NamespaceResourceScope, ObjectMeta},
    runtime::watcher::{self, Event, watcher},
};
use serde::de::DeserializeOwned;
use tokio::{task::JoinSet, time::sleep};

use super::{
    backoff::Backoff,
    context::Context,
    index::{DataplaneProblem, Index},
    work_item::WorkItem,
};
use crate::{
    client::{Failure, retry_after, watch_status},
    kinds::{
        self, DataplaneRecord, InsightRecord, MeshRecord, NamespaceRecord, PodRecord, Record,
        WorkloadRecord,
    },
};

/// How many objects a list returns at a time. One page, as text and as records, is the memory that a
/// relist needs beyond the index.
const PAGE: u32 = 250;
/// How often an optional kind that may not be read is tried again.
const OPTIONAL_RETRY: Duration = Duration::from_secs(300);

/// What is watched.
#[derive(Debug, Clone)]
pub(super) struct WatchScope {
    /// Only these namespaces, each once; all of them if there is none.
    pub(super) namespaces: Vec<String>,
    /// Only namespaces with these labels.
    pub(super) namespace_selector: Option<String>,
    /// Whether Pods are watched (W8).
    pub(super) pods: bool,
}

/// A record that the index takes.
trait IndexedRecord: Record + DeserializeOwned + Clone + Debug + Send + 'static {
    /// Updates the index. Returns the items to reconcile.
    fn apply(&self, index: &mut Index) -> Vec<WorkItem>;

    /// Removes the object from the index. Returns the items to reconcile.
    fn delete(&self, index: &mut Index) -> Vec<WorkItem>;

    /// Whether the object cannot be read.
    fn is_faulty(&self) -> bool {
        false
    }
}

impl IndexedRecord for DataplaneRecord {
    fn apply(&self, index: &mut Index) -> Vec<WorkItem> {
        let (items, new_problem) = index.apply_dataplane(self);
        if let Some(problem) = new_problem {
            log_problem(&self.metadata, &problem);
        }
        items
    }

    fn delete(&self, index: &mut Index) -> Vec<WorkItem> {
        index.delete_dataplane(&self.metadata)
    }

    fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }
}

impl IndexedRecord for InsightRecord {
    fn apply(&self, index: &mut Index) -> Vec<WorkItem> {
        let (items, new_fault) = index.apply_insight(self);
        if let Some(fault) = new_fault {
            let (namespace, name) = kinds::names(&self.metadata);
            tracing::warn!(
                "DataplaneInsight {namespace}/{name} cannot be read, so its proxy counts as not connected: {fault}"
            );
        }
        items
    }

    fn delete(&self, index: &mut Index) -> Vec<WorkItem> {
        index.delete_insight(&self.metadata)
    }

    fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }
}

impl IndexedRecord for WorkloadRecord {
    fn apply(&self, index: &mut Index) -> Vec<WorkItem> {
        index.apply_workload(self)
    }

    fn delete(&self, index: &mut Index) -> Vec<WorkItem> {
        let key = kinds::workload_key(&self.metadata);
        index.delete_workload(&key, self.metadata.uid.as_deref())
    }
}

impl IndexedRecord for NamespaceRecord {
    fn apply(&self, index: &mut Index) -> Vec<WorkItem> {
        index.apply_namespace(self)
    }

    fn delete(&self, index: &mut Index) -> Vec<WorkItem> {
        index.delete_namespace(&self.metadata)
    }
}

impl IndexedRecord for MeshRecord {
    fn apply(&self, index: &mut Index) -> Vec<WorkItem> {
        index.apply_mesh(self);
        Vec::new()
    }

    fn delete(&self, index: &mut Index) -> Vec<WorkItem> {
        index.delete_mesh(&self.metadata);
        Vec::new()
    }
}

impl IndexedRecord for PodRecord {
    fn apply(&self, index: &mut Index) -> Vec<WorkItem> {
        index.apply_pod(self)
    }

    fn delete(&self, index: &mut Index) -> Vec<WorkItem> {
        index.delete_pod(&self.metadata);
        Vec::new()
    }
}

fn log_problem(metadata: &ObjectMeta, problem: &DataplaneProblem) {
    let (namespace, name) = kinds::names(metadata);
    match problem {
        DataplaneProblem::Undecodable { fault, .. } => tracing::warn!(
            "Dataplane {namespace}/{name} cannot be read and is left out: {fault}; the Workload that it names is not deleted meanwhile"
        ),
        DataplaneProblem::MeshLabel { label, field } => tracing::warn!(
            "Dataplane {namespace}/{name} is in mesh \"{field}\" but its label kuma.io/mesh says \"{label}\"; the field counts"
        ),
    }
}

/// Starts all watches. They never end by themselves.
pub(super) fn start(client: &Client, context: &Context, scope: &WatchScope) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let namespaces: Vec<_> = if scope.namespaces.is_empty() {
        vec![None]
    } else {
        scope.namespaces.iter().cloned().map(Some).collect()
    };
    for namespace in &namespaces {
        in_namespace::<DataplaneRecord>(&mut tasks, client, context, namespace.clone());
        in_namespace::<InsightRecord>(&mut tasks, client, context, namespace.clone());
        in_namespace::<WorkloadRecord>(&mut tasks, client, context, namespace.clone());
        if scope.pods {
            in_namespace::<PodRecord>(&mut tasks, client, context, namespace.clone());
        }
    }
    // With grants in some namespaces only, there are none for cluster-wide kinds.
    if scope.namespaces.is_empty() {
        let selector = scope.namespace_selector.as_deref();
        of_cluster::<NamespaceRecord>(&mut tasks, client, context, selector, selector.is_some());
        of_cluster::<MeshRecord>(&mut tasks, client, context, None, false);
    }
    tasks
}

fn in_namespace<K: IndexedRecord + Resource<Scope = NamespaceResourceScope>>(
    tasks: &mut JoinSet<()>,
    client: &Client,
    context: &Context,
    namespace: Option<String>,
) {
    let api: Api<K> = match &namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    context.readiness.expect(K::KIND, namespace.clone());
    let config = watcher::Config::default().page_size(PAGE);
    tasks.spawn(follow(api, config, context.clone(), namespace, true));
}

fn of_cluster<K: IndexedRecord + Resource<Scope = ClusterResourceScope>>(
    tasks: &mut JoinSet<()>,
    client: &Client,
    context: &Context,
    selector: Option<&str>,
    is_required: bool,
) {
    context.readiness.expect(K::KIND, None);
    let mut config = watcher::Config::default().page_size(PAGE);
    if let Some(selector) = selector {
        config = config.labels(selector);
    }
    let api = Api::all(client.clone());
    tasks.spawn(follow::<K>(api, config, context.clone(), None, is_required));
}

/// Follows a kind forever. An optional kind is left out while it may not be read.
async fn follow<K: IndexedRecord>(
    api: Api<K>,
    config: watcher::Config,
    context: Context,
    namespace: Option<String>,
    is_required: bool,
) {
    let mut backoff = Backoff::of_watches();
    loop {
        let mut events = pin!(watcher(api.clone(), config.clone()));
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    backoff.reset();
                    apply(event, &context, namespace.as_deref());
                }
                Err(error) => {
                    let failure = Failure::of_watch(&K::KIND.resource(), &error);
                    context.metrics.watch_restarted(K::KIND);
                    let is_denied = is_denied(&error);
                    context.readiness.failed(
                        K::KIND,
                        namespace.clone(),
                        &failure,
                        is_required || !is_denied,
                    );
                    if is_denied && !is_required {
                        context.warn(&format!("{failure}; continuing without it"));
                        sleep(OPTIONAL_RETRY).await;
                    } else {
                        context.warn(&failure.to_string());
                        let asked = watch_status(&error).and_then(retry_after);
                        sleep(backoff.next().max(asked.unwrap_or_default())).await;
                    }
                    if is_expired(&error) {
                        // The watcher would ask for the same resourceVersion forever.
                        break;
                    }
                }
            }
        }
    }
}

fn apply<K: IndexedRecord>(event: Event<K>, context: &Context, namespace: Option<&str>) {
    let mut index = context.index();
    let items = match event {
        Event::Apply(object) | Event::InitApply(object) => {
            if object.is_faulty() {
                context.metrics.undecodable(K::KIND);
            }
            object.apply(&mut index)
        }
        Event::Delete(object) => object.delete(&mut index),
        Event::Init => {
            index.relist(K::KIND, namespace);
            Vec::new()
        }
        Event::InitDone => {
            let items = index.sweep(K::KIND, namespace);
            let readiness = &context.readiness;
            readiness.listed(K::KIND, namespace.map(str::to_owned));
            items
        }
    };
    drop(index);
    context.enqueue(items);
}

fn is_denied(error: &watcher::Error) -> bool {
    watch_status(error).is_some_and(|status| matches!(status.code, 401 | 403 | 404))
}

fn is_expired(error: &watcher::Error) -> bool {
    watch_status(error).is_some_and(|status| status.code == 410)
}
