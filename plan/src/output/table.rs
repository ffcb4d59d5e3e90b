//! Tables for people: a section for each thing that was asked, then what there is to say.

use std::io::{self, Write};

use comfy_table::{Cell, Color, Row, Table, presets};
use kuma_workload_rulebook::quoted::printable;

use crate::{
    finding::Severity,
    read::Place,
    report::{
        AdmissionReport, IdentityReport, MeshCount, NamespaceReport, PodReport, ReferenceCount,
        Report, SkippedKind, Sourced, UniversalReport, WorkloadReport,
    },
};

/// Nothing to say in a cell.
const NOTHING: &str = "-";

/// Writes all sections.
pub(crate) fn write(
    report: &Report,
    wide: bool,
    colours: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    let paint = Paint { colours };
    let mut sections = vec![
        ("NAMESPACES", paint.namespaces(&report.namespaces)),
        ("WORKLOADS", paint.workloads(&report.workloads)),
        ("PODS", paint.pods(&report.pods, wide)),
    ];
    if let Some(universal) = &report.universal {
        sections.push(("UNIVERSAL WORKLOADS", paint.universal_workloads(universal)));
        sections.push((
            "UNIVERSAL DATAPLANES",
            paint.universal_dataplanes(universal, wide),
        ));
    }
    sections.push(("SKIPPED", paint.skipped(&report.skipped_kinds)));
    for (title, table) in sections {
        if !table.is_empty() {
            writeln!(to, "{}", paint.title(title))?;
            writeln!(to, "{}\n", table.trim_fmt())?;
        }
    }
    paint.findings(report, to)?;
    summary(report, to)
}

struct Paint {
    colours: bool,
}

impl Paint {
    fn table(&self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.force_no_tty();
        if self.colours {
            table.enforce_styling();
        }
        let header: Vec<_> = header.iter().map(|title| self.cell(title, None)).collect();
        table.set_header(header);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table
    }

    fn cell(&self, text: &str, colour: Option<Color>) -> Cell {
        let cell = Cell::new(printable(text));
        match colour.filter(|_| self.colours) {
            Some(colour) => cell.fg(colour),
            None => cell,
        }
    }

    fn plain(&self, text: &str) -> Cell {
        self.cell(text, None)
    }

    fn title(&self, title: &str) -> String {
        self.styled(title, "1")
    }

    /// In a colour or weight, by the number that terminals give it.
    fn styled(&self, text: &str, style: &str) -> String {
        match self.colours {
            true => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    fn namespaces(&self, namespaces: &[NamespaceReport]) -> Table {
        let mut table = self.table(&[
            "NAMESPACE",
            "DECLARED",
            "INJECTS",
            "MESHES",
            "SPLIT",
            "TO MOVE",
        ]);
        for one in namespaces {
            let split = if one.split {
                ("yes", Some(Color::Red))
            } else {
                ("no", None)
            };
            table.add_row(vec![
                self.plain(&one.name),
                self.plain(&sourced(one.declared.as_ref())),
                self.plain(if one.injects { "yes" } else { "no" }),
                self.plain(&listed(one.meshes.iter().map(mesh_count))),
                self.cell(split.0, split.1),
                self.plain(&match one.moves.len() {
                    0 => NOTHING.to_owned(),
                    count => count.to_string(),
                }),
            ]);
        }
        table
    }

    fn workloads(&self, workloads: &[WorkloadReport]) -> Table {
        let mut table = self.table(&["NAMESPACE", "WORKLOAD", "ACTION", "PROXIES", "MANAGED BY"]);
        for one in workloads {
            table.add_row(vec![
                self.plain(&one.namespace),
                self.plain(&one.name),
                self.action(one.action, one.withheld),
                self.plain(&listed(one.meshes.iter().map(reference_count))),
                self.plain(one.managed_by.as_deref().unwrap_or(NOTHING)),
            ]);
        }
        table
    }

    fn action(&self, action: &str, withheld: bool) -> Cell {
        let colour = match action {
            "keep" => None,
            "create" | "relabel" => Some(Color::Green),
            "conflict" | "orphan" | "impossible" => Some(Color::Red),
            _ => Some(Color::Yellow),
        };
        match withheld {
            true => self.plain(&format!("({action})")),
            false => self.cell(action, colour),
        }
    }

    fn pods(&self, pods: &[PodReport], wide: bool) -> Table {
        let mut header = vec![
            "NAMESPACE",
            "KIND",
            "NAME",
            "MESH",
            "FROM",
            "WORKLOAD",
            "FROM",
            "ADMISSION",
        ];
        if wide {
            header.extend(["MESHED BECAUSE", "DATAPLANE", "SPIFFE ID", "AT"]);
        }
        let mut table = self.table(&header);
        for one in pods {
            let (mesh, mesh_source) = split(one.mesh.as_ref());
            let (workload, workload_source) = split(one.workload.as_ref());
            let stored = one
                .dataplane
                .as_ref()
                .and_then(|one| one.workload.as_deref());
            let workload = match stored {
                Some(stored) if stored != workload => format!("{workload} (stored: {stored})"),
                _ => workload.to_owned(),
            };
            let mut row = vec![
                self.plain(&one.namespace),
                self.plain(one.kind),
                self.plain(&one.name),
                self.plain(mesh),
                self.plain(mesh_source),
                self.plain(&workload),
                self.plain(workload_source),
                self.admission(one.admission.as_ref(), one.finished),
            ];
            if wide {
                let dataplane = one.dataplane.as_ref().map(|one| &*one.mesh);
                row.extend([
                    self.plain(&match one.meshed {
                        true => one.reason.clone(),
                        false => format!("not: {}", one.reason),
                    }),
                    self.plain(dataplane.unwrap_or(NOTHING)),
                    self.identity(one.identity.as_ref()),
                    self.plain(&place(one.place.as_ref())),
                ]);
            }
            table.add_row(Row::from(row));
        }
        table
    }

    fn admission(&self, admission: Option<&AdmissionReport>, finished: bool) -> Cell {
        let Some(admission) = admission else {
            return self.plain(NOTHING);
        };
        let rule = admission.rejection.as_ref().map(|rejection| rejection.rule);
        match (admission.verdict, rule) {
            (_, None) if finished => self.plain("finished"),
            (verdict, Some(rule)) => self.cell(&format!("{verdict}: {rule}"), Some(Color::Red)),
            (verdict, None) if admission.warnings.is_empty() => self.plain(verdict),
            (verdict, None) => {
                let rules = listed(
                    admission
                        .warnings
                        .iter()
                        .map(|warning| warning.rule.to_owned()),
                );
                self.cell(&format!("{verdict}, warns: {rules}"), Some(Color::Yellow))
            }
        }
    }

    fn identity(&self, identity: Option<&IdentityReport>) -> Cell {
        match identity {
            None => self.plain(NOTHING),
            Some(IdentityReport {
                spiffe_id: Some(id),
                ..
            }) => self.plain(id),
            Some(identity) => self.cell(
                &format!("none: {}", identity.fault.as_deref().unwrap_or_default()),
                Some(Color::Red),
            ),
        }
    }

    fn universal_workloads(&self, universal: &UniversalReport) -> Table {
        let mut table = self.table(&["MESH", "WORKLOAD", "ACTION", "PROXIES", "MANAGED BY"]);
        for one in &universal.workloads {
            table.add_row(vec![
                self.plain(&one.mesh),
                self.plain(&one.name),
                self.action(one.action, false),
                self.plain(&one.dataplanes.to_string()),
                self.plain(one.managed_by.as_deref().unwrap_or(NOTHING)),
            ]);
        }
        table
    }

    fn universal_dataplanes(&self, universal: &UniversalReport, wide: bool) -> Table {
        let mut header = vec!["MESH", "DATAPLANE", "WORKLOAD", "FROM", "SPIFFE ID"];
        if wide {
            header.push("AT");
        }
        let mut table = self.table(&header);
        for one in &universal.dataplanes {
            let (workload, source) = split(one.workload.as_ref());
            let mut row = vec![
                self.plain(&one.mesh),
                self.plain(&one.name),
                self.plain(workload),
                self.plain(source),
                self.identity(one.identity.as_ref()),
            ];
            if wide {
                row.push(self.plain(&place(one.place.as_ref())));
            }
            table.add_row(Row::from(row));
        }
        table
    }

    fn skipped(&self, kinds: &[SkippedKind]) -> Table {
        let mut table = self.table(&["API VERSION", "KIND", "OBJECTS"]);
        for one in kinds {
            table.add_row(vec![
                self.plain(one.api_version.as_deref().unwrap_or(NOTHING)),
                self.plain(one.kind.as_deref().unwrap_or(NOTHING)),
                self.plain(&one.count.to_string()),
            ]);
        }
        table
    }

    fn findings(&self, report: &Report, to: &mut impl Write) -> io::Result<()> {
        if report.findings.is_empty() {
            return Ok(());
        }
        writeln!(to, "{}", self.title("FINDINGS"))?;
        for finding in &report.findings {
            let colour = match finding.severity {
                Severity::Error => "31",
                Severity::Warning => "33",
                Severity::Note => "36",
            };
            let severity = self.styled(finding.severity.name(), colour);
            write!(to, "{severity} {}", finding.code)?;
            if finding.place.is_some() {
                write!(to, " at {}", place(finding.place.as_ref()))?;
            }
            writeln!(to, "\n  {}\n  -> {}", finding.message, finding.remedy)?;
        }
        writeln!(to)
    }
}

fn summary(report: &Report, to: &mut impl Write) -> io::Result<()> {
    let summary = &report.summary;
    if report.mode == "observe" {
        writeln!(
            to,
            "A control plane manages Workloads here: run would leave what is in brackets to it."
        )?;
    }
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let passed_over = match summary.passed_over {
        0 => String::new(),
        files => format!(", {} passed over", counted(files, "file")),
    };
    writeln!(
        to,
        "{} read, {} skipped{passed_over}: {}, {}, {}.",
        counted(summary.objects, "object"),
        summary.skipped,
        counted(summary.errors, "error"),
        counted(summary.warnings, "warning"),
        counted(summary.notes, "note"),
    )
}

fn split(sourced: Option<&Sourced>) -> (&str, &str) {
    sourced.map_or((NOTHING, NOTHING), |found| (&*found.name, &*found.source))
}

fn sourced(sourced: Option<&Sourced>) -> String {
    match sourced {
        Some(found) => format!("{} ({})", found.name, found.source),
        None => NOTHING.to_owned(),
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    match &*items {
        [] => NOTHING.to_owned(),
        items => items.join("; "),
    }
}

fn mesh_count(count: &MeshCount) -> String {
    let counts = [
        (count.pods, "pod"),
        (count.dataplanes, "dataplane"),
        (count.templates, "template"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    format!("{}: {}", count.mesh, counts.join(", "))
}

fn reference_count(count: &ReferenceCount) -> String {
    match (count.dataplanes, count.coming) {
        (there, 0) => format!("{}: {there}", count.mesh),
        (0, coming) => format!("{}: {coming} to come", count.mesh),
        (there, coming) => format!("{}: {there}, {coming} to come", count.mesh),
    }
}

fn place(place: Option<&Place>) -> String {
    place.map_or_else(|| NOTHING.to_owned(), Place::to_string)
}
