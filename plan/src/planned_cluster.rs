//! What was read, as the cluster that admission asks: everything but the object that is judged.

use std::collections::{BTreeMap, HashMap};

use kuma_workload_rulebook::{
    admission::{Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, Freshness, ListQuestion},
    keys,
    metadata::{Metadata, PodFacts, Text},
};

use super::{inventory::Inventory, pod_source::PodSource};

/// What was read, by namespace and mesh. Of each mesh's Pods and Dataplanes two are kept: one may be
/// the one that is judged or have its name, and of the others the rules ask only whether there are
/// any.
pub(crate) struct PlannedCluster<'a> {
    inventory: &'a Inventory,
    namespaces: HashMap<&'a str, Members<'a>>,
}

#[derive(Default)]
struct Members<'a> {
    /// By the label, then by the field.
    dataplanes: BTreeMap<(Option<&'a str>, Option<&'a str>), Vec<&'a str>>,
    /// By mesh: the number of the Pod or template, and its name.
    pods: BTreeMap<&'a str, Vec<(usize, &'a str)>>,
}

const KEPT: usize = 2;

impl<'a> PlannedCluster<'a> {
    /// The cluster with these Pods and templates, which are known by their numbers from then on.
    pub(crate) fn new(inventory: &'a Inventory, pod_sources: &[PodSource<'a>]) -> Self {
        let mut namespaces = HashMap::<_, Members<'_>>::new();
        for dataplane in inventory.dataplanes.values() {
            let members = namespaces.entry(dataplane.named.namespace()).or_default();
            let label = dataplane.metadata.labels.get(keys::MESH);
            let same = members
                .dataplanes
                .entry((label, dataplane.mesh.as_deref()))
                .or_default();
            if same.len() < KEPT {
                same.push(dataplane.named.name.as_str());
            }
        }
        for (number, pod_source) in pod_sources.iter().enumerate() {
            let there = pod_source.template.is_none() || pod_source.coming;
            let Some(mesh) = pod_source.mesh.filter(|_| there && pod_source.counts()) else {
                continue;
            };
            let members = namespaces.entry(pod_source.named.namespace()).or_default();
            let same = members.pods.entry(mesh.name).or_default();
            if same.len() < KEPT {
                let name = match pod_source.template {
                    Some(_) => "",
                    None => &*pod_source.facts.name,
                };
                same.push((number, name));
            }
        }
        Self {
            inventory,
            namespaces,
        }
    }

    /// The cluster as it is before this Pod or template comes.
    pub(crate) fn without(&self, pod_source: usize) -> ClusterBefore<'_, 'a> {
        ClusterBefore {
            cluster: self,
            pod_source,
        }
    }
}

/// The cluster as it is before a Pod or template comes.
#[derive(Clone, Copy)]
pub(crate) struct ClusterBefore<'w, 'a> {
    cluster: &'w PlannedCluster<'a>,
    pod_source: usize,
}

impl Cluster for ClusterBefore<'_, '_> {
    fn namespace(&self, name: &str, _: Freshness) -> ClusterAnswer<Metadata<'static>> {
        Ok(self.cluster.inventory.namespace_metadata(name).clone())
    }

    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool> {
        if self.cluster.inventory.unread.without_kuma {
            return Err(ClusterFailure::KumaNotInstalled);
        }
        Ok(self.cluster.inventory.has_mesh(name))
    }

    fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>> {
        let members = self.cluster.namespaces.get(question.namespace);
        let kinds = members.into_iter().flat_map(|members| &members.dataplanes);
        let selected = kinds.filter(|((label, _), _)| question.selector.selects(*label));
        let text = |text: &str| Text(text.to_owned().into());
        Ok(selected
            .flat_map(|((_, field), names)| {
                names.iter().map(move |name| DataplaneFacts {
                    name: text(name),
                    mesh: field.map(text),
                })
            })
            .collect())
    }

    /// With the label that the injector pins on them (M3).
    fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>> {
        let members = self.cluster.namespaces.get(question.namespace);
        let meshes = members.into_iter().flat_map(|members| &members.pods);
        let selected = meshes.filter(|(mesh, _)| question.selector.selects(Some(mesh)));
        Ok(selected
            .flat_map(|(mesh, pods)| {
                let others = pods.iter().filter(|(number, _)| *number != self.pod_source);
                others.map(move |(_, name)| PodFacts {
                    name: Text((*name).to_owned().into()),
                    metadata: Metadata {
                        labels: [(Text::from(keys::MESH), Text((*mesh).to_owned().into()))]
                            .into_iter()
                            .collect(),
                        ..Metadata::default()
                    },
                    ..PodFacts::default()
                })
            })
            .collect())
    }
}
