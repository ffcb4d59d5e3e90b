//! What cannot be read: nothing of it may be seen that should not, whatever was meant.

use std::time::{Duration, Instant};

use super::{SECRET, mask};
use rstest::rstest;

#[rstest]
#[case::like_a_tag("kind: Secret\nstringData:\n  password: !hunter2\n")]
#[case::like_an_anchor("kind: Secret\nstringData:\n  password: &hunter2\n")]
#[case::like_an_anchor_of_more("kind: Secret\nstringData:\n  password: &hunter2 x\n")]
#[case::like_an_anchor_of_all("kind: Secret\nstringData: &hunter2\n")]
#[case::variable_like_a_tag("env:\n- name: A\n  value: !hunter2\n")]
#[case::variable_like_an_anchor("env: [{name: A, value: &hunter2 }]\n")]
#[case::literal_like_a_tag("secretGenerator:\n- literals:\n  - !a=hunter2\n")]
#[case::prompt("$ kubectl get secret\n{\"kind\":\"Secret\",\"data\":{\"a\":\"hunter2\"}}\n")]
#[case::conflict("<<<<<<< HEAD\n{\"kind\":\"Secret\",\"data\":{\"a\":\"hunter2\"}}\n")]
#[case::colon(":{\"kind\":\"Secret\",\"data\":{\"a\":\"hunter2\"}}\n")]
#[case::within_a_command("args: ['echo {\"kind\":\"Secret\",\"data\":{\"a\":\"hunter2\"}}']\n")]
#[case::within_a_word("kind: ConfigMap\ndata: {a: 'stringData: {a: hunter2}'}\n")]
#[case::old_mac("# x\rkind: Secret\rstringData:\r  a: hunter2\r")]
#[case::old_mac_behind_a_marker("...\rkind: Secret\rstringData:\r  a: hunter2\r")]
#[case::next_line("# x\u{85}kind: Secret\u{85}stringData:\u{85}  a: hunter2\u{85}")]
#[case::open_bracket("kind: Secret\ndata:\n  a: hunter2\nx: [\n")]
#[case::open_quote("kind: Secret\nstringData:\n  a: |\n    hunter2\n    hunter2\n  b: \"hunter2\n")]
#[case::variable("env:\n- name: A\n  value: hunter2\n  x: [\n")]
#[case::list_as_far_left("spec:\n  env:\n  - name: A\n    value: hunter2\n  x: [\n")]
#[case::flow("x: [{name: A, value: hunter2}, {\n")]
#[case::json("{\"kind\": \"Secret\", \"data\": {\"a\": \"hunter2\"},\n\"b\": \"hunter2\"")]
#[case::json_lines("{\n  \"kind\": \"Secret\",\n  \"data\": {\n    \"a\": \"hunter2\"\n  }\n")]
#[case::variable_over_lines("value: >-\n  hunter2\n\n  hunter2\nx: [\n")]
#[case::tabs("kind: Secret\ndata:\n\ta: hunter2\n")]
#[case::template("kind: Secret\ndata:\n  a: {{ .Values.a }}hunter2\n")]
#[case::second_document("kind: Secret\ndata: {a: hunter2}\n---\nx: [\nvalue: hunter2\n")]
#[case::other_case("Kind: Secret\nData: {a: hunter2\n")]
#[case::helm("kind: Secret\ndata:\n{{- range .x }}\n  a: hunter2\n{{- end }}\n")]
#[case::helm_in_a_literal(
    "kind: Pod\nenv:\n- value: |\n    x\n{{- range .x }}\n    hunter2\n{{- end }}\n"
)]
#[case::helm_variables("kind: Pod\nenv:\n{{ if x }}\n  PASSWORD: hunter2\n{{ end }}\n")]
#[case::helm_on_the_left("kind: Pod\nenv:\n{{ if x }}\nPASSWORD: hunter2\n{{ end }}\n")]
#[case::other_template("kind: Pod\nenv:\n{% if x %}\n  PASSWORD: hunter2\n{% end %}\n")]
#[case::comment("kind: Pod\nenv:\n# comment\n\n  PASSWORD: hunter2\nx: [\n")]
#[case::quote("stringData:\n  a: \"first\nhunter2\n")]
#[case::single_quote("stringData:\n  a: 'first\nhunter2\n")]
#[case::quote_before_a_key("kind: Pod\nenv: [{value: \"first\nfoo: hunter2\n")]
#[case::quote_in_a_quote("kind: Pod\nenv:\n  a: 'x\" '\"\nfoo: hunter2\n")]
#[case::bracket("{\n\"kind\": \"Secret\",\n\"data\": {\n\"a\": \"hunter2\"\n")]
#[case::bracket_behind("{\"kind\":\"Secret\",\n\"data\":{\"a\":\n\"hunter2\"},")]
#[case::bracket_below("{\"data\":\n  {\n\"a\": \"hunter2\"}")]
#[case::bracket_on_the_left("stringData: {\na: hunter2 }\nx: [")]
#[case::bracket_before("x: {\nenv:\n{a:\nb,\nb:\nhunter2}\n")]
#[case::wrapped("kind: Secret\ndata:\n  a: aaaa\nhunter2\n")]
#[case::on_the_left("kind: Secret\ndata:\npassword: hunter2\nx: [")]
#[case::on_the_left_without_a_kind("data:\npassword: hunter2\nx: [")]
#[case::on_the_left_with_an_alias("k: &k Secret\nkind: *k\ndata:\npassword: hunter2\nx: [")]
#[case::on_the_left_with_an_escape("kind: \"S\\x65cret\"\ndata:\npassword: hunter2\nx: [")]
#[case::kind_last("data:\npassword: hunter2\nx: [\nkind: Secret\n")]
#[case::key_block(
    "kind: Secret\nstringData:\n  a: |\n-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"
)]
#[case::key_block_in_quotes(
    "kind: Secret\nstringData:\n  a: \"\n-----BEGIN PRIVATE KEY-----\nhunter2\n"
)]
#[case::marker_in_quotes("kind: Secret\nstringData:\n  a: \"first\n---\nhunter2\"\n")]
#[case::markers_in_quotes(
    "kind: Secret\nstringData:\n  a: \"first\n---\n# hunter2\n---\nkind: Pod\nb: hunter2\n...\n# hunter2"
)]
#[case::marker_behind("kind: Secret\ndata:\n  a: b: c\n---\nhunter2\n")]
#[case::marker_behind_a_key("kind: Secret\ndata:\n---\n  a: hunter2\n")]
#[case::marker_between_keys("kind: Secret\ndata:\n  a: b\n---\n  b: hunter2\ntype: Opaque\n")]
#[case::marker_in_variables(
    "kind: Pod\nenv:\n- name: A\n  value: b\n---\n- name: A\n  value: hunter2\n"
)]
#[case::json_with_a_comment("{\n// c\n\"kind\": \"Secret\", \"data\": {\"a\": \"hunter2\"}}")]
#[case::json_with_a_comment_behind(
    "{\"x\": 1, // c\n\"kind\": \"Secret\", \"data\": {\"a\": \"hunter2\"}}"
)]
#[case::json_with_a_backslash("{\"kind\": \"Secret\", \\ \"data\": {\"a\": \"hunter2\"}}")]
#[case::carriage_returns("x: [\rkind: Secret\rdata:\r  a: hunter2\r")]
#[case::old_line_end("x: [\u{85}y: z\u{85}value: hunter2\u{2028}data:\u{2028} a: hunter2")]
#[case::mark_before_a_key("x: [\n\u{feff}data: hunter2")]
#[case::other_space("x: [\n\u{a0}\u{3000}data: hunter2\n\u{a0}\u{a0}hunter2")]
#[case::template_before("x: [\n{{ if x }}value: hunter2{{ end }}\n")]
#[case::question("x: [\n? value\n: hunter2\n")]
#[case::question_with_a_comment("x: [\n? value # c\n: hunter2\n")]
#[case::colon_below("x: [{\"value\"\n: \"hunter2\"\n")]
#[case::escaped_key("{\"kind\": \"Secret\", \"d\\u0061ta\": {\"a\": \"hunter2\"")]
#[case::escaped_line("{\"kind\": \"Secret\", \"da\\\n ta\": {\"a\": \"hunter2\"")]
#[case::alias("x: &v hunter2\nenv: [{name: A, value: *v}]\ny: [")]
#[case::alias_of_more("x: &v\n  y: hunter2\nenv: *v\ny: [")]
#[case::alias_in_a_list("x: [&v hunter2]\nenv: *v\ny: [")]
#[case::json_in_a_text("x: '{\\\"data\\\":{\\\"a\\\":\\\"hunter2\\\"}}'\ny: [")]
#[case::generator("secretGenerator:\n- literals:\n  - A=hunter2\nx: [\n")]
#[case::no_colon("x: [{\"env\" {\"A\": \"hunter2\"}\n")]
#[case::no_colon_in_a_line("env:\n- name: A\n  value hunter2\nx: [\n")]
#[case::bracket_too_many(
    "{\"data\": {\"b\": \"x\"},\n \"c\": \"hunter2\"},\n\"kind\": \"Secret\"}\n"
)]
#[case::quotes_around_others("stringData: {a: x,\" b: 'hunter2', c\": x}\n")]
#[case::space_before_the_colon("x: [\nvalue : hunter2\n")]
#[case::twice("kind: Secret\ndata: {a: hunter2}\ndata: {b: hunter2}\n")]
fn what_cannot_be_read_is_masked_by_its_lines(#[case] text: &str) {
    let masked = mask(text);
    assert!(!masked.contains(SECRET), "{masked}");
    assert!(masked.contains("***"), "{masked}");
}

#[rstest]
#[case::name("kind: Pod\nmetadata:\n  name: a\n  namespace: team\nx: [\n")]
#[case::words_that_begin_alike("values: a\ndatabase: b\nenvironment: c\nx: [\n")]
fn what_holds_nothing_stays_though_it_cannot_be_read(#[case] text: &str) {
    assert_eq!(mask(text), text);
}

#[rstest]
#[case::key_behind(
    "kind: Pod\nenv:\n- name: A\n  value: b\nimage: a\nx: [\n",
    "image: a\nx: [\n"
)]
#[case::document_behind("kind: Secret\ndata:\n\ta: b\n---\nkind: Pod\n", "---\nkind: Pod\n")]
#[case::json_behind(
    "kind: Secret\ndata:\n\ta: b\n---\n{\"kind\": \"Pod\"}\n",
    "---\n{\"kind\": \"Pod\"}\n"
)]
fn what_surely_does_not_belong_to_it_stays(#[case] text: &str, #[case] end: &str) {
    let masked = mask(text);
    assert!(masked.ends_with(end), "{masked}");
}

/// A thousand times the time of a text a thousand times shorter, not a million times: far below these seconds.
#[test]
fn long_chains_and_long_texts_take_little_time() {
    let mut chain = "a0: &a0 {x: hunter2}\n".to_owned();
    let mut merged = "a0: &a0 {kind: Secret}\n".to_owned();
    for number in 1..20_000 {
        let before = number - 1;
        chain.push_str(&format!("a{number}: &a{number} [*a{before}]\n"));
        merged.push_str(&format!("a{number}: &a{number} {{<<: *a{before}}}\n"));
    }
    chain.push_str("env: *a19999\n");
    merged.push_str("s: {<<: *a19999, data: {a: hunter2}}\n");
    let secret = "kind: Secret\ndata:\n  a: hunter2 # hunter2\n";
    let mut texts = vec![chain, merged, format!("{secret}---\n").repeat(1 << 11)];
    for part in [
        "[",
        "{\"",
        "env ",
        "\"\\",
        "\\\" ",
        "env:\n",
        "kind:a,",
        "&a ",
        "{{ x }}\n",
        "{\"kind\":\"Secret\",\"data\":\"hunter2\"}",
        "- {env: {A: hunter2}}\n",
        "[{value: hunter2},\n",
    ] {
        texts.push(part.repeat((1 << 17) / part.len()));
    }
    for text in texts {
        let start = Instant::now();
        assert!(!mask(&text).contains(SECRET));
        let took = start.elapsed();

        assert!(took < Duration::from_secs(60), "{took:?}");
    }
}
