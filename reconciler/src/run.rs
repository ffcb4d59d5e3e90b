//! `kuma-workload run`: the controller.
//!
//! ```text
//! watches ─▶ index (roster) ─▶ queue ─▶ controller ─▶ writer ─▶ Workloads
//!                                           └───────▶ events ─▶ Events
//! ```
//!
//! Only the controller writes Workloads, while this replica holds the Lease and after every watch has
//! listed its objects once. A single thread is enough, since nearly all the time is spent waiting for
//! the API server.

mod backoff;
mod context;
mod controller;
mod events;
mod gauges;
mod identity;
mod index;
mod lease;
mod listener;
mod lock;
mod log;
mod metrics;
mod mode;
mod options;
mod queue;
mod readiness;
mod serve;
mod store;
mod throttle;
mod watches;
mod work_item;
mod writer;

use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use kube::Client;
use kuma_workload_rulebook::identifier::Identifiers;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{oneshot, watch},
    time::Instant,
};

use self::{
    context::Context,
    controller::Controller,
    events::{EventRecorder, Publisher, Schedule},
    lease::{ApiLeaseStore, Election, Elector, Leadership, Timing},
    lock::lock,
    metrics::Metrics,
    options::{LeaseFlags, ModeFlag},
    serve::{PageServer, Pages},
    watches::WatchScope,
    writer::Writer,
};
pub use self::{
    events::{EventReason, EventType, REASONS},
    index::{CachedWorkload, DataplaneProblem, Index, PodIdentifiers, WorkloadView},
    metrics::{METRICS, MetricDescription, MetricForm, ReconcileResult, WorkloadState},
    mode::ConfiguredMode,
    options::RunFlags,
    work_item::WorkItem,
};
use crate::client::Failure;

/// How long after SIGTERM the due items may still be reconciled.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

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
    let index = Arc::new(Mutex::new(index(&options)));
    let (queue, dispatcher) = queue::queue();
    let metrics = Arc::new(metrics(&options, &index));
    let counter = metrics.count_requests();
    let client = options.connection.counted_client(&counter).await?;
    let server = PageServer::bind(options.serve.metrics_addr)?;

    let identity = identity::draw(options.lease.lease_identity.as_deref());
    let mut election = start_election(&client, &identity, &options.lease)?;
    let context = Context::new(index, queue, metrics, election.leadership());
    let serving = tokio::spawn(server.serve(pages(&context)));
    let mut watches = watches::start(&client, &context, &watch_scope(&options));
    let enqueueing = tokio::spawn(enqueue_when_leading(context.clone()));

    let recorder = EventRecorder::new(Schedule::new(options.events.warn_split_namespaces));
    let publisher = Publisher::new(
        client.clone(),
        &identity,
        context.metrics.events(),
        recorder.clone(),
        context.leadership(),
    );
    let (stop_publishing, stopped) = oneshot::channel::<()>();
    let publishing = tokio::spawn(publisher.run(async {
        let _ = stopped.await;
    }));
    let writer = Writer::new(client);
    let controller = Controller::new(context, writer, recorder, options.status_interval);
    let controller = Arc::new(controller);
    let reconcile = move |item| {
        let controller = controller.clone();
        async move { controller.reconcile(item).await }
    };
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        tracing::info!("stopping: due writes are finished, then the Lease is released");
        Instant::now() + SHUTDOWN_TIMEOUT
    };
    tokio::select! {
        () = dispatcher.run(options.workers.get(), reconcile, stop) => {}
        () = election.ended() => return Err(Failure::new("the task that renews the Lease has ended")),
        _ = watches.join_next() => return Err(Failure::new("a watch has ended")),
    }
    enqueueing.abort();
    watches.abort_all();
    drop(stop_publishing);
    let _ = publishing.await;
    election.release().await;
    serving.abort();
    Ok(())
}

fn index(options: &RunFlags) -> Index {
    let mode = match options.mode {
        ModeFlag::Auto => ConfiguredMode::Auto,
        ModeFlag::Manage => ConfiguredMode::Manage,
        ModeFlag::Observe => ConfiguredMode::Observe,
    };
    let pods = (options.identifiers == Identifiers::Pods)
        .then(|| PodIdentifiers::new(options.workload_labels.clone(), options.pod_annotation));
    Index::new(mode, pods, options.namespace_selector.is_some())
        .with_system_namespaces(options.events.system_namespaces.clone())
}

fn metrics(options: &RunFlags, index: &Arc<Mutex<Index>>) -> Metrics {
    let metrics = Metrics::new();
    if !options.serve.metrics_proxies {
        return metrics;
    }
    let index = index.clone();
    metrics.with_proxies(move || gauges::proxies(&lock(&index)))
}

fn watch_scope(options: &RunFlags) -> WatchScope {
    WatchScope {
        namespaces: options.namespaces().into_iter().collect(),
        namespace_selector: options.namespace_selector.clone(),
        pods: options.identifiers == Identifiers::Pods,
    }
}

fn start_election(
    client: &Client,
    identity: &str,
    options: &LeaseFlags,
) -> Result<Election, Failure> {
    if !options.leader_election {
        return Ok(Election::single_replica());
    }
    let timing = Timing::new(
        options.lease_duration,
        options.lease_renew_deadline,
        options.lease_retry_period,
    )?;
    let namespace = options.lease_namespace.as_deref();
    let namespace = namespace.unwrap_or_else(|| client.default_namespace());
    let store = ApiLeaseStore::new(client.clone(), namespace, &options.lease_name);
    let elector = Elector::new(store, identity.to_owned(), timing);
    Ok(Election::start(elector))
}

fn pages(context: &Context) -> Pages {
    let (metrics, readiness) = (context.metrics.clone(), context.readiness.clone());
    let context = context.clone();
    Pages {
        metrics,
        refresh: Arc::new(move || gauges::refresh(&context)),
        pending: Arc::new(move || readiness.pending()),
    }
}

fn on_signal(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))
}

/// Enqueues all items whenever this replica starts to lead, but not before the watches have listed
/// their objects.
async fn enqueue_when_leading(context: Context) {
    let mut leadership: watch::Receiver<Leadership> = context.leadership();
    context.readiness.ready().await;
    loop {
        if leadership.borrow_and_update().holds() {
            tracing::info!("leading: all Workloads are reconciled");
            context.enqueue_all();
        } else {
            tracing::info!("standby: this replica does not write");
        }
        if leadership.changed().await.is_err() {
            return;
        }
    }
}
