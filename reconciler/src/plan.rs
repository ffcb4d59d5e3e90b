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
pub mod compose;
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
use kuma_workload_rulebook::{admission::Settings, spiffe};

use self::{
    compose::Given,
    finding::Severity,
    input::Fault,
    inventory::Inventory,
    object::{Found, Reader},
    report::{FindingReport, Report},
    show::Output,
    workloads::Identifiers,
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

impl Options {
    /// What the flags say beside what was read.
    fn given<'g>(&'g self, settings: &'g Settings<'static>) -> Given<'g> {
        Given {
            settings,
            honor_annotation: self.pod_annotation == PodAnnotation::Honor,
            identifiers: self.identifiers,
            zone: self.zone.as_deref(),
            environment: self.environment.map(Into::into),
        }
    }
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
        (Ok(settings), Ok(inventory)) => Ok(compose::report(inventory, &options.given(&settings))),
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

/// So many files are few.
const FEW: u64 = 500;

/// A bar on a terminal; in a pipe, nothing.
fn progress(length: u64, template: &str) -> ProgressBar {
    // What is read in a moment needs none.
    if (1..FEW).contains(&length) {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

#[cfg(test)]
mod tests;
