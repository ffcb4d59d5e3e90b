//! What the error messages of the host mean (A13). Their text goes no further than this file.

use kuma_workload_rulebook::admission::ClusterFailure;

use crate::resource::Resource;

/// Why the host answered with an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AskError {
    /// There is no object with this name.
    NotFound,
    /// The question failed.
    Failed(ClusterFailure),
}

impl AskError {
    /// What an error message means that answers this operation on this resource.
    pub(crate) fn of(message: &str, operation: &'static str, resource: &Resource) -> Self {
        let says = |text: &str| message.contains(text);
        Self::Failed(if says("Policy has not been granted access to") {
            ClusterFailure::NotGranted(match operation {
                _ if !says("host capability") => resource.access,
                "get_resource" => "the host capability kubernetes/get_resource",
                _ => "the host capability kubernetes/list_resources_by_namespace",
            })
        } else if says("code: 403") {
            ClusterFailure::NotGranted(resource.grant)
        } else if says("Cannot find resource ")
            // The host remembers a kind that the cluster once had, and then says it like this.
            || (says("code: 404")
                && (says("error finding resource") || says("ApiError: 404 page not found")))
        {
            ClusterFailure::KumaNotInstalled
        } else if says("Cannot find ") && says(" named '") {
            return Self::NotFound;
        } else {
            ClusterFailure::Unavailable(resource.plural)
        })
    }

    /// The failure; `missing` if the object was not found.
    pub(crate) fn or_missing(self, missing: ClusterFailure) -> ClusterFailure {
        match self {
            Self::NotFound => missing,
            Self::Failed(failure) => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::MESH;
    use rstest::rstest;

    const NO_CAPABILITY: &str = "Host error: Policy has not been granted access to the \
        'kubernetes/get_resource' host capability. The violation has been reported.";
    const NO_RESOURCE: &str = "Host error: Policy has not been granted access to Kubernetes \
        kuma.io/v1alpha1/Mesh resources. The violation has been reported.";
    const FORBIDDEN: &str = "Host error: Callback evaluation failure: ApiError: meshes.kuma.io \
        \"m\" is forbidden: User \"u\" cannot get resource (Status { status: Some(Failure), \
        code: 403, message: \"…\" })";
    const NO_OBJECT: &str = "Host error: Callback evaluation failure: Cannot find \
        kuma.io/v1alpha1/Mesh named 'm' inside of namespace 'None'";
    const NO_KIND: &str = "Host error: Callback evaluation failure: Cannot find resource \
        kuma.io/v1alpha1/Mesh";
    const NO_GROUP: &str = "Host error: Callback evaluation failure: error finding resource \
        kuma.io/v1alpha1 / Mesh: ApiError: \"404 page not found\" (Status { code: 404 })";
    const GROUP_GONE: &str = "Host error: Callback evaluation failure: ApiError: 404 page not \
        found\n: Failed to parse error data (Status { code: 404, message: \"404 page not found\" })";
    const OTHER_DISCOVERY: &str = "Host error: Callback evaluation failure: error finding resource \
        kuma.io/v1alpha1 / Mesh: ServiceError: client error (Connect)";

    #[rstest]
    #[case::no_object(NO_OBJECT)]
    fn a13_an_object_that_is_not_there(#[case] message: &str) {
        let error = AskError::of(message, "get_resource", &MESH);
        assert_eq!(error, AskError::NotFound);
    }

    #[rstest]
    #[case::no_capability(
        NO_CAPABILITY,
        ClusterFailure::NotGranted("the host capability kubernetes/get_resource")
    )]
    #[case::no_resource(
        NO_RESOURCE,
        ClusterFailure::NotGranted("access to the context-aware resource kuma.io/v1alpha1/Mesh")
    )]
    #[case::forbidden(
        FORBIDDEN,
        ClusterFailure::NotGranted(
            "get, list and watch of meshes.kuma.io to the policy server's ServiceAccount"
        )
    )]
    #[case::no_kind(NO_KIND, ClusterFailure::KumaNotInstalled)]
    #[case::no_group(NO_GROUP, ClusterFailure::KumaNotInstalled)]
    #[case::group_gone(GROUP_GONE, ClusterFailure::KumaNotInstalled)]
    #[case::other_discovery_failure(OTHER_DISCOVERY, ClusterFailure::Unavailable("meshes.kuma.io"))]
    #[case::anything_else("Host error: boom", ClusterFailure::Unavailable("meshes.kuma.io"))]
    fn a13_what_the_hosts_errors_mean(#[case] message: &str, #[case] failure: ClusterFailure) {
        let error = AskError::of(message, "get_resource", &MESH);
        assert_eq!(error, AskError::Failed(failure));
    }
}
