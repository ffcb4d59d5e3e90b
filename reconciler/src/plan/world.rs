//! What was read, as the cluster that admission asks: everything but the object that is judged.

use std::collections::{BTreeMap, HashMap};

use kuma_workload_rulebook::{
    admission::{Answer, Cluster, Dataplane, Failure, Freshness, Question, Which},
    keys,
    metadata::{Metadata, Pod, Text},
};

use super::{inventory::Inventory, subject::Subject};

/// What was read, by namespace and mesh. Of each mesh's Pods and Dataplanes two are kept: one may be
/// the one that is judged or have its name, and of the others the rules ask only whether there are
/// any.
pub struct World<'a> {
    inventory: &'a Inventory,
    namespaces: HashMap<&'a str, Members<'a>>,
}

#[derive(Default)]
struct Members<'a> {
    /// By the label, then by the field.
    dataplanes: BTreeMap<(Option<&'a str>, Option<&'a str>), Vec<&'a str>>,
    /// By mesh: the number of the subject, and its name.
    pods: BTreeMap<&'a str, Vec<(usize, &'a str)>>,
}

const KEPT: usize = 2;

impl<'a> World<'a> {
    /// The world of these subjects, which are known by their numbers from then on.
    pub fn new(inventory: &'a Inventory, subjects: &[Subject<'a>]) -> Self {
        let mut namespaces = HashMap::<_, Members<'_>>::new();
        for dataplane in inventory.dataplanes.values() {
            let members = namespaces.entry(&*dataplane.named.namespace).or_default();
            let label = dataplane.metadata.labels.get(keys::MESH);
            let same = members
                .dataplanes
                .entry((label, dataplane.mesh.as_deref()))
                .or_default();
            if same.len() < KEPT {
                same.push(&*dataplane.named.name);
            }
        }
        for (number, subject) in subjects.iter().enumerate() {
            let there = subject.template.is_none() || subject.coming;
            let Some(mesh) = subject.mesh.filter(|_| there && subject.counts()) else {
                continue;
            };
            let members = namespaces.entry(&*subject.named.namespace).or_default();
            let same = members.pods.entry(mesh.name).or_default();
            if same.len() < KEPT {
                let name = match subject.template {
                    Some(_) => "",
                    None => &*subject.facts.name,
                };
                same.push((number, name));
            }
        }
        Self {
            inventory,
            namespaces,
        }
    }

    /// The world as it is before this subject comes.
    pub fn without(&self, subject: usize) -> Before<'_, 'a> {
        Before {
            world: self,
            subject,
        }
    }
}

/// The world as it is before a subject comes.
#[derive(Clone, Copy)]
pub struct Before<'w, 'a> {
    world: &'w World<'a>,
    subject: usize,
}

impl Cluster for Before<'_, '_> {
    fn namespace(&self, name: &str, _: Freshness) -> Answer<Metadata<'static>> {
        Ok(self.world.inventory.namespace_metadata(name).clone())
    }

    fn mesh_exists(&self, name: &str) -> Answer<bool> {
        if self.world.inventory.unread.without_kuma {
            return Err(Failure::KumaNotInstalled);
        }
        Ok(self.world.inventory.has_mesh(name))
    }

    fn dataplanes(&self, question: Question<'_>) -> Answer<Vec<Dataplane>> {
        let members = self.world.namespaces.get(question.namespace);
        let kinds = members.into_iter().flat_map(|members| &members.dataplanes);
        let selected = kinds.filter(|((label, _), _)| match question.which {
            Which::Any => true,
            Which::NotOfMesh(mesh) => *label != Some(mesh),
            Which::OfMesh(mesh) => *label == Some(mesh),
        });
        let text = |text: &str| Text(text.to_owned().into());
        Ok(selected
            .flat_map(|((_, field), names)| {
                names.iter().map(move |name| Dataplane {
                    name: text(name),
                    mesh: field.map(text),
                })
            })
            .collect())
    }

    /// With the label that the injector pins on them (M3).
    fn pods(&self, question: Question<'_>) -> Answer<Vec<Pod<'static>>> {
        let members = self.world.namespaces.get(question.namespace);
        let meshes = members.into_iter().flat_map(|members| &members.pods);
        let selected = meshes.filter(|(found, _)| match question.which {
            Which::Any => true,
            Which::NotOfMesh(mesh) => **found != mesh,
            Which::OfMesh(mesh) => **found == mesh,
        });
        Ok(selected
            .flat_map(|(mesh, pods)| {
                let others = pods.iter().filter(|(number, _)| *number != self.subject);
                others.map(move |(_, name)| Pod {
                    name: Text((*name).to_owned().into()),
                    metadata: Metadata {
                        labels: [(Text::from(keys::MESH), Text((*mesh).to_owned().into()))]
                            .into_iter()
                            .collect(),
                        ..Metadata::default()
                    },
                    ..Pod::default()
                })
            })
            .collect())
    }
}
