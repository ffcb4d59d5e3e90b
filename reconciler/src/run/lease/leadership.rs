//! Whether this replica leads.

use std::time::Duration;

use tokio::time::Instant;

/// Longer than any process runs.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Whether this replica leads, and until when it may assume so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Leadership(Option<Instant>);

impl Leadership {
    /// Another replica leads, or none.
    pub(crate) const STANDBY: Self = Self(None);

    /// This replica leads until this moment, unless it renews the Lease.
    pub(crate) fn until(until: Instant) -> Self {
        Self(Some(until))
    }

    /// There is no other replica.
    pub(crate) fn forever() -> Self {
        Self(Some(Instant::now() + FOREVER))
    }

    /// Whether this replica may write now.
    pub(crate) fn holds(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// When it ends unless it is renewed. None if this replica does not lead.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0
    }

    /// How long a write that starts now may take.
    pub(crate) fn remaining(&self) -> Duration {
        self.0.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn leadership_ends_by_the_clock_alone() {
        let leadership = Leadership::until(Instant::now() + Duration::from_secs(1));
        assert!(leadership.holds());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!leadership.holds());
        assert_eq!(leadership.remaining(), Duration::ZERO);
    }
}
