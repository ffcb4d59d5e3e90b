//! `kuma-workload run`: the controller.
//!
//! ```text
//! watches ─▶ index (roster) ─▶ queue ─▶ dispatcher ─┬─▶ fence ─┐
//!                                                   ├─▶ controller ─▶ writer ─▶ Workloads
//!                                                   └─▶ events ─▶ Events
//! ```
//!
//! Workloads are written only while this replica holds the Lease and after every watch has listed its
//! objects once. A single thread is enough, since nearly all the time is spent waiting for the API
//! server; what takes long is done in slices.

mod backoff;
mod context;
mod controller;
mod dispatcher;
mod events;
mod explain;
mod fence;
mod gauges;
mod health;
mod housekeeping;
mod identity;
mod index;
mod journal;
mod lease;
mod listener;
mod lock;
mod log;
mod metrics;
mod mode;
mod open_files;
mod options;
mod ordered_watch;
mod out_of_scope;
mod planted;
mod poll_time;
mod progress;
mod queue;
mod replica;
mod requests;
mod serve;
mod store;
mod tasks;
mod throttle;
mod token_bucket;
mod wall_clock;
mod watch;
mod watch_events;
mod work_item;
mod writer;

use std::{net::SocketAddr, process::ExitCode};

use tokio::signal::unix::{Signal, SignalKind, signal};

use self::serve::PageServer;
pub use self::{
    events::{EventReason, EventType, REASONS},
    index::{
        AnswerOutcome, CachedWorkload, DataplaneProblem, Index, KnownIdentifier, ListBegan,
        PodIdentifiers, Swept, WorkloadView,
    },
    metrics::{METRICS, MetricDescription, MetricForm, ReconcileResult, WorkloadState},
    mode::ConfiguredMode,
    options::RunFlags,
    planted::PlantedFault,
    replica::{Clients, Replica},
    wall_clock::WallClock,
    work_item::{Changed, WorkItem},
};
pub use crate::client::client_over;
use crate::{client::Failure, explain::WHY_ADDRESS};
pub(crate) use lease::read_lease;
#[cfg(feature = "planted-faults")]
pub use planted::plant;
pub(crate) use planted::planted;

/// Runs until SIGTERM or SIGINT. Exit status: 0 then, 1 if it cannot continue, 2 for bad options and
/// where no cluster is known.
pub fn main(options: RunFlags) -> ExitCode {
    if let Err(error) = log::start(&options.log, options.log_format) {
        eprintln!("error: {error}");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            // Without a cluster nothing starts. The sentence is that of `plan` and `status`.
            if let Err(failure) = runtime.block_on(options.connection.client()) {
                eprintln!("error: {failure}");
                return ExitCode::from(2);
            }
            runtime.block_on(run(options))
        }
        Err(error) => Err(Failure::new(format!("cannot start: {error}"))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: RunFlags) -> Result<(), Failure> {
    let mut terminated = on_signal(SignalKind::terminate())?;
    let mut interrupted = on_signal(SignalKind::interrupt())?;
    open_files::raise_limit();
    let server = PageServer::bind("--metrics-addr", options.serve.metrics_addr)?;
    let why = bind_why_page(options.serve.why_addr)?;
    let mut replica = Replica::connect(options).await?;
    let pages = replica.pages().router();
    replica.serve("pages", server, pages);
    if let Some(server) = why {
        let page = replica.why_page().router();
        replica.serve("why", server, page);
    }
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    };
    replica.run_until(stop).await
}

/// Binds the address of the page about Workloads. Where none was given, the page is done without if the
/// default one is taken: by another replica on this host, say.
fn bind_why_page(address: Option<SocketAddr>) -> Result<Option<PageServer>, Failure> {
    let bound = PageServer::bind("--why-addr", address.unwrap_or(WHY_ADDRESS));
    match bound {
        Err(failure) if address.is_none() => {
            tracing::warn!("{failure}; this replica has no page for `status --why`");
            Ok(None)
        }
        bound => bound.map(Some),
    }
}

fn on_signal(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))
}
