//! Reads JSON into borrowed views, and skips everything else as fast as possible.
//!
//! Nearly all of a request is skipped: of a Pod of 12 KB, the rules read a few hundred bytes. A
//! value that is skipped is followed to its end by quotes and brackets only. A value that is read
//! is read strictly. Errors say where, and never what. The host has already parsed the whole
//! request, and a property test compares this reader with `serde_json`.

#![forbid(unsafe_code)]

mod deserialize;
mod error;
mod reader;
mod scan;
mod slice;

pub use error::Error;
pub use reader::{Attempt, Reader};
pub use slice::Slice;

use serde::Deserialize;

/// Reads a whole document.
///
/// # Errors
///
/// If it is not JSON, or not what `T` expects.
pub fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, Error> {
    let mut reader = Reader::new(json);
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::MAX_DEPTH;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::Value;

    /// Reads the document as `serde_json::Value` does, numbers apart, which all read as 0.
    fn read(text: &str) -> Result<Value, Error> {
        from_slice(text.as_bytes())
    }

    fn without_numbers(value: Value) -> Value {
        match value {
            Value::Number(_) => Value::from(0),
            Value::Array(items) => items.into_iter().map(without_numbers).collect(),
            Value::Object(entries) => entries
                .into_iter()
                .map(|(key, value)| (key, without_numbers(value)))
                .collect(),
            value => value,
        }
    }

    #[rstest]
    #[case::nothing("")]
    #[case::space("  ")]
    #[case::unclosed_string("\"a")]
    #[case::unclosed_escape("\"a\\")]
    #[case::unclosed_map("{\"a\":1")]
    #[case::unclosed_list("[1,")]
    #[case::missing_colon("{\"a\" 1}")]
    #[case::missing_comma("[1 2]")]
    #[case::comma_first("[,1]")]
    #[case::comma_last("{\"a\":1,}")]
    #[case::comma_last_in_a_list("[1,]")]
    #[case::wrong_bracket("[1}")]
    #[case::key_without_quotes("{a:1}")]
    #[case::half_a_word("tru")]
    #[case::two_documents("1 2")]
    #[case::control_character("\"\n\"")]
    #[case::unknown_escape("\"\\x\"")]
    #[case::half_an_escape("\"\\u12\"")]
    #[case::half_a_surrogate("\"\\ud800\"")]
    #[case::surrogates_reversed("\"\\udc00\\ud800\"")]
    #[case::surrogate_and_a_character("\"\\ud800\\u0041\"")]
    fn what_is_not_json(#[case] text: &str) {
        assert!(serde_json::from_str::<Value>(text).is_err());
        assert!(read(text).is_err());
        assert!(
            from_slice::<Slice<'_>>(text.as_bytes()).is_err() || text.contains(['{', '[', '\\'])
        );
    }

    #[rstest]
    #[case::borrowed("\"plain text, longer than a word\"", "plain text, longer than a word")]
    #[case::escapes(r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t")]
    #[case::code(r#""\u00e4\u20AC""#, "ä€")]
    #[case::surrogates(r#""\ud83d\ude00!""#, "😀!")]
    #[case::escape_in_the_middle(r#""01234567\n89""#, "01234567\n89")]
    fn strings(#[case] text: &str, #[case] decoded: &str) {
        assert_eq!(
            from_slice::<String>(text.as_bytes()),
            Ok(decoded.to_owned())
        );
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert_eq!(from_slice::<&str>(b" \"web-0\" "), Ok("web-0"));
        assert!(from_slice::<&str>(b"\"\\n\"").is_err());
    }

    #[rstest]
    #[case::map(r#" {"a":[1,{"b":"}"}]} "#, r#"{"a":[1,{"b":"}"}]}"#)]
    #[case::string(r#""\"""#, r#""\"""#)]
    #[case::number("-1.5e3", "-1.5e3")]
    #[case::null("null", "null")]
    fn a_slice_is_the_value_as_it_stands(#[case] text: &str, #[case] slice: &str) {
        assert_eq!(
            from_slice::<Slice<'_>>(text.as_bytes()),
            Ok(Slice(slice.as_bytes()))
        );
    }

    #[test]
    fn depth_is_bounded_where_values_are_read_and_free_where_they_are_skipped() {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        assert!(read(&deep(MAX_DEPTH + 1)).is_err_and(|error| error.is_data));
        assert!(from_slice::<Slice<'_>>(deep(100_000).as_bytes()).is_ok());
    }

    /// Documents whose scalars are these.
    fn documents(scalars: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
        scalars.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(text(), inner, 0..5)
                    .prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    /// Plain text with quotes, brackets and escapes, without digits.
    fn text() -> impl Strategy<Value = String> {
        "[a-zä\\PC\"\\\\{}\\[\\],: \n]{0,12}"
            .prop_map(|text| text.replace(|c: char| c.is_ascii_digit(), ""))
    }

    fn scalars() -> BoxedStrategy<Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            text().prop_map(Value::from),
        ]
        .boxed()
    }

    fn numbers() -> BoxedStrategy<Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from)
        ]
        .boxed()
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_reads(
            document in documents(prop_oneof![scalars(), numbers()].boxed()),
            pretty in any::<bool>(),
        ) {
            let text = if pretty {
                serde_json::to_string_pretty(&document).unwrap()
            } else {
                document.to_string()
            };
            prop_assert_eq!(read(&text), Ok(without_numbers(document)));
            prop_assert_eq!(from_slice::<Slice<'_>>(text.as_bytes()), Ok(Slice(text.as_bytes())));
        }

        #[test]
        fn accepts_nothing_that_serde_json_refuses(
            // Numbers are not checked closely, because nothing reads one.
            document in documents(scalars()),
            cut in any::<prop::sample::Index>(),
            with in prop_oneof![Just(""), Just("\""), Just("}"), Just("]"), Just(","), Just(":"), Just("\\"), Just("nul")],
        ) {
            let text = document.to_string();
            let mut cuts = text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
            cuts.push(text.len());
            let at = *cut.get(&cuts);
            let spoilt = format!("{}{with}{}", &text[..at], &text[at..]);
            if serde_json::from_str::<Value>(&spoilt).is_err() {
                prop_assert!(read(&spoilt).is_err(), "{}", spoilt);
            }
        }
    }
}
