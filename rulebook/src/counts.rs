//! The numbers of a Workload's status (S1 to S3).

use std::ops::{AddAssign, SubAssign};

/// The state that counts as ready. An absent state counts as ready too (S3).
const READY: &str = "Ready";

/// The numbers of proxies of a Workload: `status.dataplaneProxies` (S1 to S3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The proxies that are online (S2).
    pub connected: u32,
    /// The proxies that can receive traffic (S3).
    pub healthy: u32,
    /// All proxies (S1).
    pub total: u32,
}

impl Counts {
    /// The counts of a single proxy.
    pub fn of_one(connected: bool, healthy: bool) -> Self {
        Self {
            connected: connected.into(),
            healthy: healthy.into(),
            total: 1,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.connected += other.connected;
        self.healthy += other.healthy;
        self.total += other.total;
    }
}

impl SubAssign for Counts {
    fn sub_assign(&mut self, other: Self) {
        self.connected -= other.connected;
        self.healthy -= other.healthy;
        self.total -= other.total;
    }
}

/// An item of `status.subscriptions` of a DataplaneInsight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// Whether it has a `connectTime`.
    pub connect_time: bool,
    /// Whether it has a `disconnectTime`.
    pub disconnect_time: bool,
}

/// Whether a proxy with these subscriptions is online (S2): one of them has begun and not ended.
pub fn is_online(subscriptions: impl IntoIterator<Item = Subscription>) -> bool {
    subscriptions
        .into_iter()
        .any(|subscription| subscription.connect_time && !subscription.disconnect_time)
}

/// An item of `spec.networking.inbound` of a Dataplane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inbound<'a> {
    /// `state`.
    pub state: Option<&'a str>,
    /// `health.ready`, if `health` is present. Within `health`, an absent `ready` is false.
    pub health_ready: Option<bool>,
}

/// An item of `spec.networking.listeners` of a Dataplane: zone proxies of Kuma 2.14 and later have these
/// instead of inbounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Listener<'a> {
    /// `state`.
    pub state: Option<&'a str>,
}

impl Inbound<'_> {
    fn is_ready(&self) -> bool {
        self.state.is_none_or(|state| state == READY) && self.health_ready.unwrap_or(true)
    }
}

impl Listener<'_> {
    fn is_ready(&self) -> bool {
        self.state.is_none_or(|state| state == READY)
    }
}

/// What all inbounds of a Dataplane together say about its health, or, where it has none, its listeners
/// (S3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Inbounds {
    /// There is neither, as with a delegated gateway. Then being connected is being healthy.
    #[default]
    Absent,
    /// At least one is ready.
    Ready,
    /// None is ready.
    NotReady,
}

impl Inbounds {
    /// Sums up the inbounds of a Dataplane.
    pub fn of<'a>(inbounds: impl IntoIterator<Item = Inbound<'a>>) -> Self {
        Self::sum(inbounds.into_iter().map(|inbound| inbound.is_ready()))
    }

    /// The same where there are inbounds. Otherwise sums up the listeners.
    pub fn or_listeners<'a>(self, listeners: impl IntoIterator<Item = Listener<'a>>) -> Self {
        match self {
            Self::Absent => Self::sum(listeners.into_iter().map(|listener| listener.is_ready())),
            sum => sum,
        }
    }

    fn sum(ready: impl IntoIterator<Item = bool>) -> Self {
        let mut sum = Self::Absent;
        for ready in ready {
            if ready {
                return Self::Ready;
            }
            sum = Self::NotReady;
        }
        sum
    }

    /// Whether a proxy with these inbounds is healthy (S3).
    pub fn is_healthy(self, connected: bool) -> bool {
        match self {
            Self::Absent => connected,
            Self::Ready => true,
            Self::NotReady => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::never_connected(&[], false)]
    #[case::connected(&[(true, false)], true)]
    #[case::disconnected(&[(true, true)], false)]
    #[case::reconnected(&[(true, true), (true, false)], true)]
    #[case::an_older_one_never_ended(&[(true, false), (true, true)], true)]
    #[case::not_begun(&[(false, false)], false)]
    #[case::ended_without_beginning(&[(false, true)], false)]
    #[case::halves_of_two(&[(false, false), (true, true)], false)]
    fn s2_online(#[case] subscriptions: &[(bool, bool)], #[case] online: bool) {
        let subscriptions = subscriptions
            .iter()
            .map(|&(connect_time, disconnect_time)| Subscription {
                connect_time,
                disconnect_time,
            });
        assert_eq!(is_online(subscriptions), online);
    }

    #[rstest]
    #[case::nothing_said(&[(None, None)], Inbounds::Ready)]
    #[case::state_ready(&[(Some("Ready"), None)], Inbounds::Ready)]
    #[case::state_not_ready(&[(Some("NotReady"), None)], Inbounds::NotReady)]
    #[case::state_ignored(&[(Some("Ignored"), None)], Inbounds::NotReady)]
    #[case::state_of_a_later_kuma(&[(Some("Draining"), None)], Inbounds::NotReady)]
    #[case::health_ready(&[(None, Some(true))], Inbounds::Ready)]
    #[case::health_not_ready(&[(Some("Ready"), Some(false))], Inbounds::NotReady)]
    #[case::health_does_not_mend_the_state(&[(Some("NotReady"), Some(true))], Inbounds::NotReady)]
    #[case::one_of_two(&[(Some("NotReady"), None), (None, None)], Inbounds::Ready)]
    #[case::halves_of_two(&[(Some("NotReady"), Some(true)), (Some("Ready"), Some(false))], Inbounds::NotReady)]
    #[case::none(&[], Inbounds::Absent)]
    fn s3_inbounds(#[case] inbounds: &[(Option<&str>, Option<bool>)], #[case] sum: Inbounds) {
        let inbounds = inbounds.iter().map(|&(state, health_ready)| Inbound {
            state,
            health_ready,
        });
        assert_eq!(Inbounds::of(inbounds), sum);
    }

    #[rstest]
    #[case::none(Inbounds::Absent, &[], Inbounds::Absent)]
    #[case::nothing_said(Inbounds::Absent, &[None], Inbounds::Ready)]
    #[case::ready(Inbounds::Absent, &[Some("Ready")], Inbounds::Ready)]
    #[case::not_ready(Inbounds::Absent, &[Some("NotReady"), Some("Ignored")], Inbounds::NotReady)]
    #[case::one_of_two(Inbounds::Absent, &[Some("NotReady"), None], Inbounds::Ready)]
    #[case::beside_ready_inbounds(Inbounds::Ready, &[Some("NotReady")], Inbounds::Ready)]
    #[case::beside_inbounds(Inbounds::NotReady, &[Some("Ready")], Inbounds::NotReady)]
    fn s3_listeners(
        #[case] inbounds: Inbounds,
        #[case] states: &[Option<&str>],
        #[case] sum: Inbounds,
    ) {
        let listeners = states.iter().map(|&state| Listener { state });
        assert_eq!(inbounds.or_listeners(listeners), sum);
    }

    #[rstest]
    #[case::ready_online(Inbounds::Ready, true, true)]
    #[case::ready_offline(Inbounds::Ready, false, true)]
    #[case::not_ready_online(Inbounds::NotReady, true, false)]
    #[case::not_ready_offline(Inbounds::NotReady, false, false)]
    #[case::gateway_online(Inbounds::Absent, true, true)]
    #[case::gateway_offline(Inbounds::Absent, false, false)]
    fn s3_healthy(#[case] inbounds: Inbounds, #[case] connected: bool, #[case] healthy: bool) {
        assert_eq!(inbounds.is_healthy(connected), healthy);
    }

    #[test]
    fn s1_each_proxy_counts_once() {
        let mut counts = Counts::default();
        counts += Counts::of_one(true, true);
        counts += Counts::of_one(true, false);
        counts += Counts::of_one(false, true);
        let (connected, healthy, total) = (2, 2, 3);
        assert_eq!(
            counts,
            Counts {
                connected,
                healthy,
                total
            }
        );
        counts -= Counts::of_one(true, false);
        assert_eq!((counts.connected, counts.total), (1, 2));
    }
}
