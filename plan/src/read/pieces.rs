//! A text in the pieces that it is read by.

use super::{parsed::Bulk, stream::Stream};

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// What no object stands in: markers, comments and space.
    Between(&'t str),
    /// A YAML or JSON document, without the markers around it.
    Document {
        /// Its text.
        text: &'t str,
        /// Whether it can be read without a doubt. One that cannot may hold anything, anywhere.
        is_read: bool,
    },
}

/// The pieces of a text, cut as [`super::nodes`] does. One after the other, they are the text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut stream = Stream::new(
        "".into(),
        text.trim_start_matches('\u{feff}'),
        Bulk::Dropped,
    );
    let mut pieces = Vec::new();
    let mut done = 0;
    while let Some(step) = stream.step() {
        let start = step.text.as_ptr().addr() - text.as_ptr().addr();
        if let Some(Piece::Document {
            text: last,
            is_read,
        }) = pieces.last_mut()
            && goes_on(last, text.get(done..start).unwrap_or_default(), step.text)
        {
            *is_read = false;
        }
        pieces.extend(between(text, done, start));
        let is_whole = matches!(step.result, Some(Ok(parsed)) if parsed.problems.is_empty());
        pieces.push(Piece::Document {
            text: step.text,
            is_read: is_whole && !step.is_doubtful,
        });
        done = start + step.text.len();
    }
    pieces.extend(between(text, done, text.len()));
    pieces
}

/// Whether a JSON value seems to go on behind its last bracket, which is one too many.
fn goes_on(last: &str, between: &str, next: &str) -> bool {
    let is_json = |text: &str| text.trim_start().starts_with(['{', '[']);
    is_json(last) && !between.contains("---") && !is_json(next)
}

fn between(text: &str, from: usize, to: usize) -> Option<Piece<'_>> {
    let between = text.get(from..to).filter(|between| !between.is_empty());
    between.map(Piece::Between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing("", &[])]
    #[case::yaml("\u{feff}a: 1\n--- # c\n\u{feff}b: 1\n...\n# c\n", &[("a: 1\n", true), ("b: 1\n", true)])]
    #[case::no_marker("a: |\n  b\n-----BEGIN\n", &[("a: |\n  b\n-----BEGIN\n", false)])]
    #[case::open_quote("a: \"b\n---\nc\"\n", &[("a: \"b\n", false), ("c\"\n", true)])]
    #[case::json("{} {}\n", &[("{}", true), (" {}", true)])]
    #[case::broken_json("{\"a\":1}{\"b\":", &[("{\"a\":1}", true), ("{\"b\":", false)])]
    #[case::bracket_too_many("{\"a\":1},\"b\":2}", &[("{\"a\":1}", false), (",\"b\":2}", false)])]
    #[case::json_by_its_looks("{\"a\": 1, b: 2}", &[("{\"a\": 1, b: 2}", false)])]
    #[case::json_and_yaml("{\"a\": 1}\n---\nb: 2\n", &[("{\"a\": 1}", true), ("b: 2\n", true)])]
    #[case::key_twice("a: 1\na: 2\n", &[("a: 1\na: 2\n", false)])]
    #[case::templates("a: {{ b }}c\n---\na: {{ b }}c\n---\nb: 1\n", &[("a: {{ b }}c\n", false), ("a: {{ b }}c\n", false), ("b: 1\n", true)])]
    fn pieces_are_the_documents_that_are_read(
        #[case] text: &str,
        #[case] expected: &[(&str, bool)],
    ) {
        let pieces = pieces(text);
        let documents = pieces.iter().filter_map(|piece| match piece {
            Piece::Document { text, is_read } => Some((*text, *is_read)),
            Piece::Between(_) => None,
        });
        assert_eq!(documents.collect::<Vec<_>>(), expected);
        let all = pieces.iter().map(|piece| match piece {
            Piece::Document { text, .. } | Piece::Between(text) => *text,
        });
        assert_eq!(all.collect::<String>(), text);
    }
}
