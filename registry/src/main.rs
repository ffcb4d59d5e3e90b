//! `policy-registry`: reads the command line and hands over.

use std::process::ExitCode;

use clap::Parser;
use kuma_workload_registry::cli::Command;

fn main() -> ExitCode {
    Command::parse().run()
}
