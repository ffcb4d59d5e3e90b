//! What a process uses, from `/proc`.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::{fs, time::Duration};

/// What may be resident, now or at most (`VmRSS`, `VmHWM`), in megabytes. `process` is its number, or
/// `self`.
pub(crate) fn megabytes(process: &str, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mut lines = status.lines();
    let value = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kilobytes: f64 = value
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kilobytes / 1024.0
}

/// The CPU time of a process: of all its threads, those that have ended too, and of the kernel for them.
pub(crate) fn cpu(process: &str) -> Duration {
    // In units that Linux has fixed at a hundredth of a second.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name of the program, in parentheses, may have spaces.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let times = fields.split(' ').skip(11).take(2);
    times
        .map(|ticks| TICK * ticks.parse::<u32>().unwrap())
        .sum()
}
