//! The report as text, in the form that is asked for.

mod github;
pub mod layout;
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

/// How text for people is laid out. The default is for pipes: whole lines, no colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// The columns that a line may have; none where lines are as long as they like.
    pub width: Option<usize>,
    /// Whether there are colours, as terminals understand them.
    pub colours: bool,
}

/// Writes the report. The style is for tables; the wide one has no regard for a width.
///
/// # Errors
///
/// What the writer has against it.
pub fn write(report: &Report, format: Format, style: Style, to: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, false, style, to),
        Format::Wide => {
            let width = None;
            table::write(report, true, Style { width, ..style }, to)
        }
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
