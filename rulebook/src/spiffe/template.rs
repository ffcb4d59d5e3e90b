//! The templates of a MeshIdentity (ID3).
//!
//! They are Go templates. Fields, `label "key"` and trim markers are evaluated here. Anything else
//! is reported as not evaluated, so that nothing is guessed.

mod cursor;
mod fault;
mod go_string;
mod parser;

pub use fault::{Malformed, TemplateFault};

use self::parser::TemplatePart;
use crate::metadata::Labels;

/// A template that can be evaluated here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template<'t> {
    parts: Vec<TemplatePart<'t>>,
}

/// What a template is evaluated with.
#[derive(Debug, Clone, Copy)]
pub struct TemplateData<'d> {
    /// The fields that `{{ .Field }}` can name, and their values.
    pub fields: &'d [(&'d str, &'d str)],
    /// The labels that `{{ label "key" }}` reads.
    pub labels: &'d Labels<'d>,
}

impl<'t> Template<'t> {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// The first thing in it that is malformed or is not evaluated here.
    pub fn parse(source: &'t str) -> Result<Self, TemplateFault> {
        parser::parse(source).map(|parts| Self { parts })
    }

    /// Evaluates the template.
    ///
    /// # Errors
    ///
    /// The first field or label in it that the data does not have.
    pub fn render(&self, data: &TemplateData<'_>) -> Result<String, TemplateFault> {
        let mut text = String::new();
        for part in &self.parts {
            text.push_str(value(part, data)?);
        }
        Ok(text)
    }
}

fn value<'v>(
    part: &'v TemplatePart<'_>,
    data: &TemplateData<'v>,
) -> Result<&'v str, TemplateFault> {
    match part {
        TemplatePart::Text(text) => Ok(text),
        TemplatePart::Field { at, name } => data
            .fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| *value)
            .ok_or_else(|| TemplateFault::UnknownField {
                at: *at,
                name: (*name).to_owned(),
            }),
        TemplatePart::Label { at, key } => {
            data.labels
                .get(key)
                .ok_or_else(|| TemplateFault::LabelMissing {
                    at: *at,
                    key: key.clone().into_owned(),
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
    const FIELDS: [(&str, &str); 2] = [("Workload", "backend"), ("Namespace", "demo")];

    fn render(template: &str) -> Result<String, TemplateFault> {
        let labels = [
            ("team", "core"),
            ("empty", ""),
            ("a\"b", "quote"),
            ("ü", "u"),
        ];
        let data = TemplateData {
            fields: &FIELDS,
            labels: &labels.into_iter().collect(),
        };
        Template::parse(template)?.render(&data)
    }

    #[rstest]
    #[case::nothing("", "")]
    #[case::text("/a b", "/a b")]
    #[case::closing_braces_are_text("/a}} }b", "/a}} }b")]
    #[case::one_brace_is_text("/{ .Workload }", "/{ .Workload }")]
    #[case::field("/w/{{ .Workload }}", "/w/backend")]
    #[case::without_spaces("{{.Workload}}", "backend")]
    #[case::many_spaces("{{ \t\r\n .Workload \n}}", "backend")]
    #[case::two_fields("{{.Namespace}}.{{.Workload}}", "demo.backend")]
    #[case::label("/t/{{ label \"team\" }}/x", "/t/core/x")]
    #[case::empty_label("/t{{ label \"empty\" }}", "/t")]
    #[case::closing_braces_in_a_string("{{ label \"a\\\"b\" }}}}", "quote}}")]
    fn id3_fields_and_labels(#[case] template: &str, #[case] text: &str) {
        assert_eq!(render(template).as_deref(), Ok(text));
    }

    #[rstest]
    #[case::left("/ \t{{- .Workload }} /", "/backend /")]
    #[case::right("/ {{ .Workload -}} \r\n/", "/ backend/")]
    #[case::both("/ {{- .Workload -}} /", "/backend/")]
    #[case::label("/ {{- label `team` -}} /", "/core/")]
    #[case::between_actions("{{ .Workload -}}  {{ .Namespace }}", "backenddemo")]
    #[case::up_to_the_next_text_only("{{ .Workload -}}{{ .Namespace }} /", "backenddemo /")]
    #[case::other_spaces_stay("/\u{a0}{{- .Workload }}", "/\u{a0}backend")]
    fn id3_trim_markers(#[case] template: &str, #[case] text: &str) {
        assert_eq!(render(template).as_deref(), Ok(text));
    }

    #[rstest]
    #[case::hexadecimal(r#""\x74eam""#)]
    #[case::octal(r#""\164eam""#)]
    #[case::four_digits(r#""\u0074eam""#)]
    #[case::eight_digits(r#""\U00000074eam""#)]
    #[case::raw("`team`")]
    #[case::raw_drops_carriage_returns("`te\ram`")]
    fn id3_strings_as_go_writes_them(#[case] literal: &str) {
        let rendered = render(&format!("{{{{ label {literal} }}}}"));
        assert_eq!(rendered.as_deref(), Ok("core"));
    }

    #[rstest]
    #[case::bytes_of_a_character(r#""\xc3\xbc""#)]
    #[case::octal_bytes(r#""\303\274""#)]
    #[case::code_point(r#""\u00fc""#)]
    fn id3_escapes_beyond_ascii(#[case] literal: &str) {
        let rendered = render(&format!("{{{{ label {literal} }}}}"));
        assert_eq!(rendered.as_deref(), Ok("u"));
    }

    #[test]
    fn id3_every_escape_of_a_letter() {
        let rendered = render(r#"{{ label "\a\b\f\n\r\t\v\\\"" }}"#);
        let key = "\u{7}\u{8}\u{c}\n\r\t\u{b}\\\"".to_owned();
        assert_eq!(rendered, Err(TemplateFault::LabelMissing { at: 3, key }));
    }

    #[rstest]
    #[case::condition("/{{ if .Workload }}y{{ end }}", 4)]
    #[case::pipe("/{{ label \"team\" | printf \"%s-x\" }}", 17)]
    #[case::pipe_without_spaces("{{.Workload|len}}", 11)]
    #[case::function("{{ printf \"x\" }}", 3)]
    #[case::word_that_begins_with_label("{{ labels \"team\" }}", 3)]
    #[case::string("{{ \"x\" }}", 3)]
    #[case::raw_string("{{ `x` }}", 3)]
    #[case::character("{{ 'x' }}", 3)]
    #[case::variable("{{ $x }}", 3)]
    #[case::parentheses("{{ (label \"team\") }}", 3)]
    #[case::dot("{{ . }}", 3)]
    #[case::chain("{{ .Workload.Name }}", 12)]
    #[case::argument("{{ .Workload 1 }}", 13)]
    #[case::label_of_a_field("{{ label .Workload }}", 9)]
    #[case::label_of_two("{{ label \"a\" \"b\" }}", 13)]
    #[case::number("{{ 1 }}", 3)]
    #[case::negative_number("{{ -1 }}", 3)]
    #[case::fraction("{{ .5 }}", 3)]
    #[case::comment("{{/* x */}}", 2)]
    #[case::comment_with_markers("{{- /* x */ -}}", 4)]
    #[case::bytes_that_are_no_text(r#"{{ label "\xff" }}"#, 9)]
    fn id3_richer_templates_are_not_evaluated(#[case] template: &str, #[case] at: usize) {
        let fault = render(template).unwrap_err();
        assert_eq!(fault, TemplateFault::NotEvaluated { at });
        assert!(fault.is_not_evaluated());
    }

    const UNEXPECTED_MINUS: Malformed = Malformed::UnexpectedCharacter('-');
    const UNEXPECTED_BRACE: Malformed = Malformed::UnexpectedCharacter('}');

    #[rstest]
    #[case::unclosed("/{{ .Workload", 1, Malformed::UnclosedAction)]
    #[case::unclosed_at_once("/{{", 1, Malformed::UnclosedAction)]
    #[case::unclosed_dot("/{{ .", 1, Malformed::UnclosedAction)]
    #[case::unclosed_label("/{{ label", 1, Malformed::UnclosedAction)]
    #[case::unclosed_key("/{{ label `a`", 1, Malformed::UnclosedAction)]
    #[case::one_closing_brace("/{{ .Workload }", 14, UNEXPECTED_BRACE)]
    #[case::one_closing_brace_at_once("/{{ .Workload}", 13, UNEXPECTED_BRACE)]
    #[case::empty("/{{ }}", 1, Malformed::EmptyAction)]
    #[case::empty_with_markers("/{{-  -}}", 1, Malformed::EmptyAction)]
    #[case::markers_with_one_space("/{{- -}}", 5, UNEXPECTED_MINUS)]
    #[case::minus_that_is_no_marker("{{ .Workload-}}", 12, UNEXPECTED_MINUS)]
    #[case::minus_alone("{{ .Workload - }}", 13, UNEXPECTED_MINUS)]
    #[case::third_brace("{{{ .Workload }}}", 2, Malformed::UnexpectedCharacter('{'))]
    #[case::action_in_an_action("{{ {{ .Workload }} }}", 3, Malformed::UnexpectedCharacter('{'))]
    #[case::dash_in_a_field("{{ .Work-load }}", 8, UNEXPECTED_MINUS)]
    #[case::other_space("{{\u{a0}.Workload }}", 2, Malformed::UnexpectedCharacter('\u{a0}'))]
    #[case::label_alone("{{ label }}", 3, Malformed::LabelWithoutKey)]
    #[case::label_alone_with_marker("{{ label -}}", 3, Malformed::LabelWithoutKey)]
    #[case::no_space_before_the_key("{{ label\"team\" }}", 8, Malformed::UnexpectedCharacter('"'))]
    #[case::open_string("{{ label \"team }}", 9, Malformed::UnterminatedString)]
    #[case::string_over_two_lines("{{ label \"te\nam\" }}", 9, Malformed::UnterminatedString)]
    #[case::string_that_ends_in_a_backslash("{{ label \"\\", 9, Malformed::UnterminatedString)]
    #[case::open_raw_string("{{ label `team }}", 9, Malformed::UnterminatedString)]
    #[case::unknown_escape(r#"{{ label "te\q" }}"#, 12, Malformed::BadEscape)]
    #[case::quote_of_the_other_kind(r#"{{ label "te\'" }}"#, 12, Malformed::BadEscape)]
    #[case::too_few_digits(r#"{{ label "\x7" }}"#, 10, Malformed::BadEscape)]
    #[case::sign_for_a_digit(r#"{{ label "\x+7" }}"#, 10, Malformed::BadEscape)]
    #[case::octal_too_large(r#"{{ label "\400" }}"#, 10, Malformed::BadEscape)]
    #[case::surrogate(r#"{{ label "\ud800" }}"#, 10, Malformed::BadEscape)]
    #[case::beyond_unicode(r#"{{ label "\U00110000" }}"#, 10, Malformed::BadEscape)]
    fn id3_malformed_templates(#[case] template: &str, #[case] at: usize, #[case] what: Malformed) {
        let fault = render(template).unwrap_err();
        assert_eq!(fault, TemplateFault::Malformed { at, what });
        assert!(!fault.is_not_evaluated());
    }

    #[test]
    fn id3_unknown_fields_and_missing_labels() {
        let (at, name) = (4, "Missing".to_owned());
        let unknown = Err(TemplateFault::UnknownField { at, name });
        assert_eq!(render("/{{ .Missing }}"), unknown);
        let key = "kuma.io/zone".to_owned();
        let missing = Err(TemplateFault::LabelMissing { at, key });
        assert_eq!(render("/{{ label \"kuma.io/zone\" }}"), missing);
    }

    #[rstest]
    #[case("/{{ .Missing }}", "there is no field .Missing (at byte 4)")]
    #[case("/{{ label `a` }}", "there is no label \"a\" (at byte 4)")]
    #[case("/{{ .A", "'{{' is never closed (at byte 1)")]
    #[case(
        "/{{ 1 }}",
        "it has more than fields and labels, which is not evaluated here: Kuma decides (at byte 4)"
    )]
    fn id3_faults_in_words(#[case] template: &str, #[case] words: &str) {
        assert_eq!(render(template).unwrap_err().to_string(), words);
    }

    /// An action as a user writes it, with and without markers, and the text it stands for.
    fn action() -> impl Strategy<Value = (String, bool, bool, &'static str)> {
        let inner = prop_oneof![
            Just((".Workload", "backend")),
            Just((".Namespace", "demo")),
            Just(("label \"team\"", "core")),
            Just(("label `empty`", "")),
        ];
        (inner, any::<bool>(), any::<bool>()).prop_map(|((inner, value), left, right)| {
            let open = if left { "{{- " } else { "{{" };
            let close = if right { " -}}" } else { "}}" };
            (format!("{open}{inner}{close}"), left, right, value)
        })
    }

    /// Pieces that templates are made of, in any order.
    fn soup() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("{{".to_owned()),
            Just("}}".to_owned()),
            Just("-".to_owned()),
            Just(" ".to_owned()),
            Just(".Workload".to_owned()),
            Just("label".to_owned()),
            Just("\"".to_owned()),
            Just("`".to_owned()),
            Just("\\".to_owned()),
            Just("\\xc3".to_owned()),
            Just("\\u00".to_owned()),
            Just("ü".to_owned()),
            "\\PC",
        ];
        proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn id3_nothing_makes_the_parser_panic(any in any::<String>(), soup in soup()) {
            for template in [any, soup] {
                if let Err(fault) = render(&template) {
                    prop_assert!(template.is_char_boundary(fault.at()));
                    prop_assert!(fault.at() <= template.len());
                }
            }
        }

        #[test]
        fn id3_text_without_actions_is_verbatim(text in any::<String>()) {
            prop_assume!(!text.contains("{{"));
            prop_assert_eq!(render(&text), Ok(text));
        }

        #[test]
        fn id3_text_between_actions_is_verbatim_but_for_what_markers_trim(
            first in "[^{]{0,6}|[ \t\n]{0,3}",
            then in proptest::collection::vec((action(), "[^{]{0,6}|[ \t\n]{0,3}"), 0..5),
        ) {
            let (actions, texts): (Vec<_>, Vec<_>) = then.into_iter().unzip();
            let (mut template, mut text) = (String::new(), String::new());
            let mut trim_start = false;
            for (at, verbatim) in [first].into_iter().chain(texts).enumerate() {
                template.push_str(&verbatim);
                let mut kept = verbatim.as_str();
                if trim_start {
                    kept = kept.trim_start_matches(SPACES);
                }
                let Some((action, left, right, value)) = actions.get(at) else {
                    text.push_str(kept);
                    break;
                };
                text.push_str(if *left { kept.trim_end_matches(SPACES) } else { kept });
                text.push_str(value);
                template.push_str(action);
                trim_start = *right;
            }
            prop_assert_eq!(render(&template), Ok(text));
        }
    }
}
