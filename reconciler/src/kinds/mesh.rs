//! Meshes, of which only the metadata is read, and ownerReferences to them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::core::ClusterResourceScope;
use kuma_workload_rulebook::owner;
use serde::Deserialize;

use super::{metadata::slim, record::record};

/// A Mesh.
#[derive(Debug, Clone, Deserialize)]
pub struct MeshRecord {
    /// Its metadata.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
}

record!(MeshRecord, Mesh, ClusterResourceScope);

/// The names of the Meshes among these owners (L12).
pub fn mesh_owners(owners: &[OwnerReference]) -> impl Iterator<Item = &str> {
    let meshes = owners.iter().filter(|owner| is_mesh(owner));
    meshes.map(|owner| &*owner.name)
}

/// Whether an owner is a Mesh.
pub fn is_mesh(owner: &OwnerReference) -> bool {
    owner::is_mesh(&owner.api_version, &owner.kind)
}
