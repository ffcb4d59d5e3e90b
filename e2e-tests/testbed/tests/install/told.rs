//! What is told: a line for each thing that was seen, and what a failure was about.

use std::fmt::Display;

use kuma_workload_testbed::Error;
use tokio::time::Instant;

/// How much of a log a failure shows.
const LINES: usize = 20;

/// A thing that was seen.
pub(crate) fn seen(what: &str) {
    println!("    {what}");
}

/// A part of the whole; what fails in it is told under its name.
pub(crate) async fn step<T>(
    name: &str,
    done: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let since = Instant::now();
    println!("  {name}");
    let result = done.await;
    println!("    {:.1} s", since.elapsed().as_secs_f32());
    result.map_err(|error| Error::new(format!("step \"{name}\" failed: {error}")))
}

/// The end of a log.
pub(crate) fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(LINES);
    lines[from..].join("\n")
}

/// What failed, with the end of a log.
pub(crate) fn with_log(what: impl Display, log: &str) -> Error {
    Error::new(format!("{what}\n{}", end_of(log)))
}
