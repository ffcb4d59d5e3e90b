//! SARIF 2.1.0, for GitHub's code scanning and whatever else collects what is found in code.
//!
//! Each finding is a result of the rule of its code, and so is each fault. GitHub refuses a whole log
//! if one result has no place, so what has none stands at the folder itself.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use serde::Serialize;

use super::style::Style;
use crate::{
    explain::{self, PROJECT, names::NameText, plain},
    finding::{BAD_INPUT, Code, Severity},
    read::Place,
    report::{FindingReport, ObjectReport, Report},
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the log.
pub(super) fn write(report: &Report, _: Style, to: &mut impl Write) -> io::Result<()> {
    let faults = report.faults.iter().map(|fault| SarifResult {
        rule_id: BAD_INPUT,
        rule_index: Code::ALL.len(),
        level: Severity::Error,
        message: Text::new(&fault.message),
        locations: [Location::of(Some(&fault.place))],
        related_locations: Vec::new(),
    });
    let findings = report.findings.iter().map(|finding| SarifResult {
        rule_id: finding.code,
        rule_index: index(finding.code),
        level: finding.severity,
        message: Text::new(format!("{}\n{}", finding.message, finding.remedy)),
        locations: [Location::of(finding.place.as_ref())],
        related_locations: of_objects(finding),
    });
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "kuma-workload",
                semantic_version: env!("CARGO_PKG_VERSION"),
                information_uri: PROJECT,
                rules: rules(),
            },
        },
        column_kind: "unicodeCodePoints",
        invocations: [Invocation {
            execution_successful: report.faults.is_empty(),
        }],
        results: faults.chain(findings).collect(),
    };
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run],
    };
    serde_json::to_writer_pretty(&mut *to, &log)?;
    writeln!(to)
}

/// The places of its objects, where a finding is about several.
fn of_objects(finding: &FindingReport) -> Vec<Location> {
    if finding.objects.len() < 2 {
        return Vec::new();
    }
    let at_places = finding.objects.iter().filter_map(|object| {
        let mut location = Location::of(Some(object.place.as_ref()?));
        let ObjectReport { kind, name, .. } = object;
        location.message = Some(Text::new(
            match object.namespace.as_ref().or(object.mesh.as_ref()) {
                Some(within) => format!("{kind} \"{within}/{name}\""),
                None => format!("{kind} \"{name}\""),
            },
        ));
        Some(location)
    });
    at_places.collect()
}

fn index(code: &str) -> usize {
    let codes = Code::ALL.iter();
    codes.take_while(|known| known.name() != code).count()
}

/// A rule for each code, in their order, and that of faults.
fn rules() -> Vec<Rule> {
    let names = Code::ALL.iter().map(|code| code.name());
    let texts = names.chain([BAD_INPUT]).filter_map(explain::text);
    texts.map(Rule::new).collect()
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    invocations: [Invocation; 1],
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    help: Text,
    help_uri: String,
}

impl Rule {
    fn new(text: &NameText) -> Self {
        Self {
            id: text.name,
            short_description: Text::new(plain(text.says)),
            help: Text {
                text: plain(text.remedy),
                markdown: Some(text.remedy.to_owned()),
            },
            help_uri: format!(
                "{PROJECT}/blob/main/docs/plan.md#{}",
                explain::section(text.name)
            ),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    rule_index: usize,
    /// SARIF's levels have the names of our severities.
    level: Severity,
    message: Text,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
}

#[derive(Serialize)]
struct Text {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

impl Text {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            markdown: None,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

impl Location {
    fn of(place: Option<&Place>) -> Self {
        let file = place.map_or(".", |place| &place.file);
        // Line 0 is the file as a whole.
        let at = place.map(|place| place.at).filter(|at| at.line > 0);
        Self {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: uri(file) },
                region: at.map(|at| Region {
                    start_line: at.line,
                    start_column: at.column.max(1),
                }),
            },
            message: None,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

/// The URI of a file: relative where its name is, so that it counts from the root of the repository.
fn uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    if file.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in file.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Fault, tree::Position};
    use rstest::rstest;
    use serde_json::{Value, json};

    fn place(file: &str, line: u32, column: u32) -> Option<Place> {
        Some(Place {
            file: file.into(),
            at: Position { line, column },
        })
    }

    fn finding(severity: Severity, code: Code, place: Option<Place>) -> FindingReport {
        FindingReport {
            severity,
            code: code.name(),
            message: "it is so".to_owned(),
            remedy: "mend it".to_owned(),
            count: 1,
            objects: Vec::new(),
            place,
        }
    }

    fn pod(name: &str, place: Option<Place>) -> ObjectReport {
        ObjectReport {
            kind: "Pod".to_owned(),
            namespace: Some("shop".to_owned()),
            mesh: None,
            name: name.to_owned(),
            count: 1,
            place,
        }
    }

    #[test]
    fn each_fault_and_finding_is_a_result_at_a_place() {
        let of_two = FindingReport {
            objects: vec![pod("a", place("a b.yaml", 1, 1)), pod("b", None)],
            ..finding(Severity::Error, Code::Conflict, place("a b.yaml", 3, 5))
        };
        let report = Report {
            findings: vec![of_two, finding(Severity::Note, Code::Unread, None)],
            faults: vec![Fault::of_file("c.yaml", "it is gone")],
            ..crate::plan([], &crate::Options::default())
        };
        let mut out = Vec::new();
        write(&report, Style::default(), &mut out).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        assert_eq!(run["invocations"], json!([{"executionSuccessful": false}]));
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let rule = |code: &str| rules.iter().position(|rule| rule["id"] == code);
        let file = |uri: &str| json!({"artifactLocation": {"uri": uri}});
        let at = |line: u32, column: u32| {
            json!({
                "artifactLocation": {"uri": "a%20b.yaml"},
                "region": {"startLine": line, "startColumn": column},
            })
        };
        let expected = json!([
            {
                "ruleId": "bad-input",
                "ruleIndex": rule("bad-input"),
                "level": "error",
                "message": {"text": "it is gone"},
                "locations": [{"physicalLocation": file("c.yaml")}],
            },
            {
                "ruleId": "conflict",
                "ruleIndex": rule("conflict"),
                "level": "error",
                "message": {"text": "it is so\nmend it"},
                "locations": [{"physicalLocation": at(3, 5)}],
                "relatedLocations": [
                    {"physicalLocation": at(1, 1), "message": {"text": "Pod \"shop/a\""}},
                ],
            },
            {
                "ruleId": "unread",
                "ruleIndex": rule("unread"),
                "level": "note",
                "message": {"text": "it is so\nmend it"},
                "locations": [{"physicalLocation": file(".")}],
            },
        ]);
        assert_eq!(run["results"], expected);
    }

    #[rstest]
    #[case::relative("a/b.yaml", "a/b.yaml")]
    #[case::stdin("-", "-")]
    #[case::spaces("a b#c%.yaml", "a%20b%23c%25.yaml")]
    #[case::no_scheme("a:b.yaml", "a%3Ab.yaml")]
    #[case::letters("ä.yaml", "%C3%A4.yaml")]
    #[case::absolute("/tmp/a.yaml", "file:///tmp/a.yaml")]
    fn files_are_uris(#[case] file: &str, #[case] expected: &str) {
        assert_eq!(uri(file), expected);
    }

    #[test]
    fn every_code_has_a_rule_with_its_text() {
        let rules = rules();
        assert_eq!(rules.len(), Code::ALL.len() + 1);
        for (at, code) in Code::ALL.iter().enumerate() {
            let rule = &rules[at];
            assert_eq!((rule.id, index(code.name())), (code.name(), at));
            for text in [&rule.short_description.text, &rule.help.text] {
                let is_plain = !text.is_empty() && !text.contains(['`', ']', '\\']);
                assert!(is_plain, "{}: {text}", rule.id);
            }
        }
        assert_eq!(rules[Code::ALL.len()].id, BAD_INPUT);
    }
}
