//! The project's own documents: masked, they are the same but for variables, and so is their plan.

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

use super::{MASKED, mask};
use kuma_workload_plan::{Options, Report, plan, read::Document};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_document = |end: &str| path.to_string_lossy().ends_with(end);
        if path.is_dir() {
            files(&path, found);
        } else if [".yaml", ".yml", ".json"].into_iter().any(is_document) {
            found.push(path);
        }
    }
}

/// The plan of a document.
pub(super) fn planned(text: &str) -> Report {
    let document = Document {
        name: "a".into(),
        bytes: Cow::Borrowed(text.as_bytes()),
    };
    plan([document], &Options::default())
}

/// The lines that differ.
fn changed<'t>(text: &'t str, masked: &'t str) -> Vec<(&'t str, &'t str)> {
    assert_eq!(text.lines().count(), masked.lines().count());
    let lines = text.lines().zip(masked.lines());
    lines.filter(|(line, masked)| line != masked).collect()
}

#[test]
fn the_files_of_the_project_plan_alike() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in ["examples", "e2e-tests/fixtures"] {
        files(&root.join(folder), &mut found);
    }
    assert!(found.len() > 100);
    let mut masked_files = 0;
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let masked = mask(&text);
        assert_eq!(mask(&masked), masked, "{}", path.display());
        for (line, masked) in changed(&text, &masked) {
            let is_masked = masked.contains(MASKED) || masked.ends_with('#');
            assert!(is_masked, "{}: {line}", path.display());
        }
        masked_files += usize::from(text != masked);
        // Places may differ in their columns only, and no place stands behind a variable in its line.
        assert_eq!(planned(&masked), planned(&text), "{}", path.display());
    }
    assert!(masked_files > 0);
}
