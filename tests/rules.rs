//! Every rule of the domain has a test that cites it by its name: `a5_…` is a test of A5.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The rules that the policy and its rulebook follow: admission (A), protection (P), mesh (M),
/// membership (I) and workload identifier (W). W4 is about Universal and W8 about the reconciler.
fn rules() -> BTreeSet<String> {
    let series = |letter: char, numbers: std::ops::RangeInclusive<u8>| {
        numbers.map(move |number| format!("{letter}{number}"))
    };
    series('a', 0..=19)
        .chain(series('p', 1..=2))
        .chain(series('m', 1..=4))
        .chain(series('i', 1..=4))
        .chain(series('w', 1..=3))
        .chain(series('w', 5..=7))
        .collect()
}

/// The files with tests, of the crates that the policy is made of.
fn sources() -> Vec<PathBuf> {
    let mut folders = ["src", "rulebook/src"]
        .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .to_vec();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn every_rule_has_a_test_that_cites_it() {
    let mut missing = rules();
    for file in sources() {
        let source = fs::read_to_string(&file).unwrap();
        let tests = source
            .split_once("mod tests {")
            .map_or("", |(_, tests)| tests);
        for line in tests.lines() {
            let name = line.trim_start().strip_prefix("fn ");
            for part in name.unwrap_or_default().split('_') {
                missing.remove(part);
            }
        }
    }
    assert!(missing.is_empty(), "no test cites {missing:?}");
}
