//! The subcommands.

use std::{env, ffi::OsStr, path::Path, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, builder::Resettable};

use crate::{completion, crds, lookup, man, plan, run, status, vap, version::VERSION};

/// Creates Kuma's Workloads from Dataplanes, plans them before anything is enabled, and shows them.
#[derive(Debug, Parser)]
#[command(
    name = "kuma-workload",
    version = VERSION.as_str(),
    max_term_width = 100,
    after_help = "\
Examples:
  helm template my-chart | kuma-workload plan -  What a chart would bring
  kuma-workload plan --cluster                   What there is in a cluster
  kuma-workload status                           The numbers of its Workloads
  kuma-workload run --mode observe               Events and metrics; nothing is written"
)]
pub enum Command {
    /// Create, label, count and delete Workloads, as the Dataplanes require.
    Run(Box<run::RunFlags>),
    /// Show what admission would reject and what `run` would do, from manifests or a cluster.
    Plan(Box<plan::PlanFlags>),
    /// Say what a rule, a finding or the name of an admission rule means, and what to do.
    Explain(lookup::ExplainFlags),
    /// Show the numbers of Workloads, as Kuma reports them and as they are.
    Status(Box<status::StatusFlags>),
    /// Print the CustomResourceDefinition of Workload, for clusters without Kuma's, or create it there.
    Crds(crds::CrdsFlags),
    /// Print ValidatingAdmissionPolicies that say in the API server what of the policy needs no list.
    Vap(vap::VapFlags),
    /// Print a script that completes subcommands and flags in a shell.
    Completion(completion::CompletionFlags),
    /// Print the manual page of this program, or write those of all subcommands into a folder.
    Man(man::ManFlags),
}

impl Command {
    /// Reads the command line and the environment, where a variable that is empty counts as not set: a
    /// chart sets all of them, and leaves those empty that it has no value for. Ends the process where
    /// the command line is wrong, or asks for help.
    pub fn of_environment() -> Self {
        let mut command = without_empty_variables(Self::command());
        if is_plugin(env::args_os().next().as_deref()) {
            command = command.bin_name("kubectl kuma-workload");
        }
        let matches = command.get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Runs the subcommand. Its exit statuses are in its help.
    pub fn run(self) -> ExitCode {
        match self {
            Self::Run(options) => run::main(*options),
            Self::Plan(options) => plan::main(&options),
            Self::Explain(options) => lookup::main(&options),
            Self::Status(options) => status::main(&options),
            Self::Crds(options) => crds::main(&options),
            Self::Vap(options) => vap::main(&options),
            Self::Completion(options) => completion::main(&options, Self::command()),
            Self::Man(options) => man::main(&options, Self::command()),
        }
    }
}

/// Whether kubectl calls the program, as a plugin: kubectl finds plugins by the names of files, in which
/// an underscore stands for a hyphen.
fn is_plugin(called: Option<&OsStr>) -> bool {
    let file = called.map(Path::new).and_then(Path::file_stem);
    file == Some(OsStr::new("kubectl-kuma_workload"))
}

/// The same command, and its subcommands, without the environment variables that are empty.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let value = argument.get_env().and_then(env::var_os);
        match value.is_some_and(|value| value.is_empty()) {
            true => argument.env(Resettable::Reset),
            false => argument,
        }
    });
    command.mut_subcommands(without_empty_variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a help's examples that call this program.
    fn examples(help: &str) -> Vec<Vec<&str>> {
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        let examples = examples.split("\n\n").next().unwrap();
        let calls = examples.lines().map(|line| {
            let line = line.trim().split("  ").next().unwrap();
            let mut commands = line.split(" | ");
            commands
                .find(|one| one.starts_with("kuma-workload "))
                .unwrap()
        });
        calls.map(|call| call.split(' ').collect()).collect()
    }

    #[test]
    fn every_help_has_examples_that_can_be_run() {
        let mut program = Command::command();
        program.build();
        let names = program.get_subcommands().map(clap::Command::get_name);
        let names: Vec<_> = names.map(str::to_owned).collect();
        let mut helps = vec![program.render_long_help().to_string()];
        for name in names.iter().filter(|name| *name != "help") {
            let subcommand = program.find_subcommand_mut(name).unwrap();
            helps.push(subcommand.render_long_help().to_string());
        }
        assert_eq!(helps.len(), 9);
        for help in helps {
            let examples = examples(&help);
            assert!(examples.len() > 1, "{help}");
            for call in examples {
                let parsed = Command::try_parse_from(&call);
                assert!(parsed.is_ok(), "{call:?}: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn kubectl_calls_a_plugin_by_its_file() {
        let is_plugin = |called| is_plugin(Some(OsStr::new(called)));
        assert!(is_plugin("kubectl-kuma_workload"));
        assert!(is_plugin("/usr/local/bin/kubectl-kuma_workload"));
        assert!(!is_plugin("/usr/local/bin/kuma-workload"));
        assert!(!super::is_plugin(None));
    }

    #[test]
    fn the_version_is_that_of_the_package_and_of_the_build() {
        let version = Command::command().render_version();
        let expected = concat!("kuma-workload ", env!("CARGO_PKG_VERSION"));
        assert!(version.starts_with(expected), "{version}");
        assert!(
            version.contains(env!("KUMA_WORKLOAD_BUILT_FROM_COMMIT")),
            "{version}"
        );
    }
}
