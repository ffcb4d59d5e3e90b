//! A report as what has changed in it: who draws it again after each key has the rest already.

use kuma_workload_plan::Report;
use serde::Serialize;

/// The report as JSON in which a row of a list that was in the same list of the report before is its number there.
///
/// # Errors
///
/// What the writer has against it.
pub(crate) fn changes(report: &Report, before: Option<&Report>) -> serde_json::Result<String> {
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
    field("schema", text(schema)?);
    field("summary", text(summary)?);
    field("mode", text(mode)?);
    field(
        "namespaces",
        rows(namespaces, before.map(|one| &*one.namespaces))?,
    );
    field(
        "workloads",
        rows(workloads, before.map(|one| &*one.workloads))?,
    );
    field("pods", rows(pods, before.map(|one| &*one.pods))?);
    if let Some(universal) = universal {
        field("universal", text(universal)?);
    }
    field(
        "findings",
        rows(findings, before.map(|one| &*one.findings))?,
    );
    field("faults", rows(faults, before.map(|one| &*one.faults))?);
    field("skippedKinds", text(skipped_kinds)?);
    json.push('}');
    Ok(json)
}

/// How far ahead a row is looked for that does not follow the one that it followed before: so many may have been
/// taken away. What is not found is written.
const WINDOW: usize = 64;

/// The list as JSON, where these were its rows before.
fn rows<T: Serialize + PartialEq>(list: &[T], before: Option<&[T]>) -> serde_json::Result<String> {
    let before = before.unwrap_or_default();
    let mut json = String::from("[");
    let mut next = 0;
    for row in list {
        if json.len() > 1 {
            json.push(',');
        }
        let mut ahead = before.iter().enumerate().skip(next).take(WINDOW);
        match ahead.find(|(_, same)| *same == row) {
            Some((number, _)) => {
                json.push_str(&number.to_string());
                next = number + 1;
            }
            None => json.push_str(&text(row)?),
        }
    }
    json.push(']');
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
    #[case::other_order(&["a", "b", "c"], &["c", "a", "b"], r#"[2,"a","b"]"#)]
    #[case::twice(&["a", "a", "b"], &["a", "b", "a"], r#"[0,2,"a"]"#)]
    #[case::nothing_left(&["a"], &[], "[]")]
    fn rows_that_were_there_are_told_by_their_numbers(
        #[case] before: &[&str],
        #[case] now: &[&str],
        #[case] expected: &str,
    ) {
        assert_eq!(rows(now, Some(before)).unwrap(), expected);
    }

    #[test]
    fn a_row_is_looked_for_as_far_as_rows_are_taken_away_at_once() {
        let before: Vec<_> = (1_000..2_000).collect();
        assert_eq!(rows(&[1_063], Some(&before)).unwrap(), "[63]");
        assert_eq!(rows(&[1_064], Some(&before)).unwrap(), "[1064]");
        let all = rows(&before, Some(&before)).unwrap();
        assert!(all.ends_with(",998,999]"));
    }
}
