//! `run`, `plan` and `status` where there is no cluster: one sentence, and the same exit status.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Output, Stdio},
};

use clap::CommandFactory as _;
use kuma_workload::cli;
use rstest::rstest;
use tempfile::TempDir;

/// A kubeconfig of an API server that is not there.
const UNREACHABLE: &str = "current-context: c\n\
    clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
    contexts: [{name: c, context: {cluster: c, user: u}}]\n\
    users: [{name: u, user: {}}]\n";

/// Runs it where nothing says that there is a cluster, but for a file `kubeconfig` with this text.
fn run(arguments: &str, kubeconfig: &str) -> (Output, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kubeconfig"), kubeconfig).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuma-workload"));
    command
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .args(arguments.split(' '));
    (command.output().unwrap(), folder)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[rstest]
fn one_sentence_and_status_2(
    #[values(
        "run",
        "plan --cluster",
        "plan --cluster -o wide",
        "status",
        "status -o json"
    )]
    command: &str,
    #[values(
        ("", "no cluster is known: HOME/.kube/config does not exist; set KUBECONFIG or --kubeconfig, or run in a Pod"),
        (" --kubeconfig gone", "gone does not exist"),
        (" --kubeconfig kubeconfig --context other", "kubeconfig kubeconfig: it has no context \"other\""),
        (" --context c", "no cluster is known: HOME/.kube/config does not exist; set KUBECONFIG or --kubeconfig, or run in a Pod")
    )]
    case: (&str, &str),
) {
    let (flags, expected) = case;
    let (output, folder) = run(&format!("{command}{flags}"), UNREACHABLE);
    let expected = expected.replace("HOME", folder.path().to_str().unwrap());
    assert_eq!(text(&output.stderr), format!("error: {expected}\n"));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(output.status.code(), Some(2));
}

/// The environment variables of all flags.
fn variables() -> BTreeSet<String> {
    let command = cli::Command::command();
    let arguments = command
        .get_subcommands()
        .flat_map(clap::Command::get_arguments);
    let variables = arguments.filter_map(clap::Arg::get_env);
    variables
        .map(|variable| variable.to_str().unwrap().to_owned())
        .collect()
}

/// As if they were not set, down to the search for a kubeconfig in KUBECONFIG.
#[rstest]
#[case::run("run")]
#[case::plan("plan --cluster")]
#[case::status("status")]
fn empty_environment_variables_count_as_not_set(#[case] subcommand: &str) {
    let variables = variables();
    assert!(
        variables.contains("KUMA_WORKLOAD_NAMESPACE"),
        "{variables:?}"
    );
    assert!(variables.len() > 15, "{variables:?}");
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_kuma-workload"))
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .envs(variables.iter().map(|variable| (variable, "")))
        .envs(["KUBECONFIG", "HTTPS_PROXY", "NO_PROXY"].map(|variable| (variable, "")))
        .args(subcommand.split(' '))
        .output()
        .unwrap();
    let expected = format!(
        "error: no cluster is known: {}/.kube/config does not exist; set KUBECONFIG or --kubeconfig, or run in a Pod\n",
        folder.path().display()
    );
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(2));
}

/// The address is that of this machine without being a loopback address, and nobody listens there.
/// A proxy that applies is refused in one sentence, without its password; one that does not is left out.
#[rstest]
#[case::none(
    "",
    "HTTPS_PROXY names a proxy, and this program uses none; add 0.0.0.0 to NO_PROXY so that it asks the API server directly"
)]
#[case::other(
    "10.0.0.0/8",
    "HTTPS_PROXY names a proxy, and this program uses none; add 0.0.0.0 to NO_PROXY so that it asks the API server directly"
)]
#[case::covered(
    "10.0.0.0/8,0.0.0.0/32",
    "the API server cannot be reached: Connection refused"
)]
fn no_proxy_counts_for_the_api_server(#[case] no_proxy: &str, #[case] expected: &str) {
    let kubeconfig = UNREACHABLE.replace(
        "server: 'http://127.0.0.1:1'",
        "server: 'https://0.0.0.0:1'",
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kubeconfig"), kubeconfig).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_kuma-workload"))
        .current_dir(folder.path())
        .env_clear()
        .env("HTTPS_PROXY", "http://user:secret@proxy:3128")
        .env("NO_PROXY", no_proxy)
        .args(["status", "--kubeconfig", "kubeconfig"])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert!(said.starts_with(&format!("error: {expected}")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[rstest]
#[case::plan("plan --cluster")]
#[case::status("status")]
fn an_api_server_that_does_not_answer(#[case] command: &str) {
    let (output, _folder) = run(&format!("{command} --kubeconfig kubeconfig"), UNREACHABLE);
    assert_eq!(
        text(&output.stderr),
        "error: the API server cannot be reached: Connection refused\n"
    );
    assert_eq!(text(&output.stdout), "");
    assert_eq!(output.status.code(), Some(2));
}

/// Each watch fails, and the Lease: the cause is told in one sentence, without the client's own lines.
#[test]
fn run_says_once_that_the_api_server_does_not_answer() {
    const SENTENCE: &str = "the API server cannot be reached: Connection refused";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kubeconfig"), UNREACHABLE).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kuma-workload"))
        .current_dir(folder.path())
        .env_clear()
        .args([
            "run",
            "--kubeconfig",
            "kubeconfig",
            "--metrics-addr",
            "127.0.0.1:0",
        ])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    for line in lines {
        said.push(line.unwrap());
        if said.iter().any(|line| line.contains("the lease")) && said.len() > 1 {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|line| line.contains(SENTENCE)), "{said:?}");
}

#[test]
fn a_program_gets_its_document_all_the_same() {
    let (output, _folder) = run("plan --cluster -o json", "");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["faults"], 1);
    assert_eq!(report["faults"][0]["place"]["file"], "the cluster");
    assert_eq!(text(&output.stderr).lines().count(), 1);
    assert_eq!(output.status.code(), Some(2));
}
