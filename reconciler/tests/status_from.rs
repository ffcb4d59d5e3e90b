//! `kuma-workload status --from`: the numbers by what kubectl and kumactl print (T4).
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    process::{Command, Output},
};

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

fn status(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuma-workload"));
    // Nobody is asked.
    command
        .env("KUBECONFIG", "/nowhere")
        .env("KUMA_WORKLOAD_CONTEXT", "nowhere");
    command
        .current_dir(folder.path())
        .arg("status")
        .args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// `home/name total, connected, healthy: findings` of each row.
fn rows(output: &Output) -> Vec<String> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = document["workloads"].as_array().unwrap().iter();
    rows.map(|row| {
        let home = row["namespace"].as_str().or(row["mesh"].as_str()).unwrap();
        let actual = &row["actual"];
        format!(
            "{home}/{} {} {} {}: {}",
            row["name"].as_str().unwrap(),
            actual["total"],
            actual["connected"],
            actual["healthy"],
            row["findings"]
        )
    })
    .collect()
}

const KUBECTL_DATAPLANES: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "kuma.io/v1alpha1", "kind": "Dataplane", "mesh": "default",
     "metadata": {"namespace": "shop", "name": "cart-0", "annotations": {"kuma.io/workload": "cart"}},
     "spec": {"networking": {"inbound": [{"port": 80}]}}},
    {"apiVersion": "kuma.io/v1alpha1", "kind": "Dataplane", "mesh": "default",
     "metadata": {"namespace": "shop", "name": "cart-1", "annotations": {"kuma.io/workload": "cart"}},
     "spec": {"networking": {"inbound": [{"port": 80, "state": "NotReady"}]}}}]}"#;

const KUBECTL_INSIGHTS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "kuma.io/v1alpha1", "kind": "DataplaneInsight", "mesh": "default",
     "metadata": {"namespace": "shop", "name": "cart-0"},
     "status": {"subscriptions": [{"connectTime": "2026-01-01T00:00:00Z"}]}}]}"#;

fn workload(total: u32) -> String {
    json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "Workload",
        "metadata": {"namespace": "shop", "name": "cart", "labels": {"kuma.io/mesh": "default"}},
        "spec": {}, "status": {"dataplaneProxies": {"connected": 1, "healthy": 1, "total": total}},
    })
    .to_string()
}

#[rstest]
#[case::right(2, 0, "[]")]
#[case::wrong(3, 1, "[\"numbers\"]")]
fn t4_what_kubectl_prints(#[case] total: u32, #[case] exit: i32, #[case] findings: &str) {
    let folder = folder(&[
        ("dataplanes.json", KUBECTL_DATAPLANES),
        ("insights.json", KUBECTL_INSIGHTS),
        ("workload.json", &workload(total)),
    ]);
    let files = ["dataplanes.json", "insights.json", "workload.json"];
    for from in [&files[..], &["."]] {
        let output = status(&folder, &[&["-o", "json", "--from"], from].concat());
        assert_eq!(text(&output.stderr), "");
        assert_eq!(rows(&output), [format!("shop/cart 2 1 1: {findings}")]);
        assert_eq!(output.status.code(), Some(exit));
    }
}

/// What `kumactl inspect dataplanes -o yaml` prints, and `kumactl get workloads`.
const KUMACTL_UNIVERSAL: &str = "
items:
- type: DataplaneOverview
  mesh: default
  name: vm-1
  labels: {kuma.io/workload: web, kuma.io/display-name: vm-1, kuma.io/env: universal}
  dataplane: {networking: {address: 10.0.0.1, inbound: [{port: 80}]}}
  dataplaneInsight: {subscriptions: [{id: '1', connectTime: '2026-01-01T00:00:00Z'}]}
- type: DataplaneOverview
  mesh: default
  name: vm-2
  labels: {kuma.io/workload: web}
  dataplane: {networking: {address: 10.0.0.2, gateway: {tags: {kuma.io/service: edge}}}}
  dataplaneInsight: {subscriptions: [{connectTime: '2026-01-01T00:00:00Z', disconnectTime: '2026-01-02T00:00:00Z'}]}
- type: DataplaneOverview
  mesh: two
  name: vm-3
  labels: {kuma.io/workload: Web}
  dataplane: {networking: {address: 10.0.0.3, inbound: [{port: 80, health: {}}]}}
next: null
total: 3
---
total: 2
items:
- type: Workload
  mesh: default
  name: web
  labels: {kuma.io/mesh: default, kuma.io/managed-by: workload-generator}
  status: {dataplaneProxies: {connected: 1, healthy: 1, total: 2}}
- type: Workload
  mesh: two
  name: old
  status: {}
";

#[test]
fn t4_what_kumactl_prints_of_universal() {
    let folder = folder(&[("export.yaml", KUMACTL_UNIVERSAL)]);
    let output = status(&folder, &["--from", "export.yaml", "-o", "json"]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(
        rows(&output),
        [
            "default/web 2 1 1: []",
            "two/Web 1 0 0: [\"bad-name\"]",
            "two/old 0 0 0: [\"unreferenced\"]"
        ]
    );
    let output = status(&folder, &["--from", "export.yaml"]);
    let table = text(&output.stdout);
    let line = table.lines().find(|line| line.contains(" web ")).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(
        words,
        [
            "-",
            "web",
            "default",
            "1",
            "1",
            "2",
            "workload-generator",
            "ok"
        ]
    );
}

#[test]
fn t4_what_kumactl_prints_of_kubernetes() {
    let labels = "\"kuma.io/env\": \"kubernetes\", \"k8s.kuma.io/namespace\": \"shop\", \"kuma.io/display-name\": \"NAME\"";
    let overview = format!(
        "{{\"type\": \"DataplaneOverview\", \"mesh\": \"two\", \"name\": \"cart-0.shop\", \
         \"labels\": {{{}, \"kuma.io/workload\": \"cart.v2\"}}, \"dataplane\": {{\"networking\": {{\"inbound\": [{{}}]}}}}, \
         \"dataplaneInsight\": {{\"subscriptions\": [{{\"connectTime\": \"t\"}}]}}}}",
        labels.replace("NAME", "cart-0")
    );
    let workload = format!(
        "{{\"type\": \"Workload\", \"mesh\": \"two\", \"name\": \"cart.v2.shop\", \
         \"labels\": {{{}, \"kuma.io/mesh\": \"two\"}}, \
         \"status\": {{\"dataplaneProxies\": {{\"connected\": 1, \"healthy\": 1, \"total\": 1}}}}}}",
        labels.replace("NAME", "cart.v2")
    );
    let folder = folder(&[(
        "all.json",
        &format!("{{\"total\": 2, \"items\": [{overview}, {workload}], \"next\": null}}"),
    )]);
    let output = status(&folder, &["--from", "all.json", "-o", "json"]);
    assert_eq!(rows(&output), ["shop/cart.v2 1 1 1: []"]);
    assert_eq!(output.status.code(), Some(0));
    let output = status(
        &folder,
        &["--from", "all.json", "-o", "json", "-n", "other"],
    );
    assert_eq!(rows(&output), Vec::<String>::new());
}

#[test]
fn copies_from_other_zones_are_not_counted() {
    let copy = "type: DataplaneOverview\nmesh: default\nname: vm-1-q1\n\
        labels: {kuma.io/workload: web, kuma.io/display-name: vm-1, kuma.io/env: universal}\ndataplane: {}\n---\n\
        type: Workload\nmesh: default\nname: web-q1\nlabels: {kuma.io/display-name: web, kuma.io/env: universal}\n\
        status: {dataplaneProxies: {total: 7}}\n";
    let folder = folder(&[("global.yaml", copy)]);
    let output = status(&folder, &["--from", "global.yaml", "-o", "json"]);
    assert_eq!(rows(&output), ["default/web-q1 null null null: []"]);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
}

#[test]
fn what_is_missing_for_the_numbers_is_told() {
    let tag = "type: Dataplane\nmesh: default\nname: vm-1\nnetworking: {inbound: [{tags: {kuma.io/workload: web}}]}\n";
    let folder = folder(&[("a.yaml", tag), ("b.yaml", "type: workload\nname: web\n")]);
    let output = status(&folder, &["--from", "."]);
    let said: Vec<_> = text(&output.stderr).lines().collect();
    assert_eq!(
        said,
        [
            "warning: b.yaml:1:7: workload \"web\" is not read: its type \"workload\" is none that is known; \
             did you mean type: Workload?",
            "warning: Dataplane \"default/vm-1\" names workload \"web\" by a tag of an inbound, which Kuma does not read",
            "warning: no DataplaneInsight was given, so no proxy counts as connected; give what \
             `kubectl get dataplaneinsights -A -o json` or `kumactl inspect dataplanes -o json` prints",
        ]
    );
    assert_eq!(output.status.code(), Some(1));
}

#[rstest]
#[case::nothing(
    "",
    "a.yaml: nothing was read: it holds no Kubernetes object and no document of Kuma\n"
)]
#[case::odd(
    "type: Dataplane\nname: [x]\n",
    "a.yaml:2:7: Dataplane: name must be a string, not a list\n"
)]
#[case::odd_insight(
    "type: DataplaneInsight\nname: x\nsubscriptions: 7\n",
    "a.yaml:3:16: DataplaneInsight \"x\": subscriptions must be a list, not a number\n"
)]
fn bad_input_is_told_and_the_rest_is_shown(#[case] yaml: &str, #[case] said: &str) {
    let folder = folder(&[("a.yaml", yaml), ("b.json", &workload(2))]);
    let output = status(&folder, &["--from", "a.yaml"]);
    assert_eq!(
        (text(&output.stderr), output.status.code()),
        (said, Some(2))
    );
    if !yaml.is_empty() {
        let output = status(&folder, &["--from", "a.yaml", "b.json"]);
        assert!(text(&output.stdout).contains("cart"));
        assert_eq!(output.status.code(), Some(2));
    }
}

/// Zone proxies of Kuma 2.14 and later have listeners instead of inbounds.
#[rstest]
#[case::nothing_said("listeners: [{type: ZoneIngress, port: 10001}]", 1)]
#[case::ready("inbound: [], listeners: [{state: NotReady}, {state: Ready}]", 1)]
#[case::not_ready("listeners: [{state: NotReady}]", 0)]
#[case::inbounds_decide("inbound: [{state: NotReady}], listeners: [{}]", 0)]
fn s3_zone_proxies_are_healthy_by_their_listeners(#[case] networking: &str, #[case] healthy: u32) {
    let on_kubernetes = format!(
        "apiVersion: kuma.io/v1alpha1\nkind: Dataplane\nmesh: default\nmetadata: {{name: zone-0, namespace: kuma-system, \
         annotations: {{kuma.io/workload: zone}}}}\nspec: {{networking: {{{networking}}}}}\n"
    );
    let on_universal = format!(
        "type: Dataplane\nmesh: default\nname: zone-0\nlabels: {{kuma.io/workload: zone}}\nnetworking: {{{networking}}}\n"
    );
    for (yaml, home) in [(on_kubernetes, "kuma-system"), (on_universal, "default")] {
        let folder = folder(&[("a.yaml", &yaml)]);
        let output = status(&folder, &["--from", "a.yaml", "-o", "json"]);
        let rows = rows(&output);
        let expected = format!("{home}/zone 1 0 {healthy}: ");
        assert!(
            rows.len() == 1 && rows[0].starts_with(&expected),
            "{rows:?}"
        );
    }
}
