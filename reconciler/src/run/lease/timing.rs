//! The times of leader election.

use std::time::Duration;

use crate::client::Failure;

/// A clock that shows this much more than the true time, or that much less, is allowed for: 1 %.
///
/// From the start of its last renewal, a leader with a slow clock writes for `renew_deadline / 0.99`, and
/// its last write takes effect within `duration - renew_deadline` after that. A replica with a fast clock
/// that waits for the time `w` has waited for `w / 1.01`. So it waits a fortieth longer than it must.
const ALLOWANCE: u32 = 40;

/// How long to wait so that this time has passed on a clock that is right, if this one is right within
/// 1 %.
pub(super) fn surely(time: Duration) -> Duration {
    time + time / ALLOWANCE
}

/// The three times of leader election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timing {
    /// After this time without a renewal, another replica takes over.
    pub(super) duration: Duration,
    /// After this time without a successful renewal, the leader stops writing.
    pub(super) renew_deadline: Duration,
    /// How often the leader renews the Lease, and the others read it.
    pub(super) retry_period: Duration,
}

impl Timing {
    /// Checks that the times fit together.
    ///
    /// # Errors
    /// Unless the duration is longer than the renew deadline, the renew deadline longer than the
    /// retry period, and the duration a whole number of seconds, as the Lease requires.
    pub(crate) fn new(
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

    /// A request without an answer within this time has failed. The leader then still has time for
    /// one or two more attempts.
    pub(super) fn request_timeout(self) -> Duration {
        self.renew_deadline / 3
    }

    /// A write that was sent takes effect within this time, or never: leader election relies on that.
    /// What is left of the lease duration when the leader has stopped.
    pub(super) fn write_bound(self) -> Duration {
        self.duration - self.renew_deadline
    }

    /// The lease duration in seconds.
    pub(super) fn seconds(self) -> i32 {
        i32::try_from(self.duration.as_secs()).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::fitting([60_000, 40_000, 5_000], Ok(60))]
    #[case::deadline_too_long(
        [15_000, 15_000, 2_000],
        Err("--lease-duration (15s) must be longer than --lease-renew-deadline (15s)")
    )]
    #[case::period_too_long(
        [15_000, 10_000, 12_000],
        Err("--lease-renew-deadline (10s) must be longer than --lease-retry-period (12s)")
    )]
    #[case::no_period([15_000, 10_000, 0], Err("--lease-retry-period must be longer than nothing"))]
    #[case::not_whole(
        [15_500, 10_000, 2_000],
        Err("--lease-duration must be whole seconds, at most 2147483647, and is 15.5s")
    )]
    fn the_times_fit_together(#[case] times: [u64; 3], #[case] expected: Result<i32, &str>) {
        let [duration, deadline, period] = times.map(Duration::from_millis);
        let timing = Timing::new(duration, deadline, period);
        assert_eq!(
            timing
                .map(Timing::seconds)
                .map_err(|failure| failure.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    proptest! {
        /// Whatever the times are: the last write of a leader whose clock is slow by 1 % has taken effect
        /// before another, whose clock is fast by 1 %, leads.
        #[test]
        fn the_allowance_covers_one_percent(
            duration in 2..100_000_u64,
            deadline in 2..100_000_000_u64,
        ) {
            let deadline = deadline % (duration * 1_000 - 1) + 1;
            let [duration, deadline] = [duration * 1_000, deadline].map(Duration::from_millis);
            let timing = Timing::new(duration, deadline, Duration::from_nanos(1)).unwrap();
            let last_write = deadline.as_secs_f64() / 0.99;
            let last_effect = last_write + timing.write_bound().as_secs_f64();
            let taken_over = surely(duration).as_secs_f64() / 1.01;
            prop_assert!(last_effect < taken_over, "{last_effect} {taken_over}");
        }
    }
}
