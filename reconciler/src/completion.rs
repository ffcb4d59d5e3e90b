//! `kuma-workload completion`: prints a script by which a shell completes subcommands and flags.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Args;
use clap_complete::{Shell, generate};

/// The flags of `completion`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kuma-workload completion bash | sudo tee /etc/bash_completion.d/kuma-workload
  kuma-workload completion fish | source

Where each shell looks for it: docs/how-to/install-the-program.md.")]
pub struct CompletionFlags {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script for a program with this definition. Exit status: 0, or 1 if it cannot be printed.
pub fn main(options: &CompletionFlags, program: clap::Command) -> ExitCode {
    match io::stdout().write_all(&script(options.shell, program)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the completions cannot be printed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// In memory first: clap_complete panics where it cannot write.
fn script(shell: Shell, mut program: clap::Command) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut program, "kuma-workload", &mut script);
    // In bash, clap_complete 4.6 takes the program's hyphen for a subcommand in one of two places, and then
    // completes no flag (clap's issue 6421).
    let script = String::from_utf8_lossy(&script);
    let script = script.replace("kuma__subcmd__workload", "kuma__workload");
    script.into_bytes()
}
