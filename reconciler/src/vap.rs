//! `kuma-workload vap`: prints ValidatingAdmissionPolicies that say in CEL, within the API server, what
//! of the policy's rules needs no list (A22).
//!
//! | module | job |
//! |---|---|
//! | `policies` | which policies the settings need |
//! | `workload_label`, `mesh_rules`, `namespaces`, `workload_objects` | one policy or two each, as the rules are |
//! | `pod`, `template`, `settled`, `mesh_name`, `mesh_namespaces` | what several of them say |
//! | `asked`, `sentence` | the policy's own sentences |
//! | `policy`, `variables`, `cel` | from rules to objects |

mod asked;
mod cel;
mod mesh_name;
mod mesh_namespaces;
mod mesh_rules;
mod namespaces;
mod pod;
mod policies;
mod policy;
mod sentence;
mod settled;
mod template;
mod text;
mod variables;
mod workload_label;
mod workload_objects;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use kuma_workload_plan::{output, read::Fault};
use kuma_workload_rulebook::admission::Settings;

use self::policy::Policy;
use crate::plan::files;

/// The flags of `vap`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kuma-workload vap --settings settings.yaml | kubectl apply -f -
  kuma-workload vap --settings policy.yaml -o json

What it covers, how it differs from the policy, and how to take it out: docs/vap.md.")]
pub struct VapFlags {
    /// The settings of the policy, or a ClusterAdmissionPolicy or AdmissionPolicy with them; - for the
    /// standard input.
    #[arg(long, value_name = "FILE")]
    settings: PathBuf,
    /// The format.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: ObjectFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ObjectFormat {
    /// YAML, with a comment that says what is not covered
    #[default]
    Yaml,
    /// JSON, one List
    Json,
}

/// The settings cannot be read.
const BAD_INPUT: u8 = 2;

/// Prints the objects. Exit status: 0, 2 if the settings are not valid or too large, or 1 if nothing
/// can be printed.
pub fn main(options: &VapFlags) -> ExitCode {
    let settings = match settings(options) {
        Ok(settings) => settings,
        Err(fault) => {
            // Nothing more can be done if this cannot be written either.
            let _ = output::faults(&[fault], &mut io::stderr());
            return ExitCode::from(BAD_INPUT);
        }
    };
    let policies = policies::policies(&settings);
    if let Some(fault) = policies.iter().find_map(Policy::fault) {
        eprintln!("error: {}: {fault}", options.settings.display());
        return ExitCode::from(BAD_INPUT);
    }
    match print(&policies, options.output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the policies cannot be printed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn settings(options: &VapFlags) -> Result<Settings<'static>, Fault> {
    let document = files::read(&options.settings)?;
    kuma_workload_plan::policy_settings(document)
}

fn print(policies: &[Policy], format: ObjectFormat) -> io::Result<()> {
    let text = match format {
        ObjectFormat::Yaml => text::yaml(policies)?,
        ObjectFormat::Json => text::json(policies)?,
    };
    io::stdout().write_all(text.as_bytes())
}
