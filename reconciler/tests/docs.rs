//! The documentation has every flag, metric, event, result, finding and rule, as the program itself has
//! them. `KUMA_WORKLOAD_REWRITE=1` rewrites the tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{env, fmt::Write as _, fs, path::PathBuf, sync::Mutex};

use clap::CommandFactory;
use kuma_workload::{
    cli::Command,
    run::{METRICS, REASONS, ReconcileResult, WorkloadState},
};
use kuma_workload_plan::explain::{self, names::FINDINGS, rules::SECTIONS};
use kuma_workload_rulebook::admission::Rule;
use rstest::rstest;

/// Tests run at the same time, and with `KUMA_WORKLOAD_REWRITE=1` each rewrites its part of a file.
static FILE: Mutex<()> = Mutex::new(());

const RECONCILER: &str = "reconciler.md";

fn document(name: &str) -> PathBuf {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    docs.join(name)
}

/// The flags of a subcommand, in the order of its help; those of the connection have their own table.
fn flags(subcommand: &str) -> String {
    let mut command = Command::command();
    command.build();
    let subcommand = command.find_subcommand(subcommand).unwrap();
    let mut table = "| flag | default | meaning |\n|---|---|---|\n".to_owned();
    for argument in subcommand.get_arguments() {
        let Some(long) = argument.get_long().filter(|long| *long != "help") else {
            continue;
        };
        let mut flag = format!("`--{long}`");
        if let Some(short) = argument.get_short() {
            flag = format!("`-{short}`, {flag}");
        }
        if let Some(variable) = argument.get_env() {
            write!(flag, "<br>`{}`", variable.to_str().unwrap()).unwrap();
        }
        let defaults: Vec<_> = argument
            .get_default_values()
            .iter()
            .map(|value| format!("`{}`", value.to_str().unwrap()))
            .collect();
        let help = argument.get_long_help().or(argument.get_help()).unwrap();
        let mut help = help
            .to_string()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        if !help.ends_with('.') {
            help.push('.');
        }
        let values = argument.get_possible_values();
        if values.iter().any(|value| value.get_help().is_some()) {
            for value in &values {
                let meaning = value.get_help().unwrap();
                write!(help, "<br>`{}`: {meaning}.", value.get_name()).unwrap();
            }
        }
        writeln!(
            table,
            "| {flag} | {} | {} |",
            defaults.join(", "),
            help.replace('|', "\\|")
        )
        .unwrap();
    }
    table
}

fn metrics() -> String {
    let mut table = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for metric in METRICS {
        let labels: Vec<_> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (name, form, labels, help) = (metric.name, metric.form, labels.join(", "), metric.help);
        writeln!(table, "| `{name}` | {form} | {labels} | {help}. |").unwrap();
    }
    table
}

fn events() -> String {
    let mut table = "| reason | type | when | note |\n|---|---|---|---|\n".to_owned();
    for reason in REASONS {
        let notes = reason.notes().join("<br>");
        let (name, event_type, when) = (reason.text(), reason.event_type(), reason.when());
        writeln!(table, "| `{name}` | {event_type} | {when} | {notes} |").unwrap();
    }
    table
}

fn findings() -> String {
    let mut table = "| code | severity | meaning | what to do |\n|---|---|---|---|\n".to_owned();
    for text in FINDINGS {
        let (name, severity, says, remedy) = (text.name, text.severity, text.says, text.remedy);
        writeln!(table, "| `{name}` | {severity} | {says} | {remedy} |").unwrap();
    }
    table
}

/// The rules of the kind with this letter.
fn rules(letter: &str) -> String {
    let title = format!(" ({letter})");
    let mut sections = SECTIONS.iter();
    let section = sections.find(|one| one.title.ends_with(&title)).unwrap();
    let has_kuma = section.rules.iter().any(|rule| !rule.kuma.is_empty());
    let mut table = match has_kuma {
        true => "| rule | says | Kuma |\n|---|---|---|\n".to_owned(),
        false => "| rule | says |\n|---|---|\n".to_owned(),
    };
    for rule in section.rules {
        let (number, says, kuma) = (rule.number, rule.says, rule.kuma);
        match has_kuma {
            true => writeln!(table, "| {number} | {says} | {kuma} |").unwrap(),
            false => writeln!(table, "| {number} | {says} |").unwrap(),
        }
    }
    table
}

#[rstest]
#[case::run(RECONCILER, "run", flags("run"))]
#[case::status(RECONCILER, "status", flags("status"))]
#[case::crds(RECONCILER, "crds", flags("crds"))]
#[case::metrics(RECONCILER, "metrics", metrics())]
#[case::events(RECONCILER, "events", events())]
#[case::vap("vap.md", "vap", flags("vap"))]
#[case::findings("plan.md", "findings", findings())]
#[case::mesh("rules.md", "M", rules("M"))]
#[case::membership("rules.md", "I", rules("I"))]
#[case::workload("rules.md", "W", rules("W"))]
#[case::admission("rules.md", "A", rules("A"))]
#[case::protection("rules.md", "P", rules("P"))]
#[case::lifecycle("rules.md", "L", rules("L"))]
#[case::status_numbers("rules.md", "S", rules("S"))]
#[case::universal("rules.md", "U", rules("U"))]
#[case::identity("rules.md", "ID", rules("ID"))]
#[case::people("rules.md", "T", rules("T"))]
fn the_table_is_the_program_s(#[case] file: &str, #[case] name: &str, #[case] table: String) {
    let _locked = FILE.lock();
    let text = fs::read_to_string(document(file)).unwrap();
    let begin = format!("<!-- {name} -->\n");
    let start = text.find(&begin).expect("the table's mark") + begin.len();
    let end = start + text[start..].find("<!-- end -->").expect("the table's end");
    if env::var_os("KUMA_WORKLOAD_REWRITE").is_some() {
        let rewritten = format!("{}{table}{}", &text[..start], &text[end..]);
        fs::write(document(file), rewritten).unwrap();
        return;
    }
    assert_eq!(&text[start..end], table);
}

#[test]
fn labels_are_explained() {
    let _locked = FILE.lock();
    let text = fs::read_to_string(document(RECONCILER)).unwrap();
    let results = ReconcileResult::ALL.iter().map(|result| result.text());
    let states = WorkloadState::ALL.iter().map(|state| state.text());
    for value in results.chain(states) {
        assert!(text.contains(&format!("| `{value}` |")), "{value}");
    }
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', "")
}

#[test]
fn what_is_explained_has_its_place_in_the_documentation() {
    let _locked = FILE.lock();
    let names = explain::all().chain(Rule::ALL.iter().map(|rule| rule.name()));
    for name in names {
        let link = explain::explain(name).unwrap().link;
        let (page, wanted) = link.split_once(".html#").unwrap();
        let text = fs::read_to_string(document(&format!("{page}.md"))).unwrap();
        let headings = text.lines().filter(|line| line.starts_with('#'));
        let mut anchors = headings.map(|line| anchor(line.trim_start_matches('#').trim()));
        assert!(anchors.any(|one| one == wanted), "{name}: {link}");
    }
}

/// Each section of an admission rule begins with its numbers.
#[test]
fn the_messages_have_the_numbers_of_their_rules() {
    let _locked = FILE.lock();
    let text = fs::read_to_string(document("messages.md")).unwrap();
    for rule in Rule::ALL {
        let section = text
            .split(&format!("\n## {}\n", rule.name()))
            .nth(1)
            .unwrap();
        let line = section.trim_start().lines().next().unwrap();
        let (first, last) = (
            rule.numbers().first().unwrap(),
            rule.numbers().last().unwrap(),
        );
        for number in [first, last] {
            let is_there = line
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word == *number);
            assert!(
                line.starts_with("Rule") && is_there,
                "{}: {line}",
                rule.name()
            );
        }
    }
}
