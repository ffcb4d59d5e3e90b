//! The metadata section: written, replaced, read.

use std::{fs, path::PathBuf};

use kuma_workload_host::{
    Policy,
    metadata::{Metadata, SECTION},
};
use rstest::rstest;
use tempfile::TempDir;

use crate::guest;

const METADATA: &str = r#"
rules:
- apiGroups: [""]
  apiVersions: ["v1"]
  resources: ["pods"]
  operations: ["CREATE", "UPDATE"]
mutating: false
contextAwareResources:
- apiVersion: v1
  kind: Pod
- apiVersion: kuma.io/v1alpha1
  kind: Mesh
hostCapabilities:
- kubernetes/list_resources_by_namespace
- kubernetes/get_resource
minimumKubewardenVersion: 1.36.0
annotations:
  io.kubewarden.policy.title: t
  io.artifacthub.keywords: k
"#;

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy-metadata.yml");
    fs::write(&path, text).expect("a file");
    (folder, path)
}

fn metadata() -> Metadata {
    let (folder, path) = file(METADATA);
    let readme = folder.path().join("README.md");
    fs::write(&readme, "# How to \"use\" it\n").expect("a file");
    Metadata::from_files(&path, Some(&readme), "v1".to_owned())
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_section_is_the_json_that_kubewarden_reads() {
    let module = metadata().annotate(&guest::accepting()).expect("a module");
    let json = concat!(
        r#"{"protocolVersion":"v1","rules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"],"operations":["CREATE","UPDATE"]}],"#,
        r##""annotations":{"io.artifacthub.keywords":"k","io.kubewarden.policy.title":"t","io.kubewarden.policy.usage":"# How to \"use\" it\n"},"##,
        r#""mutating":false,"backgroundAudit":true,"executionMode":"kubewarden-wapc","policyType":"kubernetes","#,
        r#""contextAwareResources":[{"apiVersion":"kuma.io/v1alpha1","kind":"Mesh"},{"apiVersion":"v1","kind":"Pod"}],"#,
        r#""hostCapabilities":["kubernetes/get_resource","kubernetes/list_resources_by_namespace"],"minimumKubewardenVersion":"1.36.0"}"#
    );
    let section = [SECTION.as_bytes(), json.as_bytes()].concat();
    assert!(
        module.ends_with(&section),
        "{}",
        String::from_utf8_lossy(&module)
    );
}

#[test]
fn annotating_again_replaces_the_section() {
    let mut metadata = metadata();
    let plain = guest::accepting();
    let once = metadata.annotate(&plain).expect("a module");
    metadata.mutating = true;
    let twice = metadata.annotate(&once).expect("a module");
    assert_eq!(
        Metadata::from_module(&twice).expect("a module"),
        Some(metadata.clone())
    );
    assert_eq!(metadata.annotate(&plain).expect("a module"), twice);
}

#[test]
fn an_annotated_module_is_granted_what_it_asks_for() {
    let module = metadata().annotate(&guest::accepting()).expect("a module");
    let policy = Policy::from_bytes(&module).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(policy.protocol_version().expect("a version"), "v1");
    let grants = policy.grants();
    assert!(grants.capabilities.allow("kubernetes/get_resource"));
    assert!(!grants.capabilities.allow("kubernetes/can_i"));
    assert_eq!(grants.resources.len(), 2);
}

#[test]
fn a_module_without_metadata_is_granted_nothing() {
    let module = guest::accepting();
    assert_eq!(Metadata::from_module(&module).expect("a module"), None);
    let policy = Policy::from_bytes(&module).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        !policy
            .grants()
            .capabilities
            .allow("kubernetes/get_resource")
    );
}

#[rstest]
#[case::unknown_operation(
    "operations: [\"CREATE\", \"UPDATE\"]",
    "operations: [\"PATCH\"]",
    "rules[0] has the operation \"PATCH\", which does not exist"
)]
#[case::star_and_more(
    "operations: [\"CREATE\", \"UPDATE\"]",
    "operations: [\"*\", \"CREATE\"]",
    "alone"
)]
#[case::no_resources("resources: [\"pods\"]", "resources: []", "rules[0] has no ")]
#[case::kind_missing("kind: Mesh", "kind: \"\"", "without apiVersion or kind")]
#[case::no_rules("rules:", "regulations:", "rules is missing")]
#[case::version_that_is_a_number(
    "1.36.0",
    "1.36",
    "minimumKubewardenVersion must be a string, not a number"
)]
fn metadata_that_kubewarden_would_refuse(#[case] from: &str, #[case] to: &str, #[case] part: &str) {
    let (_folder, path) = file(&METADATA.replace(from, to));
    let error = Metadata::from_files(&path, None, "v1".to_owned()).expect_err("bad metadata");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn a_guest_of_another_protocol_is_refused() {
    let (_folder, path) = file(METADATA);
    assert!(Metadata::from_files(&path, None, "v2".to_owned()).is_err());
}

#[test]
fn bad_yaml_is_located() {
    let (_folder, path) = file("rules: [\nmutating: false\n");
    let error = Metadata::from_files(&path, None, "v1".to_owned()).expect_err("bad YAML");
    let text = error.to_string();
    assert!(text.contains("policy-metadata.yml:1:8: "), "{text}");
    assert!(!text.contains('\n'), "{text}");
}
