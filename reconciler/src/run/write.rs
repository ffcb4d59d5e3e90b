//! The writes to the API server: each carries the uid and resourceVersion that were decided upon, so
//! that nothing is resurrected or overwritten unseen (L15).

use std::time::Duration;

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

use super::index::Kept;
use crate::{
    client::{Failure, REQUEST_TIMEOUT, is_of_dying_namespace, is_unserved, retry_after},
    kinds::{self, API_VERSION, Workload},
};

/// Who owns the fields that we write.
pub(super) const FIELD_MANAGER: &str = "kuma-workload-reconciler";

/// Writes Workloads.
#[derive(Clone)]
pub(super) struct Writer {
    client: Client,
}

/// A write that was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotDone {
    /// The object is not the one that was decided upon: read it, and decide again.
    #[error("it has changed meanwhile")]
    Stale,
    /// The namespace is gone or on its way out: there is nothing to do until it is back.
    #[error("its namespace is being deleted")]
    NoNamespace,
    /// The API server will never take it: there is nothing to do until something changes.
    #[error("{0}")]
    Refused(Failure),
    /// It may work later.
    #[error("{failure}")]
    Later {
        /// What failed.
        failure: Failure,
        /// How long the API server asks to be left alone.
        after: Option<Duration>,
    },
}

impl Writer {
    /// Writes through this client.
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads a Workload; none if there is none.
    ///
    /// # Errors
    /// Only [`NotDone::Later`].
    pub(super) async fn read(&self, key: &Key) -> Result<Option<Workload>, NotDone> {
        let request = Request::new(path(key)).get(&key.workload, &kube::api::GetParams::default());
        let soon = Instant::now() + REQUEST_TIMEOUT;
        match self.send(request, "get workloads.kuma.io", soon).await {
            Ok(workload) => Ok(Some(workload)),
            Err(Problem::Api(status)) if status.code == 404 => Ok(None),
            Err(problem) => Err(problem.later("get workloads.kuma.io")),
        }
    }

    /// Creates the Workload of a key in this mesh (L4).
    ///
    /// # Errors
    /// [`NotDone`], also when the deadline comes first.
    pub(super) async fn create(
        &self,
        key: &Key,
        mesh: &str,
        by: Instant,
    ) -> Result<Workload, NotDone> {
        const WHAT: &str = "create workloads.kuma.io";
        let object = json!({
            "apiVersion": API_VERSION,
            "kind": "Workload",
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
        match self.send(request, WHAT, by).await {
            Ok(workload) => Ok(workload),
            // The path is that of the namespace: without it there is nothing to create in.
            Err(Problem::Api(status)) if status.code == 404 && !is_unserved(&status) => {
                Err(NotDone::NoNamespace)
            }
            Err(problem) => Err(problem.not_done(WHAT)),
        }
    }

    /// Gives a Workload our labels of this mesh, and owners other than it had (L5, L12).
    ///
    /// # Errors
    /// [`NotDone`], also when the deadline comes first.
    pub(super) async fn relabel(
        &self,
        key: &Key,
        seen: &Kept,
        mesh: &str,
        owners: Option<Value>,
        by: Instant,
    ) -> Result<Workload, NotDone> {
        let mut metadata = json!({
            "uid": seen.uid,
            "resourceVersion": seen.resource_version,
            "labels": labels(mesh),
        });
        if let Some(owners) = owners {
            metadata["ownerReferences"] = owners;
        }
        self.patch(key, None, &json!({ "metadata": metadata }), by)
            .await
    }

    /// Writes the numbers of a Workload (S1 to S5).
    ///
    /// # Errors
    /// [`NotDone`], also when the deadline comes first.
    pub(super) async fn status(
        &self,
        key: &Key,
        seen: &Kept,
        counts: Counts,
        has_subresource: bool,
        by: Instant,
    ) -> Result<Workload, NotDone> {
        let patch = json!({
            "metadata": { "uid": seen.uid, "resourceVersion": seen.resource_version },
            "status": {
                "dataplaneProxies": {
                    "connected": counts.connected,
                    "healthy": counts.healthy,
                    "total": counts.total,
                },
            },
        });
        let subresource = has_subresource.then_some("status");
        self.patch(key, subresource, &patch, by).await
    }

    async fn patch(
        &self,
        key: &Key,
        subresource: Option<&str>,
        patch: &Value,
        by: Instant,
    ) -> Result<Workload, NotDone> {
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
        self.send(request, what, by)
            .await
            .map_err(|problem| problem.not_done(what))
    }

    /// Deletes a Workload (L2).
    ///
    /// # Errors
    /// [`NotDone`], also when the deadline comes first.
    pub(super) async fn delete(&self, key: &Key, seen: &Kept, by: Instant) -> Result<(), NotDone> {
        const WHAT: &str = "delete workloads.kuma.io";
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(seen.uid.to_string()),
                resource_version: Some(seen.resource_version.to_string()),
            }),
            ..DeleteParams::default()
        };
        let request = Request::new(path(key)).delete(&key.workload, &parameters);
        let answer: Result<Value, _> = self.send(request, WHAT, by).await;
        answer.map(|_| ()).map_err(|problem| problem.not_done(WHAT))
    }

    /// Whether the status of Workloads is a subresource here (S5).
    ///
    /// # Errors
    /// Only [`NotDone::Later`].
    pub(super) async fn has_status_subresource(&self) -> Result<bool, NotDone> {
        let what = "discover kuma.io/v1alpha1";
        let soon = Instant::now() + REQUEST_TIMEOUT;
        let discovery = self.client.list_api_group_resources(API_VERSION);
        let resources = within(discovery, soon)
            .await
            .map_err(|problem| problem.later(what))?;
        let mut names = resources.resources.iter().map(|resource| &*resource.name);
        Ok(names.any(|name| name == "workloads/status"))
    }

    async fn send<T: serde::de::DeserializeOwned>(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
        what: &str,
        by: Instant,
    ) -> Result<T, Problem> {
        let request = request
            .map_err(|error| Problem::Other(Failure::new(format!("cannot {what}: {error}"))))?;
        let soon = Instant::now() + REQUEST_TIMEOUT;
        within(self.client.request(request), by.min(soon)).await
    }
}

/// Why a request failed.
enum Problem {
    Api(Box<kube::core::Status>),
    Client(kube::Error),
    TimedOut,
    Other(Failure),
}

async fn within<T>(
    request: impl Future<Output = kube::Result<T>>,
    by: Instant,
) -> Result<T, Problem> {
    match timeout_at(by, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) => Err(Problem::Api(status)),
        Ok(Err(error)) => Err(Problem::Client(error)),
        Err(_) => Err(Problem::TimedOut),
    }
}

impl Problem {
    fn not_done(self, what: &str) -> NotDone {
        let Self::Api(status) = &self else {
            return self.later(what);
        };
        let failure = || Failure::of_status(what, status);
        match status.code {
            404 if is_unserved(status) => self.later(what),
            404 | 409 => NotDone::Stale,
            403 if is_of_dying_namespace(status) => NotDone::NoNamespace,
            400 | 422 => NotDone::Refused(failure()),
            _ => self.later(what),
        }
    }

    fn later(self, what: &str) -> NotDone {
        let (failure, after) = match self {
            Self::Api(status) => (Failure::of_status(what, &status), retry_after(&status)),
            Self::Client(error) => (Failure::of(what, &error), None),
            Self::TimedOut => {
                let sentence = format!("cannot {what}: the API server did not answer in time");
                (Failure::new(sentence), None)
            }
            Self::Other(failure) => (failure, None),
        };
        NotDone::Later { failure, after }
    }
}

fn labels(mesh: &str) -> Value {
    let labels = roster::labels(mesh).into_iter();
    labels
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect()
}

fn path(key: &Key) -> String {
    kinds::Workload::url_path(&(), Some(&key.namespace))
}
