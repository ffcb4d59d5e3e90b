//! Requests, manifests and settings as kubectl, the API server and `kuma-workload plan` read them.

use std::fs;

use kuma_workload_host::{case, cluster::Manifests};
use rstest::rstest;
use serde_json::{Value, json};

use crate::cases::load;

fn object(name: &str, text: &str) -> Value {
    let (cases, faults) = load(&[(name, text)]);
    assert_eq!(faults, Vec::<String>::new());
    cases[0].request.object.clone().expect("an object")
}

/// As `kuma-workload plan` tells it, and with its place.
#[rstest]
#[case::kind_in_another_case(
    "apiVersion: v1\nkind: pod\nmetadata: {name: a}\n",
    "1:1: no kind of apiVersion \"v1\" is called \"pod\"; did you mean kind: Pod?"
)]
#[case::template_in_a_name(
    "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{ .x }}'}\n",
    "3:18: this is a template, as its {{ shows"
)]
#[case::template_in_a_label(
    "apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: '${A}'}}\n",
    "3:24: this is a template, as its ${ shows"
)]
#[case::name_that_is_a_boolean(
    "apiVersion: v1\nkind: Pod\nmetadata: {name: no}\n",
    "3:18: Pod: metadata.name must be a string, not a boolean; put it in quotes"
)]
#[case::generated_name_that_is_a_number(
    "apiVersion: v1\nkind: Pod\nmetadata: {generateName: 7}\n",
    "3:26: Pod: metadata.generateName must be a string, not a number; put it in quotes"
)]
fn what_no_api_server_takes_is_a_fault(#[case] text: &str, #[case] expected: &str) {
    let (cases, faults) = load(&[("a.yml", text)]);
    assert_eq!(cases.len(), 0);
    assert!(
        faults.len() == 1 && faults[0].contains(expected),
        "{faults:?}"
    );
}

#[rstest]
#[case::label("labels: {kuma.io/workload: }", json!({"labels": {"kuma.io/workload": ""}}))]
#[case::annotation("annotations: {checksum/config: null}", json!({"annotations": {"checksum/config": ""}}))]
#[case::whole_map("labels: null", json!({"labels": null}))]
fn w2_a_null_label_is_an_empty_one(#[case] metadata: &str, #[case] expected: Value) {
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{{metadata}}}\n");
    assert_eq!(object("a.yml", &text)["metadata"], expected);
}

#[rstest]
#[case::deployment("apps/v1", "Deployment", "template")]
#[case::cron_job("batch/v1", "CronJob", "jobTemplate/spec/template")]
fn w2_a_null_label_of_a_template_is_an_empty_one(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] path: &str,
) {
    let steps: Vec<&str> = path.split('/').collect();
    let template = json!({"metadata": {"labels": {"app": null}}});
    let spec = steps
        .iter()
        .rev()
        .fold(template, |value, step| json!({ *step: value }));
    let text = json!({"apiVersion": api_version, "kind": kind, "spec": spec}).to_string();
    let object = object("a.json", &text);
    let label = object.pointer(&format!("/spec/{path}/metadata/labels/app"));
    assert_eq!(label, Some(&json!("")));
}

#[rstest]
#[case::byte_order_mark("a.json", "\u{feff}{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}")]
#[case::byte_order_mark_of_a_later_document(
    "a.yml",
    "---\n---\n\u{feff}apiVersion: v1\nkind: Pod\n"
)]
#[case::quoted_text_that_goes_on_at_its_keys_column(
    "a.yml",
    "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    note: 'a\n    text'\n"
)]
#[case::json_in_a_yaml_file("a.yml", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}")]
#[case::watch_event(
    "a.json",
    "{\"type\": \"ADDED\", \"object\": {\"apiVersion\": \"v1\", \"kind\": \"Pod\"}}"
)]
#[case::typed_list(
    "a.yml",
    "apiVersion: v1\nkind: PodList\nitems: [{metadata: {name: a}}]\n"
)]
#[case::plain_list("a.json", "[{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}]")]
fn what_kubectl_reads_is_read(#[case] name: &str, #[case] text: &str) {
    assert_eq!(object(name, text)["kind"], "Pod");
}

#[rstest]
#[case::boolean_label(
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: cart\n  labels:\n    canary: on\n",
    "a.yml:6:13: Pod \"cart\": metadata.labels.canary must be a string, not a boolean; put it in quotes"
)]
#[case::number_in_a_template(
    "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    metadata: {annotations: {a: 1}}\n",
    "a.yml:5:33: Deployment: spec.template.metadata.annotations.a must be a string, not a number; put it in quotes"
)]
#[case::labels_that_are_a_list(
    "apiVersion: v1\nkind: Pod\nmetadata: {labels: [a]}\n",
    "a.yml:3:20: Pod: metadata.labels must be a map, not a list"
)]
fn what_the_api_server_refuses_is_told_with_its_place(#[case] text: &str, #[case] sentence: &str) {
    let (cases, faults) = load(&[("a.yml", text)]);
    assert_eq!(faults, [format!("FOLDER/{sentence}")]);
    assert!(cases.is_empty());
}

#[rstest]
#[case::repeated_key(
    "a.yml",
    "apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {a: b, a: c}\n",
    "a.yml:4:18: the key \"a\" is repeated"
)]
#[case::repeated_key_in_json(
    "a.json",
    "{\"apiVersion\": \"v1\",\n \"kind\": \"Pod\", \"kind\": \"Pod\"}",
    "a.json:2:17: "
)]
#[case::template("a.yml", "kind: Pod\nmetadata:\n  name: {{ name }}\n", "a.yml:3:9: ")]
fn what_no_reader_takes_is_told_in_the_plans_words(
    #[case] name: &str,
    #[case] text: &str,
    #[case] start: &str,
) {
    let (cases, faults) = load(&[(name, text)]);
    assert!(cases.is_empty());
    assert!(
        matches!(&*faults, [fault] if fault.starts_with(&format!("FOLDER/{start}"))),
        "{faults:?}"
    );
}

/// What a review holds came from an API server: it is handed on as it is.
#[test]
fn the_object_of_a_review_is_not_touched() {
    let mut request = serde_json::to_value(crate::request()).expect("a request");
    request["object"]["metadata"]["labels"] = json!({"a": null, "b": true});
    let review = json!({"kind": "AdmissionReview", "request": request});
    let object = object("a.json", &review.to_string());
    assert_eq!(object["metadata"]["labels"], json!({"a": null, "b": true}));
}

#[test]
fn a_cluster_is_made_of_what_can_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {x: }}\n---\n\
        apiVersion: v1\nkind: Namespace\nmetadata: {name: b, labels: {x: no}}\n---\n\
        apiVersion: v1\nkind: Pod\nmetadata: {name: p, ownerReferences: [{kind: 7}]}\n---\n\
        hello: 1\n---\napiVersion: v1\nkind: Namespace\nmetadata: {}\n";
    fs::write(folder.path().join("a.yml"), text).expect("a file");
    let (cluster, faults) = Manifests::load(folder.path());
    let path = format!("{}/", folder.path().display());
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| fault.to_string().replace(&path, ""))
        .collect();
    assert_eq!(
        faults,
        [
            "a.yml:7:33: Namespace \"b\": metadata.labels.x must be a string, not a boolean; put it in quotes",
            "a.yml:11:46: metadata.ownerReferences[0].kind must be a string, not a number; put it in quotes",
            "a.yml:13:1: this is no Kubernetes object: it has no apiVersion or no kind",
            "a.yml:15:1: Namespace: metadata.name is missing",
        ]
    );
    assert!(cluster.delete("v1", "Namespace", "", "a"));
}

#[test]
fn what_is_not_there_is_said_in_plain_words() {
    let (_, faults) = Manifests::load("gone".as_ref());
    assert_eq!(
        faults[0].to_string(),
        "gone: there is no such file or folder"
    );
}

#[rstest]
#[case::by_themselves("protectWorkloads: off\n", json!({"protectWorkloads": false}), (1, 1))]
#[case::of_a_policy(
    "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nspec:\n  settings:\n    action: warn\n",
    json!({"action": "warn"}),
    (5, 5)
)]
#[case::of_a_namespaced_policy("kind: AdmissionPolicy\nspec: {settings: {action: no}}\n", json!({"action": false}), (2, 18))]
#[case::of_a_policy_without("kind: AdmissionPolicy\nspec: {}\n", json!({}), (1, 1))]
#[case::nothing("", json!({}), (0, 0))]
fn settings_are_read_as_the_plan_reads_them(
    #[case] text: &str,
    #[case] settings: Value,
    #[case] at: (u32, u32),
) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.yml");
    fs::write(&path, text).expect("a file");
    let read = case::read_settings(&path).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(
        serde_json::to_value(&read.settings).expect("JSON"),
        settings
    );
    assert_eq!((read.place.at.line, read.place.at.column), at);
}

#[rstest]
#[case::list("- a\n", "1:1: the settings must be a map")]
#[case::word("a\n", "1:1: the settings must be a map")]
#[case::several(
    "a: 1\n---\nb: 2\n",
    " 2 documents are in it; give the settings of one policy"
)]
fn settings_that_are_none_are_told(#[case] text: &str, #[case] sentence: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.yml");
    fs::write(&path, text).expect("a file");
    let fault = case::read_settings(&path)
        .expect_err("no settings")
        .to_string();
    assert!(
        fault.ends_with(&format!("settings.yml:{sentence}")),
        "{fault}"
    );
}
