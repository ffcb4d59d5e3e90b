//! The real kubectl, run.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Error;

/// What a command printed, and whether it was content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Did it end with status 0?
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output, if the command was content.
    ///
    /// # Errors
    /// What it said on standard error instead.
    pub fn ok(self) -> Result<String, Error> {
        if self.success {
            Ok(self.stdout)
        } else {
            Err(Error::new(self.stderr))
        }
    }
}

pub(crate) async fn run(
    program: &Path,
    own: &[String],
    args: &[&str],
    stdin: &str,
) -> Result<Output, Error> {
    let failed =
        |error: std::io::Error| Error::new(format!("{} does not run: {error}", program.display()));
    let mut child = Command::new(program)
        .args(own)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut pipe) = child.stdin.take() {
        // A command that does not read its input closes it: no failure of ours.
        let _ = pipe.write_all(stdin.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(failed)?;
    Ok(Output {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
