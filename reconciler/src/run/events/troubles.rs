//! What is logged about failures: each kind once a minute, with a count (L22).

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::requests::FailureKind;
use crate::client::Failure;

/// A kind of trouble is logged once in this time.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// The API server does not answer: all events wait.
    Away,
    /// An event is refused and tried again.
    Refused,
    /// An event is not acceptable.
    Rejected,
    /// It is not known what was said before this term.
    NotRecalled,
}

impl Trouble {
    /// What a failed event is a case of. None if that is in order.
    pub(super) fn of(failure: FailureKind) -> Option<Self> {
        match failure {
            FailureKind::Away | FailureKind::Busy => Some(Self::Away),
            FailureKind::Failed | FailureKind::Forbidden | FailureKind::Refused => {
                Some(Self::Refused)
            }
            FailureKind::Rejected => Some(Self::Rejected),
            FailureKind::NamespaceGone => None,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Away => "events wait",
            Self::Refused => "an event is refused and is tried again",
            Self::Rejected => "an event is not published",
            Self::NotRecalled => {
                "what other replicas reported is not known: the end of a conflict that they reported may go unreported"
            }
        }
    }
}

/// When each kind was logged last, and how often it has occurred since.
#[derive(Debug, Default)]
pub(super) struct Troubles(BTreeMap<Trouble, (Instant, u32)>);

impl Troubles {
    /// Logs a failure, unless its kind was logged a short time ago. Returns whether it was logged.
    pub(super) fn log_failure(
        &mut self,
        trouble: Trouble,
        failure: &Failure,
        now: Instant,
    ) -> bool {
        let last = self.0.get_mut(&trouble);
        let unsaid = match last {
            Some((said, unsaid)) if now.saturating_duration_since(*said) < LOG_INTERVAL => {
                *unsaid = unsaid.saturating_add(1);
                return false;
            }
            Some((_, unsaid)) => *unsaid,
            None => 0,
        };
        self.0.insert(trouble, (now, 0));
        match unsaid {
            0 => tracing::warn!(%failure, "{}", trouble.text()),
            more => tracing::warn!(%failure, more, "{}", trouble.text()),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l22_each_kind_is_logged_once_a_minute() {
        let (mut troubles, start) = (Troubles::default(), Instant::now());
        let mut log = |trouble, seconds| {
            let now = start + Duration::from_secs(seconds);
            troubles.log_failure(trouble, &Failure::new("x"), now)
        };
        let logged: Vec<_> = (0..150).filter(|at| log(Trouble::Away, *at)).collect();
        assert_eq!(logged, [0, 60, 120]);
        assert!(log(Trouble::Refused, 150));
        assert_eq!(troubles.0[&Trouble::Away].1, 29);
    }
}
