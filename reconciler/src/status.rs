//! `kuma-workload status` (T4, S7): the numbers as Kuma reports them and as they are.

mod live;
mod observed;
mod row;
mod show;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};

use crate::{
    arguments::Scope,
    client::{Connection, Failure},
    terminal::{self, Terminal},
};

/// Options.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kuma-workload status
  kuma-workload status -n team -o wide  A namespace, with the numbers of each mesh
  kuma-workload status --watch          What changes, too
  kuma-workload status -o yaml          For a program

Numbers that differ are shown as `3 (is 2)`: reported 3, in truth 2.

Findings, as STATE says them and as JSON and YAML do:
  numbers differ            numbers       what is reported is not what is
  mesh is NAME              mesh          the proxies are of another mesh than the label says
  conflict: NAME, NAME      conflict      proxies of several meshes refer to it
  missing                   missing       proxies refer to it, and it does not exist
  nothing refers to it      unreferenced  it exists, and no proxy refers to it
  name is not possible      name          no object can have this name

JSON: {\"workloads\": [{\"namespace\", \"name\", \"mesh\", \"manager\", \"reported\", \"actual\", \"meshes\",
\"findings\"}]}; reported and actual are {\"connected\", \"healthy\", \"total\"} or null, meshes has the
same for each mesh. With --watch: one such workload a line, when it changes; \"gone\": true when it has gone.
YAML is the same; with --watch, a document for each.

Exit status: 0 if all is as it is reported, 1 if there is a finding, 2 if the cluster cannot be asked.")]
pub struct Options {
    #[command(flatten)]
    scope: Scope,
    /// The form.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Output,
    /// Go on, and show what changes: on a terminal the whole table, elsewhere the lines that did.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    terminal: Terminal,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Columns
    #[default]
    Table,
    /// Columns, with the numbers of each mesh
    Wide,
    /// JSON, one document; with --watch, one a line
    Json,
    /// YAML, one document; with --watch, one for each that changes
    Yaml,
}

impl Output {
    /// Whether it is for people.
    fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}

/// Runs it.
pub fn main(options: &Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(options)),
        Err(error) => Err(Failure::new(format!("cannot begin: {error}"))),
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

/// Whether all is as it is reported.
async fn run(options: &Options) -> Result<bool, Failure> {
    let client = options.connection.client().await?;
    let mut live = live::Live::new(client, options.scope.namespace());
    live.list().await?;
    let stdout = io::stdout();
    let style = || options.terminal.style(&io::stdout());
    let redraw = options.watch && options.output.is_table() && terminal::can_redraw(&stdout);
    let mut show = show::Show::new(stdout.lock(), options.output, redraw);
    let written = if options.watch {
        live.watch(|rows| show.update(rows, style())).await?
    } else {
        show.once(&live.rows(), style())
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write: {error}")))
        }
        _ => Ok(live.rows().iter().all(row::Row::is_clean)),
    }
}
