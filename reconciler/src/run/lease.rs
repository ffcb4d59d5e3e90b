//! Which replica writes: a Lease of our own, so that two never do at a time.
//!
//! | part | job |
//! |---|---|
//! | [`Candidate`] | what to do about the Lease, as a pure function of what was seen and when |
//! | [`Store`] | the Lease's way to the API server |
//! | [`Elector`] | does what the candidate says, and tells who asks |
//! | [`Election`] | an elector at work, or none where there is one replica only |
//!
//! Why two replicas never lead at a time:
//!
//! - Every write carries the resourceVersion that was read, so of two that want the Lease one gets
//!   a conflict.
//! - A leader stops at the renew deadline, counted from the *start* of its last renewal that
//!   succeeded. Who writes asks [`Leadership::holds`] before each write; it is the clock that
//!   answers, not the task that renews, which may be starved.
//! - Another takes over when it has seen no change of the Lease for its whole duration, on its own
//!   monotonic clock. The times in the Lease are of another's wall clock and are compared with
//!   nothing.
//! - Each process has an identity of its own, so that nobody takes another's Lease for his.
//!
//! What remains: a Lease that somebody deletes, and a replica that starts in the moment before the
//! leader has noticed. Replicas that had seen the Lease wait as if it was there.

mod candidate;
mod elector;
mod store;

use std::{env, fs, time::Duration};

use clap::{ArgAction, Args};
use kube::Client;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

pub use self::{
    candidate::{Candidate, Step},
    elector::Elector,
    store::{ApiStore, Fault, Store},
};
use crate::{arguments::duration, client::Failure};

/// Longer than any process runs.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How a leader is elected.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Leader election")]
#[group(id = "lease")]
pub struct Options {
    /// Write only while holding a Lease; `false` where there is a single replica, ever.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEADER_ELECTION",
        default_value_t = true,
        action = ArgAction::Set,
        value_name = "BOOL"
    )]
    pub leader_election: bool,
    /// The Lease's name.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_NAME",
        default_value = "kuma-workload",
        value_name = "NAME"
    )]
    pub lease_name: String,
    /// The Lease's namespace; without it, the one that this runs in.
    #[arg(long, env = "KUMA_WORKLOAD_LEASE_NAMESPACE", value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// Who holds the Lease: this, and a random part for each process; without it, the host's name.
    #[arg(long, env = "KUMA_WORKLOAD_LEASE_IDENTITY", value_name = "NAME")]
    pub lease_identity: Option<String>,
    /// After this time without a renewal, another replica takes over; whole seconds.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_DURATION",
        default_value = "15s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub lease_duration: Duration,
    /// After this time without a renewal, the leader stops writing.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_RENEW_DEADLINE",
        default_value = "10s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub lease_renew_deadline: Duration,
    /// How often the leader renews the Lease, and the others look at it.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_RETRY_PERIOD",
        default_value = "2s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub lease_retry_period: Duration,
}

impl Options {
    /// The three times.
    ///
    /// # Errors
    /// As [`Timing::new`].
    pub fn timing(&self) -> Result<Timing, Failure> {
        Timing::new(
            self.lease_duration,
            self.lease_renew_deadline,
            self.lease_retry_period,
        )
    }

    /// A name that no other process has, another run of this one among them.
    pub fn identity(&self) -> String {
        let name = self.lease_identity.clone().unwrap_or_else(host_name);
        format!("{name}_{:016x}", fastrand::u64(..))
    }
}

/// In a container, the Pod's name.
fn host_name() -> String {
    env::var("HOSTNAME")
        .or_else(|_| fs::read_to_string("/proc/sys/kernel/hostname"))
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "kuma-workload".to_owned())
}

/// The three times of a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
}

impl Timing {
    /// These times.
    ///
    /// # Errors
    /// Unless the duration is longer than the deadline and that longer than the period, and the
    /// duration is what a Lease can say: whole seconds.
    pub fn new(
        duration: Duration,
        renew_deadline: Duration,
        retry_period: Duration,
    ) -> Result<Self, Failure> {
        let wrong = |sentence| Err(Failure::new(sentence));
        if duration.subsec_nanos() != 0 || i32::try_from(duration.as_secs()).is_err() {
            return wrong(format!(
                "--lease-duration must be whole seconds, at most {}, and is {duration:?}",
                i32::MAX
            ));
        }
        if duration <= renew_deadline {
            return wrong(format!(
                "--lease-duration ({duration:?}) must be longer than --lease-renew-deadline ({renew_deadline:?})"
            ));
        }
        if renew_deadline <= retry_period {
            return wrong(format!(
                "--lease-renew-deadline ({renew_deadline:?}) must be longer than --lease-retry-period ({retry_period:?})"
            ));
        }
        if retry_period.is_zero() {
            return wrong("--lease-retry-period must be longer than nothing".to_owned());
        }
        Ok(Self {
            duration,
            renew_deadline,
            retry_period,
        })
    }

    /// No answer within this time is an error; a leader has time for another attempt or two.
    fn call_timeout(self) -> Duration {
        self.renew_deadline / 3
    }

    fn seconds(self) -> i32 {
        i32::try_from(self.duration.as_secs()).unwrap_or(i32::MAX)
    }
}

/// Whether this replica leads, and for how long it may believe so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leadership(Option<Instant>);

impl Leadership {
    /// Another replica leads, or none.
    pub const STANDBY: Self = Self(None);

    /// Until this moment, unless it is renewed.
    pub fn until_moment(until: Instant) -> Self {
        Self(Some(until))
    }

    /// There is no other replica.
    pub fn for_ever() -> Self {
        Self(Some(Instant::now() + FOR_EVER))
    }

    /// Whether this replica may write now.
    pub fn holds(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// When it ends unless it is renewed; none if this replica does not lead.
    pub fn until(&self) -> Option<Instant> {
        self.0
    }

    /// How long a write that begins now may take.
    pub fn remaining(&self) -> Duration {
        self.0.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }
}

/// An elector at work.
#[derive(Debug)]
pub struct Election {
    leadership: watch::Receiver<Leadership>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Election {
    /// Starts an elector; or none, where there is a single replica. `hook` is told when this
    /// replica begins to lead, and when it ends.
    ///
    /// # Errors
    /// When the times do not go together.
    pub fn start(
        client: &Client,
        options: &Options,
        hook: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        if !options.leader_election {
            return Ok(Self::alone(hook));
        }
        let timing = options.timing()?;
        let namespace = options.lease_namespace.as_deref();
        let namespace = namespace.unwrap_or_else(|| client.default_namespace());
        let store = ApiStore::new(client.clone(), namespace, &options.lease_name);
        Ok(Self::spawn(
            Elector::new(store, options.identity(), timing).with_hook(hook),
        ))
    }

    /// Sets an elector to work.
    pub fn spawn<S: Store>(elector: Elector<S>) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self {
            leadership: elector.leadership(),
            stop,
            task: tokio::spawn(elector.run(async {
                stopped.await.ok();
            })),
        }
    }

    fn alone(hook: impl Fn(bool) + Send + Sync + 'static) -> Self {
        let (told, leadership) = watch::channel(Leadership::for_ever());
        let (stop, stopped) = oneshot::channel::<()>();
        hook(true);
        let task = tokio::spawn(async move {
            stopped.await.ok();
            told.send_replace(Leadership::STANDBY);
            hook(false);
        });
        Self {
            leadership,
            stop,
            task,
        }
    }

    /// Whether this replica leads. Receivers are woken when it begins and when it ends, and read
    /// what a renewal has changed when they look.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// Resolves only if the elector has died, after which nobody renews: end the process.
    pub async fn died(&mut self) {
        let _ = (&mut self.task).await;
    }

    /// Gives the Lease back, so that another replica takes over at once. To be called when the last
    /// write is done.
    pub async fn release(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use rstest::rstest;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        lease: Options,
    }

    #[rstest]
    #[case::defaults(&[], Ok((15, 10, 2)))]
    #[case::all_given(&["--lease-duration=1m", "--lease-renew-deadline=40s", "--lease-retry-period=5s"], Ok((60, 40, 5)))]
    #[case::deadline_too_long(
        &["--lease-renew-deadline=15s"],
        Err("--lease-duration (15s) must be longer than --lease-renew-deadline (15s)")
    )]
    #[case::period_too_long(
        &["--lease-retry-period=12s"],
        Err("--lease-renew-deadline (10s) must be longer than --lease-retry-period (12s)")
    )]
    #[case::no_period(&["--lease-retry-period=0s"], Err("--lease-retry-period must be longer than nothing"))]
    #[case::not_whole(
        &["--lease-duration=15500ms"],
        Err("--lease-duration must be whole seconds, at most 2147483647, and is 15.5s")
    )]
    fn the_times_go_together(
        #[case] arguments: &[&str],
        #[case] expected: Result<(u64, u64, u64), &str>,
    ) {
        let line = [&["kuma-workload"], arguments].concat();
        let timing = Line::try_parse_from(line).unwrap().lease.timing();
        let seconds = timing.map(|timing| {
            (
                timing.duration.as_secs(),
                timing.renew_deadline.as_secs(),
                timing.retry_period.as_secs(),
            )
        });
        assert_eq!(
            seconds.map_err(|failure| failure.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn two_processes_of_one_name_differ() {
        let line = Line::try_parse_from(["kuma-workload", "--lease-identity=pod-0"]).unwrap();
        let identity = line.lease.identity();
        assert!(identity.starts_with("pod-0_"), "{identity}");
        assert_ne!(identity, line.lease.identity());
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_replica_leads_until_it_is_released() {
        let election = Election::alone(|_| ());
        let leadership = election.leadership();
        assert!(leadership.borrow().holds());
        election.release().await;
        assert!(!leadership.borrow().holds());
    }

    #[tokio::test(start_paused = true)]
    async fn leadership_ends_by_the_clock_alone() {
        let leadership = Leadership::until_moment(Instant::now() + Duration::from_secs(1));
        assert!(leadership.holds());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!leadership.holds());
        assert_eq!(leadership.remaining(), Duration::ZERO);
    }
}
