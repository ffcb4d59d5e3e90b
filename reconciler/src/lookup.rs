//! `kuma-workload explain`: prints what a rule's number, the code of a finding or the name of an
//! admission rule means.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Args;
use kuma_workload_plan::{
    explain::{self, Explanation},
    output::{Style, layout::write_paragraph},
};
use kuma_workload_rulebook::quoted::Quoted;

use crate::terminal::Terminal;

/// What is explained.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kuma-workload explain second-mesh
  kuma-workload explain A5

Exit status: 0 if it was printed; 2 if there is no such name; 1 otherwise.")]
pub struct ExplainFlags {
    /// The number of a rule, the code of a finding, or the name of an admission rule, as reports, messages
    /// and audit annotations have it.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    terminal: Terminal,
}

/// There is no such name.
const UNKNOWN: u8 = 2;

/// Prints what the name means. Exit status: 0, 2 if there is no such name, or 1 if nothing can be
/// printed.
pub fn main(options: &ExplainFlags) -> ExitCode {
    let Some(explanation) = explain::explain(&options.name) else {
        eprintln!("error: {}", unknown(&options.name));
        return ExitCode::from(UNKNOWN);
    };
    let mut stdout = io::stdout().lock();
    let style = options.terminal.style(&stdout);
    match write(&explanation, style, &mut stdout) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("error: the explanation cannot be printed: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn unknown(name: &str) -> String {
    let unknown = format!("no rule and no finding is called {}", Quoted(name));
    match explain::nearest(name) {
        Some(nearest) => format!("{unknown}; did you mean {nearest}?"),
        None => format!("{unknown}; docs/rules.md has the rules, and docs/plan.md the findings"),
    }
}

fn write(explanation: &Explanation, style: Style, to: &mut impl Write) -> io::Result<()> {
    let rules = explanation.rules.join(", ");
    let remedy = explanation.remedy.as_deref().unwrap_or_default();
    let link = explanation.url();
    writeln!(to, "{}", style.bold(explanation.name))?;
    let lines = [
        ("  ", &*explanation.says),
        ("  -> ", remedy),
        ("  rules: ", &*rules),
        ("  see ", &*link),
    ];
    for (first, text) in lines {
        if !text.is_empty() {
            write_paragraph(first, text, style, to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::finding(
        "closed-mesh",
        "closed-mesh\n  a Pod, a template or a Namespace is of a mesh that meshNamespaces closes to the namespace\n  \
         -> name another mesh, or add the namespace to the mesh in meshNamespaces\n  rules: A20\n  \
         see https://github.com/kuma-workload/kuma-workload/blob/main/docs/messages.md#closed-mesh\n"
    )]
    #[case::rule(
        "a1",
        "A1\n  A Pod with the label kuma.io/workload is refused.\n  \
         see https://github.com/kuma-workload/kuma-workload/blob/main/docs/rules.md#admission-a\n"
    )]
    fn what_it_prints(#[case] name: &str, #[case] expected: &str) {
        let mut printed = Vec::new();
        let explanation = explain::explain(name).unwrap();
        write(&explanation, Style::default(), &mut printed).unwrap();
        assert_eq!(String::from_utf8(printed).unwrap(), expected);
    }

    #[rstest]
    #[case::near(
        "second-mush",
        "no rule and no finding is called \"second-mush\"; did you mean second-mesh?"
    )]
    #[case::far(
        "pods\u{1b}",
        "no rule and no finding is called \"pods\u{fffd}\"; \
         docs/rules.md has the rules, and docs/plan.md the findings"
    )]
    fn a_name_that_there_is_not(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(unknown(name), expected);
    }
}
