//! When events are sent: when a condition begins, changes or ends, and again while it lasts (L10).
//!
//! The schedule knows what was observed in this term and what the cluster's events say. It forgets both
//! when a term ends: another replica observes and says things from then on.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::{
    agenda::Agenda,
    attempt::Attempt,
    condition::{Announcement, Condition},
    due_event::{DueEvent, Outcome},
    entry::{Entry, refusal_backoff},
    reason::REPEAT_INTERVAL,
};
use crate::run::{backoff::Backoff, work_item::WorkItem};

/// How often an item is asked for that stands in an event and was not observed in this term.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);
/// How many items are put off at once because their namespace is.
const MAX_POSTPONED: usize = 256;

/// What the cluster's events say: for each item, what stands and when it is to be repeated.
pub(super) type Recalled = BTreeMap<WorkItem, (Option<Announcement>, Instant)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// This replica does not lead.
    Standby,
    /// It leads, and does not know yet what was said before.
    Recalling,
    /// It leads.
    Reporting,
}

/// The conditions that were observed, what was said, and what is to be sent when.
#[derive(Debug)]
pub(crate) struct Schedule {
    warn_split_namespaces: bool,
    phase: Phase,
    term: u64,
    entries: BTreeMap<WorkItem, Entry>,
    /// What was announced in earlier terms about items that were not observed in this one.
    unobserved: BTreeMap<WorkItem, (Announcement, Instant)>,
    next_look: Instant,
    agenda: Agenda,
    /// The namespaces in which events are refused, and until when nothing is tried there.
    forbidden: BTreeMap<String, (Backoff, Instant)>,
}

impl Schedule {
    /// Nothing was observed and nothing said. `warn_split_namespaces`: whether a namespace with
    /// workloads in several meshes is reported (L11).
    pub(crate) fn new(warn_split_namespaces: bool) -> Self {
        Self {
            warn_split_namespaces,
            phase: Phase::Standby,
            term: 0,
            entries: BTreeMap::new(),
            unobserved: BTreeMap::new(),
            next_look: Instant::now(),
            agenda: Agenda::default(),
            forbidden: BTreeMap::new(),
        }
    }

    /// A term of this replica begins: every item will be observed.
    pub(super) fn begin_term(&mut self) {
        self.end_term();
        self.phase = Phase::Recalling;
    }

    /// This replica no longer leads.
    pub(super) fn end_term(&mut self) {
        self.term += 1;
        self.phase = Phase::Standby;
        self.entries.clear();
        self.unobserved.clear();
        self.agenda = Agenda::default();
        self.forbidden.clear();
    }

    /// The term in which it is to be found out what was said before. None if that is known.
    pub(super) fn recalling(&self) -> Option<u64> {
        (self.phase == Phase::Recalling).then_some(self.term)
    }

    /// What was said before this term, as far as that could be found out.
    pub(super) fn recall(&mut self, term: u64, recalled: Recalled, now: Instant) {
        if self.recalling() != Some(term) {
            return;
        }
        self.phase = Phase::Reporting;
        self.next_look = now;
        for (about, (standing, repeat_at)) in recalled {
            match (self.entries.get_mut(&about), standing) {
                (Some(entry), standing) => entry.recall(standing, repeat_at),
                (None, Some(standing)) => {
                    self.unobserved.insert(about, (standing, repeat_at));
                    continue;
                }
                // It is remembered for a while, so that its return is a change.
                (None, None) => {
                    let mut entry = Entry::new(now);
                    entry.recall(None, repeat_at);
                    self.entries.insert(about.clone(), entry);
                }
            }
            self.plan(&about, now);
        }
    }

    /// The items that are announced in an event and that nobody has observed in this term: perhaps the
    /// condition ended while no replica led. They are to be observed.
    pub(super) fn ask_for(&mut self, now: Instant) -> Vec<WorkItem> {
        if now < self.next_look {
            return Vec::new();
        }
        self.next_look = now + LOOK_INTERVAL;
        self.unobserved.keys().cloned().collect()
    }

    /// The condition of an item was observed; none if all is well. Returns whether it has changed.
    pub(crate) fn observe(
        &mut self,
        about: WorkItem,
        condition: Option<Condition>,
        now: Instant,
    ) -> bool {
        if self.phase == Phase::Standby {
            return false;
        }
        if matches!(condition, Some(Condition::Split { .. })) && !self.warn_split_namespaces {
            self.forget(&about);
            return false;
        }
        let recalled = self.unobserved.remove(&about);
        if condition.is_none() && recalled.is_none() && !self.entries.contains_key(&about) {
            return false;
        }
        let entry = self.entries.entry(about.clone());
        let entry = entry.or_insert_with(|| Entry::new(now));
        let was_recalled = recalled.is_some();
        if let Some((standing, repeat_at)) = recalled {
            // Observed first: what stands is compared with it.
            entry.observe(condition.clone());
            entry.recall(Some(standing), repeat_at);
        }
        let changed = entry.observe(condition) || was_recalled;
        if changed {
            self.plan(&about, now);
        }
        changed
    }

    /// When there is something to do, if nothing else is observed until then.
    pub(super) fn next(&self) -> Option<Instant> {
        let look = (!self.unobserved.is_empty()).then_some(self.next_look);
        look.into_iter().chain(self.agenda.next()).min()
    }

    /// The event that is to be sent first of those that are due now. It stays due until it is
    /// [concluded](Self::conclude).
    pub(super) fn due(&mut self, now: Instant) -> Option<DueEvent> {
        if self.phase != Phase::Reporting {
            return None;
        }
        for _ in 0..MAX_POSTPONED {
            let about = self.agenda.first_due(now)?.clone();
            let Some(entry) = self.entries.get(&about) else {
                self.agenda.plan(&about, None);
                continue;
            };
            let Some(message) = entry.message(&about) else {
                self.forget(&about);
                continue;
            };
            let forbidden = self.forbidden.get(about.namespace());
            if let Some((_, until)) = forbidden.filter(|(_, until)| *until > now) {
                self.agenda.postpone(&about, *until);
                continue;
            }
            return Some(DueEvent {
                term: self.term,
                message,
                may_exist: entry.may_exist(),
                attempt: entry.attempt().cloned(),
                was_rejected: entry.is_rejected(),
                about,
            });
        }
        None
    }

    /// A request is about to be sent for an event that was due.
    pub(super) fn attempting(&mut self, event: &DueEvent, attempt: Attempt) {
        let entry = self.entries.get_mut(&event.about);
        if let Some(entry) = entry.filter(|_| event.term == self.term) {
            entry.attempting(&event.message, attempt);
        }
    }

    /// This has come of an event that was due.
    pub(super) fn conclude(&mut self, event: &DueEvent, outcome: &Outcome, now: Instant) {
        if event.term != self.term {
            return;
        }
        let namespace = event.about.namespace();
        let forbidden = match outcome {
            Outcome::Sent | Outcome::Exists(_) => {
                self.forbidden.remove(namespace);
                None
            }
            Outcome::Forbidden | Outcome::Failed => Some(self.forbid(namespace, now)),
            _ => None,
        };
        if let Some(entry) = self.entries.get_mut(&event.about) {
            entry.conclude(&event.message, event.attempt.as_ref(), outcome, now);
            if let Some(until) = forbidden {
                entry.wait_behind(until);
            }
            self.plan(&event.about, now);
        }
    }

    /// Nothing is tried in a namespace for a while. Returns until when.
    fn forbid(&mut self, namespace: &str, now: Instant) -> Instant {
        let forgotten = |until: Instant| now.saturating_duration_since(until) > REPEAT_INTERVAL;
        self.forbidden.retain(|_, (_, until)| !forgotten(*until));
        let entry = self.forbidden.entry(namespace.to_owned());
        let (backoff, until) = entry.or_insert_with(|| (refusal_backoff(), now));
        *until = now + backoff.next();
        *until
    }

    /// The condition of this item is no longer known, not even whether it has ended.
    pub(crate) fn forget(&mut self, about: &WorkItem) {
        self.entries.remove(about);
        self.unobserved.remove(about);
        self.agenda.plan(about, None);
    }

    fn plan(&mut self, about: &WorkItem, now: Instant) {
        let Some(entry) = self.entries.get(about) else {
            return;
        };
        if entry.is_over() {
            return self.forget(about);
        }
        self.agenda.plan(about, entry.due(about, now));
    }
}

#[cfg(test)]
mod tests;
