//! What was read, as the cluster that admission asks: everything but the object that is judged.

use std::collections::{BTreeMap, HashMap};

use kuma_workload_rulebook::{
    admission::{
        Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, ListQuestion, MeshSelector,
        Objection, Step, Witness,
    },
    keys, mesh,
    metadata::{Metadata, PodFacts, Text},
};

use super::{inventory::Inventory, pod_source::PodSource, why::Trail};

/// What was read, by namespace and mesh. The rules ask which other mesh has something in a namespace,
/// of several the first by name, and whether the own mesh has; so a few of each mesh are kept, and
/// an answer has a few meshes. A namespace of ten thousand Pods is then no dearer than one of ten.
pub(crate) struct PlannedCluster<'a> {
    inventory: &'a Inventory,
    namespaces: HashMap<&'a str, Members<'a>>,
    /// By number: the mesh of each Pod or template.
    meshes: Vec<Option<&'a str>>,
}

/// Of each mesh so many are kept: one of them may be the object that is judged, or have its name.
const KEPT_OF_A_MESH: usize = 2;
/// An answer has so many other meshes: the only one in the first may not count.
const OTHER_MESHES: usize = 2;

#[derive(Default)]
struct Members<'a> {
    dataplanes: BTreeMap<&'a str, Dataplanes<'a>>,
    /// By mesh: the number of the Pod or template, and its name.
    pods: BTreeMap<&'a str, Vec<(usize, &'a str)>>,
}

/// The names of a mesh's Dataplanes.
#[derive(Default)]
struct Dataplanes<'a> {
    /// Of those whose label names their mesh.
    labelled: Vec<&'a str>,
    /// Of the others, by their label: one label may be the one that a question leaves out.
    labelled_otherwise: BTreeMap<Option<&'a str>, Vec<&'a str>>,
}

impl<'a> PlannedCluster<'a> {
    /// The cluster with these Pods and templates, which are known by their numbers from then on.
    pub(crate) fn new(inventory: &'a Inventory, sources: &[PodSource<'a>]) -> Self {
        let mut namespaces = HashMap::<_, Members<'_>>::new();
        for dataplane in inventory.dataplanes.values() {
            let members = namespaces.entry(dataplane.named.namespace()).or_default();
            let mesh = mesh::of_dataplane(dataplane.mesh.as_deref());
            let label = dataplane.metadata.labels.get(keys::MESH);
            let of_mesh = members.dataplanes.entry(mesh).or_default();
            of_mesh.add(mesh, label, dataplane.named.name.as_str());
        }
        for (number, source) in sources.iter().enumerate() {
            let there = source.template.is_none() || source.coming;
            let Some(mesh) = source.mesh.filter(|_| there && source.counts()) else {
                continue;
            };
            let members = namespaces.entry(source.named.namespace()).or_default();
            let of_mesh = members.pods.entry(mesh.name).or_default();
            if of_mesh.len() < KEPT_OF_A_MESH {
                let name = match source.template {
                    Some(_) => "",
                    None => &*source.facts.name,
                };
                of_mesh.push((number, name));
            }
        }
        Self {
            inventory,
            namespaces,
            meshes: sources
                .iter()
                .map(|source| source.mesh.map(|mesh| mesh.name))
                .collect(),
        }
    }

    /// The cluster as it is before this Pod or template comes.
    pub(crate) fn without(&self, source: usize) -> ClusterBefore<'_, 'a> {
        ClusterBefore {
            cluster: self,
            source,
            mesh: self.meshes.get(source).copied().flatten(),
            trail: None,
        }
    }
}

impl<'a> Dataplanes<'a> {
    fn add(&mut self, mesh: &str, label: Option<&'a str>, name: &'a str) {
        let labels = self.labelled_otherwise.len();
        let same = if label == Some(mesh) {
            &mut self.labelled
        } else if labels <= KEPT_OF_A_MESH || self.labelled_otherwise.contains_key(&label) {
            self.labelled_otherwise.entry(label).or_default()
        } else {
            return;
        };
        if same.len() < KEPT_OF_A_MESH {
            same.push(name);
        }
    }

    /// Those that a question is about, where the mesh is this one.
    fn selected(&self, mesh: &str, selector: MeshSelector<'_>) -> impl Iterator<Item = &'a str> {
        let labelled = self
            .labelled
            .iter()
            .filter(move |_| selector.selects(Some(mesh)));
        let others = self.labelled_otherwise.iter();
        let others = others.filter(move |(label, _)| selector.selects(**label));
        let names: Vec<_> = labelled
            .chain(others.flat_map(|(_, names)| names))
            .copied()
            .collect();
        names.into_iter()
    }
}

/// The answer of the mesh that a question names, else of the own mesh, and, unless it asks for that
/// one only, of the first other meshes that have something to answer.
fn few<'m, T, A>(
    meshes: &'m BTreeMap<&str, T>,
    (own, selector): (Option<&str>, MeshSelector<'_>),
    answer: impl Fn(&'m str, &'m T) -> Vec<A>,
) -> Vec<A> {
    let (own, others) = match selector {
        MeshSelector::Any => (own, OTHER_MESHES),
        MeshSelector::NotOfMesh(mesh) => (Some(mesh), OTHER_MESHES),
        MeshSelector::OfMesh(mesh) => (Some(mesh), 0),
    };
    let of_own = own.and_then(|mesh| meshes.get_key_value(mesh));
    let of_own = of_own.map(|(mesh, members)| answer(mesh, members));
    let of_others = meshes
        .iter()
        .filter(|(mesh, _)| own != Some(**mesh))
        .map(|(mesh, members)| answer(mesh, members))
        .filter(|answer| !answer.is_empty())
        .take(others);
    of_own.into_iter().chain(of_others).flatten().collect()
}

/// The cluster as it is before a Pod or template comes.
#[derive(Clone, Copy)]
pub(crate) struct ClusterBefore<'w, 'a> {
    cluster: &'w PlannedCluster<'a>,
    /// The number of that Pod or template.
    source: usize,
    /// Its mesh.
    mesh: Option<&'a str>,
    /// Who is told the steps of its judgement.
    trail: Option<&'w Trail>,
}

impl<'w> ClusterBefore<'w, '_> {
    /// The same, and what is judged is told to this trail.
    pub(crate) fn witnessed(self, trail: Option<&'w Trail>) -> Self {
        Self { trail, ..self }
    }
}

fn text(text: &str) -> Text<'static> {
    Text(text.to_owned().into())
}

impl Witness for ClusterBefore<'_, '_> {
    fn step(&self, step: Step) {
        if let Some(trail) = self.trail {
            trail.step(step);
        }
    }

    fn objects(&self, objection: &Objection, rejects: bool) {
        if let Some(trail) = self.trail {
            trail.objects(objection, rejects);
        }
    }
}

impl Cluster for ClusterBefore<'_, '_> {
    fn namespace(&self, name: &str) -> ClusterAnswer<Metadata<'static>> {
        Ok(self.cluster.inventory.namespace_metadata(name).clone())
    }

    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool> {
        if self.cluster.inventory.unread.without_kuma {
            return Err(ClusterFailure::KumaNotInstalled);
        }
        Ok(self.cluster.inventory.has_mesh(name))
    }

    fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>> {
        let Some(members) = self.cluster.namespaces.get(question.namespace) else {
            return Ok(Vec::new());
        };
        Ok(few(
            &members.dataplanes,
            (self.mesh, question.selector),
            |mesh, dataplanes| {
                let names = dataplanes.selected(mesh, question.selector);
                names
                    .map(|name| DataplaneFacts {
                        name: text(name),
                        mesh: Some(text(mesh)),
                    })
                    .collect()
            },
        ))
    }

    /// With the label that the injector pins on them (M3).
    fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>> {
        let Some(members) = self.cluster.namespaces.get(question.namespace) else {
            return Ok(Vec::new());
        };
        let asked = (self.mesh, question.selector);
        Ok(few(&members.pods, asked, |mesh, pods| {
            let is_selected = question.selector.selects(Some(mesh));
            let others = pods
                .iter()
                .filter(|(number, _)| is_selected && *number != self.source);
            others
                .map(|(_, name)| PodFacts {
                    name: text(name),
                    metadata: Metadata {
                        labels: [(Text::from(keys::MESH), text(mesh))].into_iter().collect(),
                        ..Metadata::default()
                    },
                    ..PodFacts::default()
                })
                .collect()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Document, Found, Options,
        pod_source::{self, Naming},
    };
    use kuma_workload_rulebook::{
        admission::{self, Operation, Request, RequestObject, Settings, SettingsValue},
        identifier::PodAnnotation,
    };
    use proptest::{collection::vec, option, prelude::*, sample::select};
    use std::fmt::Write as _;

    /// All that was read, whatever the question needs.
    struct Everything<'w, 'a> {
        inventory: &'w Inventory,
        sources: &'w [PodSource<'a>],
        without: usize,
    }

    impl Witness for Everything<'_, '_> {}

    impl Cluster for Everything<'_, '_> {
        fn namespace(&self, name: &str) -> ClusterAnswer<Metadata<'static>> {
            Ok(self.inventory.namespace_metadata(name).clone())
        }

        fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool> {
            Ok(self.inventory.has_mesh(name))
        }

        fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>> {
            let all = self.inventory.dataplanes.values();
            let selected = all.filter(|dataplane| {
                let label = dataplane.metadata.labels.get(keys::MESH);
                question.selector.selects(label)
            });
            Ok(selected
                .map(|dataplane| DataplaneFacts {
                    name: text(dataplane.named.name.as_str()),
                    mesh: dataplane.mesh.as_deref().map(text),
                })
                .collect())
        }

        fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>> {
            let all = self.sources.iter().enumerate();
            let all = all.filter(|(number, source)| *number != self.without && source.counts());
            Ok(all
                .filter(|(_, source)| question.selector.selects(source.mesh.map(|mesh| mesh.name)))
                .map(|(_, source)| {
                    let mesh = source.mesh.map(|mesh| mesh.name).unwrap_or_default();
                    PodFacts {
                        name: source.facts.name.clone(),
                        metadata: Metadata {
                            labels: [(Text::from(keys::MESH), text(mesh))].into_iter().collect(),
                            ..Metadata::default()
                        },
                        ..PodFacts::default()
                    }
                })
                .collect())
        }
    }

    const MESHES: [&str; 4] = ["default", "a", "b", "c"];

    proptest! {
        /// Few are kept of each mesh, and few are answered: the verdict is that of all. Mesh `c` does
        /// not exist, and zone proxies may come before it.
        #[test]
        fn a5_a7_a10_a16_a18_the_verdict_is_that_of_the_whole_cluster(
            pods in vec((select(&MESHES[..]), any::<bool>()), 1..6),
            dataplanes in vec(
                (0..8_usize, select(&MESHES[..]), option::of(select(&MESHES[..]))), 0..8,
            ),
            already_split in select(&["warn", "deny"][..]),
        ) {
            let mut yaml = String::new();
            for mesh in &MESHES[..3] {
                let _ = write!(yaml, "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {{name: {mesh}}}\n---\n");
            }
            for (number, (mesh, is_zone_proxy)) in pods.iter().enumerate() {
                let proxy = if *is_zone_proxy { "ingress" } else { "''" };
                let _ = write!(yaml, "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}, namespace: team, \
                    labels: {{kuma.io/mesh: {mesh}, k8s.kuma.io/zone-proxy-type: {proxy}}}}}\n---\n");
            }
            for (number, mesh, label) in &dataplanes {
                let label = label.map_or_else(String::new, |label| format!("kuma.io/mesh: {label}"));
                let _ = write!(yaml, "apiVersion: kuma.io/v1alpha1\nkind: Dataplane\nmesh: {mesh}\n\
                    metadata: {{name: p{number}, namespace: team, labels: {{{label}}}}}\n---\n");
            }
            let document = Document { name: "a.yml".into(), bytes: yaml.as_bytes().into() };
            let options = Options::default();
            let mut inventory = Inventory::default();
            inventory.take(Found::in_document(&document, &options), &options);
            let settings = Settings::read(SettingsValue::Map(vec![
                (text("disallowMultipleMeshesPerNamespace"), SettingsValue::Bool(true)),
                (text("alreadySplit"), SettingsValue::Text(text(already_split))),
            ])).unwrap();
            let naming = Naming { settings: &settings, pod_annotation: PodAnnotation::Ignore };
            let sources = pod_source::all(&inventory, naming);
            let cluster = PlannedCluster::new(&inventory, &sources);
            for (number, source) in sources.iter().enumerate() {
                let request = Request {
                    operation: Operation::Create,
                    namespace: text("team"),
                    user: None,
                    unchanged: false,
                    object: RequestObject::Pod {
                        new: source.facts.clone(),
                        old: None,
                        keeps_containers: false,
                    },
                };
                let everything = Everything { inventory: &inventory, sources: &sources, without: number };
                prop_assert_eq!(
                    admission::judge(&request, &settings, &cluster.without(number)),
                    admission::judge(&request, &settings, &everything),
                    "{}", yaml
                );
            }
        }
    }
}
