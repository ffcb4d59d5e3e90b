//! Many seeds, on several threads.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{
    checks::Violation,
    fault::Coverage,
    planted::Planted,
    scenario::Scenario,
    simulation::{Outcome, Simulation},
    trace::{LogWriter, Trace},
};

/// The directives of the program's log, in a trace.
const LOG: &str = "info,kuma_workload=debug";

/// What many seeds have shown.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many seeds were run.
    pub seeds: u64,
    /// How many of them had default intervals.
    pub with_defaults: u64,
    /// Which faults there were.
    pub coverage: Coverage,
    /// How many requests the program sent.
    pub requests: u64,
    /// How long the simulations were, in virtual time.
    pub lasted: Duration,
    /// The seeds that failed, and what was wrong first.
    pub failed: Vec<(u64, Violation)>,
}

/// Runs one seed. With a trace, the program's log is in it.
pub fn run_seed(seed: u64, planted: Option<Planted>, trace: Trace) -> Outcome {
    let simulate = || Simulation::new(Scenario::draw(seed), planted, trace.clone()).run();
    if !trace.is_kept() {
        return simulate();
    }
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(LOG))
        .without_time()
        .with_ansi(false)
        .with_writer(LogMaker(trace.clone()))
        .finish();
    tracing::subscriber::with_default(subscriber, simulate)
}

/// Makes the writers of a log.
struct LogMaker(Trace);

impl<'a> MakeWriter<'a> for LogMaker {
    type Writer = LogWriter;

    fn make_writer(&'a self) -> LogWriter {
        LogWriter(self.0.clone())
    }
}

/// Runs seeds on so many threads. With `only_first`, it ends soon after one has failed.
pub fn run_seeds(
    seeds: Range<u64>,
    threads: usize,
    planted: Option<Planted>,
    only_first: bool,
    tell: impl Fn(u64, &Violation) + Sync,
) -> Summary {
    let ends = AtomicBool::new(false);
    let summary = Mutex::new(Summary::default());
    for_each(seeds, threads, |seed| {
        let outcome = run_seed(seed, planted, Trace::default());
        if only_first && !outcome.violations.is_empty() {
            ends.store(true, Ordering::Relaxed);
        }
        if let Some(violation) = outcome.violations.first() {
            tell(seed, violation);
        }
        let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.add(seed, &outcome);
        !ends.load(Ordering::Relaxed)
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.failed.sort_by_key(|(seed, _)| *seed);
    summary
}

/// Runs each seed twice. Returns those of which the runs differ, with the first line that does.
pub fn run_twice(seeds: Range<u64>, threads: usize) -> Vec<(u64, String)> {
    let differences = Mutex::new(Vec::new());
    for_each(seeds, threads, |seed| {
        let [first, second] = [(); 2].map(|()| run_seed(seed, None, Trace::kept()).trace);
        let pairs = first.iter().zip(&second);
        let mut different = pairs.filter(|(first, second)| first != second);
        let difference = match different.next() {
            Some((_, line)) => Some(line.clone()),
            None if first.len() == second.len() => None,
            None => Some(format!("{} and {} lines", first.len(), second.len())),
        };
        let mut all = differences.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(difference.map(|line| (seed, line)));
        true
    });
    let mut differences = differences
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    differences.sort();
    differences
}

/// Does something with each seed on so many threads, for as long as it returns true.
fn for_each(seeds: Range<u64>, threads: usize, run: impl Fn(u64) -> bool + Sync) {
    let next = AtomicU64::new(seeds.start);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || !run(seed) {
                        return;
                    }
                }
            });
        }
    });
}

/// Runs seeds until one finds a planted fault.
pub fn search(planted: Planted, seeds: Range<u64>, threads: usize) -> Option<(u64, Violation)> {
    let summary = run_seeds(seeds, threads, Some(planted), true, |_, _| ());
    summary.failed.into_iter().next()
}

impl Summary {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        self.with_defaults += u64::from(Scenario::draw(seed).has_defaults);
        self.coverage.add(&outcome.coverage);
        self.requests += outcome.requests;
        self.lasted += outcome.lasted;
        if let Some(violation) = outcome.violations.first() {
            self.failed.push((seed, violation.clone()));
        }
    }
}
