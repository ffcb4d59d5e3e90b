//! The examples of the Workload page (T8): what the plan says of each, and what differs from the page.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::{fs, path::Path};

use kuma_workload_plan::{Options, Report, plan, read::Document};
use kuma_workload_rulebook::identifier::PodAnnotation;

/// The plan of these files of `examples/page`.
fn planned_with(files: &[&str], options: &Options<'_>) -> Report {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/page");
    let texts: Vec<_> = files
        .iter()
        .map(|file| fs::read(folder.join(file)).unwrap())
        .collect();
    let documents = files.iter().zip(&texts).map(|(file, bytes)| Document {
        name: (*file).into(),
        bytes: bytes.into(),
    });
    let report = plan(documents, options);
    assert_eq!(report.faults, []);
    report
}

fn planned(files: &[&str]) -> Report {
    planned_with(files, &Options::default())
}

fn codes(report: &Report) -> Vec<(&'static str, &'static str)> {
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.severity.name(), finding.code))
        .collect()
}

fn workloads(report: &Report) -> Vec<(&str, &'static str)> {
    let on_kubernetes = report.workloads.iter();
    let on_kubernetes = on_kubernetes.map(|one| (&*one.name, one.action));
    let on_universal = report.universal.iter().flat_map(|one| &one.workloads);
    let on_universal = on_universal.map(|one| (&*one.name, one.action));
    on_kubernetes.chain(on_universal).collect()
}

/// The SPIFFE ID of the only proxy.
fn spiffe_id(report: &Report) -> Option<&str> {
    let on_kubernetes = report.pods.iter().map(|pod| &pod.identity);
    let on_universal = report.universal.iter().flat_map(|one| &one.dataplanes);
    let mut all = on_kubernetes.chain(on_universal.map(|dataplane| &dataplane.identity));
    all.next()?.as_ref()?.spiffe_id.as_deref()
}

const DEMO: &str = "spiffe://example.com/workload/demo-workload";

#[test]
fn t8_w7_the_pod_of_the_page_is_in_no_mesh_and_its_annotation_names_nothing() {
    let report = planned(&["kubernetes/workload.yaml"]);
    let pod = &report.pods[0];
    assert_eq!(
        (pod.meshed, &*pod.reason),
        (false, "its namespace does not inject")
    );
    assert_eq!(workloads(&report), []);
    assert_eq!(
        codes(&report),
        [
            ("warning", "idle-annotation"),
            ("note", "namespace-not-read")
        ]
    );
    assert!(report.findings[0].message.ends_with(
        "in a mesh, this pod gets workload \"default\" from the default ServiceAccount"
    ));
}

#[test]
fn t8_w7_the_sentence_of_the_page_can_be_followed_where_the_namespace_injects() {
    let options = Options {
        pod_annotation: PodAnnotation::Honor,
        ..Options::default()
    };
    let namespace = Document {
        name: "namespace.yaml".into(),
        bytes: b"apiVersion: v1\nkind: Namespace\n\
            metadata: {name: default, labels: {kuma.io/sidecar-injection: enabled}}\n"
            .into(),
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/page");
    let pod = Document {
        name: "workload.yaml".into(),
        bytes: fs::read(folder.join("kubernetes/workload.yaml"))
            .unwrap()
            .into(),
    };
    let report = plan([namespace, pod], &options);
    assert_eq!(workloads(&report), [("demo-workload", "create")]);
}

#[test]
fn t8_w2_the_service_account_names_the_workload() {
    let report = planned(&["kubernetes/workload-that-works.yaml"]);
    assert_eq!(workloads(&report), [("demo-workload", "create")]);
    let workload = report.pods[0].workload.as_ref().unwrap();
    assert_eq!(workload.source, "spec.serviceAccountName");
    assert_eq!(codes(&report), []);
}

#[test]
fn t8_w1_a_label_names_it_as_well() {
    let options = Options {
        workload_labels: Some(vec!["app".to_owned()]),
        ..Options::default()
    };
    let report = planned_with(&["kubernetes/workload-that-works.yaml"], &options);
    assert_eq!(workloads(&report), [("demo-workload", "create")]);
    assert_eq!(
        report.pods[0].workload.as_ref().unwrap().source,
        "label app"
    );
}

#[test]
fn t8_id4_the_identity_of_the_page_on_kubernetes() {
    let report = planned(&[
        "kubernetes/workload-that-works.yaml",
        "kubernetes/mesh-identity.yaml",
    ]);
    assert_eq!(spiffe_id(&report), Some(DEMO));
    assert_eq!(codes(&report), []);
}

#[test]
fn t8_l6_the_workload_of_the_page_is_the_control_planes() {
    let report = planned(&[
        "kubernetes/workload-that-works.yaml",
        "kubernetes/status.yaml",
    ]);
    assert_eq!(workloads(&report), [("demo-workload", "foreign")]);
    assert_eq!(report.mode, "observe");
    assert_eq!(codes(&report), []);
}

#[test]
fn t8_w4_the_dataplane_of_the_page_names_its_workload_by_a_tag() {
    let report = planned(&["universal/workload.yaml", "universal/mesh-identity.yaml"]);
    let dataplane = &report.universal.as_ref().unwrap().dataplanes[0];
    let workload = dataplane.workload.as_ref().unwrap();
    assert_eq!(
        (&*workload.name, &*workload.source),
        ("demo-workload", "tag")
    );
    assert_eq!(spiffe_id(&report), None);
    assert_eq!(
        codes(&report),
        [("warning", "tag-read"), ("note", "no-identity")]
    );
}

#[test]
fn t8_id3_id4_the_identity_of_the_page_on_universal_needs_a_token_for_the_workload() {
    let report = planned(&[
        "universal/workload-that-works.yaml",
        "universal/mesh-identity.yaml",
    ]);
    assert_eq!(workloads(&report), [("demo-workload", "create")]);
    assert_eq!(spiffe_id(&report), Some(DEMO));
    assert_eq!(codes(&report), [("note", "workload-token")]);
}

#[test]
fn t8_u1_the_workload_of_the_page_is_as_it_should_be() {
    let report = planned(&[
        "universal/workload-that-works.yaml",
        "universal/status.yaml",
    ]);
    assert_eq!(workloads(&report), [("demo-workload", "keep")]);
    assert_eq!(codes(&report), []);
}

#[test]
fn t8_every_example_is_in_the_readme_and_says_what_differs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/page");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    for environment in ["kubernetes", "universal"] {
        for file in fs::read_dir(folder.join(environment)).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            assert!(
                readme.contains(&format!("`{environment}/{name}`")),
                "{name}"
            );
            let text = fs::read_to_string(file.path()).unwrap();
            assert!(text.starts_with("# \""), "{name} says which example it is");
        }
    }
}
