//! The report: the same questions put to the rulebook that admission and `run` put.

use kuma_workload_rulebook::{
    mesh,
    roster::Mode,
    spiffe::{self, ControlPlane, ProxyFacts},
};

use super::{
    admission, applications, controller,
    finding::{self, Member, Severity},
    identities::{self, Asked, Identities},
    inventory::Inventory,
    kuma3, left_out,
    manifest::DataplaneManifest,
    namespaces,
    options::{Options, Target},
    planned_cluster::PlannedCluster,
    pod_source::{self, Naming, PodSource},
    report::{DataplaneReport, FindingReport, IdentityReport, PodReport, Report, Sourced, Summary},
    settings, universal,
    why::{self, Walk},
    workload_writers, workloads,
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
    let sources = pod_source::all(&inventory, naming);
    let cluster = PlannedCluster::new(&inventory, &sources);
    let control_plane = |environment: spiffe::Environment| ControlPlane {
        environment: options.environment.unwrap_or(environment),
        zone: zone.unwrap_or("default"),
    };
    let kubernetes = control_plane(spiffe::Environment::Kubernetes);
    let mut identities = Identities::new(&inventory.identities, kubernetes, options.target);
    let mut pods: Vec<_> = sources
        .iter()
        .enumerate()
        .map(|(number, source)| {
            let (admission, steps) = admission::judge(
                number,
                source,
                &inventory,
                &settings,
                &cluster,
                &mut findings,
                options.why,
            );
            PodReport {
                admission: Some(admission),
                identity: match source.facts.finished {
                    true => None,
                    false => identity(source, &mut identities, kubernetes.zone),
                },
                why: match options.why {
                    true => why::facts::of_pod(source).with(steps),
                    false => Walk::default(),
                },
                ..pod_report(source)
            }
        })
        .collect();
    for namespace in inventory.namespaces.values() {
        admission::judge_namespace(namespace, &settings, &cluster, &mut findings);
    }
    pods.extend(without_pods(&inventory, &mut identities, options.why));
    pods.sort_by(|one, other| {
        let one = (&one.namespace, one.kind, &one.name);
        one.cmp(&(&other.namespace, other.kind, &other.name))
    });
    findings.extend(identities.into_findings());

    let references = workloads::references(
        &inventory,
        &sources,
        naming,
        options.identifiers,
        &mut findings,
    );
    workloads::check_dataplanes(&inventory, &sources, &mut findings);
    workload_writers::check(&inventory, &sources, &settings, &cluster, &mut findings);
    let (workloads, mode) = workloads::plan(&inventory, &references, &settings, &mut findings);
    applications::sharing_a_workload(&sources, &mut findings);
    let namespaces = namespaces::plan(&inventory, &sources, &settings, &mut findings);
    let mut identities = Identities::new(
        &inventory.universal_identities,
        control_plane(spiffe::Environment::Universal),
        options.target,
    );
    let universal = universal::plan(&inventory, zone, &mut identities, &mut findings);
    findings.extend(identities.into_findings());
    if options.target == Target::Kuma3 {
        kuma3::changes(&inventory, &sources, &mut findings);
    }
    let notes = left_out::notes(&inventory, &findings);
    findings.extend(notes);
    let findings = finding::group::grouped(findings);
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
        findings,
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

fn summary(inventory: &Inventory, findings: &[FindingReport]) -> Summary {
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

/// The report of a Pod or template, without its admission and identity.
fn pod_report(source: &PodSource<'_>) -> PodReport {
    PodReport {
        kind: source.kind(),
        namespace: source.named.namespace().to_owned(),
        name: source.named.name.as_str().to_owned(),
        meshed: source.mesh.is_some(),
        reason: source.reason.to_string(),
        finished: source.facts.finished,
        mesh: source.mesh.map(|mesh| Sourced {
            name: mesh.name.to_owned(),
            source: namespaces::source(mesh.source).to_owned(),
        }),
        workload: source.workload.map(|workload| Sourced {
            name: workload.name.to_owned(),
            source: workload.source.to_string(),
        }),
        dataplane: source.dataplane.map(dataplane_report),
        admission: None,
        identity: None,
        why: Walk::default(),
        place: source.named.place.clone(),
    }
}

fn dataplane_report(dataplane: &DataplaneManifest) -> DataplaneReport {
    DataplaneReport {
        mesh: mesh::of_dataplane(dataplane.mesh.as_deref()).to_owned(),
        workload: dataplane.stored().map(str::to_owned),
    }
}

/// The identity of a proxy that is there, or is to come.
fn identity(
    source: &PodSource<'_>,
    identities: &mut Identities<'_>,
    zone: &str,
) -> Option<IdentityReport> {
    let place = source.named.place.as_ref();
    if let Some(dataplane) = source.dataplane {
        return identity_of_dataplane(dataplane, source.member(place), identities);
    }
    let mesh = source.mesh.filter(|mesh| identities.has(mesh.name))?.name;
    let labels = identities::labels_to_come(source, mesh, zone);
    let labels = &labels;
    identities.of(Asked {
        proxy: ProxyFacts { mesh, labels },
        member: source.member(place),
        place,
    })
}

fn identity_of_dataplane(
    dataplane: &DataplaneManifest,
    member: Member,
    identities: &mut Identities<'_>,
) -> Option<IdentityReport> {
    let mesh = mesh::of_dataplane(dataplane.mesh.as_deref());
    if !identities.has(mesh) {
        return None;
    }
    let labels = identities::labels_of_dataplane(dataplane, dataplane.stored());
    let labels = &labels;
    identities.of(Asked {
        proxy: ProxyFacts { mesh, labels },
        member,
        place: dataplane.named.place.as_ref(),
    })
}

/// Dataplanes whose Pods were not read.
fn without_pods(
    inventory: &Inventory,
    identities: &mut Identities<'_>,
    why: bool,
) -> Vec<PodReport> {
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
            let report = dataplane_report(dataplane);
            let member = controller::of_dataplane(dataplane, inventory).member("Dataplane");
            let sourced = |name: String| Sourced {
                name,
                source: "dataplane".to_owned(),
            };
            PodReport {
                kind: "Dataplane",
                namespace: dataplane.named.namespace().to_owned(),
                name: dataplane.named.name.as_str().to_owned(),
                meshed: true,
                reason: "it has a Dataplane".to_owned(),
                finished: false,
                mesh: Some(sourced(report.mesh.clone())),
                workload: report.workload.clone().map(sourced),
                why: match why {
                    true => why::facts::of_dataplane(dataplane.named.namespace(), &report),
                    false => Walk::default(),
                },
                dataplane: Some(report),
                admission: None,
                identity: identity_of_dataplane(dataplane, member, identities),
                place: dataplane.named.place.clone(),
            }
        })
        .collect()
}
