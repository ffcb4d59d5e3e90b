//! Which other mesh has something in a Namespace: its Dataplanes, then its Pods (A5 to A7, A10).

use super::{
    Cluster, ClusterAnswer, DataplaneFacts, ListQuestion, MeshSelector, Settings, mesh_rule::Stop,
};
use crate::{
    keys,
    membership::{self, Membership},
    mesh,
    metadata::PodFacts,
};

/// Something of another mesh.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    /// What it is: `dataplanes` or `pods`.
    pub(super) what: &'static str,
    /// Its mesh; of several, the smallest name (A5).
    pub(super) mesh: String,
    /// Whether Dataplanes of the asked mesh, without a label, were met on the way (A18).
    pub(super) met_own_mesh: bool,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'s> {
    /// Where, for whom and by which selector.
    pub(super) question: ListQuestion<'s>,
    /// The mesh that others conflict with.
    pub(super) mesh: &'s str,
    /// The name of a Dataplane that does not count (A7); empty where all count.
    pub(super) passed_over: &'s str,
}

/// Looks for a Dataplane, then, if the settings say so, for a Pod of another mesh.
pub(super) fn find<C: Cluster>(
    search: Search<'_>,
    settings: &Settings<'_>,
    cluster: &C,
) -> Result<Option<Conflict>, Stop> {
    let dataplanes = cluster.dataplanes(search.question)?;
    let mut met_own_mesh = false;
    let mut smallest: Option<&str> = None;
    for dataplane in &dataplanes {
        let mesh = mesh_of(dataplane);
        if mesh == search.mesh {
            met_own_mesh = true;
        } else if search.passed_over.is_empty() || *dataplane.name != *search.passed_over {
            smallest = Some(smallest.map_or(mesh, |other| other.min(mesh)));
        }
    }
    if let Some(mesh) = smallest {
        return Ok(Some(Conflict {
            what: "dataplanes",
            mesh: mesh.to_owned(),
            met_own_mesh,
        }));
    }
    if !settings.consider_pods {
        return Ok(None);
    }
    let own_name = search.question.asking_for;
    let pods = cluster.pods(search.question)?;
    let other = pods
        .iter()
        .filter(|pod| own_name.is_empty() || *pod.name != *own_name)
        .filter_map(unfinished_member)
        .filter(|mesh| *mesh != search.mesh)
        .min();
    Ok(other.map(|mesh| Conflict {
        what: "pods",
        mesh: mesh.to_owned(),
        met_own_mesh,
    }))
}

/// Whether the mesh has a Dataplane, or an unfinished Pod, in the Namespace (A18).
pub(super) fn has_member<C: Cluster>(
    mesh: &str,
    question: ListQuestion<'_>,
    settings: &Settings<'_>,
    cluster: &C,
) -> ClusterAnswer<bool> {
    let question = ListQuestion {
        selector: MeshSelector::OfMesh(mesh),
        ..question
    };
    if cluster
        .dataplanes(question)?
        .iter()
        .any(|dataplane| mesh_of(dataplane) == mesh)
    {
        return Ok(true);
    }
    Ok(settings.consider_pods
        && cluster
            .pods(question)?
            .iter()
            .filter_map(unfinished_member)
            .any(|member| member == mesh))
}

fn mesh_of(dataplane: &DataplaneFacts) -> &str {
    mesh::of_dataplane(dataplane.mesh.as_deref())
}

/// The mesh that a Pod names by its label, if it is meshed and not finished (A10).
fn unfinished_member<'p>(pod: &'p PodFacts<'_>) -> Option<&'p str> {
    if pod.finished || membership::of_pod(pod) != Membership::Meshed {
        return None;
    }
    pod.metadata.labels.get_non_empty(keys::MESH)
}
