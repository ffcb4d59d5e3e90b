//! This program's CustomResourceDefinition of Workload (S5), for clusters without Kuma's: the same
//! schema, with printer columns and a status subresource.
// Each column states its type.
#![allow(clippy::duplicated_attributes)]

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{CustomResource, CustomResourceExt};
use kuma_workload_rulebook::counts::Counts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Empty. What there is to know of a Workload is in its labels and its status.
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
    doc = "The data plane proxies that share one identity: those with the same kuma.io/workload. Workloads are created and counted automatically. Do not write them by hand.",
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
pub(crate) struct WorkloadSpec {}

/// The state of the proxies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkloadStatus {
    /// The numbers of the proxies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataplane_proxies: Option<DataplaneProxies>,
}

/// The numbers of a Workload's proxies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl From<Counts> for DataplaneProxies {
    fn from(counts: Counts) -> Self {
        let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            connected: number(counts.connected),
            healthy: number(counts.healthy),
            total: number(counts.total),
        }
    }
}

/// The definition. As in Kuma's, `spec` is not required.
pub(crate) fn definition() -> CustomResourceDefinition {
    let mut definition = Workload::crd();
    for version in &mut definition.spec.versions {
        let schema = version.schema.as_mut();
        if let Some(schema) = schema.and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            schema.required = None;
        }
    }
    definition
}
