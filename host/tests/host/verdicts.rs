//! From request to payload, and from the guest's bytes to a response.

use kuma_workload_host::{HostError, Settings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    guest::{self, Step},
    no_settings, policy, request, untouched,
};

#[test]
fn the_payload_is_request_and_settings_without_unknown_fields_and_nulls() {
    let mut review = serde_json::to_value(request()).expect("a request");
    review["oldObject"] = Value::Null;
    review["surprise"] = json!(1);
    let request = serde_json::from_value(review).expect("a request");
    let policy = policy(&guest::guest(&[Step::Echo]));
    let payload = kuma_workload_host::admission::validate_payload(&request, &no_settings());
    let echoed = policy
        .call("validate", &payload, untouched())
        .result
        .expect("an echo");
    assert_eq!(
        String::from_utf8(echoed).expect("text"),
        concat!(
            r#"{"request":{"kind":{"group":"","kind":"Pod","version":"v1"},"namespace":"shop","#,
            r#""object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}},"#,
            r#""operation":"CREATE","resource":{"group":"","resource":"pods","version":"v1"},"#,
            r#""uid":"u-1","userInfo":{"username":"alice"}},"settings":{}}"#
        )
    );
}

#[rstest]
#[case::accepted(json!({"accepted": true}), json!({"uid": "u-1", "allowed": true, "auditAnnotations": null, "warnings": null}))]
#[case::rejected(
    json!({"accepted": false, "message": "no", "code": 403, "warnings": ["w"], "audit_annotations": {"a": "b"}}),
    json!({"uid": "u-1", "allowed": false, "status": {"message": "no", "code": 403}, "auditAnnotations": {"a": "b"}, "warnings": ["w"]})
)]
#[case::unchanged_object_is_no_mutation(
    json!({"accepted": true, "mutated_object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}}),
    json!({"uid": "u-1", "allowed": true, "auditAnnotations": null, "warnings": null})
)]
fn a_verdict_becomes_a_response(#[case] verdict: Value, #[case] response: Value) {
    let policy = policy(&guest::guest(&[Step::Answer(verdict.to_string())]));
    let evaluation = policy
        .evaluate(&request(), &no_settings(), untouched())
        .expect("a guest that can be asked");
    assert_eq!(
        serde_json::to_value(&evaluation.response).expect("json"),
        response
    );
    assert_eq!(
        evaluation.response.review(),
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
    );
}

#[rstest]
#[case::no_json(Step::Answer("maybe".to_owned()), "internal server error: invalid response from policy: expected value at line 1 column 1")]
#[case::no_verdict(Step::Answer("{}".to_owned()), "internal server error: invalid response from policy: missing field `accepted` at line 1 column 2")]
#[case::trap(
    Step::Trap,
    "internal server error: Guest call failure: error while executing at wasm backtrace"
)]
fn a_guest_that_fails_rejects(#[case] step: Step, #[case] message: &str) {
    let evaluation = policy(&guest::guest(&[step]))
        .evaluate(&request(), &no_settings(), untouched())
        .expect("a guest that can be asked");
    assert!(!evaluation.response.allowed);
    assert_eq!(evaluation.response.code(), Some(500));
    let found = evaluation.response.message().unwrap_or_default();
    assert!(found.starts_with(message), "{found}");
}

#[test]
fn a_mutation_is_refused() {
    let verdict = json!({"accepted": true, "mutated_object": {"kind": "Pod"}});
    let evaluation = policy(&guest::guest(&[Step::Answer(verdict.to_string())]))
        .evaluate(&request(), &no_settings(), untouched())
        .expect("a guest that can be asked");
    assert!(!evaluation.response.allowed);
}

#[test]
fn nothing_is_evaluated_with_settings_that_the_guest_refuses() {
    let settings = Settings::from_value(json!({"x": 1})).expect("an object");
    let policy = policy(&guest::guest(&[Step::Trap]));
    for _ in 0..2 {
        match policy.evaluate(&request(), &settings, untouched()) {
            Err(HostError::Settings(message)) => assert_eq!(message, "no settings, please"),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
}

#[rstest]
#[case::null(Value::Null, true)]
#[case::object(json!({}), true)]
#[case::list(json!([]), false)]
#[case::text(json!("x"), false)]
fn settings_are_an_object(#[case] value: Value, #[case] good: bool) {
    assert_eq!(Settings::from_value(value).is_ok(), good);
}

#[test]
fn bytes_that_are_no_wasm_are_no_policy() {
    let error = kuma_workload_host::Policy::from_bytes(b"GIF89a").expect_err("no wasm");
    assert_eq!(error.to_string(), "this is no WebAssembly module");
}
