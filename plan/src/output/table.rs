//! Tables for people: a section for each thing that was asked, then what there is to say.

use std::io::{self, Write};

use kuma_workload_rulebook::quoted::printable;

use super::{
    layout::{Cell, Column, Table, write_paragraph},
    style::{Colour, Style},
};
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

// The columns of each section; the numbers say in which order they are left out where space is
// short. `docs/plan.md` says so too.
const NAMESPACES: [Column; 6] = [
    Column::new("NAMESPACE"),
    Column::optional("DECLARED", 2),
    Column::optional("INJECTS", 1),
    Column::new("MESHES"),
    Column::new("SPLIT"),
    Column::new("TO MOVE"),
];
const WORKLOADS: [Column; 5] = [
    Column::new("NAMESPACE"),
    Column::new("WORKLOAD"),
    Column::new("ACTION"),
    Column::new("PROXIES"),
    Column::optional("MANAGED BY", 1),
];
const PODS: [Column; 8] = [
    Column::new("NAMESPACE"),
    Column::optional("KIND", 3),
    Column::new("NAME"),
    Column::new("MESH"),
    Column::optional("FROM", 2),
    Column::new("WORKLOAD"),
    Column::optional("FROM", 1),
    Column::new("ADMISSION"),
];
const MORE_OF_PODS: [Column; 4] = [
    Column::new("MESHED BECAUSE"),
    Column::new("DATAPLANE"),
    Column::new("SPIFFE ID"),
    Column::new("AT"),
];
const UNIVERSAL_WORKLOADS: [Column; 5] = [
    Column::new("MESH"),
    Column::new("WORKLOAD"),
    Column::new("ACTION"),
    Column::new("PROXIES"),
    Column::optional("MANAGED BY", 1),
];
const UNIVERSAL_DATAPLANES: [Column; 5] = [
    Column::new("MESH"),
    Column::new("DATAPLANE"),
    Column::new("WORKLOAD"),
    Column::optional("FROM", 1),
    Column::new("SPIFFE ID"),
];
const MORE_OF_UNIVERSAL_DATAPLANES: [Column; 1] = [Column::new("AT")];

const SKIPPED: [Column; 3] = [
    Column::new("API VERSION"),
    Column::new("KIND"),
    Column::new("OBJECTS"),
];

/// Writes all sections, within the width.
pub(super) fn write(report: &Report, style: Style, to: &mut impl Write) -> io::Result<()> {
    sections(report, false, style, to)
}

/// Writes all sections with more columns, as wide as it takes.
pub(super) fn write_wide(report: &Report, style: Style, to: &mut impl Write) -> io::Result<()> {
    let width = None;
    sections(report, true, Style { width, ..style }, to)
}

fn sections(report: &Report, wide: bool, style: Style, to: &mut impl Write) -> io::Result<()> {
    section("NAMESPACES", &namespaces(&report.namespaces), style, to)?;
    section("WORKLOADS", &workloads(&report.workloads), style, to)?;
    section("PODS", &pods(&report.pods, wide), style, to)?;
    why(&report.pods, style, to)?;
    if let Some(universal) = &report.universal {
        let workloads = universal_workloads(universal);
        section("UNIVERSAL WORKLOADS", &workloads, style, to)?;
        let dataplanes = universal_dataplanes(universal, wide);
        section("UNIVERSAL DATAPLANES", &dataplanes, style, to)?;
    }
    if style.verbose {
        section("SKIPPED", &skipped(&report.skipped_kinds), style, to)?;
    }
    findings(report, style, to)?;
    summary(report, style, to)
}

fn section(title: &str, table: &Table, style: Style, to: &mut impl Write) -> io::Result<()> {
    if table.is_empty() {
        return Ok(());
    }
    let layout = table.layout(style.width);
    write!(to, "{}", style.bold(title))?;
    let mut left_out = table.left_out(&layout);
    left_out.dedup();
    if !left_out.is_empty() {
        write!(to, " (-o wide shows {} too)", left_out.join(", "))?;
    }
    writeln!(to)?;
    table.write_header(&layout, to)?;
    table.write_rows(&layout, style, to)?;
    writeln!(to)
}

fn namespaces(namespaces: &[NamespaceReport]) -> Table {
    let mut table = Table::new(NAMESPACES);
    for one in namespaces {
        let moves = match one.moves.len() {
            0 => NOTHING.to_owned(),
            count => count.to_string(),
        };
        table.add([
            Cell::new(&*one.name),
            Cell::new(sourced(one.declared.as_ref())),
            Cell::new(yes_or_no(one.injects)),
            Cell::new(listed(one.meshes.iter().map(mesh_count))),
            Cell::coloured(yes_or_no(one.split), one.split.then_some(Colour::Red)),
            Cell::new(moves),
        ]);
    }
    table
}

fn workloads(workloads: &[WorkloadReport]) -> Table {
    let mut table = Table::new(WORKLOADS);
    for one in workloads {
        table.add([
            Cell::new(&*one.namespace),
            Cell::new(&*one.name),
            action(one.action, one.withheld),
            Cell::new(listed(one.meshes.iter().map(reference_count))),
            optional(one.managed_by.as_deref()),
        ]);
    }
    table
}

fn action(action: &str, withheld: bool) -> Cell {
    let colour = match action {
        "keep" => None,
        "create" | "relabel" => Some(Colour::Green),
        "conflict" | "orphan" | "bad-name" => Some(Colour::Red),
        _ => Some(Colour::Yellow),
    };
    match withheld {
        true => Cell::new(format!("({action})")),
        false => Cell::coloured(action, colour),
    }
}

fn pods(pods: &[PodReport], wide: bool) -> Table {
    let more = MORE_OF_PODS.into_iter().filter(|_| wide);
    let mut table = Table::new(PODS.into_iter().chain(more));
    for one in pods {
        let (mesh, mesh_source) = split(one.mesh.as_ref());
        let (workload, workload_source) = split(one.workload.as_ref());
        let dataplane = one.dataplane.as_ref();
        let stored = dataplane.and_then(|one| one.workload.as_deref());
        let workload = match stored {
            Some(stored) if stored != workload => format!("{workload} (stored: {stored})"),
            _ => workload.to_owned(),
        };
        let mut row = vec![
            Cell::new(&*one.namespace),
            Cell::new(one.kind),
            Cell::new(&*one.name),
            Cell::new(mesh),
            Cell::new(mesh_source),
            Cell::new(workload),
            Cell::new(workload_source),
            admission(one.admission.as_ref(), one.finished),
        ];
        if wide {
            row.extend([
                Cell::new(match one.meshed {
                    true => one.reason.clone(),
                    false => format!("not: {}", one.reason),
                }),
                optional(dataplane.map(|one| &*one.mesh)),
                identity(one.identity.as_ref()),
                Cell::new(place(one.place.as_ref())),
            ]);
        }
        table.add(row);
    }
    table
}

/// The walk of each Pod through the rules, a step in a line.
fn why(pods: &[PodReport], style: Style, to: &mut impl Write) -> io::Result<()> {
    let mut pods = pods.iter().filter(|pod| !pod.why.is_empty()).peekable();
    if pods.peek().is_none() {
        return Ok(());
    }
    writeln!(to, "{}", style.bold("WHY"))?;
    for pod in pods {
        let name = printable(&format!("{} {}/{}", pod.kind, pod.namespace, pod.name));
        writeln!(to, "{name}")?;
        for step in pod.why.steps() {
            let step_of = format!("  {:<3}  {:<7}  ", step.rule, step.outcome);
            write_paragraph(&step_of, &step.message, style, to)?;
        }
    }
    writeln!(to)
}

fn admission(admission: Option<&AdmissionReport>, finished: bool) -> Cell {
    let Some(admission) = admission else {
        return Cell::new(NOTHING);
    };
    let verdict = admission.verdict;
    match &admission.rejection {
        Some(rejection) => {
            let rejected = format!("{verdict}: {}", rejection.rule);
            Cell::coloured(rejected, Some(Colour::Red))
        }
        None if finished => Cell::new("finished"),
        None if admission.warnings.is_empty() => Cell::new(verdict),
        None => {
            let rules = admission.warnings.iter();
            let rules = listed(rules.map(|warning| warning.rule.to_owned()));
            let warned = format!("{verdict}, warns: {rules}");
            Cell::coloured(warned, Some(Colour::Yellow))
        }
    }
}

fn identity(identity: Option<&IdentityReport>) -> Cell {
    let Some(identity) = identity else {
        return Cell::new(NOTHING);
    };
    match &identity.spiffe_id {
        Some(id) => Cell::new(&**id),
        None => {
            let fault = identity.fault.as_deref().unwrap_or_default();
            Cell::coloured(format!("none: {fault}"), Some(Colour::Red))
        }
    }
}

fn universal_workloads(universal: &UniversalReport) -> Table {
    let mut table = Table::new(UNIVERSAL_WORKLOADS);
    for one in &universal.workloads {
        table.add([
            Cell::new(&*one.mesh),
            Cell::new(&*one.name),
            action(one.action, false),
            Cell::new(one.dataplanes.to_string()),
            optional(one.managed_by.as_deref()),
        ]);
    }
    table
}

fn universal_dataplanes(universal: &UniversalReport, wide: bool) -> Table {
    let more = MORE_OF_UNIVERSAL_DATAPLANES.into_iter().filter(|_| wide);
    let mut table = Table::new(UNIVERSAL_DATAPLANES.into_iter().chain(more));
    for one in &universal.dataplanes {
        let (workload, source) = split(one.workload.as_ref());
        let mut row = vec![
            Cell::new(&*one.mesh),
            Cell::new(&*one.name),
            Cell::new(workload),
            Cell::new(source),
            identity(one.identity.as_ref()),
        ];
        if wide {
            row.push(Cell::new(place(one.place.as_ref())));
        }
        table.add(row);
    }
    table
}

fn skipped(kinds: &[SkippedKind]) -> Table {
    let mut table = Table::new(SKIPPED);
    for one in kinds {
        table.add([
            optional(one.api_version.as_deref()),
            optional(one.kind.as_deref()),
            Cell::new(one.count.to_string()),
        ]);
    }
    table
}

fn findings(report: &Report, style: Style, to: &mut impl Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(to, "{}", style.bold("FINDINGS"))?;
    for finding in &report.findings {
        let colour = match finding.severity {
            Severity::Error => Colour::Red,
            Severity::Warning => Colour::Yellow,
            Severity::Note => Colour::Cyan,
        };
        let severity = style.painted(finding.severity.name(), Some(colour));
        write!(to, "{severity} {}", finding.code)?;
        if finding.place.is_some() {
            write!(to, " at {}", place(finding.place.as_ref()))?;
        }
        writeln!(to)?;
        write_paragraph("  ", &finding.message, style, to)?;
        write_paragraph("  -> ", &finding.remedy, style, to)?;
    }
    writeln!(to)
}

fn summary(report: &Report, style: Style, to: &mut impl Write) -> io::Result<()> {
    let summary = &report.summary;
    if report.mode == "observe" {
        let observed =
            "A control plane manages Workloads here: run would leave what is in brackets to it.";
        write_paragraph("", observed, style, to)?;
    }
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let passed_over = match summary.passed_over {
        0 => String::new(),
        files => format!(", {} passed over", counted(files, "file")),
    };
    let counts = format!(
        "{} read, {} skipped{passed_over}: {}, {}, {}.",
        counted(summary.objects, "object"),
        summary.skipped,
        counted(summary.errors, "error"),
        counted(summary.warnings, "warning"),
        counted(summary.notes, "note"),
    );
    write_paragraph("", &counts, style, to)?;
    let incomplete = match summary.faults {
        0 => return Ok(()),
        faults => format!(
            "{}: what could not be read is missing from this report.",
            counted(faults, "fault")
        ),
    };
    write_paragraph("", &incomplete, style, to)
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn optional(text: Option<&str>) -> Cell {
    Cell::new(text.unwrap_or(NOTHING))
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
    place.map_or_else(|| NOTHING.to_owned(), |place| printable(&place.to_string()))
}
