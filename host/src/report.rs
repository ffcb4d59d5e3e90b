//! What a person reads after a run (a table), and what a program reads (JSON).

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::policy::Evaluation;

/// How wide a table is that goes to a file or a log.
const PIPE_WIDTH: u16 = 160;

/// A case's outcome.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// What came of it.
    pub evaluation: Evaluation,
    /// How that differs from what was declared, and questions that a session expected in vain.
    pub differences: Vec<String>,
}

/// A table with one row for each case.
#[must_use]
pub fn table(outcomes: &[Outcome]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        // No terminal tells its width.
        table.set_width(PIPE_WIDTH);
    }
    table.set_header([
        "request",
        "verdict",
        "code",
        "message",
        "warnings",
        "host calls",
    ]);
    for Outcome {
        name,
        evaluation,
        differences,
    } in outcomes
    {
        let response = &evaluation.response;
        let mut verdict = if response.allowed {
            "allowed"
        } else {
            "rejected"
        }
        .to_owned();
        if !differences.is_empty() {
            verdict.push_str(", unexpected");
        }
        let calls: Vec<String> = evaluation.calls.iter().map(crate::Call::summary).collect();
        let calls = if calls.is_empty() {
            "none".to_owned()
        } else {
            calls.join("\n")
        };
        table.add_row([
            name.clone(),
            verdict,
            response
                .code()
                .map(|code| code.to_string())
                .unwrap_or_default(),
            response.message().unwrap_or_default().to_owned(),
            response.warnings().join("\n"),
            calls,
        ]);
    }
    table.to_string()
}

/// What was expected and did not come, one line each; empty where all is well.
#[must_use]
pub fn differences(outcomes: &[Outcome]) -> Vec<String> {
    outcomes
        .iter()
        .flat_map(|outcome| {
            outcome
                .differences
                .iter()
                .map(|difference| format!("{}: {difference}", outcome.name))
        })
        .collect()
}

/// One JSON array of AdmissionReview v1 responses, in the order of the cases.
#[must_use]
pub fn json(outcomes: &[Outcome]) -> String {
    let reviews = outcomes
        .iter()
        .map(|outcome| outcome.evaluation.response.review())
        .collect();
    format!("{:#}", Value::Array(reviews))
}
