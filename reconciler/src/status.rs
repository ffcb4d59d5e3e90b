//! `kuma-workload status`.

use std::process::ExitCode;

use clap::Args;

/// Options.
#[derive(Debug, Args)]
pub struct Options {}

/// Runs it.
pub fn main(_: &Options) -> ExitCode {
    ExitCode::SUCCESS
}
