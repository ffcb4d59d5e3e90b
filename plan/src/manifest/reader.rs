//! How documents are read as objects.

use std::{collections::BTreeMap, sync::Arc};

use kuma_workload_rulebook::{
    admission::TemplateKind,
    keys, mesh,
    metadata::{Labels, Metadata, PodFacts, Text},
    owner as owners_of,
    quoted::Quoted,
    spiffe::{MeshIdentity, MeshIdentitySpec},
};

use super::{
    DataplaneManifest, Manifest, Marks, MeshIdentityManifest, Named, NamespaceManifest, Owner,
    PodManifest, TemplateManifest, UniversalDataplaneManifest, UniversalWorkloadManifest,
    WorkloadManifest,
};
use crate::{
    options::Options,
    read::{
        self, Document, Fault, Place,
        tree::{Mismatch, Node, Position, Read, Value},
    },
};

/// What was found in a document, or in the answer of an API server.
#[derive(Debug, Default)]
pub struct Found {
    /// The objects, in order.
    pub(crate) objects: Vec<Manifest>,
    /// How many objects do not matter here.
    pub(crate) skipped: usize,
    /// What cannot be read.
    pub(crate) faults: Vec<Fault>,
}

impl Found {
    /// Reads a document. It asks nothing of others, so that several threads can each read theirs.
    pub fn in_document(document: &Document<'_>, options: &Options<'_>) -> Self {
        let reader = Reader {
            file: Some(&document.name),
            default_namespace: &options.default_namespace,
        };
        let mut found = Self::default();
        for node in read::nodes(document) {
            match node {
                Ok(parsed) => reader.object(&parsed.node, None, &mut found),
                Err(fault) => found.faults.push(fault),
            }
        }
        found
    }

    /// Reads an item of the list of this apiVersion and kind that an API server gave.
    pub fn in_list(item: &str, api_version: &str, kind: &str) -> Self {
        let reader = Reader {
            file: None,
            default_namespace: "",
        };
        let mut found = Self::default();
        match read::json(item) {
            Ok(node) => reader.object(&node, Some((api_version, kind)), &mut found),
            Err(problem) => found.faults.push(reader.fault(problem.at, problem.message)),
        }
        found
    }
}

/// What a reader of documents is told.
#[derive(Debug, Clone, Copy)]
struct Reader<'r> {
    /// The document's name; none for what an API server answers.
    file: Option<&'r Arc<str>>,
    /// The namespace of objects that name none.
    default_namespace: &'r str,
}

impl Reader<'_> {
    fn object(&self, node: &Node, listed: Option<(&str, &str)>, found: &mut Found) {
        let text = |key| match node.get(key).map(|node| &node.value) {
            Some(Value::Text(text)) => Some(&**text),
            _ => None,
        };
        match &node.value {
            Value::Null => return,
            Value::Map(_) => {}
            // As jq collects them.
            Value::List(items) if listed.is_none() => {
                for item in items {
                    self.object(item, None, found);
                }
                return;
            }
            other => {
                let what = format!(
                    "this is {}; a Kubernetes object or Universal document is a map",
                    other.kind()
                );
                found.faults.push(self.fault(node.at, what));
                return;
            }
        }
        let (api_version, kind) = match (text("apiVersion"), text("kind")) {
            (Some(api_version), Some(kind)) => (api_version, kind),
            // The items of a typed list leave them out.
            (None, None) if listed.is_some() => listed.unwrap_or_default(),
            _ => ("", ""),
        };
        let items = node.get("items").map(|items| &items.value);
        let read = match (kind, text("type"), items) {
            ("", Some(of_type), _) => self.universal(of_type, node),
            (kind, _, Some(Value::List(items)))
                if kind.ends_with("List") || (kind.is_empty() && are_universal(items)) =>
            {
                let item_kind = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
                let listed = item_kind.map(|kind| (api_version, kind));
                for item in items {
                    self.object(item, listed, found);
                }
                return;
            }
            _ => {
                let (group, _) = api_version.split_once('/').unwrap_or(("", ""));
                self.kubernetes(group, kind, node)
            }
        };
        match read {
            Ok(Some(object)) => found.objects.push(object),
            Ok(None) => found.skipped += 1,
            Err(mismatch) => {
                let kind = if kind.is_empty() {
                    text("type")
                } else {
                    Some(kind)
                };
                let fault = self.mismatch(kind.unwrap_or_default(), node, &mismatch);
                found.faults.push(fault);
            }
        }
    }

    fn place(&self, at: Position) -> Option<Place> {
        let file = self.file?.clone();
        Some(Place { file, at })
    }

    fn fault(&self, at: Position, message: String) -> Fault {
        let place = self.place(at).unwrap_or_else(|| Place {
            file: "the cluster".into(),
            at: Position::default(),
        });
        Fault { place, message }
    }

    fn mismatch(&self, kind: &str, node: &Node, mismatch: &Mismatch) -> Fault {
        let name = |node: &Node| {
            node.get("name")
                .and_then(|name| name.text().ok().map(str::to_owned))
        };
        let name = node.get("metadata").and_then(name).or_else(|| name(node));
        let object = match name {
            Some(name) => format!("{kind} {}", Quoted(&name)),
            None => kind.to_owned(),
        };
        let Mismatch { at, path, what } = mismatch;
        self.fault(*at, format!("{object}: {path} {what}"))
    }

    fn named(&self, node: &Node, namespaced: bool) -> Read<Named> {
        let metadata = node
            .get("metadata")
            .ok_or_else(|| Mismatch::missing(node, "metadata"))?;
        let text = |key| node.field("metadata", |metadata| metadata.field(key, Node::text));
        let given = |text: Option<Option<&str>>| {
            text.flatten()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let name = given(text("name")?);
        let generated = given(text("generateName")?).map(|prefix| prefix + "*");
        let name = name.or(generated).ok_or_else(|| Mismatch {
            at: metadata.at,
            path: "metadata.name".to_owned(),
            what: "is missing".to_owned(),
        })?;
        let namespace =
            given(text("namespace")?).unwrap_or_else(|| self.default_namespace.to_owned());
        Ok(Named {
            place: self.place(node.at),
            namespace: if namespaced { namespace } else { String::new() },
            name,
        })
    }

    fn kubernetes(&self, group: &str, kind: &str, node: &Node) -> Read<Option<Manifest>> {
        Ok(Some(match (group, kind) {
            ("", "Pod") => Manifest::Pod(self.pod(node)?),
            ("", "Namespace") => Manifest::Namespace(NamespaceManifest {
                named: self.named(node, false)?,
                metadata: metadata_of(node)?,
            }),
            ("kuma.io", "Mesh") => Manifest::Mesh(self.named(node, false)?),
            ("kuma.io", "Dataplane") => Manifest::Dataplane(DataplaneManifest {
                named: self.named(node, true)?,
                mesh: owned(node.field("mesh", Node::text)?),
                owned_by_pod: is_owned_by_pod(node)?,
                metadata: metadata_of(node)?,
                mesh_label: position(node, "labels", keys::MESH),
            }),
            ("kuma.io", "Workload") => Manifest::Workload(WorkloadManifest {
                named: self.named(node, true)?,
                labels: metadata_of(node)?.labels,
                mesh_owners: mesh_owners(node)?,
            }),
            ("kuma.io", "MeshIdentity") => Manifest::MeshIdentity(self.mesh_identity(node)?),
            _ => match TemplateKind::of(group, kind) {
                Some(kind) => Manifest::Template(self.template(kind, node)?),
                None => return Ok(None),
            },
        }))
    }

    fn pod(&self, node: &Node) -> Read<PodManifest> {
        let named = self.named(node, true)?;
        let mut facts = pod_facts(node)?;
        if !named.is_generated() {
            facts.name = Text(named.name.clone().into());
        }
        Ok(PodManifest {
            owner: controller(node)?,
            named,
            facts,
            marks: marks(node),
        })
    }

    fn template(&self, kind: &'static TemplateKind, node: &Node) -> Read<TemplateManifest> {
        let template = at_path(node, kind.template_path, &|template| {
            Ok((pod_facts(template)?, marks(template)))
        })?;
        let (facts, marks) = template.unwrap_or_default();
        let replicas = node.get("spec").and_then(|spec| spec.get("replicas"));
        let scaled_to_zero = replicas.is_some_and(|replicas| replicas.integer() == Some(0));
        Ok(TemplateManifest {
            named: self.named(node, true)?,
            kind,
            owner: controller(node)?.filter(|owner| !owner.kind.is_empty()),
            idle: scaled_to_zero || is_done(node),
            facts,
            marks,
        })
    }

    fn mesh_identity(&self, node: &Node) -> Read<MeshIdentityManifest> {
        let named = self.named(node, true)?;
        let labels = metadata_of(node)?.labels;
        Ok(MeshIdentityManifest {
            facts: MeshIdentity {
                // As the control plane knows it, with its namespace (ID2).
                name: format!("{}.{}", named.name, named.namespace),
                mesh: mesh::of_dataplane(labels.get(keys::MESH)).to_owned(),
                spec: identity_spec(node)?,
                labels,
            },
            named,
        })
    }

    fn universal(&self, of_type: &str, node: &Node) -> Read<Option<Manifest>> {
        if !["Mesh", "Dataplane", "Workload", "MeshIdentity"].contains(&of_type) {
            return Ok(None);
        }
        let name = node
            .field("name", Node::text)?
            .filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Mismatch::missing(node, "name"))?;
        let mesh = node.field("mesh", Node::text)?;
        let named = Named {
            place: self.place(node.at),
            namespace: mesh::of_dataplane(mesh).to_owned(),
            name: name.to_owned(),
        };
        let labels = node.field("labels", labels)?.unwrap_or_default();
        Ok(Some(match of_type {
            "Mesh" => Manifest::UniversalMesh(named),
            "Dataplane" => {
                let tags = node.field("networking", |networking| {
                    networking.field("inbound", |inbound| inbound.items(workload_tag))
                })?;
                let tags: Vec<_> = tags
                    .flatten()
                    .unwrap_or_default()
                    .into_iter()
                    .flatten()
                    .collect();
                Manifest::UniversalDataplane(UniversalDataplaneManifest {
                    named,
                    labels,
                    tag: tags.first().map(|(_, at)| *at),
                    tags: tags.into_iter().map(|(tag, _)| tag).collect(),
                })
            }
            "Workload" => Manifest::UniversalWorkload(UniversalWorkloadManifest {
                named,
                labels: node.field("labels", string_map)?.unwrap_or_default(),
            }),
            _ => Manifest::UniversalIdentity(MeshIdentityManifest {
                facts: MeshIdentity {
                    name: named.name.clone(),
                    mesh: named.namespace.clone(),
                    labels,
                    spec: identity_spec(node)?,
                },
                named,
            }),
        }))
    }
}

/// Whether these are the items of a list as kumactl prints it, without a kind.
fn are_universal(items: &[Node]) -> bool {
    items.iter().all(|item| item.get("type").is_some())
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn labels(node: &Node) -> Read<Labels<'static>> {
    let entries = node.texts()?;
    let text = |text: &str| Text(text.to_owned().into());
    Ok(entries
        .map(|(key, value)| (text(key), text(value)))
        .collect())
}

fn string_map(node: &Node) -> Read<BTreeMap<String, String>> {
    let entries = node.texts()?;
    Ok(entries
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect())
}

/// Of the annotations only Kuma's: others are long, and nobody here reads them.
fn annotations(node: &Node) -> Read<Labels<'static>> {
    let entries = node.texts()?.filter(|(key, _)| key.contains("kuma.io/"));
    let text = |text: &str| Text(text.to_owned().into());
    Ok(entries
        .map(|(key, value)| (text(key), text(value)))
        .collect())
}

fn metadata_of(node: &Node) -> Read<Metadata<'static>> {
    let read = node.field("metadata", |metadata| {
        Ok(Metadata {
            labels: metadata.field("labels", labels)?.unwrap_or_default(),
            annotations: metadata
                .field("annotations", annotations)?
                .unwrap_or_default(),
        })
    })?;
    Ok(read.unwrap_or_default())
}

/// What the rules read of a Pod, or of a Pod template.
fn pod_facts(node: &Node) -> Read<PodFacts<'static>> {
    let is_sidecar = |container: &Node| {
        let name = container.field("name", Node::text)?;
        Ok(name == Some(keys::SIDECAR_CONTAINER))
    };
    let spec = node.field("spec", |spec| {
        let mut has_sidecar = false;
        for key in ["containers", "initContainers"] {
            let containers = spec.field(key, |containers| containers.items(is_sidecar))?;
            has_sidecar |= containers.is_some_and(|found| found.contains(&true));
        }
        let account = spec.field("serviceAccountName", Node::text)?;
        Ok((
            account.map(|name| Text(name.to_owned().into())),
            has_sidecar,
        ))
    })?;
    let (service_account, has_sidecar) = spec.unwrap_or_default();
    let phase = node.field("status", |status| status.field("phase", Node::text))?;
    let metadata = node.get("metadata");
    Ok(PodFacts {
        name: Text::default(),
        metadata: metadata_of(node)?,
        service_account,
        has_sidecar,
        terminating: metadata.is_some_and(|metadata| metadata.get("deletionTimestamp").is_some()),
        finished: matches!(phase.flatten(), Some("Succeeded" | "Failed")),
    })
}

/// Reads what is at a path of field names, such as `spec.template`; nothing if a field is missing.
fn at_path<T>(node: &Node, path: &str, read: &dyn Fn(&Node) -> Read<T>) -> Read<Option<T>> {
    match path.split_once('.') {
        None => node.field(path, read),
        Some((first, rest)) => Ok(node
            .field(first, |inner| at_path(inner, rest, read))?
            .flatten()),
    }
}

/// Where the entry of a map in the metadata stands.
fn position(node: &Node, map: &str, key: &str) -> Option<Position> {
    let entry = node.get("metadata")?.get(map)?.get(key)?;
    Some(entry.at)
}

fn marks(node: &Node) -> Marks {
    Marks {
        workload_label: position(node, "labels", keys::WORKLOAD),
        workload_annotation: position(node, "annotations", keys::WORKLOAD),
        mesh: position(node, "labels", keys::MESH)
            .or_else(|| position(node, "annotations", keys::MESH)),
    }
}

/// The controller among an object's owners.
fn controller(node: &Node) -> Read<Option<Owner>> {
    let owners = owners(node, |owner| {
        let is_controller = owner.field("controller", Node::flag)?;
        let api_version = owner.field("apiVersion", Node::text)?.unwrap_or_default();
        let kind = owner.field("kind", Node::text)?.unwrap_or_default();
        let name = owner.field("name", Node::text)?.unwrap_or_default();
        Ok((is_controller == Some(true)).then(|| Owner {
            kind: TemplateKind::of_object(api_version, kind).map_or("", |kind| kind.name),
            name: name.to_owned(),
        }))
    })?;
    Ok(owners.into_iter().flatten().next())
}

fn mesh_owners(node: &Node) -> Read<Vec<String>> {
    let owners = owners(node, |owner| {
        let api_version = owner.field("apiVersion", Node::text)?.unwrap_or_default();
        let kind = owner.field("kind", Node::text)?.unwrap_or_default();
        let is_mesh = owners_of::is_mesh(api_version, kind);
        Ok(owned(owner.field("name", Node::text)?).filter(|_| is_mesh))
    })?;
    Ok(owners.into_iter().flatten().collect())
}

fn is_owned_by_pod(node: &Node) -> Read<bool> {
    let owners = owners(node, |owner| {
        let is_controller = owner.field("controller", Node::flag)?;
        let api_version = owner.field("apiVersion", Node::text)?.unwrap_or_default();
        let kind = owner.field("kind", Node::text)?.unwrap_or_default();
        Ok(is_controller == Some(true) && owners_of::is_pod(api_version, kind))
    })?;
    Ok(owners.contains(&true))
}

fn owners<T>(node: &Node, read: impl FnMut(&Node) -> Read<T>) -> Read<Vec<T>> {
    let owners = node.field("metadata", |metadata| {
        metadata.field("ownerReferences", |owners| owners.items(read))
    })?;
    Ok(owners.flatten().unwrap_or_default())
}

/// Whether a Job says that it has ended.
fn is_done(node: &Node) -> bool {
    let conditions = node
        .get("status")
        .and_then(|status| status.get("conditions"));
    let Some(Value::List(conditions)) = conditions.map(|conditions| &conditions.value) else {
        return false;
    };
    let text = |node: &Node, key| {
        node.get(key)
            .and_then(|node| node.text().ok().map(str::to_owned))
    };
    conditions.iter().any(|condition| {
        matches!(
            text(condition, "type").as_deref(),
            Some("Complete" | "Failed")
        ) && text(condition, "status").as_deref() == Some("True")
    })
}

/// The tag `kuma.io/workload` of an inbound, and where it stands.
fn workload_tag(inbound: &Node) -> Read<Option<(String, Position)>> {
    let tag = inbound.field("tags", |tags| {
        tags.field(keys::WORKLOAD, |tag| Ok((tag.text()?.to_owned(), tag.at)))
    })?;
    Ok(tag.flatten())
}

/// `spec` of a MeshIdentity, of the same form everywhere.
fn identity_spec(node: &Node) -> Read<MeshIdentitySpec> {
    let spec = node.field("spec", |spec| {
        let selector = spec.field("selector", |selector| {
            selector.field("dataplane", |dataplane| {
                dataplane.field("matchLabels", string_map)
            })
        })?;
        let templates = spec.field("spiffeID", |templates| {
            let trust_domain = owned(templates.field("trustDomain", Node::text)?);
            Ok((trust_domain, owned(templates.field("path", Node::text)?)))
        })?;
        let (trust_domain, path) = templates.unwrap_or_default();
        Ok(MeshIdentitySpec {
            match_labels: selector.flatten().map(Option::unwrap_or_default),
            trust_domain,
            path,
        })
    })?;
    Ok(spec.unwrap_or_default())
}
