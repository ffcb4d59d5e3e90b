//! The cluster as policy-server sees it: a get is a request, a list is what a watch keeps.

use std::collections::HashMap;
use std::error::Error as _;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::authorization::v1 as authorization;
use kube::api::{DynamicObject, PostParams};
use kube::core::{GroupVersionKind, Status};
use kube::runtime::reflector::{self, Store, store::Writer};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use kuma_workload_host::Failure;
use kuma_workload_host::cluster::{ApiError, ApiResource, ApiServer, ApiStatus};
use kuma_workload_host::wire::SubjectAccessReview;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

/// What a list is of: apiVersion, kind, namespace, label selector, field selector.
type ListKey = (
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// A list that a watch keeps.
#[derive(Clone)]
struct Kept {
    store: Store<DynamicObject>,
    state: watch::Receiver<State>,
}

/// How far a watch has come.
#[derive(Clone)]
enum State {
    /// Its first list has not come; the last error, if there was one.
    Waiting(Option<ApiError>),
    /// Its first list has come. It stays so: what is kept is what is answered, however old.
    Listed,
}

/// The cluster behind a client. To be asked from threads that may wait, not from tasks.
pub struct LiveCluster {
    client: Client,
    runtime: Handle,
    /// How long a list is waited for that has never come.
    patience: Duration,
    /// None of them ever ends.
    lists: Mutex<HashMap<ListKey, Kept>>,
    changes: Arc<AtomicU64>,
}

impl LiveCluster {
    /// The cluster of this client, whose requests and watches run on this runtime.
    #[must_use]
    pub fn new(client: Client, runtime: Handle, patience: Duration) -> Self {
        Self {
            client,
            runtime,
            patience,
            lists: Mutex::default(),
            changes: Arc::default(),
        }
    }

    fn wait<T>(&self, answer: impl Future<Output = kube::Result<T>>) -> Result<T, ApiError> {
        self.runtime
            .block_on(answer)
            .map_err(|error| refused(&error))
    }

    fn api(&self, resource: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
        let kind = dynamic(resource);
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &kind),
            None => Api::all_with(self.client.clone(), &kind),
        }
    }

    /// The watch of a list, opened by whoever asks first.
    fn kept(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Kept {
        let key = (
            resource.api_version.clone(),
            resource.kind.clone(),
            namespace.map(str::to_owned),
            labels.map(str::to_owned),
            fields.map(str::to_owned),
        );
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists
            .entry(key)
            .or_insert_with(|| {
                let config = watcher::Config {
                    label_selector: labels.map(str::to_owned),
                    field_selector: fields.map(str::to_owned),
                    ..watcher::Config::default()
                };
                self.open(&self.api(resource, namespace), &dynamic(resource), config)
            })
            .clone()
    }

    fn open(
        &self,
        api: &Api<DynamicObject>,
        kind: &kube::core::ApiResource,
        config: watcher::Config,
    ) -> Kept {
        let writer = Writer::new(kind.clone());
        let store = writer.as_reader();
        let (tell, state) = watch::channel(State::Waiting(None));
        let changes = self.changes.clone();
        let events = watcher(api.clone(), config).default_backoff();
        let mut events = Box::pin(reflector::reflector(writer, events));
        self.runtime.spawn(async move {
            while let Some(event) = events.next().await {
                changes.fetch_add(1, Ordering::SeqCst);
                tell.send_if_modified(|state| match (&event, &state) {
                    (Ok(watcher::Event::InitDone), State::Waiting(_)) => {
                        *state = State::Listed;
                        true
                    }
                    (Err(error), State::Waiting(_)) => {
                        *state = State::Waiting(Some(unlisted(error)));
                        false
                    }
                    _ => false,
                });
            }
        });
        Kept { store, state }
    }
}

impl ApiServer for LiveCluster {
    fn discover(&self, api_version: &str) -> Result<Vec<ApiResource>, ApiError> {
        let served = if api_version == "v1" {
            self.wait(self.client.list_core_api_resources(api_version))?
        } else {
            self.wait(self.client.list_api_group_resources(api_version))?
        };
        let kinds = served.resources.into_iter();
        let kinds = kinds.filter(|resource| !resource.name.contains('/'));
        Ok(kinds
            .map(|resource| ApiResource {
                api_version: api_version.to_owned(),
                kind: resource.kind,
                plural: resource.name,
                namespaced: resource.namespaced,
            })
            .collect())
    }

    fn get(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Value>, ApiError> {
        let found = self.wait(self.api(resource, namespace).get_opt(name))?;
        found.map(|object| value(&object)).transpose()
    }

    fn list(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        field_selector: Option<&str>,
    ) -> Result<Vec<Value>, ApiError> {
        let Kept { store, mut state } =
            self.kept(resource, namespace, label_selector, field_selector);
        let listed = state.wait_for(|state| matches!(state, State::Listed));
        // The result of the wait does not matter: the state does.
        let _ = self
            .runtime
            .block_on(async { timeout(self.patience, listed).await.map(drop) });
        let state = state.borrow().clone();
        match state {
            State::Listed => store
                .state()
                .iter()
                .map(|object| value(&**object))
                .collect(),
            State::Waiting(Some(error)) => Err(error),
            State::Waiting(None) => Err(ApiError::Other(Failure::new("no list has come"))),
        }
    }

    fn changes(&self, _: &ApiResource, _: Option<&str>) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    fn review(&self, review: &SubjectAccessReview) -> Result<Value, ApiError> {
        let asked = &review.resource_attributes;
        let review = authorization::SubjectAccessReview {
            spec: authorization::SubjectAccessReviewSpec {
                user: Some(review.user.clone()),
                groups: review.groups.clone(),
                resource_attributes: Some(authorization::ResourceAttributes {
                    group: asked.group.clone(),
                    name: asked.name.clone(),
                    namespace: asked.namespace.clone(),
                    resource: Some(asked.resource.clone()),
                    subresource: asked.subresource.clone(),
                    verb: Some(asked.verb.clone()),
                    version: asked.version.clone(),
                    ..Default::default()
                }),
                ..Default::default()
            },
            ..Default::default()
        };
        let api: Api<authorization::SubjectAccessReview> = Api::all(self.client.clone());
        let answer = self.wait(api.create(&PostParams::default(), &review))?;
        value(&answer.status.unwrap_or_default())
    }
}

fn dynamic(resource: &ApiResource) -> kube::core::ApiResource {
    let version = resource
        .api_version
        .split_once('/')
        .map_or(resource.api_version.as_str(), |(_, version)| version);
    let kind = GroupVersionKind::gvk(resource.group(), version, &resource.kind);
    kube::core::ApiResource::from_gvk_with_plural(&kind, &resource.plural)
}

fn value(object: &impl serde::Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(object).map_err(|error| ApiError::Other(Failure::new(error.to_string())))
}

/// A client's error, as policy-server's own would read.
fn refused(error: &kube::Error) -> ApiError {
    if let kube::Error::Api(status) = error {
        return status_of(status).into();
    }
    let mut failure = Failure::new(error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        failure = failure.caused_by(error.to_string());
        cause = error.source();
    }
    ApiError::Other(failure)
}

fn status_of(status: &Status) -> ApiStatus {
    ApiStatus {
        code: status.code,
        message: status.message.clone(),
        reason: status.reason.clone(),
        details: status
            .details
            .clone()
            .map(|details| (details.name, details.group, details.kind)),
    }
}

fn unlisted(error: &watcher::Error) -> ApiError {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => refused(error),
        watcher::Error::WatchError(status) => status_of(status).into(),
        watcher::Error::NoResourceVersion => ApiError::Other(Failure::new(error.to_string())),
    }
}
