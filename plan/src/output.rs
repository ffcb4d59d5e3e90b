//! The report as text, in the form that is asked for.

mod github;
pub mod json;
mod junit;
pub mod layout;
mod sarif;
mod style;
mod table;
pub mod yaml;

use std::io::{self, Write};

use kuma_workload_rulebook::quoted::printable;

use super::{read::Fault, report::Report};

pub use self::style::{Colour, Style};

macro_rules! formats {
    ($(#[doc = $help:literal] $format:ident = $name:literal => $write:path,)+) => {
        /// A form of the report.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Format {
            $(#[doc = $help] $format,)+
        }

        impl Format {
            /// All of them, with their names and what they are.
            pub const ALL: [(Self, &str, &str); [$($name),+].len()] =
                [$((Self::$format, $name, $help.trim_ascii_start())),+];
        }

        /// Writes the report.
        ///
        /// # Errors
        ///
        /// What the writer has against it.
        pub fn write(
            report: &Report,
            format: Format,
            style: Style,
            to: &mut impl Write,
        ) -> io::Result<()> {
            match format {
                $(Format::$format => $write(report, style, to),)+
            }
        }
    };
}

// A form is a line here, and a file that writes it.
formats! {
    /// Tables for people
    Table = "table" => table::write,
    /// Tables with everything in them
    Wide = "wide" => table::write_wide,
    /// JSON, one document
    Json = "json" => json::write,
    /// YAML, one document
    Yaml = "yaml" => yaml::write_report,
    /// Findings as GitHub's workflow commands: annotations of a pull request
    Github = "github" => github::write,
    /// SARIF 2.1.0, for code scanning
    Sarif = "sarif" => sarif::write,
    /// JUnit's XML: a test case for each code of findings
    Junit = "junit" => junit::write,
}

/// Writes what cannot be read, a line each, for who does not get it with the report.
///
/// # Errors
///
/// What the writer has against it.
pub fn faults(faults: &[Fault], to: &mut impl Write) -> io::Result<()> {
    faults
        .iter()
        .try_for_each(|fault| writeln!(to, "{}", printable(&fault.to_string())))
}
