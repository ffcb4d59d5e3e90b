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
    "kind: Secret\nstringData:\n  a: |\n    \"***\"\n  b: \"***\"\n#\n"
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
    "kind: Secret\ndata:\n  a: !!binary aHVudGVyMg==\n",
    "kind: Secret\ndata:\n  a: !!str \"***\"\n"
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
    "k: &k \"***\"\nkind: *k\ndata: {a: \"***\"}\n"
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
    "kind: Secret\r\ndata:\r\n  a: \"***\"\r\n  b: |\r\n    \"***\"\r\nx: \"***\"\r\n"
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
#[case::schema(
    "properties: {env: {type: array, items: {type: object}}}\n",
    "properties: {env: {type: array, items: {type: object}}}\n"
)]
#[case::common_variables(
    "x: &e [{name: A, value: hunter2}]\na: {env: *e}\nb: {env: *e}\n",
    "x: &e [{name: A, value: \"***\"}]\na: {env: *e}\nb: {env: *e}\n"
)]
#[case::nothing("", "")]
#[case::circle("a: &a\n  b: *a\n", "a: &a\n  \"***\"\n")]
fn what_can_be_read_is_masked_by_its_meaning(#[case] text: &str, #[case] expected: &str) {
    let masked = mask(text);
    assert_eq!(masked, expected);
    assert!(!masked.contains(SECRET));
}

#[rstest]
#[case::binary_data("kind: Secret\nbinaryData: {a: hunter2}\n")]
#[case::capitals("KIND: SECRET\nDATA: {a: hunter2}\n")]
#[case::kind_with_a_line("kind: |\n  Secret\ndata: {a: hunter2}\n")]
#[case::kind_with_an_escape("kind: \"Secret\\n\"\ndata: {a: hunter2}\n")]
#[case::kind_of_many("kind: Secrets\ndata: {a: hunter2}\n")]
#[case::slip_in_the_kind("kind: Secert\ndata: {a: hunter2}\n")]
#[case::slip_in_the_key("kind: Secret\nstringDta: {a: hunter2}\n")]
#[case::key_on_the_left("kind: Secret\nstringData: x\n.name: hunter2\n")]
#[case::template_of_a_kind("x: [{kind: '{{ .x }}', metadata: {}, data: {a: hunter2}}]\n")]
#[case::no_kind("data: {a: hunter2}\n")]
#[case::no_kind_within("x: [{apiVersion: v1, data: {a: hunter2}}]\n")]
#[case::no_kind_in_a_list("kind: List\nitems: [{data: {a: hunter2}}]\n")]
#[case::no_kind_in_a_root_list("- data: {a: hunter2}\n")]
#[case::kind_in_a_document_before("kind: Secret\n...\ndata: {a: hunter2}\n")]
#[case::mark_behind_a_marker("---\n\u{feff}kind: Secret\ndata: {a: hunter2}\n")]
#[case::review(
    r#"{"request":{"kind":{"kind":"Secret"},"oldObject":{"data":{"a":"hunter2"}},"object":{"kind":"X"}}}"#
)]
#[case::external("kind: ExternalSecret\nspec: {target: {template: {data: {a: hunter2}}}}\n")]
#[case::merged_kind("base: &b {kind: Secret}\nitems:\n- {<<: *b, data: {a: hunter2}}\n")]
#[case::merged_kinds("base: &b {kind: Secret}\nitems:\n- {<<: [*b], data: {a: hunter2}}\n")]
#[case::kind_merged_twice(
    "a: &a {kind: Secret}\nb: &b {<<: *a}\nitems:\n- {<<: *b, data: {a: hunter2}}\n"
)]
#[case::merged_list("b: &b {kind: SecretList}\nc: {<<: *b, items: [{data: {a: hunter2}}]}\n")]
#[case::more_variables("a: {envVars: {A: hunter2}}\nb: {extraEnv: [{name: A, value: hunter2}]}\n")]
#[case::capital_variables("Env: [{name: A, value: hunter2}]\n")]
#[case::variable_without_a_colon("env:\n  A hunter2\n")]
#[case::variable_below("env:\n  hunter2\n")]
#[case::variable_without_a_name("env: { hunter2}\n")]
#[case::two_colons("env:: {A: hunter2}\n")]
#[case::variable_on_the_left("env:\nA: hunter2\n")]
#[case::value_on_the_left("env:\n- name: A\nvalue: hunter2\n")]
#[case::variables_in_words("env: [A=hunter2]\n")]
#[case::variable_called_name("env: {NAME: hunter2, name: hunter2, valueFrom: {a: hunter2}}\n")]
#[case::value_from("env: [{name: A, valueFrom: hunter2}]\n")]
#[case::value_from_a_list("env: [{name: A, valueFrom: [hunter2]}]\n")]
#[case::patch(
    "- {op: add, path: /spec/containers/0/env/-, value: {name: hunter2, value: hunter2}}\n"
)]
#[case::patch_of_a_secret("[{\"op\":\"add\",\"path\":\"/data/a\",\"value\":\"hunter2\"}]")]
#[case::patch_as_text(
    "patches:\n- patch: |\n    - path: /spec/env/0/value\n      value: hunter2\n"
)]
#[case::text_in_a_text(
    "kind: ConfigMap\ndata:\n  a: |\n    kind: Secret\n    data: {a: hunter2}\n"
)]
#[case::comment(
    "kind: Secret\ndata:\n  # hunter2\n  a: x # hunter2\n  b: | # hunter2\n    c\n# hunter2\n"
)]
#[case::comment_of_a_variable(
    "env:\n- name: A # hunter2\n  # hunter2\n  value: b # hunter2\nx: y\n"
)]
#[case::generator("secretGenerator:\n- name: a\n  literals: [A=hunter2]\n")]
#[case::data_sources(
    "a: {inlineString: hunter2}\nb: {inline: hunter2}\nc: {insecureInline: {value: hunter2}}\n"
)]
#[case::annotation(r#"annotations: {a: '{"kind":"Secret","data":{"a":"hunter2"}}'}"#)]
#[case::annotation_with_variables(
    r#"annotations: {a: '[{"env":[{"name":"A","value":"hunter2"}]}]'}"#
)]
#[case::tag("kind: Secret\ndata: {a: !hunter2 b, c: !!int 1}\nstringData: !hunter2\n  a: b\n")]
#[case::aliased_list("a: &a {A: hunter2}\nb: &b [*a]\nenv: *b\n")]
fn what_can_be_read_is_masked_whatever_it_looks_like(#[case] text: &str) {
    let masked = mask(text);
    assert!(!masked.contains(SECRET), "{masked}");
    for document in [text, &masked] {
        assert!(is_read(document), "{document}");
    }
}

fn is_read(text: &str) -> bool {
    let is_read = |piece| !matches!(piece, Piece::Document { is_read: false, .. });
    pieces(text).into_iter().all(is_read)
}

#[rstest]
#[case::stage("env: prod\n")]
#[case::label("kind: Pod\nmetadata: {labels: {env: prod, data: x}, annotations: {env: prod}}\n")]
#[case::selector("spec: {selector: {matchLabels: {env: prod}}, nodeSelector: {env: prod}}\n")]
#[case::tags("type: Dataplane\nnetworking: {inbound: [{tags: {env: prod, value: a}}]}\n")]
#[case::label_of_a_template(
    "kind: Deployment\nspec: {template: {metadata: {labels: {data: x}}}}\n"
)]
#[case::sealed("kind: SealedSecret\nspec: {encryptedData: {a: x}}\n")]
#[case::reference(
    "volumes: [{secret: {secretName: a}}]\nfrom: {kind: Secret, name: a, group: '', key: b}\n"
)]
#[case::value("kind: MeshHTTPRoute\nspec: {path: {type: Exact, value: /env}}\n")]
#[case::words("kind: ConfigMap\ndata:\n  a: |\n    what env: is\n  b: \"{}\"\n")]
fn what_holds_nothing_stays(#[case] text: &str) {
    assert_eq!(mask(text), text);
}

#[test]
fn each_json_value_is_masked_by_itself() {
    let pod = r#"{"kind":"Pod","spec":{"x":"y"}}"#;
    let secret = r#"{"kind":"Secret","data":{"a":"hunter2"}}"#;
    let masked = secret.replace("hunter2", "***");
    assert_eq!(
        mask(&format!("{pod}\n{pod}{secret}\n{pod}\n{{")),
        format!("{pod}\n{pod}{masked}\n{pod}\n{{")
    );
}

mod damage;
mod files;
mod unread;
