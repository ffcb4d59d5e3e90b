//! CONTRIBUTING.md shows a newcomer where things are: every path in it exists, and nothing that people
//! come to change is left out of its table.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::{collections::BTreeSet, fs, path::Path};

use rstest::rstest;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn contributing() -> String {
    fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap()
}

/// What stands between backticks in a line.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether this names a file or folder of the project: it begins as one of them does.
fn is_path(text: &str, entries: &BTreeSet<String>) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    let is_file = [".md", ".rs", ".toml", ".yaml", ".yml"]
        .iter()
        .any(|extension| text.ends_with(extension));
    let is_one_word = !text.contains(|c: char| c.is_whitespace() || c == '=');
    is_one_word && (is_file || text.contains('/') && entries.contains(first))
}

#[test]
fn every_path_exists() {
    let entries = fs::read_dir(root()).unwrap();
    let entries: BTreeSet<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let text = contributing();
    let mut paths = text
        .lines()
        .flat_map(code)
        .filter(|code| is_path(code, &entries))
        .peekable();
    assert!(paths.peek().is_some());
    let missing: BTreeSet<_> = paths.filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "CONTRIBUTING.md names {missing:?}");
}

#[rstest]
#[case("an admission rule")]
#[case("the text of a message")]
#[case("a setting of the policy")]
#[case("a metric")]
#[case("why a Lease was lost")]
#[case("an output of `plan`")]
#[case("a finding of `plan`")]
#[case("a kind with a Pod template")]
#[case("the reason of an event")]
fn whoever_comes_to_change_this_finds_a_file(#[case] what: &str) {
    let text = contributing();
    let mut rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| ")?.split(" | ").collect();
        (cells.first() == Some(&what)).then_some(cells)
    });
    let row = rows.next().unwrap_or_default();
    let begin = row.get(1).copied().unwrap_or_default();
    let files: Vec<_> = code(begin).filter(|code| code.contains('/')).collect();
    assert!(!files.is_empty(), "the table says where {what} is");
}

/// Every folder of the project that holds code is in its layout.
#[test]
fn every_crate_is_in_the_layout() {
    let text = contributing();
    let layout = text.split("## Layout").nth(1).unwrap();
    let layout = layout.split("\n## ").next().unwrap();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = "))
        .unwrap();
    let members: Vec<_> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.contains(&"plan"));
    for member in members {
        assert!(layout.contains(&format!("`{member}/`")), "{member}");
    }
}
