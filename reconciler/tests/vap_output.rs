//! `kuma-workload vap`, as it is called (A22). `UPDATE_GOLDEN=1` rewrites what it prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Output},
};

use rstest::rstest;
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn vap(settings: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.yaml");
    fs::write(&file, settings).unwrap();
    Command::new(env!("CARGO_BIN_EXE_kuma-workload"))
        .current_dir(&folder)
        .args(["vap", "--settings", "settings.yaml"])
        .args(more)
        .output()
        .unwrap()
}

fn printed(settings: &str, more: &[&str]) -> String {
    let output = vap(settings, more);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

const DECLARED: &str = "
disallowMultipleMeshesPerNamespace: true
namespaceMesh: declared
updates: membership
meshNamespaces:
  payments: [payments, payments-*]
  closed: []
protectWorkloads: deny
workloadManagers: [jane, robot-*, 'group:mesh admins']
";

const OBSERVED: &str = "
kind: ClusterAdmissionPolicy
spec:
  settings:
    disallowMultipleMeshesPerNamespace: true
    action: warn
    legacyMeshAnnotations: false
";

#[rstest]
#[case::defaults("vap-defaults.yaml", "")]
#[case::declared("vap-declared.yaml", DECLARED)]
#[case::observed("vap-observed.yaml", OBSERVED)]
fn a22_the_policies_are_as_they_were(#[case] name: &str, #[case] settings: &str) {
    let printed = printed(settings, &[]);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden(name), printed).unwrap();
        return;
    }
    assert_eq!(printed, fs::read_to_string(golden(name)).unwrap());
}

#[test]
fn a22_json_is_a_list_of_the_same_objects() {
    let list: Value = serde_json::from_str(&printed(DECLARED, &["-o", "json"])).unwrap();
    let yaml = printed(DECLARED, &[]);
    let documents = yaml.split("---\n").skip(1);
    let documents: Vec<Value> = documents
        .map(|text| serde_saphyr::from_str(text).unwrap())
        .collect();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"].as_array().unwrap(), &documents);
}

#[rstest]
#[case::not_valid(
    "update: all\n",
    "settings.yaml:1:1: the settings are not valid: \"update\" is not a setting; the nearest is \"updates\"\n"
)]
#[case::too_long(
    &format!("workloadManagers: [{}]", "x".repeat(100_000)),
    "error: settings.yaml: the settings are too long for kuma-workload-workloads: an expression would have \
     100010 characters, and the API server compiles at most 100000; shorten the lists\n"
)]
fn a22_what_is_wrong_with_the_settings_is_told(#[case] settings: &str, #[case] sentence: &str) {
    let output = vap(settings, &[]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), sentence);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}
