//! The kinds of objects that the policy asks the host for.

/// A kind that the policy asks for, and what must be granted for it.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    /// The name of the resource, with its API group.
    pub(crate) plural: &'static str,
    /// What the policy needs: an entry in its `contextAwareResources`.
    pub(crate) access: &'static str,
    /// What the policy server needs: permissions by RBAC.
    pub(crate) grant: &'static str,
}

macro_rules! resource {
    ($api_version:literal, $kind:literal, $plural:literal) => {
        Resource {
            api_version: $api_version,
            kind: $kind,
            plural: $plural,
            access: concat!(
                "access to the context-aware resource ",
                $api_version,
                "/",
                $kind
            ),
            grant: concat!(
                "get, list and watch of ",
                $plural,
                " to the policy server's ServiceAccount"
            ),
        }
    };
}

pub(crate) const NAMESPACE: Resource = resource!("v1", "Namespace", "namespaces");
pub(crate) const POD: Resource = resource!("v1", "Pod", "pods");
pub(crate) const MESH: Resource = resource!("kuma.io/v1alpha1", "Mesh", "meshes.kuma.io");
pub(crate) const DATAPLANE: Resource =
    resource!("kuma.io/v1alpha1", "Dataplane", "dataplanes.kuma.io");
