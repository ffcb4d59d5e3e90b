//! The subcommands.

use std::process::ExitCode;

use clap::Parser;

use crate::{crds, plan, run, status};

/// Kuma's Workloads: made from Dataplanes, planned before anything is enabled, and looked at.
#[derive(Debug, Parser)]
#[command(name = "kuma-workload", version, max_term_width = 100)]
pub enum Command {
    /// Make, label, count and delete Workloads, as the Dataplanes say.
    Run(Box<run::RunOptions>),
    /// Say what admission would refuse and what `run` would do, from manifests or a cluster.
    Plan(Box<plan::Options>),
    /// Show the numbers of the Workloads, as Kuma reports them and as they are.
    Status(Box<status::Options>),
    /// Print our CustomResourceDefinition of Workload, for clusters without Kuma's.
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
