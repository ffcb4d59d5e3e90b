//! Namespaces, of which only the metadata is read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::ClusterResourceScope;
use serde::Deserialize;

use super::{metadata::slim, record::record};

/// A Namespace.
#[derive(Debug, Clone, Deserialize)]
pub struct NamespaceRecord {
    /// Its metadata.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
}

record!(NamespaceRecord, Namespace, ClusterResourceScope);
