//! One replica: everything of `run` but the command line, signals, TLS and the listening socket.
//!
//! It reaches the API server through the clients that it is given and knows the time of day from the
//! clock that it is given, so that a test can run it in virtual time.

use std::{
    fmt,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use futures::FutureExt;
use jiff::Timestamp;
use kube::Client;
use kuma_workload_rulebook::identifier::Identifiers;
use tokio::{sync::oneshot, time::Instant};

use super::{
    context::Context,
    controller::Controller,
    dispatcher::Dispatcher,
    events::{EventRecorder, Publisher, Schedule},
    explain::{Explainer, SeenHolder, SeenLease, WhyPage},
    fence::Fences,
    gauges, housekeeping, identity,
    index::{Index, PodIdentifiers},
    lease::{ApiLeaseStore, Election, Elector, Timing},
    metrics::Metrics,
    mode::ConfiguredMode,
    options::{LeaseFlags, ModeFlag, RunFlags},
    out_of_scope,
    planted::{PlantedFault, planted},
    queue::Queue,
    requests::ApiClient,
    serve::{PageServer, Pages},
    tasks::Tasks,
    wall_clock::WallClock,
    watch::{self, WatchScope},
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

/// A replica that has not started.
pub struct Replica {
    options: RunFlags,
    clients: Clients,
    wall_clock: WallClock,
    identity: String,
    election: Election,
    context: Context,
    fences: Arc<Mutex<Fences>>,
    lease: Option<SeenLease>,
    tasks: Tasks,
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
        let queue = Queue::new(
            options.resync,
            options.writes_per_second.get(),
            Instant::now(),
        );
        let metrics = Arc::new(metrics(&options, requests));
        let fences = Fences::new(options.writes_per_second.get());
        let fences = Arc::new(Mutex::new(fences));
        let identity = identity::draw(options.lease.lease_identity.as_deref());
        let lease = seen_lease(&clients.lease, &options.lease);
        let election = start_election(
            &clients.lease,
            &identity,
            &options.lease,
            lease.as_ref(),
            &wall_clock,
        )?;
        let context = Context::new(index, queue, metrics, election.leadership());
        let tasks = Tasks::new(context.metrics.polls());
        Ok(Self {
            options,
            clients,
            wall_clock,
            identity,
            election,
            context,
            fences,
            lease,
            tasks,
        })
    }

    /// Starts a server. If it ends, so does this replica (L23).
    pub(super) fn serve(&mut self, name: &'static str, server: PageServer, pages: Router) {
        self.tasks.spawn(name, server.serve(pages));
    }

    /// What it serves.
    pub(super) fn pages(&self) -> Pages {
        let (refreshed, asked) = (self.context.clone(), self.context.clone());
        let poll = self.context.metrics.polls().of("pages");
        let refresh = move || {
            let context = refreshed.clone();
            poll.measure(async move {
                gauges::refresh(&context);
                if context.metrics.has_proxies() {
                    let proxies = gauges::proxies(&context).await;
                    context.metrics.proxies(proxies);
                }
            })
            .boxed()
        };
        Pages {
            metrics: self.context.metrics.clone(),
            refresh: Arc::new(refresh),
            pending: Arc::new(move || asked.progress.pending(&asked.health)),
        }
    }

    /// The page that explains Workloads.
    pub(super) fn why_page(&self) -> WhyPage {
        let explainer = Explainer {
            context: self.context.clone(),
            fences: self.fences.clone(),
            identity: self.identity.clone(),
            mode: self.options.mode,
            namespaces: self.options.namespaces(),
            lease: self.lease.clone(),
        };
        WhyPage::new(move |key| explainer.explain(key))
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
            fences,
            lease,
            mut tasks,
        } = self;
        let noted = election.note_writes(clients.requests);
        let api = |client| ApiClient::new(client, context.health.clone());
        let (watches, requests) = (api(clients.watches), api(noted.clone()));
        watch::start(&mut tasks, &watches, &context, &watch_scope(&options));
        let holder = lease.map_or_else(SeenHolder::default, |lease| lease.holder);
        tasks.spawn("housekeeping", housekeeping::run(context.clone(), holder));
        let scope = options.namespaces();
        if !scope.is_empty() {
            let counting = out_of_scope::run(watches.clone(), context.clone(), scope);
            tasks.spawn("count out of scope", counting);
        }

        let recorder = EventRecorder::new(Schedule::new(options.events.warn_split_namespaces));
        let enqueueing = context.clone();
        let publisher = Publisher::new(
            noted,
            &identity,
            context.metrics.events(),
            recorder.clone(),
            context.leadership(),
            wall_clock,
            move |item| enqueueing.enqueue(vec![item].into()),
        )
        .in_namespaces(options.namespaces());
        let (stop_publishing, stopped) = oneshot::channel::<()>();
        let (published, publishing) = oneshot::channel::<()>();
        let publish = publisher.run(async {
            let _ = stopped.await;
        });
        tasks.spawn("events", async move {
            if planted(PlantedFault::PublisherEnds) {
                return pending().await;
            }
            publish.await;
            let _ = published.send(());
            pending().await
        });

        let writer = Writer::new(requests.clone(), context.clone());
        let controller = Controller::new(
            context.clone(),
            writer,
            recorder.clone(),
            options.status_interval,
        );
        let dispatcher = Dispatcher::new(
            context.clone(),
            controller,
            recorder,
            requests,
            options.workers.get(),
            fences,
        );
        let stop = async move {
            stop.await;
            tracing::info!("stopping: due writes are finished, then the Lease is released");
            Instant::now() + SHUTDOWN_TIMEOUT
        };
        let poll = context.metrics.polls().of("dispatcher");
        tokio::select! {
            biased;
            () = election.ended() => return Err(Failure::new("the task that renews the Lease has ended")),
            failure = tasks.ended() => return Err(failure),
            () = poll.measure(dispatcher.run(stop)) => {}
        }
        drop(stop_publishing);
        let _ = publishing.await;
        tasks.abort();
        election.release().await;
        Ok(())
    }
}

fn index(options: &RunFlags) -> Index {
    let mode = match options.mode {
        ModeFlag::Auto => ConfiguredMode::Auto {
            managers: options.control_plane_managers.iter().cloned().collect(),
            grace: options.mode_grace,
        },
        ModeFlag::Manage => ConfiguredMode::Manage,
        ModeFlag::Observe => ConfiguredMode::Observe,
    };
    let pods = (options.identifiers == Identifiers::Pods)
        .then(|| PodIdentifiers::new(options.workload_labels.clone(), options.pod_annotation));
    Index::new(mode, pods, options.namespace_selector.is_some())
        .with_system_namespaces(options.events.system_namespaces.clone())
}

fn metrics(options: &RunFlags, requests: RequestCounter) -> Metrics {
    let metrics = Metrics::new(requests);
    match options.serve.metrics_proxies {
        true => metrics.with_proxies(),
        false => metrics,
    }
}

pub(super) fn watch_scope(options: &RunFlags) -> WatchScope {
    WatchScope {
        namespaces: options.namespaces(),
        namespace_selector: options.namespace_selector.clone(),
        pods: options.identifiers == Identifiers::Pods,
        resync: options.resync,
    }
}

/// The Lease, of which nothing has been seen yet. None without leader election.
fn seen_lease(client: &Client, options: &LeaseFlags) -> Option<SeenLease> {
    let namespace = options.lease_namespace.as_deref();
    options.leader_election.then(|| SeenLease {
        namespace: namespace
            .unwrap_or_else(|| client.default_namespace())
            .to_owned(),
        name: options.lease_name.clone(),
        holder: SeenHolder::default(),
    })
}

fn start_election(
    client: &Client,
    identity: &str,
    options: &LeaseFlags,
    lease: Option<&SeenLease>,
    wall_clock: &WallClock,
) -> Result<Election, Failure> {
    let Some(lease) = lease else {
        return Ok(Election::single_replica());
    };
    let timing = Timing::new(
        options.lease_duration,
        options.lease_renew_deadline,
        options.lease_retry_period,
    )?;
    let store = ApiLeaseStore::new(client.clone(), &lease.namespace, &lease.name);
    let store = lease.holder.see(store);
    let elector = Elector::new(store, identity, timing, wall_clock.clone());
    Ok(Election::start(elector))
}
