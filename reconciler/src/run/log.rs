//! The log: lines on standard error, as text or JSON.

use std::io::stderr;

use tracing_subscriber::EnvFilter;

use super::options::LogFormat;
use crate::{client::Failure, terminal::Terminal};

/// Starts logging. `level` is a level or directives, as `--log` takes them.
///
/// # Errors
/// When it is neither.
pub(super) fn start(level: &str, format: LogFormat) -> Result<(), Failure> {
    // This program logs failed requests itself. The client's own lines would repeat them.
    let filter = format!("kube_client=off,kube_runtime=error,{level}");
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::new(format!(
            "--log {level:?} is neither a level nor directives: {error}"
        ))
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_target(false);
    match format {
        LogFormat::Text => {
            let style = Terminal::default().style(&stderr());
            lines.with_ansi(style.colours).init();
        }
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
