//! The report: the same questions put to the rulebook that admission and `run` put.

use kuma_workload_rulebook::{
    mesh,
    roster::Mode,
    spiffe::{self, ControlPlane, ProxyFacts},
};

use super::{
    admission,
    finding::{Finding, Severity},
    identities::{self, Identities},
    inventory::{Inventory, full_name},
    left_out,
    manifest::DataplaneManifest,
    namespaces,
    options::Options,
    planned_cluster::PlannedCluster,
    pod_source::{self, Naming, PodSource},
    report::{DataplaneReport, FindingReport, IdentityReport, PodReport, Report, Sourced, Summary},
    settings, universal, workloads,
};

/// The version of the report's schema.
const SCHEMA: u32 = 1;

/// The plan of what was read. Where the settings cannot be read, nothing is planned: the report has
/// only what is wrong.
pub fn report(mut inventory: Inventory, options: &Options<'_>) -> Report {
    let settings = match settings::read(options) {
        Ok(settings) => settings,
        Err(fault) => {
            inventory.faults.insert(0, fault);
            return only_faults(inventory);
        }
    };
    inventory.settle();
    let zone = options.zone.as_deref();
    let mut findings = std::mem::take(&mut inventory.findings);
    let naming = Naming {
        settings: &settings,
        pod_annotation: options.pod_annotation,
    };
    let pod_sources = pod_source::all(&inventory, naming);
    let cluster = PlannedCluster::new(&inventory, &pod_sources);
    let control_plane = |environment: spiffe::Environment| ControlPlane {
        environment: options.environment.unwrap_or(environment),
        zone: zone.unwrap_or("default"),
    };
    let kubernetes = control_plane(spiffe::Environment::Kubernetes);
    let mut identities = Identities::new(&inventory.identities, kubernetes);
    let mut pods: Vec<_> = pod_sources
        .iter()
        .enumerate()
        .map(|(number, pod_source)| PodReport {
            admission: Some(admission::judge(
                number,
                pod_source,
                &inventory,
                &settings,
                &cluster,
                &mut findings,
            )),
            identity: match pod_source.facts.finished {
                true => None,
                false => identity(pod_source, &mut identities, kubernetes.zone),
            },
            ..of_subject(pod_source)
        })
        .collect();
    for namespace in inventory.namespaces.values() {
        admission::judge_namespace(namespace, &settings, &cluster, &mut findings);
    }
    pods.extend(without_pods(&inventory, &mut identities));
    pods.sort_by(|one, other| {
        let order = |pod: &PodReport| (pod.namespace.clone(), pod.kind, pod.name.clone());
        order(one).cmp(&order(other))
    });
    findings.extend(identities.into_findings());

    let references = workloads::references(
        &inventory,
        &pod_sources,
        naming,
        options.identifiers,
        &mut findings,
    );
    workloads::check_dataplanes(&inventory, &pod_sources, &mut findings);
    let (workloads, mode) = workloads::plan(&inventory, &references, &mut findings);
    let namespaces = namespaces::plan(&inventory, &pod_sources, &settings, &mut findings);
    let control_plane = control_plane(spiffe::Environment::Universal);
    let mut identities = Identities::new(&inventory.universal_identities, control_plane);
    let universal = universal::plan(&inventory, zone, &mut identities, &mut findings);
    findings.extend(identities.into_findings());
    let notes = left_out::notes(&inventory, &findings);
    findings.extend(notes);
    findings.sort();
    findings.dedup();
    Report {
        schema: SCHEMA,
        summary: summary(&inventory, &findings),
        mode: match mode {
            Mode::Manage => "manage",
            Mode::Observe | Mode::Yield => "observe",
        },
        namespaces,
        workloads,
        pods,
        universal,
        findings: findings.iter().map(FindingReport::from).collect(),
        skipped_kinds: left_out::kinds(&inventory),
        faults: inventory.faults,
    }
}

fn only_faults(inventory: Inventory) -> Report {
    Report {
        schema: SCHEMA,
        summary: summary(&inventory, &[]),
        mode: "manage",
        namespaces: Vec::new(),
        workloads: Vec::new(),
        pods: Vec::new(),
        universal: None,
        findings: Vec::new(),
        skipped_kinds: left_out::kinds(&inventory),
        faults: inventory.faults,
    }
}

fn summary(inventory: &Inventory, findings: &[Finding]) -> Summary {
    let count = |severity| {
        let same = findings.iter().filter(|one| one.severity == severity);
        same.count()
    };
    Summary {
        objects: inventory.read,
        skipped: left_out::count(inventory),
        passed_over: inventory.passed_over,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        faults: inventory.faults.len(),
    }
}

/// The report of a Pod or template, but for what others say of it.
fn of_subject(pod_source: &PodSource<'_>) -> PodReport {
    PodReport {
        kind: pod_source.kind(),
        namespace: pod_source.named.namespace().to_owned(),
        name: pod_source.named.name.as_str().to_owned(),
        meshed: pod_source.mesh.is_some(),
        reason: pod_source.reason.to_string(),
        finished: pod_source.facts.finished,
        mesh: pod_source.mesh.map(|mesh| Sourced {
            name: mesh.name.to_owned(),
            source: namespaces::source(mesh.source).to_owned(),
        }),
        workload: pod_source.workload.map(|workload| Sourced {
            name: workload.name.to_owned(),
            source: workload.source.to_string(),
        }),
        dataplane: pod_source.dataplane.map(of_dataplane),
        admission: None,
        identity: None,
        place: pod_source.named.place.clone(),
    }
}

fn of_dataplane(dataplane: &DataplaneManifest) -> DataplaneReport {
    DataplaneReport {
        mesh: mesh::of_dataplane(dataplane.mesh.as_deref()).to_owned(),
        workload: dataplane.stored().map(str::to_owned),
    }
}

/// The identity of a proxy that is there, or is to come.
fn identity(
    pod_source: &PodSource<'_>,
    identities: &mut Identities<'_>,
    zone: &str,
) -> Option<IdentityReport> {
    let called = format!("{} {}", pod_source.kind(), full_name(pod_source.named));
    if let Some(dataplane) = pod_source.dataplane {
        return identity_of_dataplane(dataplane, &called, identities);
    }
    let mesh = pod_source
        .mesh
        .filter(|mesh| identities.has(mesh.name))?
        .name;
    let labels = identities::labels_to_come(pod_source, mesh, zone);
    let labels = &labels;
    identities.of(&ProxyFacts { mesh, labels }, &called)
}

fn identity_of_dataplane(
    dataplane: &DataplaneManifest,
    called: &str,
    identities: &mut Identities<'_>,
) -> Option<IdentityReport> {
    let mesh = mesh::of_dataplane(dataplane.mesh.as_deref());
    if !identities.has(mesh) {
        return None;
    }
    let labels = identities::labels_of_dataplane(dataplane, dataplane.stored());
    let labels = &labels;
    identities.of(&ProxyFacts { mesh, labels }, called)
}

/// Dataplanes whose Pods were not read.
fn without_pods(inventory: &Inventory, identities: &mut Identities<'_>) -> Vec<PodReport> {
    let dataplanes = inventory.dataplanes.values();
    let alone = dataplanes.filter(|dataplane| {
        let named = &dataplane.named;
        dataplane.is_local()
            && inventory
                .pod(named.namespace(), named.name.as_str())
                .is_none()
    });
    alone
        .map(|dataplane| {
            let told = of_dataplane(dataplane);
            let sourced = |name: String| Sourced {
                name,
                source: "dataplane".to_owned(),
            };
            let called = format!("Dataplane {}", full_name(&dataplane.named));
            PodReport {
                kind: "Dataplane",
                namespace: dataplane.named.namespace().to_owned(),
                name: dataplane.named.name.as_str().to_owned(),
                meshed: true,
                reason: "it has a Dataplane".to_owned(),
                finished: false,
                mesh: Some(sourced(told.mesh.clone())),
                workload: told.workload.clone().map(sourced),
                dataplane: Some(told),
                admission: None,
                identity: identity_of_dataplane(dataplane, &called, identities),
                place: dataplane.named.place.clone(),
            }
        })
        .collect()
}
