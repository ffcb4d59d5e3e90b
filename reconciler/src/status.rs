//! `kuma-workload status` (T4, S7): the numbers as Kuma reports them and as they are.

mod live;
mod observed;
mod row;
mod show;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};

use crate::client::{Connection, Failure};

/// Options.
///
/// Exit status: 0 if all is as it is reported, 1 if there is a finding, 2 if the cluster cannot be
/// asked.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Numbers that differ are shown as `3 (is 2)`: reported 3, in truth 2.

Findings, as STATE says them and as JSON does:
  numbers differ            numbers       what is reported is not what is
  mesh is NAME              mesh          the proxies are of another mesh than the label says
  conflict: NAME, NAME      conflict      proxies of several meshes refer to it
  missing                   missing       proxies refer to it, and it does not exist
  nothing refers to it      unreferenced  it exists, and no proxy refers to it
  name is not possible      name          no object can have this name

JSON: {\"workloads\": [{\"namespace\", \"name\", \"mesh\", \"manager\", \"reported\", \"actual\", \"meshes\",
\"findings\"}]}; reported and actual are {\"connected\", \"healthy\", \"total\"} or null, meshes has the
same for each mesh. With --watch: one such workload a line, when it changes; \"gone\": true when it has gone.

Exit status: 0 if all is as it is reported, 1 if there is a finding, 2 if the cluster cannot be asked.")]
pub struct Options {
    /// This namespace alone; without it, all.
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// The form.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    /// Go on, and show what changes: on a terminal the whole table, elsewhere the lines that did.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Columns.
    #[default]
    Table,
    /// Columns, with the numbers of each mesh.
    Wide,
    /// One document.
    Json,
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
    let mut live = live::Live::new(client, options.namespace.as_deref());
    live.list().await?;
    let stdout = io::stdout();
    let redraw = options.watch && options.output != Output::Json && stdout.is_terminal();
    let mut show = show::Show::new(stdout.lock(), options.output, redraw);
    let written = if options.watch {
        live.watch(|rows| show.update(rows)).await?
    } else {
        show.once(&live.rows())
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write: {error}")))
        }
        _ => Ok(live.rows().iter().all(row::Row::is_clean)),
    }
}
