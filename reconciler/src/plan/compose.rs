//! The report: the same questions put to the rulebook that admission and `run` put.

use kuma_workload_rulebook::{
    admission::Settings,
    mesh,
    roster::Mode,
    spiffe::{self, ControlPlane, Proxy},
};

use super::{
    admission,
    finding::{Finding, Severity},
    identities::{self, Identities},
    inventory::{Inventory, full_name},
    namespaces,
    object::Dataplane,
    report::{
        DataplaneReport, FindingReport, IdentityReport, PlaceReport, PodReport, Report, Sourced,
        Summary,
    },
    subject::{self, Naming, Subject},
    universal,
    workloads::{self, Identifiers},
    world::World,
};

/// What is known beside what was read.
#[derive(Debug, Clone, Copy)]
pub struct Given<'g> {
    /// The policy's settings.
    pub settings: &'g Settings<'static>,
    /// Whether the annotation of Pods is honoured (W7).
    pub honor_annotation: bool,
    /// Where workloads of Dataplanes come from (W8).
    pub identifiers: Identifiers,
    /// The control plane's zone.
    pub zone: Option<&'g str>,
    /// Where the control plane runs; else each document's form tells.
    pub environment: Option<spiffe::Environment>,
}

/// The plan of what was read.
pub fn report(mut inventory: Inventory, given: &Given<'_>) -> Report {
    let Given { settings, zone, .. } = *given;
    let mut findings = std::mem::take(&mut inventory.findings);
    let naming = Naming {
        settings,
        honor_annotation: given.honor_annotation,
    };
    let subjects = subject::all(&inventory, naming);
    let world = World::new(&inventory, &subjects);
    let control_plane = |environment: spiffe::Environment| ControlPlane {
        environment: given.environment.unwrap_or(environment),
        zone: zone.unwrap_or("default"),
    };
    let kubernetes = control_plane(spiffe::Environment::Kubernetes);
    let mut identities = Identities::new(&inventory.identities, kubernetes);
    let mut pods: Vec<_> = subjects
        .iter()
        .enumerate()
        .map(|(number, subject)| PodReport {
            admission: Some(admission::judge(
                number,
                subject,
                &inventory,
                settings,
                &world,
                &mut findings,
            )),
            identity: match subject.facts.finished {
                true => None,
                false => identity(subject, &mut identities, kubernetes.zone),
            },
            ..of_subject(subject)
        })
        .collect();
    for namespace in inventory.namespaces.values() {
        admission::judge_namespace(namespace, settings, &world, &mut findings);
    }
    pods.extend(without_pods(&inventory, &mut identities));
    pods.sort_by(|one, other| {
        let order = |pod: &PodReport| (pod.namespace.clone(), pod.kind, pod.name.clone());
        order(one).cmp(&order(other))
    });
    findings.extend(identities.into_findings());

    let references = workloads::references(
        &inventory,
        &subjects,
        naming,
        given.identifiers,
        &mut findings,
    );
    workloads::check_dataplanes(&inventory, &subjects, &mut findings);
    let (workloads, mode) = workloads::plan(&inventory, &references, &mut findings);
    let namespaces = namespaces::plan(&inventory, &subjects, settings, &mut findings);
    let control_plane = control_plane(spiffe::Environment::Universal);
    let mut identities = Identities::new(&inventory.universal_identities, control_plane);
    let universal = universal::plan(&inventory, zone, &mut identities, &mut findings);
    findings.extend(identities.into_findings());
    findings.sort();
    findings.dedup();
    Report {
        schema: 1,
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
    }
}

fn summary(inventory: &Inventory, findings: &[Finding]) -> Summary {
    let count = |severity| {
        let same = findings.iter().filter(|one| one.severity == severity);
        same.count()
    };
    Summary {
        objects: inventory.read,
        skipped: inventory.skipped,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
    }
}

/// The report of a Pod or template, but for what others say of it.
fn of_subject(subject: &Subject<'_>) -> PodReport {
    PodReport {
        kind: subject.kind(),
        namespace: subject.named.namespace.clone(),
        name: subject.named.name.clone(),
        meshed: subject.mesh.is_some(),
        reason: subject.reason.to_string(),
        finished: subject.facts.finished,
        mesh: subject.mesh.map(|mesh| Sourced {
            name: mesh.name.to_owned(),
            source: namespaces::source(mesh.source).to_owned(),
        }),
        workload: subject.workload.map(|workload| Sourced {
            name: workload.name.to_owned(),
            source: workload.source.to_string(),
        }),
        dataplane: subject.dataplane.map(of_dataplane),
        admission: None,
        identity: None,
        place: subject.named.place.as_ref().map(PlaceReport::from),
    }
}

fn of_dataplane(dataplane: &Dataplane) -> DataplaneReport {
    DataplaneReport {
        mesh: mesh::of_dataplane(dataplane.mesh.as_deref()).to_owned(),
        workload: dataplane.stored().map(str::to_owned),
    }
}

/// The identity of a proxy that is there, or is to come.
fn identity(
    subject: &Subject<'_>,
    identities: &mut Identities<'_>,
    zone: &str,
) -> Option<IdentityReport> {
    let called = format!("{} {}", subject.kind(), full_name(subject.named));
    if let Some(dataplane) = subject.dataplane {
        return identity_of_dataplane(dataplane, &called, identities);
    }
    let mesh = subject.mesh.filter(|mesh| identities.has(mesh.name))?.name;
    let labels = identities::labels_to_come(subject, mesh, zone);
    let labels = &labels;
    identities.of(&Proxy { mesh, labels }, &called)
}

fn identity_of_dataplane(
    dataplane: &Dataplane,
    called: &str,
    identities: &mut Identities<'_>,
) -> Option<IdentityReport> {
    let mesh = mesh::of_dataplane(dataplane.mesh.as_deref());
    if !identities.has(mesh) {
        return None;
    }
    let labels = identities::labels_of_dataplane(dataplane, dataplane.stored());
    let labels = &labels;
    identities.of(&Proxy { mesh, labels }, called)
}

/// Dataplanes whose Pods were not read.
fn without_pods(inventory: &Inventory, identities: &mut Identities<'_>) -> Vec<PodReport> {
    let dataplanes = inventory.dataplanes.values();
    let alone = dataplanes.filter(|dataplane| {
        let named = &dataplane.named;
        workloads::is_at_home(dataplane) && inventory.pod(&named.namespace, &named.name).is_none()
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
                namespace: dataplane.named.namespace.clone(),
                name: dataplane.named.name.clone(),
                meshed: true,
                reason: "it has a Dataplane".to_owned(),
                finished: false,
                mesh: Some(sourced(told.mesh.clone())),
                workload: told.workload.clone().map(sourced),
                dataplane: Some(told),
                admission: None,
                identity: identity_of_dataplane(dataplane, &called, identities),
                place: dataplane.named.place.as_ref().map(PlaceReport::from),
            }
        })
        .collect()
}
