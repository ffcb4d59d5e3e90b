//! `simulate`: runs seeds, or one of them with its trace.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    ops::Range,
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use kuma_workload_simulation::{
    campaign::{self, Summary},
    checks::Violation,
    planted::Planted,
    trace::Trace,
};

/// Runs the reconciler in virtual time, with faults that are drawn from a seed.
///
/// Exit status: 0 if nothing was wrong, 1 otherwise.
#[derive(Debug, Parser)]
struct CommandLine {
    /// Which seeds.
    #[arg(long, default_value = "0..3000", value_name = "FROM..TO", value_parser = range)]
    seeds: Range<u64>,
    /// Only this seed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Prints what happened. With `--seed`.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Plants faults in the program, one after the other, and prints which seed finds each.
    #[arg(long, conflicts_with = "seed")]
    planted: bool,
    /// Runs each seed twice, and compares what happened.
    #[arg(long, conflicts_with_all = ["seed", "planted"])]
    twice: bool,
    /// How many seeds are run at the same time.
    #[arg(long, default_value_t = 2, value_name = "N")]
    threads: usize,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let bounds = text.split_once("..");
    let bounds = bounds.and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    bounds.ok_or_else(|| "a range looks like 0..3000".to_owned())
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let wrong = match line.seed {
        Some(seed) => run_one(seed, line.trace),
        None if line.planted => run_planted(&line),
        None if line.twice => run_twice(&line),
        None => run_many(&line),
    };
    match wrong {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) | Err(_) => ExitCode::FAILURE,
    }
}

fn run_one(seed: u64, with_trace: bool) -> io::Result<bool> {
    let trace = match with_trace {
        true => Trace::kept(),
        false => Trace::default(),
    };
    let outcome = campaign::run_seed(seed, None, trace);
    let mut out = io::stdout().lock();
    for line in &outcome.trace {
        writeln!(out, "{line}")?;
    }
    for violation in &outcome.violations {
        writeln!(out, "seed {seed}: {violation}")?;
    }
    Ok(!outcome.violations.is_empty())
}

fn run_many(line: &CommandLine) -> io::Result<bool> {
    let begun = Instant::now();
    let summary = campaign::run_seeds(line.seeds.clone(), line.threads, None, false, tell);
    let mut out = io::stdout().lock();
    print(&mut out, &summary)?;
    writeln!(out, "wall time {:.0} s", begun.elapsed().as_secs_f64())?;
    Ok(!summary.failed.is_empty())
}

/// Whether a seed did not give the same run again.
fn run_twice(line: &CommandLine) -> io::Result<bool> {
    let differences = campaign::run_twice(line.seeds.clone(), line.threads);
    let mut out = io::stdout().lock();
    for (seed, line) in &differences {
        writeln!(out, "seed {seed}: the second run differs: {line}")?;
    }
    let (seeds, differ) = (line.seeds.clone().count(), differences.len());
    writeln!(out, "{seeds} seeds, each run twice: {differ} differ")?;
    Ok(!differences.is_empty())
}

/// Whether a planted fault was not found.
fn run_planted(line: &CommandLine) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(out, "{:<42} {:>6}  found by", "planted fault", "seed")?;
    let mut missed = false;
    for planted in Planted::all() {
        match campaign::search(planted, line.seeds.clone(), line.threads) {
            Some((seed, violation)) => {
                writeln!(out, "{planted:<42} {seed:>6}  {:?}", violation.check)?;
            }
            None => {
                missed = true;
                writeln!(out, "{planted:<42}      -  not found")?;
            }
        }
        out.flush()?;
    }
    Ok(missed)
}

/// Tells of a failure as soon as it is found.
fn tell(seed: u64, violation: &Violation) {
    println!("seed {seed}: {violation}\n  replay: simulate --seed {seed} --trace");
}

fn print(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    writeln!(out, "{}", summary.coverage)?;
    writeln!(
        out,
        "{} seeds, {} of them with default intervals; {} requests; {:.1} days of virtual time; {} failed",
        summary.seeds,
        summary.with_defaults,
        summary.requests,
        summary.lasted.as_secs_f64() / 86_400.0,
        summary.failed.len(),
    )
}
