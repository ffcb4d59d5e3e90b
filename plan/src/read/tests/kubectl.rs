//! What `sigs.k8s.io/yaml` 1.6.0, by which kubectl and the API server read YAML, made of some hundred
//! words and documents: `words.jsonl` and `documents.jsonl` hold its answers. What has none there was
//! refused.

use super::*;

fn lines(text: &str) -> impl Iterator<Item = serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn only(text: &str) -> Option<serde_json::Value> {
    let mut found = read_all(text);
    assert!(found.len() <= 1, "{text:?}: {found:?}");
    found.pop().unwrap_or(Ok(serde_json::Value::Null)).ok()
}

#[test]
fn words_mean_what_they_mean_to_kubectl() {
    for expected in lines(include_str!("words.jsonl")) {
        let word = expected["word"].as_str().unwrap();
        let found = only(&format!("a: {word}\n"));
        let value = found.as_ref().map(|found| &found["a"]);
        assert_eq!(value, expected.get("value"), "{word} as a value");

        let found = only(&format!("{word}: a\n"));
        let key = found
            .as_ref()
            .map(|found| found.as_object().unwrap().keys().next().unwrap());
        let expected = expected.get("key").map(|key| key.as_str().unwrap());
        assert_eq!(key.map(String::as_str), expected, "{word} as a key");
    }
}

#[test]
fn words_in_quotes_are_strings() {
    for expected in lines(include_str!("words.jsonl")) {
        let word = expected["word"].as_str().unwrap();
        if word.contains(['"', '\'', '\\', '!']) {
            continue;
        }
        for text in [
            format!("a: \"{word}\"\n"),
            format!("a: '{word}'\n"),
            format!("a: |-\n  {word}\n"),
            format!("a: !!str {word} # {word}\n"),
            format!("a: !other {word}\n"),
        ] {
            // Without quotes, these say more than a word.
            if text.contains('!')
                && [",", "-", ":", "="]
                    .iter()
                    .any(|mark| word.starts_with(mark))
            {
                continue;
            }
            assert_eq!(only(&text), Some(json!({"a": word})), "{text}");
        }
    }
}

#[test]
fn documents_are_read_as_by_kubectl() {
    for expected in lines(include_str!("documents.jsonl")) {
        let yaml = expected["yaml"].as_str().unwrap();
        assert_eq!(only(yaml).as_ref(), expected.get("json"), "{yaml}");
    }
}

/// Some editors write every line end as two characters.
#[test]
fn line_ends_of_windows_change_nothing() {
    for expected in lines(include_str!("documents.jsonl")) {
        let yaml = expected["yaml"].as_str().unwrap();
        if !yaml.contains('\r') {
            let windows = yaml.replace('\n', "\r\n");
            assert_eq!(only(&windows), only(yaml), "{windows:?}");
        }
    }
}
