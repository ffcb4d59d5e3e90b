//! `kuma-workload status` (T4, S7): the numbers as Kuma reports them and as they are.

mod format;
mod live;
mod observed;
mod printer;
mod row;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Args;

use self::{format::StatusFormat, live::WatchedCluster, printer::Printer, row::Row};
use crate::{
    arguments::NamespaceFlags,
    client::{Connection, Failure},
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

Numbers that differ are shown as `3 (is 2)`: reported 3, in truth 2.

Findings, as STATE says them and as JSON and YAML do:
  numbers differ            numbers       the reported numbers are wrong
  mesh is NAME              mesh          the proxies are in another mesh than the label says
  conflict: NAME, NAME      conflict      proxies in several meshes refer to it
  missing                   missing       proxies refer to it, and it does not exist
  nothing refers to it      unreferenced  it exists, and no proxy refers to it
  name is not possible      name          no object can have this name

JSON: {\"workloads\": [{\"namespace\", \"name\", \"mesh\", \"manager\", \"reported\", \"actual\", \"meshes\",
\"findings\"}]}; reported and actual are {\"connected\", \"healthy\", \"total\"} or null, meshes has the
same for each mesh. With --watch: one such workload a line, when it changes; \"gone\": true when it has gone.
YAML is the same; with --watch, a document for each.

Exit status: 0 if all is as it is reported, 1 if there is a finding, 2 if the cluster cannot be asked.")]
pub struct StatusFlags {
    #[command(flatten)]
    scope: NamespaceFlags,
    /// The output format.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: StatusFormat,
    /// Keep running and show changes: on a terminal the whole table, elsewhere the changed lines.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    terminal: Terminal,
    #[command(flatten)]
    connection: Connection,
}

/// Shows the numbers. Exit status: 0 if all is as it is reported, 1 if there is a finding, 2 if the
/// cluster cannot be asked.
pub fn main(options: &StatusFlags) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(options)),
        Err(error) => Err(Failure::new(format!("cannot start: {error}"))),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::from(2)
        }
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
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write: {error}")))
        }
        _ => Ok(live.rows().iter().all(Row::is_clean)),
    }
}
