//! Programs of ours that run beside the servers: they end with the test run, however it ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::process::{Child, Command};

use crate::Error;

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Runs a command; what it prints goes to `NAME-NUMBER.log` in the testbed's folder.
    pub(crate) fn start(folder: &Path, name: &str, command: &mut Command) -> Result<Self, Error> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{number}", std::process::id());
        let failed = |error: io::Error| Error::new(format!("{name} does not start: {error}"));
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).map_err(failed)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(pid) = child.id() {
            // Who finds this file after us ends the process: see servers.bash.
            let entry = format!("{pid} {}\n", birth(pid).map_err(failed)?);
            fs::write(folder.join(format!("{name}.pid")), entry).map_err(failed)?;
        }
        Ok(Self { name, child, log })
    }

    /// What it has printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Where what it prints goes.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`, `STOP` or `CONT`.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn signal(&self, signal: &str) -> Result<(), Error> {
        let ended = || Error::new(format!("{} has ended: {}", self.name, self.log()));
        let pid = self.pid().ok_or_else(ended)?;
        // The shell's own kill: there is no other one on every machine.
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid.to_string()])
            .status()
            .await;
        match sent {
            Ok(status) if status.success() => Ok(()),
            _ => Err(ended()),
        }
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// When the system does not tell.
    pub async fn ended(&mut self) -> Result<ExitStatus, Error> {
        let status = self.child.wait().await;
        status.map_err(|error| Error::new(format!("{}: {error}", self.name)))
    }

    /// Ends it without a warning, as a crash would.
    ///
    /// # Errors
    /// When the system does not do it.
    pub async fn kill(&mut self) -> Result<(), Error> {
        let killed = self.child.kill().await;
        killed.map_err(|error| Error::new(format!("{}: {error}", self.name)))
    }
}

/// Ends what earlier test runs have left in this folder: a program that tests share is not dropped
/// with them.
pub(crate) fn end_leftovers(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in files.map(|file| file.path()) {
        if let Some(pid) = leftover(&path) {
            let _ = std::process::Command::new("sh")
                .args(["-c", "kill -s KILL \"$0\"", &pid.to_string()])
                .status();
            let _ = fs::remove_file(path);
        }
    }
}

/// The program of this file, if it still runs and its test run does not.
fn leftover(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?.strip_suffix(".pid")?;
    let (of_run, _) = name.rsplit_once('-')?;
    let (_, run) = of_run.rsplit_once('-')?;
    let run: u32 = run.parse().ok()?;
    let entry = fs::read_to_string(path).ok()?;
    let (pid, born) = entry.trim_end().split_once(' ')?;
    let pid = pid.parse().ok()?;
    let is_it = birth(pid).is_ok_and(|birth| birth == born);
    (is_it && !Path::new("/proc").join(run.to_string()).exists()).then_some(pid)
}

/// When a process began, as the kernel counts: the twentieth number after the command's name.
fn birth(pid: u32) -> io::Result<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    Ok(after_name.split(' ').nth(19).unwrap_or_default().to_owned())
}
