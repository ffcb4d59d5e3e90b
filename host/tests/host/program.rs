//! `policy-host` itself: what it prints, and its exit status.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rstest::{fixture, rstest};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::guest;
use crate::{get, mesh};

const METADATA: &str = "rules: []\nmutating: false\ncontextAwareResources: [{apiVersion: kuma.io/v1alpha1, kind: Mesh}]\nhostCapabilities: [kubernetes/get_resource]\n";

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

fn program(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_policy-host"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program runs")
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let all: Vec<&str> = ["run", "--policy", "policy.wasm"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let output = program(folder, &all);
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
    for part in ["pod", "allowed", "get Mesh blue"] {
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
    assert!(output.contains("unexpected"), "{output}");
    assert_eq!(errors, "pod: verdict: expected rejected, got allowed\n");
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
#[case::no_policy(&["run", "--policy", "gone.wasm", "pod.yaml"], "gone.wasm: ")]
#[case::no_wasm(&["run", "--policy", "README.md", "pod.yaml"], "not a WebAssembly module")]
#[case::no_request(&["run", "--policy", "policy.wasm", "gone.json"], "gone.json: ")]
#[case::no_manifest(&["run", "--policy", "policy.wasm", "README.md"], "README.md: there is no request")]
#[case::no_cluster(&["run", "--policy", "policy.wasm", "--cluster", "gone", "pod.yaml"], "gone: ")]
#[case::bad_settings(&["run", "--policy", "policy.wasm", "--settings", "metadata.yml", "pod.yaml"], "pod: the settings are not valid: no settings, please")]
#[case::bad_denial(&["run", "--policy", "policy.wasm", "--forbid", "Pod", "pod.yaml"], "--forbid Pod: expected")]
#[case::no_metadata(&["annotate", "asking.wasm", "-m", "gone.yml", "-o", "x.wasm"], "gone.yml: ")]
fn bad_input_is_status_2(place: TempDir, #[case] arguments: &[&str], #[case] message: &str) {
    let output = program(place.path(), arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.starts_with(&format!("error: {message}")), "{errors}");
    assert!(output.stdout.is_empty());
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
