//! `kuma-workload run`: the controller.

pub mod events;
pub mod lease;
pub mod metrics;
pub mod serve;

use std::process::ExitCode;

use clap::Args;

/// Options.
#[derive(Debug, Args)]
pub struct Options {}

/// Runs it.
pub fn main(_: Options) -> ExitCode {
    ExitCode::SUCCESS
}
