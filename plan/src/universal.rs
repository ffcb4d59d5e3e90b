//! Universal: documents instead of objects, by the same rules (U1, U2, W4).

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    identifier::{self, NameForm},
    keys, mesh,
    metadata::{Labels, Text},
    quoted::Quoted,
    spiffe::ProxyFacts,
    universal::{
        self, LabelOrTag, UniversalAction, UniversalFinding, UniversalKey, UniversalWorkload,
    },
};

use super::{
    finding::{Code, Finding, place_at},
    identities::Identities,
    inventory::{self, Inventory, full_name},
    manifest::{Home, UniversalDataplaneManifest},
    read::Place,
    report::{Sourced, UniversalDataplaneReport, UniversalReport, UniversalWorkloadReport},
};

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
    let mut references = BTreeMap::<(&str, &str), (usize, Option<&Place>)>::new();
    let mut reports = Vec::with_capacity(dataplanes.len());
    for (dataplane, dataplane_facts) in dataplanes.iter().zip(&facts) {
        let named = &dataplane.named;
        let found = universal::identifier(dataplane_facts);
        if let Some((name, _)) = found {
            let place = named.place.as_ref();
            let (count, first) = references.entry((named.mesh(), name)).or_insert((0, place));
            *count += 1;
            *first = (*first).min(place);
        }
        unknown_mesh(dataplane, inventory, findings);
        let labels = labels(dataplane, zone);
        let proxy = ProxyFacts {
            mesh: named.mesh(),
            labels: &labels,
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
            identity: identities.of(&proxy, &format!("Dataplane {}", full_name(named))),
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
            workloads.entry((mesh, name)).or_insert("impossible");
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
                dataplanes: references.get(&key).map_or(0, |(count, _)| *count),
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

fn is_foreign(key: UniversalKey<'_>, manager: &str, inventory: &Inventory) -> Finding {
    let found = inventory.universal_workloads.get(&inventory::Key::of(
        "Workload",
        Home::Mesh(key.mesh.into()),
        key.name,
    ));
    Finding::warning(
        Code::Foreign,
        found.and_then(|found| found.named.place.clone()),
        format!(
            "mesh {}: Workload {} is managed by {}, and is left to it",
            Quoted(key.mesh),
            Quoted(key.name),
            Quoted(manager)
        ),
        format!("remove its label {} to hand it over", keys::MANAGED_BY),
    )
}

fn unknown_mesh(
    dataplane: &UniversalDataplaneManifest,
    inventory: &Inventory,
    findings: &mut Vec<Finding>,
) {
    let named = &dataplane.named;
    let meshes = &inventory.universal_meshes;
    let known = meshes.is_empty()
        || named.mesh() == mesh::DEFAULT
        || meshes
            .values()
            .any(|mesh| mesh.name.given() == Some(named.mesh()));
    if !known {
        findings.push(Finding::error(
            Code::UnknownMesh,
            named.place.clone(),
            format!(
                "Dataplane {} is in a mesh that does not exist",
                full_name(named)
            ),
            "make the Mesh first, or correct its name".to_owned(),
        ));
    }
}

fn finding(
    told: &UniversalFinding<'_>,
    inventory: &Inventory,
    references: &BTreeMap<(&str, &str), (usize, Option<&Place>)>,
) -> Finding {
    let place = |key: UniversalKey<'_>| references.get(&(key.mesh, key.name))?.1.cloned();
    match told {
        UniversalFinding::BadName { key, fault } => Finding::error(
            Code::BadName,
            place(*key),
            format!(
                "mesh {}: {} cannot be the name of a Workload: {fault}",
                Quoted(key.mesh),
                Quoted(key.name)
            ),
            format!("change the label {} of its Dataplanes", keys::WORKLOAD),
        ),
        UniversalFinding::SeveralMeshes { name, meshes } => {
            let first = meshes.first().map(|mesh| UniversalKey { mesh, name });
            let meshes: Vec<_> = meshes.iter().map(|mesh| Quoted(mesh).to_string()).collect();
            Finding::warning(
                Code::SeveralMeshes,
                first.and_then(place),
                format!(
                    "workload {} is in meshes {}: that makes a Workload in each",
                    Quoted(name),
                    meshes.join(" and ")
                ),
                "give those of each mesh a name of their own".to_owned(),
            )
        }
        UniversalFinding::TagRead {
            mesh,
            dataplane,
            taken,
            others,
        } => {
            let key = inventory::Key::of("Dataplane", Home::Mesh((*mesh).into()), dataplane);
            let found = inventory.universal_dataplanes.get(&key);
            let others: Vec<_> = others.iter().map(|tag| Quoted(tag).to_string()).collect();
            let others = match &*others {
                [] => String::new(),
                others => format!("; other inbounds say {}", others.join(" and ")),
            };
            Finding::warning(
                Code::TagRead,
                found.and_then(|found| place_at(found.named.place.as_ref(), found.tag)),
                format!(
                    "Dataplane {} names workload {} by a tag of an inbound, which Kuma does not read{others}",
                    Quoted(&format!("{mesh}/{dataplane}")),
                    Quoted(taken),
                ),
                format!("set it as label {} of the Dataplane", keys::WORKLOAD),
            )
        }
    }
}
