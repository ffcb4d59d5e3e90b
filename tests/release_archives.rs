//! Whoever installs the program from a release finds its archives: krew by its manifest, cargo-binstall by
//! what the crate says of itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, Output},
};

use serde_json::Value;

const RELEASES: &str = "https://github.com/kuma-workload/kuma-workload/releases/download";
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(program: impl AsRef<Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new(root().join(program));
    command.current_dir(root()).args(arguments);
    command.output().unwrap()
}

fn printed(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of the archives, with the target of each.
fn archives() -> Vec<(String, String)> {
    let names = printed("scripts/release-files", &["--archives"]);
    let archives = names.lines().map(|name| {
        let begin = format!("kuma-workload-{VERSION}-");
        let target = name.strip_prefix(&begin).unwrap();
        let target = target.strip_suffix(".tar.gz").unwrap();
        (name.to_owned(), target.to_owned())
    });
    archives.collect()
}

/// A folder that goes away with this.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("kuma-workload-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn binstall_finds_each_archive_and_the_program_in_it() {
    let arguments = ["metadata", "--offline", "--no-deps", "--format-version=1"];
    let cargo = PathBuf::from(env::var_os("CARGO").unwrap());
    let metadata: Value = serde_json::from_str(&printed(cargo, &arguments)).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let package = packages.find(|one| one["name"] == "kuma-workload").unwrap();
    let binstall = &package["metadata"]["binstall"];
    assert_eq!(binstall["pkg-fmt"], "tgz");
    for (archive, target) in archives() {
        let filled = |template: &str| {
            let text = binstall[template].as_str().unwrap();
            text.replace("{ version }", package["version"].as_str().unwrap())
                .replace("{ name }", package["name"].as_str().unwrap())
                .replace("{ bin }", "kuma-workload")
                .replace("{ binary-ext }", "")
                .replace("{ target }", &target)
        };
        assert_eq!(
            filled("pkg-url"),
            format!("{RELEASES}/v{VERSION}/{archive}")
        );
        let folder = archive.strip_suffix(".tar.gz").unwrap();
        assert_eq!(filled("bin-dir"), format!("{folder}/kuma-workload"));
    }
}

/// What krew itself asks of a manifest, and that it is of these archives.
#[test]
fn krews_manifest_names_each_archive_with_its_checksum() {
    let folder = Folder::new("krew");
    let path = folder.0.to_str().unwrap();
    let nothing = run("scripts/krew", &[path]);
    assert!(!nothing.status.success(), "{nothing:?}");

    for (archive, target) in archives() {
        fs::write(folder.0.join(archive), target).unwrap();
    }
    let manifest: Value = serde_saphyr::from_str(&printed("scripts/krew", &[path])).unwrap();
    assert_eq!(
        manifest["apiVersion"],
        "krew.googlecontainertools.github.com/v1alpha2"
    );
    assert_eq!(manifest["kind"], "Plugin");
    assert_eq!(manifest["metadata"]["name"], "kuma-workload");
    let spec = &manifest["spec"];
    assert_eq!(spec["version"], format!("v{VERSION}"));
    let short = spec["shortDescription"].as_str().unwrap();
    assert!(!short.is_empty() && short.len() <= 50, "{short}");
    assert!(!spec["description"].as_str().unwrap().is_empty());

    let platforms = spec["platforms"].as_array().unwrap();
    let mut machines = BTreeSet::new();
    for ((archive, target), platform) in archives().iter().zip(platforms) {
        let uri = format!("{RELEASES}/v{VERSION}/{archive}");
        assert_eq!(platform["uri"], uri);
        let sums = printed("/usr/bin/env", &["sha256sum", &format!("{path}/{archive}")]);
        assert_eq!(platform["sha256"], sums.split(' ').next().unwrap());
        let labels = &platform["selector"]["matchLabels"];
        let (os, arch) = (
            labels["os"].as_str().unwrap(),
            labels["arch"].as_str().unwrap(),
        );
        let rust = match os {
            "darwin" => "apple-darwin",
            os => os,
        };
        let machine = arch.replace("amd64", "x86_64").replace("arm64", "aarch64");
        assert!(
            target.starts_with(&machine) && target.contains(rust),
            "{labels}"
        );
        machines.insert((os, arch));
        let folder = archive.strip_suffix(".tar.gz").unwrap();
        let files = platform["files"].as_array().unwrap();
        // krew's index takes no plugin that installs no licence.
        let expected = ["kuma-workload", "LICENSE"].map(|file| format!("{folder}/{file}"));
        let from: Vec<_> = files.iter().map(|file| file["from"].clone()).collect();
        assert_eq!(from, expected);
        assert!(files.iter().all(|file| file["to"] == "."));
        assert_eq!(platform["bin"], "kuma-workload");
    }
    assert_eq!((platforms.len(), machines.len()), (4, 4));
}
