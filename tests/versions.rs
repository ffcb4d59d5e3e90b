//! One version stands in many files: all of them say the same, and `scripts/bump` sets it in all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, Output},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a version stands: file and line, and the version.
type Place = (String, String);

/// What may hold a version of the project, beside what cargo reads.
const PUBLIC: [&str; 7] = [
    "README.md",
    "SECURITY.md",
    "policy-metadata.yml",
    "artifacthub-pkg.yml",
    "charts",
    "docs",
    "examples",
];

/// Every file in a folder, or the file itself; nothing where there is none.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::from_iter(path.is_file().then(|| path.to_owned()));
    };
    let mut found: Vec<_> = entries
        .flat_map(|entry| files(&entry.unwrap().path()))
        .collect();
    found.sort();
    found
}

/// The version that a text begins with, quoted or not.
fn version(text: &str) -> String {
    let text = text.trim_start_matches('"');
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
    let version = text.get(..end.unwrap_or(text.len())).unwrap();
    version.trim_end_matches('.').to_owned()
}

/// What is published, and the version that a line gives it: after its name and a colon, or in the
/// address of a release.
fn named(line: &str) -> Vec<String> {
    let of = |mark: &str, is_ours: fn(&str) -> bool| {
        let mut versions = Vec::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(mark) {
            let is_version = after.starts_with(|c: char| c.is_ascii_digit());
            if is_version && is_ours(before) {
                versions.push(version(after));
            }
            rest = after;
        }
        versions
    };
    let name = |before: &str| {
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || "-/.:".contains(c));
        let name = before.rsplit(is_end).next().unwrap_or_default();
        name.contains("/kuma-workload/")
    };
    let mut versions = of(":v", name);
    for mark in [
        "releases/download/v",
        // Helm's tags have no v.
        "charts/kuma-workload:",
        "charts/kuma-workload --version ",
        "$ version=",
    ] {
        versions.extend(of(mark, |_| true));
    }
    versions
}

/// The versions that a file has after one of these, at the beginning of a line.
fn after(root: &Path, file: &str, keys: &[&str]) -> Vec<Place> {
    let Ok(text) = fs::read_to_string(root.join(file)) else {
        return Vec::new();
    };
    let lines = text.lines().filter_map(|line| {
        let mut keys = keys.iter();
        let rest = keys.find_map(|key| line.trim_start().strip_prefix(key))?;
        Some((format!("{file}: {line}"), version(rest)))
    });
    lines.collect()
}

/// The project's own packages in a lock file: those without a source.
fn locked(root: &Path, file: &str) -> Vec<Place> {
    let text = fs::read_to_string(root.join(file)).unwrap();
    let packages = text.split("[[package]]\n").filter_map(|package| {
        let name = package.strip_prefix("name = \"")?.split('"').next()?;
        let is_ours = name.starts_with("kuma-workload") && !package.contains("\nsource = ");
        // What is fuzzed has a version, what fuzzes it has none.
        if !is_ours || name == "kuma-workload-fuzz" {
            return None;
        }
        let after = package.split_once("\nversion = ")?.1;
        Some((format!("{file}: {name}"), version(after)))
    });
    packages.collect()
}

/// Every place in the project that says its version.
fn places(root: &Path) -> Vec<Place> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let workspace = manifest.split_once("[workspace.package]\n").unwrap().1;
    let of_cargo = workspace.split_once("version = ").unwrap().1;
    let mut places = vec![("Cargo.toml".to_owned(), version(of_cargo))];
    places.extend(locked(root, "Cargo.lock"));
    places.extend(locked(root, "fuzz/Cargo.lock"));
    let keyed: [(&str, &[&str]); 5] = [
        ("policy-metadata.yml", &["io.kubewarden.policy.version: "]),
        ("artifacthub-pkg.yml", &["version: "]),
        (
            "charts/kuma-workload/Chart.yaml",
            &["version: ", "appVersion: "],
        ),
        (
            "plan/tests/golden/kubernetes.sarif",
            &["\"semanticVersion\": "],
        ),
        (
            "plan/tests/golden/universal.sarif",
            &["\"semanticVersion\": "],
        ),
    ];
    for (file, keys) in keyed {
        places.extend(after(root, file, keys));
    }
    for path in PUBLIC.iter().flat_map(|path| files(&root.join(path))) {
        // A picture is no text.
        let text = fs::read_to_string(&path).unwrap_or_default();
        let file = path.strip_prefix(root).unwrap().display().to_string();
        for line in text.lines() {
            let versions = named(line).into_iter();
            places.extend(versions.map(|version| (format!("{file}: {line}"), version)));
        }
    }
    places
}

fn assert_all_say(root: &Path, version: &str) {
    let places = places(root);
    let others: Vec<_> = places.iter().filter(|(_, said)| said != version).collect();
    assert!(others.is_empty(), "not {version}: {others:#?}");
    // None of them was overlooked.
    for file in [
        "Cargo.lock: kuma-workload",
        "fuzz/Cargo.lock: kuma-workload-policy",
        "policy-metadata.yml: ",
        "artifacthub-pkg.yml: version: ",
        "artifacthub-pkg.yml:   image: ",
        "plan/tests/golden/kubernetes.sarif: ",
        "examples/policies/strays.yaml: ",
        "examples/reconciler/2-deployment.yaml: ",
    ] {
        let is_there = places.iter().any(|(place, _)| place.starts_with(file));
        assert!(is_there, "{file} does not say a version");
    }
}

#[test]
fn one_version_stands_everywhere() {
    assert_all_say(root(), env!("CARGO_PKG_VERSION"));
}

/// The scripts and the Makefile ask `scripts/version`: none reads Cargo.toml in its own way.
#[test]
fn one_script_knows_where_the_version_stands() {
    let output = Command::new(root().join("scripts/version")).output();
    let version = String::from_utf8(output.unwrap().stdout).unwrap();
    assert_eq!(version.trim_end(), env!("CARGO_PKG_VERSION"));

    let mut readers = files(&root().join("scripts"));
    readers.push(root().join("Makefile"));
    // A pattern for sed or grep has backslashes.
    let reads = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        text.replace('\\', "").contains("[workspace.package]")
    };
    readers.retain(reads);
    // The one that prints it, and the one that sets it.
    assert_eq!(
        readers,
        ["scripts/bump", "scripts/version"].map(|name| root().join(name))
    );
}

#[test]
fn a_version_is_seen_where_something_published_is_named() {
    let seen = |line| named(line);
    assert_eq!(
        seen("image: ghcr.io/kuma-workload/kuma-workload:v1.2.3"),
        ["1.2.3"]
    );
    assert_eq!(
        seen("`r.example/x/kuma-workload/policies/p:v1.0.0-rc.1`, and"),
        ["1.0.0-rc.1"]
    );
    assert_eq!(
        seen("oci://x/charts/kuma-workload --version 1.2.3 -n"),
        ["1.2.3"]
    );
    assert_eq!(seen("…/releases/download/v0.9.0/policy.wasm"), ["0.9.0"]);
    assert_eq!(
        seen("before 0.1.0; docker.io/library/nginx:v1.2.3").len(),
        0
    );
}

/// A copy of what `scripts/bump` changes, in a folder that goes away with it.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("kuma-workload-{name}-{}", process::id()));
        let others = [
            "CHANGELOG.md",
            "Cargo.toml",
            "Cargo.lock",
            "fuzz/Cargo.lock",
            "plan/tests/golden",
            "scripts/bump",
            "scripts/version",
        ];
        for path in PUBLIC.iter().chain(&others) {
            for file in files(&root().join(path)) {
                let to = folder.join(file.strip_prefix(root()).unwrap());
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(&file, &to).unwrap();
            }
        }
        Self(folder)
    }

    fn bump(&self, arguments: &[&str]) -> Output {
        // Not by itself: another test may be about to start a program, which then still holds the file that was
        // just written, and the kernel runs none that somebody can write to.
        let mut command = Command::new("bash");
        // 2 January 2030.
        command
            .arg(self.0.join("scripts/bump"))
            .args(arguments)
            .env("SOURCE_DATE_EPOCH", "1893542400");
        command.output().unwrap()
    }

    fn changelog(&self) -> String {
        fs::read_to_string(self.0.join("CHANGELOG.md")).unwrap()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn bump_sets_every_one_of_them() {
    let copy = Copy::new("bump");
    let output = copy.bump(&["77.8.9-rc.1"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_all_say(&copy.0, "77.8.9-rc.1");
    let heading = "## [Unreleased]\n\n## [77.8.9-rc.1] - 2030-01-02\n";
    assert!(copy.changelog().contains(heading));
    // Nothing else has changed: with the old version put back, all is as it was.
    let (old, new) = (env!("CARGO_PKG_VERSION"), "77.8.9-rc.1");
    for file in files(&copy.0) {
        let name = file.strip_prefix(&copy.0).unwrap();
        if matches!(name.to_str(), Some("CHANGELOG.md" | "artifacthub-pkg.yml")) {
            continue;
        }
        let (before, after) = (fs::read(root().join(name)), fs::read_to_string(&file));
        let Ok(after) = after else { continue };
        let before = String::from_utf8(before.unwrap()).unwrap();
        assert!(
            after.replace(new, old) == before,
            "{} differs",
            name.display()
        );
    }

    let again = copy.bump(&["77.8.9-rc.1"]);
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    assert!(copy.bump(&["--check", "77.8.9-rc.1"]).status.success());
}

#[test]
fn a_tag_of_another_version_is_refused() {
    let copy = Copy::new("check");
    let output = copy.bump(&["--check", "77.8.9"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: BTreeSet<_> = said(&output).lines().map(str::to_owned).collect();
    let of = |file: &str| {
        lines
            .iter()
            .any(|line| line.starts_with(&format!("bump: {file}")))
    };
    for file in [
        "Cargo.toml",
        "Cargo.lock",
        "policy-metadata.yml",
        "examples/policies/pods.yaml",
    ] {
        assert!(of(file), "{file}: {lines:#?}");
    }
    // What is no version of a tag.
    for wrong in ["", "1.2", "v1.2.3", "01.2.3", "1.2.3+build", "1.2.3 "] {
        assert_eq!(copy.bump(&[wrong]).status.code(), Some(2), "{wrong:?}");
    }
    // Nothing was written.
    assert_all_say(&copy.0, env!("CARGO_PKG_VERSION"));
}
