//! `kuma-workload plan`: what admission would say and what `run` would do, before either is enabled.
//!
//! ```text
//! files ─ input ─▶ documents ─ object ─┐                        ┌─▶ admission   (World asks for it)
//!                                      ├─▶ Inventory ─ subject ─┼─▶ workloads   (Roster decides)
//! API server ─ live ───────────────────┘                        ├─▶ namespaces  ├─▶ Report ─ show ─▶
//!                                                               └─▶ identities, universal
//! ```
//!
//! The rules are the rulebook's, and so are the decisions: what is here reads, asks and tells.

pub mod admission;
pub mod diagnose;
pub mod finding;
pub mod identities;
pub mod input;
pub mod inventory;
pub mod live;
pub mod namespaces;
pub mod object;
pub mod report;
pub mod settings;
pub mod show;
pub mod subject;
pub mod universal;
pub mod workloads;
pub mod world;

use std::{
    io::{self, BufWriter, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use kuma_workload_rulebook::{
    admission::Settings,
    mesh,
    roster::Mode,
    spiffe::{self, ControlPlane, Proxy},
};

use self::{
    finding::{Finding, Severity},
    identities::Identities,
    input::Fault,
    inventory::{Inventory, full_name},
    object::{Found, Reader},
    report::{DataplaneReport, FindingReport, PlaceReport, PodReport, Report, Sourced, Summary},
    show::Output,
    subject::{Naming, Subject},
    workloads::Identifiers,
    world::World,
};
use crate::client::Connection;

/// What the plan is made of, and how it is told.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0, nothing found that counts (--fail-on); 1, something was; 2, something cannot be \
read: then nothing is planned, and all that cannot be read is told on the standard error.

Without --settings, objects are judged as by the example policies: one mesh per namespace (observed, \
deny), updates by membership, alreadySplit warn.")]
pub struct Options {
    /// Manifests: files, folders (to their depth: .yaml, .yml, .json), or - for the standard input.
    #[arg(value_name = "PATH", required_unless_present = "cluster")]
    paths: Vec<PathBuf>,
    /// Read the cluster instead; nothing is ever written.
    #[arg(long, conflicts_with = "paths")]
    cluster: bool,
    /// Only this namespace (and Meshes and MeshIdentities, which count for it).
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// The namespace of manifests that name none.
    #[arg(long, value_name = "NAME", default_value = "default")]
    default_namespace: String,
    /// The settings of the policy, or a ClusterAdmissionPolicy or AdmissionPolicy with them.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The control plane's workloadLabels, in its order; they replace those of the settings.
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    workload_labels: Option<Vec<String>>,
    /// Whether a Pod's annotation kuma.io/workload names its workload; Kuma ignores it.
    #[arg(long, value_enum, default_value_t = PodAnnotation::Ignore)]
    pod_annotation: PodAnnotation,
    /// Where workloads of Dataplanes come from: their annotation alone (control plane 2.13 and
    /// later), or the Pods where it is missing.
    #[arg(long, value_enum, default_value_t = Identifiers::Dataplanes)]
    identifiers: Identifiers,
    /// The zone of the control plane: for SPIFFE IDs (without it, default) and the labels of
    /// Universal's Workloads.
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// Where the control plane runs, which decides a SPIFFE ID's default path. Without it,
    /// kubernetes for Kubernetes objects and universal for Universal documents.
    #[arg(long, value_enum)]
    environment: Option<Environment>,
    /// The form of the report; github prints findings as annotations.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    /// The severity from which on findings make the exit status 1.
    #[arg(long, value_enum, default_value_t = FailOn::Warning)]
    fail_on: FailOn,
    #[command(flatten)]
    connection: Connection,
}

/// Whether a Pod's annotation names its workload (W7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PodAnnotation {
    /// As the Kong page says.
    Honor,
    /// As Kuma does.
    Ignore,
}

/// Where the control plane runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Environment {
    /// Dataplanes are made from Pods.
    Kubernetes,
    /// Dataplanes are documents.
    Universal,
}

impl From<Environment> for spiffe::Environment {
    fn from(environment: Environment) -> Self {
        match environment {
            Environment::Kubernetes => Self::Kubernetes,
            Environment::Universal => Self::Universal,
        }
    }
}

/// Which findings count for the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// None.
    Never,
}

impl FailOn {
    fn counts(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity == Severity::Error,
            Self::Warning => severity <= Severity::Warning,
            Self::Never => false,
        }
    }
}

const FINDINGS: u8 = 1;
const BAD_INPUT: u8 = 2;

/// Plans, and prints the plan.
pub fn main(options: &Options) -> ExitCode {
    let report = match plan(options) {
        Ok(report) => report,
        Err(faults) => {
            let told = tell(&faults, options.output);
            return written(told, ExitCode::from(BAD_INPUT));
        }
    };
    let counts = |finding: &FindingReport| options.fail_on.counts(finding.severity);
    let status = match report.findings.iter().any(counts) {
        true => ExitCode::from(FINDINGS),
        false => ExitCode::SUCCESS,
    };
    let stdout = io::stdout().lock();
    let colours = wants_colours(stdout.is_terminal());
    let mut to = BufWriter::new(stdout);
    let shown = show::report(&report, options.output, colours, &mut to).and_then(|()| to.flush());
    written(shown, status)
}

/// A reader that went away has seen enough.
fn written(result: io::Result<()>, status: ExitCode) -> ExitCode {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            // Nothing more can be done if this cannot be written either.
            let _ = writeln!(io::stderr(), "the report cannot be written: {error}");
            ExitCode::from(BAD_INPUT)
        }
        _ => status,
    }
}

fn wants_colours(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn tell(faults: &[Fault], output: Output) -> io::Result<()> {
    if output == Output::Github {
        return show::faults(faults, output, &mut io::stdout().lock());
    }
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        diagnose::write(faults, wants_colours(true), &mut stderr)
    } else {
        show::faults(faults, output, &mut stderr)
    }
}

fn plan(options: &Options) -> Result<Report, Vec<Fault>> {
    let labels = options.workload_labels.as_deref();
    let settings = settings::read(options.settings.as_deref(), labels);
    let read = if options.cluster {
        read_cluster(options)
    } else {
        read_files(options)
    };
    match (settings, read) {
        (Ok(settings), Ok(inventory)) => Ok(make(inventory, &settings, options)),
        (settings, read) => {
            let mut faults: Vec<_> = settings.err().into_iter().collect();
            faults.extend(read.err().into_iter().flatten());
            Err(faults)
        }
    }
}

fn read_files(options: &Options) -> Result<Inventory, Vec<Fault>> {
    let (files, mut faults) = input::files(&options.paths);
    let progress = progress(files.len() as u64, "{bar:40} {pos}/{len} files");
    let found = input::on_all_cores(&files, |file| {
        let name = input::name(file);
        let reader = Reader {
            file: Some(&name),
            default_namespace: &options.default_namespace,
        };
        let mut found = Found::default();
        for document in input::documents(file) {
            match document {
                Ok(node) => reader.document(&node, &mut found),
                Err(fault) => found.faults.push(fault),
            }
        }
        progress.inc(1);
        found
    });
    progress.finish_and_clear();
    let mut inventory = Inventory {
        only: options.namespace.clone(),
        ..Inventory::default()
    };
    for mut found in found {
        faults.append(&mut found.faults);
        inventory.take(found);
    }
    if faults.is_empty() {
        Ok(inventory)
    } else {
        Err(faults)
    }
}

fn read_cluster(options: &Options) -> Result<Inventory, Vec<Fault>> {
    let fault = |sentence: String| vec![Fault::of_file("the cluster", sentence)];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| fault(format!("no thread for it can be started: {error}")))?;
    let progress = progress(0, "{spinner} {pos} objects");
    let mut inventory = Inventory {
        only: options.namespace.clone(),
        ..Inventory::default()
    };
    let read = runtime.block_on(async {
        let client = options.connection.client().await?;
        let only = options.namespace.as_deref();
        live::read(&client, only, &mut inventory, |more| progress.inc(more)).await
    });
    progress.finish_and_clear();
    read.map_err(|failure| fault(failure.to_string()))?;
    Ok(inventory)
}

/// A bar on a terminal; in a pipe, nothing.
fn progress(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Puts the same questions to the rulebook that admission and `run` put.
fn make(mut inventory: Inventory, settings: &Settings<'static>, options: &Options) -> Report {
    let mut findings = std::mem::take(&mut inventory.findings);
    let naming = Naming {
        settings,
        honor_annotation: options.pod_annotation == PodAnnotation::Honor,
    };
    let subjects = subject::all(&inventory, naming);
    let world = World::new(&inventory, &subjects);
    let zone = options.zone.as_deref();
    let control_plane = |environment: spiffe::Environment| ControlPlane {
        environment: options.environment.map_or(environment, Into::into),
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
        options.identifiers,
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

fn of_dataplane(dataplane: &object::Dataplane) -> DataplaneReport {
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
) -> Option<report::IdentityReport> {
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
    dataplane: &object::Dataplane,
    called: &str,
    identities: &mut Identities<'_>,
) -> Option<report::IdentityReport> {
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

#[cfg(test)]
mod tests;
