//! Tells the program which commit it is built from, and when, as far as that is known.
//!
//! The commit is `KUMA_WORKLOAD_COMMIT` of the environment, or the one that is checked out; the time is
//! `SOURCE_DATE_EPOCH`, or that of the commit, so that the same source makes the same program. An
//! archive without git has neither.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_checkout = git(&["rev-parse", "--show-prefix"]).is_some_and(|prefix| {
        // An archive that is unpacked within another repository is not of its commit.
        prefix == "reconciler/"
    });
    if is_checkout {
        watch_head();
    }
    let of_head = |format| git(&["log", "-1", "--abbrev=12", format]).filter(|_| is_checkout);
    for (name, given, format) in [
        ("COMMIT", "KUMA_WORKLOAD_COMMIT", "--format=%h"),
        ("EPOCH", "SOURCE_DATE_EPOCH", "--format=%ct"),
    ] {
        println!("cargo:rerun-if-env-changed={given}");
        let given = env::var(given).ok().filter(|value| !value.is_empty());
        let known = given.or_else(|| of_head(format)).unwrap_or_default();
        println!("cargo:rustc-env=KUMA_WORKLOAD_BUILT_FROM_{name}={known}");
    }
}

/// Another commit makes another program; nothing else that git does.
fn watch_head() {
    let branch = git(&["rev-parse", "--symbolic-full-name", "HEAD"]);
    let moves_with_head = ["HEAD", "logs/HEAD"].map(str::to_owned);
    for name in moves_with_head.into_iter().chain(branch) {
        let path = git(&["rev-parse", "--git-path", &name]);
        // Cargo takes a file that does not exist for changed.
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
