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
    scenario::Scenario,
    simulation::{Outcome, Simulation},
    tamper::Tamper,
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
pub fn run_seed(seed: u64, tamper: Option<Tamper>, trace: Trace) -> Outcome {
    let simulate = || Simulation::new(Scenario::draw(seed), tamper, trace.clone()).run();
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
    tamper: Option<Tamper>,
    only_first: bool,
    prepare: impl Fn() + Sync,
    tell: impl Fn(u64, &Violation) + Sync,
) -> Summary {
    let (next, ends) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let summary = Mutex::new(Summary::default());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                prepare();
                while !ends.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = run_seed(seed, tamper, Trace::default());
                    if only_first && !outcome.violations.is_empty() {
                        ends.store(true, Ordering::Relaxed);
                    }
                    if let Some(violation) = outcome.violations.first() {
                        tell(seed, violation);
                    }
                    let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                    summary.add(seed, &outcome);
                }
            });
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.failed.sort_by_key(|(seed, _)| *seed);
    summary
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
