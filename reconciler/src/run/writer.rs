//! The writes of Workloads. Each carries the uid and the resourceVersion that the decision was based
//! on, so that no deleted object comes back and no unseen change is overwritten (L15).

use std::{future::Future, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Client, Resource,
    api::{DeleteParams, PatchParams, PostParams, Preconditions, Request},
};
use kuma_workload_rulebook::{
    counts::Counts,
    roster::{self, Key},
};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::index::CachedWorkload;
use crate::{
    client::{Failure, REQUEST_TIMEOUT, is_namespace_terminating, is_unserved, retry_after},
    kinds::{API_VERSION, RecordKind, WorkloadRecord},
};

/// The field manager of this program's writes.
const FIELD_MANAGER: &str = "kuma-workload-reconciler";

/// Writes Workloads.
#[derive(Clone)]
pub(super) struct Writer {
    client: Client,
}

/// Why a write was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WriteError {
    /// The object has changed since the decision. It must be read, and the decision made again.
    #[error("it has changed meanwhile")]
    Stale,
    /// The namespace does not exist, or is being deleted. There is nothing to do until it is back.
    #[error("its namespace is being deleted")]
    NamespaceTerminating,
    /// The API server rejects this write. It is not tried again until something changes.
    #[error("{0}")]
    Rejected(Failure),
    /// Another attempt may succeed.
    #[error("{failure}")]
    Retry {
        /// What failed.
        failure: Failure,
        /// How long the API server asks to wait.
        after: Option<Duration>,
    },
}

impl Writer {
    /// Writes with this client.
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads a Workload. None if it does not exist.
    ///
    /// # Errors
    /// Only [`WriteError::Retry`].
    pub(super) async fn read(&self, key: &Key) -> Result<Option<WorkloadRecord>, WriteError> {
        let request = Request::new(path(key)).get(&key.workload, &kube::api::GetParams::default());
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        match self.send(request, "get workloads.kuma.io", deadline).await {
            Ok(workload) => Ok(Some(workload)),
            Err(RequestError::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error.into_retry("get workloads.kuma.io")),
        }
    }

    /// Creates the Workload of a key in this mesh (L4).
    ///
    /// # Errors
    /// [`WriteError`], also when the deadline comes first.
    pub(super) async fn create(
        &self,
        key: &Key,
        mesh: &str,
        deadline: Instant,
    ) -> Result<WorkloadRecord, WriteError> {
        const WHAT: &str = "create workloads.kuma.io";
        let object = json!({
            "apiVersion": API_VERSION,
            "kind": RecordKind::Workload.name(),
            "metadata": {
                "name": key.workload,
                "namespace": key.namespace,
                "labels": labels(mesh),
            },
            "spec": {},
        });
        let parameters = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let request = Request::new(path(key)).create(&parameters, object.to_string().into_bytes());
        match self.send(request, WHAT, deadline).await {
            Ok(workload) => Ok(workload),
            // The namespace in the path does not exist.
            Err(RequestError::Api(status)) if status.code == 404 && !is_unserved(&status) => {
                Err(WriteError::NamespaceTerminating)
            }
            Err(error) => Err(error.into_write_error(WHAT)),
        }
    }

    /// Writes this program's labels for this mesh, and other owners if given (L5, L12).
    ///
    /// # Errors
    /// [`WriteError`], also when the deadline comes first.
    pub(super) async fn relabel(
        &self,
        key: &Key,
        existing: &CachedWorkload,
        mesh: &str,
        owners: Option<Vec<OwnerReference>>,
        deadline: Instant,
    ) -> Result<WorkloadRecord, WriteError> {
        let mut metadata = json!({
            "uid": existing.uid,
            "resourceVersion": existing.resource_version,
            "labels": labels(mesh),
        });
        if let Some(owners) = owners {
            metadata["ownerReferences"] = json!(owners);
        }
        self.patch(key, None, &json!({ "metadata": metadata }), deadline)
            .await
    }

    /// Writes the numbers of a Workload into its status (S1 to S5).
    ///
    /// # Errors
    /// [`WriteError`], also when the deadline comes first.
    pub(super) async fn status(
        &self,
        key: &Key,
        existing: &CachedWorkload,
        counts: Counts,
        has_subresource: bool,
        deadline: Instant,
    ) -> Result<WorkloadRecord, WriteError> {
        let patch = json!({
            "metadata": { "uid": existing.uid, "resourceVersion": existing.resource_version },
            "status": {
                "dataplaneProxies": {
                    "connected": counts.connected,
                    "healthy": counts.healthy,
                    "total": counts.total,
                },
            },
        });
        let subresource = has_subresource.then_some("status");
        self.patch(key, subresource, &patch, deadline).await
    }

    async fn patch(
        &self,
        key: &Key,
        subresource: Option<&str>,
        patch: &Value,
        deadline: Instant,
    ) -> Result<WorkloadRecord, WriteError> {
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = kube::api::Patch::Merge(patch);
        let (path, name) = (Request::new(path(key)), &key.workload);
        let (request, what) = match subresource {
            Some(subresource) => (
                path.patch_subresource(subresource, name, &parameters, &patch),
                "patch workloads.kuma.io/status",
            ),
            None => (
                path.patch(name, &parameters, &patch),
                "patch workloads.kuma.io",
            ),
        };
        self.send(request, what, deadline)
            .await
            .map_err(|error| error.into_write_error(what))
    }

    /// Deletes a Workload (L2).
    ///
    /// # Errors
    /// [`WriteError`], also when the deadline comes first.
    pub(super) async fn delete(
        &self,
        key: &Key,
        existing: &CachedWorkload,
        deadline: Instant,
    ) -> Result<(), WriteError> {
        const WHAT: &str = "delete workloads.kuma.io";
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(existing.uid.to_string()),
                resource_version: Some(existing.resource_version.to_string()),
            }),
            ..DeleteParams::default()
        };
        let request = Request::new(path(key)).delete(&key.workload, &parameters);
        let answer: Result<Value, _> = self.send(request, WHAT, deadline).await;
        answer
            .map(|_| ())
            .map_err(|error| error.into_write_error(WHAT))
    }

    /// Whether the cluster's definition of Workload has a status subresource (S5).
    ///
    /// # Errors
    /// Only [`WriteError::Retry`].
    pub(super) async fn has_status_subresource(&self) -> Result<bool, WriteError> {
        let what = "discover kuma.io/v1alpha1";
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        let discovery = self.client.list_api_group_resources(API_VERSION);
        let resources = within(discovery, deadline)
            .await
            .map_err(|error| error.into_retry(what))?;
        let mut names = resources.resources.iter().map(|resource| &*resource.name);
        Ok(names.any(|name| name == "workloads/status"))
    }

    async fn send<T: serde::de::DeserializeOwned>(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
        what: &str,
        deadline: Instant,
    ) -> Result<T, RequestError> {
        let request = request.map_err(|error| {
            RequestError::Other(Failure::new(format!("cannot {what}: {error}")))
        })?;
        let timeout = Instant::now() + REQUEST_TIMEOUT;
        within(self.client.request(request), deadline.min(timeout)).await
    }
}

/// Why a request failed.
enum RequestError {
    Api(Box<kube::core::Status>),
    Client(kube::Error),
    TimedOut,
    Other(Failure),
}

async fn within<T>(
    request: impl Future<Output = kube::Result<T>>,
    deadline: Instant,
) -> Result<T, RequestError> {
    match timeout_at(deadline, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) => Err(RequestError::Api(status)),
        Ok(Err(error)) => Err(RequestError::Client(error)),
        Err(_) => Err(RequestError::TimedOut),
    }
}

impl RequestError {
    fn into_write_error(self, what: &str) -> WriteError {
        let Self::Api(status) = &self else {
            return self.into_retry(what);
        };
        let failure = || Failure::of_status(what, status);
        match status.code {
            404 if is_unserved(status) => self.into_retry(what),
            404 | 409 => WriteError::Stale,
            403 if is_namespace_terminating(status) => WriteError::NamespaceTerminating,
            400 | 422 => WriteError::Rejected(failure()),
            _ => self.into_retry(what),
        }
    }

    fn into_retry(self, what: &str) -> WriteError {
        let (failure, after) = match self {
            Self::Api(status) => (Failure::of_status(what, &status), retry_after(&status)),
            Self::Client(error) => (Failure::of(what, &error), None),
            Self::TimedOut => {
                let sentence = format!("cannot {what}: the API server did not answer in time");
                (Failure::new(sentence), None)
            }
            Self::Other(failure) => (failure, None),
        };
        WriteError::Retry { failure, after }
    }
}

fn labels(mesh: &str) -> Value {
    let labels = roster::labels(mesh).into_iter();
    labels
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect()
}

fn path(key: &Key) -> String {
    WorkloadRecord::url_path(&(), Some(&key.namespace))
}
