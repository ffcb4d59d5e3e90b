//! `kuma-workload run`: the controller.
//!
//! ```text
//! watches ─▶ index (roster) ─▶ queue ─▶ controller ─▶ write
//!                                           └───────▶ reports ─▶ events
//! ```
//!
//! Everything is written from one place, the controller: while the Lease is held and every watch has
//! listed its kind once. One thread does it all: the work is waiting.

mod backoff;
mod controller;
pub mod events;
mod gauges;
mod identifiers;
pub mod index;
pub mod lease;
mod log;
pub mod metrics;
mod mirror;
pub mod options;
mod queue;
mod readiness;
pub mod serve;
mod throttle;
mod watches;
mod write;

pub use self::options::Options;

use std::{
    future::pending,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kuma_workload_rulebook::identifier::Identifiers;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{oneshot, watch},
    time::Instant,
};

use self::{
    controller::{Controller, Shared},
    events::{Publisher, Reporter},
    identifiers::PodIdentifiers,
    index::Index,
    lease::{Election, Leadership},
    metrics::Metrics,
    serve::{Pages, Server},
    write::Writer,
};
use crate::client::Failure;

/// How long after SIGTERM what is due may still be written.
const GRACE: Duration = Duration::from_secs(10);

/// Runs until SIGTERM or SIGINT. Exit status: 0 then, 1 if it cannot go on, 2 for bad options and
/// where no cluster is known.
pub fn main(options: Options) -> ExitCode {
    if let Err(error) = log::start(&options) {
        eprintln!("error: {error}");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            // Nothing begins without a cluster, and it is said as `plan` and `status` say it.
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

async fn run(options: Options) -> Result<(), Failure> {
    let mut terminated = on_signal(SignalKind::terminate())?;
    let mut interrupted = on_signal(SignalKind::interrupt())?;
    let pods = (options.identifiers == Identifiers::Pods)
        .then(|| PodIdentifiers::new(options.workload_labels.clone(), options.pod_annotation));
    let selects = options.namespace_selector.is_some();
    let index = Arc::new(Mutex::new(Index::new(options.mode, pods, selects)));
    let (queue, waiting) = queue::queue();
    let mut metrics = Metrics::new();
    if options.serve.metrics_proxies {
        let index = index.clone();
        let lock = move || gauges::proxies(&index.lock().unwrap_or_else(PoisonError::into_inner));
        metrics = metrics.with_proxies(lock);
    }
    let metrics = Arc::new(metrics);
    let counter = metrics.count_requests();
    let client = options.connection.counted_client(&counter).await?;
    let server = Server::bind(&options.serve).await?;

    let mut election = Election::start(&client, &options.lease, |_| {})?;
    let leadership = election.leadership();
    let shared = Shared::new(index, queue, metrics, leadership.clone());
    let serving = tokio::spawn(server.serve(pages(&shared), pending()));
    let mut watches = watches::start(&client, &shared, &options);
    let starting = tokio::spawn(begin(shared.clone(), leadership));

    let reporter = Reporter::new(&options.events);
    let instance = options.lease.identity();
    let publisher = Publisher::new(
        client.clone(),
        &instance,
        shared.metrics.clone(),
        reporter.clone(),
        shared.leadership(),
    );
    let (hush, hushed) = oneshot::channel::<()>();
    let publishing = tokio::spawn(publisher.run(async {
        let _ = hushed.await;
    }));
    let writer = Writer::new(client);
    let controller = Controller::new(shared, writer, reporter, options.status_interval);
    let controller = Arc::new(controller);
    let pass = move |item| {
        let controller = controller.clone();
        async move { controller.pass(item).await }
    };
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        tracing::info!("stopping: what is due is written, then the Lease is given back");
        Instant::now() + GRACE
    };
    tokio::select! {
        () = waiting.work(options.workers.get(), pass, stop) => {}
        () = election.died() => return Err(Failure::new("the Lease is no longer looked after")),
        _ = watches.join_next() => return Err(Failure::new("a watch has ended")),
    }
    starting.abort();
    watches.abort_all();
    drop(hush);
    let _ = publishing.await;
    election.release().await;
    serving.abort();
    Ok(())
}

fn pages(shared: &Shared) -> Pages {
    let (metrics, readiness) = (shared.metrics.clone(), shared.readiness.clone());
    let shared = shared.clone();
    Pages {
        metrics,
        refresh: Arc::new(move || gauges::refresh(&shared)),
        waits_for: Arc::new(move || readiness.waits_for()),
    }
}

fn on_signal(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))
}

/// Whenever we begin to lead, and know all there is, all of it is looked at.
async fn begin(shared: Shared, mut leadership: watch::Receiver<Leadership>) {
    shared.readiness.ready().await;
    loop {
        if leadership.borrow_and_update().holds() {
            tracing::info!("leading: all Workloads are looked at");
            shared.look_at_all();
        } else {
            tracing::info!("standing by");
        }
        if leadership.changed().await.is_err() {
            return;
        }
    }
}
