//! Says when the Lease cannot be reached, and when it can again: one line each, however often it is tried.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::Failure;

/// After this time, another cause is said too.
const REMINDER: Duration = Duration::from_secs(5 * 60);

/// Why the Lease cannot be read or written, and since when.
#[derive(Debug, Default)]
pub(super) struct Trouble(Option<Since>);

#[derive(Debug)]
struct Since {
    began: Instant,
    said: (Failure, Instant),
}

impl Trouble {
    /// A request has failed.
    pub(super) fn began(&mut self, failure: Failure) {
        let now = Instant::now();
        let began = match &self.0 {
            Some(Since { began, said }) => {
                if said.0 == failure || now - said.1 < REMINDER {
                    return tracing::debug!(%failure, "the lease cannot be read or written");
                }
                *began
            }
            None => now,
        };
        tracing::warn!(%failure, "the lease cannot be read or written");
        let said = (failure, now);
        self.0 = Some(Since { began, said });
    }

    /// The Lease can be read and written.
    pub(super) fn ended(&mut self) {
        if let Some(Since { began, .. }) = self.0.take() {
            let away = began.elapsed().as_secs_f64();
            tracing::info!("the lease can be read and written again, after {away:.1} s");
        }
    }
}
