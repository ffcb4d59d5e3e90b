//! Runs of a program, and what they took.

use std::{
    io,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use wait4::Wait4 as _;

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// From start to end.
    pub elapsed: Duration,
    /// Of all its threads, the kernel's work for it included.
    pub cpu: Duration,
    /// Resident at most, in bytes.
    pub memory: u64,
    /// Its exit status; none where a signal ended it.
    pub status: Option<i32>,
}

impl Usage {
    /// Whether it ended as `plan` does: clean, with findings, or with bad input.
    pub(crate) fn is_planned(&self) -> bool {
        matches!(self.status, Some(0..=2))
    }
}

/// So many seconds of CPU time and so many kilobytes of address space are more than any input needs:
/// where they are used up, a signal ends the program.
const LIMITS: &str = "ulimit -t 60 -v 8000000";

/// Runs `PROGRAM plan PATH`. What it prints goes nowhere.
///
/// # Errors
///
/// When it does not start.
pub(crate) fn plan(program: &Path, path: &Path) -> io::Result<Usage> {
    let begun = Instant::now();
    let child = Command::new("sh")
        .arg("-c")
        .arg(format!("{LIMITS}; exec \"$0\" plan \"$1\""))
        .args([program, path])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let ended = child.wait4()?;
    Ok(Usage {
        elapsed: begun.elapsed(),
        cpu: ended.rusage.utime + ended.rusage.stime,
        memory: ended.rusage.maxrss,
        status: ended.status.code(),
    })
}

/// Many runs.
#[derive(Debug, Default)]
pub(crate) struct Runs(Vec<Usage>);

impl Runs {
    /// Adds one.
    pub(crate) fn push(&mut self, usage: Usage) {
        self.0.push(usage);
    }

    /// The least, the median and the most of something.
    pub(crate) fn spread<T: Ord + Copy>(&self, of: impl Fn(&Usage) -> T) -> Option<[T; 3]> {
        let mut sorted: Vec<T> = self.0.iter().map(of).collect();
        sorted.sort_unstable();
        Some([
            *sorted.first()?,
            *sorted.get(sorted.len() / 2)?,
            *sorted.last()?,
        ])
    }
}
