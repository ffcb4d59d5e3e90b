//! The fixture format.

use std::fs;

use kuma_workload_host::{
    case::{Case, Cases, Expected},
    cluster::Manifests,
};
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

/// The cases of a folder with these files, and the sentences about what is wrong.
pub(crate) fn load(files: &[(&str, &str)]) -> (Vec<Case>, Vec<String>) {
    let folder = folder(files);
    let Cases { cases, faults } = Cases::load([folder.path()], &Manifests::new().with_kuma());
    let path = folder.path().display().to_string();
    let sentences = faults
        .iter()
        .map(|fault| fault.to_string().replace(&path, "FOLDER"));
    (cases, sentences.collect())
}

fn good(files: &[(&str, &str)]) -> Vec<Case> {
    let (cases, faults) = load(files);
    assert_eq!(faults, Vec::<String>::new());
    cases
}

fn bad(files: &[(&str, &str)]) -> String {
    let (_, mut faults) = load(files);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
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
    let cases = good(&files);
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
    let cases = good(&[(
        "all.yml",
        concat!(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n",
            "---\n# nothing\n---\n",
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly, namespace: shop}\n",
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
            "---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: kuma.io/v1alpha1, kind: Workload, metadata: {name: w}}\n",
        ),
    )]);
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
            ("all:1", "pods", Some("default")),
            ("all:7", "cronjobs", Some("shop")),
            ("all:11", "namespaces", Some("shop")),
            ("all:18", "workloads", Some("default")),
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

#[test]
fn each_manifest_has_a_uid_of_its_own_that_is_the_same_in_each_run() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n---\n";
    let text = format!("{pod}{pod}kind: Pod\napiVersion: v1\n");
    let uids = || -> Vec<String> {
        let cases = good(&[("all.yml", &text)]);
        cases.into_iter().map(|case| case.request.uid).collect()
    };
    let first = uids();
    assert_eq!(first[0], "53f54598-09bf-8258-8b07-59f36d76bb4c");
    assert_eq!(first.len(), 3);
    assert_ne!(first[0], first[1], "two of one name");
    assert_ne!(first[0], first[2], "one without a name");
    assert_eq!(first, uids());
}

#[rstest]
#[case::broken_json(
    "a.json",
    "{\n  \"kind\": \"Pod\"",
    "FOLDER/a.json:2:16: this is no JSON: "
)]
#[case::broken_yaml("a.yaml", "a: b\n  c: d\n", "FOLDER/a.yaml:2:")]
#[case::missing_user(
    "a.json",
    "{\"uid\": \"u\", \"operation\": \"CREATE\",\n \"kind\": {\"group\": \"\", \"version\": \"v1\", \"kind\": \"Pod\"},\n \"resource\": {\"group\": \"\", \"version\": \"v1\", \"resource\": \"pods\"}}",
    "FOLDER/a.json:1:1: userInfo is missing"
)]
#[case::wrong_type_in_a_review(
    "a.json",
    "{\"kind\": \"AdmissionReview\", \"request\": {\n  \"uid\": 7}}",
    "FOLDER/a.json:2:10: request.uid must be a string, not a number; put it in quotes"
)]
#[case::review_without_request(
    "a.json",
    "{\"kind\": \"AdmissionReview\"}",
    "FOLDER/a.json:1:1: request is missing"
)]
#[case::something_else(
    "a.json",
    "{\"hello\": 1}",
    "FOLDER/a.json:1:1: this is no AdmissionReview, no AdmissionRequest"
)]
#[case::empty("a.yaml", "# nothing\n", "FOLDER/a.yaml: there is no request")]
#[case::second_document(
    "a.yaml",
    "apiVersion: v1\nkind: Pod\n---\nhello: 1\n",
    "FOLDER/a.yaml:4:1: this is no AdmissionReview"
)]
fn a_bad_file_is_named_in_one_sentence(
    #[case] name: &str,
    #[case] text: &str,
    #[case] start: &str,
) {
    let fault = bad(&[(name, text)]);
    assert!(fault.starts_with(start), "{fault}");
    assert!(!fault.contains('\n'), "{fault}");
}

#[rstest]
#[case::unknown_key(
    "{\"allowed\": true,\n \"warning\": []}",
    "2:13: warning is not a field there; these are: allowed, code, message, warnings, hostCalls"
)]
#[case::no_verdict(r#"{"code": 403}"#, "1:1: allowed is missing")]
#[case::wrong_type(
    r#"{"allowed": "yes"}"#,
    "1:13: allowed must be a boolean, not a string"
)]
#[case::empty("", " this must be a map, not null")]
fn a_bad_expectation_is_an_error(#[case] text: &str, #[case] sentence: &str) {
    let pod = "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}";
    let fault = bad(&[("a.json", pod), ("a.expected.json", text)]);
    assert_eq!(fault, format!("FOLDER/a.expected.json:{sentence}"));
}

#[test]
fn a_bad_request_does_not_hide_the_others() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
    let files = [
        ("a.yml", format!("{pod}---\na: [\n---\n{pod}")),
        ("b.yml", "hello: 1\n".to_owned()),
        ("c.yml", pod.to_owned()),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let (cases, faults) = load(&files);
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["a:1", "a:7", "c"]);
    assert_eq!(faults.len(), 2, "{faults:?}");
}

#[test]
fn an_expectation_names_each_difference() {
    let verdict = json!({"accepted": false, "message": "no", "code": 403, "warnings": ["w"]});
    let module = crate::guest::guest(&[crate::guest::Step::Answer(verdict.to_string())]);
    let evaluation = policy(&module)
        .evaluate(&request(), &no_settings(), untouched())
        .expect("a guest that can be asked");
    let expected = |text: &str| -> Expected { serde_json::from_str(text).expect("json") };
    let good =
        r#"{"allowed": false, "code": 403, "message": "no", "warnings": ["w"], "hostCalls": 0}"#;
    assert!(expected(good).differences(&evaluation).is_empty());
    let bad = r#"{"allowed": true, "code": 500, "message": "n", "warnings": [], "hostCalls": 1}"#;
    assert_eq!(
        expected(bad).differences(&evaluation),
        [
            "verdict: expected accepted, got rejected",
            "code: expected 500, got 403",
            "message: expected \"n\", got \"no\"",
            "warnings: expected [], got [\"w\"]",
            "host calls: expected 1, got 0",
        ]
    );
}
