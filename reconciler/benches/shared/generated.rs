//! The objects of a generated cluster: 100,000 Dataplanes of 2,000 namespaces, their DataplaneInsights,
//! and the 20,000 Workloads that they refer to.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use serde_json::{Value, json};

/// How many namespaces there are.
pub(crate) const NAMESPACES: usize = 2_000;
/// How many workloads each has.
pub(crate) const WORKLOADS_EACH: usize = 10;
/// How many Dataplanes refer to each of these.
pub(crate) const PODS_EACH: usize = 5;
/// The meshes; a namespace is of one of them.
pub(crate) const MESHES: [&str; 3] = ["default", "payments", "edge"];

/// Where an object is, and what it is part of.
#[derive(Debug, Clone)]
pub(crate) struct GeneratedObject {
    pub namespace: String,
    pub workload: String,
    pub mesh: &'static str,
    pub number: usize,
}

impl GeneratedObject {
    /// The name of the Pod, of its Dataplane and of its DataplaneInsight.
    pub(crate) fn name(&self) -> String {
        let replica_set = scatter(self.number / PODS_EACH) & 0xff_ffff_ffff;
        let suffix = scatter(self.number) & 0xf_ffff;
        format!("{}-{replica_set:010x}-{suffix:05x}", self.workload)
    }
}

/// The name of a namespace.
pub(crate) fn namespace(number: usize) -> String {
    format!("team-{number:04}")
}

/// All workloads.
pub(crate) fn workloads() -> impl Iterator<Item = GeneratedObject> {
    (0..NAMESPACES * WORKLOADS_EACH).map(|number| GeneratedObject {
        namespace: namespace(number / WORKLOADS_EACH),
        workload: format!("service-{}", number % WORKLOADS_EACH),
        mesh: MESHES[number / WORKLOADS_EACH % MESHES.len()],
        number,
    })
}

/// The Pods of all workloads.
pub(crate) fn pods() -> impl Iterator<Item = GeneratedObject> {
    workloads().flat_map(|workload| {
        (0..PODS_EACH).map(move |pod| GeneratedObject {
            namespace: workload.namespace.clone(),
            workload: workload.workload.clone(),
            mesh: workload.mesh,
            number: workload.number * PODS_EACH + pod,
        })
    })
}

/// A Dataplane as Kuma writes it: about 2 KB, its managed fields among them.
pub(crate) fn dataplane(place: &GeneratedObject) -> Value {
    let name = place.name();
    let GeneratedObject {
        namespace,
        workload,
        mesh,
        number,
    } = place;
    json!({
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "Dataplane",
        "mesh": mesh,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid(*number),
            "resourceVersion": (1_000_000 + number).to_string(),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {
                "app": workload,
                "k8s.kuma.io/namespace": namespace,
                "k8s.kuma.io/service-account": workload,
                "kuma.io/env": "kubernetes",
                "kuma.io/mesh": mesh,
                "kuma.io/origin": "zone",
                "kuma.io/proxy-type": "sidecar",
                "kuma.io/zone": "east",
                "pod-template-hash": "5d8c7b6f9d",
            },
            "annotations": { "kuma.io/display-name": name, "kuma.io/workload": workload },
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid(number + 1),
                "controller": true, "blockOwnerDeletion": true,
            }],
            "managedFields": [{
                "manager": "kuma-cp", "operation": "Update", "apiVersion": "kuma.io/v1alpha1",
                "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {
                    "f:mesh": {},
                    "f:metadata": { "f:annotations": { ".": {}, "f:kuma.io/workload": {} }, "f:labels": { ".": {}, "f:app": {}, "f:kuma.io/mesh": {}, "f:kuma.io/zone": {} }, "f:ownerReferences": { ".": {} } },
                    "f:spec": { ".": {}, "f:networking": { ".": {}, "f:address": {}, "f:inbound": {} } },
                },
            }],
        },
        "spec": {
            "networking": {
                "address": "10.244.1.21",
                "inbound": [{
                    "port": 8080, "name": "http", "state": "Ready", "health": { "ready": true },
                    "tags": {
                        "k8s.kuma.io/namespace": namespace, "k8s.kuma.io/service-name": workload,
                        "k8s.kuma.io/service-port": "80", "kuma.io/protocol": "http",
                        "kuma.io/service": format!("{workload}_{namespace}_svc_80"), "kuma.io/zone": "east",
                    },
                }],
                "transparentProxying": { "redirectPortInbound": 15006, "redirectPortOutbound": 15001 },
            },
            "probes": { "port": 9000, "endpoints": [{ "inboundPort": 8080, "inboundPath": "/", "path": "/8080/" }] },
        },
    })
}

/// A DataplaneInsight of a proxy that was connected twice.
pub(crate) fn insight(place: &GeneratedObject) -> Value {
    let subscription = |disconnected: Option<&str>| {
        let mut subscription = json!({
            "id": uid(place.number),
            "controlPlaneInstanceId": "kuma-control-plane-6d9f8b6c5d-x2k4q-1a2b",
            "connectTime": "2026-01-01T00:00:00Z",
            "generation": 4,
            "status": { "lastUpdateTime": "2026-01-01T00:00:00Z", "total": { "responsesSent": "12", "responsesAcknowledged": "12" }, "cds": { "responsesSent": "3", "responsesAcknowledged": "3" } },
            "version": { "kumaDp": { "version": "2.13.10", "kumaCpCompatible": true }, "envoy": { "version": "1.35.0" } },
        });
        if let Some(time) = disconnected {
            subscription["disconnectTime"] = json!(time);
        }
        subscription
    };
    json!({
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "DataplaneInsight",
        "mesh": place.mesh,
        "metadata": {
            "name": place.name(),
            "namespace": place.namespace,
            "uid": uid(place.number),
            "resourceVersion": (2_000_000 + place.number).to_string(),
        },
        "status": { "subscriptions": [subscription(Some("2026-01-01T01:00:00Z")), subscription(None)] },
    })
}

/// A Workload as this program writes it, with the right numbers.
pub(crate) fn workload(place: &GeneratedObject) -> Value {
    json!({
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "Workload",
        "metadata": {
            "name": place.workload,
            "namespace": place.namespace,
            "uid": uid(place.number),
            "resourceVersion": (3_000_000 + place.number).to_string(),
            "labels": { "kuma.io/managed-by": "kuma-workload-reconciler", "kuma.io/mesh": place.mesh },
        },
        "spec": {},
        "status": { "dataplaneProxies": { "connected": 5, "healthy": 5, "total": 5 } },
    })
}

/// A uid of this number's own.
pub(crate) fn uid(number: usize) -> String {
    let bits = scatter(number);
    format!(
        "{:08x}-{:04x}-4000-8000-{:012x}",
        bits >> 32,
        bits & 0xffff,
        bits >> 16
    )
}

/// The same number, scattered over 64 bits.
fn scatter(number: usize) -> u64 {
    let bits = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (bits ^ bits >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
