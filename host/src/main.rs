//! `policy-host`: annotates the policy, and runs it on requests as policy-server would.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use kuma_workload_host::{
    report::Report,
    run::{self, FailOn, Format, RunError, RunOptions},
    verdict::Verdict,
};
use terminal_size::{Width, terminal_size_of};

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
    /// A request to which no rule of the policy's metadata applies is not judged: the API server would
    /// not ask about it.
    ///
    /// Exit status: 0 if every verdict is as declared; 1 if one is not, or, with `--fail-on rejected`,
    /// if something is rejected; 2 if something cannot be read, or the policy cannot be hosted.
    Run(Box<RunOptions>),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Annotate {
            wasm,
            metadata_path,
            usage_path,
            output_path,
        } => match run::annotate(&wasm, &metadata_path, usage_path.as_deref(), &output_path) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        },
        Command::Run(options) => match run::run(&options) {
            Ok(report) => told(&report, &options),
            Err(error) => failed(&error),
        },
    }
}

fn failed(error: &RunError) -> ExitCode {
    complain(&format!("error: {error}"));
    ExitCode::from(2)
}

/// Prints what came of the run.
fn told(report: &Report, options: &RunOptions) -> ExitCode {
    let text = match options.output {
        Format::Text => {
            let width = terminal_size_of(io::stdout());
            report.text(width.map(|(Width(width), _)| usize::from(width)))
        }
        Format::Json => report.json(),
    };
    // Who reads may have seen enough: a closed pipe is no failure of the run.
    let _ = io::stdout().write_all(text.as_bytes());
    for fault in &report.faults {
        complain(&format!("error: {fault}"));
    }
    let differences = report.differences();
    for difference in &differences {
        complain(difference);
    }
    let has_failed = !differences.is_empty()
        || (options.fail_on == FailOn::Rejected && report.count(Verdict::Rejected) > 0);
    match (report.faults.len(), has_failed) {
        (0, false) => ExitCode::SUCCESS,
        (0, true) => ExitCode::from(1),
        _ => ExitCode::from(2),
    }
}

/// A line on standard error, if anybody is there.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
