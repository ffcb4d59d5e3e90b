//! Every rule has a test that cites it in its name: `a5_…` is a test of A5.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The rules: admission (A), protection (P), mesh (M), membership (I), workload identifier (W),
/// lifecycle (L), status (S), Universal (U), MeshIdentity (ID), and what people run (T).
fn rules() -> BTreeSet<String> {
    let series = |letters: &'static str, numbers: std::ops::RangeInclusive<u8>| {
        numbers.map(move |number| format!("{letters}{number}"))
    };
    series("a", 0..=22)
        .chain(series("p", 1..=2))
        .chain(series("m", 1..=4))
        .chain(series("i", 1..=6))
        .chain(series("w", 1..=8))
        .chain(series("l", 1..=18))
        .chain(series("s", 1..=7))
        .chain(series("u", 1..=2))
        .chain(series("id", 1..=4))
        .chain(series("t", 1..=8))
        .collect()
}

/// The files with tests.
fn sources() -> Vec<PathBuf> {
    let mut folders = [
        "src",
        "tests",
        "rulebook/src",
        "rulebook/tests",
        "plan/src",
        "plan/tests",
        "reconciler/src",
        "reconciler/tests",
        "e2e-tests/testbed/tests",
    ]
    .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
    .to_vec();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
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
        for line in fs::read_to_string(&file).unwrap().lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("async ").unwrap_or(line);
            let name = line.strip_prefix("fn ").unwrap_or_default();
            for part in name.split(['_', '(']) {
                missing.remove(part);
            }
        }
    }
    assert!(missing.is_empty(), "no test cites {missing:?}");
}
