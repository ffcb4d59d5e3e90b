//! The writes of Workloads. Each carries the uid and the resourceVersion that the decision was based
//! on, so that no deleted object comes back and no unseen change is overwritten (L15).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, PatchParams, PostParams, Preconditions, Request};
use kuma_workload_rulebook::{
    counts::Counts,
    roster::{self, Key},
};
use serde_json::{Value, json};

use super::{
    context::Context,
    index::CachedWorkload,
    requests::{ApiClient, BuiltRequest, RequestError},
};
use crate::kinds::{API_VERSION, RecordKind, WorkloadRecord};

/// The field manager of this program's writes.
const FIELD_MANAGER: &str = "kuma-workload-reconciler";

/// Writes Workloads.
#[derive(Clone)]
pub(super) struct Writer {
    api: ApiClient,
    context: Context,
}

impl Writer {
    /// Writes with this client.
    pub(super) fn new(api: ApiClient, context: Context) -> Self {
        Self { api, context }
    }

    /// Reads a Workload. None if it does not exist.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn read(&self, key: &Key) -> Result<Option<WorkloadRecord>, RequestError> {
        let request = Request::new(path(key)).get(&key.workload, &kube::api::GetParams::default());
        match self.api.send(request, None).await {
            Ok(workload) => Ok(Some(workload)),
            Err(error) if error.code() == Some(404) && !error.is_unserved() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates the Workload of a key in this mesh (L4), with its numbers: they are kept where the
    /// definition of Workload has no status subresource, and dropped where it has one (L22).
    ///
    /// # Errors
    /// [`RequestError`], also when this replica does not lead, or no longer does before the answer comes.
    pub(super) async fn create(
        &self,
        key: &Key,
        mesh: &str,
        counts: Option<Counts>,
    ) -> Result<WorkloadRecord, RequestError> {
        let mut object = json!({
            "apiVersion": API_VERSION,
            "kind": RecordKind::Workload.name(),
            "metadata": {
                "name": key.workload,
                "namespace": key.namespace,
                "labels": labels(mesh),
            },
            "spec": {},
        });
        if let Some(counts) = counts {
            object["status"] = status(counts);
        }
        let parameters = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let request = Request::new(path(key)).create(&parameters, object.to_string().into_bytes());
        self.send(request).await
    }

    /// Writes this program's labels for this mesh, and other owners if given (L5, L12).
    ///
    /// # Errors
    /// [`RequestError`], also when this replica does not lead, or no longer does before the answer comes.
    pub(super) async fn relabel(
        &self,
        key: &Key,
        existing: &CachedWorkload,
        mesh: &str,
        owners: Option<Vec<OwnerReference>>,
    ) -> Result<WorkloadRecord, RequestError> {
        let mut metadata = json!({
            "uid": existing.uid,
            "resourceVersion": existing.resource_version,
            "labels": labels(mesh),
        });
        if let Some(owners) = owners {
            metadata["ownerReferences"] = json!(owners);
        }
        self.patch(key, None, &json!({ "metadata": metadata }))
            .await
    }

    /// Writes the numbers of a Workload into its status (S1 to S5).
    ///
    /// # Errors
    /// [`RequestError`], also when this replica does not lead, or no longer does before the answer comes.
    pub(super) async fn status(
        &self,
        key: &Key,
        existing: &CachedWorkload,
        counts: Counts,
        has_subresource: bool,
    ) -> Result<WorkloadRecord, RequestError> {
        let patch = json!({
            "metadata": { "uid": existing.uid, "resourceVersion": existing.resource_version },
            "status": status(counts),
        });
        let subresource = has_subresource.then_some("status");
        self.patch(key, subresource, &patch).await
    }

    async fn patch(
        &self,
        key: &Key,
        subresource: Option<&str>,
        patch: &Value,
    ) -> Result<WorkloadRecord, RequestError> {
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = kube::api::Patch::Merge(patch);
        let (path, name) = (Request::new(path(key)), &key.workload);
        let request = match subresource {
            Some(subresource) => path.patch_subresource(subresource, name, &parameters, &patch),
            None => path.patch(name, &parameters, &patch),
        };
        self.send(request).await
    }

    /// Deletes a Workload (L2). Returns it if it is still there, since it has finalizers.
    ///
    /// # Errors
    /// [`RequestError`], also when this replica does not lead, or no longer does before the answer comes.
    pub(super) async fn delete(
        &self,
        key: &Key,
        existing: &CachedWorkload,
    ) -> Result<Option<WorkloadRecord>, RequestError> {
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(existing.uid.to_string()),
                resource_version: Some(existing.resource_version.to_string()),
            }),
            ..DeleteParams::default()
        };
        let request = Request::new(path(key)).delete(&key.workload, &parameters);
        let answer: Value = self.send(request).await?;
        let is_workload = answer["kind"] == RecordKind::Workload.name();
        let left = serde_json::from_value(answer).ok();
        Ok(left.filter(|_| is_workload).filter(has_finalizers))
    }

    /// Whether the cluster's definition of Workload has a status subresource (S5).
    ///
    /// # Errors
    /// When it cannot be found out.
    pub(super) async fn has_status_subresource(&self) -> Result<bool, RequestError> {
        let discovery = self.api.client().list_api_group_resources(API_VERSION);
        let resources = self.api.within(discovery, None).await?;
        let mut names = resources.resources.iter().map(|resource| &*resource.name);
        Ok(names.any(|name| name == "workloads/status"))
    }

    /// Sends a write if this replica leads at this very moment: it may have led when the write began, and no longer
    /// lead now.
    async fn send<T: serde::de::DeserializeOwned>(
        &self,
        request: BuiltRequest,
    ) -> Result<T, RequestError> {
        let deadline = self.context.write_deadline();
        let deadline = deadline.ok_or(RequestError::NotLeading)?;
        self.api.send(request, Some(deadline)).await
    }
}

/// Whether an object that was deleted is still there, and waits for its finalizers.
fn has_finalizers(workload: &WorkloadRecord) -> bool {
    workload.metadata.deletion_timestamp.is_some()
}

fn status(counts: Counts) -> Value {
    json!({
        "dataplaneProxies": {
            "connected": counts.connected,
            "healthy": counts.healthy,
            "total": counts.total,
        },
    })
}

fn labels(mesh: &str) -> Value {
    let labels = roster::labels(mesh).into_iter();
    labels
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect()
}

fn path(key: &Key) -> String {
    RecordKind::Workload.path(Some(&key.namespace))
}
