//! Words that are read otherwise than they look, and texts that are no objects yet.

use super::*;

fn places(report: &Report) -> Vec<String> {
    let at = |fault: &Fault| format!("{}:{}", fault.place.at.line, fault.place.at.column);
    report.faults.iter().map(at).collect()
}

fn messages(report: &Report) -> Vec<&str> {
    report.faults.iter().map(|fault| &*fault.message).collect()
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\n";

/// Each word without quotes that is no string is told, wherever a string is due.
#[rstest]
#[case::namespace("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    kuma.io/sidecar-injection: yes\n", &["6:32"])]
#[case::labels("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    canary: on\n    app: y\n    n: b\n    port: 80\n", &["6:13", "7:10", "9:11"])]
#[case::everywhere("apiVersion: v1\nkind: Pod\nmetadata:\n  name: y\n  namespace: no\n  annotations: {kuma.io/gateway: off, other: 0x1F}\nspec: {serviceAccountName: n, containers: [{name: c}]}\n", &["4:9", "5:14", "6:34", "6:46", "7:28"])]
#[case::template("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    metadata: {labels: {a: yes, b: no}}\n", &["6:28", "6:36"])]
#[case::containers("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: no}, {name: b}, {name: 1}]}\n", &["4:28", "4:51"])]
#[case::universal("type: Dataplane\nmesh: y\nname: n\nlabels: {kuma.io/workload: on}\n", &["2:7", "3:7", "4:28"])]
#[case::json("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\", \"labels\": {\"ä\": true, \"b\": 1}}}", &["1:79", "1:90"])]
#[case::beside_a_repeated_key("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {a: yes, b: c, b: d, e: 1}\n", &["5:15", "5:26", "5:35"])]
#[case::beside_a_number_of_yaml_alone("apiVersion: v1\nkind: Pod\nmetadata:\n  name: .inf\n  labels: {a: yes}\n  ownerReferences: [{controller: !!bool x}]\n", &["4:9", "5:15", "6:41"])]
#[case::maps_and_lists("apiVersion: v1\nkind: Pod\nmetadata: {name: [a], labels: [b]}\nspec: {containers: {}}\n", &["3:18", "3:31", "4:20"])]
fn each_value_that_is_no_string_is_told(#[case] text: &str, #[case] expected: &[&str]) {
    let report = plan(text);
    let mut found = places(&report);
    found.sort_by_key(|place| {
        place
            .split(':')
            .map(|part| part.parse::<u32>().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(found, expected, "{:?}", report.faults);
    assert_eq!(report.summary.objects, 0);
}

#[test]
fn a_value_that_is_no_string_is_to_be_put_in_quotes() {
    let text = POD.replace("namespace: b", "labels: {canary: on, app: 12}");
    assert_eq!(
        messages(&plan(&text)),
        [
            "Pod \"a\": metadata.labels.canary must be a string, not a boolean; put it in quotes",
            "Pod \"a\": metadata.labels.app must be a string, not a number; put it in quotes",
        ]
    );
}

#[test]
fn however_many_there_are_each_is_told() {
    let labels: String = (0..5_000)
        .map(|number| format!("    l{number}: yes\n"))
        .collect();
    let text =
        format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: no\n  labels:\n{labels}spec: 7\n");
    assert_eq!(plan(&text).faults.len(), 5_002);
}

/// The API server makes an empty string of it (W2), and so any value forges the label (A1).
#[rstest]
#[case::label("labels: {kuma.io/workload: }", &["forged-label"], "default")]
#[case::label_in_words("labels: {kuma.io/workload: null}", &["forged-label"], "default")]
#[case::annotation("annotations: {checksum/config: null}", &[], "default")]
#[case::mesh("labels: {kuma.io/mesh: ~}", &[], "default")]
#[case::no_labels("labels: null", &[], "default")]
fn w2_null_is_the_empty_string(
    #[case] metadata: &str,
    #[case] expected: &[&str],
    #[case] mesh: &str,
) {
    let namespace = "apiVersion: v1\nkind: Namespace\n\
                     metadata: {name: b, labels: {kuma.io/sidecar-injection: enabled}}\n---\n";
    let pod = POD.replace("namespace: b", &format!("namespace: b, {metadata}"));
    let report = plan(&(namespace.to_owned() + &pod));
    assert_eq!(report.faults, []);
    let forged: Vec<_> = codes(&report)
        .into_iter()
        .filter(|code| *code == "forged-label")
        .collect();
    assert_eq!(forged, expected);
    assert_eq!(report.pods[0].mesh.as_ref().unwrap().name, mesh);
}

/// What is told of a repeated key, and how many objects are read beside it.
#[rstest]
#[case::object("apiVersion: v1\nkind: Pod\nmetadata: {name: a, name: b}\n", &["3:21"], 0)]
#[case::two("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {b: c, b: d}}\nspec: {containers: [{name: c, image: d, image: e}]}\n", &["3:36", "4:41"], 0)]
#[case::json("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\", \"name\": \"b\"}}", &["1:63"], 0)]
#[case::does_not_matter("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b, a: c}\n", &[], 0)]
#[case::item_of_a_list("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b, name: c}}\n- {apiVersion: v1, kind: Pod, metadata: {name: d}}\n", &["5:51"], 2)]
#[case::item_that_does_not_matter("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret, metadata: {name: b, name: c}}\n", &[], 1)]
fn a_repeated_key_refuses_its_object(
    #[case] text: &str,
    #[case] expected: &[&str],
    #[case] objects: usize,
) {
    let report = plan(text);
    assert_eq!(places(&report), expected, "{:?}", report.faults);
    assert_eq!(report.summary.objects, objects);
    for message in messages(&report) {
        assert!(
            message.contains("is repeated: it stands at line "),
            "{message}"
        );
    }
}

#[rstest]
#[case::key(
    "metadata: {name: a, labels: {on: b}}",
    Some("without quotes, the key \"on\" is read as \"true\"")
)]
#[case::in_quotes("metadata: {name: a, labels: {'on': b}}", None)]
fn a_key_that_is_read_otherwise_is_a_finding(
    #[case] metadata: &str,
    #[case] message: Option<&str>,
) {
    let report = plan(&format!("apiVersion: v1\nkind: Pod\n{metadata}\n"));
    let found = report
        .findings
        .iter()
        .find(|one| one.code == "read-otherwise");
    assert_eq!(found.map(|one| &*one.message), message);
    let report = plan(&format!("apiVersion: v1\nkind: ConfigMap\n{metadata}\n"));
    assert!(!codes(&report).contains(&"read-otherwise"));
}

/// One sentence for a file, however many of its documents are templates; what is none is read.
#[rstest]
#[case::no_yaml(
    "type: Dataplane\nmesh: default\nname: {{ name }}\nnetworking:\n  address: {{ address }}\n",
    "3:7",
    0
)]
#[case::several(
    "kind: Pod\nmetadata: {{ x }}\n---\nkind: Pod\nmetadata:\n  {{- include \"x\" . }}\n",
    "2:11",
    0
)]
#[case::names_too(
    "apiVersion: v1\nkind: Pod\nmetadata: {{ x }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: 'web-{{ x }}'}\n",
    "3:11",
    0
)]
#[case::names_alone(
    "apiVersion: v1\nkind: Pod\nmetadata: {name: 'a-${B}'}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: c, labels: {d: '${E}'}}\n",
    "3:18",
    0
)]
#[case::kind("apiVersion: apps/v1\nkind: ${KIND}\nmetadata: {name: a}\n", "2:7", 0)]
#[case::beside_others(
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {{ x }}\n",
    "6:11",
    1
)]
fn a_template_is_told_once(#[case] text: &str, #[case] place: &str, #[case] objects: usize) {
    let report = plan(text);
    assert_eq!(places(&report), [place], "{:?}", report.faults);
    assert!(report.faults[0].message.contains("render it first"));
    assert_eq!(report.summary.objects, objects);
}

#[rstest]
#[case::arguments(
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, args: ['${HOME}', '{{ x }}']}]}\n"
)]
#[case::what_does_not_matter("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '${NAME}'}\n")]
#[case::identity(
    "apiVersion: kuma.io/v1alpha1\nkind: MeshIdentity\nmetadata: {name: a, namespace: kuma-system}\nspec:\n  spiffeID: {path: '/ns/{{ .Namespace }}', trustDomain: '{{ .Mesh }}.local'}\n"
)]
fn what_may_have_marks_of_templates_is_read(#[case] text: &str) {
    assert_eq!(plan(text).faults, []);
}

/// As kubectl reads them, though YAML's standard is stricter.
#[rstest]
#[case::text_at_the_column_of_its_key(
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    note: 'a text that\n    goes on'\n"
)]
#[case::map_at_the_column_of_its_key(
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {\n  b: c\n  }\n"
)]
#[case::tabs_between_brackets("apiVersion: v1\nkind: Pod\nmetadata: {\n\t\"name\": \"a\"\n}\n")]
#[case::mark_before_a_later_document(
    "# none\n---\n\u{feff}apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
)]
#[case::mark_before_json(
    "\u{feff}{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}"
)]
fn what_kubectl_takes_is_read(#[case] text: &str) {
    let report = plan(text);
    assert_eq!(report.faults, []);
    assert_eq!(report.summary.objects, 1);
}
