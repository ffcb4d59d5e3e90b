//! Objects of Kubernetes.

use kuma_workload_rulebook::{
    admission::TemplateKind, keys, mesh, metadata::Text, spiffe::MeshIdentity,
};

use super::{
    BuiltinGatewayManifest, DataplaneManifest, Home, InsightManifest, Manifest,
    MeshIdentityManifest, Named, NamespaceManifest, PodManifest, TemplateManifest,
    WorkloadManifest, fields, identity_spec,
    kind::{Kind, KumaKind},
    mesh as meshes, pod, proxy,
    reader::Reader,
    template,
};
use crate::read::tree::{Node, Read};

/// Reads an object of a kind that matters.
pub(super) fn read(reader: &Reader<'_>, kind: Kind, node: &Node) -> Read<Option<Manifest>> {
    Ok(Some(match kind {
        Kind::Pod => Manifest::Pod(read_pod(reader, node)?),
        Kind::Namespace => Manifest::Namespace(NamespaceManifest {
            named: named(reader, node, Scope::Cluster)?,
            metadata: fields::metadata_of_kuma(node)?,
            marks: pod::marks(node),
        }),
        Kind::Template(kind) => Manifest::Template(read_template(reader, kind, node)?),
        Kind::Kuma(KumaKind::Mesh) => {
            let named = named(reader, node, Scope::Cluster)?;
            Manifest::Mesh(meshes::read(named, node.get("spec")))
        }
        Kind::Kuma(KumaKind::Dataplane) => Manifest::Dataplane(dataplane(reader, node)?),
        Kind::Kuma(KumaKind::DataplaneInsight) => Manifest::Insight(insight(reader, node)?),
        Kind::Kuma(KumaKind::Workload) => Manifest::Workload(workload(reader, node)?),
        Kind::Kuma(KumaKind::MeshIdentity) => Manifest::MeshIdentity(identity(reader, node)?),
        Kind::Kuma(KumaKind::MeshGateway) => gateway(named(reader, node, Scope::Cluster)?, kind),
        Kind::Kuma(KumaKind::MeshGatewayInstance) => {
            gateway(named(reader, node, Scope::Namespace)?, kind)
        }
        Kind::Kuma(KumaKind::DataplaneOverview) => return Ok(None),
    }))
}

/// Where the objects of a kind live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Cluster,
    Namespace,
}

fn named(reader: &Reader<'_>, node: &Node, scope: Scope) -> Read<Named> {
    let name = fields::name(node)?;
    let namespace = fields::of_metadata(node, "namespace")?;
    Ok(Named {
        place: reader.place(node.at),
        home: match scope {
            Scope::Cluster => Home::Cluster,
            Scope::Namespace => {
                Home::Namespace(namespace.unwrap_or(reader.default_namespace).into())
            }
        },
        name,
    })
}

fn gateway(named: Named, kind: Kind) -> Manifest {
    let kind = kind.name();
    Manifest::BuiltinGateway(BuiltinGatewayManifest { named, kind })
}

fn read_pod(reader: &Reader<'_>, node: &Node) -> Read<PodManifest> {
    let named = named(reader, node, Scope::Namespace)?;
    let mut facts = pod::facts(node)?;
    if let Some(name) = named.name.given() {
        facts.name = Text(name.to_owned().into());
    }
    Ok(PodManifest {
        owner: fields::controller(node)?,
        named,
        facts,
        marks: pod::marks(node),
    })
}

fn read_template(
    reader: &Reader<'_>,
    kind: &'static TemplateKind,
    node: &Node,
) -> Read<TemplateManifest> {
    let (facts, marks) = template::facts(kind, node)?;
    Ok(TemplateManifest {
        named: named(reader, node, Scope::Namespace)?,
        kind,
        owner: fields::controller(node)?,
        idle: template::is_idle(kind, node),
        facts,
        marks,
    })
}

fn dataplane(reader: &Reader<'_>, node: &Node) -> Read<DataplaneManifest> {
    let inbounds = node.field("spec", |spec| spec.field("networking", proxy::inbounds))?;
    Ok(DataplaneManifest {
        named: named(reader, node, Scope::Namespace)?,
        mesh: node.field("mesh", Node::text)?.map(str::to_owned),
        owned_by_pod: fields::is_owned_by_pod(node)?,
        metadata: fields::metadata(node)?,
        mesh_label: fields::position(node, "labels", keys::MESH),
        inbounds: inbounds.flatten().unwrap_or_default(),
        builtin_gateway: node.get("spec").and_then(proxy::builtin_gateway),
    })
}

fn insight(reader: &Reader<'_>, node: &Node) -> Read<InsightManifest> {
    Ok(InsightManifest {
        named: named(reader, node, Scope::Namespace)?,
        mesh: node.field("mesh", Node::text)?.map(str::to_owned),
        online: node.field("status", proxy::is_online)?.unwrap_or_default(),
    })
}

fn workload(reader: &Reader<'_>, node: &Node) -> Read<WorkloadManifest> {
    Ok(WorkloadManifest {
        named: named(reader, node, Scope::Namespace)?,
        metadata: fields::metadata_of_kuma(node)?,
        mesh_owners: fields::mesh_owners(node)?,
        owners: node
            .get("metadata")
            .and_then(|metadata| fields::entry(metadata, "ownerReferences")),
        reported: proxy::reported(node),
    })
}

fn identity(reader: &Reader<'_>, node: &Node) -> Read<MeshIdentityManifest> {
    let named = named(reader, node, Scope::Namespace)?;
    let labels = fields::metadata(node)?.labels;
    Ok(MeshIdentityManifest {
        facts: MeshIdentity {
            // As the control plane knows it, with its namespace (ID2).
            name: format!("{}.{}", named.name.as_str(), named.namespace()),
            mesh: mesh::of_dataplane(labels.get(keys::MESH)).to_owned(),
            spec: identity_spec::read(node)?,
            labels,
        },
        named,
    })
}
