//! Documents of Kuma's own form, with a `type`: those of Universal, and what kumactl prints of any
//! control plane. A control plane on Kubernetes calls its resources `NAME.NAMESPACE`, and shows all
//! of their logical labels as labels.

use kuma_workload_rulebook::{
    counts::Inbounds,
    keys, mesh,
    metadata::{Labels, Metadata},
    spiffe::MeshIdentity,
};

use super::{
    BuiltinGatewayManifest, DataplaneManifest, Home, InsightManifest, Manifest,
    MeshIdentityManifest, Name, Named, UniversalDataplaneManifest, UniversalWorkloadManifest,
    WorkloadManifest, fields, identity_spec, kind::KumaKind, mesh as meshes, proxy, reader::Reader,
};
use crate::read::tree::{Mismatch, Node, Position, Read};

/// The environment of a control plane that stores its resources as objects of Kubernetes.
const ENVIRONMENT_KUBERNETES: &str = "kubernetes";

/// Reads a document of a type that matters: an object, or a Dataplane and its insight.
pub(super) fn read(reader: &Reader<'_>, kind: KumaKind, node: &Node) -> Read<Vec<Manifest>> {
    let resource = Resource::of(reader, node)?;
    let dataplane = |body| resource.dataplane(networking(body)?);
    let insight = |body| Ok(resource.insight(proxy::is_online(body)?));
    Ok(match kind {
        KumaKind::Mesh => vec![resource.mesh()],
        KumaKind::Dataplane => vec![dataplane(node)?],
        KumaKind::DataplaneInsight => vec![insight(node)?],
        KumaKind::DataplaneOverview => {
            let dataplane = node.field("dataplane", dataplane)?;
            let insight = match reader.reads_insights {
                true => node.field("dataplaneInsight", insight)?,
                false => None,
            };
            dataplane.into_iter().chain(insight).collect()
        }
        KumaKind::Workload => vec![resource.workload()?],
        KumaKind::MeshIdentity => vec![resource.identity()?],
        KumaKind::MeshGateway | KumaKind::MeshGatewayInstance => {
            vec![Manifest::BuiltinGateway(BuiltinGatewayManifest {
                named: resource.named,
                kind: kind.name(),
            })]
        }
    })
}

/// What all documents have.
struct Resource<'n> {
    node: &'n Node,
    /// Its name, as the control plane says it.
    name: &'n str,
    mesh: Option<&'n str>,
    labels: Labels<'static>,
    named: Named,
}

impl<'n> Resource<'n> {
    fn of(reader: &Reader<'_>, node: &'n Node) -> Read<Self> {
        let name = node.field("name", Node::text)?;
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Mismatch::missing(node, "name"))?;
        let mesh = node.field("mesh", Node::text)?;
        let labels = node.field("labels", fields::labels)?.unwrap_or_default();
        let (home, own_name) = match is_on_kubernetes(name, &labels) {
            true => {
                let (name, namespace) = split(name, labels.get(keys::HOME_NAMESPACE));
                (Home::Namespace(namespace.into()), name)
            }
            false => (Home::Mesh(mesh::of_dataplane(mesh).into()), name),
        };
        Ok(Self {
            named: Named {
                place: reader.place(node.at),
                home,
                name: Name::Given(own_name.into()),
            },
            node,
            name,
            mesh,
            labels,
        })
    }

    fn is_on_kubernetes(&self) -> bool {
        matches!(self.named.home, Home::Namespace(_))
    }

    fn mesh(&self) -> Manifest {
        let named = Named {
            home: Home::Cluster,
            name: Name::Given(self.name.into()),
            place: self.named.place.clone(),
        };
        let mesh = meshes::read(named, Some(self.node));
        match self.is_on_kubernetes() {
            true => Manifest::Mesh(mesh),
            false => Manifest::UniversalMesh(mesh),
        }
    }

    fn dataplane(&self, networking: Networking) -> Read<Manifest> {
        let Networking {
            inbounds,
            tags,
            builtin_gateway,
        } = networking;
        let named = self.named.clone();
        if !self.is_on_kubernetes() {
            return Ok(Manifest::UniversalDataplane(UniversalDataplaneManifest {
                named,
                labels: self.labels.clone(),
                tag: tags.first().map(|(_, at)| *at),
                tags: tags.into_iter().map(|(tag, _)| tag).collect(),
                builtin_gateway,
                inbounds,
            }));
        }
        let is_annotation = |key: &str| key == keys::WORKLOAD;
        let entries = |of_annotations| {
            self.node.field("labels", |labels| {
                let entries = labels.texts()?;
                let entries = entries.filter(|(key, _)| is_annotation(key) == of_annotations);
                Ok(entries.map(fields::owned).collect::<Labels<'static>>())
            })
        };
        Ok(Manifest::Dataplane(DataplaneManifest {
            named,
            mesh: self.mesh.map(str::to_owned),
            metadata: Metadata {
                labels: entries(false)?.unwrap_or_default(),
                // At rest it is one, and there the rules look for it.
                annotations: entries(true)?.unwrap_or_default(),
            },
            mesh_label: self
                .node
                .get("labels")
                .and_then(|labels| fields::entry(labels, keys::MESH)),
            // kumactl does not print owners.
            owned_by_pod: false,
            builtin_gateway,
            inbounds,
        }))
    }

    fn insight(&self, online: bool) -> Manifest {
        Manifest::Insight(InsightManifest {
            named: self.named.clone(),
            mesh: self.mesh.map(str::to_owned),
            online,
        })
    }

    fn workload(&self) -> Read<Manifest> {
        let labels = self.node.field("labels", fields::labels_of_kuma)?;
        let labels = labels.unwrap_or_default();
        let named = self.named.clone();
        let reported = proxy::reported(self.node);
        Ok(match self.is_on_kubernetes() {
            true => Manifest::Workload(WorkloadManifest {
                named,
                metadata: Metadata {
                    labels,
                    ..Metadata::default()
                },
                mesh_owners: Vec::new(),
                owners: None,
                reported,
            }),
            false => Manifest::UniversalWorkload(UniversalWorkloadManifest {
                named,
                labels,
                reported,
            }),
        })
    }

    fn identity(&self) -> Read<Manifest> {
        let identity = MeshIdentityManifest {
            named: self.named.clone(),
            facts: MeshIdentity {
                name: self.name.to_owned(),
                mesh: mesh::of_dataplane(self.mesh).to_owned(),
                labels: self.labels.clone(),
                spec: identity_spec::read(self.node)?,
            },
        };
        Ok(match self.is_on_kubernetes() {
            true => Manifest::MeshIdentity(identity),
            false => Manifest::UniversalIdentity(identity),
        })
    }
}

/// Whether a document is an object of Kubernetes: it was made there, or is stored there under its own
/// name. The copies of Universal's documents that a Global control plane stores are none.
fn is_on_kubernetes(name: &str, labels: &Labels<'_>) -> bool {
    match labels.get(keys::ENVIRONMENT) {
        Some(ENVIRONMENT_KUBERNETES) => true,
        Some(keys::ENVIRONMENT_UNIVERSAL) => false,
        _ => {
            let display_name = labels.get_non_empty(keys::DISPLAY_NAME);
            let namespace = display_name.and_then(|display| name.strip_prefix(display));
            labels.get_non_empty(keys::HOME_NAMESPACE).is_some()
                || namespace.is_some_and(|namespace| namespace.starts_with('.'))
        }
    }
}

/// The name and namespace of an object of Kubernetes. A copy in a control plane that is elsewhere has
/// no namespace there.
fn split<'n>(name: &'n str, home_namespace: Option<&str>) -> (&'n str, &'n str) {
    let at_home = home_namespace.and_then(|home| {
        let own_name = name.strip_suffix(home)?.strip_suffix('.')?;
        Some((own_name, name.get(own_name.len() + 1..)?))
    });
    let split = at_home.or_else(|| name.rsplit_once('.'));
    split
        .filter(|(name, _)| !name.is_empty())
        .unwrap_or((name, ""))
}

/// What a Dataplane says of its inbounds.
#[derive(Debug, Default)]
struct Networking {
    inbounds: Inbounds,
    /// The tags `kuma.io/workload`, in order, and where they stand.
    tags: Vec<(String, Position)>,
    builtin_gateway: Option<Position>,
}

fn networking(dataplane: &Node) -> Read<Networking> {
    let read = dataplane.field("networking", |networking| {
        let tags = networking.field("inbound", |inbound| inbound.items(workload_tag))?;
        Ok(Networking {
            inbounds: proxy::inbounds(networking)?,
            tags: tags.unwrap_or_default().into_iter().flatten().collect(),
            builtin_gateway: proxy::builtin_gateway(dataplane),
        })
    })?;
    Ok(read.unwrap_or_default())
}

fn workload_tag(inbound: &Node) -> Read<Option<(String, Position)>> {
    let tag = inbound.field("tags", |tags| {
        tags.field(keys::WORKLOAD, |tag| Ok((tag.text()?.to_owned(), tag.at)))
    })?;
    Ok(tag.flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::of_a_zone("cart-7c.orders", Some("orders"), ("cart-7c", "orders"))]
    #[case::with_dots("cart.v2-7c.orders", Some("orders"), ("cart.v2-7c", "orders"))]
    #[case::without_the_label("cart.v2-7c.orders", None, ("cart.v2-7c", "orders"))]
    #[case::copy_on_kubernetes("cart-7c-x9.kuma-system", Some("orders"), ("cart-7c-x9", "kuma-system"))]
    #[case::copy_on_universal("cart-7c-x9", Some("orders"), ("cart-7c-x9", ""))]
    #[case::nothing_before_the_dot(".orders", Some("orders"), (".orders", ""))]
    #[case::no_name_in_it("orders", Some("orders"), ("orders", ""))]
    fn names_of_kubernetes_have_a_namespace(
        #[case] name: &str,
        #[case] label: Option<&str>,
        #[case] expected: (&str, &str),
    ) {
        assert_eq!(split(name, label), expected);
    }

    #[rstest]
    #[case::env("web", &[(keys::ENVIRONMENT, "kubernetes")], true)]
    #[case::namespace("web.shop", &[(keys::HOME_NAMESPACE, "shop")], true)]
    #[case::display_name("web.shop", &[(keys::DISPLAY_NAME, "web")], true)]
    #[case::nothing_is_said("web.shop", &[], false)]
    #[case::universal("web", &[(keys::ENVIRONMENT, "universal"), (keys::DISPLAY_NAME, "web")], false)]
    #[case::copy_of_universal("web-q1.kuma-system", &[(keys::ENVIRONMENT, "universal"), (keys::HOME_NAMESPACE, "kuma-system")], false)]
    #[case::copy_in_universal("web-q1", &[(keys::DISPLAY_NAME, "web")], false)]
    #[case::empty("web", &[(keys::HOME_NAMESPACE, ""), (keys::DISPLAY_NAME, "")], false)]
    fn what_kumactl_prints_of_kubernetes(
        #[case] name: &str,
        #[case] labels: &[(&'static str, &'static str)],
        #[case] expected: bool,
    ) {
        let labels = labels.iter().copied().collect();
        assert_eq!(is_on_kubernetes(name, &labels), expected);
    }
}
