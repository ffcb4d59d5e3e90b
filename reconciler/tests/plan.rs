//! `kuma-workload plan` as people run it: the examples, bad input, pipes, and what the docs say.
//!
//! `UPDATE_GOLDEN=1` writes what is printed into `plan/tests/golden/`, to be looked at and committed.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use clap::CommandFactory;
use kuma_workload::cli;
use kuma_workload_plan::{Code, Report, output::Format};
use rstest::rstest;

fn plan(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuma-workload"));
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env_remove("KUBECONFIG")
        .arg("plan")
        .args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    plan(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = plan(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn golden(folder: &str, form: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../plan/tests/golden/{folder}.{form}"))
}

#[rstest]
fn t2_the_examples(
    #[values("kubernetes", "universal")] folder: &str,
    #[values("table", "wide", "json", "yaml", "github", "sarif", "junit")] form: &str,
) {
    let output = run(&[&format!("examples/plan/{folder}"), "-o", form]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
    let golden = golden(folder, form);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &output.stdout).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(
        text(&output.stdout),
        expected,
        "{} is another; UPDATE_GOLDEN=1 rewrites it",
        golden.display()
    );
}

/// The walk of one Deployment, at a width.
#[test]
fn why_is_a_section_after_the_pods() {
    let mut command = plan(&["examples/plan/kubernetes", "-n", "payments", "--why"]);
    let output = command.env("COLUMNS", "80").output().unwrap();
    let (before, section) = text(&output.stdout).split_once("\nWHY\n").unwrap();
    assert!(before.contains("\nPODS"), "{before}");
    let walk = section.split("\nStatefulSet ").next().unwrap();
    assert_eq!(
        walk,
        "\
Deployment payments/checkout
  I1   fact     it is in a mesh: its label kuma.io/mesh names one
  M1   fact     its mesh is \"payments\", by label kuma.io/mesh
  W2   fact     its workload is \"checkout\", by spec.serviceAccountName
  A2   rejects  cannot set kuma.io/workload label in the pod template of
                Deployment \"checkout\" (spec.template.metadata.labels); it is
                automatically managed by Kuma
  A2   ends     rejected by A2 (forged-label)"
    );
}

#[rstest]
#[case::json("json", "\"why\": [")]
#[case::yaml("yaml", "  why:\n  - rule: I1\n    outcome: fact\n    message: ")]
fn why_is_a_field_of_the_report(#[case] form: &str, #[case] field: &str) {
    let of = |more: &[&str]| {
        let mut arguments = vec!["examples/plan/kubernetes", "-o", form];
        arguments.extend(more);
        text(&run(&arguments).stdout).to_owned()
    };
    assert!(of(&["--why"]).contains(field));
    assert!(!of(&[]).contains("why"));
}

#[test]
fn every_form_has_its_golden_files_and_its_line_in_the_docs() {
    let section = section("Forms");
    for (_, name, _) in Format::ALL {
        for folder in ["kubernetes", "universal"] {
            assert!(golden(folder, name).exists(), "{folder}.{name}");
        }
        assert!(section.contains(&format!("`{name}`")), "{name}");
    }
}

#[rstest]
#[case::findings(&["kubernetes"], 1)]
#[case::errors_only(&["kubernetes", "--fail-on", "error"], 1)]
#[case::never(&["kubernetes", "--fail-on", "never"], 0)]
#[case::one_clean_namespace(&["kubernetes/shop.yaml", "-n", "shop"], 0)]
fn the_exit_status(#[case] arguments: &[&str], #[case] status: i32) {
    let mut command = plan(arguments);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/plan"));
    assert_eq!(command.output().unwrap().status.code(), Some(status));
}

#[test]
fn settings_decide_what_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.yml");
    fs::write(
        &settings,
        "disallowMultipleMeshesPerNamespace: true\nnamespaceMesh: declared\n",
    )
    .unwrap();
    let settings = settings.to_str().unwrap();
    let output = run(&[
        "examples/plan/kubernetes",
        "--settings",
        settings,
        "-o",
        "json",
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ledger = report["pods"].as_array().unwrap().iter();
    let ledger: Vec<_> = ledger.filter(|pod| pod["name"] == "ledger").collect();
    assert_eq!(ledger[0]["admission"]["rejection"]["rule"], "declared-mesh");
}

#[rstest]
#[case::yaml("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {kuma.io/mesh: m}}\n")]
#[case::json(
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"labels\":{\"kuma.io/mesh\":\"m\"}}}\n{\"kind\":\"Other\"}"
)]
fn the_standard_input(#[case] input: &str) {
    let output = with_input(&["-", "-o", "json"], input);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["pods"][0]["place"]["file"], "-");
    assert_eq!(report["workloads"][0]["action"], "create");
}

#[test]
fn all_bad_documents_are_told_and_the_rest_is_planned() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: [secret]}\n---\nb: [\n",
    );
    write("b.json", "{\"kind\": ]}");
    write(
        "c.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: fine}\n",
    );
    let output = plan(&["."]).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("default    Pod   fine"));
    let told: Vec<_> = text(&output.stderr).lines().collect();
    assert_eq!(
        told[0],
        "a.yaml:3:18: Pod: metadata.name must be a string, not a list"
    );
    assert!(told[1].starts_with("a.yaml:"), "{told:?}");
    assert!(
        told[2].starts_with("b.json:1:10: this is no JSON: "),
        "{told:?}"
    );
    assert_eq!(told.len(), 3);

    let output = plan(&[".", "-o", "github"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stdout).starts_with("::error file=a.yaml,line=3,col=18,title=bad-input::")
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let pods: String = (0..5000)
        .map(|number| format!("---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}}}\n"))
        .collect();
    fs::write(folder.path().join("pods.yaml"), pods).unwrap();
    let mut child = plan(&[folder.path().to_str().unwrap(), "-o", "wide"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn in_a_pipe_there_are_no_colours_and_no_bar() {
    let output = run(&["examples/plan/kubernetes"]);
    assert!(!output.stdout.contains(&0x1b));
    assert!(output.stderr.is_empty());
}

const DOCS: &str = include_str!("../../docs/plan.md");

/// What the docs have under a title.
fn section(title: &str) -> &'static str {
    let section = DOCS.split(&format!("# {title}\n")).nth(1).unwrap();
    section.split("\n#").next().unwrap()
}

#[test]
fn the_docs_have_every_finding_and_no_other() {
    let told: Vec<_> = section("Findings")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(told, codes);
}

#[test]
fn the_docs_have_every_flag_and_no_other() {
    let mut told: Vec<_> = section("Flags")
        .lines()
        .filter_map(|line| {
            Some(
                line.strip_prefix("| `--")?
                    .split(['`', ' '])
                    .next()?
                    .to_owned(),
            )
        })
        .collect();
    told.sort();
    let command = cli::Command::command();
    let plan = command.find_subcommand("plan").unwrap();
    let mut flags: Vec<_> = plan
        .get_arguments()
        .filter_map(|argument| Some(argument.get_long()?.to_owned()))
        .filter(|flag| flag != "help")
        .collect();
    flags.sort();
    assert_eq!(told, flags);
}

#[test]
fn the_docs_have_every_field_of_the_report() {
    let section = section("The report");
    let schema = serde_json::to_value(schemars::schema_for!(Report)).unwrap();
    let definitions = schema["$defs"].as_object().unwrap().values();
    for definition in definitions.chain([&schema]) {
        let fields = definition["properties"].as_object().into_iter().flatten();
        for (field, _) in fields {
            assert!(section.contains(&format!("`{field}`")), "{field}");
        }
    }
}
