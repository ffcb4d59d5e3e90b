//! Our CustomResourceDefinition of Workload (S5): Kuma's shape, with columns and a status of its
//! own, for clusters without Kuma's.
// Each column has its type.
#![allow(clippy::duplicated_attributes)]

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{CustomResource, CustomResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Empty: a Workload says all in its labels and its status.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, CustomResource, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "kuma.io",
    version = "v1alpha1",
    kind = "Workload",
    plural = "workloads",
    singular = "workload",
    shortname = "wl",
    category = "kuma",
    namespaced,
    status = "WorkloadStatus",
    doc = "The data plane proxies that share one identity: those with the same kuma.io/workload. Made and counted automatically; not to be written by hand.",
    printcolumn(
        name = "Mesh",
        type_ = "string",
        json_path = ".metadata.labels.kuma\\.io/mesh"
    ),
    printcolumn(
        name = "Connected",
        type_ = "integer",
        json_path = ".status.dataplaneProxies.connected"
    ),
    printcolumn(
        name = "Healthy",
        type_ = "integer",
        json_path = ".status.dataplaneProxies.healthy"
    ),
    printcolumn(
        name = "Total",
        type_ = "integer",
        json_path = ".status.dataplaneProxies.total"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
pub struct WorkloadSpec {}

/// How its proxies are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// The numbers of its proxies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataplane_proxies: Option<DataplaneProxies>,
}

/// The numbers of a Workload's proxies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataplaneProxies {
    /// Those that are connected to the control plane.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub connected: i32,
    /// Those that can take traffic.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub healthy: i32,
    /// All of them.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub total: i32,
}

/// The definition. A Workload may come without `spec`, as Kuma's may.
pub fn definition() -> CustomResourceDefinition {
    let mut definition = Workload::crd();
    for version in &mut definition.spec.versions {
        let schema = version.schema.as_mut();
        if let Some(schema) = schema.and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            schema.required = None;
        }
    }
    definition
}
