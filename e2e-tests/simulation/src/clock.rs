//! Virtual time: that of the world, and that of a process whose clock runs at a rate of its own.

use std::time::Duration;

/// A moment, as the time since the simulation began.
pub type Time = Duration;

const MILLION: u128 = 1_000_000;

/// The clock of a process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// When the process started.
    started: Time,
    /// Parts per million by which it is fast; negative if it is slow.
    drift: i32,
}

impl Clock {
    /// The clock of a process that starts at this moment.
    pub fn new(started: Time, drift: i32) -> Self {
        Self { started, drift }
    }

    /// How long the process has run at this moment, by its own clock.
    pub fn local(self, time: Time) -> Duration {
        let nanos = time.saturating_sub(self.started).as_nanos();
        duration(nanos * self.rate() / MILLION)
    }

    /// The moment at which the process has run this long by its own clock.
    pub fn global(self, local: Duration) -> Time {
        self.started + self.elapsed(local)
    }

    /// How long something takes that takes this long by its own clock.
    pub fn elapsed(self, local: Duration) -> Duration {
        duration(local.as_nanos() * MILLION / self.rate())
    }

    fn rate(self) -> u128 {
        u128::try_from(1_000_000_i64 + i64::from(self.drift)).unwrap_or(MILLION)
    }
}

fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::exact(0, 10_000)]
    #[case::fast(10_000, 10_100)]
    #[case::slow(-10_000, 9_900)]
    fn a_clock_drifts(#[case] drift: i32, #[case] shown: u64) {
        let clock = Clock::new(Time::from_secs(5), drift);
        let local = clock.local(Time::from_secs(15));
        assert_eq!(local, Duration::from_millis(shown));
        let back = clock.global(local).as_millis();
        assert!((14_999..=15_001).contains(&back));
    }
}
