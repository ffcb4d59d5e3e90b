//! When to say what: at the edges, and now and then while it lasts (L10).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{Condition, Message, Subject};

/// What lasts is said again after this time.
pub const REPEAT: Duration = Duration::from_secs(10 * 60);
/// Something that comes and goes is said this often at once ...
const BURST: u32 = 6;
/// ... and then once in this time.
const EVERY: Duration = Duration::from_secs(60);

/// Something to be said now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Of what.
    pub subject: Subject,
    /// What.
    pub message: Message,
    /// Whether another process, or this one in an earlier term, may have said it already: then an
    /// event that is there, and younger than [`REPEAT`] or not to be repeated, is enough.
    pub perhaps_said: bool,
    /// Whether it is said again while it lasts.
    pub repeats: bool,
}

/// What was seen, what was said, and what is to be said.
#[derive(Debug)]
pub struct Reports {
    warn_split_namespaces: bool,
    entries: BTreeMap<Subject, Entry>,
    agenda: BTreeSet<(Instant, Subject)>,
}

#[derive(Debug)]
struct Entry {
    /// As it stands.
    seen: Option<Condition>,
    /// As it was said.
    said: Option<Condition>,
    /// When that was, if at all.
    last: Option<Instant>,
    /// When all that was said would be paid for, at one in [`EVERY`].
    paid: Instant,
    /// Its place in the agenda.
    next: Option<Instant>,
}

impl Entry {
    /// When to look at it next.
    fn due(&self) -> Option<Instant> {
        if self.seen != self.said {
            let credit = EVERY * (BURST - 1);
            return Some(self.paid.checked_sub(credit).unwrap_or(self.paid));
        }
        match &self.seen {
            Some(condition) if !condition.repeats() => None,
            // What has ended is remembered for as long, so that its return is news.
            _ => self.last.map(|last| last + REPEAT),
        }
    }
}

impl Reports {
    /// Nothing was seen and nothing said.
    pub fn new(warn_split_namespaces: bool) -> Self {
        Self {
            warn_split_namespaces,
            entries: BTreeMap::new(),
            agenda: BTreeSet::new(),
        }
    }

    /// This is how something stands; none is well. Answers whether that is news.
    pub fn observe(
        &mut self,
        subject: Subject,
        condition: Option<Condition>,
        now: Instant,
    ) -> bool {
        if matches!(condition, Some(Condition::Split { .. })) && !self.warn_split_namespaces {
            return false;
        }
        let Some(entry) = self.entries.get_mut(&subject) else {
            if condition.is_none() {
                return false;
            }
            let entry = Entry {
                seen: condition,
                said: None,
                last: None,
                paid: now,
                next: None,
            };
            self.entries.insert(subject.clone(), entry);
            self.plan(subject);
            return true;
        };
        if entry.seen == condition {
            return false;
        }
        let was_never_said = entry.said.is_none() && entry.last.is_none();
        entry.seen = condition;
        if entry.seen.is_none() && was_never_said {
            self.forget(&subject);
        } else {
            self.plan(subject);
        }
        true
    }

    /// When something is to be said next, if nothing happens until then.
    pub fn next(&self) -> Option<Instant> {
        self.agenda.first().map(|(next, _)| *next)
    }

    /// What is to be said now. It is taken as said.
    pub fn due(&mut self, now: Instant) -> Vec<Report> {
        let mut reports = Vec::new();
        while self.next().is_some_and(|next| next <= now) {
            let Some((_, subject)) = self.agenda.pop_first() else {
                break;
            };
            let Some(entry) = self.entries.get_mut(&subject) else {
                continue;
            };
            entry.next = None;
            if entry.seen.is_none() && entry.said.is_none() {
                self.entries.remove(&subject);
                continue;
            }
            let perhaps_said = entry.last.is_none();
            let messages = spoken(&subject, entry.said.as_ref(), entry.seen.as_ref());
            reports.extend(messages.map(|message| Report {
                subject: subject.clone(),
                message,
                perhaps_said,
                repeats: entry.seen.as_ref().is_some_and(Condition::repeats),
            }));
            if entry.seen != entry.said {
                entry.paid = entry.paid.max(now) + EVERY;
            }
            entry.said.clone_from(&entry.seen);
            entry.last = Some(now);
            self.plan(subject);
        }
        reports
    }

    /// It had been said already, this long ago.
    pub fn was_said(&mut self, subject: &Subject, age: Duration, now: Instant) {
        let Some(entry) = self.entries.get_mut(subject) else {
            return;
        };
        if entry.last.is_some() {
            entry.last = Some(now.checked_sub(age).unwrap_or(now));
            self.plan(subject.clone());
        }
    }

    /// Another speaks from now on: what was said is no longer known.
    pub fn fall_silent(&mut self, now: Instant) {
        self.agenda.clear();
        self.entries.retain(|_, entry| entry.seen.is_some());
        for (subject, entry) in &mut self.entries {
            (entry.said, entry.last, entry.paid, entry.next) = (None, None, now, Some(now));
            self.agenda.insert((now, subject.clone()));
        }
    }

    /// Nothing is known of it any more, not even that it has ended.
    pub fn forget(&mut self, subject: &Subject) {
        let entry = self.entries.remove(subject);
        if let Some(next) = entry.and_then(|entry| entry.next) {
            self.agenda.remove(&(next, subject.clone()));
        }
    }

    fn plan(&mut self, subject: Subject) {
        let Some(entry) = self.entries.get_mut(&subject) else {
            return;
        };
        if let Some(next) = entry.next.take() {
            self.agenda.remove(&(next, subject.clone()));
        }
        entry.next = entry.due();
        if let Some(next) = entry.next {
            self.agenda.insert((next, subject));
        }
    }
}

/// The words for a step from one to the other, or for one that lasts.
fn spoken(
    subject: &Subject,
    said: Option<&Condition>,
    seen: Option<&Condition>,
) -> impl Iterator<Item = Message> {
    let ended = match (said, seen) {
        (Some(said), Some(seen)) if said.is_like(seen) => None,
        (said, _) => said.and_then(|said| said.ended(subject)),
    };
    let begun = seen.map(|seen| seen.begun(subject));
    ended.into_iter().chain(begun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::events::Reason;
    use kuma_workload_rulebook::{identifier::NameFault, roster::Key};
    use rstest::rstest;

    const A_B: &[&str] = &["a", "b"];

    fn cart() -> Subject {
        Subject::Workload(Key {
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

    use Reason::{
        InvalidWorkloadName as Invalid, MultipleMeshesDetected as Detected,
        MultipleMeshesResolved as Resolved, WorkloadManagedByAnother as Foreign,
    };

    /// What is seen at which second, and what is said at which, until an hour has passed.
    #[rstest]
    #[case::well(&[(0, None)], &[])]
    #[case::once_until_it_changes(&[(5, Some(foreign()))], &[(5, Foreign)])]
    #[case::a_bad_name_is_said_once(&[(5, Some(invalid())), (9, Some(invalid()))], &[(5, Invalid)])]
    #[case::lasts(
        &[(5, Some(conflict(A_B)))],
        &[(5, Detected), (605, Detected), (1205, Detected), (1805, Detected), (2405, Detected), (3005, Detected)]
    )]
    #[case::seen_again_is_no_news(
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
    #[case::nobody_asked_for_an_end(&[(5, Some(foreign())), (6, None)], &[(5, Foreign)])]
    fn said(#[case] seen: &[(u64, Option<Condition>)], #[case] expected: &[(u64, Reason)]) {
        let zero = Instant::now();
        let mut reports = Reports::new(true);
        let mut seen = seen.iter().peekable();
        let mut said = Vec::new();
        for second in 0..3600 {
            let now = zero + Duration::from_secs(second);
            while let Some((_, condition)) = seen.next_if(|(at, _)| *at == second) {
                reports.observe(cart(), condition.clone(), now);
            }
            let due = reports.due(now);
            said.extend(due.iter().map(|report| (second, report.message.reason)));
        }
        assert_eq!(said, expected);
    }

    #[test]
    fn what_comes_and_goes_is_said_with_restraint_and_right_in_the_end() {
        let zero = Instant::now();
        let mut reports = Reports::new(true);
        let mut said = Vec::new();
        for second in 0..1200 {
            let now = zero + Duration::from_secs(second);
            if second < 600 {
                let condition = (second % 2 == 0).then(|| conflict(A_B));
                reports.observe(cart(), condition, now);
            }
            said.extend(
                reports
                    .due(now)
                    .into_iter()
                    .map(|report| report.message.reason),
            );
        }
        assert!(said.len() <= 6 + 10 + 1, "{}", said.len());
        assert_eq!(said.last(), Some(&Resolved));
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let zero = Instant::now();
        let mut reports = Reports::new(true);
        reports.observe(cart(), Some(conflict(A_B)), zero);
        reports.due(zero);
        reports.observe(cart(), None, zero);
        reports.due(zero);
        assert_eq!(reports.next(), Some(zero + REPEAT));
        reports.due(zero + REPEAT);
        assert_eq!(reports.next(), None);
        assert!(reports.entries.is_empty());
    }

    #[test]
    fn what_was_over_before_it_was_said_is_not_said() {
        let zero = Instant::now();
        let mut reports = Reports::new(true);
        reports.observe(cart(), Some(conflict(A_B)), zero);
        reports.observe(cart(), None, zero);
        assert_eq!(reports.next(), None);
        assert!(reports.entries.is_empty());
    }

    #[test]
    fn what_begins_is_perhaps_said_and_what_follows_is_not() {
        let zero = Instant::now();
        let mut reports = Reports::new(true);
        let mut perhaps = |condition| {
            reports.observe(cart(), condition, zero);
            reports.due(zero).first().map(|report| report.perhaps_said)
        };
        assert_eq!(perhaps(Some(conflict(A_B))), Some(true));
        assert_eq!(perhaps(None), Some(false));
        assert_eq!(perhaps(Some(conflict(A_B))), Some(false));
    }

    #[test]
    fn what_was_said_before_a_restart_is_repeated_in_its_time() {
        let zero = Instant::now() + REPEAT;
        let mut reports = Reports::new(true);
        reports.observe(cart(), Some(conflict(A_B)), zero);
        reports.due(zero);
        reports.was_said(&cart(), Duration::from_secs(400), zero);
        assert_eq!(reports.next(), Some(zero + Duration::from_secs(200)));
    }

    #[test]
    fn a_second_term_begins_with_what_is() {
        let zero = Instant::now();
        let mut reports = Reports::new(true);
        let ended = Subject::Namespace("shop".into());
        reports.observe(cart(), Some(conflict(A_B)), zero);
        reports.observe(ended.clone(), Some(conflict(A_B)), zero);
        assert_eq!(reports.due(zero).len(), 2);
        reports.observe(ended, None, zero);
        reports.fall_silent(zero);
        let due = reports.due(zero);
        assert_eq!(due.len(), 1, "the other leader has said that it ended");
        assert!(due[0].perhaps_said);
    }

    #[test]
    fn what_is_no_longer_looked_after_has_not_ended() {
        let zero = Instant::now();
        let mut reports = Reports::new(true);
        reports.observe(cart(), Some(conflict(A_B)), zero);
        assert_eq!(reports.due(zero).len(), 1);
        reports.forget(&cart());
        assert_eq!(reports.next(), None);
        reports.observe(cart(), None, zero);
        assert_eq!(reports.due(zero), []);
        reports.observe(cart(), Some(conflict(A_B)), zero);
        assert!(reports.due(zero)[0].perhaps_said);
    }

    #[test]
    fn split_namespaces_can_be_left_out() {
        let zero = Instant::now();
        let mut reports = Reports::new(false);
        let split = Condition::Split {
            meshes: ["a".to_owned(), "b".to_owned()].into(),
        };
        assert!(!reports.observe(Subject::Namespace("shop".into()), Some(split), zero));
        assert_eq!(reports.next(), None);
    }
}
