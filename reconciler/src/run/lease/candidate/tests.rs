use std::time::Duration;

use super::*;
use k8s_openapi::{
    api::coordination::v1::LeaseSpec, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use rstest::rstest;

const ME: &str = "me";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn timing() -> Timing {
    Timing::new(seconds(15), seconds(10), seconds(2)).unwrap()
}

fn wall(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn lease(holder: &str, version: u64) -> Arc<Lease> {
    of_uid("a", holder, version)
}

fn of_uid(uid: &str, holder: &str, version: u64) -> Arc<Lease> {
    Arc::new(Lease {
        metadata: ObjectMeta {
            name: Some("kuma-workload".into()),
            uid: Some(uid.into()),
            resource_version: Some(version.to_string()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: (holder != "nobody").then(|| holder.into()),
            lease_duration_seconds: Some(15),
            lease_transitions: Some(3),
            acquire_time: Some(MicroTime(wall(100))),
            // From a wall clock that has nothing to do with this one.
            renew_time: Some(MicroTime(wall(version.try_into().unwrap()))),
            ..LeaseSpec::default()
        }),
    })
}

/// What was observed or written.
enum Seen {
    Lease(&'static str, u64),
    Absent,
    /// A write of this replica that started a second before its answer.
    Wrote(u64),
    /// A Lease of another uid.
    Another(&'static str, u64),
    /// A write whose answer said that the Lease was made, started a second before.
    Made(u64),
    Failed,
    Stopped,
}
use Seen::{Absent, Another, Failed, Lease as There, Made, Stopped, Wrote};

#[derive(Debug, PartialEq)]
enum ExpectedStep {
    Read,
    Create,
    Replace,
    Done,
    /// Milliseconds.
    WaitUntil(u128),
}
use ExpectedStep::{Create, Done, Read, Replace, WaitUntil};

const SECOND: u128 = 1000;
/// The lease duration, and what clocks may differ by.
const EXPIRY: u128 = 15_375;

/// After this history, and this many seconds after its beginning: what is done, and for how many
/// seconds more this replica leads.
#[rstest]
#[case::nothing_seen(&[], 5, Read, 0)]
#[case::none_there(&[(1, Absent)], 1, Create, 0)]
#[case::released(&[(1, There("", 1))], 1, Replace, 0)]
#[case::held(&[(1, There("other", 1))], 1, WaitUntil(3 * SECOND), 0)]
#[case::to_be_looked_at_again(&[(1, There("other", 1))], 3, Read, 0)]
#[case::held_and_about_to_run_out(&[(1, There("other", 1)), (15, There("other", 1))], 15, WaitUntil(SECOND + EXPIRY), 0)]
#[case::run_out(&[(1, There("other", 1))], 17, Replace, 0)]
#[case::seen_again_unchanged_is_no_renewal(&[(1, There("other", 1)), (9, There("other", 1))], 17, Replace, 0)]
#[case::renewed_by_its_holder(&[(1, There("other", 1)), (9, There("other", 2))], 17, Read, 0)]
#[case::handed_over(&[(1, There("other", 1)), (9, There("third", 2))], 17, Read, 0)]
#[case::made_by_hand_without_a_holder(&[(1, There("nobody", 1))], 1, WaitUntil(3 * SECOND), 0)]
#[case::deleted_under_its_holder(&[(1, There("other", 1)), (9, Absent)], 9, Create, 0)]
#[case::deleted_after_release(&[(1, There("", 1)), (9, Absent)], 9, Create, 0)]
#[case::made_anew_as_it_was(&[(1, There("other", 1)), (9, Another("other", 1))], 17, Read, 0)]
#[case::ours_by_a_write_whose_answer_was_lost(&[(1, There("", 1)), (2, Failed), (3, There(ME, 2))], 3, Replace, 0)]
#[case::just_written(&[(1, There("", 1)), (5, Wrote(2))], 5, WaitUntil(6 * SECOND), 9)]
#[case::to_be_renewed(&[(1, There("", 1)), (5, Wrote(2))], 6, Replace, 8)]
#[case::deadline_from_the_start_of_the_request(&[(1, There("", 1)), (5, Wrote(2))], 14, Replace, 0)]
#[case::shortly_before(&[(1, There("", 1)), (5, Wrote(2))], 13, Replace, 1)]
#[case::not_renewed(&[(1, There("", 1)), (5, Wrote(2)), (6, Failed)], 6, Read, 8)]
#[case::taken_away(&[(1, There("", 1)), (5, Wrote(2)), (6, There("other", 3))], 6, WaitUntil(8 * SECOND), 0)]
#[case::deleted_while_we_lead(&[(1, There("", 1)), (5, Wrote(2)), (6, Absent)], 6, Create, 0)]
#[case::touched_by_others(&[(1, There("", 1)), (5, Wrote(2)), (6, There(ME, 3))], 7, Replace, 7)]
#[case::made(&[(1, Absent), (5, Made(2))], 5, WaitUntil(6 * SECOND), 0)]
#[case::made_and_renewed(&[(1, Absent), (5, Made(2)), (20, Wrote(3))], 20, WaitUntil(5 * SECOND + EXPIRY), 0)]
#[case::made_one_duration_ago(&[(1, Absent), (5, Made(2)), (20, Wrote(3))], 21, Replace, 8)]
#[case::made_but_not_renewed(&[(1, Absent), (5, Made(2))], 21, Replace, 0)]
#[case::made_by_a_write_whose_answer_was_lost(&[(1, Absent), (2, Failed), (5, There(ME, 2)), (20, Wrote(3))], 20, WaitUntil(5 * SECOND + EXPIRY), 0)]
#[case::made_late_by_a_write_that_was_given_up(&[(1, There("", 1)), (5, Wrote(2)), (6, Another(ME, 3))], 6, Replace, 0)]
#[case::stopped(&[(1, There("", 1)), (5, Wrote(2)), (6, Stopped)], 6, Read, 0)]
#[case::stopped_with_writes_under_way(&[(5, There("", 1)), (5, Wrote(2)), (6, Stopped), (6, There(ME, 2))], 6, WaitUntil(11 * SECOND), 0)]
#[case::to_be_released(&[(5, There("", 1)), (5, Wrote(2)), (6, Stopped), (6, There(ME, 2))], 11, Replace, 0)]
#[case::released_by_itself(&[(5, There("", 1)), (5, Wrote(2)), (6, Stopped), (11, There("", 3))], 11, Done, 0)]
#[case::stopped_as_standby(&[(5, There("other", 1)), (6, Stopped), (6, There("other", 1))], 6, Done, 0)]
#[case::stopped_without_a_lease(&[(5, Absent), (6, Stopped), (6, Absent)], 6, Done, 0)]
#[case::stopped_before_it_may_lead(&[(5, Absent), (5, Made(1)), (6, Stopped), (6, There(ME, 1))], 12, Done, 0)]
fn steps(
    #[case] history: &[(u64, Seen)],
    #[case] now: u64,
    #[case] expected: ExpectedStep,
    #[case] leads_for: u64,
) {
    let zero = Instant::now();
    let at = |after| zero + seconds(after);
    let mut candidate = LeaseCandidate::new(ME, timing());
    for (after, seen) in history {
        let now = at(*after);
        match *seen {
            There(holder, version) => candidate.observe(Some(lease(holder, version)), now),
            Another(holder, version) => candidate.observe(Some(of_uid("b", holder, version)), now),
            Absent => candidate.observe(None, now),
            Wrote(version) | Made(version) => {
                candidate.wrote(lease(ME, version), at(after - 1), now);
            }
            Failed => candidate.failed(),
            Stopped => candidate.stop(now + seconds(5)),
        }
    }
    let step = match candidate.step(at(now)) {
        LeaseStep::Read => Read,
        LeaseStep::Create => Create,
        LeaseStep::Replace => Replace,
        LeaseStep::Done => Done,
        LeaseStep::Wait(until) => WaitUntil((until - zero).as_millis()),
    };
    let until = candidate.leadership(at(now)).deadline();
    let leads = until.map_or(Duration::ZERO, |until| until - at(now));
    assert_eq!((step, leads), (expected, seconds(leads_for)));
}

/// Others see that it was renewed, even if the wall clock stands still or was set back.
#[rstest]
#[case::still(100)]
#[case::set_back(40)]
fn each_renewal_differs_from_all_before(#[case] second: i64) {
    let mut candidate = LeaseCandidate::new(ME, timing());
    let now = Instant::now();
    let mut seen = vec![lease(ME, 100)];
    candidate.wrote(seen[0].clone(), now, now);
    for _ in 0..3 {
        let next = Arc::new(candidate.draft(wall(second)));
        assert!(seen.iter().all(|before| before.spec != next.spec));
        candidate.wrote(next.clone(), now, now);
        seen.push(next);
    }
}

#[rstest]
#[case::longer_than_ours("other", Some(60), 61_500)]
#[case::ten_times_ours("other", Some(150), 153_750)]
#[case::more_than_ten_times_ours("other", Some(151), 153_750)]
#[case::for_68_years("other", Some(i32::MAX), 153_750)]
#[case::not_said("other", None, 15_375)]
#[case::nothing("other", Some(0), 15_375)]
#[case::nonsense("other", Some(-1), 15_375)]
#[case::said_by_nobody("nobody", Some(60), 15_375)]
#[case::for_68_years_by_nobody("nobody", Some(i32::MAX), 15_375)]
fn its_holder_says_how_long(
    #[case] holder: &str,
    #[case] promised: Option<i32>,
    #[case] expected: u64,
) {
    let now = Instant::now();
    let mut other = Arc::unwrap_or_clone(lease(holder, 1));
    other.spec.as_mut().unwrap().lease_duration_seconds = promised;
    let mut candidate = LeaseCandidate::new(ME, timing());
    candidate.observe(Some(Arc::new(other)), now);
    let expiry = now + Duration::from_millis(expected);
    assert_eq!(candidate.step(expiry - seconds(1)), LeaseStep::Read);
    assert_eq!(candidate.step(expiry), LeaseStep::Replace);
}

#[rstest]
#[case::created(None, 0, 900)]
#[case::taken_over(Some("other"), 4, 900)]
#[case::released_before(Some(""), 4, 900)]
#[case::made_by_hand(Some("nobody"), 4, 900)]
#[case::renewed(Some(ME), 3, 100)]
fn drafts(#[case] holder: Option<&str>, #[case] transitions: i32, #[case] acquired: i64) {
    let mut candidate = LeaseCandidate::new(ME, timing());
    let seen = holder.map(|holder| {
        let mut seen = Arc::unwrap_or_clone(lease(holder, 7));
        seen.metadata.labels = Some([("app".to_owned(), "x".to_owned())].into());
        seen
    });
    candidate.observe(seen.clone().map(Arc::new), Instant::now());
    let draft = candidate.draft(wall(900));
    assert_eq!(draft.metadata, seen.unwrap_or_default().metadata);
    assert_eq!(
        draft.spec,
        Some(LeaseSpec {
            holder_identity: Some(ME.into()),
            lease_duration_seconds: Some(15),
            lease_transitions: Some(transitions),
            acquire_time: Some(MicroTime(wall(acquired))),
            renew_time: Some(MicroTime(wall(900))),
            ..LeaseSpec::default()
        })
    );
}

#[test]
fn a_release_keeps_all_but_the_holder() {
    let mut candidate = LeaseCandidate::new(ME, timing());
    let now = Instant::now();
    candidate.observe(Some(lease("", 6)), now);
    candidate.stop(now);
    candidate.observe(Some(lease(ME, 7)), now);
    let released = candidate.draft(wall(900));
    let mut expected = Arc::unwrap_or_clone(lease(ME, 7));
    let spec = expected.spec.as_mut().unwrap();
    spec.holder_identity = Some(String::new());
    spec.renew_time = Some(MicroTime(wall(900)));
    assert_eq!(released, expected);
}
