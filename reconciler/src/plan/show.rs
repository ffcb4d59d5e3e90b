//! The report in the form that was asked for.

mod github;
mod table;

use std::io::{self, Write};

use clap::ValueEnum;

use super::{input::Fault, report::Report};

/// The forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Tables for people.
    Table,
    /// Tables with everything in them.
    Wide,
    /// JSON, one document.
    Json,
    /// YAML, one document.
    Yaml,
    /// Findings as GitHub's workflow commands: annotations of a pull request.
    Github,
}

/// Writes the report.
///
/// # Errors
///
/// What the writer has against it.
pub fn report(
    report: &Report,
    output: Output,
    colours: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    match output {
        Output::Table | Output::Wide => table::write(report, output == Output::Wide, colours, to),
        Output::Json => {
            serde_json::to_writer_pretty(&mut *to, report)?;
            writeln!(to)
        }
        Output::Yaml => {
            let yaml = serde_saphyr::to_string(report).map_err(io::Error::other)?;
            to.write_all(yaml.as_bytes())
        }
        Output::Github => github::write(report, to),
    }
}

/// Writes what cannot be read, a line each: annotations where those are asked for.
///
/// # Errors
///
/// What the writer has against it.
pub fn faults(faults: &[Fault], output: Output, to: &mut impl Write) -> io::Result<()> {
    for fault in faults {
        match output {
            Output::Github => github::fault(fault, to)?,
            _ => writeln!(to, "{fault}")?,
        }
    }
    Ok(())
}
