//! The policy itself, hosted as policy-server does: every fixture, every example, what it asks, and
//! everything that can be wrong with what it is given.
//!
//! The policy is the annotated module that `KUMA_WORKLOAD_POLICY_WASM` names, by default
//! `annotated-policy.wasm` in the root of the project.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
    time::Duration,
};

use kuma_workload_host::{
    AdmissionRequest, Backend, CallOutcome, Evaluation, Failure, Policy, Settings,
    callback::Grants,
    capability::Capabilities,
    case::{self, Cases},
    cluster::{ApiStatus, ManifestCluster, Manifests, ReplaySession, Reply, Scripted},
};
use rstest::rstest;
use serde_json::{Value, json};

fn in_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn load_policy() -> Policy {
    let path = env::var_os("KUMA_WORKLOAD_POLICY_WASM")
        .map_or_else(|| in_project("annotated-policy.wasm"), PathBuf::from);
    assert!(
        path.is_file(),
        "there is no policy at {}: run `make test`, which builds it first",
        path.display()
    );
    Policy::load(&path).expect("a policy")
}

/// The policy, compiled once for all tests.
fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(load_policy)
}

// --- Fixtures and examples

#[rstest]
fn fixture(
    #[files("fixtures/*.json")]
    #[exclude(r"\.(expected|settings)\.json$")]
    path: PathBuf,
) {
    let session = path.with_extension("session.yml");
    let replay = Arc::new(ReplaySession::load(&session).expect("a fixture has a session"));
    judge(&path, &Settings::default(), replay.clone());
    let leftovers = replay.leftovers();
    assert!(leftovers.is_empty(), "never asked: {leftovers:?}");
}

#[rstest]
fn example(
    #[files("../examples/requests/*.json")]
    #[exclude(r"\.(expected|settings)\.json$")]
    path: PathBuf,
) {
    let settings = case::read_settings(&in_project("examples/settings.yml")).expect("settings");
    let (cluster, faults) = Manifests::load(&in_project("examples/cluster"));
    assert_eq!(faults, []);
    judge(&path, &settings.settings, Arc::new(cluster.handled()));
}

/// Evaluates the file's request, and compares the verdict with the declared one.
fn judge(path: &Path, settings: &Settings, cluster: Arc<dyn Backend>) {
    let loaded = Cases::load([path], &Manifests::new().with_kuma());
    assert_eq!(loaded.faults, []);
    let [case] = loaded.cases.try_into().expect("one request");
    let expected = case.expected.expect("a declared verdict");
    let is_whole = expected.warnings.is_some() && expected.host_calls.is_some();
    let says_why = expected.code.is_some() && expected.message.is_some();
    assert!(
        is_whole && says_why != expected.allowed,
        "a verdict is declared whole: {expected:?}"
    );

    let own = case.settings.map(|own| own.settings);
    let settings = own.as_ref().unwrap_or(settings);
    let evaluation = policy()
        .evaluate(&case.request, settings, cluster)
        .expect("a verdict");
    let mut differences = expected.differences(&evaluation);
    if expected.allowed && evaluation.response.status.is_some() {
        differences.push(format!("status: {:?}", evaluation.response.status));
    }
    differences.extend(strays(&evaluation));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Questions that a session does not hold, and those that the metadata does not allow for.
fn strays(evaluation: &Evaluation) -> Vec<String> {
    let failed = evaluation
        .calls
        .iter()
        .filter_map(|call| match &call.outcome {
            CallOutcome::Failed(error) => Some(error),
            _ => None,
        });
    let strays = failed.filter(|error| {
        error.contains("Replay error") || error.contains("list of recorded responses is empty")
    });
    let denied = evaluation
        .calls
        .iter()
        .filter_map(|call| match &call.outcome {
            CallOutcome::Denied(error) => Some(error),
            _ => None,
        });
    strays.chain(denied).cloned().collect()
}

/// The compiler does not see files that are added later.
#[rstest]
#[case::fixtures("fixture::", "e2e-tests/fixtures")]
#[case::examples("example::", "examples/requests")]
fn every_case_has_a_test(#[case] tests: &str, #[case] folder: &str) {
    let this = env::current_exe().expect("this program");
    let output = Command::new(this)
        .arg("--list")
        .output()
        .expect("a list of tests");
    let listed = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.starts_with(tests))
        .count();
    let loaded = Cases::load([in_project(folder)], &Manifests::new().with_kuma());
    assert_eq!(loaded.faults, []);
    assert_eq!(
        listed,
        loaded.cases.len(),
        "{folder} has changed: touch e2e-tests/tests/fixtures.rs"
    );
}

// --- What is asked

const MESH_RULE: &str = r#"{"disallowMultipleMeshesPerNamespace": true}"#;
const DECLARED: &str =
    r#"{"disallowMultipleMeshesPerNamespace": true, "namespaceMesh": "declared"}"#;

fn settings(json: &str) -> Settings {
    Settings::from_value(serde_json::from_str(json).expect("JSON")).expect("an object")
}

/// Mesh `blue` and `green`, and Namespace `team`, where a Dataplane and a Pod of `blue` live.
fn cluster() -> Manifests {
    let kuma = "kuma.io/v1alpha1";
    let blue = json!({"kuma.io/mesh": "blue"});
    Manifests::of([
        json!({"apiVersion": kuma, "kind": "Mesh", "metadata": {"name": "blue"}}),
        json!({"apiVersion": kuma, "kind": "Mesh", "metadata": {"name": "green"}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", "labels": blue}}),
        json!({"apiVersion": kuma, "kind": "Dataplane", "mesh": "blue",
               "metadata": {"name": "db-0", "namespace": "team", "labels": blue}}),
        json!({"apiVersion": "v1", "kind": "Pod",
               "metadata": {"name": "db-0", "namespace": "team", "labels": blue}}),
    ])
    .expect("manifests")
}

/// A request to create a Pod, with a value that must never come back in an answer.
fn request(labels: Value) -> Value {
    json!({
        "uid": "5c1ba4c1-2b0f-4f0e-9d5e-0f1f6f9d1c11",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "web-0",
        "namespace": "team",
        "operation": "CREATE",
        "userInfo": {"username": "jane", "groups": ["developers"]},
        "object": {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "web-0",
                "namespace": "team",
                "labels": labels,
                "annotations": {"note": MARKER},
            },
            "spec": {"containers": [{"name": "web", "env": [{"name": "KEY", "value": MARKER}]}]},
        },
    })
}

fn evaluate(labels: Value, settings_json: &str, cluster: &Arc<ManifestCluster>) -> Evaluation {
    let request: AdmissionRequest = serde_json::from_value(request(labels)).expect("a request");
    policy()
        .evaluate(&request, &settings(settings_json), cluster.clone())
        .expect("a verdict")
}

#[rstest]
#[case::the_mesh_rule_is_off(json!({"kuma.io/mesh": "green"}), "{}")]
#[case::not_in_a_mesh(json!({"kuma.io/sidecar-injection": "disabled"}), MESH_RULE)]
fn nothing_is_asked(#[case] labels: Value, #[case] settings: &str) {
    let evaluation = evaluate(labels, settings, &Arc::new(cluster().handled()));
    assert!(evaluation.response.allowed);
    assert_eq!(evaluation.calls, []);
}

#[test]
fn a_mesh_that_does_not_exist_opens_no_watch() {
    let cluster = Arc::new(cluster().handled());
    for attempt in 0..20 {
        let mesh = format!("invented-{attempt}");
        let evaluation = evaluate(json!({"kuma.io/mesh": mesh}), MESH_RULE, &cluster);
        assert_eq!(evaluation.response.code(), Some(403));
        assert_eq!((evaluation.gets(), evaluation.lists()), (1, 0));
    }
    assert_eq!(cluster.watches(), BTreeSet::new());
}

#[rstest]
#[case::the_declared_mesh("blue", true)]
#[case::another_mesh("green", false)]
fn a_declared_mesh_costs_one_get_and_no_list(#[case] mesh: &str, #[case] allowed: bool) {
    let cluster = Arc::new(cluster().handled());
    let evaluation = evaluate(json!({"kuma.io/mesh": mesh}), DECLARED, &cluster);
    assert_eq!(evaluation.response.allowed, allowed);
    assert_eq!((evaluation.calls.len(), evaluation.gets()), (1, 1));
    assert_eq!(cluster.watches(), BTreeSet::new());
}

#[test]
fn watches_are_shared_by_all_pods_of_a_mesh() {
    let cluster = Arc::new(cluster().handled());
    for _ in 0..3 {
        let evaluation = evaluate(json!({"kuma.io/mesh": "blue"}), MESH_RULE, &cluster);
        assert!(evaluation.response.allowed);
        assert_eq!(evaluation.lists(), 2);
    }
    assert_eq!(
        cluster.watches().len(),
        2,
        "one for Dataplanes, one for Pods"
    );
}

#[test]
fn a_warning_lands_whole_in_the_audit_log() {
    let warn = r#"{"disallowMultipleMeshesPerNamespace": true, "action": "warn"}"#;
    let cluster = Arc::new(cluster().handled());
    let evaluation = evaluate(json!({"kuma.io/mesh": "green"}), warn, &cluster);
    let audit = evaluation
        .response
        .audit_annotations
        .clone()
        .expect("audit annotations");
    assert_eq!(audit.keys().collect::<Vec<_>>(), ["second-mesh"]);
    assert_eq!(
        audit["second-mesh"],
        evaluation.response.warnings().join(" ")
    );
}

// --- What is not granted (A13)

/// How long a clear verdict may take, where the time limit is two seconds.
const AT_ONCE: Duration = Duration::from_secs(1);

#[rstest]
#[case::nothing_is_granted(
    &[("v1", "Namespace"), ("v1", "Pod"), ("kuma.io/v1alpha1", "Mesh"), ("kuma.io/v1alpha1", "Dataplane")],
    "meshes.kuma.io"
)]
#[case::meshes_only(&[("kuma.io/v1alpha1", "Dataplane"), ("v1", "Pod")], "dataplanes.kuma.io")]
#[case::all_but_pods(&[("v1", "Pod")], "pods")]
fn a_missing_grant_is_a_clear_verdict(#[case] denied: &[(&str, &str)], #[case] named: &str) {
    let cluster = denied
        .iter()
        .fold(cluster(), |cluster, (api_version, kind)| {
            cluster
                .forbid("get", api_version, kind)
                .forbid("list", api_version, kind)
        });
    let cluster = Arc::new(cluster.handled());
    let evaluation = evaluate(json!({"kuma.io/mesh": "blue"}), MESH_RULE, &cluster);
    assert_eq!(evaluation.response.code(), Some(500));
    assert_eq!(
        evaluation.response.message(),
        Some(&*format!(
            "the mesh rule cannot be checked: the policy is not granted get, list and watch of \
             {named} to the policy server's ServiceAccount"
        ))
    );
    assert!(evaluation.elapsed < AT_ONCE, "{:?}", evaluation.elapsed);
}

#[rstest]
#[case::no_capability(
    &[], &[],
    "the host capability kubernetes/get_resource"
)]
#[case::gets_but_no_lists(
    &["kubernetes/get_resource"], &["Mesh", "Dataplane"],
    "the host capability kubernetes/list_resources_by_namespace"
)]
#[case::no_resource(
    &["kubernetes/*"], &[],
    "access to the context-aware resource kuma.io/v1alpha1/Mesh"
)]
#[case::meshes_only(
    &["kubernetes/*"], &["Mesh"],
    "access to the context-aware resource kuma.io/v1alpha1/Dataplane"
)]
fn a_gate_of_the_host_is_named(
    #[case] capabilities: &[&str],
    #[case] kinds: &[&str],
    #[case] named: &str,
) {
    let may_read = policy().grants().resources.iter();
    let policy = load_policy().with_grants(Grants {
        capabilities: Capabilities::new(capabilities).expect("capabilities"),
        resources: may_read
            .filter(|may| kinds.contains(&&*may.kind))
            .cloned()
            .collect(),
    });
    let request: AdmissionRequest =
        serde_json::from_value(request(json!({"kuma.io/mesh": "blue"}))).expect("a request");
    let cluster = Arc::new(cluster().handled());
    let evaluation = policy
        .evaluate(&request, &settings(MESH_RULE), cluster)
        .expect("a verdict");
    assert_eq!(evaluation.response.code(), Some(500));
    assert_eq!(
        evaluation.response.message(),
        Some(&*format!(
            "the mesh rule cannot be checked: the policy is not granted {named}"
        ))
    );
}

#[test]
fn a_group_that_cannot_be_discovered_is_not_an_absent_one() {
    let down = ApiStatus::new(503, "ServiceUnavailable", "404 page not found");
    let cluster = Arc::new(
        cluster()
            .break_discovery("kuma.io/v1alpha1", down)
            .handled(),
    );
    let evaluation = evaluate(json!({"kuma.io/mesh": "blue"}), MESH_RULE, &cluster);
    assert_eq!(evaluation.response.code(), Some(500));
}

// --- What cannot be read (A14)

const MARKER: &str = "SECRET-MARKER";

/// A verdict is one of the three, in few words.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    code: Option<u16>,
    message: String,
}

/// Calls `validate` with these bytes: there is a verdict, and it repeats nothing of the payload.
fn validate(payload: &[u8], cluster: Arc<dyn Backend>) -> Verdict {
    let call = policy().call("validate", payload, cluster);
    let answer = call.result.expect("no trap and no interruption");
    let text = String::from_utf8(answer).expect("UTF-8");
    assert!(!text.contains(MARKER), "the payload comes back: {text}");
    assert!(text.len() < 2_000, "not in few words: {text}");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let code = answer["code"]
        .as_u64()
        .map(|code| u16::try_from(code).expect("a status code"));
    assert_eq!(answer["accepted"], json!(code.is_none()), "{text}");
    assert!(matches!(code, None | Some(400 | 403 | 500)), "{text}");
    let message = answer["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(message.is_empty(), code.is_none(), "{text}");
    Verdict { code, message }
}

fn payload(request: &Value) -> Vec<u8> {
    json!({"request": request, "settings": {"disallowMultipleMeshesPerNamespace": true}})
        .to_string()
        .into_bytes()
}

/// A request to create a Pod of these fields, as text, so that it may hold what no `Value` can.
fn pod_payload(fields: &str) -> Vec<u8> {
    let before =
        r#"{"settings":{},"request":{"kind":{"kind":"Pod"},"operation":"CREATE","object":{"#;
    format!("{before}{fields}}}}}}}").into_bytes()
}

/// A cluster that must not be asked.
fn untouched() -> Arc<dyn Backend> {
    Arc::new(Scripted::by(|question| panic!("asked: {question:?}")))
}

fn whole_cluster() -> Arc<dyn Backend> {
    Arc::new(cluster().handled())
}

#[rstest]
#[case::nothing(b"".to_vec())]
#[case::no_json(MARKER.as_bytes().to_vec())]
#[case::no_object(b"[]".to_vec())]
#[case::null(b"null".to_vec())]
#[case::no_request(br#"{"settings":{}}"#.to_vec())]
#[case::null_request(br#"{"request":null,"settings":{}}"#.to_vec())]
#[case::request_of_a_wrong_type(format!(r#"{{"request":"{MARKER}"}}"#).into_bytes())]
#[case::empty_request(br#"{"request":{}}"#.to_vec())]
#[case::no_utf8([br#"{"request":{"kind":{"kind":""#.as_slice(), &[0xff, 0xfe], MARKER.as_bytes()].concat())]
#[case::half_a_surrogate(br#"{"request":{"kind":{"kind":"\ud800"}}}"#.to_vec())]
#[case::byte_order_mark([&[0xef, 0xbb, 0xbf], &*payload(&request(json!({})))].concat())]
#[case::more_after_the_end([&*payload(&request(json!({}))), MARKER.as_bytes()].concat())]
#[case::ten_thousand_levels_of_nothing_else(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes())]
fn what_is_no_request_is_rejected(#[case] payload: Vec<u8>) {
    let verdict = validate(&payload, untouched());
    assert_eq!(verdict.code, Some(400), "{}", verdict.message);
}

#[test]
fn a_truncated_payload_is_rejected() {
    let payload = payload(&request(json!({"kuma.io/mesh": "blue"})));
    for length in (0..payload.len()).step_by(5) {
        let verdict = validate(&payload[..length], untouched());
        assert_eq!(
            verdict.code,
            Some(400),
            "{length} bytes: {}",
            verdict.message
        );
    }
}

/// What stands in `metadata`, wherever it is read, with each type that it should not have.
#[rstest]
#[case::metadata("/object/metadata", &[json!(7), json!(MARKER), json!([MARKER]), json!(true)])]
#[case::name("/object/metadata/name", &[json!(7), json!([MARKER]), json!({"a": MARKER}), json!(true)])]
#[case::generate_name("/object/metadata/generateName", &[json!(7), json!([MARKER]), json!({"a": MARKER})])]
#[case::labels("/object/metadata/labels", &[json!(7), json!(MARKER), json!([MARKER]), json!(true)])]
#[case::a_label("/object/metadata/labels/app", &[json!(7), json!([MARKER]), json!({"a": MARKER}), json!(false)])]
#[case::annotations("/object/metadata/annotations", &[json!(7), json!(MARKER), json!([MARKER])])]
#[case::an_annotation("/object/metadata/annotations/note", &[json!(7.5), json!([MARKER]), json!({"a": MARKER})])]
#[case::owners("/object/metadata/ownerReferences", &[json!(7), json!(MARKER), json!({"a": MARKER}), json!([MARKER])])]
#[case::an_owner("/object/metadata/ownerReferences/0", &[json!({"kind": [MARKER]}), json!({"controller": MARKER})])]
fn a_wrong_type_in_metadata_is_told_by_its_path(#[case] at: &str, #[case] values: &[Value]) {
    for value in values {
        let mut request = request(json!({"app": "web"}));
        request["object"]["metadata"]["generateName"] = json!("web-");
        request["object"]["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "v1", "kind": "Pod"}]);
        *request.pointer_mut(at).expect("a field") = value.clone();
        let verdict = validate(&payload(&request), untouched());
        let path = format!("request{}", at.replace('/', ".").replace(".0", "[0]"));
        assert_eq!(
            verdict.code,
            Some(400),
            "{at} = {value}: {}",
            verdict.message
        );
        assert!(
            verdict.message.contains(&path),
            "{at} = {value}: {}",
            verdict.message
        );
    }
}

#[rstest]
#[case::labels("/object/metadata/labels")]
#[case::annotations("/object/metadata/annotations")]
#[case::owners("/object/metadata/ownerReferences")]
#[case::deletion("/object/metadata/deletionTimestamp")]
#[case::spec("/object/spec")]
#[case::status("/object/status")]
#[case::containers("/object/spec/containers")]
#[case::old_object("/oldObject")]
#[case::user("/userInfo")]
fn null_is_absent(#[case] at: &str) {
    let mut request = request(json!({"kuma.io/sidecar-injection": "disabled"}));
    let (parent, field) = at.rsplit_once('/').expect("a path");
    request.pointer_mut(parent).expect("a map")[field] = Value::Null;
    let verdict = validate(&payload(&request), whole_cluster());
    assert_eq!(verdict.code, None, "{}", verdict.message);
}

#[test]
fn a_pod_inside_another_kind_is_not_looked_at() {
    for (group, kind) in [
        ("", "ConfigMap"),
        ("example.com", "Pod"),
        ("", MARKER),
        ("", "pod"),
    ] {
        let mut request = request(json!({"kuma.io/workload": "forged"}));
        request["kind"] = json!({"group": group, "version": "v1", "kind": kind});
        assert_eq!(
            validate(&payload(&request), untouched()).code,
            None,
            "{group}/{kind}"
        );
    }
}

#[rstest]
#[case::unknown("EVICT")]
#[case::connect("CONNECT")]
#[case::lower_case("create")]
#[case::marker(MARKER)]
fn an_unknown_operation_is_not_judged(#[case] operation: &str) {
    let mut request = request(json!({"kuma.io/workload": "forged"}));
    request["operation"] = json!(operation);
    assert_eq!(validate(&payload(&request), untouched()).code, None);
}

#[rstest]
#[case::absent(None)]
#[case::null(Some(Value::Null))]
#[case::empty(Some(json!("")))]
fn a_pod_without_a_namespace_is_rejected(#[case] namespace: Option<Value>) {
    let mut request = request(json!({"kuma.io/mesh": "blue"}));
    match namespace {
        Some(value) => request["namespace"] = value,
        None => drop(request.as_object_mut().expect("a map").remove("namespace")),
    }
    let verdict = validate(&payload(&request), untouched());
    assert_eq!(verdict.code, Some(400));
    assert!(
        verdict.message.contains("request.namespace"),
        "{}",
        verdict.message
    );
}

#[rstest]
#[case::annotation("/object/metadata/annotations/note")]
#[case::unread_field("/object/spec/containers/0/env/0/value")]
fn three_megabytes_are_judged_all_the_same(#[case] at: &str) {
    let large = format!("{MARKER}{}", "x\\\"\u{e9}".repeat(3 << 18));
    for (labels, code) in [
        (json!({"kuma.io/mesh": "blue"}), None),
        (json!({"kuma.io/mesh": "green"}), Some(403)),
        (json!({"kuma.io/workload": "forged"}), Some(403)),
    ] {
        let mut request = request(labels);
        *request.pointer_mut(at).expect("a field") = json!(large);
        let payload = payload(&request);
        assert!(payload.len() > 3_000_000);
        assert_eq!(validate(&payload, whole_cluster()).code, code);
    }
}

#[test]
fn three_megabytes_of_labels_are_judged() {
    let labels: serde_json::Map<String, Value> = (0..60_000)
        .map(|n| (format!("example.com/label-number-{n:06}"), json!(MARKER)))
        .collect();
    let mut with = labels.clone();
    with.insert("kuma.io/mesh".to_owned(), json!("blue"));
    assert_eq!(
        validate(&payload(&request(json!(with))), whole_cluster()).code,
        None
    );
    let mut with = labels;
    with.insert("kuma.io/workload".to_owned(), json!(MARKER));
    assert_eq!(
        validate(&payload(&request(json!(with))), untouched()).code,
        Some(403)
    );
}

/// A name is shown, but never a payload in its place.
#[test]
fn a_megabyte_in_the_place_of_a_name_is_cut() {
    let long = format!("x{}{MARKER}", "y".repeat(1 << 20));
    for labels in [
        json!({"kuma.io/mesh": long}),
        json!({"kuma.io/sidecar-injection": long}),
        json!({"app": long, "kuma.io/mesh": "blue"}),
    ] {
        validate(&payload(&request(labels)), whole_cluster());
    }
    let mut request = request(json!({"kuma.io/mesh": "green"}));
    request["namespace"] = json!(long);
    validate(&payload(&request), whole_cluster());
}

#[rstest]
#[case::in_a_field_that_is_not_read(r#""spec":{"x":DEEP},"metadata":{"name":"web-0"}"#, None)]
#[case::in_the_place_of_labels(r#""metadata":{"labels":DEEP}"#, Some(400))]
#[case::in_the_place_of_a_label(r#""metadata":{"labels":{"app":DEEP}}"#, Some(400))]
#[case::in_the_place_of_containers(r#""spec":{"containers":DEEP}"#, None)]
fn ten_thousand_levels(
    #[case] object: &str,
    #[case] code: Option<u16>,
    #[values(("[", "]"), (r#"{"a":"#, "}"))] (open, close): (&str, &str),
) {
    let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    let verdict = validate(&pod_payload(&object.replace("DEEP", &deep)), untouched());
    assert_eq!(verdict.code, code, "{}", verdict.message);
}

/// In JSON, and so for policy-server, the last one counts.
#[rstest]
#[case::label_in_the_last(r#""labels":{"app":"a"},"labels":{"kuma.io/workload":"w"}"#, Some(403))]
#[case::label_in_the_first(r#""labels":{"kuma.io/workload":"w"},"labels":{"app":"a"}"#, None)]
#[case::label_twice(
    r#""labels":{"kuma.io/workload":"a","kuma.io/workload":"b"}"#,
    Some(403)
)]
#[case::escaped_key(r#""labels":{"kuma.io\/wor\u006bload":"w"}"#, Some(403))]
#[case::escaped_field(r#""l\u0061bels":{"kuma.io/workload":"w"}"#, Some(403))]
fn duplicate_and_escaped_keys(#[case] metadata: &str, #[case] code: Option<u16>) {
    let payload = pod_payload(&format!(r#""metadata":{{{metadata}}}"#));
    assert_eq!(validate(&payload, untouched()).code, code);
}

#[rstest]
#[case::wrong_value(json!({"action": MARKER}))]
#[case::wrong_type(json!([MARKER]))]
#[case::unknown_key(json!({"disallow": true}))]
fn settings_that_slipped_through_judge_nothing(#[case] settings: Value) {
    let request = request(json!({"kuma.io/mesh": "blue"}));
    let payload = json!({"request": request, "settings": settings}).to_string();
    let call = policy().call("validate", payload.as_bytes(), untouched());
    let answer: Value = serde_json::from_slice(&call.result.expect("no trap")).expect("JSON");
    assert_eq!(
        (&answer["accepted"], &answer["code"]),
        (&json!(false), &json!(500))
    );
}

// --- A host that answers anything at all (A13)

#[rstest]
#[case::nothing(b"".to_vec())]
#[case::no_json(MARKER.as_bytes().to_vec())]
#[case::no_utf8([b"{\"items\":[\"\xff".as_slice(), MARKER.as_bytes()].concat())]
#[case::null(b"null".to_vec())]
#[case::list(b"[]".to_vec())]
#[case::no_items(b"{}".to_vec())]
#[case::null_items(br#"{"items":null}"#.to_vec())]
#[case::items_of_a_wrong_type(format!(r#"{{"items":["{MARKER}"]}}"#).into_bytes())]
#[case::mesh_of_a_wrong_type(format!(r#"{{"items":[{{"mesh":["{MARKER}"]}}]}}"#).into_bytes())]
#[case::truncated(br#"{"items":[{"metadata":{"name":"db-0""#.to_vec())]
#[case::deep(format!(r#"{{"items":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000)).into_bytes())]
fn a_garbage_answer_is_no_answer(#[case] answer: Vec<u8>) {
    let backend = Arc::new(Scripted::answering(answer.clone()));
    let verdict = validate(&payload(&request(json!({"kuma.io/mesh": "blue"}))), backend);
    assert_eq!(verdict.code, Some(500), "{}", verdict.message);
    // The Namespace is read; of the Mesh, only whether it is there.
    let backend = Arc::new(Scripted::answering(answer));
    let verdict = validate(&payload(&request(json!({}))), backend);
    assert!(
        matches!(verdict.code, None | Some(500)),
        "{}",
        verdict.message
    );
}

#[rstest]
#[case::capability(
    "Policy has not been granted access to the 'kubernetes/get_resource' host capability. The violation has been reported.",
    Some(500)
)]
#[case::resource(
    "Policy has not been granted access to Kubernetes kuma.io/v1alpha1/Mesh resources. The violation has been reported.",
    Some(500)
)]
#[case::forbidden(
    "ApiError: SECRET-MARKER is forbidden: Forbidden (Status { status: Some(Failure), code: 403, message: \"SECRET-MARKER\" })",
    Some(500)
)]
#[case::kind_not_installed("Cannot find resource kuma.io/v1alpha1/Mesh", None)]
#[case::group_not_installed(
    "error finding resource kuma.io/v1alpha1 / Mesh: ApiError: \"404 page not found\\n\": Failed to parse error data (Status { status: Some(Failure), code: 404, message: \"404 page not found\\n\" })",
    None
)]
#[case::discovery_refused(
    "error finding resource kuma.io/v1alpha1 / Mesh: ApiError: SECRET-MARKER (Status { status: Some(Failure), code: 503, message: \"SECRET-MARKER\" })",
    Some(500)
)]
#[case::connection("ServiceError: client error (Connect) SECRET-MARKER", Some(500))]
#[case::nothing("", Some(500))]
#[case::unheard_of("SECRET-MARKER\u{0}\u{1b}[31m", Some(500))]
fn an_error_of_the_host_is_never_passed_on(#[case] error: &str, #[case] code: Option<u16>) {
    let failures = [Failure::new(error), Failure::new(error).caused_by(MARKER)];
    for failure in failures {
        let backend = Arc::new(Scripted::failing(failure));
        let verdict = validate(&payload(&request(json!({"kuma.io/mesh": "blue"}))), backend);
        assert_eq!(verdict.code, code, "{}", verdict.message);
    }
}

/// Each question of the mesh rule fails once, after those before it were answered.
#[test]
fn any_question_may_fail() {
    let answers = ["{}", "{}", r#"{"items":[]}"#, "{}", r#"{"items":[]}"#];
    for answered in 0..=answers.len() {
        let answered_ones = answers[..answered]
            .iter()
            .map(|answer| Reply::answer(answer.as_bytes().to_vec()));
        let backend = Arc::new(Scripted::new(answered_ones));
        let verdict = validate(&payload(&request(json!({"kuma.io/mesh": "blue"}))), backend);
        let code = (answered < answers.len()).then_some(500);
        assert_eq!(
            verdict.code, code,
            "{answered} answers: {}",
            verdict.message
        );
    }
}

#[test]
fn a_megabyte_of_error_is_never_passed_on() {
    let backend = Arc::new(Scripted::failing(Failure::new(MARKER.repeat(1 << 16))));
    let verdict = validate(&payload(&request(json!({"kuma.io/mesh": "blue"}))), backend);
    assert_eq!(verdict.code, Some(500));
}
