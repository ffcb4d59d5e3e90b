//! What is masked, and that nothing else changes.

use super::*;
use rstest::rstest;

const SECRET: &str = "hunter2";

#[rstest]
#[case::secret(
    "kind: Secret\ndata:\n  a: hunter2\n  b: x\n",
    "kind: Secret\ndata:\n  a: \"***\"\n  b: \"***\"\n"
)]
#[case::kind_comes_last(
    "stringData: {a: hunter2}\nkind: Secret\n",
    "stringData: {a: \"***\"}\nkind: Secret\n"
)]
#[case::json(
    r#"{"kind":"Secret","data":{"a":"hunter2"},"type":"Opaque"}"#,
    r#"{"kind":"Secret","data":{"a":"***"},"type":"Opaque"}"#
)]
#[case::json_with_tabs(
    "{\n\t\"kind\": \"Secret\",\n\t\"data\": {\"a\": \"hunter2\"}\n}",
    "{\n\t\"kind\": \"Secret\",\n\t\"data\": {\"a\": \"***\"}\n}"
)]
#[case::literal(
    "kind: Secret\nstringData:\n  a: |\n    hunter2\n    more\n  b: y\n# end\n",
    "kind: Secret\nstringData:\n  a: |\n    \"***\"\n  b: \"***\"\n# end\n"
)]
#[case::literal_at_the_end(
    "kind: Secret\nstringData:\n  a: |\n    hunter2\n    more",
    "kind: Secret\nstringData:\n  a: |\n    \"***\""
)]
#[case::folded_lines(
    "kind: Secret\ndata:\n  a: hunter2\n    hunter2\n  b: 'hunter2\n\n    hunter2'\n",
    "kind: Secret\ndata:\n  a: \"***\"\n  b: \"***\"\n"
)]
#[case::list_of_secrets(
    "kind: List\nitems:\n- kind: Secret\n  data: {a: hunter2}\n",
    "kind: List\nitems:\n- kind: Secret\n  data: {a: \"***\"}\n"
)]
#[case::typed_list(
    "kind: SecretList\nitems:\n- data: {a: hunter2}\n",
    "kind: SecretList\nitems:\n- data: {a: \"***\"}\n"
)]
#[case::universal(
    "type: Secret\nname: a\ndata: hunter2\n",
    "type: Secret\nname: a\ndata: \"***\"\n"
)]
#[case::global_secret(
    "type: GlobalSecret\ndata: hunter2\n",
    "type: GlobalSecret\ndata: \"***\"\n"
)]
#[case::binary(
    "kind: Secret\ndata:\n  a: !!binary hunter2\n",
    "kind: Secret\ndata:\n  a: !!binary \"***\"\n"
)]
#[case::anchor(
    "x: &a hunter2\nkind: Secret\ndata: {k: *a}\n",
    "x: &a \"***\"\nkind: Secret\ndata: {k: *a}\n"
)]
#[case::merged(
    "base: &b {data: {k: hunter2}}\ns: {kind: Secret, <<: *b}\n",
    "base: &b {data: {k: \"***\"}}\ns: {kind: Secret, <<: *b}\n"
)]
#[case::kind_by_alias(
    "k: &k Secret\nkind: *k\ndata: {a: hunter2}\n",
    "k: &k Secret\nkind: *k\ndata: {a: \"***\"}\n"
)]
#[case::two_documents(
    "kind: Pod\n---\nkind: Secret\ndata: {a: hunter2}\n",
    "kind: Pod\n---\nkind: Secret\ndata: {a: \"***\"}\n"
)]
#[case::config_map("kind: ConfigMap\ndata: {a: x}\n", "kind: ConfigMap\ndata: {a: x}\n")]
#[case::variables(
    "env:\n- name: A\n  value: hunter2\n- name: B\n  valueFrom: {secretKeyRef: {name: s, key: k}}\n",
    "env:\n- name: A\n  value: \"***\"\n- name: B\n  valueFrom: {secretKeyRef: {name: s, key: k}}\n"
)]
#[case::variables_of_a_cron_job(
    "spec: {jobTemplate: {spec: {template: {spec: {containers: [{env: [{name: A, value: hunter2}]}]}}}}}\n",
    "spec: {jobTemplate: {spec: {template: {spec: {containers: [{env: [{name: A, value: \"***\"}]}]}}}}}\n"
)]
#[case::variables_as_a_map("env: {A: hunter2, B: 1}\n", "env: {A: \"***\", B: \"***\"}\n")]
#[case::aliased_variables(
    "x: &e [{name: A, value: hunter2}]\nenv: *e\n",
    "x: &e [{name: A, value: \"***\"}]\nenv: *e\n"
)]
#[case::number(
    "env: [{name: A, value: 42}, {name: B, value: }]\n",
    "env: [{name: A, value: \"***\"}, {name: B, value: }]\n"
)]
#[case::windows(
    "kind: Secret\r\ndata:\r\n  a: hunter2\r\n  b: |\r\n    hunter2\r\nx: y\r\n",
    "kind: Secret\r\ndata:\r\n  a: \"***\"\r\n  b: |\r\n    \"***\"\r\nx: y\r\n"
)]
#[case::byte_order_mark(
    "\u{feff}kind: Secret\ndata: {a: hunter2}\n",
    "\u{feff}kind: Secret\ndata: {a: \"***\"}\n"
)]
#[case::sidecar(
    "annotations: {kuma.io/sidecar-env-vars: A=hunter2}\n",
    "annotations: {kuma.io/sidecar-env-vars: \"***\"}\n"
)]
#[case::last_applied(
    "annotations:\n  kubectl.kubernetes.io/last-applied-configuration: |\n    {\"data\":{\"a\":\"hunter2\"}}\nx: y\n",
    "annotations:\n  kubectl.kubernetes.io/last-applied-configuration: |\n    \"***\"\nx: y\n"
)]
#[case::nothing("", "")]
#[case::circle("a: &a\n  b: *a\n  env: *a\n", "a: &a\n  b: *a\n  env: *a\n")]
fn what_can_be_read_is_masked_by_its_meaning(#[case] text: &str, #[case] expected: &str) {
    let masked = mask(text);
    assert_eq!(masked, expected);
    assert!(!masked.contains(SECRET));
}

#[rstest]
#[case::open_bracket("kind: Secret\ndata:\n  a: hunter2\nx: [\n")]
#[case::open_quote("kind: Secret\nstringData:\n  a: |\n    hunter2\n    hunter2\n  b: \"hunter2\n")]
#[case::variable("env:\n- name: A\n  value: hunter2\n  x: [\n")]
#[case::list_as_far_left("spec:\n  env:\n  - name: A\n    value: hunter2\n  x: [\n")]
#[case::flow("x: [{name: A, value: hunter2}, {\n")]
#[case::json("{\"kind\": \"Secret\", \"data\": {\"a\": \"hunter2\"},\n\"b\": \"hunter2\"")]
#[case::json_lines("{\n  \"kind\": \"Secret\",\n  \"data\": {\n    \"a\": \"hunter2\"\n  }\n")]
#[case::variable_over_lines("value: >-\n  hunter2\n\n  hunter2\nx: [\n")]
#[case::tabs("kind: Secret\ndata:\n\ta: hunter2\n")]
#[case::template("kind: Secret\ndata:\n  a: {{ .Values.a }}hunter2\n")]
#[case::second_document("kind: Secret\ndata: {a: hunter2}\n---\nx: [\nvalue: hunter2\n")]
#[case::other_case("Kind: Secret\nData: {a: hunter2\n")]
fn what_cannot_be_read_is_masked_by_its_lines(#[case] text: &str) {
    let masked = mask(text);
    assert!(!masked.contains(SECRET), "{masked}");
    assert!(masked.contains("***"), "{masked}");
}

#[rstest]
#[case::name("kind: Pod\nmetadata:\n  name: a\n  namespace: team\nx: [\n")]
#[case::words_that_begin_alike("values: a\ndatabase: b\nenvironment: c\nx: [\n")]
fn what_holds_nothing_stays_though_it_cannot_be_read(#[case] text: &str) {
    assert_eq!(mask(text), text);
}
