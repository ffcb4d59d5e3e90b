//! What a misspelled word was probably meant to be.

use std::fmt;

use crate::quoted::Quoted;

/// The longest beginning of a word that is compared, in bytes. No setting has a longer name, and a
/// long word must not cost time.
const MAX_COMPARED: usize = 64;

/// Shows in quotes the word that a misspelled one was probably meant to be. It is looked for only
/// when it is shown.
pub(super) struct Nearest<'w>(pub(super) &'w str, pub(super) &'w [&'static str]);

impl fmt::Display for Nearest<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quoted(nearest(self.0, self.1)).fmt(formatter)
    }
}

/// The word that takes the fewest edits to get from the misspelled one; of several, the first.
fn nearest(misspelled: &str, words: &[&'static str]) -> &'static str {
    let misspelled: Vec<u8> = misspelled
        .bytes()
        .take(MAX_COMPARED)
        .map(|byte| byte.to_ascii_lowercase())
        .collect();
    let mut nearest = (usize::MAX, "");
    for word in words {
        let distance = edits(&misspelled, word.to_ascii_lowercase().as_bytes());
        if distance < nearest.0 {
            nearest = (distance, word);
        }
    }
    nearest.1
}

/// How many letters must be inserted, deleted or replaced (the Levenshtein distance).
fn edits(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing("", "", 0)]
    #[case::equal("abc", "abc", 0)]
    #[case::insertions("", "abc", 3)]
    #[case::deletion("abcd", "abd", 1)]
    #[case::replacement("abc", "axc", 1)]
    #[case::all_three("kitten", "sitting", 3)]
    fn the_number_of_edits(#[case] from: &str, #[case] to: &str, #[case] expected: usize) {
        assert_eq!(edits(from.as_bytes(), to.as_bytes()), expected);
    }

    #[rstest]
    #[case::letter_missing("considerPod", "considerPods")]
    #[case::other_case("ACTION", "action")]
    #[case::longer_than_any(&"updates".repeat(100_000), "updates")]
    fn the_nearest_word(#[case] misspelled: &str, #[case] word: &str) {
        assert_eq!(
            nearest(misspelled, &["considerPods", "action", "updates"]),
            word
        );
    }
}
