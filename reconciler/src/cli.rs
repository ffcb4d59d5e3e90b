//! The subcommands.

use std::process::ExitCode;

use clap::Parser;

use crate::{crds, plan, run, status};

/// Creates Kuma's Workloads from Dataplanes, plans them before anything is enabled, and shows them.
#[derive(Debug, Parser)]
#[command(name = "kuma-workload", version, max_term_width = 100)]
pub enum Command {
    /// Create, label, count and delete Workloads, as the Dataplanes require.
    Run(Box<run::RunOptions>),
    /// Show what admission would reject and what `run` would do, from manifests or a cluster.
    Plan(Box<plan::Options>),
    /// Show the numbers of Workloads, as Kuma reports them and as they are.
    Status(Box<status::Options>),
    /// Print the CustomResourceDefinition of Workload, for clusters without Kuma's.
    Crds(crds::CrdsOptions),
}

impl Command {
    /// Runs the subcommand. Its exit statuses are in its help.
    pub fn run(self) -> ExitCode {
        match self {
            Self::Run(options) => run::main(*options),
            Self::Plan(options) => plan::main(&options),
            Self::Status(options) => status::main(&options),
            Self::Crds(options) => crds::main(&options),
        }
    }
}
