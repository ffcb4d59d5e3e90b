//! What `kuma-workload run` costs as a whole, TLS included: memory, CPU, how long it keeps its thread,
//! how fast it writes, and how it takes an API server that goes and comes.
//!
//! ```console
//! $ make bench-program                                 # all of it, for docs/performance.md
//! $ make bench-program ONLY="large without-grant"
//! $ make bench-image                                   # the program in the image, for what the chart requests
//! $ make check-program                                 # the bounds, in two minutes
//! ```
//!
//! The API server is a fake one in this process, with generated objects; the program is a process of its
//! own, the release build that `KUMA_WORKLOAD_BIN` names, with its default flags. What it uses is read
//! from `/proc` and from its own metrics.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it cannot go on"
)]

mod check;
#[path = "../shared/generated.rs"]
mod generated;
mod large;
mod many_names;
#[path = "../shared/process.rs"]
mod process;
mod server;
mod subject;

use std::{env, path::PathBuf, process::ExitCode};

use check::Check;

/// What can be measured, by the names that the command line takes.
const ALL: [&str; 5] = ["small", "large", "kuma-crd", "with-grant", "without-grant"];
/// Of it, and of the first not all, what takes no longer than two minutes.
const BOUNDS: [&str; 2] = ["large", "with-grant"];

#[tokio::main]
async fn main() -> ExitCode {
    let named = env::var_os("KUMA_WORKLOAD_BIN");
    let program = named.map_or_else(|| env!("CARGO_BIN_EXE_kuma-workload").into(), PathBuf::from);
    let arguments: Vec<_> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let is_short = has("--bounds");
    let named: Vec<_> = ALL.into_iter().filter(|name| has(name)).collect();
    let chosen = match named.is_empty() {
        true if is_short => BOUNDS.to_vec(),
        true => ALL.to_vec(),
        false => named,
    };
    let mut check = Check::default();
    for name in chosen {
        match name {
            "small" => large::small(&mut check, &program).await,
            "large" => large::run(&mut check, &program, !is_short).await,
            "kuma-crd" => large::without_subresource(&mut check, &program).await,
            "with-grant" => many_names::with_grant(&mut check, &program).await,
            _ => many_names::without_grant(&mut check, &program).await,
        }
    }
    match check.ended() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
