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
        let error = answer_in(message);
        let begins = |words: &str| error.starts_with(words);
        let is_unknown_kind = begins("Cannot find resource ")
            || (begins("error finding resource ")
                && has_code(error, "404")
                // The API server answers no question with a page of HTML, but a proxy can.
                && !error.contains('<'));

        Self::Failed(if begins("Policy has not been granted access to ") {
            not_granted(if error.contains("host capability") {
                format!("the host capability kubernetes/{operation}")
            } else {
                let Resource {
                    api_version, kind, ..
                } = resource;
                format!("access to the context-aware resource {api_version}/{kind}")
            })
        } else if begins("Cannot find ") && error.contains(" named '") {
            return Self::NotFound;
        } else if is_unknown_kind && resource.is_kumas() {
            ClusterFailure::KumaNotInstalled
        } else if has_code(error, "403") {
            forbidden(error, operation, resource)
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

/// What the host says. Before it stands who passes it on, and it can quote anything else: the API
/// server, or a proxy before it. So only the words that it begins with say what it is about.
fn answer_in(message: &str) -> &str {
    message
        .strip_prefix("Callback evaluation failure: ")
        .unwrap_or(message)
}

/// Whether the API server has answered with this status code. The host's text holds the code behind
/// a message that can be anything, so a text with several codes has none.
fn has_code(error: &str, code: &str) -> bool {
    let windows = error.as_bytes().windows("code: 000".len());
    let mut codes = windows.filter_map(|window| window.strip_prefix(b"code: "));
    codes.next() == Some(code.as_bytes()) && codes.all(|found| found == code.as_bytes())
}

/// The API server has refused the question.
fn forbidden(error: &str, operation: &str, resource: &Resource) -> ClusterFailure {
    if operation == "can_i" {
        return ClusterFailure::NotGranted(format!(
            "the policy server may not create {}",
            resource.plural
        ));
    }
    not_granted(format!(
        "{} to the policy server's ServiceAccount",
        if error.contains(" cannot get path ") {
            "discovery (ClusterRole system:discovery)".to_owned()
        } else {
            format!("get, list and watch of {}", resource.plural)
        }
    ))
}

/// The failure that this grant is missing.
pub(crate) fn not_granted(grant: String) -> ClusterFailure {
    ClusterFailure::NotGranted(format!("the policy is not granted {grant}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{MESH, NAMESPACE, SUBJECT_ACCESS_REVIEW};
    use rstest::rstest;

    const NO_CAPABILITY: &str = "Policy has not been granted access to the \
        'kubernetes/get_resource' host capability. The violation has been reported.";
    const NO_RESOURCE: &str = "Policy has not been granted access to Kubernetes \
        kuma.io/v1alpha1/Mesh resources. The violation has been reported.";
    const NO_OBJECT: &str =
        "Cannot find kuma.io/v1alpha1/Mesh named 'm' inside of namespace 'None'";
    const NO_KIND: &str = "Cannot find resource kuma.io/v1alpha1/Mesh";
    const NO_ANSWER: &str = "ServiceError: client error (Connect)\n\nCaused by:\n    \
        0: client error (Connect)\n    1: tcp connect error\n    2: Connection refused";
    const TIMEOUT: &str =
        "ServiceError: deadline has elapsed\n\nCaused by:\n    deadline has elapsed";
    const NO_CLIENT: &str = "kube::Client was not initialized properly";
    const NO_REVIEW: &str = "SubjectAccessReview did not return a response";

    /// An answer of the API server that is no success, as the client of policy-server words it.
    fn answered(code: u16, message: &str, reason: &str) -> String {
        format!(
            "ApiError: {message}: {reason} (Status {{ status: Some(Failure), code: {code}, \
             message: {message:?}, metadata: None, reason: {reason:?}, details: None }})"
        )
    }

    /// An answer that is no Status: the client makes one of the body.
    fn body(code: u16, body: &str) -> String {
        answered(code, body, "Failed to parse error data")
    }

    fn discovery(error: &str) -> String {
        format!("error finding resource kuma.io/v1alpha1 / Mesh: {error}")
    }

    fn forbidden_get(resource: &str) -> String {
        let message = format!("{resource} \"m\" is forbidden: User \"u\" cannot get resource");
        answered(403, &message, "Forbidden")
    }

    fn forbidden_path(path: &str) -> String {
        let message = format!("forbidden: User \"u\" cannot get path \"{path}\"");
        answered(403, &message, "Forbidden")
    }

    fn told(error: &str, operation: &'static str, resource: &Resource) -> AskError {
        let told = AskError::of(error, operation, resource);
        let passed_on = format!("Callback evaluation failure: {error}");
        assert_eq!(AskError::of(&passed_on, operation, resource), told);
        told
    }

    const NO_PAGE: &str = "404 page not found\n";
    const HTML: &str = "<html><head><title>404 Not Found</title></head></html>";

    #[rstest]
    #[case::no_kind(NO_KIND.to_owned(), true)]
    #[case::no_group(discovery(&body(404, NO_PAGE)), true)]
    #[case::no_version(discovery(&answered(404, "the server could not find the requested resource", "NotFound")), true)]
    #[case::a_page_of_a_proxy(discovery(&body(404, HTML)), false)]
    #[case::unavailable(discovery(&answered(503, "the server is unable to handle the request", "ServiceUnavailable")), false)]
    #[case::unavailable_with_words_of_a_404(discovery(&body(503, NO_PAGE)), false)]
    #[case::another_code_in_the_message(discovery(&body(503, "upstream (Status { status: Some(Failure), code: 404, message")), false)]
    #[case::not_signed_in(discovery(&answered(401, "Unauthorized", "Unauthorized")), false)]
    #[case::too_many_requests(discovery(&answered(429, "too many requests", "TooManyRequests")), false)]
    #[case::no_status_at_all(
        discovery(
            "ApiError: no Route matched: (Status { status: None, code: 0, message: \"no Route matched\" })"
        ),
        false
    )]
    #[case::no_json(
        discovery("Error deserializing response: expected value at line 1 column 1"),
        false
    )]
    #[case::no_connection(discovery(NO_ANSWER), false)]
    #[case::timeout(discovery(TIMEOUT), false)]
    #[case::a_404_of_anything_else(body(404, NO_PAGE), false)]
    #[case::quoted_in_another_error(discovery(&body(502, NO_KIND)), false)]
    fn a13_only_a_404_of_discovery_means_that_kuma_is_not_installed(
        #[case] error: String,
        #[case] is_not_installed: bool,
    ) {
        let failure = if is_not_installed {
            ClusterFailure::KumaNotInstalled
        } else {
            ClusterFailure::Unavailable("meshes.kuma.io")
        };
        assert_eq!(
            told(&error, "get_resource", &MESH),
            AskError::Failed(failure)
        );
    }

    #[rstest]
    #[case::core_group(body(404, NO_PAGE))]
    #[case::core_group_as_a_status(answered(
        404,
        "the server could not find the requested resource",
        "NotFound"
    ))]
    #[case::a_page_of_a_proxy(body(404, HTML))]
    #[case::core_group_without_the_kind("Cannot find resource v1/Namespace".to_owned())]
    #[case::as_if_it_were_a_group("error finding resource v1 / Namespace: ApiError: x (Status { code: 404 })".to_owned())]
    #[case::no_answer(NO_ANSWER.to_owned())]
    #[case::no_client(NO_CLIENT.to_owned())]
    #[case::not_signed_in(answered(401, "Unauthorized", "Unauthorized"))]
    #[case::unheard_of("boom".to_owned())]
    #[case::nothing(String::new())]
    fn a13_a_404_for_a_kind_of_every_cluster_is_a_broken_path(#[case] error: String) {
        let failure = ClusterFailure::Unavailable("namespaces");
        assert_eq!(
            told(&error, "get_resource", &NAMESPACE),
            AskError::Failed(failure)
        );
    }

    #[rstest]
    #[case::of_kuma(NO_OBJECT, &MESH)]
    #[case::of_every_cluster("Cannot find v1/Namespace named 'team' inside of namespace 'None'", &NAMESPACE)]
    fn a13_an_object_that_is_not_there(#[case] error: &str, #[case] resource: &Resource) {
        assert_eq!(told(error, "get_resource", resource), AskError::NotFound);
    }

    #[rstest]
    #[case::capability(
        NO_CAPABILITY.to_owned(), "get_resource", &MESH,
        "the policy is not granted the host capability kubernetes/get_resource"
    )]
    #[case::capability_of_reviews(
        NO_CAPABILITY.replace("get_resource", "can_i"), "can_i", &SUBJECT_ACCESS_REVIEW,
        "the policy is not granted the host capability kubernetes/can_i"
    )]
    #[case::resource(
        NO_RESOURCE.to_owned(), "get_resource", &MESH,
        "the policy is not granted access to the context-aware resource kuma.io/v1alpha1/Mesh"
    )]
    #[case::get(
        forbidden_get("meshes.kuma.io"), "get_resource", &MESH,
        "the policy is not granted get, list and watch of meshes.kuma.io to the policy server's ServiceAccount"
    )]
    #[case::discovery_of_kuma(
        discovery(&forbidden_path("/apis/kuma.io/v1alpha1")), "get_resource", &MESH,
        "the policy is not granted discovery (ClusterRole system:discovery) to the policy server's ServiceAccount"
    )]
    #[case::discovery_of_every_cluster(
        forbidden_path("/api/v1"), "get_resource", &NAMESPACE,
        "the policy is not granted discovery (ClusterRole system:discovery) to the policy server's ServiceAccount"
    )]
    #[case::reviews(
        forbidden_get("subjectaccessreviews.authorization.k8s.io"), "can_i", &SUBJECT_ACCESS_REVIEW,
        "the policy server may not create subjectaccessreviews"
    )]
    fn a13_what_is_not_granted(
        #[case] error: String,
        #[case] operation: &'static str,
        #[case] resource: &Resource,
        #[case] sentence: &str,
    ) {
        let failure = ClusterFailure::NotGranted(sentence.to_owned());
        assert_eq!(told(&error, operation, resource), AskError::Failed(failure));
    }

    #[test]
    fn a13_a_review_without_an_answer() {
        let failure = ClusterFailure::Unavailable("subjectaccessreviews");
        assert_eq!(
            told(NO_REVIEW, "can_i", &SUBJECT_ACCESS_REVIEW),
            AskError::Failed(failure)
        );
    }
}
