//! A publisher that runs.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use kuma_workload_rulebook::roster::Key;
use prometheus_client::metrics::{counter::Counter, family::Family};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

use super::{about, conflict_in, fake::FakeApiServer};
use crate::run::{
    events::{
        EventMetrics, EventReason, EventRecorder, Publisher, Schedule, metrics::ReasonLabels,
    },
    lease::Leadership,
    ordered_watch,
    work_item::WorkItem,
};

/// A running publisher.
pub(super) struct RunningPublisher {
    pub(super) recorder: EventRecorder,
    metrics: EventMetrics,
    pub(super) leadership: ordered_watch::Sender<Leadership>,
    /// What it wants to be observed.
    looked_at: Arc<Mutex<Vec<WorkItem>>>,
    /// How many seconds its wall clock is ahead.
    pub(super) ahead: Arc<AtomicI64>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RunningPublisher {
    pub(super) fn start(fake: &FakeApiServer) -> Self {
        Self::named(fake, "pod-0", &[])
    }

    pub(super) fn named(fake: &FakeApiServer, identity: &str, namespaces: &[&str]) -> Self {
        let recorder = EventRecorder::new(Schedule::new(true));
        let metrics = EventMetrics::default();
        let leadership = ordered_watch::Sender::new(Leadership::STANDBY);
        let looked_at = Arc::<Mutex<Vec<_>>>::default();
        let ahead = Arc::<AtomicI64>::default();
        let (look_at, clock_ahead) = (looked_at.clone(), ahead.clone());
        // Virtual time passes faster.
        let (epoch, begun) = (Timestamp::now(), Instant::now());
        let publisher = Publisher::new(
            fake.client(),
            identity,
            metrics.clone(),
            recorder.clone(),
            leadership.subscribe(),
            Arc::new(move || {
                let ahead = SignedDuration::from_secs(clock_ahead.load(Ordering::Relaxed));
                epoch + begun.elapsed() + ahead
            }),
            move |item| look_at.lock().unwrap().push(item),
        )
        .in_namespaces(namespaces.iter().map(|&name| name.to_owned()).collect());
        let (stop, stopped) = oneshot::channel();
        Self {
            recorder,
            metrics,
            leadership,
            looked_at,
            ahead,
            stop,
            task: tokio::spawn(publisher.run(async {
                stopped.await.ok();
            })),
        }
    }

    pub(super) fn leading(fake: &FakeApiServer) -> Self {
        let running = Self::start(fake);
        running.lead();
        running
    }

    /// Begins a term.
    pub(super) fn lead(&self) {
        self.leadership.send_replace(Leadership::forever());
        self.recorder.term_began();
    }

    /// Ends it.
    pub(super) fn lose(&self) {
        self.leadership.send_replace(Leadership::STANDBY);
        self.recorder.term_ended();
    }

    pub(super) fn conflict(&self, workload: &str) {
        self.recorder
            .observe(about(workload), Some(conflict_in(&["a", "b"])));
    }

    /// The same in another namespace.
    pub(super) fn conflict_elsewhere(&self, workload: &str) {
        let key = Key {
            namespace: "elsewhere".into(),
            workload: workload.into(),
        };
        let condition = conflict_in(&["a", "b"]);
        self.recorder
            .observe(WorkItem::Workload(key), Some(condition));
    }

    /// All is well.
    pub(super) fn well(&self, workload: &str) {
        self.recorder.observe(about(workload), None);
    }

    pub(super) fn looked_at(&self) -> Vec<WorkItem> {
        std::mem::take(&mut self.looked_at.lock().unwrap())
    }

    /// Stops it. Returns how many events about conflicts were published and suppressed.
    pub(super) async fn stop(self) -> (u64, u64) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        let labels = ReasonLabels::from(EventReason::MultipleMeshesDetected);
        let EventMetrics {
            published,
            suppressed,
        } = self.metrics;
        let count = |family: Family<_, Counter>| family.get_or_create(&labels).get();
        (count(published), count(suppressed))
    }
}
