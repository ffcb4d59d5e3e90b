//! `kuma-workload plan`: what admission would say and what `run` would do, before either is enabled.
//!
//! The plan is made by the crate `kuma-workload-plan`. What is here reads files and clusters for it,
//! and prints what it says.

mod cluster;
mod diagnose;
pub(crate) mod files;
mod parallel;

use std::{
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, builder::TypedValueParser};
use indicatif::{ProgressBar, ProgressStyle};
use kuma_workload_plan::{
    self as plan, FailOn, Inventory, Report,
    output::{self, Format, Style},
    read::Fault,
};
use kuma_workload_rulebook::{
    identifier::{Identifiers, PodAnnotation},
    spiffe::Environment,
};

use self::files::Pattern;
use crate::{
    arguments::{self, NamespaceFlags, identifiers, pod_annotation},
    client::{Connection, block_on, innermost},
    terminal::Terminal,
};

/// What the plan is made of, and how it is told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  helm template my-chart | kuma-workload plan -
  kustomize build overlays/prod | kuma-workload plan -
  kuma-workload plan manifests/                 Files, and folders to their depth
  kuma-workload plan manifests/ -o github       Annotations of a pull request
  kuma-workload plan --cluster -n team          A namespace of a cluster
  kuma-workload plan --cluster --settings FILE  As a policy in this file would judge it

Exit status: 0, nothing found that counts (--fail-on); 1, something was; 2, something cannot be read: \
it is told on the standard error, and the rest is planned without it. If nothing at all was read, it is \
2 too, but for --allow-empty.

Without --settings, objects are judged as by the example policies: one mesh per namespace (observed, \
deny), updates by membership, alreadySplit warn.")]
pub struct PlanFlags {
    /// Manifests: files, folders (to their depth: .yaml, .yml, .json), or - for the standard input.
    #[arg(value_name = "PATH", required_unless_present = "cluster")]
    paths: Vec<PathBuf>,
    /// Leave out of folders what a line of a .gitignore in them would; may be given several times.
    /// A file .kuma-workload-ignore says the same of its folder.
    #[arg(long, value_name = "GLOB", value_parser = files::pattern, conflicts_with = "cluster")]
    exclude: Vec<Pattern>,
    /// Accept input without any object: the exit status is then 0, and not 2.
    #[arg(long, conflicts_with = "cluster")]
    allow_empty: bool,
    /// Read the cluster instead; nothing is ever written.
    #[arg(long, conflicts_with = "paths")]
    cluster: bool,
    #[command(flatten)]
    scope: NamespaceFlags,
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
    #[arg(long, value_name = "HOW", default_value = "ignore", value_parser = pod_annotation())]
    pod_annotation: PodAnnotation,
    /// Where workloads of Dataplanes come from: their annotation alone (control plane 2.13 and
    /// later), or the Pods where it is missing.
    #[arg(long, value_name = "FROM", default_value = "dataplanes", value_parser = identifiers())]
    identifiers: Identifiers,
    /// The zone of the control plane: for SPIFFE IDs (without it, default) and the labels of
    /// Universal's Workloads.
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// Where the control plane runs, which decides a SPIFFE ID's default path. Without it,
    /// kubernetes for Kubernetes objects and universal for Universal documents.
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment())]
    environment: Option<Environment>,
    /// The Kuma that the plan is made for: with kuma3, what changes there silently is found too.
    #[arg(long, value_name = "KUMA", default_value = "current", value_parser = target())]
    target: plan::Target,
    /// Say of each Pod by which rules it has its mesh, its workload and its verdict, step by step.
    #[arg(long)]
    why: bool,
    /// The form of the report; github prints findings as annotations.
    #[arg(short, long, value_name = "FORM", default_value = "table", value_parser = format())]
    output: Format,
    /// The severity from which on findings make the exit status 1.
    #[arg(long, value_name = "SEVERITY", default_value = "warning", value_parser = fail_on())]
    fail_on: FailOn,
    /// Say which kinds were skipped, and which files were passed over.
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    terminal: Terminal,
    #[command(flatten)]
    connection: Connection,
}

fn format() -> impl TypedValueParser<Value = Format> {
    arguments::one_of(Format::ALL)
}

fn target() -> impl TypedValueParser<Value = plan::Target> {
    arguments::one_of(plan::Target::ALL)
}

fn environment() -> impl TypedValueParser<Value = Environment> {
    arguments::one_of(Environment::ALL)
}

fn fail_on() -> impl TypedValueParser<Value = FailOn> {
    arguments::one_of(FailOn::ALL)
}

const FINDINGS: u8 = 1;
const BAD_INPUT: u8 = 2;

/// Plans, and prints the plan.
pub fn main(options: &PlanFlags) -> ExitCode {
    let report = plan(options);
    let counts = |severity| options.fail_on.counts(severity);
    let status = if !report.faults.is_empty() {
        ExitCode::from(BAD_INPUT)
    } else if report.findings.iter().any(|one| counts(one.severity)) {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    };
    let stdout = io::stdout().lock();
    let style = Style {
        fail_on: options.fail_on,
        verbose: options.verbose,
        ..options.terminal.style(&stdout)
    };
    let mut to = BufWriter::new(stdout);
    let shown = tell(&report.faults, options).and_then(|()| {
        // Without a cluster there is nothing to show to people; a program gets its document.
        let is_for_people = matches!(options.output, Format::Table | Format::Wide);
        if !(is_for_people && report.faults.iter().any(is_of_cluster)) {
            output::write(&report, options.output, style, &mut to)?;
        }
        to.flush()
    });
    written(shown, status)
}

/// A reader that went away has seen enough.
fn written(result: io::Result<()>, status: ExitCode) -> ExitCode {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            // Nothing more can be done if this cannot be written either.
            let reason = innermost(&error);
            let _ = writeln!(
                io::stderr(),
                "error: the report cannot be written: {reason}"
            );
            ExitCode::from(BAD_INPUT)
        }
        _ => status,
    }
}

/// What cannot be read goes to the standard error, but where it is an annotation of the report.
fn tell(faults: &[Fault], options: &PlanFlags) -> io::Result<()> {
    if options.output == Format::Github {
        return Ok(());
    }
    let mut stderr = io::stderr().lock();
    let (of_cluster, of_files): (Vec<_>, Vec<_>) = faults.iter().cloned().partition(is_of_cluster);
    for Fault { message, .. } in of_cluster {
        writeln!(stderr, "error: {message}")?;
    }
    if stderr.is_terminal() {
        let style = options.terminal.style(&stderr);
        diagnose::write(&of_files, style, &mut stderr)
    } else {
        output::faults(&of_files, &mut stderr)
    }
}

/// What stands for the file in a place, where the cluster cannot be read at all.
const CLUSTER: &str = "the cluster";

fn is_of_cluster(fault: &Fault) -> bool {
    &*fault.place.file == CLUSTER
}

fn plan(options: &PlanFlags) -> Report {
    let mut given = plan::Options {
        settings: None,
        workload_labels: options.workload_labels.clone(),
        pod_annotation: options.pod_annotation,
        identifiers: options.identifiers,
        zone: options.zone.clone(),
        environment: options.environment,
        namespace: options.scope.namespace().map(str::to_owned),
        default_namespace: options.default_namespace.clone(),
        target: options.target,
        why: options.why,
        ..plan::Options::default()
    };
    let inventory = match options.settings.as_deref().map(files::read).transpose() {
        Ok(settings) => {
            given.settings = settings;
            match options.cluster {
                true => read_cluster(options, &given),
                false => read_files(options, &given),
            }
        }
        // By other settings than those that were meant, nothing is planned.
        Err(fault) => {
            let mut nothing = Inventory::default();
            nothing.fault(fault);
            nothing
        }
    };
    plan::report(inventory, &given)
}

fn read_files(options: &PlanFlags, given: &plan::Options<'_>) -> Inventory {
    let (files, faults) = files::files(&options.paths, &options.exclude);
    let progress = progress(files.len() as u64, "{bar:40} {pos}/{len} files");
    let found = parallel::map(&files, |file| {
        let found = file.find(given);
        progress.inc(1);
        found
    });
    progress.finish_and_clear();
    let mut inventory = Inventory::default();
    faults.into_iter().for_each(|fault| inventory.fault(fault));
    for (file, found) in files.iter().zip(found) {
        match found {
            Ok(found) => {
                if options.verbose && found.is_passed_over() {
                    passed_over(&file.path);
                }
                inventory.take(found, given);
            }
            Err(fault) => inventory.fault(fault),
        }
    }
    if inventory.is_empty() && !options.allow_empty {
        let mut fault = files::nothing(&options.paths, &files);
        fault.message.push_str("; --allow-empty accepts that");
        inventory.fault(fault);
    }
    inventory
}

/// Who asks why a file is not in the plan sees that it was seen.
fn passed_over(file: &Path) {
    // Nothing more can be done if this cannot be written.
    let _ = writeln!(io::stderr(), "passed over: {}", file.display());
}

fn read_cluster(options: &PlanFlags, given: &plan::Options<'_>) -> Inventory {
    let progress = progress(0, "{spinner} {pos} objects");
    let read = block_on(async {
        let client = options.connection.client().await?;
        cluster::read(&client, given, |more| progress.inc(more)).await
    });
    progress.finish_and_clear();
    read.unwrap_or_else(|failure| {
        let mut nothing = Inventory::of_cluster();
        nothing.fault(Fault::of_file(CLUSTER, failure.to_string()));
        nothing
    })
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
