//! The host, tested from outside with guests of a few instructions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

mod annotate;
mod cases;
mod cluster;
mod gates;
mod guest;
mod limits;
mod program;
mod protocol;
mod sessions;
mod verdicts;

use std::collections::BTreeSet;
use std::sync::Arc;

use kuma_workload_host::callback::Grants;
use kuma_workload_host::capability::Capabilities;
use kuma_workload_host::cluster::{Manifests, Scripted};
use kuma_workload_host::metadata::ContextAwareResource;
use kuma_workload_host::{AdmissionRequest, Backend, Policy, Settings};
use serde_json::{Value, json};

/// A policy that may ask everything that the tests ask.
fn policy(module: &[u8]) -> Policy {
    let resources = [
        ("v1", "Pod"),
        ("v1", "Namespace"),
        ("kuma.io/v1alpha1", "Mesh"),
        ("kuma.io/v1alpha1", "Dataplane"),
        ("kuma.io/v1alpha1", "Unheard"),
        ("nothing.example/v1", "Thing"),
    ];
    Policy::from_bytes(module)
        .expect("a guest")
        .with_grants(Grants {
            capabilities: Capabilities::all(),
            resources: resources
                .into_iter()
                .map(|(api, kind)| ContextAwareResource::new(api, kind))
                .collect::<BTreeSet<_>>(),
        })
}

fn no_settings() -> Settings {
    Settings::from_value(json!({})).expect("an object")
}

/// A cluster that must not be asked.
fn untouched() -> Arc<dyn Backend> {
    Arc::new(Scripted::new([]))
}

fn request() -> AdmissionRequest {
    serde_json::from_value(json!({
        "uid": "u-1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "operation": "CREATE",
        "namespace": "shop",
        "userInfo": {"username": "alice"},
        "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}},
    }))
    .expect("a request")
}

fn mesh(name: &str) -> Value {
    json!({"apiVersion": "kuma.io/v1alpha1", "kind": "Mesh", "metadata": {"name": name}})
}

fn dataplane(namespace: &str, name: &str, mesh: &str) -> Value {
    json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "Dataplane", "mesh": mesh,
        "metadata": {"name": name, "namespace": namespace, "labels": {"kuma.io/mesh": mesh}},
        "spec": {"networking": {"address": "10.0.0.1", "inbound": [{"port": 80}]}},
    })
}

fn pod(namespace: &str, name: &str, labels: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running"},
    })
}

fn shop() -> Manifests {
    Manifests::of([
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        mesh("blue"),
        mesh("green"),
        dataplane("shop", "a", "blue"),
        dataplane("shop", "b", "green"),
        dataplane("other", "c", "green"),
        pod("shop", "web", json!({"kuma.io/mesh": "blue"})),
        pod("shop", "plain", json!({})),
    ])
    .expect("good manifests")
}

fn get(api_version: &str, kind: &str, name: &str, namespace: Option<&str>) -> Value {
    json!({"api_version": api_version, "kind": kind, "name": name, "namespace": namespace,
           "disable_cache": false, "field_masks": null})
}

fn list(api_version: &str, kind: &str, namespace: &str, labels: Option<&str>) -> Value {
    json!({"api_version": api_version, "kind": kind, "namespace": namespace,
           "label_selector": labels, "field_selector": null, "field_masks": null})
}
