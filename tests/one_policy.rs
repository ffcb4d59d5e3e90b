//! One policy for all kinds and Namespaces, without settings: it keeps no cluster from starting.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

use kuma_workload_policy::answer;
use rstest::rstest;
use serde_json::{Value, json};

/// The response to a request under empty settings. Nothing may be asked of the cluster.
fn judged(request: &Value) -> Value {
    let payload = json!({"request": request, "settings": {}}).to_string();
    let untouched = |operation: &str, _: &[u8]| panic!("asked: {operation}");
    serde_json::from_slice(&answer(payload.as_bytes(), untouched).unwrap()).unwrap()
}

/// Nothing but A1 and A2 rejects, whatever else stands in an object.
#[rstest]
fn a1_a2_a14_nothing_else_rejects_without_settings(
    #[values(
        ("", "Pod", "/metadata"),
        ("apps", "Deployment", "/spec/template/metadata"),
        ("batch", "CronJob", "/spec/jobTemplate/spec/template/metadata"),
        ("", "Namespace", "/metadata"),
        ("kuma.io", "Workload", "/metadata")
    )]
    (group, kind, metadata): (&str, &str, &str),
    #[values("CREATE", "UPDATE")] operation: &str,
    #[values(json!(7), json!("a"), json!([7]), json!({"a": 7}), json!(null), json!(true))]
    odd: Value,
    #[values("kuma.io/workload", "app")] label: &str,
) {
    let mut pod = json!({
        "metadata": {"labels": {label: "w"}, "annotations": odd},
        "spec": odd,
        "status": odd,
    });
    pod["metadata"]["ownerReferences"] = odd.clone();
    let object = match metadata.strip_suffix("/template/metadata") {
        None => pod,
        Some(path) => path
            .rsplit('/')
            .filter(|step| !step.is_empty())
            .fold(json!({"template": pod}), |inner, step| json!({step: inner})),
    };
    let response = judged(&json!({
        "kind": {"group": group, "version": "v1", "kind": kind},
        "operation": operation, "name": "web", "namespace": "kube-system",
        "userInfo": {"username": "jane"}, "object": object,
    }));
    let is_judged = !matches!(kind, "Namespace" | "Workload");
    let forged = is_judged && label == "kuma.io/workload";
    assert_eq!(response["accepted"], !forged, "{response}");
    assert_eq!(
        response["code"],
        if forged { json!(403) } else { Value::Null }
    );
}
