//! Comments among what is hidden: an old value may stand there.

use std::ops::Range;

use super::tree::Tree;

/// The comments behind the nodes of these ranges of numbers, each up to the end of its line.
pub(super) fn of(text: &str, tree: &Tree, mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut comments = Vec::new();
    let mut done = 0;
    for range in ranges {
        for number in range.start.max(done)..range.end.min(tree.len()) {
            let (from, to) = tree.gap(number, text.len());
            find(text, from, to, &mut comments);
        }
        done = done.max(range.end);
    }
    comments
}

/// Between nodes there is nothing but signs and comments.
fn find(text: &str, from: usize, to: usize, comments: &mut Vec<Range<usize>>) {
    let mut from = from;
    while let Some(rest) = text.get(from..to) {
        let Some(at) = rest.find('#') else {
            return;
        };
        let start = from + at;
        let before = text
            .get(..start)
            .and_then(|before| before.chars().next_back());
        if before.is_some_and(|before| !before.is_whitespace()) {
            from = start + 1;
            continue;
        }
        let comment = text.get(start..to).unwrap_or_default();
        let length = comment.find(['\n', '\r']).unwrap_or(comment.len());
        comments.push(start..start + length);
        from = start + length;
    }
}
