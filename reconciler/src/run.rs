//! `kuma-workload run`: the controller.

pub mod events;
mod identifiers;
pub mod index;
pub mod lease;
pub mod metrics;
mod mirror;
pub mod options;
pub mod serve;

pub use self::options::Options;

use std::process::ExitCode;

/// Runs it.
pub fn main(_: Options) -> ExitCode {
    ExitCode::SUCCESS
}
