//! Who may depend on whom: a table, and what the pure crates may never reach.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use rstest::rstest;
use serde_json::Value;

/// Each crate of ours, those of ours that it depends on, and those that only its tests do.
const USES: &[(&str, &[&str], &[&str])] = &[
    // Pure: everybody may stand on it, and it stands on nobody.
    ("kuma-workload-rulebook", &[], &[]),
    // Pure, and over the rulebook alone.
    ("kuma-workload-plan", &["kuma-workload-rulebook"], &[]),
    // The doors. None of them knows another.
    (
        "kuma-workload-policy",
        &["kuma-workload-guest-json", "kuma-workload-rulebook"],
        &[],
    ),
    ("kuma-workload-guest-json", &[], &[]),
    (
        "kuma-workload",
        &["kuma-workload-plan", "kuma-workload-rulebook"],
        &["kuma-workload-plan"],
    ),
    // It reads manifests as the plan does, and knows the policy only as a module of wasm.
    (
        "kuma-workload-host",
        &["kuma-workload-plan", "kuma-workload-rulebook"],
        &[],
    ),
    // It knows the policy as a file, and asks a registry.
    ("kuma-workload-registry", &[], &[]),
    // The plan for JavaScript, and the tool that writes what JavaScript imports of it.
    (
        "kuma-workload-playground",
        &["kuma-workload-plan", "kuma-workload-rulebook"],
        // Its schema.
        &["kuma-workload-plan"],
    ),
    ("kuma-workload-bindgen", &[], &[]),
    // Tests and measurements, which come in through the doors.
    (
        "kuma-workload-plan-wasm-check",
        &["kuma-workload-plan"],
        &[],
    ),
    ("kuma-workload-e2e-tests", &[], &["kuma-workload-host"]),
    (
        "kuma-workload-testbed",
        &["kuma-workload-host"],
        &["kuma-workload-benches", "kuma-workload-rulebook"],
    ),
    ("kuma-workload-simulation", &["kuma-workload"], &[]),
    ("kuma-workload-benches", &[], &["kuma-workload-host"]),
    ("floor", &[], &[]),
    (
        "kuma-workload-fuzz",
        &[
            "kuma-workload-plan",
            "kuma-workload-policy",
            "kuma-workload-rulebook",
        ],
        &[],
    ),
];

/// Where the plan is used, beside its own folder.
const USERS_OF_THE_PLAN: &[&str] = &[
    "fuzz/",
    "host/src/",
    "playground/src/",
    // What names mean that reports have.
    "reconciler/src/lookup.rs",
    "reconciler/src/plan.rs",
    "reconciler/src/plan/",
    "reconciler/src/status.rs",
    "reconciler/src/status/",
    // Settings are read as a plan reads them.
    "reconciler/src/vap.rs",
    // The style of its texts.
    "reconciler/src/terminal.rs",
    "reconciler/tests/",
];

/// What no pure crate links, by any way: a client, a runtime, a terminal, a command line, a clock.
const IMPURE: &[&str] = &[
    "anstream",
    "axum",
    "chrono",
    "clap",
    "comfy-table",
    "crossterm",
    "hyper",
    "indicatif",
    "jiff",
    "k8s-openapi",
    "kube",
    "miette",
    "rayon",
    "reqwest",
    "rustix",
    "rustls",
    "terminal_size",
    "time",
    "tokio",
    "tracing",
];

/// And what of the standard library it never calls.
const CALLS: &[&str] = &[
    "env::",
    "fs::",
    "net::",
    "process::",
    "thread::",
    "time::",
    "Instant",
    "SystemTime",
    "stdin(",
    "stdout(",
    "stderr(",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "dbg!",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args(arguments)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of a workspace, as cargo sees them.
fn packages(manifest: &str) -> Vec<Value> {
    let metadata = cargo(&[
        "metadata",
        "--offline",
        "--no-deps",
        "--format-version=1",
        "--manifest-path",
        manifest,
    ]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// What a package depends on: of ours (by a path) or of others; for itself, or for its tests.
fn dependencies(package: &Value, of_ours: bool, for_tests: bool) -> BTreeSet<&str> {
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    dependencies
        .filter(|one| one.get("path").is_some_and(Value::is_string) == of_ours)
        .filter(|one| (one["kind"] == "dev") == for_tests)
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[test]
fn every_crate_depends_on_those_of_the_table() {
    let workspaces = ["Cargo.toml", "benches/floor/Cargo.toml", "fuzz/Cargo.toml"];
    let packages: Vec<_> = workspaces.into_iter().flat_map(packages).collect();
    let found: BTreeMap<_, _> = packages
        .iter()
        .map(|package| {
            let uses = |for_tests| dependencies(package, true, for_tests);
            (package["name"].as_str().unwrap(), (uses(false), uses(true)))
        })
        .collect();
    let set = |names: &&'static [&'static str]| names.iter().copied().collect();
    let table = USES
        .iter()
        .map(|(name, uses, tests)| (*name, (set(uses), set(tests))));
    assert_eq!(
        found,
        table.collect::<BTreeMap<_, (BTreeSet<_>, BTreeSet<_>)>>()
    );
}

#[test]
fn the_guest_gets_nothing_but_serde_through_the_rulebook() {
    let packages = packages("Cargo.toml");
    let rulebook = packages
        .iter()
        .find(|one| one["name"] == "kuma-workload-rulebook");
    assert_eq!(
        dependencies(rulebook.unwrap(), false, false),
        BTreeSet::from(["serde"])
    );
}

#[rstest]
#[case("kuma-workload-rulebook")]
#[case("kuma-workload-plan")]
fn a_pure_crate_links_nothing_that_is_not(#[case] package: &str) {
    let tree = cargo(&[
        "tree",
        "--offline",
        "--package",
        package,
        "--edges=normal",
        "--all-features",
        "--prefix=none",
        "--format={p}",
    ]);
    let linked: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(linked.contains("serde"), "{tree}");
    let impure: Vec<_> = IMPURE
        .iter()
        .filter(|name| linked.contains(*name))
        .collect();
    assert!(impure.is_empty(), "{package} links {impure:?}");
}

#[rstest]
#[case("rulebook/src")]
#[case("plan/src")]
fn a_pure_crate_asks_the_system_for_nothing(#[case] folder: &str) {
    for file in sources(&root().join(folder)) {
        let text = fs::read_to_string(&file).unwrap();
        // Tests may measure time.
        let production = text.split("\n#[cfg(test)]\nmod tests {").next();
        for (number, line) in production.unwrap_or_default().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for call in CALLS {
                assert!(
                    !mentions(code, call),
                    "{}:{}: {call}",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn the_plan_is_used_where_documents_are_read_and_nowhere_else() {
    let folders = [
        "src",
        "rulebook",
        "host",
        "reconciler",
        "e2e-tests",
        "benches",
        "fuzz",
        "tests",
    ];
    let mut users = BTreeSet::new();
    for file in folders
        .into_iter()
        .flat_map(|folder| sources(&root().join(folder)))
    {
        let name = file
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let text = fs::read_to_string(&file).unwrap();
        if file.file_name() != Path::new(file!()).file_name() && text.contains("kuma_workload_plan")
        {
            let user = USERS_OF_THE_PLAN
                .iter()
                .find(|user| name.starts_with(**user));
            users.insert(*user.unwrap_or_else(|| panic!("{name} uses the plan")));
        }
    }
    assert!(users.contains("reconciler/src/plan.rs"), "{users:?}");
}

/// Whether code has this word, and not only as the end of another.
fn mentions(code: &str, word: &str) -> bool {
    let ends_a_name = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    code.match_indices(word)
        .any(|(at, _)| !ends_a_name(&code[..at]))
}

/// The Rust files of a folder, to its depth.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
