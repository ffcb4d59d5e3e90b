//! Files as a whole: what stands in them, where, and what is wrong with them.

use super::{
    tree::{Node, Position, Value},
    *,
};
use rstest::rstest;
use serde_json::json;

mod kubectl;
mod printed;

fn document(bytes: impl AsRef<[u8]>) -> Document<'static> {
    Document {
        name: "a.yml".into(),
        bytes: bytes.as_ref().to_vec().into(),
    }
}

/// The one document of a text, in which nothing is wrong.
pub(crate) fn node(text: &str) -> Node {
    let document = document(text);
    let mut all = nodes(&document);
    let parsed = all.next().unwrap().unwrap();
    assert_eq!(parsed.problems, []);
    assert!(all.next().is_none());
    parsed.node
}

/// What stands in a text, and what is wrong with it, in order.
pub(super) fn read_all(text: &str) -> Vec<Result<serde_json::Value, String>> {
    let document = document(text);
    let all = values(&document);
    all.map(|found| match found {
        Ok((_, value)) => Ok(value),
        Err(fault) => Err(fault.to_string()),
    })
    .collect()
}

pub(super) fn faults(text: &str) -> Vec<String> {
    read_all(text).into_iter().filter_map(Result::err).collect()
}

fn at(line: u32, column: u32) -> Position {
    Position { line, column }
}

#[rstest]
#[case::nothing("", &[])]
#[case::comments_only("# helm\n---\n# Source: x\n---\n", &[])]
#[case::two("a: 1\n---\na: 2\n", &[1, 2])]
#[case::first_marker("---\na: 1\n---\na: 2", &[1, 2])]
#[case::comment_on_the_marker("--- # x\na: 1\n--- # y\na: 2\n", &[1, 2])]
#[case::windows("a: 1\r\n---\r\na: 2\r\n", &[1, 2])]
#[case::end_and_marker("a: 1\n...\n---\na: 2\n", &[1, 2])]
#[case::directive("%YAML 1.1\n---\na: 1\n", &[1])]
#[case::marker_in_a_literal("a: 1\nb: |\n  ---\n  ...\n---\na: 2\n", &[1, 2])]
#[case::json("{\"a\": 1}", &[1])]
#[case::json_values("{\"a\": 1}{\"a\": 2}\n{\"a\": 3} ", &[1, 2, 3])]
#[case::json_with_comments("{\"a\": 1} # one\n# two\n", &[1])]
#[case::json_then_yaml("{\"a\": 1}\n---\na: 2\n---\n{a: 3}\n", &[1, 2, 3])]
#[case::yaml_then_json("a: 1\n---\n{\"a\": 2}\n", &[1, 2])]
#[case::braces_of_yaml("{a: 1}\n", &[1])]
#[case::comma_too_many("{\"a\": 1,}\n", &[1])]
#[case::mark("\u{feff}a: 1\n", &[1])]
#[case::mark_before_json("\u{feff}{\"a\": 1}", &[1])]
#[case::mark_before_a_marker("a: 1\n\u{feff}---\na: 2\n", &[1, 2])]
#[case::mark_after_a_marker("---\n\u{feff}a: 1\n---\n\u{feff}a: 2\n", &[1, 2])]
#[case::mark_after_a_comment("---\n# x\n\u{feff}a: 1\n", &[1])]
fn documents_of_a_file(#[case] text: &str, #[case] expected: &[i64]) {
    let found = read_all(text)
        .into_iter()
        .map(|found| found.unwrap()["a"].clone());
    let expected: Vec<_> = expected.iter().map(|number| json!(number)).collect();
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn utf_16_is_read_as_well() {
    let text = "a: ä\n---\nb: 😀\n";
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let document = document(units.flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    let found = values(&document).map(|found| found.unwrap().1);
    assert_eq!(
        found.collect::<Vec<_>>(),
        [json!({"a": "ä"}), json!({"b": "😀"})]
    );
}

#[rstest]
#[case::yaml("a: 1\n---\nb: [\n---\nc: 3\n", &[true, false, true])]
#[case::repeated_key("a: 1\n---\nb: 1\nb: 2\n---\nc: 3\n", &[true, false, true])]
#[case::json_ends_the_file("{\"a\": 1}{\"b\": 2}{\"c\": }{\"d\": 4}", &[true, true, false])]
fn what_is_wrong_does_not_hide_the_rest(#[case] text: &str, #[case] expected: &[bool]) {
    let found = read_all(text);
    let is_ok: Vec<_> = found.iter().map(Result::is_ok).collect();
    assert_eq!(is_ok, expected);
}

/// Of what begins with a bracket, the error is told of the form that it is meant to be.
#[rstest]
#[case::json(
    "{\"a\": 1,\n \"b\": 2 \"c\": [}",
    "a.yml:2:9: this is no JSON: a comma or } is missing here"
)]
#[case::yaml("{a: 1,\n b: [}", "a.yml:2:5: this is no YAML: this [ is closed by }")]
#[case::after_json(
    "{\"a\": 1}\n{\"b\": 1, 2: [}\n",
    "a.yml:2:10: this is no JSON: a key in double quotes is missing here"
)]
fn json_or_yaml(#[case] text: &str, #[case] fault: &str) {
    assert_eq!(faults(text), [fault]);
}

#[rstest]
#[case::yaml("a:\n  b: [x, \"y\"]\n")]
#[case::json("{\"a\":\n  {\"b\": [\"x\", \"y\"]}}")]
fn the_place_of_a_document_is_that_of_its_root(#[case] text: &str) {
    let text = format!("# one\n---\n# two\n{text}");
    let document = document(text);
    let (place, _) = values(&document).next().unwrap().unwrap();
    assert_eq!(place, at(4, 1));
}

#[test]
fn the_place_of_a_document_without_a_root_is_its_beginning() {
    let document = document("a: 1\n---\n\r\u{feff}");
    let (place, value) = values(&document).nth(1).unwrap().unwrap();
    assert_eq!((place, value), (at(3, 1), serde_json::Value::Null));
}

/// A character is one column, however many bytes it has; a tab too.
#[rstest]
#[case::yaml("ä: [é, x]\n", at(1, 5), at(1, 8))]
#[case::wide("😀: [日本, x]\n", at(1, 5), at(1, 9))]
#[case::json("{\"ä\": [\"é\", \"x\"]}", at(1, 8), at(1, 13))]
#[case::json_lines("{\"ä\":\n\t[\"日本\",\n  \"x\"]}", at(2, 3), at(3, 3))]
#[case::windows("ä: [é,\r\n  x]\r\n", at(1, 5), at(2, 3))]
fn a_column_is_counted_in_characters(
    #[case] text: &str,
    #[case] first: Position,
    #[case] second: Position,
) {
    let Value::Map(entries) = node(text).value else {
        unreachable!()
    };
    let Value::List(items) = &entries[0].1.value else {
        unreachable!()
    };
    assert_eq!([items[0].at, items[1].at], [first, second]);
}

#[rstest]
#[case::yaml(
    "ä: 1\nö: 2\nä: 3\n",
    "a.yml:3:1: the key \"ä\" is repeated: it stands at line 1, column 1 already; keep one"
)]
#[case::json(
    "{\"é\": 1, \"a\": 1, \"a\": 2}",
    "a.yml:1:18: the key \"a\" is repeated: it stands at line 1, column 10 already; keep one"
)]
#[case::json_escapes(
    "{\"a\": 1,\n \"\\u0061\": 2}",
    "a.yml:2:2: the key \"a\" is repeated: it stands at line 1, column 2 already; keep one"
)]
#[case::in_a_list(
    "x:\n  - a: 1\n    a: 2\n",
    "a.yml:3:5: the key \"a\" is repeated: it stands at line 2, column 5 already; keep one"
)]
#[case::in_braces(
    "x: {a: 1, b: 2, 'a': 3}\n",
    "a.yml:1:17: the key \"a\" is repeated: it stands at line 1, column 5 already; keep one"
)]
#[case::in_bulk(
    "env:\n  - name: A\n    name: B\n",
    "a.yml:3:5: the key \"name\" is repeated: it stands at line 2, column 5 already; keep one"
)]
#[case::bulk(
    "data: {a: 1}\ndata: {b: 1}\n",
    "a.yml:2:1: the key \"data\" is repeated: it stands at line 1, column 1 already; keep one"
)]
#[case::booleans(
    "on: 1\nyes: 2\n",
    "a.yml:2:1: the key \"true\" is repeated: it stands at line 1, column 1 already; keep one"
)]
#[case::boolean_and_string(
    "\"true\": 1\nY: 2\n",
    "a.yml:2:1: the key \"true\" is repeated: it stands at line 1, column 1 already; keep one"
)]
#[case::numbers(
    "1: a\n0x1: b\n",
    "a.yml:2:1: the key \"1\" is repeated: it stands at line 1, column 1 already; keep one"
)]
fn a_repeated_key_is_told_with_both_places(#[case] text: &str, #[case] fault: &str) {
    assert_eq!(faults(text), [fault]);
    let document = document(text);
    let problems: Vec<_> = nodes(&document)
        .flat_map(|one| one.unwrap().problems)
        .collect();
    assert_eq!(problems.len(), 1);
}

#[test]
fn each_repeated_key_is_told_in_the_order_of_places() {
    let mut text = "l: {x: 1, x: 2}\n".to_owned();
    text.extend((0..20).map(|number| format!("k{number}: 1\n")));
    text.push_str("k3: 2\nl: 1\nk3: 3\n");
    let document = document(&text);
    let parsed = nodes(&document).next().unwrap().unwrap();
    let places: Vec<_> = parsed.problems.iter().map(|problem| problem.at).collect();
    assert_eq!(places, [at(1, 11), at(22, 1), at(23, 1), at(24, 1)]);
    assert!(parsed.problems[3].message.contains("line 22, column 1"));
}

#[rstest]
#[case::merged("x: &x {a: 1}\ny:\n  a: 2\n  <<: *x\n")]
#[case::two_merges("x: &x {a: 1}\ny:\n  <<: *x\n  <<: {a: 2}\n")]
#[case::in_two_maps("x: {a: 1}\ny: {a: 2}\n")]
#[case::json("[{\"a\": 1}, {\"a\": 2}]")]
fn what_is_no_repeated_key(#[case] text: &str) {
    assert_eq!(faults(text), <[String; 0]>::default());
}

/// What is read, and what is said of it.
#[rstest]
#[case::boolean("on: 1\n", json!({"true": 1}), &["1:1: without quotes, the key \"on\" is read as \"true\""])]
#[case::off("x:\n  N: 1\n", json!({"x": {"false": 1}}), &["2:3: without quotes, the key \"N\" is read as \"false\""])]
#[case::octal("0755: a\n", json!({"493": "a"}), &["1:1: without quotes, the key \"0755\" is read as \"493\""])]
#[case::version("{1.10: a}\n", json!({"1.1": "a"}), &["1:2: without quotes, the key \"1.10\" is read as \"1.1\""])]
#[case::as_it_looks("true: 1\n8080: 2\n\"on\": 3\n", json!({"true": 1, "8080": 2, "on": 3}), &[])]
#[case::a_value_needs_no_remark("x: on\n", json!({"x": true}), &[])]
#[case::behind_the_marker("--- {x: 1}\n", json!({"x": 1}), &["1:1: kubectl refuses what follows --- on the same line"])]
fn what_is_read_otherwise_than_it_looks_is_told(
    #[case] text: &str,
    #[case] value: serde_json::Value,
    #[case] remarks: &[&str],
) {
    assert_eq!(read_all(text), [Ok(value)]);
    let document = document(text);
    let parsed = nodes(&document).next().unwrap().unwrap();
    let found = parsed.remarks.iter().map(|remark| {
        let Remark { at, message, .. } = remark;
        format!("{}:{}: {message}", at.line, at.column)
    });
    assert_eq!(found.collect::<Vec<_>>(), remarks);
}

#[test]
fn what_follows_the_end_of_a_document_is_read_and_told() {
    let document = document("a: 1\n...\n# x\nb: 2\n---\nc: 3\n");
    let all: Vec<_> = nodes(&document).map(Result::unwrap).collect();
    let remarks: Vec<_> = all.iter().map(|parsed| parsed.remarks.len()).collect();
    assert_eq!(remarks, [0, 1, 0]);
    assert_eq!(all[1].remarks[0].at, at(3, 1));
}

/// As deep as is allowed, and one level deeper.
#[rstest]
#[case::flow(|levels| "[".repeat(levels) + &"]".repeat(levels))]
#[case::braces(|levels| "{a: ".repeat(levels) + &"}".repeat(levels))]
#[case::json(|levels| "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels))]
#[case::lists(|levels| "- ".repeat(levels) + "a")]
#[case::maps(|levels| (0..levels).map(|level| " ".repeat(level) + "a:\n").collect())]
#[case::both(|levels| "- ".to_owned() + &"[".repeat(levels - 1) + &"]".repeat(levels - 1))]
#[case::alias(|levels| {
    let half = levels / 2;
    let anchored = "[".repeat(half) + &"]".repeat(half);
    let other = levels - half - 1;
    format!("a: &a {anchored}\nb: {}*a{}", "[".repeat(other), "]".repeat(other))
})]
fn documents_are_as_deep_as_256_levels(#[case] text: fn(usize) -> String) {
    assert_eq!(faults(&text(256)), <[String; 0]>::default());
    for levels in [257, 1000] {
        let found = faults(&text(levels));
        assert_eq!(found.len(), 1, "{levels}: {found:?}");
        assert!(found[0].contains("deeper than 256 levels"), "{found:?}");
    }
}

#[rstest]
#[case::brackets("[")]
#[case::braces("{a: ")]
#[case::json("{\"a\":")]
#[case::lists("- ")]
#[case::keys("? ")]
fn what_is_far_too_deep_ends_in_a_sentence(#[case] step: &str) {
    assert_eq!(faults(&step.repeat(100_000)).len(), 1);
}

/// Nine times nine times nine…: each line stands for nine of the one before.
fn bomb(levels: usize, first: &str) -> String {
    let mut text = format!("l0: &l0 {first}\n");
    for level in 1..levels {
        let aliases = vec![format!("*l{}", level - 1); 9].join(", ");
        text += &format!("l{level}: &l{level} [{aliases}]\n");
    }
    text
}

#[rstest]
#[case::of_nodes(bomb(9, "[x, x, x, x, x, x, x, x, x]"))]
#[case::of_text(bomb(5, &"x".repeat(100_000)))]
#[case::of_keys(bomb(9, "{a: 1, b: 1, c: 1}").replace("[*", "[<<: *"))]
fn an_alias_bomb_is_refused(#[case] text: String) {
    let found = faults(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("aliases of this document"), "{found:?}");
}

#[rstest]
#[case::few("x: &x {a: 1}\n".to_owned() + &(0..90).map(|n| format!("k{n}: *x\n")).collect::<String>())]
#[case::as_many_as_kubectl_takes(bomb(4, "[x]"))]
fn honest_aliases_are_read(#[case] text: String) {
    assert_eq!(faults(&text), <[String; 0]>::default());
}

#[test]
fn bulk_is_null_in_nodes_and_whole_in_values() {
    let text = "env: [{a: 1}]\ndata: {b: &b {c: d}}\nlabels: {env: prod}\nother: *b\n";
    let found = node(text);
    assert_eq!((found.get("env"), found.get("data")), (None, None));
    let text_of = |map: &str, key: &str| found.get(map)?.get(key)?.text().ok();
    assert_eq!(text_of("labels", "env"), Some("prod"));
    assert_eq!(text_of("other", "c"), Some("d"));
    let whole = json!({
        "env": [{"a": 1}], "data": {"b": {"c": "d"}}, "labels": {"env": "prod"}, "other": {"c": "d"},
    });
    assert_eq!(read_all(text), [Ok(whole)]);
}

#[rstest]
#[case::yaml("[18446744073709551615, -9223372036854775808, 0.1, 1.0, 1e3, 1.5e300]")]
#[case::json("{\"a\": 1} [18446744073709551615, -9223372036854775808, 0.1, 1.0, 1e3, 1.5e300]")]
fn numbers_are_exact(#[case] text: &str) {
    let expected = json!([u64::MAX, i64::MIN, 0.1, 1, 1000, 1.5e300]);
    assert_eq!(read_all(text).pop().unwrap(), Ok(expected));
}

#[rstest]
#[case::empty("")]
#[case::no_json("{")]
fn an_answer_that_is_no_json_is_told(#[case] text: &str) {
    assert!(
        json(text)
            .unwrap_err()
            .message
            .starts_with("this is no JSON")
    );
}
