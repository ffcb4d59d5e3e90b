//! What the rules on admission go by: membership, mesh and workload, as the report has them.

use kuma_workload_rulebook::{
    identifier::IdentifierSource,
    membership::{Mark, MembershipReason},
    mesh::{MeshSource, ResolvedMesh},
};

use super::walk::{Entry, Walk};
use crate::{manifest::DataplaneManifest, pod_source::PodSource, report::DataplaneReport};

/// The facts of a Pod or template.
pub(crate) fn of_pod(source: &PodSource<'_>) -> Walk {
    let (mesh, workload) = (source.mesh, source.workload);
    let stored = source.dataplane.and_then(DataplaneManifest::stored);
    let named = workload
        .map(|workload| Entry::Workload(rule(workload.source), workload.source.to_string()));
    let unnamed = mesh
        .filter(|_| workload.is_none())
        .map(|_| Entry::NoWorkload);
    let facts = [
        Some(Entry::Membership(source.reason)),
        mesh.map(|mesh| Entry::Mesh(mesh.source, is_pinned(source.reason, mesh))),
        named.or(unnamed),
        stored.map(|name| Entry::Stored(name.to_owned())),
    ];
    Walk {
        namespace: source.named.namespace().to_owned(),
        mesh: mesh.map_or("", |mesh| mesh.name).to_owned(),
        workload: workload.map_or("", |workload| workload.name).to_owned(),
        entries: facts.into_iter().flatten().collect(),
    }
}

/// The facts of a Dataplane whose Pod was not read.
pub(crate) fn of_dataplane(namespace: &str, dataplane: &DataplaneReport) -> Walk {
    let workload = match dataplane.workload.clone() {
        Some(name) => Entry::Stored(name),
        None => Entry::NoWorkload,
    };
    Walk {
        namespace: namespace.to_owned(),
        mesh: dataplane.mesh.clone(),
        workload: String::new(),
        entries: vec![Entry::IsDataplane, Entry::MeshOfDataplane, workload],
    }
}

/// The number of the rule by which something names a workload.
fn rule(source: IdentifierSource<'_>) -> &'static str {
    match source {
        IdentifierSource::Label(_) => "W1",
        IdentifierSource::ServiceAccount | IdentifierSource::DefaultServiceAccount => "W2",
        IdentifierSource::Annotation => "W7",
    }
}

/// Whether the injector has written the label of the mesh (M3).
fn is_pinned(reason: MembershipReason, mesh: ResolvedMesh<'_>) -> bool {
    reason == MembershipReason::Marked(Mark::Injected) && mesh.source == MeshSource::PodLabel
}
