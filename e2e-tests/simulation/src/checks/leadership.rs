//! Who leads, judged by the Lease alone.

use std::time::Duration;

use crate::clock::{Clock, Time};

/// The leadership of a process, as it may believe itself: from its last renewal that succeeded, counted
/// from when that was sent, for the renew deadline by its own clock. Whoever makes the Lease leads one
/// lease duration later: another may have led by one that is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Term {
    until: Option<Duration>,
    from: Option<Duration>,
}

impl Term {
    /// A write of the Lease that names this process was sent at this moment of its clock, and has now been
    /// answered with success.
    pub fn renewed(&mut self, sent: Duration, renew_deadline: Duration) {
        self.until = self.until.max(Some(sent + renew_deadline));
    }

    /// It has made the Lease by a request that was sent at this moment of its clock.
    pub fn made(&mut self, sent: Duration, lease_duration: Duration) {
        self.from = Some(sent + lease_duration);
    }

    /// It has taken the Lease over, which was released or had expired.
    pub fn taken_over(&mut self) {
        self.from = None;
    }

    /// It gives the Lease up.
    pub fn released(&mut self, sent: Duration) {
        self.until = self.until.map(|until| until.min(sent));
    }

    /// Whether it leads at this moment of its clock.
    pub fn holds(self, at: Duration) -> bool {
        self.until.is_some_and(|until| at < until) && self.from.is_none_or(|from| at >= from)
    }

    /// When it ends, unless it is renewed.
    pub fn ends(self, clock: Clock) -> Option<Time> {
        self.until.map(|until| clock.global(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_counted_from_when_its_renewal_was_sent() {
        let second = Duration::from_secs;
        let mut term = Term::default();
        assert!(!term.holds(second(0)));
        term.renewed(second(5), second(10));
        term.renewed(second(3), second(10));
        assert!(term.holds(second(14)) && !term.holds(second(15)));
        term.released(second(9));
        assert!(term.holds(second(8)) && !term.holds(second(9)));
    }

    #[test]
    fn who_makes_the_lease_leads_later() {
        let second = Duration::from_secs;
        let mut term = Term::default();
        term.made(second(5), second(15));
        term.renewed(second(13), second(10));
        assert!(!term.holds(second(19)) && term.holds(second(20)));
        term.taken_over();
        assert!(term.holds(second(19)));
    }
}
