//! What `run` would do about each Workload, as the roster decides.

use std::collections::{BTreeMap, BTreeSet};

use kuma_workload_rulebook::{
    admission::Settings,
    counts::Inbounds,
    identifier::Identifiers,
    keys, mesh,
    roster::{self, Action, CONTROL_PLANE, Foreign, Mode, Roster, Write},
};

use super::{
    controller,
    finding::{Cause, Finding, Member, ObjectName, Severity, place_at},
    inventory::Inventory,
    manifest::{DataplaneManifest, Home, WorkloadManifest},
    pod_source::{Naming, PodSource},
    read::Place,
    report::{ReferenceCount, WorkloadReport},
};

/// A proxy that is there, or is to come, and so may refer to a Workload.
#[derive(Debug, Clone)]
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
    /// What a finding about it is about.
    pub member: Member,
}

/// All proxies that are there or to come.
pub(crate) fn references<'a>(
    inventory: &'a Inventory,
    sources: &[PodSource<'a>],
    naming: Naming<'a>,
    identifiers: Identifiers,
    findings: &mut Vec<Finding>,
) -> Vec<Reference<'a>> {
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
            let place = dataplane.named.place.as_ref();
            let member = controller::of_dataplane(dataplane, inventory).member("Dataplane");
            if workload.is_none() && computed != Some(None) {
                let cause = Cause::NoIdentifier {
                    pods_were_asked: identifiers == Identifiers::Pods,
                };
                let finding = Finding::of(Severity::Note, cause).at(place.cloned());
                findings.push(finding.about([member.clone()]));
            }
            Reference {
                namespace,
                mesh: mesh::of_dataplane(dataplane.mesh.as_deref()),
                workload,
                coming: false,
                place,
                member,
            }
        })
        .collect();
    for source in sources.iter().filter(|source| source.coming) {
        if let Some(mesh) = source.mesh {
            let place = source.named.place.as_ref();
            all.push(Reference {
                namespace: source.named.namespace(),
                mesh: mesh.name,
                workload: source.workload.map(|workload| workload.name),
                coming: true,
                place,
                member: source.member(place),
            });
        }
    }
    all
}

/// What `run` would do about each Workload, and in which mode.
pub(crate) fn plan(
    inventory: &Inventory,
    references: &[Reference<'_>],
    settings: &Settings<'_>,
    findings: &mut Vec<Finding>,
) -> (Vec<WorkloadReport>, Mode) {
    let mut roster = Roster::default();
    let mut meshes = BTreeMap::<_, BTreeMap<&str, ReferenceCount>>::new();
    let mut who_refers = BTreeMap::<_, Vec<&Reference<'_>>>::new();
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
        who_refers.entry(key).or_default().push(reference);
    }
    // Copies count only where proxies refer to them.
    let local = inventory.workloads.values().filter(|one| one.is_local());
    let named = local.map(|one| (one.named.namespace(), one.named.name.as_str()));
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
        let references = who_refers.remove(&key).unwrap_or_default();
        findings.extend(finding(
            key,
            &decision.action,
            existing,
            &references,
            settings,
        ));
        let (action, withheld) = name(&decision.action, existing.is_some());
        reports.push(WorkloadReport {
            namespace: key.0.to_owned(),
            name: key.1.to_owned(),
            action,
            withheld,
            meshes: of_key.into_values().collect(),
            managed_by: facts.and_then(|facts| facts.managed_by.map(str::to_owned)),
            place: existing.and_then(|one| one.named.place.clone()),
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
        Action::BadName(_) => ("bad-name", false),
    }
}

fn finding(
    (namespace, name): (&str, &str),
    action: &Action,
    existing: Option<&WorkloadManifest>,
    references: &[&Reference<'_>],
    settings: &Settings<'_>,
) -> Option<Finding> {
    let own_place = existing.and_then(|one| one.named.place.as_ref());
    let first = || references.iter().filter_map(|one| one.place).min();
    let place = own_place.or_else(first).cloned();
    let who_refers = references.iter().map(|one| one.member.clone());
    let workload = || {
        let object = ObjectName::in_namespace("Workload", namespace, name);
        [Member::new(object, "Workload", own_place.cloned())]
    };
    let home = Home::Namespace(namespace.into());
    let finding = match action {
        Action::Conflict { meshes, orphan } => Finding::of(
            Severity::Error,
            Cause::Conflict {
                namespace: namespace.to_owned(),
                workload: name.to_owned(),
                meshes: meshes.iter().cloned().collect(),
                exists: *orphan,
            },
        )
        .about(who_refers),
        Action::BadName(fault) => {
            // Who has switched the search for such names off is not kept from going on.
            let severity = match settings.invalid_workload_name {
                None => Severity::Note,
                Some(_) => Severity::Error,
            };
            let cause = Cause::BadName {
                home,
                name: name.to_owned(),
                fault: fault.to_string(),
            };
            Finding::of(severity, cause).about(who_refers)
        }
        Action::Leave {
            why,
            referenced: true,
        } => match why {
            // What a control plane manages is in good hands.
            Foreign::ManagedBy(manager) if manager == CONTROL_PLANE => return None,
            Foreign::ManagedBy(manager) => {
                let manager = manager.clone();
                let cause = Cause::ManagedByOthers { home, manager };
                Finding::of(Severity::Warning, cause).about(workload())
            }
            Foreign::NotLocal => {
                Finding::of(Severity::Note, Cause::Copies { home }).about(workload())
            }
            Foreign::Unmanaged => return None,
        },
        _ => return None,
    };
    Some(finding.at(place))
}

/// Where Dataplanes are not as they seem: label against field (A6), stored against computed (W8).
pub(crate) fn check_dataplanes(
    inventory: &Inventory,
    sources: &[PodSource<'_>],
    findings: &mut Vec<Finding>,
) {
    for dataplane in inventory.dataplanes.values() {
        findings.extend(differing_mesh(dataplane));
    }
    for source in sources {
        let stored = source.dataplane.and_then(DataplaneManifest::stored);
        let (Some(stored), Some(computed)) = (stored, source.workload) else {
            continue;
        };
        if stored != computed.name {
            let cause = Cause::StaleIdentifier {
                namespace: source.named.namespace().to_owned(),
                stored: stored.to_owned(),
                computed: computed.name.to_owned(),
                source: computed.source.to_string(),
            };
            let place = source.named.place.as_ref();
            let finding = Finding::of(Severity::Note, cause).at(place.cloned());
            findings.push(finding.about([source.member(place)]));
        }
    }
}

fn differing_mesh(dataplane: &DataplaneManifest) -> Option<Finding> {
    let field = mesh::of_dataplane(dataplane.mesh.as_deref());
    let label = dataplane.metadata.labels.get(keys::MESH)?;
    if label == field {
        return None;
    }
    let cause = Cause::MeshLabelDiffers {
        namespace: dataplane.named.namespace().to_owned(),
        field: field.to_owned(),
        label: label.to_owned(),
    };
    let place = place_at(dataplane.named.place.as_ref(), dataplane.mesh_label);
    // It is the Dataplane that has to go, whatever made its Pod.
    let object = ObjectName::of("Dataplane", &dataplane.named);
    let member = Member::new(object, "Dataplane", place.clone());
    Some(
        Finding::of(Severity::Warning, cause)
            .at(place)
            .about([member]),
    )
}
