//! The watches: each lists its kind, follows it, and lists it anew when it must.

use std::{fmt::Debug, pin::pin, time::Duration};

use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, Client, Resource,
    core::{ClusterResourceScope, NamespaceResourceScope},
    runtime::watcher::{self, Event, watcher},
};
use kuma_workload_rulebook::identifier::Identifiers;
use serde::de::DeserializeOwned;
use tokio::{task::JoinSet, time::sleep};

use super::{
    backoff::Backoff,
    controller::Shared,
    index::{Index, Item, Kind, Oddity, key},
    options::Options,
};
use crate::{
    client::{Failure, retry_after},
    kinds::{self, Dataplane, DataplaneInsight, Mesh, Namespace, Pod, Workload},
};

/// How many objects a list brings at a time: what one page takes, text and all, is what a relist
/// needs beyond the index.
const PAGE: u32 = 250;

/// What a kind's objects are for the index.
trait Watched: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + 'static {
    const KIND: Kind;

    fn apply(&self, index: &mut Index) -> Vec<Item>;

    /// Whether it cannot be read.
    fn is_faulty(&self) -> bool {
        false
    }

    fn delete(&self, index: &mut Index) -> Vec<Item>;
}

impl Watched for Dataplane {
    const KIND: Kind = Kind::Dataplane;

    fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }

    fn apply(&self, index: &mut Index) -> Vec<Item> {
        let (items, oddity) = index.apply_dataplane(self);
        if let Some(oddity) = oddity {
            name_once(&self.metadata, &oddity);
        }
        items
    }

    fn delete(&self, index: &mut Index) -> Vec<Item> {
        index.delete_dataplane(&self.metadata)
    }
}

impl Watched for DataplaneInsight {
    const KIND: Kind = Kind::DataplaneInsight;

    fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }

    fn apply(&self, index: &mut Index) -> Vec<Item> {
        let (items, fault) = index.apply_insight(self);
        if let Some(fault) = fault {
            let (namespace, name) = names(&self.metadata);
            tracing::warn!(
                "DataplaneInsight {namespace}/{name} cannot be read, so its proxy counts as not connected: {fault}"
            );
        }
        items
    }

    fn delete(&self, index: &mut Index) -> Vec<Item> {
        index.delete_insight(&self.metadata)
    }
}

impl Watched for Workload {
    const KIND: Kind = Kind::Workload;

    fn apply(&self, index: &mut Index) -> Vec<Item> {
        index.apply_workload(self)
    }

    fn delete(&self, index: &mut Index) -> Vec<Item> {
        index.delete_workload(&key(&self.metadata), self.metadata.uid.as_deref())
    }
}

impl Watched for Namespace {
    const KIND: Kind = Kind::Namespace;

    fn apply(&self, index: &mut Index) -> Vec<Item> {
        index.apply_namespace(self)
    }

    fn delete(&self, index: &mut Index) -> Vec<Item> {
        index.delete_namespace(&self.metadata)
    }
}

impl Watched for Mesh {
    const KIND: Kind = Kind::Mesh;

    fn apply(&self, index: &mut Index) -> Vec<Item> {
        index.apply_mesh(self);
        Vec::new()
    }

    fn delete(&self, index: &mut Index) -> Vec<Item> {
        index.delete_mesh(&self.metadata);
        Vec::new()
    }
}

impl Watched for Pod {
    const KIND: Kind = Kind::Pod;

    fn apply(&self, index: &mut Index) -> Vec<Item> {
        index.apply_pod(self)
    }

    fn delete(&self, index: &mut Index) -> Vec<Item> {
        index.delete_pod(&self.metadata);
        Vec::new()
    }
}

fn names(metadata: &ObjectMeta) -> (&str, &str) {
    (kinds::namespace(metadata), kinds::name(metadata))
}

fn name_once(metadata: &ObjectMeta, oddity: &Oddity) {
    let (namespace, name) = names(metadata);
    match oddity {
        Oddity::Undecodable { fault, .. } => tracing::warn!(
            "Dataplane {namespace}/{name} cannot be read and is left out: {fault}; the Workload that it names is not deleted meanwhile"
        ),
        Oddity::MeshLabel { label, field } => tracing::warn!(
            "Dataplane {namespace}/{name} is in mesh \"{field}\" but its label kuma.io/mesh says \"{label}\"; the field counts"
        ),
    }
}

/// Starts all watches that these options ask for. They go on for ever.
pub(super) fn start(client: &Client, shared: &Shared, options: &Options) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let scopes: Vec<_> = if options.namespace.is_empty() {
        vec![None]
    } else {
        options.namespace.iter().cloned().map(Some).collect()
    };
    for namespace in &scopes {
        in_namespace::<Dataplane>(&mut tasks, client, shared, namespace.clone());
        in_namespace::<DataplaneInsight>(&mut tasks, client, shared, namespace.clone());
        in_namespace::<Workload>(&mut tasks, client, shared, namespace.clone());
        if options.identifiers == Identifiers::Pods {
            in_namespace::<Pod>(&mut tasks, client, shared, namespace.clone());
        }
    }
    // With grants in some namespaces alone, there are none for what is in no namespace.
    if options.namespace.is_empty() {
        let selector = options.namespace_selector.as_deref();
        of_cluster::<Namespace>(&mut tasks, client, shared, selector, selector.is_some());
        of_cluster::<Mesh>(&mut tasks, client, shared, None, false);
    }
    tasks
}

fn in_namespace<K: Watched + Resource<Scope = NamespaceResourceScope>>(
    tasks: &mut JoinSet<()>,
    client: &Client,
    shared: &Shared,
    namespace: Option<String>,
) {
    let api: Api<K> = match &namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    shared.readiness.expect(K::KIND, namespace.clone());
    let config = watcher::Config::default().page_size(PAGE);
    tasks.spawn(follow(api, config, shared.clone(), namespace, true));
}

fn of_cluster<K: Watched + Resource<Scope = ClusterResourceScope>>(
    tasks: &mut JoinSet<()>,
    client: &Client,
    shared: &Shared,
    selector: Option<&str>,
    is_needed: bool,
) {
    shared.readiness.expect(K::KIND, None);
    let mut config = watcher::Config::default().page_size(PAGE);
    if let Some(selector) = selector {
        config = config.labels(selector);
    }
    let api = Api::all(client.clone());
    tasks.spawn(follow::<K>(api, config, shared.clone(), None, is_needed));
}

/// Follows a kind for ever. One that is not needed is done without while it may not be read.
async fn follow<K: Watched>(
    api: Api<K>,
    config: watcher::Config,
    shared: Shared,
    namespace: Option<String>,
    is_needed: bool,
) {
    let mut backoff = Backoff::of_watches();
    loop {
        let mut events = pin!(watcher(api.clone(), config.clone()));
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    backoff.reset();
                    take(event, &shared, namespace.as_deref());
                }
                Err(error) => {
                    let failure = failure(K::KIND, &error);
                    shared.metrics.watch_restarted(K::KIND);
                    let is_denied = is_denied(&error);
                    shared.readiness.failed(
                        K::KIND,
                        namespace.clone(),
                        &failure,
                        is_needed || !is_denied,
                    );
                    if is_denied && !is_needed {
                        shared.say(&format!("{failure}; it is done without"));
                        sleep(OPTIONAL_RETRY).await;
                    } else {
                        shared.say(&failure.to_string());
                        let asked = status(&error).and_then(retry_after);
                        sleep(backoff.next().max(asked.unwrap_or_default())).await;
                    }
                    if is_expired(&error) {
                        // The watcher would ask for the same version for ever.
                        break;
                    }
                }
            }
        }
    }
}

/// How often a kind that is done without is tried again.
const OPTIONAL_RETRY: Duration = Duration::from_secs(300);

fn take<K: Watched>(event: Event<K>, shared: &Shared, namespace: Option<&str>) {
    let mut index = shared.index();
    let items = match event {
        Event::Apply(object) | Event::InitApply(object) => {
            if object.is_faulty() {
                shared.metrics.undecodable(K::KIND);
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
            shared
                .readiness
                .listed(K::KIND, namespace.map(str::to_owned));
            items
        }
    };
    drop(index);
    shared.look_at(items);
}

fn status(error: &watcher::Error) -> Option<&kube::core::Status> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status)
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => Some(status),
        _ => None,
    }
}

fn is_denied(error: &watcher::Error) -> bool {
    status(error).is_some_and(|status| matches!(status.code, 401 | 403 | 404))
}

fn is_expired(error: &watcher::Error) -> bool {
    status(error).is_some_and(|status| status.code == 410)
}

fn failure(kind: Kind, error: &watcher::Error) -> Failure {
    let list = format!("list {}", kind.resource());
    let watch = format!("watch {}", kind.resource());
    match error {
        watcher::Error::InitialListFailed(error) => Failure::of(&list, error),
        watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            Failure::of(&watch, error)
        }
        watcher::Error::WatchError(status) => Failure::of_status(&watch, status),
        watcher::Error::NoResourceVersion => Failure::new(format!(
            "cannot {watch}: the API server sends no resourceVersion"
        )),
    }
}
