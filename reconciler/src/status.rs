//! `kuma-workload status` (T4, S7): the numbers as Kuma reports them and as they are.

mod export;
mod format;
mod live;
mod observed;
mod printer;
mod row;
mod why;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use kuma_workload_plan::output;

use self::{format::StatusFormat, live::WatchedCluster, printer::Printer, row::Row, why::WhyFlags};
use crate::{
    arguments::NamespaceFlags,
    client::{Connection, Failure, block_on, innermost},
    explain::Target,
    terminal::{self, Terminal},
};

/// The flags of `status`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kuma-workload status
  kuma-workload status -n team -o wide  A namespace, with the numbers of each mesh
  kuma-workload status --watch          What changes, too
  kuma-workload status -o yaml          For a program
  kubectl get dataplanes,dataplaneinsights,workloads -A -o json | kuma-workload status --from -
  kuma-workload status --why team/web   Why a Workload is not there, or is as it is
  kuma-workload status --from FILE      What kumactl inspect dataplanes -o json printed, too

Numbers that differ are shown as `3 (is 2)`: reported 3, in truth 2.

Findings, as STATE says them and as JSON and YAML do:
  numbers differ            numbers       the reported numbers are wrong
  mesh is NAME              mesh          the proxies are in another mesh than the label says
  conflict: NAME, NAME      conflict      proxies in several meshes refer to it
  missing                   missing       proxies refer to it, and it does not exist
  nothing refers to it      unreferenced  it exists, and no proxy refers to it
  bad name                  bad-name      no object can have this name

JSON: {\"workloads\": [{\"namespace\", \"name\", \"mesh\", \"manager\", \"reported\", \"actual\", \"meshes\",
\"findings\"}]}; reported and actual are {\"connected\", \"healthy\", \"total\"} or null, meshes has the
same for each mesh. With --watch: one such workload a line, when it changes; \"gone\": true when it has gone.
YAML is the same; with --watch, a document for each.

With --from, the rows of Universal have no namespace.

With --why, a running reconciler is asked at --why-addr: in its Pod, or after
`kubectl port-forward -n NAMESPACE POD 8081`. Without one, the cluster is read.

Exit status: 0 if all is as it is reported, 1 if there is a finding, 2 if the cluster cannot be asked or a file \
cannot be read. With --why: 0 if there is an answer, 1 if neither a reconciler nor the cluster can be asked.")]
pub struct StatusFlags {
    #[command(flatten)]
    scope: NamespaceFlags,
    /// Read files instead of a cluster: what kubectl and kumactl print of Dataplanes,
    /// DataplaneInsights and Workloads, of Kubernetes and Universal; folders, or - for the standard
    /// input.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["watch", "kubeconfig"])]
    from: Vec<PathBuf>,
    /// The output format.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: StatusFormat,
    /// Keep running and show changes: on a terminal the whole table, elsewhere the changed lines.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    why: WhyFlags,
    #[command(flatten)]
    terminal: Terminal,
    #[command(flatten)]
    connection: Connection,
}

/// Shows the numbers, or explains one Workload. Exit status: 0 if all is as it is reported, 1 if there is
/// a finding, 2 if the cluster cannot be asked or a file cannot be read; with `--why`, 0 if there is an
/// answer, and 1 if nobody can be asked.
pub fn main(options: &StatusFlags) -> ExitCode {
    if !options.from.is_empty() {
        return show_files(options);
    }
    if let Some(target) = &options.why.target {
        return explain(options, target);
    }
    match block_on(run(options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Explains one Workload.
fn explain(options: &StatusFlags, target: &Target) -> ExitCode {
    let explained = why::explain(&options.why, target, options.output, &options.connection);
    match block_on(explained) {
        Ok(answer) => {
            // Who closes the pipe has read enough.
            let _ = io::stdout().write_all(answer.as_bytes());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::from(1)
        }
    }
}

/// Shows the numbers that files have. What cannot be read is reported, and the rest is shown.
fn show_files(options: &StatusFlags) -> ExitCode {
    let export = export::read(&options.from, options.scope.namespace());
    let mut stderr = io::stderr().lock();
    for warning in &export.warnings {
        let _ = writeln!(stderr, "warning: {warning}");
    }
    let _ = output::faults(&export.faults, &mut stderr);
    let mut printer = Printer::new(io::stdout().lock(), options.output, false);
    let is_clean = export.rows.iter().all(Row::is_clean);
    let style = options.terminal.style(&io::stdout());
    match printer.print(&export.rows, style) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(
                stderr,
                "error: the report cannot be written: {}",
                innermost(&error)
            );
            ExitCode::from(2)
        }
        _ if !export.faults.is_empty() => ExitCode::from(2),
        _ => ExitCode::from(u8::from(!is_clean)),
    }
}

/// Returns whether all is as it is reported.
async fn run(options: &StatusFlags) -> Result<bool, Failure> {
    let client = options.connection.client().await?;
    let mut live = WatchedCluster::new(client, options.scope.namespace());
    live.list().await?;
    let stdout = io::stdout();
    let style = || options.terminal.style(&io::stdout());
    let redraw = options.watch && options.output.is_table() && terminal::can_redraw(&stdout);
    let mut printer = Printer::new(stdout.lock(), options.output, redraw);
    let written = if options.watch {
        live.watch(|rows| printer.print_changes(rows, style()))
            .await?
    } else {
        printer.print(&live.rows(), style())
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!(
            "the report cannot be written: {}",
            innermost(&error)
        ))),
        _ => Ok(live.rows().iter().all(Row::is_clean)),
    }
}
