//! Prints rows.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use kuma_workload_plan::output::{
    Colour, Style,
    layout::{Cell, Column, Layout, Table},
    yaml,
};
use serde::Serialize;

use super::{
    format::StatusFormat,
    row::{Numbers, Row, StatusFinding},
};

/// Clears the terminal and moves to its first line.
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

#[derive(Serialize)]
struct StatusDocument<'a> {
    workloads: &'a [Row],
}

/// Prints rows and their changes.
pub(super) struct Printer<W> {
    out: W,
    output: StatusFormat,
    redraw: bool,
    /// The layout of the rows printed so far.
    layout: Option<Layout>,
    shown: BTreeMap<(Option<String>, String), Row>,
}

impl<W: Write> Printer<W> {
    /// With `redraw`, each change prints all rows again, for a terminal.
    pub(super) fn new(out: W, output: StatusFormat, redraw: bool) -> Self {
        Self {
            out,
            output,
            redraw,
            layout: None,
            shown: BTreeMap::new(),
        }
    }

    /// Prints all rows.
    pub(super) fn print(&mut self, rows: &[Row], style: Style) -> io::Result<()> {
        let document = StatusDocument { workloads: rows };
        match self.output {
            StatusFormat::Json => {
                serde_json::to_writer_pretty(&mut self.out, &document)?;
                writeln!(self.out)
            }
            StatusFormat::Yaml => yaml::write(&document, &mut self.out),
            StatusFormat::Table | StatusFormat::Wide => self.print_table(rows, style),
        }
    }

    /// Prints the rows that have changed since the last call.
    pub(super) fn print_changes(&mut self, rows: &[Row], style: Style) -> io::Result<()> {
        if self.redraw {
            write!(self.out, "{CLEAR}")?;
            self.print_table(rows, style)?;
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
            StatusFormat::Json => changed.iter().try_for_each(|row| {
                serde_json::to_writer(&mut self.out, row)?;
                writeln!(self.out)
            })?,
            StatusFormat::Yaml => changed.iter().try_for_each(|row| {
                writeln!(self.out, "---")?;
                yaml::write(row, &mut self.out)
            })?,
            StatusFormat::Table | StatusFormat::Wide => self.append(&changed, style)?,
        }
        self.out.flush()
    }

    /// Prints all rows as a table within the width.
    fn print_table(&mut self, rows: &[Row], style: Style) -> io::Result<()> {
        let table = self.table_of(rows);
        let layout = table.layout(style.width.filter(|_| self.output == StatusFormat::Table));
        table.write_header(&layout, &mut self.out)?;
        table.write_rows(&layout, style, &mut self.out)?;
        let left_out = table.left_out(&layout);
        match left_out.is_empty() {
            true => Ok(()),
            false => writeln!(self.out, "(-o wide shows {} too)", left_out.join(", ")),
        }
    }

    /// Prints rows below the earlier ones, in whole lines.
    fn append(&mut self, rows: &[Row], style: Style) -> io::Result<()> {
        let table = self.table_of(rows);
        let mut layout = table.layout(None);
        match &self.layout {
            Some(before) => layout = layout.at_least(before),
            None => table.write_header(&layout, &mut self.out)?,
        }
        table.write_rows(&layout, style, &mut self.out)?;
        self.layout = Some(layout);
        Ok(())
    }

    fn table_of(&self, rows: &[Row]) -> Table {
        let wide = self.output == StatusFormat::Wide;
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

/// Red findings do not go away by themselves.
fn colour(finding: &StatusFinding) -> Colour {
    match finding {
        StatusFinding::Conflict | StatusFinding::BadName => Colour::Red,
        StatusFinding::Numbers
        | StatusFinding::Mesh
        | StatusFinding::Missing
        | StatusFinding::Unreferenced => Colour::Yellow,
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

/// A number as reported, and the actual one where it differs.
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
                false => vec![StatusFinding::Numbers],
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
            findings: vec![StatusFinding::Missing],
            ..row("till\n", numbers(0, 0, 0), numbers(0, 1, 1))
        }
    }

    fn text(
        write: impl FnOnce(&mut Printer<&mut Vec<u8>>) -> io::Result<()>,
        output: StatusFormat,
    ) -> String {
        let mut out = Vec::new();
        write(&mut Printer::new(&mut out, output, false)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn table() {
        let rows = [rows(), vec![missing()]].concat();
        let text = text(|printer| printer.print(&rows, PIPE), StatusFormat::Table);
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
        let text = text(|printer| printer.print(&rows, style), StatusFormat::Table);
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
        let text = text(|printer| printer.print(&rows(), PIPE), StatusFormat::Yaml);
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
        let text = text(|printer| printer.print(&rows(), PIPE), StatusFormat::Wide);
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
        let text = text(|printer| printer.print(&rows(), PIPE), StatusFormat::Json);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["workloads"][1]["actual"]["total"], 2);
        assert!(document["workloads"][0].get("gone").is_none());
    }

    /// Of two rows, one is mended, nothing changes, and the other goes.
    fn changes(printer: &mut Printer<&mut Vec<u8>>) -> io::Result<()> {
        let mended = row("cart", numbers(2, 2, 2), numbers(2, 2, 2));
        let first = rows();
        let second = [first[0].clone(), mended.clone()];
        printer.print_changes(&first, PIPE)?;
        printer.print_changes(&second, PIPE)?;
        printer.print_changes(&second, PIPE)?;
        printer.print_changes(&[mended], PIPE)
    }

    #[rstest]
    #[case::table(StatusFormat::Table, &["NAMESPACE", "shop       basket", "shop       cart", "shop       cart", "shop       basket"])]
    #[case::json(StatusFormat::Json, &["{\"namespace\":\"shop\",\"name\":\"basket\"", "{\"namespace\":\"shop\",\"name\":\"cart\"", "{\"namespace\":\"shop\",\"name\":\"cart\"", "{\"namespace\":\"shop\",\"name\":\"basket\""])]
    fn a_pipe_gets_the_changed_lines(#[case] output: StatusFormat, #[case] beginnings: &[&str]) {
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
        let text = text(changes, StatusFormat::Yaml);
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
    fn a_terminal_gets_all_rows_each_time() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, StatusFormat::Table, true);
        printer.print_changes(&rows(), PIPE).unwrap();
        printer.print_changes(&rows(), PIPE).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches(CLEAR).count(), 2);
        assert_eq!(text.matches("NAMESPACE").count(), 2);
    }
}
