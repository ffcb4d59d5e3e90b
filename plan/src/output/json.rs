//! JSON: the report as it is, one document.

use std::io::{self, Write};

use super::style::Style;
use crate::report::Report;

/// Writes it.
pub(super) fn write(report: &Report, _: Style, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, report)?;
    writeln!(to)
}
