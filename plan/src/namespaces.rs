//! The meshes of each Namespace, and what would have to move so that one is left (T2, T3).

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    admission::{EnforcementAction, NamespaceMesh, Settings},
    membership,
    mesh::{self, MeshSource, ResolvedMesh},
};

use super::{
    controller,
    finding::{Cause, Finding, Member, ObjectName, Reason, Severity},
    inventory::Inventory,
    pod_source::PodSource,
    read::Place,
    report::{MeshCount, Move, NamespaceReport, Sourced},
};

/// What is in the meshes of a Namespace.
#[derive(Default)]
struct Members {
    counts: BTreeMap<String, MeshCount>,
    proxies: Vec<Proxy>,
}

/// A proxy that is there, or is to come.
struct Proxy {
    mesh: String,
    member: Member,
    place: Option<Place>,
}

impl Members {
    fn count(&mut self, mesh: &str) -> &mut MeshCount {
        let new = || MeshCount {
            mesh: mesh.to_owned(),
            pods: 0,
            dataplanes: 0,
            templates: 0,
        };
        self.counts.entry(mesh.to_owned()).or_insert_with(new)
    }

    fn join(&mut self, mesh: &str, member: Member, place: Option<&Place>) {
        self.proxies.push(Proxy {
            mesh: mesh.to_owned(),
            member,
            place: place.cloned(),
        });
    }
}

/// The Namespaces that have something in a mesh, or declare one.
pub(crate) fn plan(
    inventory: &Inventory,
    sources: &[PodSource<'_>],
    settings: &Settings<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<NamespaceReport> {
    let mut all = BTreeMap::<&str, Members>::new();
    for dataplane in inventory.dataplanes.values().filter(|one| one.is_local()) {
        let members = all.entry(dataplane.named.namespace()).or_default();
        let mesh = mesh::of_dataplane(dataplane.mesh.as_deref());
        members.count(mesh).dataplanes += 1;
        // A Dataplane has its Pod's name, and it is the Pod that moves.
        let member = controller::of_dataplane(dataplane, inventory).member("Pod");
        members.join(mesh, member, dataplane.named.place.as_ref());
    }
    for source in sources.iter().filter(|source| source.counts()) {
        let Some(mesh) = source.mesh else {
            continue;
        };
        let members = all.entry(source.named.namespace()).or_default();
        match source.template {
            None => members.count(mesh.name).pods += 1,
            Some(_) if source.coming => members.count(mesh.name).templates += 1,
            Some(_) => {}
        }
        if source.coming {
            let place = source.named.place.as_ref();
            members.join(mesh.name, source.member(place), place);
        }
    }
    for namespace in inventory.namespaces.values() {
        let declares = mesh::of_namespace(&namespace.metadata, settings.mesh_annotations);
        if declares.source != MeshSource::Default || membership::injects(&namespace.metadata) {
            all.entry(namespace.named.name.as_str()).or_default();
        }
    }
    not_read(inventory, sources, findings);
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
    let Members { counts, proxies } = members;
    let metadata = inventory.namespace_metadata(name);
    let declared = mesh::of_namespace(metadata, settings.mesh_annotations);
    let declares = declared.source != MeshSource::Default;
    let mut populations = BTreeMap::<&str, usize>::new();
    for proxy in &proxies {
        *populations.entry(&proxy.mesh).or_default() += 1;
    }
    let home = home(declared, declares, &populations);
    let strays = |proxy: &&Proxy| home.is_some_and(|(home, _)| home != proxy.mesh);
    let split = populations.len() > 1;
    if !settings.is_system_namespace(name) {
        let own_place = inventory
            .namespace(name)
            .and_then(|found| found.named.place.as_ref());
        let first = || {
            proxies
                .iter()
                .filter_map(|proxy| proxy.place.as_ref())
                .min()
        };
        let place = own_place.or_else(first);
        if split && let Some((home, why)) = home {
            let cause = Cause::SplitNamespace {
                namespace: name.to_owned(),
                meshes: populations
                    .iter()
                    .map(|(mesh, count)| ((*mesh).to_owned(), *count))
                    .collect(),
                home: home.to_owned(),
                why,
            };
            let strays = proxies.iter().filter(strays);
            findings.push(
                Finding::of(severity_of(settings.mesh_rule, settings), cause)
                    .at(place.cloned())
                    .about(strays.map(|proxy| proxy.member.clone())),
            );
        } else if let Some((only, _)) = populations.first_key_value()
            && *only != declared.name
            && inventory.has_mesh(only)
            && inventory.knows_namespace(name)
        {
            let declared = declares.then_some(declared.name);
            findings.push(undeclared(name, only, declared, settings, place));
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
        moves: moves(proxies.iter().filter(strays)),
        meshes: counts.into_values().collect(),
    }
}

/// The mesh that a Namespace should be left to: the one that it declares, or the one with most
/// proxies, of several the smaller name (T3).
fn home<'m>(
    declared: ResolvedMesh<'m>,
    declares: bool,
    populations: &BTreeMap<&'m str, usize>,
) -> Option<(&'m str, Reason)> {
    if declares {
        return Some((declared.name, Reason::Declared));
    }
    let most = populations.iter().rev().max_by_key(|(_, count)| **count);
    let (mesh, most) = most?;
    let as_many = populations.values().filter(|count| *count == most);
    let why = match as_many.count() {
        1 => Reason::Most,
        _ => Reason::FirstOfEquals,
    };
    Some((mesh, why))
}

/// What people have to change, each object with how many of its Pods are in that mesh.
fn moves<'p>(strays: impl Iterator<Item = &'p Proxy>) -> Vec<Move> {
    let mut moves = BTreeMap::<_, usize>::new();
    for Proxy { mesh, member, .. } in strays {
        let object = &member.object;
        let pods = moves.entry((&object.kind, &object.name, mesh)).or_default();
        *pods += usize::from(member.found_in == "Pod");
    }
    moves
        .into_iter()
        .map(|((kind, name, mesh), pods)| Move {
            kind: kind.clone(),
            name: name.clone(),
            mesh: mesh.clone(),
            pods,
        })
        .collect()
}

/// How grave it is that a namespace is not as a rule wants it: what admission accepts without a
/// warning, since the settings do not have that rule, is only worth knowing.
fn severity_of(is_rule: bool, settings: &Settings<'_>) -> Severity {
    match settings.action {
        _ if !is_rule => Severity::Note,
        EnforcementAction::Warn => Severity::Warning,
        EnforcementAction::Deny => Severity::Error,
    }
}

/// All that is in the Namespace is in a mesh that it does not declare (A17).
fn undeclared(
    name: &str,
    mesh: &str,
    declared: Option<&str>,
    settings: &Settings<'_>,
    place: Option<&Place>,
) -> Finding {
    let is_law = settings.mesh_rule && settings.namespace_mesh == NamespaceMesh::Declared;
    let cause = Cause::UndeclaredMesh {
        mesh: mesh.to_owned(),
        declared: declared.map(str::to_owned),
        is_law,
    };
    Finding::of(severity_of(is_law, settings), cause)
        .at(place.cloned())
        .about([namespace_member(name, place)])
}

fn namespace_member(name: &str, place: Option<&Place>) -> Member {
    let object = ObjectName::of_cluster("Namespace", name);
    Member::new(object, "Namespace", place.cloned())
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

/// What a Namespace says decides about Pods that say nothing themselves.
fn not_read(inventory: &Inventory, sources: &[PodSource<'_>], findings: &mut Vec<Finding>) {
    if inventory.live {
        return;
    }
    let mut unread = BTreeMap::<&str, Option<&Place>>::new();
    for source in sources {
        let namespace = source.named.namespace();
        if inventory.namespace(namespace).is_none() {
            let place = source.named.place.as_ref();
            let first = unread.entry(namespace).or_insert(place);
            *first = (*first).min(place);
        }
    }
    findings.extend(unread.into_iter().map(|(name, place)| {
        Finding::of(Severity::Note, Cause::NamespaceNotRead)
            .at(place.cloned())
            .about([namespace_member(name, place)])
    }));
}

#[cfg(test)]
mod tests {
    use crate::tests::{deployment, planned, pod};

    #[test]
    fn t3_what_moves_is_what_people_change() {
        let of_set = |name: &str| {
            let owner = "namespace: team, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, \
                name: db, controller: true}]";
            pod(name, "other").replace("namespace: team", owner)
        };
        let stay: String = (0..5)
            .map(|number| pod(&format!("p{number}"), "m"))
            .collect();
        let yaml =
            stay + &of_set("db-0") + &of_set("db-1") + &deployment("web", "other", "replicas: 2");
        let report = planned(&yaml);
        let team = &report.namespaces[0];
        let moves = team.moves.iter();
        let moves: Vec<_> = moves
            .map(|one| (&*one.kind, &*one.name, one.pods))
            .collect();
        assert_eq!(moves, [("Deployment", "web", 0), ("StatefulSet", "db", 2)]);
        let mut findings = report.findings.iter();
        let split = findings.find(|one| one.code == "split-namespace").unwrap();
        assert_eq!(
            split.remedy,
            "leave it to mesh \"m\", which most are in: move Deployment \"web\" and StatefulSet \"db\""
        );
        assert_eq!(split.count, 3);
    }
}
