//! The fields that all objects have in common.

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    admission::TemplateKind,
    metadata::{Labels, Metadata, Text},
    owner as owners_of,
};

use super::{Name, Owner};
use crate::read::tree::{Mismatch, Node, Position, Read};

/// The name of an object of Kubernetes, or what it will be made of.
pub(super) fn name(node: &Node) -> Read<Name> {
    let metadata = node
        .get("metadata")
        .ok_or_else(|| Mismatch::missing(node, "metadata"))?;
    let given = of_metadata(node, "name")?.map(|name| Name::Given(name.into()));
    let generated = of_metadata(node, "generateName")?.map(Name::of_prefix);
    given
        .or(generated)
        .ok_or_else(|| Mismatch::missing(metadata, "metadata.name"))
}

/// A text of the metadata that is not empty.
pub(super) fn of_metadata<'n>(node: &'n Node, key: &str) -> Read<Option<&'n str>> {
    let text = node.field("metadata", |metadata| metadata.field(key, Node::text))?;
    Ok(text.flatten().filter(|text| !text.is_empty()))
}

/// Labels and annotations.
pub(super) fn metadata(node: &Node) -> Read<Metadata<'static>> {
    let read = node.field("metadata", |metadata| {
        Ok(Metadata {
            labels: metadata.field("labels", labels)?.unwrap_or_default(),
            annotations: metadata
                .field("annotations", labels_of_kuma)?
                .unwrap_or_default(),
        })
    })?;
    Ok(read.unwrap_or_default())
}

/// Labels and annotations, of which only Kuma's are read.
pub(super) fn metadata_of_kuma(node: &Node) -> Read<Metadata<'static>> {
    let read = node.field("metadata", |metadata| {
        let of_kuma = |key| metadata.field(key, labels_of_kuma);
        Ok(Metadata {
            labels: of_kuma("labels")?.unwrap_or_default(),
            annotations: of_kuma("annotations")?.unwrap_or_default(),
        })
    })?;
    Ok(read.unwrap_or_default())
}

/// All entries of a map.
pub(super) fn labels(node: &Node) -> Read<Labels<'static>> {
    let entries = node.texts()?;
    Ok(entries.map(owned).collect())
}

/// The entries of a map that are Kuma's: others can be long, and nobody here reads them.
pub(super) fn labels_of_kuma(node: &Node) -> Read<Labels<'static>> {
    let entries = node.texts()?;
    let of_kuma = entries.filter(|(key, _)| key.contains("kuma.io/"));
    Ok(of_kuma.map(owned).collect())
}

/// An entry that does not borrow.
pub(super) fn owned((key, value): (&str, &str)) -> (Text<'static>, Text<'static>) {
    let text = |text: &str| Text(text.to_owned().into());
    (text(key), text(value))
}

/// A map of texts.
pub(super) fn texts(node: &Node) -> Read<BTreeMap<String, String>> {
    let entries = node.texts()?;
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    Ok(entries.map(owned).collect())
}

/// Where an entry of a map in the metadata stands.
pub(super) fn position(node: &Node, map: &str, key: &str) -> Option<Position> {
    entry(node.get("metadata")?.get(map)?, key)
}

/// Where an entry of a map stands, that of null too.
pub(super) fn entry(map: &Node, key: &str) -> Option<Position> {
    let entries = map.entries().ok()?;
    let found = entries.iter().rfind(|(found, _)| found == key);
    found.map(|(_, value)| value.at)
}

/// An object's controller.
pub(super) fn controller(node: &Node) -> Read<Option<Owner>> {
    let owners = owners(node, |owner| {
        let (api_version, kind) = kind_of_owner(owner)?;
        let name = owner.field("name", Node::text)?.unwrap_or_default();
        Ok(is_controller(owner)?.then(|| Owner {
            template: TemplateKind::of_object(api_version, kind),
            kind: kind.to_owned(),
            name: name.to_owned(),
        }))
    })?;
    Ok(owners.into_iter().flatten().next())
}

/// The names of the Meshes that own an object.
pub(super) fn mesh_owners(node: &Node) -> Read<Vec<String>> {
    let owners = owners(node, |owner| {
        let (api_version, kind) = kind_of_owner(owner)?;
        let name = owner.field("name", Node::text)?;
        let name = name.filter(|_| owners_of::is_mesh(api_version, kind));
        Ok(name.map(str::to_owned))
    })?;
    Ok(owners.into_iter().flatten().collect())
}

/// Whether a Pod is an object's controller.
pub(super) fn is_owned_by_pod(node: &Node) -> Read<bool> {
    let owners = owners(node, |owner| {
        let (api_version, kind) = kind_of_owner(owner)?;
        Ok(is_controller(owner)? && owners_of::is_pod(api_version, kind))
    })?;
    Ok(owners.contains(&true))
}

fn kind_of_owner(owner: &Node) -> Read<(&str, &str)> {
    Ok((
        owner.field("apiVersion", Node::text)?.unwrap_or_default(),
        owner.field("kind", Node::text)?.unwrap_or_default(),
    ))
}

fn is_controller(owner: &Node) -> Read<bool> {
    Ok(owner.field("controller", Node::flag)?.unwrap_or_default())
}

fn owners<'n, T>(node: &'n Node, read: impl FnMut(&'n Node) -> Read<T>) -> Read<Vec<T>> {
    let owners = node.field("metadata", |metadata| {
        metadata.field("ownerReferences", |owners| owners.items(read))
    })?;
    Ok(owners.flatten().unwrap_or_default())
}
