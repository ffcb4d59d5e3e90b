//! When events are sent: when a condition begins, changes or ends, and again while it lasts (L10).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{condition::Condition, message::Message};
use crate::run::work_item::WorkItem;

/// After this time, a condition that lasts is reported again.
pub(crate) const REPEAT_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// A condition that comes and goes is reported at once this many times ...
const BURST: u32 = 6;
/// ... and then once in this time.
const INTERVAL: Duration = Duration::from_secs(60);

/// An event that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueEvent {
    /// What it is about.
    pub about: WorkItem,
    /// What it says.
    pub message: Message,
    /// Whether another process, or this one in an earlier term, may have sent it already. If so, an
    /// existing event is enough, unless it is to be repeated and older than [`REPEAT_INTERVAL`].
    pub may_exist: bool,
    /// Whether it is repeated while the condition lasts.
    pub repeats: bool,
}

/// The conditions that were observed, those that were reported, and what is to be sent when.
#[derive(Debug)]
pub(crate) struct Schedule {
    warn_split_namespaces: bool,
    entries: BTreeMap<WorkItem, ScheduleEntry>,
    agenda: BTreeSet<(Instant, WorkItem)>,
}

#[derive(Debug)]
struct ScheduleEntry {
    /// The condition as it was observed last.
    observed: Option<Condition>,
    /// The condition as it was reported last.
    reported: Option<Condition>,
    /// When it was reported last, if it was.
    last: Option<Instant>,
    /// Until when the reports so far use up the rate of one per [`INTERVAL`].
    used_up: Instant,
    /// Its time in the agenda.
    next: Option<Instant>,
}

impl ScheduleEntry {
    /// When to look at it next.
    fn due(&self) -> Option<Instant> {
        if self.observed != self.reported {
            let credit = INTERVAL * (BURST - 1);
            return Some(self.used_up.checked_sub(credit).unwrap_or(self.used_up));
        }
        match &self.observed {
            Some(condition) if !condition.repeats() => None,
            // A condition that has ended is remembered as long, so that its return is a change.
            _ => self.last.map(|last| last + REPEAT_INTERVAL),
        }
    }
}

impl Schedule {
    /// Nothing was observed and nothing reported. `warn_split_namespaces`: whether a namespace with
    /// workloads in several meshes is reported (L11).
    pub(crate) fn new(warn_split_namespaces: bool) -> Self {
        Self {
            warn_split_namespaces,
            entries: BTreeMap::new(),
            agenda: BTreeSet::new(),
        }
    }

    /// The condition of an item was observed; none if all is well. Returns whether it has changed.
    pub(crate) fn observe(
        &mut self,
        about: WorkItem,
        condition: Option<Condition>,
        now: Instant,
    ) -> bool {
        if matches!(condition, Some(Condition::Split { .. })) && !self.warn_split_namespaces {
            return false;
        }
        let Some(entry) = self.entries.get_mut(&about) else {
            if condition.is_none() {
                return false;
            }
            let entry = ScheduleEntry {
                observed: condition,
                reported: None,
                last: None,
                used_up: now,
                next: None,
            };
            self.entries.insert(about.clone(), entry);
            self.plan(about);
            return true;
        };
        if entry.observed == condition {
            return false;
        }
        let was_never_reported = entry.reported.is_none() && entry.last.is_none();
        entry.observed = condition;
        if entry.observed.is_none() && was_never_reported {
            self.forget(&about);
        } else {
            self.plan(about);
        }
        true
    }

    /// When the next event is due, if nothing else is observed until then.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.agenda.first().map(|(next, _)| *next)
    }

    /// The events that are due now. They count as sent.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<DueEvent> {
        let mut events = Vec::new();
        while self.next().is_some_and(|next| next <= now) {
            let Some((_, about)) = self.agenda.pop_first() else {
                break;
            };
            let Some(entry) = self.entries.get_mut(&about) else {
                continue;
            };
            entry.next = None;
            if entry.observed.is_none() && entry.reported.is_none() {
                self.entries.remove(&about);
                continue;
            }
            let may_exist = entry.last.is_none();
            let messages = messages(&about, entry.reported.as_ref(), entry.observed.as_ref());
            events.extend(messages.map(|message| DueEvent {
                about: about.clone(),
                message,
                may_exist,
                repeats: entry.observed.as_ref().is_some_and(Condition::repeats),
            }));
            if entry.observed != entry.reported {
                entry.used_up = entry.used_up.max(now) + INTERVAL;
            }
            entry.reported.clone_from(&entry.observed);
            entry.last = Some(now);
            self.plan(about);
        }
        events
    }

    /// The event existed already, and was sent this long ago.
    pub(crate) fn was_sent(&mut self, about: &WorkItem, age: Duration, now: Instant) {
        let Some(entry) = self.entries.get_mut(about) else {
            return;
        };
        if entry.last.is_some() {
            entry.last = Some(now.checked_sub(age).unwrap_or(now));
            self.plan(about.clone());
        }
    }

    /// Another replica leads, and sends the events from now on. What it reports is not known here.
    pub(crate) fn forget_reported(&mut self, now: Instant) {
        self.agenda.clear();
        self.entries.retain(|_, entry| entry.observed.is_some());
        for (about, entry) in &mut self.entries {
            (entry.reported, entry.last) = (None, None);
            (entry.used_up, entry.next) = (now, Some(now));
            self.agenda.insert((now, about.clone()));
        }
    }

    /// The condition of this item is no longer known, not even whether it has ended.
    pub(crate) fn forget(&mut self, about: &WorkItem) {
        let entry = self.entries.remove(about);
        if let Some(next) = entry.and_then(|entry| entry.next) {
            self.agenda.remove(&(next, about.clone()));
        }
    }

    fn plan(&mut self, about: WorkItem) {
        let Some(entry) = self.entries.get_mut(&about) else {
            return;
        };
        if let Some(next) = entry.next.take() {
            self.agenda.remove(&(next, about.clone()));
        }
        entry.next = entry.due();
        if let Some(next) = entry.next {
            self.agenda.insert((next, about));
        }
    }
}

/// The messages for the change from one condition to another, or for one that lasts.
fn messages(
    about: &WorkItem,
    reported: Option<&Condition>,
    observed: Option<&Condition>,
) -> impl Iterator<Item = Message> {
    let ended = match (reported, observed) {
        (Some(reported), Some(observed)) if reported.is_same_kind(observed) => None,
        (reported, _) => reported.and_then(|reported| reported.ended(about)),
    };
    let begun = observed.map(|observed| observed.begun(about));
    ended.into_iter().chain(begun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::events::EventReason;
    use kuma_workload_rulebook::{identifier::NameFault, roster::Key};
    use rstest::rstest;

    const A_B: &[&str] = &["a", "b"];

    fn cart() -> WorkItem {
        WorkItem::Workload(Key {
            namespace: "shop".into(),
            workload: "cart".into(),
        })
    }

    fn conflict(meshes: &[&str]) -> Condition {
        let meshes = meshes.iter().map(|&mesh| mesh.to_owned()).collect();
        Condition::Conflict { meshes }
    }

    fn foreign() -> Condition {
        Condition::Foreign {
            manager: "helm".into(),
        }
    }

    fn invalid() -> Condition {
        Condition::InvalidName {
            fault: NameFault::Empty,
        }
    }

    use EventReason::{
        InvalidWorkloadName as Invalid, MultipleMeshesDetected as Detected,
        MultipleMeshesResolved as Resolved, WorkloadManagedByAnother as Foreign,
    };

    /// What is observed at which second, and what is reported at which, within an hour.
    #[rstest]
    #[case::no_condition(&[(0, None)], &[])]
    #[case::reported_once(&[(5, Some(foreign()))], &[(5, Foreign)])]
    #[case::a_bad_name_is_reported_once(&[(5, Some(invalid())), (9, Some(invalid()))], &[(5, Invalid)])]
    #[case::repeated_while_it_lasts(
        &[(5, Some(conflict(A_B)))],
        &[(5, Detected), (605, Detected), (1205, Detected), (1805, Detected), (2405, Detected), (3005, Detected)]
    )]
    #[case::observed_again_is_no_change(
        &[(5, Some(conflict(A_B))), (6, Some(conflict(A_B))), (7, Some(conflict(A_B))), (8, None)],
        &[(5, Detected), (8, Resolved)]
    )]
    #[case::other_meshes(
        &[(5, Some(conflict(A_B))), (6, Some(conflict(&["a", "c"]))), (7, None)],
        &[(5, Detected), (6, Detected), (7, Resolved)]
    )]
    #[case::returns(
        &[(5, Some(conflict(A_B))), (6, None), (7, Some(conflict(A_B))), (8, None)],
        &[(5, Detected), (6, Resolved), (7, Detected), (8, Resolved)]
    )]
    #[case::becomes_another(
        &[(5, Some(conflict(A_B))), (6, Some(foreign()))],
        &[(5, Detected), (6, Resolved), (6, Foreign)]
    )]
    #[case::no_event_at_the_end(&[(5, Some(foreign())), (6, None)], &[(5, Foreign)])]
    fn reports(
        #[case] observed: &[(u64, Option<Condition>)],
        #[case] expected: &[(u64, EventReason)],
    ) {
        let zero = Instant::now();
        let mut schedule = Schedule::new(true);
        let mut observed = observed.iter().peekable();
        let mut reported = Vec::new();
        for second in 0..3600 {
            let now = zero + Duration::from_secs(second);
            while let Some((_, condition)) = observed.next_if(|(at, _)| *at == second) {
                schedule.observe(cart(), condition.clone(), now);
            }
            let due = schedule.due(now);
            reported.extend(due.iter().map(|event| (second, event.message.reason)));
        }
        assert_eq!(reported, expected);
    }

    #[test]
    fn a_condition_that_comes_and_goes_is_reported_at_a_limited_rate_and_correctly_in_the_end() {
        let zero = Instant::now();
        let mut schedule = Schedule::new(true);
        let mut reported = Vec::new();
        for second in 0..1200 {
            let now = zero + Duration::from_secs(second);
            if second < 600 {
                let condition = (second % 2 == 0).then(|| conflict(A_B));
                schedule.observe(cart(), condition, now);
            }
            reported.extend(
                schedule
                    .due(now)
                    .into_iter()
                    .map(|event| event.message.reason),
            );
        }
        assert!(reported.len() <= 6 + 10 + 1, "{}", reported.len());
        assert_eq!(reported.last(), Some(&Resolved));
    }

    #[test]
    fn a_condition_that_has_ended_is_forgotten_in_time() {
        let zero = Instant::now();
        let mut schedule = Schedule::new(true);
        schedule.observe(cart(), Some(conflict(A_B)), zero);
        schedule.due(zero);
        schedule.observe(cart(), None, zero);
        schedule.due(zero);
        assert_eq!(schedule.next(), Some(zero + REPEAT_INTERVAL));
        schedule.due(zero + REPEAT_INTERVAL);
        assert_eq!(schedule.next(), None);
        assert!(schedule.entries.is_empty());
    }

    #[test]
    fn a_condition_that_ends_before_it_is_reported_is_not_reported() {
        let zero = Instant::now();
        let mut schedule = Schedule::new(true);
        schedule.observe(cart(), Some(conflict(A_B)), zero);
        schedule.observe(cart(), None, zero);
        assert_eq!(schedule.next(), None);
        assert!(schedule.entries.is_empty());
    }

    #[test]
    fn only_the_first_event_may_exist_already() {
        let zero = Instant::now();
        let mut schedule = Schedule::new(true);
        let mut may_exist = |condition| {
            schedule.observe(cart(), condition, zero);
            schedule.due(zero).first().map(|event| event.may_exist)
        };
        assert_eq!(may_exist(Some(conflict(A_B))), Some(true));
        assert_eq!(may_exist(None), Some(false));
        assert_eq!(may_exist(Some(conflict(A_B))), Some(false));
    }

    #[test]
    fn an_event_from_before_a_restart_is_repeated_in_time() {
        let zero = Instant::now() + REPEAT_INTERVAL;
        let mut schedule = Schedule::new(true);
        schedule.observe(cart(), Some(conflict(A_B)), zero);
        schedule.due(zero);
        schedule.was_sent(&cart(), Duration::from_secs(400), zero);
        assert_eq!(schedule.next(), Some(zero + Duration::from_secs(200)));
    }

    #[test]
    fn a_second_term_reports_the_current_conditions() {
        let zero = Instant::now();
        let mut schedule = Schedule::new(true);
        let ended = WorkItem::Namespace("shop".into());
        schedule.observe(cart(), Some(conflict(A_B)), zero);
        schedule.observe(ended.clone(), Some(conflict(A_B)), zero);
        assert_eq!(schedule.due(zero).len(), 2);
        schedule.observe(ended, None, zero);
        schedule.forget_reported(zero);
        let due = schedule.due(zero);
        assert_eq!(due.len(), 1, "the other leader has reported the end");
        assert!(due[0].may_exist);
    }

    #[test]
    fn a_forgotten_condition_has_not_ended() {
        let zero = Instant::now();
        let mut schedule = Schedule::new(true);
        schedule.observe(cart(), Some(conflict(A_B)), zero);
        assert_eq!(schedule.due(zero).len(), 1);
        schedule.forget(&cart());
        assert_eq!(schedule.next(), None);
        schedule.observe(cart(), None, zero);
        assert_eq!(schedule.due(zero), []);
        schedule.observe(cart(), Some(conflict(A_B)), zero);
        assert!(schedule.due(zero)[0].may_exist);
    }

    #[test]
    fn l11_split_namespaces_can_be_left_out() {
        let zero = Instant::now();
        let mut schedule = Schedule::new(false);
        let split = Condition::Split {
            meshes: ["a".to_owned(), "b".to_owned()].into(),
        };
        assert!(!schedule.observe(WorkItem::Namespace("shop".into()), Some(split), zero));
        assert_eq!(schedule.next(), None);
    }
}
