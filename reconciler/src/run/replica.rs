//! One replica: everything of `run` but the command line, signals, TLS and the listening socket.
//!
//! It reaches the API server through the clients that it is given and knows the time of day from the
//! clock that it is given, so that a test can run it in virtual time.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use kube::Client;
use kuma_workload_rulebook::identifier::Identifiers;
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use super::{
    context::Context,
    controller::Controller,
    events::{EventRecorder, Publisher, Schedule},
    gauges, identity,
    index::{Index, PodIdentifiers},
    lease::{ApiLeaseStore, Election, Elector, Leadership, Timing},
    lock::lock,
    metrics::Metrics,
    mode::ConfiguredMode,
    options::{LeaseFlags, ModeFlag, RunFlags},
    queue::{self, Dispatcher},
    serve::Pages,
    watches::{self, WatchScope},
    work_item::WorkItem,
    writer::Writer,
};
use crate::client::{CountRequests, Failure, RequestCounter};

/// How long after the stop the due items may still be reconciled.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// The clients of a replica. Each has connections of its own, so that no request waits behind another
/// kind of request.
#[derive(Clone)]
pub struct Clients {
    /// For the Lease.
    pub lease: Client,
    /// For lists and watches.
    pub watches: Client,
    /// For everything else.
    pub requests: Client,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// What time of day it is. Only what is written for people comes from it, never a decision.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A replica that has not started.
pub struct Replica {
    options: RunFlags,
    clients: Clients,
    wall_clock: WallClock,
    identity: String,
    election: Election,
    context: Context,
    dispatcher: Dispatcher<WorkItem>,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl Replica {
    /// A replica with these clients. To be called within a runtime.
    ///
    /// # Errors
    /// When the times of the Lease do not fit together.
    pub fn new(options: RunFlags, clients: Clients, wall_clock: WallClock) -> Result<Self, String> {
        let requests = RequestCounter::default();
        Self::build(options, clients, requests, wall_clock).map_err(|failure| failure.to_string())
    }

    /// A replica with the clients that the options name.
    ///
    /// # Errors
    /// When no API server is known, or the times of the Lease do not fit together.
    pub(super) async fn connect(options: RunFlags) -> Result<Self, Failure> {
        let requests = RequestCounter::default();
        let counter = CountRequests::new(requests.clone());
        let connection = &options.connection;
        let clients = Clients {
            lease: connection.counted_client(&counter).await?,
            watches: connection.counted_client(&counter).await?,
            requests: connection.counted_client(&counter).await?,
        };
        Self::build(options, clients, requests, Arc::new(Timestamp::now))
    }

    fn build(
        options: RunFlags,
        clients: Clients,
        requests: RequestCounter,
        wall_clock: WallClock,
    ) -> Result<Self, Failure> {
        let index = Arc::new(Mutex::new(index(&options)));
        let (queue, dispatcher) = queue::queue();
        let metrics = Arc::new(metrics(&options, requests, &index));
        let identity = identity::draw(options.lease.lease_identity.as_deref());
        let election = start_election(&clients.lease, &identity, &options.lease, &wall_clock)?;
        let context = Context::new(index, queue, metrics, election.leadership());
        Ok(Self {
            options,
            clients,
            wall_clock,
            identity,
            election,
            context,
            dispatcher,
        })
    }

    /// What it serves.
    pub(super) fn pages(&self) -> Pages {
        let (metrics, readiness) = (self.context.metrics.clone(), self.context.readiness.clone());
        let context = self.context.clone();
        Pages {
            metrics,
            refresh: Arc::new(move || gauges::refresh(&context)),
            pending: Arc::new(move || readiness.pending()),
        }
    }

    /// Runs until `stop` resolves. Then it finishes due writes and releases the Lease.
    ///
    /// # Errors
    /// When one of its tasks has ended, so that it cannot go on.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), String> {
        let ended = self.run_until(stop).await;
        ended.map_err(|failure| failure.to_string())
    }

    pub(super) async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let Self {
            options,
            clients,
            wall_clock,
            identity,
            mut election,
            context,
            dispatcher,
        } = self;
        let mut watches = watches::start(&clients.watches, &context, &watch_scope(&options));
        let recorder = EventRecorder::new(Schedule::new(options.events.warn_split_namespaces));
        let enqueueing = tokio::spawn(enqueue_when_leading(context.clone(), recorder.clone()));
        let queue = context.queue.clone();
        let publisher = Publisher::new(
            clients.requests.clone(),
            &identity,
            context.metrics.events(),
            recorder.clone(),
            context.leadership(),
            wall_clock,
            move |item| queue.enqueue(item),
        )
        .in_namespaces(options.namespaces());
        let (stop_publishing, stopped) = oneshot::channel::<()>();
        let publishing = tokio::spawn(publisher.run(async {
            let _ = stopped.await;
        }));
        let writer = Writer::new(clients.requests);
        let controller = Controller::new(context, writer, recorder, options.status_interval);
        let controller = Arc::new(controller);
        let reconcile = move |item| {
            let controller = controller.clone();
            async move { controller.reconcile(item).await }
        };
        let stop = async move {
            stop.await;
            tracing::info!("stopping: due writes are finished, then the Lease is released");
            Instant::now() + SHUTDOWN_TIMEOUT
        };
        tokio::select! {
            biased;
            () = election.ended() => return Err(Failure::new("the task that renews the Lease has ended")),
            _ = watches.join_next() => return Err(Failure::new("a watch has ended")),
            () = dispatcher.run(options.workers.get(), reconcile, stop) => {}
        }
        enqueueing.abort();
        watches.abort_all();
        drop(stop_publishing);
        let _ = publishing.await;
        election.release().await;
        Ok(())
    }
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

fn metrics(options: &RunFlags, requests: RequestCounter, index: &Arc<Mutex<Index>>) -> Metrics {
    let metrics = Metrics::new(requests);
    if !options.serve.metrics_proxies {
        return metrics;
    }
    let index = index.clone();
    metrics.with_proxies(move || gauges::proxies(&lock(&index)))
}

pub(super) fn watch_scope(options: &RunFlags) -> WatchScope {
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
    wall_clock: &WallClock,
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
    let elector = Elector::new(store, identity.to_owned(), timing, wall_clock.clone());
    Ok(Election::start(elector))
}

/// Enqueues all items whenever this replica starts to lead, but not before the watches have listed
/// their objects.
async fn enqueue_when_leading(context: Context, recorder: EventRecorder) {
    let mut leadership: watch::Receiver<Leadership> = context.leadership();
    context.readiness.ready().await;
    loop {
        if leadership.borrow_and_update().holds() {
            tracing::info!("leading: all Workloads are reconciled");
            recorder.term_began();
            context.enqueue_all();
        } else {
            recorder.term_ended();
            tracing::info!("standby: this replica does not write");
        }
        if leadership.changed().await.is_err() {
            return;
        }
    }
}
