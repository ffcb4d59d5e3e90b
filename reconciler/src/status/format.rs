//! The output formats of `status`.

use clap::ValueEnum;

/// An output format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum StatusFormat {
    /// Columns
    #[default]
    Table,
    /// Columns, with the numbers of each mesh
    Wide,
    /// JSON, one document; with --watch, one a line
    Json,
    /// YAML, one document; with --watch, one for each that changes
    Yaml,
}

impl StatusFormat {
    /// Whether it is a table, for people.
    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}
