//! Pods and Pod templates, and what the rules make of each: mesh, membership, workload.

use std::{collections::BTreeSet, fmt};

use kuma_workload_rulebook::{
    admission::{Settings, TemplateKind},
    identifier, keys,
    membership::{self, Reason},
    mesh::{self, Mesh},
    metadata,
};

use super::{
    inventory::Inventory,
    object::{Dataplane, Marks, Named, Owner},
};

/// A Pod, or the Pods of a template.
#[derive(Debug)]
pub struct Subject<'a> {
    /// What it is called.
    pub named: &'a Named,
    /// The kind, if it is a template.
    pub template: Option<TemplateKind>,
    /// What the rules read of it.
    pub facts: &'a metadata::Pod<'static>,
    /// Where its telling labels and annotations stand.
    pub marks: Marks,
    /// Why it is in a mesh, or in none.
    pub reason: Reason,
    /// Its mesh, if it is in one.
    pub mesh: Option<Mesh<'a>>,
    /// Its workload, if it has one.
    pub workload: Option<Workload<'a>>,
    /// Its Dataplane.
    pub dataplane: Option<&'a Dataplane>,
    /// Whether its Dataplane is to come.
    pub coming: bool,
}

/// A workload's name and where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload<'a> {
    /// The name.
    pub name: &'a str,
    /// Where it was found.
    pub source: Source<'a>,
}

/// Where a workload's name was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// Where Kuma looks (W1, W2).
    Kuma(identifier::Source<'a>),
    /// In the annotation that the Kong page speaks of (W7).
    Annotation,
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kuma(source) => source.fmt(f),
            Self::Annotation => write!(f, "annotation {}", keys::WORKLOAD),
        }
    }
}

/// How workloads are named.
#[derive(Debug, Clone, Copy)]
pub struct Naming<'s> {
    /// The settings that have the workload labels, and whether annotations name meshes.
    pub settings: &'s Settings<'static>,
    /// Whether the annotation of Pods is honoured (W7).
    pub honor_annotation: bool,
}

impl<'s> Naming<'s> {
    /// The workload of a Pod (W1, W2, W7).
    pub fn workload<'a>(&self, pod: &'a metadata::Pod<'static>) -> Option<Workload<'a>>
    where
        's: 'a,
    {
        let found = identifier::of_pod(pod, self.settings.workload_labels())?;
        let annotation = pod.metadata.annotations.get_non_empty(keys::WORKLOAD);
        Some(match annotation.filter(|_| self.honor_annotation) {
            Some(name) => Workload {
                name,
                source: Source::Annotation,
            },
            None => Workload {
                name: found.name,
                source: Source::Kuma(found.source),
            },
        })
    }
}

impl Subject<'_> {
    /// Its kind.
    pub fn kind(&self) -> &'static str {
        self.template.map_or("Pod", TemplateKind::name)
    }

    /// Whether it is in its mesh now or will be, and not only was.
    pub fn counts(&self) -> bool {
        self.mesh.is_some() && !self.facts.finished
    }
}

/// All Pods and templates of what was read, in the order of their namespaces, kinds and names. A
/// template whose controller was read is left out: that one says the same.
pub fn all<'a>(inventory: &'a Inventory, naming: Naming<'a>) -> Vec<Subject<'a>> {
    let makers = Makers::of(inventory);
    let pods = inventory.pods.values().map(|pod| Subject {
        named: &pod.named,
        template: None,
        facts: &pod.facts,
        marks: pod.marks,
        reason: Reason::NothingInjects,
        mesh: None,
        workload: None,
        dataplane: inventory.dataplane(&pod.named.namespace, &pod.named.name),
        coming: true,
    });
    let templates = inventory.templates.values();
    let templates = templates
        .filter(|template| !inventory.is_spoken_for(template))
        .map(|template| Subject {
            named: &template.named,
            template: Some(template.kind),
            facts: &template.facts,
            marks: template.marks,
            reason: Reason::NothingInjects,
            mesh: None,
            workload: None,
            dataplane: None,
            coming: !template.idle && makers.stands_for_pods(template.kind, &template.named),
        });
    let mut all: Vec<_> = pods.chain(templates).collect();
    for subject in &mut all {
        let namespace = inventory.namespace_metadata(&subject.named.namespace);
        let annotations = naming.settings.mesh_annotations;
        subject.reason = membership::reason(subject.facts, namespace);
        if subject.reason.is_meshed() {
            let own = mesh::named_by_pod(&subject.facts.metadata, annotations);
            subject.mesh = Some(own.unwrap_or_else(|| mesh::of_namespace(namespace, annotations)));
        }
        if subject.mesh.is_some() || subject.dataplane.is_some() {
            subject.workload = naming.workload(subject.facts);
        }
        subject.coming &= subject.counts() && subject.dataplane.is_none();
    }
    let order = |subject: &Subject<'_>| {
        let Named {
            namespace,
            name,
            place,
        } = subject.named;
        (
            namespace.clone(),
            subject.kind(),
            name.clone(),
            place.clone(),
        )
    };
    all.sort_by_cached_key(order);
    all
}

/// Which templates have made Pods, or live where Dataplanes tell what is there.
struct Makers<'a> {
    made: BTreeSet<(&'a str, &'static str, &'a str)>,
    decided: BTreeSet<&'a str>,
    all_decided: bool,
}

impl<'a> Makers<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let mut made = BTreeSet::new();
        for pod in inventory.pods.values() {
            let namespace = &*pod.named.namespace;
            let mut owner: Option<&Owner> = pod.owner.as_ref();
            // Pod, ReplicaSet, Deployment; nothing of the seven kinds is owned deeper.
            for _ in 0..3 {
                let Some(Owner { kind, name }) = owner else {
                    break;
                };
                made.insert((namespace, *kind, &**name));
                owner = owner
                    .and_then(|owner| inventory.template(namespace, owner))
                    .and_then(|template| template.owner.as_ref());
            }
        }
        let dataplanes = inventory.dataplanes.values();
        Self {
            made,
            decided: dataplanes.map(|one| &*one.named.namespace).collect(),
            // A cluster's Dataplanes are all that there are.
            all_decided: inventory.live && !inventory.unread.dataplanes,
        }
    }

    fn stands_for_pods(&self, kind: TemplateKind, named: &Named) -> bool {
        let Named {
            namespace, name, ..
        } = named;
        !self.all_decided
            && !self.decided.contains(&**namespace)
            && !self.made.contains(&(&**namespace, kind.name(), &**name))
    }
}
