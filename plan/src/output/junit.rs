//! JUnit's XML, which GitLab, Jenkins and others show as tests.
//!
//! A test case for each code, so that its name is the same in each run, and one for faults. It fails
//! if a finding of the code counts, with all findings of the code in its text; a fault is an error.

use std::{
    fmt,
    io::{self, Write},
};

use kuma_workload_rulebook::quoted::is_visible;

use super::style::Style;
use crate::{
    finding::{BAD_INPUT, Code},
    report::{FindingReport, Report},
};

const NAME: &str = "kuma-workload plan";

/// Writes the test suite.
pub(super) fn write(report: &Report, style: Style, to: &mut impl Write) -> io::Result<()> {
    let mut cases = vec![Case::of_faults(report)];
    for code in Code::ALL {
        cases.push(Case::of_findings(report, code.name(), style));
    }
    let of = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
    let totals = format!(
        "name=\"{NAME}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"0\"",
        cases.len(),
        of(Outcome::Failure),
        of(Outcome::Error),
    );
    writeln!(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(to, "<testsuites {totals}>")?;
    writeln!(to, "  <testsuite {totals}>")?;
    cases.iter().try_for_each(|case| case.write(to))?;
    writeln!(to, "  </testsuite>")?;
    writeln!(to, "</testsuites>")
}

/// What came of a test case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failure,
    Error,
}

/// A test case, and all that there is to say of it.
struct Case<'r> {
    name: &'static str,
    outcome: Outcome,
    /// The file that is told first.
    file: Option<&'r str>,
    messages: Vec<String>,
}

impl<'r> Case<'r> {
    fn of_faults(report: &'r Report) -> Self {
        let outcome = match report.faults.is_empty() {
            true => Outcome::Passed,
            false => Outcome::Error,
        };
        Self {
            name: BAD_INPUT,
            outcome,
            file: report.faults.first().map(|fault| &*fault.place.file),
            messages: report.faults.iter().map(ToString::to_string).collect(),
        }
    }

    fn of_findings(report: &'r Report, name: &'static str, style: Style) -> Self {
        let of_code = report
            .findings
            .iter()
            .filter(|finding| finding.code == name);
        let findings: Vec<_> = of_code.collect();
        let counts = |finding: &&FindingReport| style.fail_on.counts(finding.severity);
        let outcome = match findings.iter().any(counts) {
            true => Outcome::Failure,
            false => Outcome::Passed,
        };
        let mut places = findings.iter().filter_map(|finding| finding.place.as_ref());
        Self {
            name,
            outcome,
            file: places.next().map(|place| &*place.file),
            messages: findings.iter().map(|finding| message(finding)).collect(),
        }
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let name = Attribute(self.name);
        write!(to, "    <testcase classname=\"{NAME}\" name=\"{name}\"")?;
        if let Some(file) = self.file {
            write!(to, " file=\"{}\"", Attribute(file))?;
        }
        let Some(first) = self.messages.first() else {
            return writeln!(to, " time=\"0\"/>");
        };
        let all = self.messages.join("\n");
        let all = Text(&all);
        writeln!(to, " time=\"0\">")?;
        let element = match self.outcome {
            Outcome::Passed => {
                writeln!(to, "      <system-out>{all}</system-out>")?;
                return writeln!(to, "    </testcase>");
            }
            Outcome::Failure => "failure",
            Outcome::Error => "error",
        };
        let mut first = first.lines().next().unwrap_or_default().to_owned();
        if let more @ 1.. = self.messages.len() - 1 {
            first += &format!(" (and {more} more)");
        }
        let first = Attribute(&first);
        writeln!(
            to,
            "      <{element} type=\"{name}\" message=\"{first}\">{all}</{element}>"
        )?;
        writeln!(to, "    </testcase>")
    }
}

fn message(finding: &FindingReport) -> String {
    let severity = finding.severity.name();
    let FindingReport {
        message, remedy, ..
    } = finding;
    match &finding.place {
        Some(place) => format!("{place}: {severity}: {message}\n  -> {remedy}"),
        None => format!("{severity}: {message}\n  -> {remedy}"),
    }
}

/// The text of an element.
struct Text<'t>(&'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(self.0, false, f)
    }
}

/// The value of an attribute, in which line ends and tabs would become spaces.
struct Attribute<'t>(&'t str);

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(self.0, true, f)
    }
}

/// What XML 1.0 cannot hold, not even escaped, is replaced, and so is what nobody sees.
fn escaped(text: &str, is_attribute: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write as _;

    text.chars().try_for_each(|character| match character {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '"' if is_attribute => f.write_str("&quot;"),
        '\n' | '\t' if !is_attribute => f.write_char(character),
        '\n' | '\t' | '\r' => write!(f, "&#{};", u32::from(character)),
        '\u{fffe}' | '\u{ffff}' => f.write_char(char::REPLACEMENT_CHARACTER),
        hidden if !is_visible(hidden) => f.write_char(char::REPLACEMENT_CHARACTER),
        _ => f.write_char(character),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::{FailOn, Finding},
        read::Fault,
    };
    use proptest::prelude::*;
    use rstest::rstest;

    fn report(findings: &[Finding], faults: &[Fault]) -> Report {
        Report {
            findings: crate::finding::group::grouped(findings.to_vec()),
            faults: faults.to_vec(),
            ..crate::plan([], &crate::Options::default())
        }
    }

    fn xml(report: &Report, fail_on: FailOn) -> String {
        let style = Style {
            fail_on,
            ..Style::default()
        };
        let mut out = Vec::new();
        write(report, style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn warning(message: &str) -> Finding {
        let remedy = "mend it".to_owned();
        Finding::warning(Code::Conflict, None, message.to_owned(), remedy)
    }

    #[rstest]
    #[case::counts(FailOn::Warning, "failure", "1")]
    #[case::does_not_count(FailOn::Error, "system-out", "0")]
    fn a_case_fails_if_its_finding_counts(
        #[case] fail_on: FailOn,
        #[case] element: &str,
        #[case] failures: &str,
    ) {
        let xml = xml(&report(&[warning("a"), warning("b")], &[]), fail_on);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let suite = document.root_element().first_element_child().unwrap();
        assert_eq!(suite.attribute("failures"), Some(failures));
        let mut cases = suite.children().filter(|one| one.has_tag_name("testcase"));
        let case = cases.find(|one| one.attribute("name") == Some("conflict"));
        let told = case.unwrap().first_element_child().unwrap();
        assert_eq!(told.tag_name().name(), element);
        if element == "failure" {
            assert_eq!(told.attribute("message"), Some("warning: a (and 1 more)"));
        }
        assert_eq!(
            told.text(),
            Some("warning: a\n  -> mend it\nwarning: b\n  -> mend it")
        );
    }

    #[test]
    fn a_fault_is_an_error() {
        let xml = xml(
            &report(&[], &[Fault::of_file("a.yaml", "it is gone")]),
            FailOn::Never,
        );
        let document = roxmltree::Document::parse(&xml).unwrap();
        let error = document.descendants().find(|one| one.has_tag_name("error"));
        let error = error.unwrap();
        assert_eq!(error.attribute("message"), Some("a.yaml: it is gone"));
        let case = error.parent_element().unwrap();
        assert_eq!(case.attribute("name"), Some("bad-input"));
        assert_eq!(case.attribute("file"), Some("a.yaml"));
        assert_eq!(document.root_element().attribute("errors"), Some("1"));
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let text = "\u{0}\u{8}\u{1b}\u{fffe}\u{ffff}\r\n\t<&>\"]]>";
        assert_eq!(
            Text(text).to_string(),
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}&#13;\n\t&lt;&amp;&gt;\"]]&gt;"
        );
        assert_eq!(
            Attribute(text).to_string(),
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}&#13;&#10;&#9;&lt;&amp;&gt;&quot;]]&gt;"
        );
    }

    proptest! {
        #[test]
        fn whatever_is_found_the_xml_is_well_formed(message: String, file: String) {
            let faults = [Fault::of_file(&*file, message.clone())];
            let xml = xml(&report(&[warning(&message)], &faults), FailOn::Warning);
            prop_assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml}");
        }
    }
}
