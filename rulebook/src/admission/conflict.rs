//! Finds what belongs to another mesh in a Namespace: a Dataplane, or else a Pod (A5 to A7, A10).

use super::{
    cluster::{Cluster, ClusterAnswer, DataplaneFacts, ListQuestion, MeshSelector},
    settings::Settings,
    witness::Step,
};
use crate::{
    keys,
    membership::{self, Mark, Membership},
    mesh,
    metadata::PodFacts,
};

/// Something in the Namespace that belongs to another mesh.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    /// What it is: `dataplanes` or `pods`.
    pub(super) what: &'static str,
    /// Its mesh. If there are several other meshes, it is the smallest name (A5).
    pub(super) mesh: String,
    /// Whether the same list had a Dataplane of the mesh that was searched for. It can have one
    /// without the label (A18).
    pub(super) found_own_mesh: bool,
}

/// A search for conflicts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'s> {
    /// The objects to look at.
    pub(super) question: ListQuestion<'s>,
    /// The mesh that is in conflict with every other one.
    pub(super) mesh: &'s str,
    /// The name of the Pod that is judged, which is in no conflict with itself (A10); empty if it
    /// has none.
    pub(super) own_name: &'s str,
    /// The name of a Dataplane that does not count (A7); empty if all of them count.
    pub(super) ignored_dataplane: &'s str,
}

/// What to look at for a search with this mesh. Each selector is a watch of its own on the policy
/// server, so a mesh that does not exist gets none: users can invent any number of names.
pub(super) fn selector(mesh: &str, exists: bool) -> MeshSelector<'_> {
    match exists {
        true => MeshSelector::NotOfMesh(mesh),
        false => MeshSelector::Any,
    }
}

/// Looks for a Dataplane of another mesh and, if there is none and the settings allow it, for a Pod
/// of another mesh.
pub(super) fn find<C: Cluster>(
    search: Search<'_>,
    settings: &Settings<'_>,
    cluster: &C,
) -> ClusterAnswer<Option<Conflict>> {
    let dataplanes = cluster.dataplanes(search.question)?;
    let mut found_own_mesh = false;
    let mut smallest: Option<&str> = None;
    for dataplane in &dataplanes {
        let mesh = mesh_of(dataplane);
        let is_ignored =
            !search.ignored_dataplane.is_empty() && *dataplane.name == *search.ignored_dataplane;
        if mesh == search.mesh {
            found_own_mesh = true;
        } else if is_ignored {
            cluster.step(Step::Predecessor);
        } else {
            smallest = Some(smallest.map_or(mesh, |other| other.min(mesh)));
        }
    }
    if let Some(mesh) = smallest {
        return Ok(Some(Conflict {
            what: "dataplanes",
            mesh: mesh.to_owned(),
            found_own_mesh,
        }));
    }
    cluster.step(Step::NoOtherDataplane);
    if !settings.consider_pods {
        cluster.step(Step::PodsNotConsidered);
        return Ok(None);
    }
    let own_name = search.own_name;
    let pods = cluster.pods(search.question)?;
    let other = pods
        .iter()
        .filter(|pod| own_name.is_empty() || *pod.name != *own_name)
        .filter_map(mesh_of_member)
        .filter(|mesh| *mesh != search.mesh)
        .min();
    cluster.step(match other {
        Some(_) => Step::OtherPod,
        None => Step::NoOtherPod,
    });
    Ok(other.map(|mesh| Conflict {
        what: "pods",
        mesh: mesh.to_owned(),
        found_own_mesh,
    }))
}

/// Whether the mesh that was searched for has a Dataplane or an unfinished Pod in the Namespace
/// (A18). A Pod with a hand-written sidecar does not show that: it can be there without having been
/// judged, since *strays* is not asked about containers (I4), and would open the Namespace to its mesh.
pub(super) fn has_member<C: Cluster>(
    search: Search<'_>,
    settings: &Settings<'_>,
    cluster: &C,
) -> ClusterAnswer<bool> {
    let mesh = search.mesh;
    let question = ListQuestion {
        selector: match search.question.selector {
            // The search has read all objects, and the name of its mesh must open no watch (A16).
            MeshSelector::Any => MeshSelector::Any,
            MeshSelector::NotOfMesh(_) | MeshSelector::OfMesh(_) => MeshSelector::OfMesh(mesh),
        },
        ..search.question
    };
    let dataplanes = cluster.dataplanes(question)?;
    if dataplanes
        .iter()
        .any(|dataplane| mesh_of(dataplane) == mesh)
    {
        return Ok(true);
    }
    if !settings.consider_pods {
        return Ok(false);
    }
    let pods = cluster.pods(question)?;
    Ok(pods
        .iter()
        .filter(|pod| !has_hand_written_sidecar(pod))
        .filter_map(mesh_of_member)
        .any(|member| member == mesh))
}

/// Whether a Pod has the sidecar and nothing for which Kuma makes a Dataplane. The injector adds an
/// annotation together with the sidecar.
fn has_hand_written_sidecar(pod: &PodFacts<'_>) -> bool {
    let is_proxy = Mark::Injected.is_on(pod) || Mark::BuiltinGateway.is_on(pod);
    pod.has_sidecar && !is_proxy
}

fn mesh_of(dataplane: &DataplaneFacts) -> &str {
    mesh::of_dataplane(dataplane.mesh.as_deref())
}

/// The mesh that a Pod names by its label, if the Pod is meshed and not finished (A10).
fn mesh_of_member<'p>(pod: &'p PodFacts<'_>) -> Option<&'p str> {
    if pod.finished || membership::of_pod(pod) != Membership::Meshed {
        return None;
    }
    pod.metadata.labels.get_non_empty(keys::MESH)
}
