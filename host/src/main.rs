//! `policy-host`: annotates the policy, and runs it on requests as policy-server would.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use kuma_workload_host::run::{self, RunOptions};

/// Annotates the policy, and runs it on requests as Kubewarden's policy-server would.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
enum Command {
    /// Write the metadata into the module, as `kwctl annotate` does.
    Annotate {
        /// The module as the compiler made it.
        wasm: PathBuf,
        /// policy-metadata.yml
        #[arg(short, long, value_name = "FILE")]
        metadata_path: PathBuf,
        /// README.md, which becomes the usage that `kwctl inspect` shows.
        #[arg(short, long, value_name = "FILE")]
        usage_path: Option<PathBuf>,
        /// Where the annotated module goes.
        #[arg(short, long, value_name = "FILE")]
        output_path: PathBuf,
    },
    /// Evaluate requests, and compare the verdicts with the declared ones.
    ///
    /// Exit status: 0 if every declared expectation holds, 1 if a verdict differs, 2 if an input is
    /// bad or the policy cannot be hosted.
    Run(Box<RunOptions>),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Annotate {
            wasm,
            metadata_path,
            usage_path,
            output_path,
        } => run::annotate(&wasm, &metadata_path, usage_path.as_deref(), &output_path)
            .map(|()| run::Report::default()),
        Command::Run(options) => run::run(&options),
    };
    match done {
        Ok(report) => {
            // A closed pipe is no failure of the run.
            let _ = std::io::stdout().write_all(report.output.as_bytes());
            for difference in &report.differences {
                eprintln!("{difference}");
            }
            if report.differences.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
