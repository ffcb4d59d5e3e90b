//! Templates that nobody has rendered: what is no YAML because of `{{`, `{%` or `${`.
//!
//! These are legal in many places, such as the path of a MeshIdentity or the rules of Prometheus. So
//! a document is called a template only if it cannot be read as it is, and gets further with something
//! plain in their place.

use super::{fault::Problem, parsed::Parsed, tree::Position};

/// What begins and ends a place that is to be filled in.
const MARKS: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("${", "}")];

/// What to say of a text that has such a place and cannot have one, such as a name.
pub(super) fn unrendered(text: &str) -> Option<String> {
    let has = |(mark, close): &(&str, &str)| {
        let rest = text.split_once(mark);
        rest.is_some_and(|(_, rest)| rest.contains(close))
    };
    MARKS
        .iter()
        .find(|mark| has(mark))
        .map(|(mark, _)| sentence(mark))
}

fn sentence(mark: &str) -> String {
    format!(
        "this is a template, as its {mark} shows: render it first (helm template, kustomize build, \
         envsubst), and plan what comes of it"
    )
}

/// Says of a document that it is a template, if that is what keeps it from being read. It begins at
/// `start`; `read` reads a document in its place.
pub(super) fn problem(
    document: &str,
    start: Position,
    result: &Result<Parsed, Problem>,
    read: impl FnOnce(&str) -> Result<Parsed, Problem>,
) -> Option<Problem> {
    if result
        .as_ref()
        .is_ok_and(|parsed| parsed.problems.is_empty())
    {
        return None;
    }
    let filled_in = fill_in(document)?;
    let is_cause = match (result, read(&filled_in.document)) {
        (Err(before), Err(after)) => before.at < after.at,
        (Err(_), Ok(_)) => true,
        (Ok(before), Ok(after)) => after.problems.len() < before.problems.len(),
        (Ok(_), Err(_)) => false,
    };
    is_cause.then(|| Problem {
        at: start.after(document.get(..filled_in.first).unwrap_or_default()),
        message: sentence(filled_in.mark),
    })
}

/// A document with something plain in each place that is to be filled in: every character stays where
/// it stood.
struct FilledIn {
    document: String,
    /// The byte at which the first place begins, and its mark.
    first: usize,
    mark: &'static str,
}

fn fill_in(document: &str) -> Option<FilledIn> {
    let mut found: Option<FilledIn> = None;
    let mut ends = MARKS.map(|_| true);
    let mut done = 0;
    let mut offset = 0;
    let mut line = Line::default();
    while let Some(step) = document
        .get(offset..)
        .and_then(|rest| rest.find(['{', '$']))
    {
        let begin = offset + step;
        offset = begin + 1;
        let rest = document.get(begin..).unwrap_or_default();
        let marks = MARKS.iter().zip(&mut ends);
        let Some(((mark, close), is_closed)) = marks
            .filter(|(_, is_closed)| **is_closed)
            .find(|((mark, _), _)| rest.starts_with(mark))
        else {
            continue;
        };
        line.go_to(document, begin);
        if line.is_comment {
            offset = rest.find('\n').map_or(document.len(), |feed| begin + feed);
            continue;
        }
        // Where none ends from here on, none is looked for again.
        let Some(length) = rest.find(close) else {
            *is_closed = false;
            continue;
        };
        let end = begin + length + close.len();
        let filled_in = found.get_or_insert_with(|| FilledIn {
            document: String::with_capacity(document.len()),
            first: begin,
            mark,
        });
        let text = &mut filled_in.document;
        text.push_str(document.get(done..begin).unwrap_or_default());
        let place = document.get(begin..end).unwrap_or_default();
        let filling = match is_alone(document, begin, end) {
            true => ' ',
            false => 'x',
        };
        text.extend(place.chars().map(|character| match character {
            '\n' | '\r' => character,
            _ => filling,
        }));
        (done, offset) = (end, end);
    }
    if let Some(filled_in) = &mut found {
        let rest = document.get(done..).unwrap_or_default();
        filled_in.document.push_str(rest);
    }
    found
}

/// The line that a mark stands in.
#[derive(Debug, Default)]
struct Line {
    /// Up to which byte it is known.
    offset: usize,
    is_comment: bool,
}

impl Line {
    /// Goes forward to the line of a byte.
    fn go_to(&mut self, document: &str, offset: usize) {
        let passed = document.get(self.offset..offset).unwrap_or_default();
        let feed = passed.rfind('\n');
        if self.offset == 0 || feed.is_some() {
            let start = feed.map_or(0, |feed| self.offset + feed + 1);
            let line = document.get(start..).unwrap_or_default();
            let line = line.trim_start_matches([' ', '\t']);
            self.is_comment = line.starts_with('#');
        }
        self.offset = offset;
    }
}

/// Whether nothing else stands on these lines: what is filled in there may be whole lines, or none.
fn is_alone(document: &str, begin: usize, end: usize) -> bool {
    let is_blank = |character: char| matches!(character, ' ' | '\t' | '\r');
    let before = document.get(..begin).unwrap_or_default();
    let before = before.trim_end_matches(is_blank);
    let after = document.get(end..).unwrap_or_default();
    let after = after.trim_start_matches(is_blank);
    (before.is_empty() || before.ends_with('\n')) && (after.is_empty() || after.starts_with('\n'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{faults, read_all};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::value("a: 1\nb: {{ .Values.b }}\n", 2, 4, "{{")]
    #[case::value_with_more("a: {{ .Release.Name }}-web\n", 1, 4, "{{")]
    #[case::include("labels:\n    {{- include \"x.labels\" . | nindent 4 }}\n", 2, 5, "{{")]
    #[case::condition("{{- if .Values.on }}\na: 1\n{{- end }}\n", 1, 1, "{{")]
    #[case::branches("{{ if .x }}\na: 1\n{{ else }}\na: 2\n{{ end }}\n", 1, 1, "{{")]
    #[case::comment_over_lines("{{- /*\n a: b: c\n*/ -}}\na: 1\n", 1, 1, "{{")]
    #[case::alone("{{ .Values.all }}\n", 1, 1, "{{")]
    #[case::as_a_key("{{ key }}: 1\n", 1, 1, "{{")]
    #[case::in_a_list("a: [{{ x }}, 2]\n", 1, 5, "{{")]
    #[case::quotes_in_quotes("a: \"{{ default \"x\" .y }}\"\n", 1, 5, "{{")]
    #[case::json("{\"a\": {{ x }}, \"b\": 1}", 1, 7, "{{")]
    #[case::jinja("{% for x in y %}\n- a\n{% endfor %}\n", 1, 1, "{%")]
    #[case::shell_in_brackets("a: [${B}, c]\n", 1, 5, "${")]
    #[case::shell_with_a_default("a: ${B:-c: d}\n", 1, 4, "${")]
    #[case::the_first_that_is_no_comment("# {{ x }}\na: '{{ y }}'\nb: {{ z }}\n", 2, 5, "{{")]
    #[case::after_wide_characters("ä: 日本 {{ x }}\nb: {{ y }}\n", 1, 7, "{{")]
    #[case::in_another_document("a: 1\n---\nb: {{ c }}\n", 3, 4, "{{")]
    fn a_template_is_told_at_the_place_of_its_first_mark(
        #[case] text: &str,
        #[case] line: u32,
        #[case] column: u32,
        #[case] mark: &str,
    ) {
        let expected = format!("a.yml:{line}:{column}: {}", sentence(mark));
        assert_eq!(faults(text), [expected]);
    }

    #[test]
    fn of_one_file_it_is_told_once() {
        let text = "a: {{ a }}\n---\nb: 2\n---\nc: {{ c }}\n---\nd: [\n";
        let found = read_all(text);
        let is_ok: Vec<_> = found.iter().map(Result::is_ok).collect();
        assert_eq!(is_ok, [false, true, false]);
        assert!(found[2].as_ref().unwrap_err().contains("never closed"));
    }

    #[rstest]
    #[case::quotes("a: '/ns/{{ .Namespace }}/sa/{{ .ServiceAccount }}'\nb: \"{{ x }}\"\n")]
    #[case::literal("a: |\n  {{- if .x }}\n  {% y %} ${Z}\n  {{- end }}\n")]
    #[case::within_a_text("summary: Pod {{ $labels.pod }} is down\n")]
    #[case::shell("args:\n  - echo ${HOME}\n  - ${HOME}/bin\n")]
    #[case::comment("# {{ x }}\na: 1\n")]
    #[case::json("{\"a\": \"{{ x }} ${Y}\"}")]
    fn marks_that_are_no_hindrance_are_read(#[case] text: &str) {
        assert_eq!(faults(text), <[String; 0]>::default());
    }

    /// What is wrong without the marks too is told as what it is.
    #[rstest]
    #[case::brackets("a: '{{ x }}'\nb: [\n")]
    #[case::before_the_mark("a: b: c\nd: {{ x }}\n")]
    #[case::repeated_key("a: '{{ x }}'\nb: 1\nb: 2\n")]
    #[case::not_closed("a: {{ x\n")]
    #[case::complex_key("{[a]: b, c: '{{ x }}'}\n")]
    fn marks_are_not_blamed_for_the_rest(#[case] text: &str) {
        let found = faults(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(!found[0].contains("template"), "{found:?}");
    }

    #[rstest]
    #[case::helm("{{ .Release.Name }}-web", true)]
    #[case::jinja("web-{% if x %}", true)]
    #[case::shell("web-${ENV}", true)]
    #[case::not_closed("web-{{", false)]
    #[case::closed_before("}}{{", false)]
    #[case::dollar("$web", false)]
    fn names_with_marks_are_templates(#[case] text: &str, #[case] is_template: bool) {
        assert_eq!(unrendered(text).is_some(), is_template);
    }
}
