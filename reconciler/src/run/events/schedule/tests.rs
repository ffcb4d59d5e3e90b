//! When events are due.

mod model;

use super::*;
use crate::run::events::EventReason;
use crate::run::token_bucket::TokenBucket;
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

/// A schedule that knows that nothing was said before.
fn leading() -> Schedule {
    let mut schedule = Schedule::new(true);
    begin_term(&mut schedule, Recalled::new(), Instant::now());
    schedule
}

fn begin_term(schedule: &mut Schedule, recalled: Recalled, now: Instant) {
    schedule.begin_term();
    let term = schedule.recalling().unwrap();
    schedule.recall(term, recalled, now);
}

/// The events that are due, each of which ends so.
fn conclude_all(schedule: &mut Schedule, outcome: &Outcome, now: Instant) -> Vec<DueEvent> {
    let mut events = Vec::new();
    while let Some(event) = schedule.due(now) {
        schedule.conclude(&event, outcome, now);
        events.push(event);
    }
    events
}

fn send(schedule: &mut Schedule, now: Instant) -> Vec<EventReason> {
    let sent = conclude_all(schedule, &Outcome::Sent, now).into_iter();
    sent.map(|event| event.message.reason).collect()
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

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
fn reports(#[case] observed: &[(u64, Option<Condition>)], #[case] expected: &[(u64, EventReason)]) {
    let zero = Instant::now();
    let mut schedule = leading();
    let mut observed = observed.iter().peekable();
    let mut reported = Vec::new();
    for second in 0..3600 {
        let now = zero + Duration::from_secs(second);
        while let Some((_, condition)) = observed.next_if(|(at, _)| *at == second) {
            schedule.observe(cart(), condition.clone(), now);
        }
        let sent = send(&mut schedule, now).into_iter();
        reported.extend(sent.map(|reason| (second, reason)));
    }
    assert_eq!(reported, expected);
}

#[test]
fn a_condition_that_comes_and_goes_is_reported_at_a_limited_rate_and_correctly_in_the_end() {
    let zero = Instant::now();
    let mut schedule = leading();
    let mut reported = Vec::new();
    for second in 0..1200 {
        let now = zero + seconds(second);
        if second < 600 {
            let condition = (second % 2 == 0).then(|| conflict(A_B));
            schedule.observe(cart(), condition, now);
        }
        reported.extend(send(&mut schedule, now));
    }
    assert!(reported.len() <= 6 + 10 + 1, "{}", reported.len());
    assert_eq!(reported.last(), Some(&Resolved));
}

#[test]
fn a_condition_that_has_ended_is_forgotten_in_time() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    assert_eq!(send(&mut schedule, zero), [Detected]);
    schedule.observe(cart(), None, zero);
    assert_eq!(send(&mut schedule, zero), [Resolved]);
    assert_eq!(schedule.next(), Some(zero + REPEAT_INTERVAL));
    assert_eq!(send(&mut schedule, zero + REPEAT_INTERVAL), []);
    assert_eq!(schedule.next(), None);
    assert!(schedule.entries.is_empty());
}

#[test]
fn a_condition_that_ends_before_it_is_reported_is_not_reported() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    schedule.observe(cart(), None, zero);
    assert_eq!(schedule.next(), None);
    assert!(schedule.entries.is_empty());
}

#[test]
fn only_the_first_event_may_exist_already() {
    let zero = Instant::now();
    let mut schedule = leading();
    let mut may_exist = |condition| {
        schedule.observe(cart(), condition, zero);
        let sent = conclude_all(&mut schedule, &Outcome::Sent, zero);
        sent.first().map(|event| event.may_exist)
    };
    assert_eq!(may_exist(Some(conflict(A_B))), Some(true));
    assert_eq!(may_exist(None), Some(false));
    assert_eq!(may_exist(Some(conflict(A_B))), Some(false));
}

#[test]
fn an_event_from_before_a_restart_is_repeated_in_time() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    conclude_all(&mut schedule, &Outcome::Exists(seconds(400)), zero);
    assert_eq!(schedule.next(), Some(zero + seconds(200)));
}

#[test]
fn what_a_standby_observes_is_no_knowledge() {
    let zero = Instant::now();
    let mut schedule = Schedule::new(true);
    assert!(!schedule.observe(cart(), Some(conflict(A_B)), zero));
    begin_term(&mut schedule, Recalled::new(), zero);
    assert_eq!(send(&mut schedule, zero), []);
}

#[test]
fn what_was_observed_in_another_term_is_forgotten() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    let due = schedule.due(zero).unwrap();
    schedule.end_term();
    assert_eq!((schedule.next(), schedule.due(zero)), (None, None));
    begin_term(&mut schedule, Recalled::new(), zero);
    assert_eq!(schedule.next(), None);
    // Whatever came of the event of the earlier term: this one has found it out for itself.
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    schedule.conclude(&due, &Outcome::Sent, zero);
    assert_eq!(send(&mut schedule, zero), [Detected]);
}

#[test]
fn nothing_is_due_before_it_is_known_what_was_said() {
    let zero = Instant::now();
    let mut schedule = Schedule::new(true);
    schedule.begin_term();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    assert_eq!(schedule.due(zero), None);
    let term = schedule.recalling().unwrap();
    schedule.recall(term - 1, Recalled::new(), zero);
    assert_eq!(schedule.due(zero), None, "that was found out too late");
    schedule.recall(term, Recalled::new(), zero);
    assert_eq!(send(&mut schedule, zero), [Detected]);
}

/// What stood before this term, what is observed in it, and what is said at which second.
#[rstest]
#[case::it_lasts(Some(conflict(A_B)), Some(conflict(A_B)), &[(200, Detected)])]
#[case::it_ended_in_between(Some(conflict(A_B)), None, &[(0, Resolved)])]
#[case::other_meshes(Some(conflict(A_B)), Some(conflict(&["a", "c"])), &[(0, Detected)])]
#[case::another_condition(Some(conflict(A_B)), Some(foreign()), &[(0, Resolved), (0, Foreign)])]
#[case::it_had_ended_and_begins_anew(None, Some(conflict(A_B)), &[(0, Detected)])]
#[case::it_had_ended(None, None, &[])]
#[case::an_end_without_an_event(Some(foreign()), None, &[])]
#[case::what_does_not_repeat_lasts(Some(foreign()), Some(foreign()), &[])]
fn l10_across_terms(
    #[case] stood: Option<Condition>,
    #[case] observed: Option<Condition>,
    #[case] expected: &[(u64, EventReason)],
    #[values(false, true)] observed_first: bool,
) {
    let zero = Instant::now();
    let standing = stood.map(|condition| condition.announcement(&cart()));
    let recalled = Recalled::from([(cart(), (standing, zero + seconds(200)))]);
    let mut schedule = Schedule::new(true);
    schedule.begin_term();
    let term = schedule.recalling().unwrap();
    if observed_first {
        schedule.observe(cart(), observed.clone(), zero);
    }
    schedule.recall(term, recalled, zero);
    let mut reported = Vec::new();
    for second in 0..600 {
        let now = zero + seconds(second);
        for about in schedule.ask_for(now) {
            schedule.observe(about, observed.clone(), now);
        }
        if !observed_first && second == 0 {
            schedule.observe(cart(), observed.clone(), now);
        }
        let sent = send(&mut schedule, now).into_iter();
        reported.extend(sent.map(|reason| (second, reason)));
    }
    assert_eq!(reported, expected);
}

#[test]
fn what_stands_and_is_not_observed_is_asked_for_until_it_is() {
    let zero = Instant::now();
    let standing = Some(conflict(A_B).announcement(&cart()));
    let mut schedule = Schedule::new(true);
    begin_term(&mut schedule, [(cart(), (standing, zero))].into(), zero);
    assert_eq!(schedule.ask_for(zero), [cart()]);
    assert_eq!(schedule.ask_for(zero), []);
    assert_eq!(schedule.next(), Some(zero + LOOK_INTERVAL));
    assert_eq!(schedule.ask_for(zero + LOOK_INTERVAL), [cart()]);
    assert_eq!(send(&mut schedule, zero + LOOK_INTERVAL), []);
    schedule.forget(&cart());
    assert_eq!(schedule.next(), None, "not its business");
}

#[test]
fn a_change_goes_before_a_repetition() {
    let zero = Instant::now();
    let mut schedule = leading();
    let shop = WorkItem::Namespace("shop".into());
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    assert_eq!(send(&mut schedule, zero), [Detected]);
    let late = zero + REPEAT_INTERVAL * 2;
    schedule.observe(shop.clone(), Some(conflict(A_B)), late);
    let due = conclude_all(&mut schedule, &Outcome::Sent, late).into_iter();
    let about: Vec<_> = due.map(|event| event.about).collect();
    assert_eq!(about, [shop, cart()]);
}

#[rstest]
#[case::refused(Outcome::Refused, &[1, 3, 7, 15])]
#[case::forbidden(Outcome::Forbidden, &[1, 3, 7, 15])]
#[case::no_namespace(Outcome::NamespaceGone, &[1, 3, 7, 15])]
#[case::rejected(Outcome::Rejected, &[600, 1200, 1800])]
fn l15_an_event_that_is_refused_is_tried_ever_more_slowly(
    #[case] outcome: Outcome,
    #[case] at_the_latest: &[u64],
) {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    let mut tried = Vec::new();
    for second in 0..24 * 3600 {
        let now = zero + seconds(second);
        let due = conclude_all(&mut schedule, &outcome, now);
        tried.extend(due.iter().map(|_| second));
    }
    for (tried, latest) in tried.iter().skip(1).zip(at_the_latest) {
        assert!(tried <= latest, "{tried} {latest}");
    }
    let pause = tried[tried.len() - 1] - tried[tried.len() - 2];
    assert!((450..=900).contains(&pause), "{pause}");
    let end = zero + seconds(25 * 3600);
    assert_eq!(send(&mut schedule, end), [Detected], "it is never lost");
}

#[test]
fn a_rejected_event_is_tried_again_when_its_condition_changes() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    let due = conclude_all(&mut schedule, &Outcome::Rejected, zero);
    assert!(!due[0].was_rejected);
    assert_eq!(schedule.next(), Some(zero + REPEAT_INTERVAL));
    schedule.observe(cart(), Some(conflict(&["a", "c"])), zero);
    assert_eq!(send(&mut schedule, zero), [Detected]);
}

#[test]
fn a_change_shortens_no_backoff() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    conclude_all(
        &mut schedule,
        &Outcome::Unanswered {
            until: zero + seconds(30),
        },
        zero,
    );
    schedule.observe(cart(), Some(conflict(&["a", "c"])), zero);
    assert_eq!(schedule.next(), Some(zero + seconds(30)));
}

#[test]
fn where_events_are_forbidden_one_is_tried_and_the_others_wait() {
    let zero = Instant::now();
    let mut schedule = leading();
    let about = |namespace: &str, number| {
        let workload = format!("w{number}");
        WorkItem::Workload(Key {
            namespace: namespace.into(),
            workload,
        })
    };
    for number in 0..1000 {
        schedule.observe(about("shop", number), Some(conflict(A_B)), zero);
    }
    let mut tried = 0;
    for second in 0..3600 {
        let now = zero + seconds(second);
        while let Some(event) = schedule.due(now) {
            schedule.conclude(&event, &Outcome::Forbidden, now);
            tried += 1;
        }
    }
    assert!((10..=20).contains(&tried), "{tried}");
    let later = zero + seconds(2 * 3600);
    schedule.observe(about("other", 0), Some(conflict(A_B)), later);
    let mut sent = 0;
    while schedule.next().is_some_and(|next| next <= later) {
        sent += send(&mut schedule, later).len();
    }
    assert_eq!(sent, 1001, "none is lost when the grant comes");
}

#[test]
fn an_unanswered_event_is_completed_before_anything_else_is_said() {
    let zero = Instant::now();
    let until = zero + seconds(5);
    let attempt = Attempt::new(jiff::Timestamp::UNIX_EPOCH);
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    let due = schedule.due(zero).unwrap();
    schedule.attempting(&due, attempt.clone());
    schedule.conclude(&due, &Outcome::Unanswered { until }, zero);
    schedule.observe(cart(), None, zero);
    assert_eq!(schedule.due(zero), None);
    let again = schedule.due(until).unwrap();
    assert_eq!(again.message, due.message);
    assert_eq!(again.attempt, Some(attempt));
    assert_eq!(send(&mut schedule, until), [Detected, Resolved]);
}

#[test]
fn an_event_that_was_refused_is_not_half_known() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    let due = schedule.due(zero).unwrap();
    schedule.attempting(&due, Attempt::new(jiff::Timestamp::UNIX_EPOCH));
    schedule.conclude(&due, &Outcome::Refused, zero);
    schedule.observe(cart(), None, zero);
    assert!(schedule.entries.is_empty(), "it was never said");
}

#[test]
fn with_its_namespace_all_that_was_said_is_gone() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    assert_eq!(send(&mut schedule, zero), [Detected]);
    schedule.observe(cart(), None, zero);
    assert_eq!(
        conclude_all(&mut schedule, &Outcome::NamespaceGone, zero).len(),
        1
    );
    assert!(
        schedule.entries.is_empty(),
        "there is nobody to tell of the end"
    );
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    assert_eq!(send(&mut schedule, zero), [Detected], "made anew");
}

#[test]
fn a_forgotten_condition_has_not_ended() {
    let zero = Instant::now();
    let mut schedule = leading();
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    assert_eq!(send(&mut schedule, zero), [Detected]);
    schedule.forget(&cart());
    assert_eq!(schedule.next(), None);
    schedule.observe(cart(), None, zero);
    assert_eq!(send(&mut schedule, zero), []);
    schedule.observe(cart(), Some(conflict(A_B)), zero);
    assert!(schedule.due(zero).unwrap().may_exist);
}

#[test]
fn l11_split_namespaces_can_be_left_out() {
    let zero = Instant::now();
    let shop = WorkItem::Namespace("shop".into());
    let split = Condition::Split {
        meshes: ["a".to_owned(), "b".to_owned()].into(),
    };
    let standing = Some(split.announcement(&shop));
    let mut schedule = Schedule::new(false);
    begin_term(
        &mut schedule,
        [(shop.clone(), (standing, zero))].into(),
        zero,
    );
    assert!(!schedule.observe(shop, Some(split), zero));
    assert_eq!(schedule.next(), None);
}
