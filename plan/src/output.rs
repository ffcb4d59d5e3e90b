//! The report as text, in the form that is asked for.

mod github;
mod table;

use std::io::{self, Write};

use super::{read::Fault, report::Report};

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
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

impl Format {
    /// All of them, with their names and what they are.
    pub const ALL: [(Self, &str, &str); 5] = [
        (Self::Table, "table", "Tables for people"),
        (Self::Wide, "wide", "Tables with everything in them"),
        (Self::Json, "json", "JSON, one document"),
        (Self::Yaml, "yaml", "YAML, one document"),
        (
            Self::Github,
            "github",
            "Findings as GitHub's workflow commands: annotations of a pull request",
        ),
    ];
}

/// Writes the report.
///
/// # Errors
///
/// What the writer has against it.
pub fn write(
    report: &Report,
    format: Format,
    colours: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    match format {
        Format::Table | Format::Wide => table::write(report, format == Format::Wide, colours, to),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *to, report)?;
            writeln!(to)
        }
        Format::Yaml => {
            let yaml = serde_saphyr::to_string(report).map_err(io::Error::other)?;
            to.write_all(yaml.as_bytes())
        }
        Format::Github => github::write(report, to),
    }
}

/// Writes what cannot be read, a line each, for who does not get it with the report.
///
/// # Errors
///
/// What the writer has against it.
pub fn faults(faults: &[Fault], to: &mut impl Write) -> io::Result<()> {
    faults.iter().try_for_each(|fault| writeln!(to, "{fault}"))
}
