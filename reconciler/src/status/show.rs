//! Puts rows into words.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use kuma_workload_rulebook::quoted::printable;
use serde::Serialize;

use super::{
    Output,
    row::{Numbers, Row},
};

/// Clears a terminal, and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";
/// Between columns.
const GAP: usize = 3;

const HEADER: [&str; 8] = [
    "NAMESPACE",
    "NAME",
    "MESH",
    "CONNECTED",
    "HEALTHY",
    "TOTAL",
    "MANAGER",
    "STATE",
];
const MESHES: &str = "MESHES (CONNECTED/HEALTHY/TOTAL)";

#[derive(Serialize)]
struct Document<'a> {
    workloads: &'a [Row],
}

/// Writes rows, and what changes of them.
pub(super) struct Show<W> {
    out: W,
    output: Output,
    redraw: bool,
    widths: Vec<usize>,
    shown: BTreeMap<(String, String), Row>,
}

impl<W: Write> Show<W> {
    /// `redraw`: all of it each time, for a terminal.
    pub(super) fn new(out: W, output: Output, redraw: bool) -> Self {
        Self {
            out,
            output,
            redraw,
            widths: Vec::new(),
            shown: BTreeMap::new(),
        }
    }

    /// All of it, once.
    pub(super) fn once(&mut self, rows: &[Row]) -> io::Result<()> {
        if self.output == Output::Json {
            serde_json::to_writer_pretty(&mut self.out, &Document { workloads: rows })?;
            return writeln!(self.out);
        }
        self.table(rows, true)
    }

    /// What has changed.
    pub(super) fn update(&mut self, rows: &[Row]) -> io::Result<()> {
        if self.redraw {
            self.widths.clear();
            write!(self.out, "{CLEAR}")?;
            self.table(rows, true)?;
            return self.out.flush();
        }
        let first = self.widths.is_empty();
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
        if self.output == Output::Json {
            for row in &changed {
                serde_json::to_writer(&mut self.out, row)?;
                writeln!(self.out)?;
            }
        } else {
            self.table(&changed, first)?;
        }
        self.out.flush()
    }

    /// Columns never get narrower, so that lines that are appended stay below each other.
    fn table(&mut self, rows: &[Row], header: bool) -> io::Result<()> {
        let wide = self.output == Output::Wide;
        let mut lines = Vec::new();
        if header {
            let last = wide.then_some(MESHES);
            lines.push(HEADER.into_iter().chain(last).map(str::to_owned).collect());
        }
        lines.extend(rows.iter().map(|row| cells(row, wide)));
        let columns = HEADER.len() + usize::from(wide);
        self.widths.resize(columns, 0);
        for line in &lines {
            for (width, cell) in self.widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(&self.widths) {
                text.push_str(cell);
                let space = width - cell.chars().count() + GAP;
                text.extend(std::iter::repeat_n(' ', space));
            }
            writeln!(self.out, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

fn cells(row: &Row, wide: bool) -> Vec<String> {
    let number = |of: fn(Numbers) -> i64| compared(row.reported.map(of), row.actual.map(of));
    let text = |text: &Option<String>| printable(text.as_deref().unwrap_or("-"));
    let mut cells = vec![
        printable(&row.namespace),
        printable(&row.name),
        text(&row.mesh),
        number(|numbers| numbers.connected),
        number(|numbers| numbers.healthy),
        number(|numbers| numbers.total),
        text(&row.manager),
        printable(&row.state()),
    ];
    if wide {
        let meshes = row.meshes.iter().map(|(mesh, numbers)| {
            let Numbers {
                connected,
                healthy,
                total,
            } = numbers;
            format!("{mesh}={connected}/{healthy}/{total}")
        });
        let meshes: Vec<_> = meshes.collect();
        cells.push(match meshes.is_empty() {
            true => "-".to_owned(),
            false => printable(&meshes.join(", ")),
        });
    }
    cells
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
    use super::super::row::Finding;
    use super::*;
    use rstest::rstest;

    fn numbers(connected: i64, healthy: i64, total: i64) -> Numbers {
        Numbers {
            connected,
            healthy,
            total,
        }
    }

    fn row(name: &str, reported: Numbers, actual: Numbers) -> Row {
        Row {
            namespace: "shop".into(),
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
        let text = text(|show| show.once(&rows), Output::Table);
        let expected = "\
NAMESPACE   NAME     MESH      CONNECTED   HEALTHY    TOTAL      MANAGER          STATE
shop        basket   default   1           1          1          k8s-controller   ok
shop        cart     default   3 (is 2)    3 (is 2)   3 (is 2)   k8s-controller   numbers differ
shop        till\u{fffd}    -         - (is 0)    - (is 1)   - (is 1)   -                missing
";
        assert_eq!(text, expected);
    }

    #[test]
    fn wide() {
        let text = text(|show| show.once(&rows()), Output::Wide);
        assert!(text.lines().next().unwrap().ends_with(MESHES), "{text}");
        assert!(text.contains("numbers differ   default=2/2/2\n"), "{text}");
    }

    #[test]
    fn json() {
        let text = text(|show| show.once(&rows()), Output::Json);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["workloads"][1]["actual"]["total"], 2);
        assert!(document["workloads"][0].get("gone").is_none());
    }

    #[rstest]
    #[case::table(Output::Table, &["NAMESPACE", "shop        basket", "shop        cart", "shop        cart", "shop        basket"])]
    #[case::json(Output::Json, &["{\"namespace\":\"shop\",\"name\":\"basket\"", "{\"namespace\":\"shop\",\"name\":\"cart\"", "{\"namespace\":\"shop\",\"name\":\"cart\"", "{\"namespace\":\"shop\",\"name\":\"basket\""])]
    fn a_pipe_gets_the_lines_that_changed(#[case] output: Output, #[case] beginnings: &[&str]) {
        let mended = row("cart", numbers(2, 2, 2), numbers(2, 2, 2));
        let first = rows();
        let second = [first[0].clone(), mended.clone()];
        let third = [mended];
        let text = text(
            |show| {
                show.update(&first)?;
                show.update(&second)?;
                show.update(&second)?;
                show.update(&third)
            },
            output,
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), beginnings.len(), "{text}");
        for (line, beginning) in lines.iter().zip(beginnings) {
            assert!(line.starts_with(beginning), "{line}");
        }
        assert!(text.contains("gone"), "{text}");
    }

    #[test]
    fn a_terminal_gets_all_of_it_each_time() {
        let mut out = Vec::new();
        let mut show = Show::new(&mut out, Output::Table, true);
        show.update(&rows()).unwrap();
        show.update(&rows()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches(CLEAR).count(), 2);
        assert_eq!(text.matches("NAMESPACE").count(), 2);
    }
}
