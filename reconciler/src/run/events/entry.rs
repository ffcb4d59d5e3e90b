//! What is known about one item: its condition, what was said about it, and when to say what next.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    attempt::Attempt,
    condition::{Announcement, Condition},
    due_event::Outcome,
    message::Message,
    reason::REPEAT_INTERVAL,
};
use crate::run::{backoff::Backoff, token_bucket::TokenBucket, work_item::WorkItem};

/// A condition that comes and goes is reported at once this many times ...
const BURST: u32 = 6;
/// ... and then this often in a second: once in a minute.
const RATE: f64 = 1.0 / 60.0;
/// How long an event waits that was refused, at first and at most (L15).
const REFUSED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15 * 60));

/// What failed waits for so much longer than the others of its namespace.
const BEHIND: Duration = Duration::from_millis(1);

/// The backoff after a refusal.
pub(super) fn refusal_backoff() -> Backoff {
    let (first, max) = REFUSED;
    Backoff::after(0, first, max)
}

/// When something is to be done about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// There is something new to say.
    Change(Instant),
    /// What was said is to be said again, or the item forgotten.
    Repeat(Instant),
}

/// One item. What is said next follows from what stands and what was observed, so that an event that
/// could not be written is still due, and one that is no longer true is not written.
#[derive(Debug)]
pub(super) struct Entry {
    /// The condition as it was observed last.
    observed: Option<Condition>,
    /// What was announced and has not ended.
    standing: Option<Announcement>,
    /// When it is to be said again; if nothing stands, when the item is forgotten. None if nothing was
    /// said about it in this term or before.
    repeat_at: Option<Instant>,
    /// Limits how often a condition that comes and goes is reported.
    changes: TokenBucket,
    backoff: Backoff,
    not_before: Option<Instant>,
    /// The API server will not accept the event as it is.
    rejected: bool,
    /// An event that was sent and whose answer is not known. It is completed before anything else is
    /// said, or nobody would know whether it stands.
    unanswered: Option<(Message, Attempt)>,
}

impl Entry {
    /// An item about which nothing was said.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            observed: None,
            standing: None,
            repeat_at: None,
            changes: TokenBucket::new(RATE, BURST, now),
            backoff: refusal_backoff(),
            not_before: None,
            rejected: false,
            unanswered: None,
        }
    }

    /// This was said about it in an earlier term.
    pub(super) fn recall(&mut self, standing: Option<Announcement>, repeat_at: Instant) {
        self.standing = standing;
        self.repeat_at = Some(repeat_at);
        self.end_in_silence();
    }

    /// Its condition was observed. Returns whether it has changed.
    pub(super) fn observe(&mut self, condition: Option<Condition>) -> bool {
        let changed = self.observed != condition;
        self.observed = condition;
        self.end_in_silence();
        if changed && self.rejected {
            (self.rejected, self.not_before) = (false, None);
        }
        changed
    }

    /// What has ended without an event for its end no longer stands.
    fn end_in_silence(&mut self) {
        let has_end = |standing: &Announcement| standing.reason.repeats();
        if self.observed.is_none() && !self.standing.as_ref().is_some_and(has_end) {
            self.standing = None;
        }
    }

    /// Whether what stands is not what is observed.
    fn is_changed(&self, about: &WorkItem) -> bool {
        match (&self.standing, &self.observed) {
            (None, None) => false,
            (Some(standing), Some(observed)) => *standing != observed.announcement(about),
            _ => true,
        }
    }

    /// Whether there is nothing to say or to remember.
    pub(super) fn is_over(&self) -> bool {
        self.observed.is_none()
            && self.standing.is_none()
            && self.repeat_at.is_none()
            && self.unanswered.is_none()
    }

    /// When to look at it next.
    pub(super) fn due(&self, about: &WorkItem, now: Instant) -> Option<Due> {
        let not_before = |due: Instant| self.not_before.map_or(due, |earliest| earliest.max(due));
        if self.unanswered.is_some() {
            return Some(Due::Change(not_before(now)));
        }
        if self.is_changed(about) {
            return Some(Due::Change(not_before(self.changes.next(now))));
        }
        match &self.observed {
            Some(condition) if condition.reason().repeats() => {
                self.repeat_at.map(not_before).map(Due::Repeat)
            }
            Some(_) => None,
            None => self.repeat_at.map(Due::Repeat),
        }
    }

    /// What is to be said when it is due. None if it is to be forgotten.
    pub(super) fn message(&self, about: &WorkItem) -> Option<Message> {
        if let Some((message, _)) = &self.unanswered {
            return Some(message.clone());
        }
        let end = || self.standing.as_ref()?.ended(about);
        match (&self.standing, &self.observed) {
            (Some(standing), Some(observed)) if standing.reason != observed.reason() => {
                Some(end().unwrap_or_else(|| observed.message(about)))
            }
            (_, Some(observed)) => Some(observed.message(about)),
            (_, None) => end(),
        }
    }

    /// An earlier attempt whose answer is not known.
    pub(super) fn attempt(&self) -> Option<&Attempt> {
        self.unanswered.as_ref().map(|(_, attempt)| attempt)
    }

    /// Whether another replica, or this one in an earlier term, may have said it without this replica
    /// knowing. If so, an existing event is enough, unless it is to be repeated and is old.
    pub(super) fn may_exist(&self) -> bool {
        self.repeat_at.is_none()
    }

    /// A request is about to be sent.
    pub(super) fn attempting(&mut self, message: &Message, attempt: Attempt) {
        self.unanswered = Some((message.clone(), attempt));
    }

    /// This is what came of the message. `before` is the attempt that was unanswered when it began.
    pub(super) fn conclude(
        &mut self,
        message: &Message,
        before: Option<&Attempt>,
        outcome: &Outcome,
        now: Instant,
    ) {
        match outcome {
            Outcome::Sent => self.said(message, now + REPEAT_INTERVAL, now),
            Outcome::Exists(age) => {
                self.said(message, now + REPEAT_INTERVAL.saturating_sub(*age), now);
            }
            Outcome::NamespaceGone => {
                // Whatever was said there is gone too.
                (self.unanswered, self.standing, self.repeat_at) = (None, None, None);
                self.not_before = Some(now + self.backoff.next());
            }
            Outcome::Rejected => {
                self.unanswered = None;
                self.rejected = true;
                self.not_before = Some(now + REPEAT_INTERVAL);
            }
            Outcome::Refused | Outcome::Forbidden => {
                self.not_done(before);
                self.not_before = Some(now + self.backoff.next());
            }
            Outcome::Busy { until } => {
                self.not_done(before);
                self.not_before = Some(*until);
            }
            Outcome::Unanswered { until } => self.not_before = Some(*until),
            Outcome::Failed => self.not_before = Some(now + self.backoff.next()),
        }
    }

    /// It waits for longer than others that wait until this moment: they have their turn first.
    pub(super) fn wait_behind(&mut self, until: Instant) {
        let behind = until + BEHIND;
        self.not_before = self.not_before.max(Some(behind));
    }

    /// The last attempt has done nothing. An earlier one that is unanswered still may have.
    fn not_done(&mut self, before: Option<&Attempt>) {
        if before.is_none() {
            self.unanswered = None;
        }
    }

    fn said(&mut self, message: &Message, repeat_at: Instant, now: Instant) {
        let announced = Announcement::of(message);
        if announced != self.standing {
            // An answer that was lost may take a token that is not there yet. That does no harm.
            let _ = self.changes.take(now);
        }
        self.standing = announced;
        self.repeat_at = Some(repeat_at);
        self.backoff.reset();
        (self.not_before, self.rejected, self.unanswered) = (None, false, None);
        self.end_in_silence();
    }

    /// Whether the API server has rejected the event before.
    pub(super) fn is_rejected(&self) -> bool {
        self.rejected
    }
}
