//! What README shows of the policy is what the built policy does: each accepted and rejected case, with
//! the settings and the cluster that stand before it, and the answer to kwctl.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use kuma_workload_host::{
    AdmissionRequest, Evaluation, Policy, Settings,
    case::{self, Cases},
    cluster::Manifests,
    document,
};
use serde_json::Value;

const README: &str = include_str!("../../README.md");

fn policy() -> Policy {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../annotated-policy.wasm");
    let path = env::var_os("KUMA_WORKLOAD_POLICY_WASM").map_or_else(|| built.into(), PathBuf::from);
    Policy::load(&path).expect("run `make annotated-policy.wasm` first")
}

/// A document of a block: its first comment, and what stands below it.
fn documents(block: &str) -> Vec<(String, String)> {
    let documents = block.split("\n---\n").map(|document| {
        let is_comment = |line: &&str| line.starts_with('#');
        let comment = document.lines().take_while(is_comment);
        let comment: Vec<&str> = comment.map(|line| line[1..].trim()).collect();
        let rest: Vec<&str> = document.lines().skip_while(is_comment).collect();
        (comment.join(" "), rest.join("\n"))
    });
    documents.collect()
}

/// The blocks of README with cases.
fn blocks() -> Vec<Vec<(String, String)>> {
    let blocks = README.split("```yaml\n").skip(1);
    let blocks = blocks.map(|rest| documents(rest.split("```").next().unwrap()));
    blocks
        .filter(|documents| documents.iter().any(|(comment, _)| comment == "Accepted"))
        .collect()
}

/// The one request of a file; of a manifest, its CREATE.
fn request(path: &Path) -> AdmissionRequest {
    let loaded = Cases::load([path], &Manifests::new().with_kuma());
    assert_eq!(loaded.faults, []);
    let [case] = loaded.cases.try_into().expect("one object");
    case.request
}

/// The sentence of a rejection; nothing where the request is accepted.
fn rejection(evaluation: &Evaluation) -> Option<&str> {
    let status = evaluation.response.status.as_ref()?;
    assert_eq!(status.code, Some(403));
    status.message.as_deref()
}

#[test]
fn accepted_and_rejected() {
    let policy = policy();
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    let blocks = blocks();
    assert!(blocks.len() >= 2, "two settings, or more");
    for block in blocks {
        let mut settings = Settings::default();
        let mut cluster: Vec<Value> = Vec::new();
        let mut accepted = 0;
        let mut rejected = 0;
        for (comment, document) in block {
            fs::write(file.path(), &document).unwrap();
            if comment == "The settings" {
                settings = case::read_settings(file.path()).unwrap().settings;
                continue;
            }
            if comment == "In the cluster" {
                cluster.push(document::read_one(file.path()).unwrap().value());
                continue;
            }
            let backend = Manifests::of(cluster.clone()).unwrap().with_kuma();
            let evaluation = policy
                .evaluate(
                    &request(file.path()),
                    &settings,
                    Arc::new(backend.handled()),
                )
                .unwrap();
            if comment == "Accepted" {
                accepted += 1;
                assert_eq!(rejection(&evaluation), None, "{document}");
                assert_eq!(evaluation.response.warnings, None, "{document}");
            } else {
                rejected += 1;
                let said = comment.strip_prefix("Rejected (403): ");
                assert_eq!(rejection(&evaluation), said, "{document}");
            }
        }
        assert!(accepted > 0 && rejected > 0, "one of each");
    }
}

#[test]
fn kwctl_and_its_answer() {
    let lines: Vec<&str> = README
        .lines()
        .skip_while(|line| !line.starts_with("$ kwctl run -r "))
        .take_while(|line| *line != "```")
        .collect();
    let file = lines[0].split_whitespace().nth(4).expect("a request");
    // The command folds it.
    let answer = lines[2..].join(" ");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let nothing = Arc::new(Manifests::new().handled());
    let evaluation = policy()
        .evaluate(&request(&path), &Settings::default(), nothing)
        .unwrap();
    assert!(evaluation.calls.is_empty(), "kwctl has no cluster there");
    assert_eq!(rejection(&evaluation), Some(&*answer));
}
