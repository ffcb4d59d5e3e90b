//! What has to be done every second: time passes for the mode and for the log.

use std::{collections::BTreeSet, time::Duration};

use kuma_workload_rulebook::roster::{Key, Mode};
use tokio::time::{Instant, sleep};

use super::{context::Context, explain::SeenHolder};

/// How often.
const INTERVAL: Duration = Duration::from_secs(1);

/// What was said last.
#[derive(Debug)]
struct Housekeeper {
    context: Context,
    mode: Mode,
    /// The field managers that name a control plane and are not known as one.
    strangers: BTreeSet<String>,
    away_since: Option<Instant>,
    lease: SeenHolder,
    /// The epoch in which the Lease is looked at.
    epoch: u64,
}

/// Runs for ever.
pub(super) async fn run(context: Context, lease: SeenHolder) {
    let mode = context.index().mode();
    let epoch = context.progress.epoch();
    let mut housekeeper = Housekeeper {
        context,
        mode,
        strangers: BTreeSet::new(),
        away_since: None,
        lease,
        epoch,
    };
    loop {
        sleep(INTERVAL).await;
        housekeeper.tick(Instant::now());
    }
}

impl Housekeeper {
    fn tick(&mut self, now: Instant) {
        self.mode(now);
        self.health(now);
        self.restore();
        self.context.journal.tick(now);
    }

    /// Says which mode is in force and why, whenever it changes (L17).
    fn mode(&mut self, now: Instant) {
        let mut index = self.context.index();
        index.tick(now);
        let mode = index.mode();
        let evidence = index.evidence().cloned();
        let (strangers, _) = index.strangers();
        let news = strangers.iter().filter(|&&it| !self.strangers.contains(it));
        let news: Vec<_> = news.map(|&manager| manager.to_owned()).collect();
        drop(index);
        for manager in news {
            tracing::warn!(
                "Workloads say that a control plane manages them, and the field manager {manager} has set that label; it is not one of --control-plane-managers, so Workloads are managed all the same"
            );
            self.strangers.insert(manager);
        }
        if mode == self.mode {
            return;
        }
        self.mode = mode;
        match (mode, evidence) {
            (
                Mode::Yield,
                Some(Key {
                    namespace,
                    workload,
                }),
            ) => tracing::info!(
                "Workload {namespace}/{workload} is managed by a control plane and a Dataplane refers to it: Workloads are left to the control plane (mode auto)"
            ),
            (Mode::Yield, None) => {
                tracing::info!("Workloads are left to the control plane (mode auto)");
            }
            _ => tracing::info!(
                "no control plane manages Workloads any more: they are managed from now on (mode auto)"
            ),
        }
        self.context.review_all();
    }

    /// The Lease is read every few seconds, and shows a restore before most watches do. What they have
    /// shown first is no news.
    fn restore(&mut self) {
        let progress = &self.context.progress;
        let epoch = progress.epoch();
        if epoch == self.epoch && self.lease.went_back() && progress.restored(epoch) {
            self.context
                .say_restored("the Lease is an earlier one than before");
        }
        if progress.epoch() != self.epoch {
            self.epoch = progress.epoch();
            self.lease.forget();
        }
    }

    /// Says that the API server answers again. That it does not is said by what has failed.
    fn health(&mut self, now: Instant) {
        let away_since = self.context.health.away_since();
        if let (Some(since), None) = (self.away_since, away_since) {
            let seconds = now.duration_since(since).as_secs();
            if seconds >= 5 {
                tracing::info!("the API server answers again, after {seconds} s");
            }
        }
        self.away_since = away_since;
    }
}
