//! An object as policy-server's Kubernetes client holds it: typed metadata, the rest as it came.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field_mask::FieldMask;

/// Where `kubectl apply` keeps a copy of what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What identifies an object: apiVersion, kind, namespace (empty if cluster-scoped), name.
pub(super) type Key = (String, String, String, String);

/// apiVersion and kind. The API server leaves them out of the items of a list of built-in objects.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Types {
    api_version: String,
    kind: String,
}

/// An object; unknown fields of its metadata are lost, everything else is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Object {
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    types: Option<Types>,
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(flatten)]
    data: Value,
}

impl Object {
    /// What a get answers: masks apply, `managedFields` stay.
    #[must_use]
    pub fn masked(mut self, mask: Option<&FieldMask>) -> Self {
        if let Some(mask) = mask {
            mask.prune(&mut self.data);
        }
        self
    }

    /// What a list answers: masks apply, `managedFields` and the copy of `kubectl apply` are gone.
    /// Both maps are there afterwards even if they were absent before.
    #[must_use]
    pub fn slimmed(mut self, mask: Option<&FieldMask>) -> Self {
        self.metadata.managed_fields = Some(Vec::new());
        self.metadata
            .annotations
            .get_or_insert_default()
            .remove(LAST_APPLIED);
        self.masked(mask)
    }
}

/// A list, with its fields in the order of the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectList {
    api_version: String,
    kind: String,
    metadata: Empty,
    items: Vec<Object>,
}

#[derive(Debug, Serialize)]
struct Empty {}

impl ObjectList {
    /// The list of these objects.
    #[must_use]
    pub fn new(api_version: &str, kind: &str, items: Vec<Object>) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: format!("{kind}List"),
            metadata: Empty {},
            items,
        }
    }
}
