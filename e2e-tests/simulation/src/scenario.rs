//! What is drawn from a seed before the simulation begins.

use std::{collections::BTreeSet, time::Duration};

use fastrand::Rng;
use jiff::SignedDuration;

use crate::{
    clock::Time,
    fault::Fault,
    process::{HOME, has_flag},
};

/// One seed in so many runs with default intervals.
const DEFAULTS_EVERY: u64 = 6;
/// The longest backoff of the program (L15), after which the last attempt comes.
const LONGEST_BACKOFF: Duration = Duration::from_secs(15 * 60);
/// How long a write that names a field is not tried again (L15), how long `Retry-After` can be (L22), and
/// how often a watch of one namespace is compared (L20).
const HOUR: Duration = Duration::from_secs(60 * 60);
/// The least time that is simulated with default intervals.
const DEFAULTS_LAST: Time = Time::from_secs(45 * 60);
/// How long Workloads are refused at most after all other faults.
pub const LAST_REFUSALS: Duration = Duration::from_secs(5 * 60);
/// How long requests are counted at the end.
pub const QUIET: Duration = Duration::from_secs(4 * 60);

/// Which namespaces the replicas look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All.
    Cluster,
    /// Some, by name.
    Names,
    /// Those with a label.
    Selector,
}

/// The mode of the replicas (L17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `auto`.
    Auto,
    /// `manage`.
    Manage,
    /// `observe`.
    Observe,
}

/// The times of leader election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTimes {
    /// `--lease-duration`.
    pub duration: Duration,
    /// `--lease-renew-deadline`.
    pub renew_deadline: Duration,
    /// `--lease-retry-period`.
    pub retry_period: Duration,
}

/// A replica, as far as it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct ReplicaTraits {
    /// How fast its clock is, in parts per million.
    pub drift: i32,
    /// How wrong its wall clock is.
    pub wall_offset: SignedDuration,
}

/// Everything that is fixed from the start.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// Whether the intervals are the defaults.
    pub has_defaults: bool,
    /// The replicas.
    pub replicas: Vec<ReplicaTraits>,
    /// The times of leader election.
    pub lease: LeaseTimes,
    /// `--resync` (L20).
    pub resync: Duration,
    /// `--mode-grace` (L17).
    pub mode_grace: Duration,
    /// `--status-interval`.
    pub status_interval: Duration,
    /// `--mode`.
    pub mode: Mode,
    /// `--identifiers pods` (W8).
    pub identifiers_of_pods: bool,
    /// Which namespaces are looked at.
    pub scope: Scope,
    /// Whether Workloads have a status subresource (S5).
    pub has_status_subresource: bool,
    /// The longest page of a list.
    pub page_limit: u64,
    /// The faults that can happen.
    pub faults: BTreeSet<Fault>,
    /// How many of ten thousand requests go wrong while there is trouble.
    pub fault_rate: u32,
    /// How long there is between two changes of the world, about.
    pub churn: Duration,
    /// When faults end.
    pub faults_until: Time,
    /// When the simulation ends.
    pub ends: Time,
}

/// The namespaces of the world. The last is never within a scope.
pub const NAMESPACES: [&str; 4] = ["shop", "cart", "team-a", "elsewhere"];

impl Scenario {
    /// Draws a scenario.
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5eed_0000);
        let rng = &mut rng;
        let has_defaults = seed.is_multiple_of(DEFAULTS_EVERY);
        let lease = match has_defaults {
            true => LeaseTimes::draw_defaults(),
            false => LeaseTimes::draw(rng),
        };
        let seconds = |rng: &mut Rng, range: std::ops::RangeInclusive<u64>, default: u64| {
            let drawn = rng.u64(range);
            Duration::from_secs(if has_defaults { default } else { drawn })
        };
        let resync = seconds(rng, 30..=300, 300);
        let mode_grace = seconds(rng, 30..=600, 600);
        let status_interval = seconds(rng, 1..=8, 5);
        let replicas = [1, 2, 2, 2, 3, 3];
        let replicas = replicas[rng.usize(..replicas.len())];
        let replicas = (0..replicas).map(|_| ReplicaTraits::draw(rng)).collect();
        let mode = match rng.u32(0..10) {
            0 => Mode::Observe,
            1..=4 => Mode::Manage,
            _ => Mode::Auto,
        };
        let scope = match rng.u32(0..8) {
            0 | 1 => Scope::Names,
            2 => Scope::Selector,
            _ => Scope::Cluster,
        };
        // A share of all faults in each seed: those that are left out cannot hide what the others show.
        let share = [0, 5, 25, 50, 100][rng.usize(..5)];
        let mut faults: BTreeSet<_> = Fault::all().filter(|_| rng.u32(0..100) < share).collect();
        // A watch of one namespace is compared once an hour (L20): a restore that is overtaken by then is
        // found after two hours or later, which is too long to wait for here.
        if scope == Scope::Names {
            faults.remove(&Fault::Restore);
        }
        let mut scenario = Self {
            seed,
            has_defaults,
            replicas,
            lease,
            resync,
            mode_grace,
            status_interval,
            mode,
            identifiers_of_pods: rng.u32(0..6) == 0,
            scope,
            has_status_subresource: rng.bool(),
            page_limit: [2, 3, 7, u64::MAX][rng.usize(..4)],
            faults,
            fault_rate: [100, 400, 1_500][rng.usize(..3)],
            churn: Duration::from_millis([500, 2_000, 6_000][rng.usize(..3)]),
            faults_until: Time::from_secs(rng.u64(1_000..=1_200)),
            ends: Time::ZERO,
        };
        scenario.ends = scenario.faults_until + scenario.settling();
        if has_defaults {
            scenario.ends = scenario.ends.max(DEFAULTS_LAST);
        }
        scenario
    }

    /// How long everything may take to become right once nothing goes wrong any more.
    fn settling(&self) -> Duration {
        let slow = [Fault::Code422, Fault::Code429, Fault::LongRefusal];
        let is_slow = slow.iter().any(|fault| self.faults.contains(fault));
        let longest = if is_slow { HOUR } else { LONGEST_BACKOFF };
        let others = self.resync + Duration::from_secs(120) + LAST_REFUSALS + QUIET;
        longest.max(self.mode_grace) + others
    }

    /// The command line of a replica.
    pub fn line(&self, replica: usize) -> Vec<String> {
        let seconds = |time: Duration| format!("{}ms", time.as_millis());
        let mode = match self.mode {
            Mode::Auto => "auto",
            Mode::Manage => "manage",
            Mode::Observe => "observe",
        };
        let mut line = vec![
            ("lease-identity", format!("replica-{replica}")),
            ("lease-namespace", HOME.to_owned()),
            ("lease-duration", seconds(self.lease.duration)),
            ("lease-renew-deadline", seconds(self.lease.renew_deadline)),
            ("lease-retry-period", seconds(self.lease.retry_period)),
            ("status-interval", seconds(self.status_interval)),
            ("mode", mode.to_owned()),
        ];
        if self.identifiers_of_pods {
            line.push(("identifiers", "pods".to_owned()));
            line.push(("workload-labels", "app".to_owned()));
        }
        match self.scope {
            Scope::Cluster => (),
            Scope::Names => line.push(("namespace", "shop,cart,team-a".to_owned())),
            Scope::Selector => line.push(("namespace-selector", "team=a".to_owned())),
        }
        for (flag, value) in [
            ("resync", seconds(self.resync)),
            ("mode-grace", seconds(self.mode_grace)),
        ] {
            if has_flag(flag) {
                line.push((flag, value));
            }
        }
        let words = line.into_iter();
        words
            .flat_map(|(flag, value)| [format!("--{flag}"), value])
            .collect()
    }

    /// The namespaces that the replicas do not look at.
    pub fn excluded(&self) -> &'static [&'static str] {
        match self.scope {
            Scope::Cluster => &[],
            Scope::Names | Scope::Selector => &NAMESPACES[3..],
        }
    }
}

impl LeaseTimes {
    fn draw_defaults() -> Self {
        Self {
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }

    fn draw(rng: &mut Rng) -> Self {
        let duration = Duration::from_secs(rng.u64(10..=40));
        let renew_deadline = duration.mul_f64(rng.u32(50..=75).into()) / 100;
        let retry_period = renew_deadline / rng.u32(3..=5);
        let whole = |time: Duration| {
            Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(1_000))
        };
        Self {
            duration,
            renew_deadline: whole(renew_deadline),
            retry_period: whole(retry_period),
        }
    }

    /// How long a request may be under way that was sent at the very end of a leadership.
    pub fn network_bound(self) -> Duration {
        self.duration - self.renew_deadline
    }
}

impl ReplicaTraits {
    fn draw(rng: &mut Rng) -> Self {
        Self {
            drift: [0, rng.i32(-10_000..=10_000)][rng.usize(..2)],
            wall_offset: SignedDuration::from_millis(rng.i64(-2_000..=2_000)),
        }
    }
}
