//! What `kuma-workload plan` costs: time and memory for a generated system, as a folder of 10,000 files
//! and as one file, and whether either grows faster than the input.
//!
//! ```console
//! $ make bench-plan                                        # a table for docs/performance.md
//! $ make bench-plan KUMA_WORKLOAD_BIN=/tmp/new KUMA_WORKLOAD_BASE=/tmp/old
//! $ make check-plan                                        # the bounds that CI holds
//! ```
//!
//! `KUMA_WORKLOAD_BIN` names the program that is measured, without which it is the one just built.
//! `KUMA_WORKLOAD_BASE` names another build of it to compare with: the two take turns, so that a machine
//! that slows down slows both down. Run it on a machine that does nothing else.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it cannot go on"
)]

mod bounds;
mod growing;
mod measured;
mod odd_inputs;
mod system;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use measured::{Runs, Usage};

/// How often each program reads each input.
const ROUNDS: usize = 10;

fn main() -> ExitCode {
    let named = |variable| env::var_os(variable).map(PathBuf::from);
    let program = named("KUMA_WORKLOAD_BIN")
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_kuma-workload")));
    if env::args().any(|argument| argument == "--bounds") {
        return bounds::check(&program);
    }
    let mut programs = vec![("", program)];
    if let Some(base) = named("KUMA_WORKLOAD_BASE") {
        programs.insert(0, ("base: ", base));
    }
    report(&programs);
    ExitCode::SUCCESS
}

/// An input, and how large it is.
struct Input {
    name: String,
    path: PathBuf,
    bytes: u64,
}

fn report(programs: &[(&str, PathBuf)]) {
    let scratch = tempfile::tempdir().unwrap();
    println!(
        "| `plan` of | MB | time: median (least to most) | MB/s | CPU | resident at most |\n\
         |---|---|---|---|---|---|"
    );
    for input in inputs(scratch.path()) {
        let mut runs: Vec<_> = programs.iter().map(|_| Runs::default()).collect();
        for _ in 0..ROUNDS {
            for ((_, program), runs) in programs.iter().zip(&mut runs) {
                runs.push(measured::plan(program, &input.path).unwrap());
            }
        }
        for ((label, _), runs) in programs.iter().zip(&runs) {
            println!("{}", row(label, &input, runs));
        }
    }
}

fn inputs(folder: &Path) -> Vec<Input> {
    let mut inputs = Vec::new();
    for documents in [1_000, 10_000] {
        let path = folder.join(format!("{documents}"));
        system::write_folder(documents, &path).unwrap();
        inputs.push(Input {
            name: format!("a folder of {} files", thousands(documents)),
            bytes: size(&path),
            path,
        });
        let path = folder.join(format!("{documents}.yaml"));
        system::write_file(documents, &path).unwrap();
        inputs.push(Input {
            name: format!("one file of {} documents", thousands(documents)),
            bytes: size(&path),
            path,
        });
    }
    inputs
}

fn row(label: &str, input: &Input, runs: &Runs) -> String {
    let [least, median, most] = runs.spread(|run| run.elapsed).unwrap();
    let [_, cpu, _] = runs.spread(|run| run.cpu).unwrap();
    let [_, memory, _] = runs.spread(|run| run.memory).unwrap();
    let megabytes = input.bytes as f64 / 1e6;
    format!(
        "| {label}{} | {megabytes:.1} | {} ({} to {}) | {:.0} | {} | {:.0} MB |",
        input.name,
        seconds(median),
        seconds(least),
        seconds(most),
        megabytes / median.as_secs_f64(),
        seconds(cpu),
        memory as f64 / 1e6,
    )
}

fn thousands(number: usize) -> String {
    format!("{},{:03}", number / 1_000, number % 1_000)
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// The bytes of a file, or of all files of a folder.
fn size(path: &Path) -> u64 {
    let metadata = fs::metadata(path).unwrap();
    if metadata.is_file() {
        return metadata.len();
    }
    let entries = fs::read_dir(path).unwrap();
    entries.map(|entry| size(&entry.unwrap().path())).sum()
}

/// The least CPU time of several runs, which other work on the machine disturbs least, and the most
/// memory.
fn least(program: &Path, path: &Path, rounds: usize) -> Usage {
    let mut runs: Vec<_> = (0..rounds)
        .map(|_| measured::plan(program, path).unwrap())
        .collect();
    runs.sort_by_key(|run| run.cpu);
    let memory = runs.iter().map(|run| run.memory).max().unwrap_or_default();
    Usage { memory, ..runs[0] }
}
