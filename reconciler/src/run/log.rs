//! The log: lines on standard error, as text or JSON.

use std::io::stderr;

use tracing_subscriber::EnvFilter;

use super::options::{LogFormat, Options};
use crate::{client::Failure, terminal::Terminal};

/// Starts it.
///
/// # Errors
/// When the level is none.
pub(super) fn start(options: &Options) -> Result<(), Failure> {
    // What the client says of requests that fail, we say in words of ours.
    let filter = format!("kube_client=error,kube_runtime=error,{}", options.log);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        let level = &options.log;
        Failure::new(format!(
            "--log {level:?} is neither a level nor directives: {error}"
        ))
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_target(false);
    match options.log_format {
        LogFormat::Text => {
            let style = Terminal::default().style(&stderr());
            lines.with_ansi(style.colours).init();
        }
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
