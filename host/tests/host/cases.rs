//! The fixture format.

use std::fs;

use kuma_workload_host::case::{self, Case};
use kuma_workload_host::cluster::Manifests;
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use crate::{no_settings, policy, request, untouched};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn load(files: &[(&str, &str)]) -> Result<Vec<Case>, String> {
    let folder = folder(files);
    case::load(folder.path(), &Manifests::new().with_kuma()).map_err(|error| {
        error
            .to_string()
            .replace(&folder.path().display().to_string(), "FOLDER")
    })
}

#[test]
fn a_folder_holds_requests_of_every_form_with_their_siblings() {
    let request = serde_json::to_value(request()).expect("a request");
    let review =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    let files = [
        ("a-review.json", review.to_string()),
        (
            "a-review.expected.json",
            r#"{"allowed": false, "code": 403, "hostCalls": 1}"#.to_owned(),
        ),
        ("a-review.settings.json", r#"{"action": "warn"}"#.to_owned()),
        ("a-review.session.yml", "[]".to_owned()),
        ("b-request.json", request.to_string()),
        (
            "sub/c-pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n".to_owned(),
        ),
        ("notes.txt", "not read".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let cases = load(&files).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["a-review", "b-request", "c-pod"]);
    let first = &cases[0];
    assert_eq!(first.request.uid, "u-1");
    let expected = first.expected.as_ref().expect("an expectation");
    assert_eq!(
        (expected.allowed, expected.code, expected.host_calls),
        (false, Some(403), Some(1))
    );
    assert!(first.settings.is_some() && first.session.is_some());
    assert!(cases[1].expected.is_none() && cases[1].session.is_none());
}

#[test]
fn manifests_become_create_requests() {
    let cases = load(&[(
        "all.yml",
        concat!(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n",
            "---\n# nothing\n---\n",
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly, namespace: shop}\n",
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
            "---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: kuma.io/v1alpha1, kind: Workload, metadata: {name: w}}\n",
        ),
    )])
    .unwrap_or_else(|error| panic!("{error}"));
    let found: Vec<_> = cases
        .iter()
        .map(|case| {
            let request = &case.request;
            (
                case.name.as_str(),
                request.resource.resource.as_str(),
                request.namespace.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("all Pod/web", "pods", Some("default")),
            ("all CronJob/nightly", "cronjobs", Some("shop")),
            ("all Namespace/shop", "namespaces", Some("shop")),
            ("all Workload/w", "workloads", Some("default")),
        ]
    );
    let request = serde_json::to_value(&cases[1].request).expect("json");
    assert_eq!(request["operation"], "CREATE");
    assert_eq!(
        request["kind"],
        json!({"group": "batch", "version": "v1", "kind": "CronJob"})
    );
    assert_eq!(
        request["userInfo"],
        json!({"username": "test-user", "groups": ["system:masters"]})
    );
}

#[rstest]
#[case::broken_json("a.json", "{\n  \"kind\": }", "FOLDER/a.json:2:11: expected value")]
#[case::broken_yaml("a.yaml", "a: b\n  c: d\n", "FOLDER/a.yaml:2:")]
#[case::missing_user(
    "a.json",
    "{\"uid\": \"u\", \"operation\": \"CREATE\",\n \"kind\": {\"group\": \"\", \"version\": \"v1\", \"kind\": \"Pod\"},\n \"resource\": {\"group\": \"\", \"version\": \"v1\", \"resource\": \"pods\"}}",
    "FOLDER/a.json:3:64: missing field `userInfo`"
)]
#[case::review_without_request(
    "a.json",
    "{\"kind\": \"AdmissionReview\"}",
    "FOLDER/a.json: an AdmissionReview without a request"
)]
#[case::something_else(
    "a.json",
    "{\"hello\": 1}",
    "FOLDER/a.json: neither an AdmissionReview"
)]
#[case::empty("a.yaml", "# nothing\n", "FOLDER/a.yaml: there is no request")]
#[case::second_document(
    "a.yaml",
    "apiVersion: v1\nkind: Pod\n---\nhello: 1\n",
    "FOLDER/a.yaml, document 2: neither"
)]
fn a_bad_file_is_named_in_one_sentence(
    #[case] name: &str,
    #[case] text: &str,
    #[case] start: &str,
) {
    let error = load(&[(name, text)]).expect_err("a bad file");
    assert!(error.starts_with(start), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[rstest]
#[case::unknown_key(r#"{"allowed": true, "warning": []}"#, "unknown field `warning`")]
#[case::no_verdict(r#"{"code": 403}"#, "missing field `allowed`")]
fn a_bad_expectation_is_an_error(#[case] text: &str, #[case] part: &str) {
    let pod = "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}";
    let error = load(&[("a.json", pod), ("a.expected.json", text)]).expect_err("bad");
    assert!(
        error.starts_with("FOLDER/a.expected.json:1:") && error.contains(part),
        "{error}"
    );
}

#[test]
fn an_expectation_names_each_difference() {
    let verdict = json!({"accepted": false, "message": "no", "code": 403, "warnings": ["w"]});
    let module = crate::guest::guest(&[crate::guest::Step::Answer(verdict.to_string())]);
    let evaluation = policy(&module)
        .evaluate(&request(), &no_settings(), untouched())
        .expect("a guest that can be asked");
    let expected = |text: &str| -> case::Expected { serde_json::from_str(text).expect("json") };
    let good =
        r#"{"allowed": false, "code": 403, "message": "no", "warnings": ["w"], "hostCalls": 0}"#;
    assert!(expected(good).differences(&evaluation).is_empty());
    let bad = r#"{"allowed": true, "code": 500, "message": "n", "warnings": [], "hostCalls": 1}"#;
    assert_eq!(
        expected(bad).differences(&evaluation),
        [
            "verdict: expected allowed, got rejected",
            "code: expected 500, got 403",
            "message: expected \"n\", got \"no\"",
            "warnings: expected [], got [\"w\"]",
            "host calls: expected 1, got 0",
        ]
    );
}
