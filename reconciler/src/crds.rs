//! `kuma-workload crds`: prints the CustomResourceDefinition of Workload.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};

use crate::crd;

/// The flags of `crds`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kuma-workload crds | kubectl apply --server-side -f -
  kuma-workload crds -o json")]
pub struct CrdsFlags {
    /// The format.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: DefinitionFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum DefinitionFormat {
    /// YAML
    #[default]
    Yaml,
    /// JSON
    Json,
}

/// Prints the definition. Exit status: 0, or 1 if it cannot be written.
pub fn main(options: &CrdsFlags) -> ExitCode {
    match print(options.output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the definition cannot be printed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(output: DefinitionFormat) -> io::Result<()> {
    io::stdout().write_all(text(output)?.as_bytes())
}

fn text(output: DefinitionFormat) -> io::Result<String> {
    let definition = crd::definition();
    match output {
        DefinitionFormat::Yaml => serde_saphyr::to_string(&definition).map_err(io::Error::other),
        DefinitionFormat::Json => Ok(serde_json::to_string_pretty(&definition)? + "\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

    const GOLDEN: &str = include_str!("crds/workloads.yaml");

    #[test]
    fn s5_the_definition_is_as_it_was() {
        assert_eq!(text(DefinitionFormat::Yaml).unwrap(), GOLDEN);
    }

    #[test]
    fn both_forms_are_the_definition() {
        let yaml: CustomResourceDefinition = serde_saphyr::from_str(GOLDEN).unwrap();
        let json = text(DefinitionFormat::Json).unwrap();
        let json: CustomResourceDefinition = serde_json::from_str(&json).unwrap();
        assert_eq!(yaml, crd::definition());
        assert_eq!(json, yaml);
    }

    #[test]
    fn s5_columns_and_status() {
        let definition = crd::definition();
        let version = &definition.spec.versions[0];
        let columns: Vec<_> = version
            .additional_printer_columns
            .iter()
            .flatten()
            .map(|column| (&*column.name, &*column.json_path))
            .collect();
        assert_eq!(
            columns,
            [
                ("Mesh", ".metadata.labels.kuma\\.io/mesh"),
                ("Connected", ".status.dataplaneProxies.connected"),
                ("Healthy", ".status.dataplaneProxies.healthy"),
                ("Total", ".status.dataplaneProxies.total"),
                ("Age", ".metadata.creationTimestamp"),
            ]
        );
        let subresources = version.subresources.as_ref().unwrap();
        assert!(subresources.status.is_some());
    }
}
