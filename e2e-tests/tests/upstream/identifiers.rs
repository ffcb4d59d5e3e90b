//! The policy's workload identifiers against Kuma's.

use std::sync::Arc;

use kuma_workload_host::{Settings, cluster::Manifests};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::{policy, read, request};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identified {
    id: String,
    pod_labels: Value,
    workload_labels: Value,
    service_account: String,
    upstream: Workload,
}

#[derive(Deserialize)]
struct Workload {
    workload: String,
}

/// The policy tells a Pod's workload where the idle annotation is set (W7).
#[test]
fn every_identifier_is_upstreams() {
    let policy = policy();
    let cases: Vec<Identified> = read("workload.jsonl.gz");
    assert_eq!(cases.len(), 500);
    for case in &cases {
        let pod = json!({
            "metadata": {
                "name": "web-0", "labels": case.pod_labels,
                "annotations": {"kuma.io/workload": "idle"},
            },
            "spec": {"serviceAccountName": case.service_account, "containers": []},
        });
        let settings =
            Settings::from_value(json!({"workloadLabels": case.workload_labels})).unwrap();
        let cluster = Arc::new(Manifests::new().handled());
        let evaluation = policy
            .evaluate(&request("CREATE", "team", &pod, None), &settings, cluster)
            .unwrap();
        let annotations = evaluation.response.audit_annotations.unwrap_or_default();
        let told = annotations
            .get("idle-annotation")
            .map(String::as_str)
            .unwrap_or_default();
        let workload = told.split('"').nth(1);
        assert_eq!(
            workload,
            Some(&*case.upstream.workload),
            "{}: {told}",
            case.id
        );
    }
    println!("{} of 500 identifiers as upstream", cases.len());
}
