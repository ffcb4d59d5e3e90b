//! What `run` would do about each Workload, as the roster decides.

use std::collections::{BTreeMap, BTreeSet};

use kuma_workload_rulebook::{
    counts::Inbounds,
    identifier::Identifiers,
    keys, mesh,
    quoted::Quoted,
    roster::{self, Action, CONTROL_PLANE, Foreign, Mode, Roster, Write},
};

use super::{
    finding::{Code, Finding, place_at},
    inventory::{Inventory, full_name},
    manifest::{DataplaneManifest, WorkloadManifest},
    pod_source::{Naming, PodSource},
    read::Place,
    report::{ReferenceCount, WorkloadReport},
};

/// A proxy that is there, or is to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its mesh.
    pub mesh: &'a str,
    /// Its workload, if it has one.
    pub workload: Option<&'a str>,
    /// Whether its Dataplane is to come.
    pub coming: bool,
    /// Where it stands.
    pub place: Option<&'a Place>,
}

/// All proxies that are there or to come.
pub(crate) fn references<'a>(
    inventory: &'a Inventory,
    pod_sources: &[PodSource<'a>],
    naming: Naming<'a>,
    identifiers: Identifiers,
    findings: &mut Vec<Finding>,
) -> Vec<Reference<'a>> {
    let mut without = BTreeMap::<&str, (usize, &DataplaneManifest)>::new();
    let dataplanes = inventory.dataplanes.values().filter(|one| one.is_local());
    let mut all: Vec<_> = dataplanes
        .map(|dataplane| {
            let namespace = dataplane.named.namespace();
            let pod = inventory.pod(namespace, dataplane.named.name.as_str());
            // Gateways have none, and never will.
            let computed = pod.map(|pod| naming.workload(&pod.facts).map(|found| found.name));
            let workload = match (dataplane.stored(), identifiers) {
                (Some(stored), _) => Some(stored),
                (None, Identifiers::Pods) => computed.flatten(),
                (None, Identifiers::Dataplanes) => None,
            };
            if workload.is_none() && computed != Some(None) {
                without.entry(namespace).or_insert((0, dataplane)).0 += 1;
            }
            Reference {
                namespace,
                mesh: mesh::of_dataplane(dataplane.mesh.as_deref()),
                workload,
                coming: false,
                place: dataplane.named.place.as_ref(),
            }
        })
        .collect();
    for pod_source in pod_sources.iter().filter(|pod_source| pod_source.coming) {
        if let Some(mesh) = pod_source.mesh {
            all.push(Reference {
                namespace: pod_source.named.namespace(),
                mesh: mesh.name,
                workload: pod_source.workload.map(|workload| workload.name),
                coming: true,
                place: pod_source.named.place.as_ref(),
            });
        }
    }
    findings.extend(
        without
            .into_iter()
            .map(|(namespace, (count, first))| no_identifier(namespace, count, first, identifiers)),
    );
    all
}

fn no_identifier(
    namespace: &str,
    count: usize,
    first: &DataplaneManifest,
    identifiers: Identifiers,
) -> Finding {
    let s = if count == 1 { " has" } else { "s have" };
    Finding::note(
        Code::NoIdentifier,
        first.named.place.clone(),
        format!(
            "namespace {}: {count} DataplaneManifest{s} no annotation {}, so no Workload is made for them \
             (the first is {})",
            Quoted(namespace),
            keys::WORKLOAD,
            Quoted(first.named.name.as_str()),
        ),
        match identifiers {
            Identifiers::Dataplanes => {
                "if the control plane is older than 2.13, plan and run with --identifiers pods"
            }
            Identifiers::Pods => "give the Pods of these Dataplanes too",
        }
        .to_owned(),
    )
}

/// What `run` would do about each Workload, and in which mode.
pub(crate) fn plan(
    inventory: &Inventory,
    references: &[Reference<'_>],
    findings: &mut Vec<Finding>,
) -> (Vec<WorkloadReport>, Mode) {
    let mut roster = Roster::default();
    let mut meshes = BTreeMap::<_, BTreeMap<&str, ReferenceCount>>::new();
    let mut places = BTreeMap::new();
    for (number, reference) in references.iter().enumerate() {
        let Some(workload) = reference.workload else {
            continue;
        };
        roster.apply(&roster::RosterDataplane {
            namespace: reference.namespace,
            // Only which is which matters.
            name: &number.to_string(),
            workload: Some(workload),
            mesh: Some(reference.mesh),
            local: true,
            inbounds: Inbounds::default(),
        });
        let key = (reference.namespace, workload);
        let of_key = meshes.entry(key).or_default();
        let count = of_key
            .entry(reference.mesh)
            .or_insert_with(|| ReferenceCount {
                mesh: reference.mesh.to_owned(),
                dataplanes: 0,
                coming: 0,
            });
        *(if reference.coming {
            &mut count.coming
        } else {
            &mut count.dataplanes
        }) += 1;
        let place = places.entry(key).or_insert(reference.place);
        *place = (*place).min(reference.place);
    }
    let existing = inventory.workloads.values();
    let named = existing.map(|one| (one.named.namespace(), one.named.name.as_str()));
    let keys: BTreeSet<_> = meshes.keys().copied().chain(named).collect();
    let key_of = |(namespace, workload): (&str, &str)| roster::Key {
        namespace: namespace.to_owned(),
        workload: workload.to_owned(),
    };
    let shows_control_plane = keys.iter().any(|&key| {
        let existing = inventory.workload(key.0, key.1);
        existing.is_some_and(|one| roster.shows_control_plane(&key_of(key), &one.facts()))
    });
    let mode = if shows_control_plane {
        Mode::Yield
    } else {
        Mode::Manage
    };
    let mut reports = Vec::with_capacity(keys.len());
    for key in keys {
        let existing = inventory.workload(key.0, key.1);
        let facts = existing.map(WorkloadManifest::facts);
        let decision = roster.decide(&key_of(key), facts.as_ref(), mode);
        let of_key = meshes.remove(&key).unwrap_or_default();
        let own_place = existing.and_then(|one| one.named.place.as_ref());
        let place = own_place.or_else(|| places.get(&key).copied().flatten());
        findings.extend(finding(key, &decision.action, place));
        let (action, withheld) = name(&decision.action, existing.is_some());
        reports.push(WorkloadReport {
            namespace: key.0.to_owned(),
            name: key.1.to_owned(),
            action,
            withheld,
            meshes: of_key.into_values().collect(),
            managed_by: facts.and_then(|facts| facts.managed_by.map(str::to_owned)),
            place: own_place.cloned(),
        });
    }
    (reports, mode)
}

fn name(action: &Action, exists: bool) -> (&'static str, bool) {
    let name_of = |write: &Write| match write {
        Write::Create { .. } => "create",
        Write::Relabel { .. } => "relabel",
        Write::Delete => "delete",
    };
    match action {
        Action::Nothing if exists => ("keep", false),
        Action::Nothing => ("none", false),
        Action::Write(write) => (name_of(write), false),
        Action::Withheld(write) => (name_of(write), true),
        Action::Leave { referenced, .. } => (if *referenced { "foreign" } else { "leave" }, false),
        Action::Conflict { orphan, .. } => (if *orphan { "orphan" } else { "conflict" }, false),
        Action::Impossible(_) => ("impossible", false),
    }
}

fn finding(key: (&str, &str), action: &Action, place: Option<&Place>) -> Option<Finding> {
    let (namespace, name) = key;
    let (in_namespace, workload) = (Quoted(namespace), Quoted(name));
    let place = place_at(place, None);
    Some(match action {
        Action::Conflict { meshes, orphan } => {
            let meshes: Vec<_> = meshes.iter().map(|mesh| Quoted(mesh).to_string()).collect();
            let effect = if *orphan {
                "the Workload that exists stays as it is"
            } else {
                "no Workload is made"
            };
            Finding::error(
                Code::Conflict,
                place,
                format!(
                    "namespace {in_namespace}: workload {workload} has proxies in meshes {}: {effect}",
                    meshes.join(" and "),
                ),
                "move its Pods to one mesh, or give those of each mesh a workload of their own"
                    .to_owned(),
            )
        }
        Action::Impossible(fault) => Finding::error(
            Code::BadName,
            place,
            format!(
                "namespace {in_namespace}: {workload} cannot be the name of a Workload: {fault}"
            ),
            "change the label or ServiceAccount that names it".to_owned(),
        ),
        Action::Leave {
            why,
            referenced: true,
        } => match why {
            // What a control plane manages is in good hands.
            Foreign::ManagedBy(manager) if manager == CONTROL_PLANE => return None,
            Foreign::ManagedBy(manager) => Finding::warning(
                Code::Foreign,
                place,
                format!(
                    "namespace {in_namespace}: Workload {workload} is managed by {}, and is left to it",
                    Quoted(manager)
                ),
                format!("remove its label {} to hand it over", keys::MANAGED_BY),
            ),
            Foreign::NotLocal => Finding::note(
                Code::Foreign,
                place,
                format!(
                    "namespace {in_namespace}: Workload {workload} is a copy from elsewhere, and is left alone"
                ),
                "nothing, if this is a Global control plane".to_owned(),
            ),
            Foreign::Unmanaged => return None,
        },
        _ => return None,
    })
}

/// Where Dataplanes are not as they seem: label against field (A6), stored against computed (W8).
pub(crate) fn check_dataplanes(
    inventory: &Inventory,
    pod_sources: &[PodSource<'_>],
    findings: &mut Vec<Finding>,
) {
    for dataplane in inventory.dataplanes.values() {
        let field = mesh::of_dataplane(dataplane.mesh.as_deref());
        let Some(label) = dataplane.metadata.labels.get(keys::MESH) else {
            continue;
        };
        if label != field {
            findings.push(Finding::warning(
                Code::MeshLabelDiffers,
                place_at(dataplane.named.place.as_ref(), dataplane.mesh_label),
                format!(
                    "Dataplane {} is in mesh {}, but its label {} says {}",
                    full_name(&dataplane.named),
                    Quoted(field),
                    keys::MESH,
                    Quoted(label)
                ),
                "delete the Dataplane and let Kuma make it again; the field decides".to_owned(),
            ));
        }
    }
    for pod_source in pod_sources {
        let stored = pod_source.dataplane.and_then(DataplaneManifest::stored);
        let (Some(stored), Some(computed)) = (stored, pod_source.workload) else {
            continue;
        };
        if stored != computed.name {
            findings.push(Finding::note(
                Code::StaleIdentifier,
                pod_source.named.place.clone(),
                format!(
                    "Pod {} keeps workload {}; it would get {} from {} today",
                    full_name(pod_source.named),
                    Quoted(stored),
                    Quoted(computed.name),
                    computed.source
                ),
                "recreate the Pod, or give --workload-labels as the control plane has them"
                    .to_owned(),
            ));
        }
    }
}
