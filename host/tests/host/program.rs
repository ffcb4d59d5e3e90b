//! `policy-host` itself: what it prints, and its exit status.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use rstest::{fixture, rstest};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{get, guest, mesh};

const METADATA: &str = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\nmutating: false\ncontextAwareResources: [{apiVersion: kuma.io/v1alpha1, kind: Mesh}]\nhostCapabilities: [kubernetes/get_resource]\n";

/// A folder with a policy that gets a mesh and answers with it: no verdict, so an error, or, if
/// there is none, the guest's own error.
#[fixture]
fn place() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("a file");
    let mut verdict = mesh("blue");
    verdict["accepted"] = json!(true);
    write(
        "asking.wasm",
        &guest::asking(
            "get_resource",
            get("kuma.io/v1alpha1", "Mesh", "blue", None),
        ),
    );
    write("metadata.yml", METADATA.as_bytes());
    write("README.md", b"# Usage\n");
    write(
        "pod.yaml",
        b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n",
    );
    write("mesh.json", verdict.to_string().as_bytes());
    let annotated = program(
        folder.path(),
        &[
            "annotate",
            "asking.wasm",
            "-m",
            "metadata.yml",
            "-u",
            "README.md",
            "-o",
            "policy.wasm",
        ],
    );
    assert_eq!(annotated.status.code(), Some(0), "{annotated:?}");
    folder
}

fn host(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_policy-host"));
    command.args(arguments).current_dir(folder);
    command
}

fn program(folder: &Path, arguments: &[&str]) -> Output {
    host(folder, arguments).output().expect("the program runs")
}

fn run_command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = host(folder, &["run", "--policy", "policy.wasm"]);
    command.args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run_command(folder, arguments).output();
    let output = output.expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[rstest]
fn a_verdict_as_declared_is_status_0(place: TempDir) {
    fs::write(
        place.path().join("pod.expected.json"),
        r#"{"allowed": true, "hostCalls": 1}"#,
    )
    .expect("a file");
    let (status, output, errors) = run(place.path(), &["--cluster", "mesh.json", "pod.yaml"]);
    assert_eq!(status, Some(0), "{errors}");
    for part in [
        "accepted    pod: CREATE Pod default/web\n",
        "asked: get Mesh blue\n",
        "1 request: 1 accepted, 0 rejected, 0 not judged; 1 as expected\n",
    ] {
        assert!(output.contains(part), "{output}");
    }
}

#[rstest]
fn a_verdict_that_differs_is_status_1_and_says_how(place: TempDir) {
    fs::write(
        place.path().join("pod.expected.json"),
        r#"{"allowed": false}"#,
    )
    .expect("a file");
    let (status, output, errors) = run(place.path(), &["--cluster", "mesh.json", "pod.yaml"]);
    assert_eq!(status, Some(1));
    assert!(output.contains("not as expected"), "{output}");
    assert!(output.contains("0 as expected, 1 not"), "{output}");
    assert_eq!(
        errors,
        "pod.yaml:1:1: verdict: expected rejected, got accepted\n"
    );
}

#[rstest]
fn without_expectation_any_verdict_is_status_0(place: TempDir) {
    // No cluster: Kuma is not installed, and the guest fails.
    let (status, output, errors) = run(place.path(), &["-o", "json", "pod.yaml"]);
    assert_eq!(status, Some(0), "{errors}");
    let reviews: Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(reviews[0]["kind"], "AdmissionReview");
    assert_eq!(reviews[0]["response"]["allowed"], false);
    assert_eq!(reviews[0]["response"]["status"]["code"], 500);
}

#[rstest]
fn a_review_repeats_the_uid_and_says_which_request_it_is_about(place: TempDir) {
    let request = serde_json::to_string(&crate::request()).expect("a request");
    fs::write(place.path().join("request.json"), request).expect("a file");
    let (status, output, errors) = run(
        place.path(),
        &[
            "-o",
            "json",
            "--cluster",
            "mesh.json",
            "pod.yaml",
            "request.json",
        ],
    );
    assert_eq!(status, Some(0), "{errors}");
    let reviews: Value = serde_json::from_str(&output).expect("JSON");
    let found: Vec<[&Value; 4]> = reviews
        .as_array()
        .expect("a list")
        .iter()
        .map(|review| {
            assert_eq!(review["request"]["uid"], review["response"]["uid"]);
            let request = &review["request"];
            [
                &request["namespace"],
                &request["name"],
                &request["operation"],
                &review["place"]["file"],
            ]
        })
        .collect();
    assert_eq!(
        json!(found),
        json!([
            ["default", "web", "CREATE", "pod.yaml"],
            ["shop", null, "CREATE", "request.json"],
        ])
    );
    assert_eq!(reviews[1]["response"]["uid"], "u-1");
}

#[rstest]
fn what_no_rule_of_the_policy_selects_is_not_judged(place: TempDir) {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
    fs::write(place.path().join("map.yaml"), map).expect("a file");
    let (status, output, errors) = run(place.path(), &["--cluster", "mesh.json", "map.yaml"]);
    assert_eq!(status, Some(0), "{errors}");
    assert!(
        output.starts_with("not judged  map: CREATE ConfigMap default/settings\n"),
        "{output}"
    );
    assert!(
        output.ends_with("1 request: 0 accepted, 0 rejected, 1 not judged\n"),
        "{output}"
    );
}

/// Without a cluster the guest fails, and so the Pod is rejected.
#[rstest]
#[case::rejected(&["pod.yaml"], &[], 0)]
#[case::rejected_and_told_to_mind(&["--fail-on", "rejected", "pod.yaml"], &[], 1)]
#[case::rejected_as_declared(&["pod.yaml"], &[("pod.expected.json", r#"{"allowed": false}"#)], 0)]
#[case::rejected_as_declared_and_told_to_mind(
    &["--fail-on", "rejected", "pod.yaml"],
    &[("pod.expected.json", r#"{"allowed": false}"#)],
    1
)]
#[case::accepted_and_told_to_mind(&["--fail-on", "rejected", "--cluster", "mesh.json", "pod.yaml"], &[], 0)]
#[case::unreadable_and_rejected(&["--fail-on", "rejected", "pod.yaml", "gone.yaml"], &[], 2)]
fn fail_on_says_what_makes_the_status_1(
    place: TempDir,
    #[case] arguments: &[&str],
    #[case] files: &[(&str, &str)],
    #[case] expected: i32,
) {
    for (name, text) in files {
        fs::write(place.path().join(name), text).expect("a file");
    }
    let (status, output, errors) = run(place.path(), arguments);
    assert_eq!(status, Some(expected), "{output}{errors}");
}

#[rstest]
fn what_cannot_be_read_does_not_hide_the_other_verdicts(place: TempDir) {
    fs::write(place.path().join("broken.yaml"), "kind: [\n").expect("a file");
    fs::write(place.path().join("web.yaml"), "apiVersion: v1\nkind: Pod\n").expect("a file");
    fs::write(place.path().join("web.session.yml"), "- type: Nothing\n").expect("a file");
    let (status, output, errors) = run(
        place.path(),
        &[
            "--cluster",
            "mesh.json",
            "broken.yaml",
            "pod.yaml",
            "gone.yaml",
            "web.yaml",
        ],
    );
    assert_eq!(status, Some(2));
    assert!(output.starts_with("accepted    pod: "), "{output}");
    assert!(
        output
            .ends_with("1 request: 1 accepted, 0 rejected, 0 not judged; 3 faults of the input\n"),
        "{output}"
    );
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 3, "{errors}");
    for (line, start) in lines.iter().zip([
        "broken.yaml:",
        "gone.yaml: there is no such",
        "web.session.yml:1:",
    ]) {
        assert!(line.starts_with(&format!("error: {start}")), "{errors}");
    }
}

#[rstest]
fn a_request_may_come_from_standard_input(place: TempDir) {
    let mut child = run_command(place.path(), &["--cluster", "mesh.json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let manifest = b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
    child
        .stdin
        .take()
        .expect("an input")
        .write_all(manifest)
        .expect("it is read");
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(0));
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.starts_with("accepted    -: CREATE Pod default/web"),
        "{output}"
    );
}

#[rstest]
fn a_closed_pipe_is_no_failure(place: TempDir) {
    let mut child = run_command(place.path(), &["--cluster", "mesh.json", "pod.yaml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("the program ends").code(), Some(0));
}

#[rstest]
fn settings_are_told_with_their_place_and_in_the_policys_words(place: TempDir) {
    let policy = "kind: ClusterAdmissionPolicy\nspec:\n  settings:\n    action: no\n";
    fs::write(place.path().join("policy.yml"), policy).expect("a file");
    let (status, output, errors) = run(place.path(), &["--settings", "policy.yml", "pod.yaml"]);
    assert_eq!((status, &*output), (Some(2), ""));
    assert_eq!(
        errors,
        "error: policy.yml:4:5: the settings are not valid: no settings, please\n"
    );
}

#[rstest]
#[case::no_policy(&["run", "--policy", "gone.wasm", "pod.yaml"], "gone.wasm: there is no such file or folder")]
#[case::no_wasm(&["run", "--policy", "README.md", "pod.yaml"], "README.md: this is no WebAssembly module")]
#[case::no_request(&["run", "--policy", "policy.wasm", "gone.json"], "gone.json: there is no such file or folder")]
#[case::no_manifest(&["run", "--policy", "policy.wasm", "README.md"], "README.md: there is no request")]
#[case::empty_folder(&["run", "--policy", "policy.wasm", "empty"], "there is no request in what was given")]
#[case::no_cluster(&["run", "--policy", "policy.wasm", "--cluster", "gone", "pod.yaml"], "gone: there is no such file or folder")]
#[case::two_to_record(&["run", "--policy", "policy.wasm", "--record", "s.yml", "pod.yaml", "pod.yaml"], "--record takes exactly one request, and 2 were given")]
#[case::bad_denial(&["run", "--policy", "policy.wasm", "--forbid", "Pod", "pod.yaml"], "invalid value 'Pod' for '--forbid <VERB:APIVERSION/KIND>': it must be get, list, watch or create")]
#[case::bad_verb(&["run", "--policy", "policy.wasm", "--forbid", "eat:v1/Pod", "pod.yaml"], "invalid value 'eat:v1/Pod'")]
#[case::bad_timeout(&["run", "--policy", "policy.wasm", "--timeout", "0", "pod.yaml"], "invalid value '0' for '--timeout <SECONDS>': it must be a number of seconds above 0")]
#[case::unknown_flag(&["run", "--polcy", "policy.wasm", "pod.yaml"], "unexpected argument '--polcy' found")]
#[case::no_metadata(&["annotate", "asking.wasm", "-m", "gone.yml", "-o", "x.wasm"], "gone.yml: there is no such file or folder")]
#[case::no_folder_to_write_to(&["annotate", "asking.wasm", "-m", "metadata.yml", "-o", "gone/x.wasm"], "gone/x.wasm: it cannot be written: ")]
fn bad_input_is_status_2(place: TempDir, #[case] arguments: &[&str], #[case] message: &str) {
    fs::create_dir(place.path().join("empty")).expect("a folder");
    let output = program(place.path(), arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.starts_with(&format!("error: {message}")), "{errors}");
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(!output.contains("accepted    "), "{output}");
}

#[rstest]
fn a_recorded_session_replays_and_its_leftovers_are_a_difference(place: TempDir) {
    let (status, _, errors) = run(
        place.path(),
        &[
            "--cluster",
            "mesh.json",
            "--record",
            "pod.session.yml",
            "pod.yaml",
        ],
    );
    assert_eq!(status, Some(0), "{errors}");
    fs::write(
        place.path().join("pod.expected.json"),
        r#"{"allowed": true}"#,
    )
    .expect("a file");
    // The session answers now: no cluster is given.
    let (status, output, errors) = run(place.path(), &["pod.yaml"]);
    assert_eq!(status, Some(0), "{output}{errors}");
    let path = place.path().join("pod.session.yml");
    let twice = fs::read_to_string(&path).expect("a session").repeat(2);
    fs::write(&path, twice).expect("a file");
    let (status, _, errors) = run(place.path(), &["pod.yaml"]);
    assert_eq!(status, Some(1));
    assert!(
        errors.contains("never asked: KubernetesGetResource"),
        "{errors}"
    );
}

#[rstest]
fn a_grant_can_be_missing(place: TempDir) {
    let (status, output, errors) = run(
        place.path(),
        &[
            "--cluster",
            "mesh.json",
            "--forbid",
            "get:kuma.io/v1alpha1/Mesh",
            "-o",
            "json",
            "pod.yaml",
        ],
    );
    assert_eq!(status, Some(0), "{errors}");
    assert!(output.contains("is forbidden"), "{output}");
}
