//! Workloads, as far as they are read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kuma_workload_rulebook::{keys, roster};
use serde::{Deserialize, Deserializer};

use super::{
    field_owners::ManagedFields,
    lax::{Lax, OfJsonType},
    mesh::mesh_owners,
    metadata::{label, name, namespace, origin, slim_with},
    record::record,
};
use crate::crd::DataplaneProxies;

/// A Workload.
#[derive(Debug, Clone)]
pub struct WorkloadRecord {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// The numbers in its status. None if they are absent or cannot be read: then they are written
    /// again.
    pub reported: Option<DataplaneProxies>,
    /// The field managers that own its label `kuma.io/managed-by` (L17).
    pub label_owners: Vec<String>,
}

#[derive(Deserialize)]
struct RawWorkload {
    #[serde(deserialize_with = "slim_with")]
    metadata: (ObjectMeta, ManagedFields),
    #[serde(default)]
    status: Lax<RawStatus>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStatus {
    #[serde(default)]
    dataplane_proxies: Lax<RawProxies>,
}

#[derive(Debug, Clone, Deserialize)]
struct RawProxies {
    #[serde(default)]
    connected: Lax<i32>,
    #[serde(default)]
    healthy: Lax<i32>,
    #[serde(default)]
    total: Lax<i32>,
}

impl OfJsonType for RawStatus {}
impl OfJsonType for RawProxies {}

impl RawWorkload {
    fn reported(&self) -> Result<Option<DataplaneProxies>, String> {
        let Some(status) = self.status.check("status")? else {
            return Ok(None);
        };
        let Some(proxies) = status.dataplane_proxies.check("status.dataplaneProxies")? else {
            return Ok(None);
        };
        // A number that is absent is zero.
        let number = |number: &Lax<i32>| Ok::<_, String>(number.check("")?.copied().unwrap_or(0));
        Ok(Some(DataplaneProxies {
            connected: number(&proxies.connected)?,
            healthy: number(&proxies.healthy)?,
            total: number(&proxies.total)?,
        }))
    }
}

impl<'de> Deserialize<'de> for WorkloadRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawWorkload::deserialize(deserializer)?;
        Ok(Self {
            reported: raw.reported().unwrap_or_default(),
            label_owners: raw.metadata.1.label_owners(),
            metadata: raw.metadata.0,
        })
    }
}

impl WorkloadRecord {
    /// Whether it belongs to this cluster, and is not a copy from another zone (S4).
    fn is_local(&self) -> bool {
        let metadata = &self.metadata;
        let label = label(metadata, keys::ORIGIN);
        origin(metadata).is_local_workload(label, namespace(metadata), name(metadata))
    }

    /// The facts for the roster.
    pub fn facts(&self) -> roster::ExistingWorkload<'_> {
        roster::ExistingWorkload {
            mesh: label(&self.metadata, keys::MESH),
            managed_by: label(&self.metadata, keys::MANAGED_BY),
            is_copy: !self.is_local(),
            mesh_owners: mesh_owners(
                self.metadata
                    .owner_references
                    .as_deref()
                    .unwrap_or_default(),
            )
            .collect(),
        }
    }
}

record!(WorkloadRecord, Workload, NamespaceResourceScope);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case::none(json!({}), None)]
    #[case::all(json!({ "status": { "dataplaneProxies": { "connected": 1, "healthy": 2, "total": 3 } } }), Some((1, 2, 3)))]
    #[case::absent_is_zero(json!({ "status": { "dataplaneProxies": { "total": 3 } } }), Some((0, 0, 3)))]
    #[case::unreadable(json!({ "status": { "dataplaneProxies": { "total": "3" } } }), None)]
    fn reported_numbers(#[case] mut rest: Value, #[case] numbers: Option<(i32, i32, i32)>) {
        rest["metadata"] = json!({ "name": "web", "namespace": "shop" });
        let workload: WorkloadRecord = serde_json::from_value(rest).unwrap();
        let reported = workload.reported;
        assert_eq!(
            reported.map(|all| (all.connected, all.healthy, all.total)),
            numbers
        );
    }
}
