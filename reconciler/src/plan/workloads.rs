//! What `run` would do about each Workload, as the roster decides.

use std::collections::{BTreeMap, BTreeSet};

use kuma_workload_rulebook::{
    counts::Inbounds,
    keys, mesh,
    roster::{self, Action, CONTROL_PLANE, Foreign, Mode, Roster, Write},
};

use super::{
    finding::{Code, Finding, place_at},
    input::Place,
    inventory::{Inventory, full_name},
    object::{Dataplane, shown},
    report::{PlaceReport, ReferenceCount, WorkloadReport},
    subject::{Naming, Subject},
};

/// Whether a Dataplane has a workload of its own, or takes that of its Pod (W8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Identifiers {
    /// The Dataplane's annotation (control plane 2.13 and later).
    Dataplanes,
    /// The annotation, or else what the Pod of the Dataplane's name would get.
    Pods,
}

/// A proxy that is there, or is to come.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
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

/// Whether a Dataplane is at home where it is: the namespace of a Global control plane holds copies
/// from every zone.
pub fn is_at_home(dataplane: &Dataplane) -> bool {
    let home = dataplane
        .metadata
        .labels
        .get_non_empty(keys::HOME_NAMESPACE);
    home.is_none_or(|home| home == dataplane.named.namespace)
}

/// All proxies that are there or to come.
pub fn references<'a>(
    inventory: &'a Inventory,
    subjects: &[Subject<'a>],
    naming: Naming<'a>,
    identifiers: Identifiers,
    findings: &mut Vec<Finding>,
) -> Vec<Reference<'a>> {
    let mut without = BTreeMap::<&str, (usize, &Dataplane)>::new();
    let dataplanes = inventory.dataplanes.values().filter(|one| is_at_home(one));
    let mut all: Vec<_> = dataplanes
        .map(|dataplane| {
            let namespace = &*dataplane.named.namespace;
            let pod = inventory.pod(namespace, &dataplane.named.name);
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
    for subject in subjects.iter().filter(|subject| subject.coming) {
        if let Some(mesh) = subject.mesh {
            all.push(Reference {
                namespace: &subject.named.namespace,
                mesh: mesh.name,
                workload: subject.workload.map(|workload| workload.name),
                coming: true,
                place: subject.named.place.as_ref(),
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
    first: &Dataplane,
    identifiers: Identifiers,
) -> Finding {
    let s = if count == 1 { " has" } else { "s have" };
    Finding::note(
        Code::NoIdentifier,
        first.named.place.clone(),
        format!(
            "namespace {}: {count} Dataplane{s} no annotation {}, so no Workload is made for them \
             (the first is {})",
            shown(namespace),
            keys::WORKLOAD,
            shown(&first.named.name),
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
pub fn plan(
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
        roster.apply(&roster::Dataplane {
            namespace: reference.namespace,
            // Only which is which matters.
            name: &number.to_string(),
            workload: Some(workload),
            mesh: Some(reference.mesh),
            home_namespace: None,
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
    let named = existing.map(|one| (&*one.named.namespace, &*one.named.name));
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
        let facts = existing.map(super::object::Workload::facts);
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
            place: own_place.map(PlaceReport::from),
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
    let (in_namespace, workload) = (shown(namespace), shown(name));
    let place = place_at(place, None);
    Some(match action {
        Action::Conflict { meshes, orphan } => {
            let meshes: Vec<_> = meshes.iter().map(|mesh| shown(mesh).to_string()).collect();
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
                    shown(manager)
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
pub fn check_dataplanes(
    inventory: &Inventory,
    subjects: &[Subject<'_>],
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
                    shown(field),
                    keys::MESH,
                    shown(label)
                ),
                "delete the Dataplane and let Kuma make it again; the field decides".to_owned(),
            ));
        }
    }
    for subject in subjects {
        let stored = subject.dataplane.and_then(Dataplane::stored);
        let (Some(stored), Some(computed)) = (stored, subject.workload) else {
            continue;
        };
        if stored != computed.name {
            findings.push(Finding::note(
                Code::StaleIdentifier,
                subject.named.place.clone(),
                format!(
                    "Pod {} keeps workload {}; it would get {} from {} today",
                    full_name(subject.named),
                    shown(stored),
                    shown(computed.name),
                    computed.source
                ),
                "recreate the Pod, or give --workload-labels as the control plane has them"
                    .to_owned(),
            ));
        }
    }
}
