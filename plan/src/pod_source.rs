//! Where Pods come from, and what the rules make of them: their mesh, membership and workload.

use std::collections::BTreeSet;

use kuma_workload_rulebook::{
    admission::{Settings, TemplateKind},
    identifier::{self, Identifier, PodAnnotation},
    membership::{self, MembershipReason},
    mesh::{self, ResolvedMesh},
    metadata::PodFacts,
};

use super::{
    controller::{self, Controller, LEVELS},
    finding::Member,
    inventory::Inventory,
    manifest::{DataplaneManifest, Marks, Named, Owner},
    read::Place,
};

/// A Pod that was read, or a template that Pods come from.
#[derive(Debug)]
pub(crate) struct PodSource<'a> {
    /// What it is called.
    pub named: &'a Named,
    /// The kind of the object that has the template; none of a Pod.
    pub template: Option<&'static TemplateKind>,
    /// What the rules read of the Pod or template.
    pub facts: &'a PodFacts<'static>,
    /// Where its telling labels and annotations stand.
    pub marks: Marks,
    /// What people change in order to change it.
    pub controller: Controller,
    /// Why it is in a mesh, or in none.
    pub reason: MembershipReason,
    /// Its mesh, if it is in one.
    pub mesh: Option<ResolvedMesh<'a>>,
    /// Its workload, if it has one.
    pub workload: Option<Identifier<'a>>,
    /// Its Dataplane, if that was read.
    pub dataplane: Option<&'a DataplaneManifest>,
    /// Whether its Dataplane is yet to be made.
    pub coming: bool,
    /// Whether no Pods come of it as it is: its template is scaled to zero, suspended or done.
    pub idle: bool,
}

/// How workloads are named.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naming<'s> {
    /// The settings, which have the workload labels and say whether annotations name meshes.
    pub settings: &'s Settings<'static>,
    /// What the annotation of Pods is worth (W7).
    pub pod_annotation: PodAnnotation,
}

impl<'s> Naming<'s> {
    /// The workload of a Pod.
    pub(crate) fn workload<'a>(&self, pod: &'a PodFacts<'static>) -> Option<Identifier<'a>>
    where
        's: 'a,
    {
        identifier::of_pod(pod, self.settings.workload_labels(), self.pod_annotation)
    }
}

impl PodSource<'_> {
    /// Its kind.
    pub(crate) fn kind(&self) -> &'static str {
        self.template.map_or("Pod", |kind| kind.name)
    }

    /// Whether it is in its mesh now or will be, and not only was.
    pub(crate) fn counts(&self) -> bool {
        self.mesh.is_some() && !self.facts.finished
    }

    /// What a finding in it is about, if that is found at this place.
    pub(crate) fn member(&self, place: Option<&Place>) -> Member {
        let is_itself = self.controller.object.kind == self.kind();
        let place = match is_itself {
            true => place,
            false => self.controller.place.as_ref(),
        };
        Member::new(self.controller.object.clone(), self.kind(), place.cloned())
    }
}

/// All Pods and templates that were read, in the order of their namespaces, kinds and names. A
/// template whose controller was read is left out, since the controller's template says the same.
pub(crate) fn all<'a>(inventory: &'a Inventory, naming: Naming<'a>) -> Vec<PodSource<'a>> {
    let counted = CountedElsewhere::of(inventory);
    let pods = inventory.pods.values().map(|pod| PodSource {
        named: &pod.named,
        template: None,
        facts: &pod.facts,
        marks: pod.marks,
        controller: controller::of_pod(pod, inventory),
        reason: MembershipReason::NothingInjects,
        mesh: None,
        workload: None,
        dataplane: pod
            .named
            .name
            .given()
            .and_then(|name| inventory.dataplane(pod.named.namespace(), name)),
        coming: true,
        idle: false,
    });
    let templates = inventory.templates.values();
    let templates = templates
        .filter(|template| !inventory.is_spoken_for(template))
        .map(|template| PodSource {
            named: &template.named,
            template: Some(template.kind),
            facts: &template.facts,
            marks: template.marks,
            controller: controller::of_template(template, inventory),
            reason: MembershipReason::NothingInjects,
            mesh: None,
            workload: None,
            dataplane: None,
            coming: !template.idle && !counted.has_pods_of(template.kind, &template.named),
            idle: template.idle,
        });
    let mut all: Vec<_> = pods.chain(templates).collect();
    for source in &mut all {
        let namespace = inventory.namespace_metadata(source.named.namespace());
        let annotations = naming.settings.mesh_annotations;
        source.reason = membership::reason(source.facts, namespace);
        if source.reason.is_meshed() {
            let mesh = mesh::of_pod(&source.facts.metadata, namespace, annotations);
            source.mesh = Some(mesh);
        }
        if source.mesh.is_some() || source.dataplane.is_some() {
            source.workload = naming.workload(source.facts);
        }
        source.coming &= source.counts() && source.dataplane.is_none();
    }
    all.sort_by(|one, other| {
        let order = |source: &PodSource<'a>| {
            let named = source.named;
            (&named.home, source.kind(), &named.name, &named.place)
        };
        order(one).cmp(&order(other))
    });
    all
}

/// Whose Pods are counted without their templates: those that were read, and those of namespaces
/// where Dataplanes tell which proxies there are.
struct CountedElsewhere<'a> {
    /// The controllers of Pods that were read: namespace, kind and name.
    controllers: BTreeSet<(&'a str, &'static str, &'a str)>,
    /// The namespaces with Dataplanes.
    namespaces: BTreeSet<&'a str>,
    /// Whether all Dataplanes that there are were read, as in a cluster.
    everywhere: bool,
}

impl<'a> CountedElsewhere<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let mut controllers = BTreeSet::new();
        for pod in inventory.pods.values() {
            let namespace = pod.named.namespace();
            let mut owner: Option<&Owner> = pod.owner.as_ref();
            for _ in 0..LEVELS {
                let Some((controller, kind)) =
                    owner.and_then(|owner| Some((owner, owner.template?)))
                else {
                    break;
                };
                controllers.insert((namespace, kind.name, &*controller.name));
                owner = inventory
                    .template(namespace, controller)
                    .and_then(|template| template.owner.as_ref());
            }
        }
        let dataplanes = inventory.dataplanes.values();
        Self {
            controllers,
            namespaces: dataplanes.map(|one| one.named.namespace()).collect(),
            everywhere: inventory.live && !inventory.unread.dataplanes,
        }
    }

    fn has_pods_of(&self, kind: &TemplateKind, named: &Named) -> bool {
        let namespace = named.namespace();
        let controller = (namespace, kind.name, named.name.as_str());
        self.everywhere
            || self.namespaces.contains(namespace)
            || self.controllers.contains(&controller)
    }
}
