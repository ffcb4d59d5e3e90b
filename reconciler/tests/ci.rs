//! The jobs of `docs/ci.md`: they are the files of `examples/ci/`, and they do what they say, with
//! stand-ins for Helm, Kustomize and cargo. `KUMA_WORKLOAD_REWRITE=1` writes the files into the docs.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn examples() -> BTreeMap<String, String> {
    let files = fs::read_dir(root().join("examples/ci")).unwrap();
    let files = files.map(|file| {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        (file.file_name().into_string().unwrap(), text)
    });
    files.collect()
}

/// The job of this file.
fn job(file: &str) -> Value {
    serde_saphyr::from_str(&examples()[file]).unwrap()
}

#[test]
fn the_docs_have_the_files_as_they_are() {
    let path = root().join("docs/ci.md");
    let mut docs = fs::read_to_string(&path).unwrap();
    assert_eq!(docs.matches("<!-- examples/ci/").count(), examples().len());
    for (file, text) in examples() {
        let mark = format!("<!-- examples/ci/{file} -->\n```");
        let begin = docs.find(&mark).unwrap() + mark.len();
        let begin = begin + docs[begin..].find('\n').unwrap() + 1;
        let end = begin + docs[begin..].find("```\n").unwrap();
        if env::var_os("KUMA_WORKLOAD_REWRITE").is_some() {
            docs.replace_range(begin..end, &text);
        } else {
            assert_eq!(&docs[begin..end], text, "{file}");
        }
    }
    if env::var_os("KUMA_WORKLOAD_REWRITE").is_some() {
        fs::write(path, docs).unwrap();
    }
}

/// What is found in what is rendered and in the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Something,
    /// Rendering breaks off.
    Broken,
}

const FINE: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
apiVersion: v1
kind: Pod
metadata:
  name: web
";

/// The same, where somebody forges a workload.
fn forged() -> String {
    format!("{FINE}  labels: {{kuma.io/workload: a}}\n")
}

/// A repository with manifests, and a PATH with the program and stand-ins for the others.
struct Repository {
    folder: TempDir,
    found: Found,
}

impl Repository {
    fn new(found: Found) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rendered = match found {
            Found::Something => forged(),
            Found::Nothing | Found::Broken => FINE.to_owned(),
        };
        let tools = folder.path().join("tools");
        for name in ["tools", "manifests"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("manifests/web.yaml"), &rendered).unwrap();
        fs::write(folder.path().join("rendered.yaml"), rendered).unwrap();
        let broken = if found == Found::Broken { "exit 1" } else { "" };
        let renders = |arguments: &str| {
            format!("[ \"$*\" = '{arguments}' ] || exit 64\ncat rendered.yaml\n{broken}\n")
        };
        let install = "[ \"$*\" = 'install --locked --git https://git.example.com/kuma-workload kuma-workload' ]";
        for (name, script) in [
            ("helm", renders("template my-chart")),
            ("kustomize", renders("build overlays/prod")),
            ("cargo", install.to_owned()),
        ] {
            let file = tools.join(name);
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let program = tools.join("kuma-workload");
        symlink(env!("CARGO_BIN_EXE_kuma-workload"), program).unwrap();
        Self { folder, found }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = env::var("PATH").unwrap();
        let tools = self.folder.path().join("tools");
        command
            .current_dir(self.folder.path())
            .env_remove("GITHUB_ACTIONS")
            .env("PATH", format!("{}:{path}", tools.display()))
            .env("KUMA_WORKLOAD_GIT", "https://git.example.com/kuma-workload");
        command
    }

    /// As runners do: the shell stops at the first command that fails.
    fn script(&self, options: &[&str], script: &str) -> Output {
        let mut shell = self.command("bash");
        shell.args(options).args(["-c", script]).output().unwrap()
    }

    /// Checks what came of a command that plans, and gives what it printed.
    fn planned(&self, call: &str, output: Output) -> String {
        let renders = call.contains(" | ");
        let expected = match self.found {
            Found::Broken if renders => 1,
            Found::Nothing | Found::Broken => 0,
            Found::Something => 1,
        };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(expected), "{call}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|text| text.as_str().unwrap()).collect()
}

#[rstest]
fn github(#[values(Found::Nothing, Found::Something, Found::Broken)] found: Found) {
    let workflow = job("github-actions.yaml");
    assert_eq!(workflow["defaults"]["run"]["shell"], "bash");
    let repository = Repository::new(found);
    let git = &workflow["env"]["KUMA_WORKLOAD_GIT"];
    assert_eq!(git, "https://git.example.com/kuma-workload");
    let mut planned = 0;
    for job in workflow["jobs"].as_object().unwrap().values() {
        for step in job["steps"].as_array().unwrap() {
            let Some(call) = step["run"].as_str() else {
                continue;
            };
            // The options that GitHub has for `shell: bash`.
            let options = ["--noprofile", "--norc", "-eo", "pipefail"];
            let output = repository.script(&options, call);
            if !call.contains("kuma-workload plan") {
                assert!(output.status.success(), "{call}");
                continue;
            }
            planned += 1;
            let stdout = repository.planned(call, output);
            if call.contains("-o github") {
                let annotation = match call.contains("manifests/") {
                    true => "::error file=manifests/web.yaml,line=9,col=30,title=forged-label::",
                    false => "::error file=-,line=9,col=30,title=forged-label::",
                };
                let is_told = stdout.starts_with(annotation);
                assert_eq!(is_told, found == Found::Something, "{call}: {stdout}");
            }
        }
    }
    assert_eq!(planned, 4);
    let upload = &workflow["jobs"]["code-scanning"]["steps"][3];
    let log = repository.file(upload["with"]["sarif_file"].as_str().unwrap());
    let log: Value = serde_json::from_str(&log).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.is_empty(), found != Found::Something);
}

#[rstest]
fn gitlab(#[values(Found::Nothing, Found::Something, Found::Broken)] found: Found) {
    let pipeline = job("gitlab-ci.yaml");
    let base = &pipeline[".kuma-workload"];
    let git = &base["variables"]["KUMA_WORKLOAD_GIT"];
    assert_eq!(git, "https://git.example.com/kuma-workload");
    let jobs = pipeline.as_object().unwrap().iter();
    let jobs: Vec<_> = jobs.filter(|(name, _)| !name.starts_with('.')).collect();
    assert_eq!(jobs.len(), 3);
    for (_, job) in jobs {
        assert_eq!(job["extends"], ".kuma-workload");
        let lines = [texts(&base["before_script"]), texts(&job["script"])].concat();
        let repository = Repository::new(found);
        let output = repository.script(&["-e"], &lines.join("\n"));
        repository.planned(lines.last().unwrap(), output);
        let report = base["artifacts"]["reports"]["junit"].as_str().unwrap();
        let report = repository.file(report);
        let report = roxmltree::Document::parse(&report).unwrap();
        let suites = report.root_element();
        let failures = if found == Found::Something { "1" } else { "0" };
        assert_eq!(suites.attribute("failures"), Some(failures));
        assert_eq!(suites.attribute("errors"), Some("0"));
    }
}

#[rstest]
fn pre_commit(#[values(Found::Nothing, Found::Something, Found::Broken)] found: Found) {
    let config = job("pre-commit-config.yaml");
    let hooks = config["repos"][0]["hooks"].as_array().unwrap();
    assert_eq!(hooks.len(), 3);
    let repository = Repository::new(found);
    for hook in hooks {
        assert_eq!(hook["language"], "system");
        assert_eq!(hook["pass_filenames"], false);
        let call = hook["entry"].as_str().unwrap();
        let output = repository.script(&[], call);
        repository.planned(call, output);
    }
}

#[rstest]
fn git_hook_and_makefile(
    #[values(Found::Nothing, Found::Something, Found::Broken)] found: Found,
    #[values(&["bash", "pre-commit"], &["make", "-sf", "Makefile"])] command: &[&str],
) {
    let repository = Repository::new(found);
    let (file, options) = command[1..].split_last().unwrap();
    let mut command = repository.command(command[0]);
    let output = command
        .args(options)
        .arg(root().join("examples/ci").join(file));
    let output = output.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.success(), found == Found::Nothing, "{stdout}");
    // The first that fails is the last that is run.
    let plans = if found == Found::Nothing { 3 } else { 1 };
    assert_eq!(stdout.matches(" read, ").count(), plans, "{stdout}");
}

#[test]
fn the_git_hook_can_be_run() {
    let hook = fs::metadata(root().join("examples/ci/pre-commit")).unwrap();
    assert_eq!(hook.permissions().mode() & 0o111, 0o111);
}
