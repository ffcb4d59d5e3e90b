//! What the Workloads of a cluster should be, by the table of the rules L1 to L8 and by S1 to S6. It is
//! written from the rules alone and shares no code with the program.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    expected::{Expected, Name, Reference, Rules},
    fields::{annotation, label, mesh_of, text},
    managers::{CONTROL_PLANE, OURS},
    server::{resource::Resource, store::Store},
};

/// The references of all Dataplanes of a namespace.
pub fn references(store: &Store, rules: Rules, namespace: &str) -> Vec<Reference> {
    let dataplanes = store.list(Resource::Dataplanes, Some(namespace));
    dataplanes
        .filter_map(|(key, dataplane)| reference(store, rules, &key.name, &dataplane.value))
        .collect()
}

/// To which Workload a Dataplane refers (§7, W8), and what it adds to the numbers (S1 to S3).
fn reference(store: &Store, rules: Rules, name: &str, dataplane: &Value) -> Option<Reference> {
    let namespace = text(dataplane, "/metadata/namespace");
    let find = |resource| {
        let mut found = store.list(resource, Some(namespace));
        found.find(|(key, _)| key.name == name)
    };
    let networking = &dataplane["spec"]["networking"];
    let stored = annotation(dataplane, "kuma.io/workload").unwrap_or("");
    let workload = match rules.pod_labels {
        _ if !stored.is_empty() => stored.to_owned(),
        Some(labels) if networking["gateway"]["type"] != "BUILTIN" => {
            of_pod(&find(Resource::Pods)?.1.value, labels)
        }
        _ => return None,
    };
    if !is_local(dataplane, namespace, name) {
        return None;
    }
    let mesh = mesh_of(dataplane);
    let is_connected = find(Resource::DataplaneInsights)
        .is_some_and(|(_, insight)| mesh_of(&insight.value) == mesh && is_online(&insight.value));
    Some(Reference {
        workload: (namespace.to_owned(), workload),
        mesh: mesh.to_owned(),
        is_connected,
        is_healthy: is_healthy(networking, is_connected),
    })
}

/// What all Workloads that exist or are referred to should be.
pub fn expected(store: &Store, rules: Rules) -> BTreeMap<Name, Expected> {
    let mut references: BTreeMap<Name, Vec<Reference>> = BTreeMap::new();
    for (key, dataplane) in store.list(Resource::Dataplanes, None) {
        let found = reference(store, rules, &key.name, &dataplane.value);
        if let Some(found) = found {
            references
                .entry(found.workload.clone())
                .or_default()
                .push(found);
        }
    }
    let existing: BTreeMap<Name, &Value> = store
        .list(Resource::Workloads, None)
        .map(|(key, object)| ((key.namespace.clone(), key.name.clone()), &object.value))
        .collect();
    let is_evidence = |name: &Name, workload: &Value| {
        !rules.excluded.contains(&&*name.0)
            && references.contains_key(name)
            && is_of_control_plane(workload)
    };
    let yields = rules.may_yield
        && existing
            .iter()
            .any(|(name, workload)| is_evidence(name, workload));
    let names: BTreeSet<_> = references.keys().chain(existing.keys()).collect();
    names
        .into_iter()
        .map(|name| {
            let refer = references.get(name).map_or(&[][..], Vec::as_slice);
            let object = existing.get(name).copied();
            let expected = match !rules.excluded.contains(&&*name.0) && rules.may_manage {
                true => one(name, refer, object, yields),
                false => Expected::AsItIs,
            };
            (name.clone(), expected)
        })
        .collect()
}

/// The table L1 to L8.
fn one(name: &Name, refer: &[Reference], object: Option<&Value>, yields: bool) -> Expected {
    let meshes: BTreeSet<_> = refer
        .iter()
        .map(|reference| reference.mesh.as_str())
        .collect();
    let manager = object.and_then(|object| label(object, "kuma.io/managed-by"));
    let is_copy = object
        .and_then(|object| label(object, "kuma.io/origin"))
        .is_some_and(|origin| origin != "zone");
    let is_ours = manager == Some(OURS) && !is_copy;
    let counts = |mesh: &str| {
        let of_mesh = || refer.iter().filter(|reference| reference.mesh == mesh);
        let connected = of_mesh().filter(|reference| reference.is_connected).count();
        let healthy = of_mesh().filter(|reference| reference.is_healthy).count();
        [connected, healthy, of_mesh().count()].map(|count| count as u64)
    };
    match (meshes.first(), meshes.len(), object) {
        (None, _, None) => Expected::Absent,
        (None, _, Some(_)) if is_ours => Expected::Absent,
        (None, _, Some(_)) => Expected::AsItIs,
        _ if yields => Expected::AsItIs,
        (Some(_), 1, None) if !is_possible(&name.1) => Expected::Absent,
        (Some(mesh), 1, None) => Expected::Present((*mesh).to_owned(), counts(mesh)),
        (Some(mesh), 1, Some(_)) if is_ours || manager.is_none() && !is_copy => {
            Expected::Present((*mesh).to_owned(), counts(mesh))
        }
        (Some(_), 1, Some(_)) => Expected::AsItIs,
        (Some(_), _, None) => Expected::Absent,
        (Some(_), _, Some(object)) if is_ours => {
            let labelled = label(object, "kuma.io/mesh").filter(|mesh| !mesh.is_empty());
            Expected::Counted(counts(labelled.unwrap_or("default")))
        }
        (Some(_), _, Some(_)) => Expected::AsItIs,
    }
}

/// L17's evidence: the label is the control plane's own.
pub fn is_of_control_plane(workload: &Value) -> bool {
    let entries = workload["metadata"]["managedFields"].as_array();
    label(workload, "kuma.io/managed-by") == Some(CONTROL_PLANE)
        && entries.into_iter().flatten().any(|entry| {
            let labels = &entry["fieldsV1"]["f:metadata"]["f:labels"];
            entry["manager"] == "kuma-cp" && !labels["f:kuma.io/managed-by"].is_null()
        })
}

fn is_local(dataplane: &Value, namespace: &str, name: &str) -> bool {
    let owners = dataplane["metadata"]["ownerReferences"].as_array();
    let mut owners = owners.into_iter().flatten();
    let display = "kuma.io/display-name";
    let shown = [label(dataplane, display), annotation(dataplane, display)];
    owners.any(|owner| owner["kind"] == "Pod" && owner["controller"] == true)
        || label(dataplane, "k8s.kuma.io/namespace").is_none_or(|home| home == namespace)
            && label(dataplane, "kuma.io/env") != Some("universal")
            && shown.into_iter().flatten().all(|shown| shown == name)
}

/// W1, W2.
fn of_pod(pod: &Value, labels: &[&str]) -> String {
    let mut named = labels.iter().filter_map(|key| label(pod, key));
    let named = named.find(|name| !name.is_empty());
    let account = text(pod, "/spec/serviceAccountName");
    let account = if account.is_empty() {
        "default"
    } else {
        account
    };
    named.unwrap_or(account).to_owned()
}

/// S2.
fn is_online(insight: &Value) -> bool {
    let subscriptions = insight["status"]["subscriptions"].as_array();
    subscriptions.into_iter().flatten().any(|subscription| {
        !subscription["connectTime"].is_null() && subscription["disconnectTime"].is_null()
    })
}

/// S3.
fn is_healthy(networking: &Value, is_connected: bool) -> bool {
    let is_ready = |part: &Value| part["state"].as_str().is_none_or(|state| state == "Ready");
    let some = |name: &str| networking[name].as_array().filter(|list| !list.is_empty());
    match (some("inbound"), some("listeners")) {
        (Some(inbounds), _) => inbounds.iter().any(|inbound| {
            is_ready(inbound) && (inbound["health"].is_null() || inbound["health"]["ready"] == true)
        }),
        (None, Some(listeners)) => listeners.iter().any(is_ready),
        (None, None) => is_connected,
    }
}

/// W5.
pub(crate) fn is_possible(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|part| {
            let bytes = part.as_bytes();
            bytes.first().is_some_and(|byte| is_inner(*byte))
                && bytes.last().is_some_and(|byte| is_inner(*byte))
                && bytes.iter().all(|byte| is_inner(*byte) || *byte == b'-')
        })
}
