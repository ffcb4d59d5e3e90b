//! What the owner of an object is, by its ownerReferences.

/// Whether an owner is a Mesh (L12).
pub fn is_mesh(api_version: &str, kind: &str) -> bool {
    kind == "Mesh" && api_version.starts_with("kuma.io/")
}

/// Whether an owner is a Pod.
pub fn is_pod(api_version: &str, kind: &str) -> bool {
    (api_version, kind) == ("v1", "Pod")
}
