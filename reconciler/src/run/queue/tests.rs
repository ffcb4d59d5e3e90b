use kuma_workload_rulebook::roster::Key;
use rstest::rstest;

use super::*;
use crate::run::metrics::WorkloadState;

const RESYNC: Duration = Duration::from_secs(300);

fn item(workload: &str) -> WorkItem {
    WorkItem::Workload(Key {
        namespace: "shop".into(),
        workload: workload.into(),
    })
}

fn start() -> (Queue, Instant) {
    let now = Instant::now();
    (Queue::new(RESYNC, 100, now), now)
}

fn after(now: Instant, millis: u64) -> Instant {
    now + Duration::from_millis(millis)
}

fn failure(kind: FailureKind, retry_after: Option<Duration>) -> WriteFailure {
    WriteFailure {
        kind,
        sentence: "it has failed".into(),
        retry_after,
        rejected: (kind == FailureKind::Rejected).then(|| RejectedChange::example(1)),
    }
}

impl Queue {
    /// Looks at the next item that is due.
    fn look(&mut self, next: Next, now: Instant) -> Arc<WorkItem> {
        let item = self.next_due(now).unwrap();
        self.settle(&item, None, next, now);
        item
    }

    /// An item becomes ready, is taken, and its write fails.
    fn fail(&mut self, name: &str, kind: FailureKind, now: Instant) -> Instant {
        self.enqueue(item(name), now);
        self.look(Next::Write(WriteKind::Object), now);
        let taken = self.next_write(now).unwrap();
        self.failed(&taken, failure(kind, None), now).unwrap()
    }
}

#[test]
fn l20_each_item_is_looked_at_once_in_the_resync_period() {
    let (mut queue, now) = start();
    for name in 0..300 {
        queue.enqueue(item(&name.to_string()), now);
    }
    while let Some(item) = queue.next_due(now) {
        queue.settle(&item, None, Next::Rest, now);
    }
    let mut looks = Vec::new();
    for second in 1..=600 {
        let now = after(now, second * 1_000);
        let mut count = 0;
        while let Some(item) = queue.next_due(now) {
            queue.settle(&item, None, Next::Rest, now);
            count += 1;
        }
        looks.push(count);
    }
    let (first, second) = looks.split_at(300);
    assert_eq!(first.iter().sum::<i32>(), 300);
    assert_eq!(first, second, "each has a moment of its own");
    assert!(
        *looks.iter().max().unwrap() < 10,
        "they are spread: {looks:?}"
    );
}

#[test]
fn a_change_during_a_write_is_looked_at_after_it() {
    let (mut queue, now) = start();
    queue.enqueue(item("web"), now);
    queue.look(Next::Write(WriteKind::Object), now);
    let taken = queue.next_write(now).unwrap();
    queue.enqueue(item("web"), now);
    assert_eq!(queue.next_due(now), None, "never twice at the same time");
    queue.written(&taken, true, now);
    assert_eq!(queue.next_due(now), Some(taken));
}

#[rstest]
#[case::unreachable(FailureKind::Unreachable, 10)]
#[case::busy(FailureKind::Busy, 60)]
#[case::stale(FailureKind::Stale, 60)]
#[case::no_namespace(FailureKind::NoNamespace, 60)]
#[case::refused(FailureKind::Refused, 15 * 60)]
#[case::panicked(FailureKind::Panicked, 15 * 60)]
fn l15_l22_the_backoff_doubles_up_to_its_bound(#[case] kind: FailureKind, #[case] longest: u64) {
    let (mut queue, mut now) = start();
    let mut pauses = Vec::new();
    for _ in 0..20 {
        let until = queue.fail("web", kind, now);
        pauses.push(until - now);
        now = until;
    }
    let longest = Duration::from_secs(longest);
    assert!(pauses[0] <= Duration::from_millis(250), "{pauses:?}");
    assert!(pauses[4] > pauses[0], "{pauses:?}");
    let last = pauses[19];
    assert!(longest / 2 <= last && last <= longest, "{pauses:?}");
}

#[test]
fn l22_a_change_is_looked_at_but_does_not_shorten_what_the_api_server_asks_for() {
    let (mut queue, now) = start();
    queue.enqueue(item("web"), now);
    queue.look(Next::Write(WriteKind::Numbers), now);
    let taken = queue.next_write(now).unwrap();
    let asked = Duration::from_secs(30);
    queue.failed(&taken, failure(FailureKind::Busy, Some(asked)), now);
    queue.enqueue(item("web"), after(now, 100));
    let looked_at = queue.next_due(after(now, 100)).unwrap();
    let change = RejectedChange::example(1);
    let held = queue.held(&looked_at, WriteKind::Object, &change, after(now, 100));
    assert_eq!(held, Some(now + asked));
    assert_eq!(
        queue.held(&looked_at, WriteKind::Object, &change, now + asked),
        None
    );
}

#[test]
fn l15_a_rejected_change_waits_for_an_hour_and_another_does_not() {
    let (mut queue, now) = start();
    let until = queue.fail("web", FailureKind::Rejected, now);
    assert_eq!(until - now, Duration::from_secs(60 * 60));
    let held = |queue: &Queue, version| {
        let change = RejectedChange::example(version);
        queue.held(&item("web"), WriteKind::Object, &change, after(now, 1_000))
    };
    assert_eq!(held(&queue, 1), Some(until));
    assert_eq!(held(&queue, 2), None, "the object has changed");
}

#[rstest]
#[case::two_webhooks(FailureKind::Busy, FailureKind::Refused)]
#[case::refused_and_changed(FailureKind::Refused, FailureKind::Stale)]
fn l22_failures_of_two_kinds_in_turn_become_slower(
    #[case] first: FailureKind,
    #[case] second: FailureKind,
) {
    let (mut queue, started) = start();
    let mut now = started;
    for _ in 0..10 {
        now = queue.fail("web", first, now);
        now = queue.fail("web", second, now);
    }
    let pause = now - started;
    assert!(
        pause > Duration::from_secs(60),
        "20 failures within {pause:?}"
    );
}

#[test]
fn l22_many_failures_of_one_kind_do_not_delay_the_first_of_another() {
    let (mut queue, mut now) = start();
    for _ in 0..20 {
        now = queue.fail("web", FailureKind::Unreachable, now);
    }
    let until = queue.fail("web", FailureKind::Refused, now);
    assert!(until - now <= Duration::from_millis(250));
}

#[test]
fn l22_labels_that_are_written_do_not_reset_the_backoff_of_numbers_nor_wait_for_it() {
    let (mut queue, started) = start();
    let (mut now, change) = (started, RejectedChange::example(1));
    for _ in 0..10 {
        queue.enqueue(item("web"), now);
        queue.look(Next::Write(WriteKind::Numbers), now);
        let taken = queue.next_write(now).unwrap();
        let until = queue.failed(&taken, failure(FailureKind::Refused, None), now);
        assert_eq!(queue.held(&taken, WriteKind::Object, &change, now), None);
        queue.enqueue(item("web"), now);
        queue.look(Next::Write(WriteKind::Object), now);
        let taken = queue.next_write(now).unwrap();
        queue.written(&taken, true, now);
        assert_eq!(queue.held(&taken, WriteKind::Numbers, &change, now), until);
        now = until.unwrap();
    }
    let pause = now - started;
    assert!(
        pause > Duration::from_secs(60),
        "10 failures within {pause:?}"
    );
}

#[rstest]
#[case::a_wish_to_wait(failure(FailureKind::Busy, Some(Duration::from_secs(30))))]
#[case::no_answer(failure(FailureKind::Unreachable, None))]
#[case::no_namespace(failure(FailureKind::NoNamespace, None))]
fn l22_what_concerns_the_whole_workload_holds_up_every_write_of_it(#[case] failure: WriteFailure) {
    let (mut queue, now) = start();
    queue.enqueue(item("web"), now);
    queue.look(Next::Write(WriteKind::Numbers), now);
    let taken = queue.next_write(now).unwrap();
    let until = queue.failed(&taken, failure, now);
    let change = RejectedChange::example(1);
    assert_eq!(queue.held(&taken, WriteKind::Object, &change, now), until);
}

#[test]
fn l22_only_success_resets_the_backoff() {
    let (mut queue, now) = start();
    queue.fail("web", FailureKind::Refused, now);
    let second = queue.fail("web", FailureKind::Refused, after(now, 1_000));
    // It comes and goes.
    queue.enqueue(item("web"), after(now, 1_001));
    queue.look(Next::Rest, after(now, 1_001));
    assert_eq!(queue.hold(&item("web")).unwrap().failures, 2);
    queue.look(Next::Rest, second);
    assert!(queue.hold(&item("web")).is_none(), "its time has passed");
    queue.fail("web", FailureKind::Refused, after(now, 5_000));
    queue.enqueue(item("web"), after(now, 6_000));
    queue.look(Next::Write(WriteKind::Object), after(now, 6_000));
    let taken = queue.next_write(after(now, 6_000)).unwrap();
    queue.written(&taken, true, after(now, 6_000));
    assert!(queue.hold(&item("web")).is_none());
}

#[test]
fn l22_objects_before_numbers_and_first_tries_before_repeats() {
    let (mut queue, now) = start();
    queue.fail("repeated", FailureKind::Unreachable, now);
    let until = queue.fail("repeated", FailureKind::Busy, now);
    for (name, kind) in [
        ("numbers", WriteKind::Numbers),
        ("repeated", WriteKind::Object),
        ("object", WriteKind::Object),
    ] {
        queue.enqueue(item(name), until);
        let due = queue.next_due(until).unwrap();
        queue.settle(&due, None, Next::Write(kind), until);
    }
    let order: Vec<_> = (0..3).map(|_| queue.next_write(until).unwrap()).collect();
    let names = ["object", "repeated", "numbers"].map(item);
    assert!(order.iter().map(|item| &**item).eq(&names), "{order:?}");
    assert_eq!(queue.next_write(until), Err(None));
}

/// More items are ready than can be written. How many are written in ten seconds, after one second?
#[rstest]
#[case::first_tries(false, 1_200)]
#[case::repeats(true, 300)]
fn l22_writes_have_one_rate_and_repeats_a_quarter_of_it(#[case] fail: bool, #[case] expected: i32) {
    let (mut queue, now) = start();
    for number in 0..2_000 {
        queue.enqueue(item(&number.to_string()), now);
        let due = queue.next_due(now).unwrap();
        if fail {
            queue.failed(&due, failure(FailureKind::Refused, None), now);
        }
        queue.settle(&due, None, Next::Write(WriteKind::Object), now);
    }
    let mut written = 0;
    for millis in (1_000..11_000).step_by(10) {
        while let Ok(taken) = queue.next_write(after(now, millis)) {
            queue.settle(&taken, None, Next::Rest, after(now, millis));
            written += 1;
        }
    }
    assert!(
        (expected - 10..=expected + 10).contains(&written),
        "{written}"
    );
}

#[test]
fn a_namespace_that_is_back_lifts_what_waited_for_it() {
    let (mut queue, now) = start();
    let of_namespace = queue.fail("web", FailureKind::NoNamespace, now);
    let refused = queue.fail("api", FailureKind::Refused, now);
    assert!(of_namespace > now && refused > now);
    queue.enqueue_namespace("shop", now);
    let change = RejectedChange::example(1);
    assert_eq!(
        queue.held(&item("web"), WriteKind::Object, &change, now),
        None
    );
    assert_eq!(
        queue.held(&item("api"), WriteKind::Object, &change, now),
        Some(refused)
    );
}

#[test]
fn all_items_in_slices_and_in_order() {
    let (mut queue, now) = start();
    for name in ["a", "b", "c", "d", "e"] {
        queue.enqueue(item(name), now);
        queue.look(Next::Rest, now);
    }
    let last = queue.enqueue_after(None, 2, now);
    assert_eq!(last.as_deref(), Some(&item("b")));
    let last = queue.enqueue_after(last.as_ref(), 2, now);
    let last = queue.enqueue_after(last.as_ref(), 2, now);
    assert_eq!(last, None);
    assert_eq!(queue.depth(), 5);
}

#[test]
fn totals_follow_the_looks() {
    let (mut queue, now) = start();
    let state = |state| Some(ItemState::Workload(state));
    queue.enqueue(item("web"), now);
    let web = queue.next_due(now).unwrap();
    queue.settle(&web, state(WorkloadState::Orphan), Next::Rest, now);
    assert_eq!(queue.totals().conflicts(), 1);
    queue.settle(&web, state(WorkloadState::Managed), Next::Rest, now);
    assert_eq!(queue.totals().conflicts(), 0);
    assert_eq!(queue.totals().workloads[&WorkloadState::Managed], 1);
    queue.settle(&web, None, Next::Forget, now);
    assert_eq!(queue.totals().workloads[&WorkloadState::Managed], 0);
    assert_eq!(queue.due(), None);
}
