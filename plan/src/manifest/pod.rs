//! What the rules read of a Pod, or of a Pod template.

use kuma_workload_rulebook::{
    keys,
    metadata::{PodFacts, Text},
};

use super::{Marks, fields};
use crate::read::tree::{Node, Read, Value};

/// Reads a Pod or a Pod template.
pub(super) fn facts(node: &Node) -> Read<PodFacts<'static>> {
    let spec = node.field("spec", |spec| {
        Ok((service_account(spec)?, has_sidecar(spec)?))
    })?;
    let (service_account, has_sidecar) = spec.unwrap_or_default();
    let phase = node.field("status", |status| status.field("phase", Node::text))?;
    let metadata = node.get("metadata");
    Ok(PodFacts {
        name: Text::default(),
        metadata: fields::metadata(node)?,
        service_account,
        has_sidecar,
        terminating: metadata.is_some_and(|metadata| metadata.get("deletionTimestamp").is_some()),
        finished: matches!(phase.flatten(), Some("Succeeded" | "Failed")),
    })
}

/// The API server copies the older name of the field where the newer one is empty (W2).
fn service_account(spec: &Node) -> Read<Option<Text<'static>>> {
    let older = spec.field("serviceAccount", Node::text)?;
    let newer = spec.field("serviceAccountName", Node::text)?;
    let account = newer.filter(|name| !name.is_empty()).or(older);
    Ok(account.map(|name| Text(name.to_owned().into())))
}

fn has_sidecar(spec: &Node) -> Read<bool> {
    let mut found = false;
    for key in ["containers", "initContainers"] {
        let containers = spec.field(key, |containers| containers.items(is_sidecar))?;
        found |= containers.is_some_and(|containers| containers.contains(&true));
    }
    Ok(found)
}

fn is_sidecar(container: &Node) -> Read<bool> {
    let name = match container.value {
        // A container of which nothing is said.
        Value::Null => None,
        _ => container.field("name", Node::text)?,
    };
    Ok(name == Some(keys::SIDECAR_CONTAINER))
}

/// Where the labels and annotations stand that findings are about.
pub(super) fn marks(node: &Node) -> Marks {
    Marks {
        workload_label: fields::position(node, "labels", keys::WORKLOAD),
        workload_annotation: fields::position(node, "annotations", keys::WORKLOAD),
        mesh: fields::position(node, "labels", keys::MESH)
            .or_else(|| fields::position(node, "annotations", keys::MESH)),
        mesh_annotation: fields::position(node, "annotations", keys::MESH),
        gateway: fields::position(node, "annotations", keys::GATEWAY),
        ingress: fields::position(node, "annotations", keys::INGRESS),
        egress: fields::position(node, "annotations", keys::EGRESS),
    }
}
