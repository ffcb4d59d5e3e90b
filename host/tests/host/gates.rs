//! Both gates, and the error texts that a policy reads.

use std::sync::Arc;

use kuma_workload_host::{
    Backend, CallOutcome, Failure, GuestCallError, Policy,
    callback::Grants,
    capability::Capabilities,
    cluster::{ApiStatus, Manifests, Scripted},
    metadata::ContextAwareResource,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    get,
    guest::{self, Step},
    list, policy, shop, untouched,
};

/// The error that a guest reads when it asks this.
fn error_of(policy: &Policy, cluster: Arc<dyn Backend>) -> String {
    match policy.call("validate", b"{}", cluster).result {
        Err(GuestCallError::Failed(error)) => error,
        other => panic!("expected the guest's error, got {other:?}"),
    }
}

fn ask_shop(operation: &'static str, payload: Value, cluster: Manifests) -> String {
    error_of(
        &policy(&guest::asking(operation, payload)),
        Arc::new(cluster.handled()),
    )
}

const MESH: &str = "kuma.io/v1alpha1";

#[test]
fn a_capability_without_grant_is_denied_before_the_payload_is_read() {
    let module = guest::guest(&[Step::Ask(
        "kubernetes",
        "get_resource",
        "no json".to_owned(),
    )]);
    let policy = policy(&module).with_grants(Grants::default());
    let call = policy.call("validate", b"{}", untouched());
    let text = "Policy has not been granted access to the 'kubernetes/get_resource' host capability. The violation has been reported.";
    assert_eq!(call.calls.len(), 1);
    assert_eq!(call.calls[0].outcome, CallOutcome::Denied(text.to_owned()));
    assert_eq!(error_of(&policy, untouched()), text);
}

#[rstest]
#[case::get("get_resource", get("v1", "Secret", "s", Some("shop")))]
#[case::list("list_resources_by_namespace", list("v1", "Secret", "shop", None))]
#[case::list_all("list_resources_all", json!({"api_version": "v1", "kind": "Secret"}))]
fn a_kind_without_grant_is_denied(#[case] operation: &'static str, #[case] payload: Value) {
    let text = "Policy has not been granted access to Kubernetes v1/Secret resources. The violation has been reported.";
    assert_eq!(ask_shop(operation, payload, shop()), text);
}

#[test]
fn kinds_are_compared_exactly() {
    let only_pods = Grants {
        capabilities: Capabilities::all(),
        resources: [ContextAwareResource::new("v1", "Pod")].into(),
    };
    let module = guest::asking("get_resource", get("v1", "pod", "web", Some("shop")));
    let error = error_of(&policy(&module).with_grants(only_pods), untouched());
    assert!(
        error.starts_with("Policy has not been granted access to Kubernetes v1/pod"),
        "{error}"
    );
}

#[test]
fn log_lines_pass_without_any_grant_and_are_no_calls() {
    let module = guest::guest(&[Step::Ask(
        "tracing",
        "log",
        "{\"level\":\"INFO\"}".to_owned(),
    )]);
    let policy = policy(&module).with_grants(Grants::default());
    let call = policy.call("validate", b"{}", untouched());
    assert_eq!(call.result, Ok(Vec::new()));
    assert!(call.calls.is_empty());
    assert_eq!(call.logs, ["{\"level\":\"INFO\"}"]);
}

#[rstest]
#[case::binding("other", "kubernetes", "get_resource", "unknown binding: other")]
#[case::namespace("kubewarden", "weather", "today", "unknown namespace: weather")]
#[case::operation("kubewarden", "kubernetes", "delete", "unknown operation: delete")]
#[case::tracing("kubewarden", "tracing", "span", "unknown operation: span")]
fn unknown_calls(
    #[case] binding: &'static str,
    #[case] namespace: &'static str,
    #[case] operation: &'static str,
    #[case] text: &str,
) {
    let module = guest::guest(&[Step::AskOf(binding, namespace, operation, String::new())]);
    assert_eq!(error_of(&policy(&module), untouched()), text);
}

#[test]
fn a_payload_that_cannot_be_read_says_where() {
    let error = ask_shop("get_resource", json!({"api_version": "v1"}), shop());
    assert_eq!(error, "missing field `kind` at line 1 column 20");
}

#[rstest]
#[case::cluster_scoped(
    get(MESH, "Mesh", "red", None),
    "Callback evaluation failure: Cannot find kuma.io/v1alpha1/Mesh named 'red' inside of namespace 'None'"
)]
#[case::namespaced(
    get("v1", "Pod", "gone", Some("shop")),
    "Callback evaluation failure: Cannot find v1/Pod named 'gone' inside of namespace 'Some(\"shop\")'"
)]
#[case::without_namespace(
    get("v1", "Pod", "web", None),
    "Callback evaluation failure: Resource v1/Pod is namespaced, but no namespace was provided"
)]
#[case::without_name(
    get(MESH, "Mesh", "", None),
    "Callback evaluation failure: Failed to build request: failed to validate request: A non-empty name is required\n\nCaused by:\n    failed to validate request: A non-empty name is required"
)]
#[case::name_that_no_url_holds(
    get(MESH, "Mesh", "a b", None),
    "Callback evaluation failure: Failed to build request: failed to build request: invalid uri character\n\nCaused by:\n    0: failed to build request: invalid uri character\n    1: invalid uri character"
)]
#[case::unknown_kind(
    get(MESH, "Unheard", "x", None),
    "Callback evaluation failure: Cannot find resource kuma.io/v1alpha1/Unheard"
)]
#[case::unknown_group(
    get("nothing.example/v1", "Thing", "x", None),
    "Callback evaluation failure: error finding resource nothing.example/v1 / Thing: ApiError: 404 page not found\n: Failed to parse error data (Status { status: Some(Failure), code: 404, message: \"404 page not found\\n\", metadata: None, reason: \"Failed to parse error data\", details: None })"
)]
fn failed_gets(#[case] payload: Value, #[case] text: &str) {
    assert_eq!(ask_shop("get_resource", payload, shop()), text);
}

#[test]
fn a_get_without_grant_is_the_api_servers_403() {
    let cluster = shop().forbid("get", MESH, "Mesh");
    let short = "meshes.kuma.io \"blue\" is forbidden: User \"system:serviceaccount:kubewarden:policy-server\" cannot get resource \"meshes\" in API group \"kuma.io\" at the cluster scope";
    let escaped = short.replace('"', "\\\"");
    assert_eq!(
        ask_shop("get_resource", get(MESH, "Mesh", "blue", None), cluster),
        format!(
            "Callback evaluation failure: ApiError: {short}: Forbidden (Status {{ status: Some(Failure), code: 403, message: \"{escaped}\", metadata: Some(ListMeta {{ continue_: None, remaining_item_count: None, resource_version: None, self_link: None }}), reason: \"Forbidden\", details: Some(StatusDetails {{ name: \"blue\", group: \"kuma.io\", kind: \"meshes\", uid: \"\", causes: [], retry_after_seconds: 0 }}) }})\n\nCaused by:\n    {short}: Forbidden"
        )
    );
}

#[test]
fn a_forbidden_get_in_a_namespace_names_it() {
    let cluster = shop().forbid("get", "v1", "Pod");
    let error = ask_shop(
        "get_resource",
        get("v1", "Pod", "web", Some("shop")),
        cluster,
    );
    assert!(error.contains("pods \"web\" is forbidden: "), "{error}");
    assert!(
        error.contains("in API group \"\" in the namespace \"shop\": Forbidden"),
        "{error}"
    );
}

#[rstest]
#[case::other_group(
    MESH,
    "Mesh",
    "Callback evaluation failure: error finding resource kuma.io/v1alpha1 / Mesh: ApiError: try later: ServiceUnavailable (",
    "code: 503"
)]
#[case::core_group(
    "v1",
    "Namespace",
    "Callback evaluation failure: ApiError: try later: ServiceUnavailable (",
    "Caused by:\n    try later: ServiceUnavailable"
)]
fn discovery_that_fails_otherwise(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] start: &str,
    #[case] part: &str,
) {
    let down = ApiStatus::new(503, "ServiceUnavailable", "try later");
    let cluster = shop().break_discovery(api_version, down);
    let error = ask_shop("get_resource", get(api_version, kind, "x", None), cluster);
    assert!(error.starts_with(start), "{error}");
    assert!(error.contains(part), "{error}");
}

#[test]
fn kuma_can_be_missing() {
    let cluster = shop().without_group("kuma.io");
    let error = ask_shop("get_resource", get(MESH, "Mesh", "blue", None), cluster);
    assert!(error.contains("code: 404"), "{error}");
}

#[test]
fn a_cluster_wide_kind_has_no_list_by_namespace() {
    let error = ask_shop(
        "list_resources_by_namespace",
        list(MESH, "Mesh", "shop", None),
        shop(),
    );
    assert_eq!(
        error,
        "Callback evaluation failure: resource kuma.io/v1alpha1/Mesh is cluster wide. Cannot search for it inside of a namespace"
    );
}

#[test]
fn several_causes_are_numbered() {
    let failure = Failure::new("a").caused_by("b").caused_by("c\nd");
    let module = guest::asking("get_resource", get(MESH, "Mesh", "blue", None));
    let error = error_of(&policy(&module), Arc::new(Scripted::failing(failure)));
    assert_eq!(
        error,
        "Callback evaluation failure: a\n\nCaused by:\n    0: b\n    1: c\n       d"
    );
}

/// The host builds its URL without escaping: a policy that does not check names is fooled here as
/// it would be there.
#[rstest]
#[case::query(MESH, "Mesh", "blue?x=y", None)]
#[case::fragment(MESH, "Mesh", "blue#x", None)]
#[case::sub_resource("v1", "Namespace", "shop/status", None)]
fn a_name_can_smuggle_more_than_a_name(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] name: &str,
    #[case] namespace: Option<&str>,
) {
    let module = guest::asking("get_resource", get(api_version, kind, name, namespace));
    let call = policy(&module).call("validate", b"{}", Arc::new(shop().handled()));
    assert!(call.result.is_ok(), "{:?}", call.result);
}
