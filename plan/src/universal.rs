//! Universal: documents instead of objects, by the same rules (U1, U2, W4).

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    identifier::{self, NameForm},
    keys,
    metadata::{Labels, Text},
    spiffe::ProxyFacts,
    universal::{
        self, LabelOrTag, UniversalAction, UniversalFinding, UniversalKey, UniversalWorkload,
    },
};

use super::{
    finding::{Cause, Finding, Member, ObjectName, Severity, place_at},
    identities::{Asked, Identities},
    inventory::{self, Inventory},
    manifest::{Home, UniversalDataplaneManifest},
    report::{Sourced, UniversalDataplaneReport, UniversalReport, UniversalWorkloadReport},
};

/// The Dataplanes that refer to each Workload, by mesh and name.
type References<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a UniversalDataplaneManifest>>;

/// What there is to do about Universal's documents; nothing if there are none.
pub(crate) fn plan(
    inventory: &Inventory,
    zone: Option<&str>,
    identities: &mut Identities<'_>,
    findings: &mut Vec<Finding>,
) -> Option<UniversalReport> {
    let dataplanes = inventory.universal_dataplanes.values();
    let dataplanes: Vec<_> = dataplanes.filter(|one| one.is_local()).collect();
    let workloads = inventory.universal_workloads.values();
    let workloads: Vec<_> = workloads.filter(|one| one.is_local()).collect();
    if dataplanes.is_empty() && workloads.is_empty() {
        return None;
    }
    let facts: Vec<_> = dataplanes
        .iter()
        .map(|dataplane| dataplane.facts())
        .collect();
    let existing = workloads.iter().map(|workload| UniversalWorkload {
        mesh: workload.named.mesh(),
        name: workload.named.name.as_str(),
        labels: workload.labels.iter().collect(),
    });
    let existing: Vec<_> = existing.collect();
    let plan = universal::plan(&facts, &existing, zone);
    let mut references = References::new();
    let mut reports = Vec::with_capacity(dataplanes.len());
    for (dataplane, dataplane_facts) in dataplanes.iter().zip(&facts) {
        let named = &dataplane.named;
        let found = universal::identifier(dataplane_facts);
        if let Some((name, _)) = found {
            let key = (named.mesh(), name);
            references.entry(key).or_default().push(dataplane);
        }
        findings.extend(unknown_mesh(dataplane, inventory));
        let labels = labels(dataplane, zone);
        let asked = Asked {
            proxy: ProxyFacts {
                mesh: named.mesh(),
                labels: &labels,
            },
            member: member(dataplane),
            place: named.place.as_ref(),
        };
        reports.push(UniversalDataplaneReport {
            mesh: named.mesh().to_owned(),
            name: named.name.as_str().to_owned(),
            workload: found.map(|(name, source)| Sourced {
                name: name.to_owned(),
                source: match source {
                    LabelOrTag::Label => "label",
                    LabelOrTag::Tag => "tag",
                }
                .to_owned(),
            }),
            identity: identities.of(asked),
            place: named.place.clone(),
        });
    }
    for told in &plan.findings {
        findings.push(finding(told, inventory, &references));
    }
    findings.extend(plan.actions.iter().filter_map(|(key, action)| {
        let (UniversalAction::Leave(Some(manager)), true) =
            (action, references.contains_key(&(key.mesh, key.name)))
        else {
            return None;
        };
        Some(is_foreign(*key, manager, inventory))
    }));
    let mut workloads: BTreeMap<_, _> = plan
        .actions
        .iter()
        .map(|(key, action)| {
            let key = (key.mesh, key.name);
            (key, name(*action, references.contains_key(&key)))
        })
        .collect();
    for (mesh, name) in references.keys() {
        // A name that no Workload can have is in no action.
        if identifier::check(name, NameForm::Universal).is_err() {
            workloads.entry((mesh, name)).or_insert("bad-name");
        }
    }
    let managed_by: BTreeMap<_, _> = existing
        .iter()
        .map(|one| {
            (
                (one.mesh, one.name),
                one.labels.get(keys::MANAGED_BY).copied(),
            )
        })
        .collect();
    Some(UniversalReport {
        dataplanes: reports,
        workloads: workloads
            .into_iter()
            .map(|(key, action)| UniversalWorkloadReport {
                mesh: key.0.to_owned(),
                name: key.1.to_owned(),
                action,
                dataplanes: references.get(&key).map_or(0, Vec::len),
                managed_by: managed_by.get(&key).copied().flatten().map(str::to_owned),
            })
            .collect(),
    })
}

/// The labels that the control plane knows: it does not read the tag.
fn labels(dataplane: &UniversalDataplaneManifest, zone: Option<&str>) -> Labels<'static> {
    let mut labels = dataplane.labels.clone();
    let known = [
        (keys::MESH, Some(dataplane.named.mesh())),
        (keys::ENVIRONMENT, Some(keys::ENVIRONMENT_UNIVERSAL)),
        (
            keys::ZONE,
            zone.filter(|_| !dataplane.labels.contains(keys::ZONE)),
        ),
    ];
    labels.extend(
        known
            .into_iter()
            .filter_map(|(key, value)| Some((Text::from(key), Text(value?.to_owned().into())))),
    );
    labels
}

fn name(action: UniversalAction<'_>, referenced: bool) -> &'static str {
    match action {
        UniversalAction::Create => "create",
        UniversalAction::Keep => "keep",
        UniversalAction::Relabel => "relabel",
        UniversalAction::Delete => "delete",
        UniversalAction::Leave(_) if referenced => "foreign",
        UniversalAction::Leave(_) => "leave",
    }
}

/// What a finding about a Dataplane is about.
fn member(dataplane: &UniversalDataplaneManifest) -> Member {
    let object = ObjectName::of("Dataplane", &dataplane.named);
    Member::new(object, "Dataplane", dataplane.named.place.clone())
}

fn is_foreign(key: UniversalKey<'_>, manager: &str, inventory: &Inventory) -> Finding {
    let home = Home::Mesh(key.mesh.into());
    let found =
        inventory
            .universal_workloads
            .get(&inventory::Key::of("Workload", home.clone(), key.name));
    let place = found.and_then(|found| found.named.place.clone());
    let object = ObjectName {
        home: home.clone(),
        kind: "Workload".to_owned(),
        name: key.name.to_owned(),
    };
    let cause = Cause::ManagedByOthers {
        home,
        manager: manager.to_owned(),
    };
    Finding::of(Severity::Warning, cause)
        .at(place.clone())
        .about([Member::new(object, "Workload", place)])
}

fn unknown_mesh(dataplane: &UniversalDataplaneManifest, inventory: &Inventory) -> Option<Finding> {
    let mesh = dataplane.named.mesh();
    if inventory.has_universal_mesh(mesh) {
        return None;
    }
    let cause = Cause::UnknownMesh {
        mesh: mesh.to_owned(),
    };
    let place = dataplane.named.place.clone();
    let finding = Finding::of(Severity::Error, cause).at(place);
    Some(finding.about([member(dataplane)]))
}

fn finding(
    told: &UniversalFinding<'_>,
    inventory: &Inventory,
    references: &References<'_>,
) -> Finding {
    let who_refers = |mesh, name| references.get(&(mesh, name)).into_iter().flatten().copied();
    let first = |mesh, name| {
        let places = who_refers(mesh, name).filter_map(|one| one.named.place.as_ref());
        places.min().cloned()
    };
    let owned = |texts: &mut dyn Iterator<Item = &str>| texts.map(str::to_owned).collect();
    match told {
        UniversalFinding::BadName { key, fault } => {
            let cause = Cause::BadName {
                home: Home::Mesh(key.mesh.into()),
                name: key.name.to_owned(),
                fault: fault.to_string(),
            };
            Finding::of(Severity::Error, cause)
                .at(first(key.mesh, key.name))
                .about(who_refers(key.mesh, key.name).map(member))
        }
        UniversalFinding::SeveralMeshes { name, meshes } => {
            let cause = Cause::SeveralMeshes {
                workload: (*name).to_owned(),
                meshes: owned(&mut meshes.iter().copied()),
            };
            let place = meshes.iter().filter_map(|mesh| first(mesh, name)).min();
            let all = meshes.iter().flat_map(|mesh| who_refers(mesh, name));
            Finding::of(Severity::Warning, cause)
                .at(place)
                .about(all.map(member))
        }
        UniversalFinding::TagRead {
            mesh,
            dataplane,
            taken,
            others,
        } => {
            let cause = Cause::TagRead {
                mesh: (*mesh).to_owned(),
                workload: (*taken).to_owned(),
                others: owned(&mut others.iter().copied()),
            };
            let key = inventory::Key::of("Dataplane", Home::Mesh((*mesh).into()), dataplane);
            let found = inventory.universal_dataplanes.get(&key);
            let place = found.and_then(|one| place_at(one.named.place.as_ref(), one.tag));
            let finding = Finding::of(Severity::Warning, cause).at(place.clone());
            finding.about(found.map(|one| Member {
                place,
                ..member(one)
            }))
        }
    }
}
