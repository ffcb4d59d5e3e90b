//! Pods, as far as their identifiers are computed from them (W8).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use serde::{Deserialize, Deserializer};

use super::{metadata::slim, record::record};

/// A Pod.
#[derive(Debug, Clone)]
pub struct PodRecord {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// `spec.serviceAccountName`; absent or empty means `default`.
    pub service_account_name: Option<String>,
}

impl<'de> Deserialize<'de> for PodRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct RawPod {
            #[serde(deserialize_with = "slim")]
            metadata: ObjectMeta,
            #[serde(default)]
            spec: Option<RawPodSpec>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct RawPodSpec {
            #[serde(default)]
            service_account_name: Option<String>,
        }
        let raw = RawPod::deserialize(deserializer)?;
        Ok(Self {
            metadata: raw.metadata,
            service_account_name: raw.spec.and_then(|spec| spec.service_account_name),
        })
    }
}

record!(PodRecord, Pod, NamespaceResourceScope);
