//! Puts rows into words.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use clap::ValueEnum;
use kuma_workload_plan::output::{
    Colour, Style,
    layout::{Cell, Column, Layout, Table},
    yaml,
};
use serde::Serialize;

use super::row::{Finding, Numbers, Row};

/// Clears a terminal, and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

const COLUMNS: [Column; 8] = [
    Column::new("NAMESPACE"),
    Column::new("NAME"),
    Column::optional("MESH", 2),
    Column::new("CONNECTED"),
    Column::new("HEALTHY"),
    Column::new("TOTAL"),
    Column::optional("MANAGER", 1),
    Column::new("STATE"),
];
const MESHES: Column = Column::new("MESHES (CONNECTED/HEALTHY/TOTAL)");

/// The form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
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

impl Output {
    /// Whether it is for people.
    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    workloads: &'a [Row],
}

/// Writes rows, and what changes of them.
pub(super) struct Show<W> {
    out: W,
    output: Output,
    redraw: bool,
    /// How the rows before were laid out.
    layout: Option<Layout>,
    shown: BTreeMap<(Option<String>, String), Row>,
}

impl<W: Write> Show<W> {
    /// `redraw`: all of it each time, for a terminal.
    pub(super) fn new(out: W, output: Output, redraw: bool) -> Self {
        Self {
            out,
            output,
            redraw,
            layout: None,
            shown: BTreeMap::new(),
        }
    }

    /// All of it, once.
    pub(super) fn once(&mut self, rows: &[Row], style: Style) -> io::Result<()> {
        let document = Document { workloads: rows };
        match self.output {
            Output::Json => {
                serde_json::to_writer_pretty(&mut self.out, &document)?;
                writeln!(self.out)
            }
            Output::Yaml => yaml::write(&document, &mut self.out),
            Output::Table | Output::Wide => self.table(rows, style),
        }
    }

    /// What has changed.
    pub(super) fn update(&mut self, rows: &[Row], style: Style) -> io::Result<()> {
        if self.redraw {
            write!(self.out, "{CLEAR}")?;
            self.table(rows, style)?;
            return self.out.flush();
        }
        let place = |row: &Row| (row.namespace.clone(), row.name.clone());
        let now: BTreeMap<_, _> = rows.iter().map(|row| (place(row), row.clone())).collect();
        let gone = self
            .shown
            .iter()
            .filter(|(place, _)| !now.contains_key(*place));
        let gone = gone.map(|(_, row)| Row {
            gone: true,
            ..row.clone()
        });
        let new = now
            .iter()
            .filter(|(place, row)| self.shown.get(*place) != Some(*row))
            .map(|(_, row)| row.clone());
        let changed: Vec<_> = gone.chain(new).collect();
        self.shown = now;
        match self.output {
            Output::Json => changed.iter().try_for_each(|row| {
                serde_json::to_writer(&mut self.out, row)?;
                writeln!(self.out)
            })?,
            Output::Yaml => changed.iter().try_for_each(|row| {
                writeln!(self.out, "---")?;
                yaml::write(row, &mut self.out)
            })?,
            Output::Table | Output::Wide => self.more(&changed, style)?,
        }
        self.out.flush()
    }

    /// All rows, within the width.
    fn table(&mut self, rows: &[Row], style: Style) -> io::Result<()> {
        let table = self.of(rows);
        let layout = table.layout(style.width.filter(|_| self.output == Output::Table));
        table.write_header(&layout, &mut self.out)?;
        table.write_rows(&layout, style, &mut self.out)?;
        let left_out = table.left_out(&layout);
        match left_out.is_empty() {
            true => Ok(()),
            false => writeln!(self.out, "(-o wide shows {} too)", left_out.join(", ")),
        }
    }

    /// Rows below those that were written before, in whole lines.
    fn more(&mut self, rows: &[Row], style: Style) -> io::Result<()> {
        let table = self.of(rows);
        let mut layout = table.layout(None);
        match &self.layout {
            Some(before) => layout = layout.at_least(before),
            None => table.write_header(&layout, &mut self.out)?,
        }
        table.write_rows(&layout, style, &mut self.out)?;
        self.layout = Some(layout);
        Ok(())
    }

    fn of(&self, rows: &[Row]) -> Table {
        let wide = self.output == Output::Wide;
        let mut table = Table::new(COLUMNS.into_iter().chain(wide.then_some(MESHES)));
        for row in rows {
            table.add(cells(row).into_iter().chain(wide.then(|| meshes(row))));
        }
        table
    }
}

fn cells(row: &Row) -> [Cell; 8] {
    let number =
        |of: fn(Numbers) -> i64| Cell::new(compared(row.reported.map(of), row.actual.map(of)));
    let text = |text: &Option<String>| Cell::new(text.as_deref().unwrap_or("-"));
    let worst = row
        .findings
        .iter()
        .map(colour)
        .max_by_key(|colour| *colour == Colour::Red);
    [
        text(&row.namespace),
        Cell::new(&*row.name),
        text(&row.mesh),
        number(|numbers| numbers.connected),
        number(|numbers| numbers.healthy),
        number(|numbers| numbers.total),
        text(&row.manager),
        Cell::coloured(row.state(), worst.filter(|_| !row.gone)),
    ]
}

/// Red is what does not mend itself.
fn colour(finding: &Finding) -> Colour {
    match finding {
        Finding::Conflict | Finding::Name => Colour::Red,
        Finding::Numbers | Finding::Mesh | Finding::Missing | Finding::Unreferenced => {
            Colour::Yellow
        }
    }
}

fn meshes(row: &Row) -> Cell {
    let meshes = row.meshes.iter().map(|(mesh, numbers)| {
        let Numbers {
            connected,
            healthy,
            total,
        } = numbers;
        format!("{mesh}={connected}/{healthy}/{total}")
    });
    let meshes: Vec<_> = meshes.collect();
    Cell::new(match meshes.is_empty() {
        true => "-".to_owned(),
        false => meshes.join(", "),
    })
}

/// A number as it is reported and, where that is another, as it is.
fn compared(reported: Option<i64>, actual: Option<i64>) -> String {
    match (reported, actual) {
        (Some(reported), Some(actual)) if reported == actual => reported.to_string(),
        (Some(reported), None) => reported.to_string(),
        (None, None) => "-".to_owned(),
        (Some(reported), Some(actual)) => format!("{reported} (is {actual})"),
        (None, Some(actual)) => format!("- (is {actual})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_plan::FailOn;
    use rstest::rstest;

    const PIPE: Style = Style {
        width: None,
        colours: false,
        fail_on: FailOn::Warning,
        verbose: false,
    };

    fn numbers(connected: i64, healthy: i64, total: i64) -> Numbers {
        Numbers {
            connected,
            healthy,
            total,
        }
    }

    fn row(name: &str, reported: Numbers, actual: Numbers) -> Row {
        Row {
            namespace: Some("shop".into()),
            name: name.into(),
            mesh: Some("default".into()),
            manager: Some("k8s-controller".into()),
            reported: Some(reported),
            actual: Some(actual),
            meshes: [("default".to_owned(), actual)].into(),
            findings: match reported == actual {
                true => Vec::new(),
                false => vec![Finding::Numbers],
            },
            gone: false,
        }
    }

    fn rows() -> Vec<Row> {
        vec![
            row("basket", numbers(1, 1, 1), numbers(1, 1, 1)),
            row("cart", numbers(3, 3, 3), numbers(2, 2, 2)),
        ]
    }

    fn missing() -> Row {
        Row {
            mesh: None,
            manager: None,
            reported: None,
            findings: vec![Finding::Missing],
            ..row("till\n", numbers(0, 0, 0), numbers(0, 1, 1))
        }
    }

    fn text(
        write: impl FnOnce(&mut Show<&mut Vec<u8>>) -> io::Result<()>,
        output: Output,
    ) -> String {
        let mut out = Vec::new();
        write(&mut Show::new(&mut out, output, false)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn table() {
        let rows = [rows(), vec![missing()]].concat();
        let text = text(|show| show.once(&rows, PIPE), Output::Table);
        let expected = "\
NAMESPACE  NAME    MESH     CONNECTED  HEALTHY   TOTAL     MANAGER         STATE
shop       basket  default  1          1         1         k8s-controller  ok
shop       cart    default  3 (is 2)   3 (is 2)  3 (is 2)  k8s-controller  numbers differ
shop       till\u{fffd}   -        - (is 0)   - (is 1)  - (is 1)  -               missing
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_table_fits_its_terminal() {
        let style = Style {
            width: Some(72),
            colours: true,
            ..PIPE
        };
        let rows = [rows(), vec![missing()]].concat();
        let text = text(|show| show.once(&rows, style), Output::Table);
        let expected = "\
NAMESPACE  NAME    MESH     CONNECTED  HEALTHY   TOTAL     STATE
shop       basket  default  1          1         1         ok
shop       cart    default  3 (is 2)   3 (is 2)  3 (is 2)  \u{1b}[33mnumbers\u{1b}[0m
                                                           \u{1b}[33mdiffer\u{1b}[0m
shop       till\u{fffd}   -        - (is 0)   - (is 1)  - (is 1)  \u{1b}[33mmissing\u{1b}[0m
(-o wide shows MANAGER too)
";
        assert_eq!(text, expected);
    }

    #[test]
    fn yaml() {
        let text = text(|show| show.once(&rows(), PIPE), Output::Yaml);
        let expected = "\
workloads:
- namespace: shop
  name: basket
  mesh: default
  manager: k8s-controller
  reported:
    connected: 1
    healthy: 1
    total: 1
";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn wide() {
        let text = text(|show| show.once(&rows(), PIPE), Output::Wide);
        assert!(
            text.lines()
                .next()
                .unwrap()
                .ends_with("MESHES (CONNECTED/HEALTHY/TOTAL)")
        );
        assert!(text.contains("numbers differ  default=2/2/2\n"), "{text}");
    }

    #[test]
    fn json() {
        let text = text(|show| show.once(&rows(), PIPE), Output::Json);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["workloads"][1]["actual"]["total"], 2);
        assert!(document["workloads"][0].get("gone").is_none());
    }

    /// Of two rows, one is mended, nothing changes, and the other goes.
    fn changes(show: &mut Show<&mut Vec<u8>>) -> io::Result<()> {
        let mended = row("cart", numbers(2, 2, 2), numbers(2, 2, 2));
        let first = rows();
        let second = [first[0].clone(), mended.clone()];
        show.update(&first, PIPE)?;
        show.update(&second, PIPE)?;
        show.update(&second, PIPE)?;
        show.update(&[mended], PIPE)
    }

    #[rstest]
    #[case::table(Output::Table, &["NAMESPACE", "shop       basket", "shop       cart", "shop       cart", "shop       basket"])]
    #[case::json(Output::Json, &["{\"namespace\":\"shop\",\"name\":\"basket\"", "{\"namespace\":\"shop\",\"name\":\"cart\"", "{\"namespace\":\"shop\",\"name\":\"cart\"", "{\"namespace\":\"shop\",\"name\":\"basket\""])]
    fn a_pipe_gets_the_lines_that_changed(#[case] output: Output, #[case] beginnings: &[&str]) {
        let text = text(changes, output);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), beginnings.len(), "{text}");
        for (line, beginning) in lines.iter().zip(beginnings) {
            assert!(line.starts_with(beginning), "{line}");
        }
        assert!(text.contains("gone"), "{text}");
    }

    #[test]
    fn each_change_is_a_document_of_yaml() {
        let text = text(changes, Output::Yaml);
        let documents: Vec<_> = text.split("---\n").skip(1).collect();
        let names = documents.iter().map(|one| one.lines().nth(1).unwrap());
        let expected = ["basket", "cart", "cart", "basket"];
        assert_eq!(
            Vec::from_iter(names),
            expected.map(|name| format!("name: {name}"))
        );
        assert!(documents[3].ends_with("gone: true\n"), "{text}");
    }

    #[test]
    fn a_terminal_gets_all_of_it_each_time() {
        let mut out = Vec::new();
        let mut show = Show::new(&mut out, Output::Table, true);
        show.update(&rows(), PIPE).unwrap();
        show.update(&rows(), PIPE).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches(CLEAR).count(), 2);
        assert_eq!(text.matches("NAMESPACE").count(), 2);
    }
}
