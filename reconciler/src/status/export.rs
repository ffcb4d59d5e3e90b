//! What `--from` reads, in the place of a cluster: what kubectl and kumactl print, of control planes
//! on Kubernetes and Universal.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use kuma_workload_plan::{
    Code, Inventory, Options,
    manifest::{Home, UniversalDataplaneManifest},
    read::Fault,
};
use kuma_workload_rulebook::{
    keys,
    quoted::Quoted,
    roster::{DataplaneRecord, ExistingWorkload, InsightRecord, Key, Roster},
    universal::{self, LabelOrTag},
};

use super::row::{Reported, Row};
use crate::plan::files;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Export {
    /// The workloads, Kubernetes' first.
    pub(super) rows: Vec<Row>,
    /// What there is to say of the reading.
    pub(super) warnings: Vec<String>,
    /// What cannot be read.
    pub(super) faults: Vec<Fault>,
}

/// Reads these paths; of Kubernetes' objects, those of one namespace if it is given.
pub(super) fn read(paths: &[PathBuf], namespace: Option<&str>) -> Export {
    let options = Options {
        namespace: namespace.map(str::to_owned),
        insights: true,
        ..Options::default()
    };
    let mut inventory = Inventory::default();
    let (files, faults) = files::files(paths, &[]);
    faults.into_iter().for_each(|fault| inventory.fault(fault));
    for file in &files {
        match file.find(&options) {
            Ok(found) => inventory.take(found, &options),
            Err(fault) => inventory.fault(fault),
        }
    }
    if inventory.is_empty() {
        inventory.fault(files::nothing(paths, &files));
    }
    export(&inventory)
}

fn export(inventory: &Inventory) -> Export {
    let mut rows = of_kubernetes(inventory);
    rows.extend(of_universal(inventory));
    Export {
        rows,
        warnings: warnings(inventory),
        faults: inventory.faults().to_vec(),
    }
}

fn of_kubernetes(inventory: &Inventory) -> Vec<Row> {
    let mut roster = Roster::default();
    for dataplane in inventory.dataplanes() {
        roster.apply(&dataplane.facts());
    }
    for insight in inventory.insights() {
        if let Home::Namespace(namespace) = &insight.named.home {
            roster.apply_insight(&InsightRecord {
                namespace,
                name: insight.named.name.as_str(),
                mesh: insight.mesh.as_deref(),
                online: insight.online,
            });
        }
    }
    let workloads: BTreeMap<_, _> = inventory
        .workloads()
        .map(|workload| {
            let key = key(workload.named.namespace(), workload.named.name.as_str());
            let existing = Reported {
                facts: workload.facts(),
                reported: workload.reported.map(Into::into),
            };
            (key, existing)
        })
        .collect();
    let keys = all_keys(&roster, workloads.keys());
    let rows = keys
        .iter()
        .map(|key| Row::of(&roster, key, workloads.get(key)));
    rows.flatten().collect()
}

/// By the same roster, in which the mesh is the namespace: there, a name is another Workload in each
/// mesh (U1).
fn of_universal(inventory: &Inventory) -> Vec<Row> {
    let mut roster = Roster::default();
    for dataplane in inventory.universal_dataplanes() {
        let mesh = dataplane.named.mesh();
        let identifier = universal::identifier(&dataplane.facts());
        roster.apply(&DataplaneRecord {
            namespace: mesh,
            name: dataplane.named.name.as_str(),
            workload: identifier.map(|(name, _)| name),
            mesh: Some(mesh),
            local: dataplane.is_local(),
            inbounds: dataplane.inbounds,
        });
    }
    for insight in inventory.insights() {
        if let Home::Mesh(mesh) = &insight.named.home {
            roster.apply_insight(&InsightRecord {
                namespace: mesh,
                name: insight.named.name.as_str(),
                mesh: Some(mesh),
                online: insight.online,
            });
        }
    }
    let workloads: BTreeMap<_, _> = inventory
        .universal_workloads()
        .map(|workload| {
            let key = key(workload.named.mesh(), workload.named.name.as_str());
            let existing = Reported {
                facts: ExistingWorkload {
                    managed_by: workload.labels.get(keys::MANAGED_BY),
                    ..ExistingWorkload::default()
                },
                reported: workload.reported.map(Into::into),
            };
            (key, (existing, !workload.is_local()))
        })
        .collect();
    let keys = all_keys(&roster, workloads.keys());
    let rows = keys.iter().map(|key| {
        let (existing, is_copy) = workloads
            .get(key)
            .map_or((None, false), |(one, is_copy)| (Some(one), *is_copy));
        Row::of_universal(&roster, key, existing, is_copy)
    });
    rows.flatten().collect()
}

fn key(namespace: &str, workload: &str) -> Key {
    Key {
        namespace: namespace.to_owned(),
        workload: workload.to_owned(),
    }
}

fn all_keys<'k>(roster: &Roster, existing: impl Iterator<Item = &'k Key>) -> BTreeSet<Key> {
    roster.keys().chain(existing.cloned()).collect()
}

/// What somebody has to know who looks at the numbers.
fn warnings(inventory: &Inventory) -> Vec<String> {
    let said = [Code::UnknownObject, Code::Unread].map(Code::name);
    let unread = inventory.findings().into_iter();
    let unread = unread.filter(|one| said.contains(&one.code));
    let unread = unread.map(|one| {
        let place = one.place.as_ref().map(|place| format!("{place}: "));
        format!(
            "{}{}; {}",
            place.unwrap_or_default(),
            one.message,
            one.remedy
        )
    });
    let tags = inventory.universal_dataplanes().filter_map(tag_read);
    let has_proxies = inventory.dataplanes().any(|one| one.is_local())
        || inventory.universal_dataplanes().any(|one| one.is_local());
    let without_insights = has_proxies && inventory.insights().next().is_none();
    let without_insights = without_insights.then(|| {
        "no DataplaneInsight was given, so no proxy counts as connected; give what \
         `kubectl get dataplaneinsights -A -o json` or `kumactl inspect dataplanes -o json` prints"
            .to_owned()
    });
    unread.chain(tags).chain(without_insights).collect()
}

fn tag_read(dataplane: &UniversalDataplaneManifest) -> Option<String> {
    let facts = dataplane.facts();
    let (workload, LabelOrTag::Tag) = universal::identifier(&facts)? else {
        return None;
    };
    Some(format!(
        "Dataplane {} names workload {} by a tag of an inbound, which Kuma does not read",
        Quoted(&format!("{}/{}", dataplane.named.mesh(), facts.name)),
        Quoted(workload)
    ))
}
