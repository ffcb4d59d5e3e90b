//! What came of a run: for a person as text, for a program as JSON.

use std::fmt::Write;

use kuma_workload_plan::read::{Fault, Place};
use kuma_workload_rulebook::quoted::printable;
use serde::Serialize;
use serde_json::{Value, json};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::{
    admission::{AdmissionRequest, AdmissionResponse, GroupVersionKind, GroupVersionResource},
    callback::Call,
    policy::Evaluation,
    verdict::Verdict,
};

/// How far what is said of a request stands below its first line.
const INDENT: &str = "    ";

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// What was judged, in the order of the requests.
    pub cases: Vec<JudgedCase>,
    /// What could not be read, or not be asked.
    pub faults: Vec<Fault>,
}

/// A case, and what came of it.
#[derive(Debug)]
pub struct JudgedCase {
    /// The case's name.
    pub name: String,
    /// Where the request stands.
    pub place: Place,
    /// The request.
    pub request: AdmissionRequest,
    /// The answer, in a word.
    pub verdict: Verdict,
    /// The answer, and how it was come by.
    pub evaluation: Evaluation,
    /// Whether it was declared what must come of it.
    pub is_declared: bool,
    /// How it differs from that, and questions that a session expected in vain.
    pub differences: Vec<String>,
}

impl JudgedCase {
    fn is_as_declared(&self) -> bool {
        self.is_declared && self.differences.is_empty()
    }

    /// `CREATE Pod team-a/web`: what was asked.
    fn subject(&self) -> String {
        let AdmissionRequest {
            operation,
            kind,
            sub_resource,
            namespace,
            name,
            ..
        } = &self.request;
        let mut subject = format!("{operation} {}", kind.kind);
        if let Some(sub_resource) = sub_resource.as_deref().filter(|name| !name.is_empty()) {
            let _ = write!(subject, "/{sub_resource}");
        }
        // The API server names a Namespace as the namespace of itself.
        let namespace = namespace.as_ref().filter(|_| kind.kind != "Namespace");
        let parts = [namespace, name.as_ref()].into_iter().flatten();
        let parts: Vec<&str> = parts
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        if !parts.is_empty() {
            let _ = write!(subject, " {}", parts.join("/"));
        }
        subject
    }
}

impl Report {
    /// How many requests have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let of_verdict = self.cases.iter().filter(|case| case.verdict == verdict);
        of_verdict.count()
    }

    /// What differs from what was declared, a sentence each; empty where all is well.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let all = self.cases.iter().flat_map(|case| {
            let differences = case.differences.iter();
            differences.map(|difference| format!("{}: {difference}", case.place))
        });
        all.collect()
    }

    /// It as text for a person, each request in a paragraph, in lines of at most `width` columns if
    /// they are wrapped at all; then the summary.
    #[must_use]
    pub fn text(&self, width: Option<usize>) -> String {
        let mut text = String::new();
        for case in &self.cases {
            let JudgedCase { name, verdict, .. } = case;
            let response = &case.evaluation.response;
            let code = response.code().map(|code| format!(" ({code})"));
            let unexpected = match &*case.differences {
                [] => "",
                _ => ", not as expected",
            };
            let first = format!(
                "{verdict:<10}  {name}: {}{}{unexpected}",
                case.subject(),
                code.unwrap_or_default(),
            );
            line(&mut text, "", &first, width);
            if let Some(message) = response.message() {
                line(&mut text, INDENT, message, width);
            }
            for warning in response.warnings() {
                line(&mut text, INDENT, &format!("warning: {warning}"), width);
            }
            let calls: Vec<String> = case.evaluation.calls.iter().map(Call::summary).collect();
            if !calls.is_empty() {
                let asked = format!("asked: {}", calls.join("; "));
                line(&mut text, INDENT, &asked, width);
            }
        }
        if !self.cases.is_empty() {
            text.push('\n');
        }
        line(&mut text, "", &self.summary(), width);
        text
    }

    /// How many requests there were, what became of them, and how many surprised.
    fn summary(&self) -> String {
        let mut summary = format!(
            "{}: {} accepted, {} rejected, {} not judged",
            counted(self.cases.len(), "request"),
            self.count(Verdict::Accepted),
            self.count(Verdict::Rejected),
            self.count(Verdict::NotJudged),
        );
        let differing = self
            .cases
            .iter()
            .filter(|case| !case.differences.is_empty());
        let expected = self.cases.iter().filter(|case| case.is_as_declared());
        match (expected.count(), differing.count()) {
            (0, 0) => {}
            (expected, 0) => {
                let _ = write!(summary, "; {expected} as expected");
            }
            (expected, differing) => {
                let _ = write!(summary, "; {expected} as expected, {differing} not");
            }
        }
        match self.faults.len() {
            0 => {}
            faults => {
                let _ = write!(summary, "; {} of the input", counted(faults, "fault"));
            }
        }
        summary
    }

    /// A JSON list of AdmissionReviews, in the order of the requests: beside the response, which
    /// request it is to, without its objects, and where that stands.
    #[must_use]
    pub fn json(&self) -> String {
        let reviews = self.cases.iter().map(|case| json!(Review::of(case)));
        format!("{:#}\n", Value::Array(reviews.collect()))
    }
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// Adds what may be several lines, each wrapped by words; what goes on stands further in.
fn line(text: &mut String, indent: &str, content: &str, width: Option<usize>) {
    let below = match indent {
        "" => INDENT,
        indent => indent,
    };
    for (index, content) in content.lines().enumerate() {
        let content = &*printable(content);
        let first = if index == 0 { indent } else { below };
        let Some(width) = width else {
            text.extend([first, content, "\n"]);
            continue;
        };
        let options = Options::new(width)
            .initial_indent(first)
            .subsequent_indent(below)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit);
        for line in textwrap::wrap(content, options) {
            text.extend([&*line, "\n"]);
        }
    }
}

/// An AdmissionReview with both sides, and what the run knows beside them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'c> {
    api_version: &'static str,
    kind: &'static str,
    request: Subject<'c>,
    response: &'c AdmissionResponse,
    /// Where the request stands.
    place: &'c Place,
    verdict: Verdict,
    differences: &'c [String],
}

/// An AdmissionRequest without its objects.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subject<'c> {
    uid: &'c str,
    kind: &'c GroupVersionKind,
    resource: &'c GroupVersionResource,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_resource: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'c str>,
    operation: &'c str,
}

impl<'c> Review<'c> {
    fn of(case: &'c JudgedCase) -> Self {
        let request = &case.request;
        Self {
            api_version: "admission.k8s.io/v1",
            kind: "AdmissionReview",
            request: Subject {
                uid: &request.uid,
                kind: &request.kind,
                resource: &request.resource,
                sub_resource: request.sub_resource.as_deref(),
                name: request.name.as_deref(),
                namespace: request.namespace.as_deref(),
                operation: &request.operation,
            },
            response: &case.evaluation.response,
            place: &case.place,
            verdict: case.verdict,
            differences: &case.differences,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;

    const MESSAGE: &str = "pod is in mesh \"a-mesh-with-a-long-name\" but namespace \"shop\" already contains dataplanes in mesh \"default\"";

    fn case(name: &str, verdict: Verdict, response: AdmissionResponse) -> JudgedCase {
        let request = json!({
            "uid": format!("uid-of-{name}"), "operation": "CREATE", "userInfo": {},
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": "shop", "name": name, "object": {"a": "secret"},
        });
        let request: AdmissionRequest = serde_json::from_value(request).expect("a request");
        JudgedCase {
            name: name.to_owned(),
            place: Fault::of_file(format!("requests/{name}.json"), "").place,
            verdict,
            evaluation: Evaluation {
                response: AdmissionResponse {
                    uid: request.uid.clone(),
                    ..response
                },
                calls: Vec::new(),
                watches: Vec::new(),
                logs: Vec::new(),
                elapsed: Duration::ZERO,
            },
            request,
            is_declared: false,
            differences: Vec::new(),
        }
    }

    fn accepted(name: &str) -> JudgedCase {
        let response = AdmissionResponse {
            allowed: true,
            warnings: Some(vec!["mind the gap".to_owned()]),
            ..AdmissionResponse::default()
        };
        case(name, Verdict::Accepted, response)
    }

    fn rejected(name: &str) -> JudgedCase {
        let response = AdmissionResponse::reject("", MESSAGE.to_owned(), 403);
        case(name, Verdict::Rejected, response)
    }

    fn not_judged(name: &str) -> JudgedCase {
        let response = AdmissionResponse {
            allowed: true,
            ..AdmissionResponse::default()
        };
        case(name, Verdict::NotJudged, response)
    }

    fn report(cases: impl IntoIterator<Item = JudgedCase>) -> Report {
        Report {
            cases: cases.into_iter().collect(),
            faults: Vec::new(),
        }
    }

    #[test]
    fn a_verdict_is_a_paragraph_wrapped_by_words() {
        let report = report([accepted("web"), rejected("till"), not_judged("map")]);
        let text = report.text(Some(50));
        assert_eq!(
            text,
            r#"accepted    web: CREATE Pod shop/web
    warning: mind the gap
rejected    till: CREATE Pod shop/till (403)
    pod is in mesh "a-mesh-with-a-long-name" but
    namespace "shop" already contains dataplanes
    in mesh "default"
not judged  map: CREATE Pod shop/map

3 requests: 1 accepted, 1 rejected, 1 not judged
"#
        );
    }

    #[rstest]
    fn no_line_is_wider_than_the_terminal(#[values(8, 20, 40, 80, 120, 200)] width: usize) {
        let report = report([accepted("web"), rejected("a-rather-long-name-of-a-file")]);
        for line in report.text(Some(width)).lines() {
            assert!(line.chars().count() <= width, "{line:?}");
        }
    }

    #[test]
    fn a_sentence_stays_in_one_line_where_there_is_no_terminal() {
        assert!(
            report([rejected("web")])
                .text(None)
                .contains(&format!("\n    {MESSAGE}\n"))
        );
    }

    #[rstest]
    #[case::nothing_declared(&[], &[], "2 requests: 1 accepted, 1 rejected, 0 not judged")]
    #[case::all_declared(&[0, 1], &[], "2 requests: 1 accepted, 1 rejected, 0 not judged; 2 as expected")]
    #[case::one_declared(&[1], &[], "2 requests: 1 accepted, 1 rejected, 0 not judged; 1 as expected")]
    #[case::one_differs(&[0, 1], &[1], "2 requests: 1 accepted, 1 rejected, 0 not judged; 1 as expected, 1 not")]
    fn the_summary_counts(
        #[case] declared: &[usize],
        #[case] differing: &[usize],
        #[case] summary: &str,
    ) {
        let mut report = report([accepted("web"), rejected("till")]);
        for index in declared {
            report.cases[*index].is_declared = true;
        }
        for index in differing {
            report.cases[*index].differences = vec!["code: expected 500, got 403".to_owned()];
        }
        assert_eq!(report.text(None).lines().last(), Some(summary));
    }

    #[test]
    fn what_differs_is_marked_and_told_with_its_place() {
        let mut report = report([rejected("till")]);
        report.cases[0].differences = vec!["code: expected 500, got 403".to_owned()];
        let text = report.text(None);
        assert!(
            text.starts_with("rejected    till: CREATE Pod shop/till (403), not as expected\n"),
            "{text}"
        );
        assert_eq!(
            report.differences(),
            ["requests/till.json: code: expected 500, got 403"]
        );
    }

    #[test]
    fn a_review_says_which_request_it_is_about_without_its_objects() {
        let reviews: Value =
            serde_json::from_str(&report([rejected("till")]).json()).expect("JSON");
        assert_eq!(
            reviews,
            json!([{
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "request": {
                    "uid": "uid-of-till",
                    "kind": {"group": "", "version": "v1", "kind": "Pod"},
                    "resource": {"group": "", "version": "v1", "resource": "pods"},
                    "name": "till",
                    "namespace": "shop",
                    "operation": "CREATE",
                },
                "response": {
                    "uid": "uid-of-till",
                    "allowed": false,
                    "status": {"message": MESSAGE, "code": 403},
                    "auditAnnotations": null,
                    "warnings": null,
                },
                "place": {"file": "requests/till.json", "line": 0, "column": 0},
                "verdict": "rejected",
                "differences": [],
            }])
        );
    }
}
