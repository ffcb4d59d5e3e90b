//! The meshes of each Namespace, and what would have to move (T2, T3).

use std::collections::{BTreeMap, BTreeSet};

use kuma_workload_rulebook::{
    admission::Settings,
    keys, membership,
    mesh::{self, MeshSource, ResolvedMesh},
    quoted::Quoted,
};

use super::{
    finding::{Code, Finding},
    inventory::Inventory,
    pod_source::PodSource,
    read::Place,
    report::{MeshCount, Move, NamespaceReport, Sourced},
};

#[derive(Default)]
struct Members {
    meshes: BTreeMap<String, MeshCount>,
    members: BTreeSet<Move>,
    first: Option<Place>,
}

impl Members {
    fn count(&mut self, mesh: &str) -> &mut MeshCount {
        let new = || MeshCount {
            mesh: mesh.to_owned(),
            pods: 0,
            dataplanes: 0,
            templates: 0,
        };
        self.meshes.entry(mesh.to_owned()).or_insert_with(new)
    }

    fn join(&mut self, kind: &str, name: &str, mesh: &str, place: Option<&Place>) {
        self.members.insert(Move {
            kind: kind.to_owned(),
            name: name.to_owned(),
            mesh: mesh.to_owned(),
        });
        if let Some(place) = place
            && self.first.as_ref().is_none_or(|first| place < first)
        {
            self.first = Some(place.clone());
        }
    }
}

/// The Namespaces that have something in a mesh, or declare one.
pub(crate) fn plan(
    inventory: &Inventory,
    pod_sources: &[PodSource<'_>],
    settings: &Settings<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<NamespaceReport> {
    let mut all = BTreeMap::<&str, Members>::new();
    for dataplane in inventory.dataplanes.values().filter(|one| one.is_local()) {
        let members = all.entry(dataplane.named.namespace()).or_default();
        let mesh = mesh::of_dataplane(dataplane.mesh.as_deref());
        members.count(mesh).dataplanes += 1;
        let (name, place) = (dataplane.named.name.as_str(), &dataplane.named.place);
        // A Dataplane has its Pod's name, and it is the Pod that moves.
        members.join("Pod", name, mesh, place.as_ref());
    }
    for pod_source in pod_sources.iter().filter(|pod_source| pod_source.counts()) {
        let Some(mesh) = pod_source.mesh else {
            continue;
        };
        let members = all.entry(pod_source.named.namespace()).or_default();
        match pod_source.template {
            None => members.count(mesh.name).pods += 1,
            Some(_) if pod_source.coming => members.count(mesh.name).templates += 1,
            Some(_) => {}
        }
        if pod_source.coming {
            let place = pod_source.named.place.as_ref();
            members.join(
                pod_source.kind(),
                pod_source.named.name.as_str(),
                mesh.name,
                place,
            );
        }
    }
    for namespace in inventory.namespaces.values() {
        let declares = mesh::of_namespace(&namespace.metadata, settings.mesh_annotations);
        if declares.source != MeshSource::Default || membership::injects(&namespace.metadata) {
            all.entry(namespace.named.name.as_str()).or_default();
        }
    }
    not_read(inventory, pod_sources, findings);
    all.into_iter()
        .map(|(name, members)| report(name, members, inventory, settings, findings))
        .collect()
}

fn report(
    name: &str,
    members: Members,
    inventory: &Inventory,
    settings: &Settings<'_>,
    findings: &mut Vec<Finding>,
) -> NamespaceReport {
    let metadata = inventory.namespace_metadata(name);
    let declared = mesh::of_namespace(metadata, settings.mesh_annotations);
    let declares = declared.source != MeshSource::Default;
    let mut populations = BTreeMap::<&str, usize>::new();
    for member in &members.members {
        *populations.entry(&member.mesh).or_default() += 1;
    }
    // Of several with most, the smaller name (T3).
    let most = populations.iter().rev().max_by_key(|(_, count)| **count);
    let home = match most {
        _ if declares => Some(declared.name),
        Some((mesh, _)) => Some(*mesh),
        None => None,
    };
    let split = populations.len() > 1;
    let moves: Vec<_> = members
        .members
        .iter()
        .filter(|member| home.is_some_and(|home| home != member.mesh))
        .cloned()
        .collect();
    let own_place = inventory
        .namespace(name)
        .and_then(|found| found.named.place.clone());
    let place = own_place.or(members.first);
    if !settings.is_system_namespace(name) {
        if split {
            findings.push(is_split(name, &populations, home, declares, &moves, place));
        } else if let Some((only, _)) = populations.first_key_value()
            && *only != declared.name
            && inventory.has_mesh(only)
        {
            findings.push(is_undeclared(name, only, declared, declares, place));
        }
    }
    NamespaceReport {
        name: name.to_owned(),
        declared: declares.then(|| Sourced {
            name: declared.name.to_owned(),
            source: source(declared.source).to_owned(),
        }),
        injects: membership::injects(metadata),
        split,
        moves,
        meshes: members.meshes.into_values().collect(),
    }
}

/// Where a mesh's name was found.
pub(crate) fn source(source: MeshSource) -> &'static str {
    match source {
        MeshSource::PodLabel => "pod-label",
        MeshSource::PodAnnotation => "pod-annotation",
        MeshSource::NamespaceLabel => "namespace-label",
        MeshSource::NamespaceAnnotation => "namespace-annotation",
        MeshSource::Default => "default",
    }
}

fn is_split(
    name: &str,
    populations: &BTreeMap<&str, usize>,
    home: Option<&str>,
    declares: bool,
    moves: &[Move],
    place: Option<Place>,
) -> Finding {
    const SHOWN: usize = 5;
    let counted = |(mesh, count): (&&str, &usize)| format!("{} ({count})", Quoted(mesh));
    let meshes: Vec<_> = populations.iter().map(counted).collect();
    let mut names: Vec<_> = moves
        .iter()
        .take(SHOWN)
        .map(|one| format!("{} {}", one.kind, one.name))
        .collect();
    if moves.len() > SHOWN {
        names.push(format!("{} more", moves.len() - SHOWN));
    }
    let home = home.unwrap_or_default();
    let at_home = populations.get(home).copied().unwrap_or_default();
    let rivals = populations.values().filter(|count| **count >= at_home);
    let why = match rivals.count() {
        _ if declares => "which it declares",
        1 => "which most are in",
        _ => "of equals the first by name",
    };
    Finding::error(
        Code::SplitNamespace,
        place,
        format!(
            "namespace {} is split over meshes {}",
            Quoted(name),
            meshes.join(", ")
        ),
        format!(
            "leave it to mesh {}, {why}: move {}",
            Quoted(home),
            names.join(", ")
        ),
    )
}

fn is_undeclared(
    name: &str,
    only: &str,
    declared: ResolvedMesh<'_>,
    declares: bool,
    place: Option<Place>,
) -> Finding {
    let says = if declares {
        format!("declares mesh {}", Quoted(declared.name))
    } else {
        "declares none".to_owned()
    };
    Finding::warning(
        Code::UndeclaredMesh,
        place,
        format!(
            "namespace {} {says}, but all its Pods are in mesh {}; namespaceMesh: declared would \
             refuse them",
            Quoted(name),
            Quoted(only)
        ),
        if declares {
            format!(
                "move them to mesh {}, or label the Namespace {}: {only}",
                Quoted(declared.name),
                keys::MESH
            )
        } else {
            format!("label the Namespace {}: {only}", keys::MESH)
        },
    )
}

/// What a Namespace says decides about Pods that say nothing themselves.
fn not_read(inventory: &Inventory, pod_sources: &[PodSource<'_>], findings: &mut Vec<Finding>) {
    if inventory.live {
        return;
    }
    let mut unread = BTreeMap::<&str, Option<&Place>>::new();
    for pod_source in pod_sources {
        let namespace = pod_source.named.namespace();
        if inventory.namespace(namespace).is_none() {
            let place = unread
                .entry(namespace)
                .or_insert(pod_source.named.place.as_ref());
            *place = (*place).min(pod_source.named.place.as_ref());
        }
    }
    findings.extend(unread.into_iter().map(|(namespace, place)| {
        Finding::note(
            Code::NamespaceNotRead,
            place.cloned(),
            format!(
                "namespace {} is not among the manifests, so it is taken for one without labels",
                Quoted(namespace)
            ),
            "give its manifest too: it may inject Pods, or name their mesh".to_owned(),
        )
    }));
}
