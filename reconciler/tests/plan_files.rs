//! Which files `kuma-workload plan` reads, what it leaves out, and what it says where nothing is left.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use rstest::rstest;
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn plan(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuma-workload"));
    command.current_dir(folder).arg("plan").args(arguments);
    command
}

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    plan(folder.path(), arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";

#[rstest]
#[case::file_of_nothing(&["empty.yaml"], 2, "empty.yaml: nothing was read: it holds no Kubernetes object and no document of Kuma; --allow-empty accepts that\n")]
#[case::comments(&["comments.yaml"], 2, "comments.yaml: nothing was read: it holds no Kubernetes object and no document of Kuma; --allow-empty accepts that\n")]
#[case::values(&["values.yaml"], 2, "values.yaml: nothing was read: it holds no Kubernetes object and no document of Kuma; --allow-empty accepts that\n")]
#[case::folder_of_nothing(&["nothing"], 2, "nothing: nothing was read: there is no file .yaml, .yml or .json; --allow-empty accepts that\n")]
#[case::folder_of_others(&["others"], 2, "others: nothing was read: none of 2 files holds a Kubernetes object or a document of Kuma; --allow-empty accepts that\n")]
#[case::all_is_excluded(&["pods", "--exclude", "*.yaml"], 2, "pods: nothing was read: there is no file .yaml, .yml or .json; --allow-empty accepts that\n")]
#[case::several(&["empty.yaml", "nothing"], 2, "the input: nothing was read: it holds no Kubernetes object and no document of Kuma; --allow-empty accepts that\n")]
#[case::nothing_is_accepted(&["nothing", "--allow-empty"], 0, "")]
#[case::some_is_enough(&["empty.yaml", "pods"], 0, "")]
#[case::skipped_kinds(&["secret.yaml"], 0, "")]
#[case::list_of_nothing(&["list.json"], 0, "")]
#[case::words_that_are_named(&["others/words.yaml"], 2, "others/words.yaml:1:3: this is a string; a Kubernetes object or Universal document is a map\n")]
fn where_nothing_is_read_that_is_bad_input(
    #[case] arguments: &[&str],
    #[case] status: i32,
    #[case] said: &str,
) {
    let folder = folder(&[
        ("empty.yaml", ""),
        ("comments.yaml", "# nothing yet\n---\n"),
        ("values.yaml", "replicas: 3\n"),
        ("nothing/README.md", "kind: Pod\n"),
        ("others/words.yaml", "- one\n"),
        ("others/tsconfig.json", "{\n  // comments\n}\n"),
        ("pods/pod.yaml", POD),
        ("secret.yaml", SECRET),
        (
            "list.json",
            "{\"kind\": \"List\", \"apiVersion\": \"v1\", \"items\": []}",
        ),
    ]);
    let output = run(&folder, arguments);
    assert_eq!(text(&output.stderr), said);
    assert_eq!(output.status.code(), Some(status));
}

/// By other settings than those that were meant, nothing is planned.
#[rstest]
#[case::not_there(
    "gone.yaml",
    "gone.yaml: it cannot be read: No such file or directory\n"
)]
#[case::folder(".", "FOLDER: it cannot be read: Is a directory\n")]
#[case::not_valid(
    "bad.yaml",
    "bad.yaml:1:1: the settings are not valid: action must be \"deny\" or \"warn\", not a boolean\n"
)]
fn settings_that_cannot_be_read_stop_the_plan(#[case] settings: &str, #[case] said: &str) {
    let folder = folder(&[("pod.yaml", POD), ("bad.yaml", "action: yes\n")]);
    let output = run(&folder, &["pod.yaml", "--settings", settings]);
    let said = said.replace("FOLDER", settings);
    assert_eq!(text(&output.stderr), said);
    assert!(
        !text(&output.stdout).contains("PODS"),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_file_that_is_given_with_its_folder_is_read_once() {
    let folder = folder(&[("pod.yaml", POD)]);
    let output = run(&folder, &[".", "pod.yaml", "./pod.yaml"]);
    assert!(
        text(&output.stdout).contains("1 object read"),
        "{}",
        text(&output.stdout)
    );
    assert!(!text(&output.stdout).contains("duplicate"));
}

#[test]
fn an_empty_pipe_is_bad_input() {
    let folder = folder(&[]);
    let mut child = plan(folder.path(), &["-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "-: nothing was read: it holds no Kubernetes object and no document of Kuma; see whether the \
         command before the pipe went wrong; --allow-empty accepts that\n"
    );
}

#[test]
fn what_nobody_meant_is_passed_over_and_counted() {
    let folder = folder(&[
        ("pod.yaml", POD),
        ("secret.yaml", SECRET),
        ("words.yaml", "- one\n"),
        ("tsconfig.json", "{\n  // comments\n}\n"),
    ]);
    let output = run(&folder, &["."]);
    assert_eq!(output.status.code(), Some(0));
    let table = text(&output.stdout);
    assert!(
        table.contains("\n1 object read, 1 skipped, 2 files passed over: "),
        "{table}"
    );
    assert!(!table.contains("SKIPPED"), "{table}");
    let output = run(&folder, &[".", "-v"]);
    assert!(
        text(&output.stdout)
            .contains("SKIPPED\nAPI VERSION  KIND    OBJECTS\nv1           Secret  1\n"),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(
        text(&output.stderr),
        "passed over: ./tsconfig.json\npassed over: ./words.yaml\n"
    );
    let output = run(&folder, &[".", "-o", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["passedOver"], 2);
    assert_eq!(report["skippedKinds"][0]["kind"], "Secret");
}

#[test]
fn what_is_excluded_is_not_looked_at() {
    let files = [
        ("a/pod.yaml", POD),
        ("a/tests/broken.yaml", "kind: [\n"),
        ("a/old/broken.yaml", "kind: [\n"),
        ("a/node_modules/broken.yaml", "kind: [\n"),
    ];
    let arguments = ["a", "--exclude", "tests/", "--exclude", "/old"];
    let output = run(&folder(&files), &arguments);
    assert_eq!(text(&output.stderr), "");
    let mut files = files.to_vec();
    files.push((".kuma-workload-ignore", "tests/\n"));
    files.push(("a/.kuma-workload-ignore", "/old\n"));
    let output = run(&folder(&files), &["a"]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_pattern_that_is_none_is_told() {
    let output = run(&folder(&[]), &[".", "--exclude", "[z-a]"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("it is no pattern of a .gitignore: invalid range; 'z' > 'a'"),
        "{said}"
    );
}

#[test]
fn what_is_skipped_stops_nothing() {
    let folder = folder(&[(
        "all.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: [7]\n---\napiVersion: example.org/v1\nkind: Odd\nmetadata: {name: [x], labels: [y]}\n",
    )]);
    let output = run(&folder, &["all.yaml"]);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    let told = "2 objects were read, and none is of a kind that is planned";
    assert!(
        text(&output.stdout).contains(told),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn half_an_object_is_a_finding() {
    let folder = folder(&[(
        "pod.yaml",
        "apiversion: v1\nkind: Pod\nmetadata: {name: a}\n",
    )]);
    let output = run(&folder, &["."]);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(1)));
    assert!(text(&output.stdout).contains("did you mean apiVersion?"));
}
