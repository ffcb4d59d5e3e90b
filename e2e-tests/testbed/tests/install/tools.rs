//! Programs of others, run.

use std::env;
use std::ffi::OsStr;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kuma_workload_testbed::{Error, Testbed};
use tokio::process::Command;

/// The folder that `scripts/tools` has put programs into.
pub(crate) fn tool(name: &str) -> PathBuf {
    let folder = env::var_os("KUMA_WORKLOAD_TOOLS").unwrap_or_default();
    Path::new(&folder).join(name)
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A program that finds nobody's credentials, and leaves nothing in anybody's home.
pub(crate) fn in_own_home(testbed: &Testbed, program: impl AsRef<Path>) -> Command {
    let home = testbed.folder().join("home");
    let mut command = Command::new(program.as_ref());
    for variable in [
        "DOCKER_CONFIG",
        "HELM_CACHE_HOME",
        "HELM_CONFIG_HOME",
        "HELM_DATA_HOME",
    ] {
        command.env(variable, &home);
    }
    command
}

/// What a program prints, once it is done.
pub(crate) async fn output(command: &mut Command) -> Result<String, Error> {
    let arguments = command.as_std().get_args();
    let words = iter::once(command.as_std().get_program()).chain(arguments);
    let shown = words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ");
    let done = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Error::new(format!("{shown} does not run: {error}")))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = [done.stderr, done.stdout].concat();
    Err(Error::new(format!(
        "{shown} ended with {}: {}",
        done.status,
        String::from_utf8_lossy(&said).trim_end()
    )))
}

/// Runs a program with these arguments.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Result<String, Error> {
    output(Command::new(program).args(arguments)).await
}
