//! A report as what has changed in it: who draws it again after each key has the rest already.

use std::collections::BTreeMap;

use kuma_workload_plan::Report;
use serde::Serialize;

/// The rows of the lists of the last report, as JSON.
#[derive(Debug, Default)]
pub(crate) struct Rows([Vec<String>; LISTS]);

/// How many lists of a report are told by what has changed.
const LISTS: usize = 5;

impl Rows {
    /// The report as JSON in which a row of a list that was in the same list of the last report is its number there.
    pub(crate) fn changes(&mut self, report: &Report) -> serde_json::Result<String> {
        let Report {
            schema,
            summary,
            mode,
            namespaces,
            workloads,
            pods,
            universal,
            findings,
            faults,
            skipped_kinds,
        } = report;
        let mut json = String::from("{");
        let mut field = |name: &str, value: String| {
            json.push_str(if json.len() > 1 { ",\"" } else { "\"" });
            json.push_str(name);
            json.push_str("\":");
            json.push_str(&value);
        };
        let [of_namespaces, of_workloads, of_pods, of_findings, of_faults] = &mut self.0;
        field("schema", text(schema)?);
        field("summary", text(summary)?);
        field("mode", text(mode)?);
        field("namespaces", rows(namespaces, of_namespaces)?);
        field("workloads", rows(workloads, of_workloads)?);
        field("pods", rows(pods, of_pods)?);
        if let Some(universal) = universal {
            field("universal", text(universal)?);
        }
        field("findings", rows(findings, of_findings)?);
        field("faults", rows(faults, of_faults)?);
        field("skippedKinds", text(skipped_kinds)?);
        json.push('}');
        Ok(json)
    }
}

/// The list as JSON, where these were its rows before. Now they are what it has.
fn rows<T: Serialize>(list: &[T], before: &mut Vec<String>) -> serde_json::Result<String> {
    let now = list.iter().map(text);
    let now = now.collect::<serde_json::Result<Vec<_>>>()?;
    let mut json = String::from("[");
    // Most rows follow the one that they followed before; what does not is looked up.
    let mut next = 0;
    let mut numbers = None;
    for row in &now {
        if json.len() > 1 {
            json.push(',');
        }
        let number = match before.get(next) {
            Some(same) if same == row => Some(next),
            _ => numbers
                .get_or_insert_with(|| before.iter().zip(0..).collect::<BTreeMap<_, _>>())
                .get(row)
                .copied(),
        };
        match number {
            Some(number) => json.push_str(&number.to_string()),
            None => json.push_str(row),
        }
        next = number.unwrap_or(next) + 1;
    }
    json.push(']');
    *before = now;
    Ok(json)
}

/// A value as JSON, by the same code that writes the whole report.
fn text(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::first(&[], &["a", "b"], r#"["a","b"]"#)]
    #[case::same(&["a", "b"], &["a", "b"], "[0,1]")]
    #[case::changed(&["a", "b", "c"], &["a", "x", "c"], r#"[0,"x",2]"#)]
    #[case::inserted(&["a", "b", "c"], &["x", "a", "b", "c"], r#"["x",0,1,2]"#)]
    #[case::taken_away(&["a", "b", "c"], &["b", "c"], "[1,2]")]
    #[case::other_order(&["a", "b", "c"], &["c", "a", "b"], "[2,0,1]")]
    #[case::twice(&["a", "a", "b"], &["a", "b", "a"], "[0,2,1]")]
    #[case::nothing_left(&["a"], &[], "[]")]
    fn rows_that_were_there_are_told_by_their_numbers(
        #[case] before: &[&str],
        #[case] now: &[&str],
        #[case] expected: &str,
    ) {
        let mut known = Vec::new();
        rows(before, &mut known).unwrap();
        assert_eq!(rows(now, &mut known).unwrap(), expected);
        let all: Vec<_> = now.iter().map(|row| format!("{row:?}")).collect();
        assert_eq!(known, all);
    }
}
