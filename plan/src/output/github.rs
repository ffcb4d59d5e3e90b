//! GitHub's workflow commands: each finding becomes an annotation where it stands.

use std::{
    fmt,
    io::{self, Write},
};

use kuma_workload_rulebook::quoted::is_visible;

use super::style::Style;
use crate::{
    finding::{BAD_INPUT, Severity},
    read::Place,
    report::Report,
};

/// Writes the faults and findings.
pub(super) fn write(report: &Report, _: Style, to: &mut impl Write) -> io::Result<()> {
    for fault in &report.faults {
        line("error", Some(&fault.place), BAD_INPUT, &fault.message, to)?;
    }
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let message = format!("{}\n{}", finding.message, finding.remedy);
        line(command, finding.place.as_ref(), finding.code, &message, to)?;
    }
    Ok(())
}

fn line(
    command: &str,
    place: Option<&Place>,
    title: &str,
    message: &str,
    to: &mut impl Write,
) -> io::Result<()> {
    write!(to, "::{command} ")?;
    if let Some(Place { file, at }) = place {
        write!(to, "file={},", Property(file))?;
        if at.line > 0 {
            write!(to, "line={},col={},", at.line, at.column)?;
        }
    }
    writeln!(to, "title={}::{}", Property(title), Data(message))
}

/// The text after the command: `%` and line ends would end it.
struct Data<'a>(&'a str);

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(self.0, f, |_| None)
    }
}

/// The value of a property: so would `:` and `,`.
struct Property<'a>(&'a str);

impl fmt::Display for Property<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(self.0, f, |character| match character {
            ':' => Some("%3A"),
            ',' => Some("%2C"),
            _ => None,
        })
    }
}

fn escaped(
    text: &str,
    f: &mut fmt::Formatter<'_>,
    more: impl Fn(char) -> Option<&'static str>,
) -> fmt::Result {
    use fmt::Write as _;

    text.chars().try_for_each(|character| match character {
        '%' => f.write_str("%25"),
        '\r' => f.write_str("%0D"),
        '\n' => f.write_str("%0A"),
        // What a terminal would obey, where the log is read on one, and what is not seen.
        hidden if !is_visible(hidden) => f.write_char(char::REPLACEMENT_CHARACTER),
        _ => match more(character) {
            Some(escape) => f.write_str(escape),
            None => f.write_char(character),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::tree::Position;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        let text = "100%: a,b\r\nc\u{1b}[31m";
        assert_eq!(
            Property(text).to_string(),
            "100%25%3A a%2Cb%0D%0Ac\u{fffd}[31m"
        );
        assert_eq!(Data(text).to_string(), "100%25: a,b%0D%0Ac\u{fffd}[31m");
    }

    #[test]
    fn a_fault_is_an_annotation() {
        let mut place = Place {
            file: "a:b.yml".into(),
            at: Position::default(),
        };
        let mut out = Vec::new();
        line(
            "error",
            Some(&place),
            "bad-input",
            "this is no YAML",
            &mut out,
        )
        .unwrap();
        place.at = Position { line: 3, column: 5 };
        line(
            "error",
            Some(&place),
            "bad-input",
            "this is no YAML",
            &mut out,
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "::error file=a%3Ab.yml,title=bad-input::this is no YAML\n\
             ::error file=a%3Ab.yml,line=3,col=5,title=bad-input::this is no YAML\n"
        );
    }
}
