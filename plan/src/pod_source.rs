//! Pods and Pod templates, and what the rules make of each: mesh, membership, workload.

use std::collections::BTreeSet;

use kuma_workload_rulebook::{
    admission::{Settings, TemplateKind},
    identifier::{self, Identifier, PodAnnotation},
    membership::{self, MembershipReason},
    mesh::{self, ResolvedMesh},
    metadata::PodFacts,
};

use super::{
    inventory::Inventory,
    manifest::{DataplaneManifest, Marks, Named, Owner},
};

/// A Pod, or the Pods of a template.
#[derive(Debug)]
pub(crate) struct PodSource<'a> {
    /// What it is called.
    pub named: &'a Named,
    /// The kind, if it is a template.
    pub template: Option<&'static TemplateKind>,
    /// What the rules read of it.
    pub facts: &'a PodFacts<'static>,
    /// Where its telling labels and annotations stand.
    pub marks: Marks,
    /// Why it is in a mesh, or in none.
    pub reason: MembershipReason,
    /// Its mesh, if it is in one.
    pub mesh: Option<ResolvedMesh<'a>>,
    /// Its workload, if it has one.
    pub workload: Option<Identifier<'a>>,
    /// Its Dataplane.
    pub dataplane: Option<&'a DataplaneManifest>,
    /// Whether its Dataplane is to come.
    pub coming: bool,
    /// Whether no Pods come of it as it is.
    pub idle: bool,
}

/// How workloads are named.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naming<'s> {
    /// The settings that have the workload labels, and whether annotations name meshes.
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
}

/// All Pods and templates of what was read, in the order of their namespaces, kinds and names. A
/// template whose controller was read is left out: that one says the same.
pub(crate) fn all<'a>(inventory: &'a Inventory, naming: Naming<'a>) -> Vec<PodSource<'a>> {
    let makers = Makers::of(inventory);
    let pods = inventory.pods.values().map(|pod| PodSource {
        named: &pod.named,
        template: None,
        facts: &pod.facts,
        marks: pod.marks,
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
            reason: MembershipReason::NothingInjects,
            mesh: None,
            workload: None,
            dataplane: None,
            coming: !template.idle && makers.stands_for_pods(template.kind, &template.named),
            idle: template.idle,
        });
    let mut all: Vec<_> = pods.chain(templates).collect();
    for pod_source in &mut all {
        let namespace = inventory.namespace_metadata(pod_source.named.namespace());
        let annotations = naming.settings.mesh_annotations;
        pod_source.reason = membership::reason(pod_source.facts, namespace);
        if pod_source.reason.is_meshed() {
            let own = mesh::named_by_pod(&pod_source.facts.metadata, annotations);
            pod_source.mesh =
                Some(own.unwrap_or_else(|| mesh::of_namespace(namespace, annotations)));
        }
        if pod_source.mesh.is_some() || pod_source.dataplane.is_some() {
            pod_source.workload = naming.workload(pod_source.facts);
        }
        pod_source.coming &= pod_source.counts() && pod_source.dataplane.is_none();
    }
    let order = |pod_source: &PodSource<'_>| {
        let Named { home, name, place } = pod_source.named;
        (home.clone(), pod_source.kind(), name.clone(), place.clone())
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
            let namespace = pod.named.namespace();
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
            decided: dataplanes.map(|one| one.named.namespace()).collect(),
            // A cluster's Dataplanes are all that there are.
            all_decided: inventory.live && !inventory.unread.dataplanes,
        }
    }

    fn stands_for_pods(&self, kind: &TemplateKind, named: &Named) -> bool {
        let namespace = named.namespace();
        let key = (namespace, kind.name, named.name.as_str());
        !self.all_decided && !self.decided.contains(namespace) && !self.made.contains(&key)
    }
}
