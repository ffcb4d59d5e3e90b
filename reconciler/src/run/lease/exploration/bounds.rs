//! What may happen in an exploration.

use std::time::Duration;

use super::super::timing::{Timing, surely};

/// What may happen. Pauses and lost requests and answers always may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) replicas: usize,
    pub(super) timing: Timing,
    /// How many moments the wait for an expired Lease is divided into. All actions happen at one of them.
    ticks: u32,
    /// How wrong the rates of the clocks may be, in thousandths.
    drift: u32,
    /// Within which time a write takes effect after its sender has asked whether it leads.
    pub(super) write_bound: Duration,
    /// At first there is a Lease that was released; otherwise there is none.
    pub(super) is_released: bool,
    /// Somebody deletes the Lease.
    pub(super) deletion: bool,
    /// Replicas are stopped in order, and started anew.
    pub(super) stops: bool,
    /// What is excluded by the stated bounds.
    beyond: Option<Beyond>,
}

/// What is excluded by the stated bounds, and a rule that is left out, to show what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    /// A machine is suspended: neither its programs nor its monotonic clock go on.
    Suspension,
    /// Two processes have the same identity.
    OneIdentity,
    /// The API server's storage is restored from a backup.
    Restore,
    /// Somebody empties `holderIdentity` by hand.
    EmptiedByHand,
    /// The Lease is released without a wait for writes that were given up.
    HastyRelease,
    /// Who makes the Lease leads at once.
    MakerLeadsAtOnce,
    /// Clocks are taken to be right: an expired Lease is taken over after the lease duration itself.
    NoAllowance,
    /// A renewal at the same wall clock time as the last writes the same Lease.
    EqualRenewals,
}

impl Bounds {
    /// The stated bounds, with so many replicas and such times in seconds.
    pub(super) fn stated(replicas: usize, times: [u64; 3], ticks: u32) -> Self {
        let [duration, deadline, period] = times.map(Duration::from_secs);
        let timing = Timing::new(duration, deadline, period).unwrap();
        Self {
            replicas,
            timing,
            ticks,
            drift: 10,
            write_bound: timing.write_bound(),
            is_released: false,
            deletion: true,
            stops: true,
            beyond: None,
        }
    }

    pub(super) fn beyond(self, beyond: Beyond) -> Self {
        let beyond = Some(beyond);
        Self { beyond, ..self }
    }

    /// Two replicas, and a Lease that was released; nothing happens but what a counter-example needs.
    pub(super) fn plain(times: [u64; 3], ticks: u32) -> Self {
        Self {
            is_released: true,
            deletion: false,
            stops: false,
            ..Self::stated(2, times, ticks)
        }
    }

    pub(super) fn replicas(self, replicas: usize) -> Self {
        Self { replicas, ..self }
    }

    pub(super) fn deletion(self) -> Self {
        let deletion = true;
        Self { deletion, ..self }
    }

    pub(super) fn stops(self) -> Self {
        let stops = true;
        Self { stops, ..self }
    }

    pub(super) fn drift(self, drift: u32) -> Self {
        Self { drift, ..self }
    }

    pub(super) fn write_bound(self, write_bound: Duration) -> Self {
        Self {
            write_bound,
            ..self
        }
    }

    pub(super) fn is(&self, beyond: Beyond) -> bool {
        self.beyond == Some(beyond)
    }

    /// The true time between two moments: so that a clock that is fast by 1 % has gone through the wait
    /// for an expired Lease in exactly that many.
    pub(super) fn tick(&self) -> Duration {
        surely(self.timing.duration) / self.ticks * 1000 / 1010
    }

    /// What a fast clock shows meanwhile.
    pub(super) fn fast(&self) -> Duration {
        self.tick() * (1000 + self.drift) / 1000
    }

    /// What a slow clock shows meanwhile.
    pub(super) fn slow(&self) -> Duration {
        self.tick() * (1000 - self.drift) / 1000
    }
}
