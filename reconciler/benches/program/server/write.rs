//! Writes of Workloads, by their preconditions, with or without the status subresource.

use http::StatusCode;
use kuma_workload::kinds::RecordKind;
use serde_json::{Value, json};

use super::cluster::{Cluster, Name};

/// The answer to a write.
pub(super) type Written = Result<(StatusCode, String), StatusCode>;

const KIND: RecordKind = RecordKind::Workload;

/// POST.
pub(super) fn create(
    cluster: &mut Cluster,
    namespace: &str,
    mut object: Value,
    has_status_subresource: bool,
) -> Written {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let name = (namespace.to_owned(), name.to_owned());
    if cluster.objects(KIND).contains_key(&name) {
        return Err(StatusCode::CONFLICT);
    }
    if has_status_subresource && let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    let number = usize::try_from(cluster.version()).unwrap();
    object["metadata"]["uid"] = json!(crate::generated::uid(number));
    object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    Ok((StatusCode::CREATED, cluster.write(KIND, name, object)))
}

/// PATCH, as a merge patch, of the object or of its status.
pub(super) fn patch(
    cluster: &mut Cluster,
    name: Name,
    mut patch: Value,
    subresource: Option<&str>,
    has_status_subresource: bool,
) -> Written {
    if subresource.is_some() && !has_status_subresource {
        return Err(StatusCode::NOT_FOUND);
    }
    let mut object = found(cluster, &name, &patch["metadata"])?;
    let fields = patch.as_object_mut().unwrap();
    if subresource.is_some() {
        fields.retain(|field, _| field == "status");
    } else if has_status_subresource {
        fields.remove("status");
    }
    merge(&mut object, patch);
    Ok((StatusCode::OK, cluster.write(KIND, name, object)))
}

/// DELETE.
pub(super) fn delete(cluster: &mut Cluster, name: &Name, options: &Value) -> Written {
    found(cluster, name, &options["preconditions"])?;
    cluster.remove(KIND, name);
    let status =
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" });
    Ok((StatusCode::OK, status.to_string()))
}

/// The object, if it is the one that these preconditions name.
fn found(cluster: &Cluster, name: &Name, preconditions: &Value) -> Result<Value, StatusCode> {
    let object = cluster.get(KIND, name).ok_or(StatusCode::NOT_FOUND)?;
    let holds = |field: &str| {
        let expected = &preconditions[field];
        expected.is_null() || *expected == object["metadata"][field]
    };
    match holds("uid") && holds("resourceVersion") {
        true => Ok(object),
        false => Err(StatusCode::CONFLICT),
    }
}

fn merge(object: &mut Value, patch: Value) {
    match patch {
        Value::Object(fields) => {
            if !object.is_object() {
                *object = json!({});
            }
            for (field, value) in fields {
                if value.is_null() {
                    object.as_object_mut().unwrap().remove(&field);
                } else {
                    merge(&mut object[field], value);
                }
            }
        }
        value => *object = value,
    }
}
