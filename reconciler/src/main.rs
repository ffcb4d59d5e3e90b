//! `kuma-workload`: reads the command line and hands over.

use std::process::ExitCode;

use kuma_workload::cli::Command;

fn main() -> ExitCode {
    Command::of_environment().run()
}
