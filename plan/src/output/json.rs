//! JSON: the report as it is, one document.

use std::io::{self, Write};

use super::style::Style;
use crate::report::Report;

/// Writes it.
pub(super) fn write(report: &Report, _: Style, to: &mut impl Write) -> io::Result<()> {
    write_report(report, to)
}

/// Writes the report as JSON, for who has no use for the other forms and does not want to link them.
///
/// # Errors
///
/// What the writer has against it.
pub fn write_report(report: &Report, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, report)?;
    writeln!(to)
}
