//! L10 with two replicas: each episode is announced once, whoever leads.

use std::sync::atomic::Ordering;

use super::*;

const DETECTED: &str = "MultipleMeshesDetected";
const RESOLVED: &str = "MultipleMeshesResolved";

const MINUTE: Duration = Duration::from_secs(60);

/// Two replicas, of which the first leads.
fn replicas(fake: &FakeApiServer) -> (RunningPublisher, RunningPublisher) {
    let first = RunningPublisher::leading(fake);
    (first, RunningPublisher::named(fake, "pod-1", &[]))
}

/// The second leads from now on.
async fn take_over(from: &RunningPublisher, to: &RunningPublisher) {
    from.lose();
    tokio::time::sleep(MINUTE).await;
    to.lead();
}

async fn soon() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

fn said(fake: &FakeApiServer) -> Vec<(String, i64)> {
    fake.said()
}

fn expect(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    let expected = expected.iter();
    expected
        .map(|(reason, count)| ((*reason).to_owned(), *count))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_conflict_lasts_while_the_leader_changes() {
    let fake = FakeApiServer::default();
    let (first, second) = replicas(&fake);
    let begun = Instant::now();
    first.conflict("cart");
    soon().await;
    take_over(&first, &second).await;
    second.conflict("cart");
    tokio::time::sleep(MINUTE * 8).await;
    assert_eq!(fake.verbs(), ["POST"], "not said again before its time");
    fake.until(|state| state.requests.len() == 4).await;
    assert_eq!(begun.elapsed().as_secs(), REPEAT_INTERVAL.as_secs());
    assert_eq!(said(&fake), expect(&[(DETECTED, 2)]));
}

/// The first announces a conflict. Then it ends, and begins perhaps anew, under either replica or under
/// none.
#[rstest]
#[case::in_step(0)]
#[case::the_second_clock_is_ahead(3_600)]
#[case::the_second_clock_is_behind(-3_600)]
#[tokio::test(start_paused = true)]
async fn it_ends_and_begins_anew(
    #[case] ahead: i64,
    #[values(false, true)] ends_under_the_first: bool,
    #[values(false, true)] begins_anew: bool,
) {
    let fake = FakeApiServer::default();
    let (first, second) = replicas(&fake);
    second.ahead.store(ahead, Ordering::Relaxed);
    first.conflict("cart");
    soon().await;
    if ends_under_the_first {
        first.well("cart");
        soon().await;
        assert_eq!(said(&fake), expect(&[(DETECTED, 1), (RESOLVED, 1)]));
    }
    take_over(&first, &second).await;
    soon().await;
    let asked_for = if ends_under_the_first {
        vec![]
    } else {
        vec![about("cart")]
    };
    assert_eq!(second.looked_at(), asked_for);
    second.well("cart");
    soon().await;
    assert_eq!(said(&fake), expect(&[(DETECTED, 1), (RESOLVED, 1)]));
    if begins_anew {
        second.conflict("cart");
        soon().await;
        assert_eq!(said(&fake), expect(&[(RESOLVED, 1), (DETECTED, 2)]));
        // And the first, when it leads again, knows all of that.
        take_over(&second, &first).await;
        first.conflict("cart");
        soon().await;
        assert_eq!(said(&fake), expect(&[(RESOLVED, 1), (DETECTED, 2)]));
    } else {
        take_over(&second, &first).await;
        first.well("cart");
        tokio::time::sleep(REPEAT_INTERVAL * 2).await;
        assert_eq!(said(&fake), expect(&[(DETECTED, 1), (RESOLVED, 1)]));
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_observes_is_asked_for_until_somebody_does() {
    let fake = FakeApiServer::default();
    let (first, second) = replicas(&fake);
    first.conflict("cart");
    soon().await;
    take_over(&first, &second).await;
    tokio::time::sleep(MINUTE * 5).await;
    let asked = second.looked_at();
    assert!((4..=6).contains(&asked.len()), "{asked:?}");
    assert_eq!(said(&fake), expect(&[(DETECTED, 1)]), "it may last");
    second.well("cart");
    soon().await;
    assert_eq!(said(&fake), expect(&[(DETECTED, 1), (RESOLVED, 1)]));
    second.looked_at();
    tokio::time::sleep(MINUTE * 5).await;
    assert_eq!(second.looked_at(), []);
}

#[tokio::test(start_paused = true)]
async fn it_begins_while_nobody_leads() {
    let fake = FakeApiServer::default();
    let (first, second) = replicas(&fake);
    first.well("cart");
    take_over(&first, &second).await;
    second.conflict("cart");
    soon().await;
    assert_eq!(said(&fake), expect(&[(DETECTED, 1)]));
}

#[tokio::test(start_paused = true)]
async fn another_set_of_meshes_is_another_episode() {
    let fake = FakeApiServer::default();
    let (first, second) = replicas(&fake);
    let observe = |replica: &RunningPublisher, meshes: &[&str]| {
        let condition = Some(conflict_in(meshes));
        replica.recorder.observe(about("cart"), condition);
    };
    observe(&first, &["a", "b"]);
    soon().await;
    take_over(&first, &second).await;
    observe(&second, &["a", "c"]);
    soon().await;
    assert_eq!(said(&fake), expect(&[(DETECTED, 1), (DETECTED, 1)]));
    // Back to those of before, within ten minutes.
    take_over(&second, &first).await;
    observe(&first, &["a", "b"]);
    soon().await;
    assert_eq!(said(&fake), expect(&[(DETECTED, 1), (DETECTED, 2)]));
    first.well("cart");
    soon().await;
    let all = [(DETECTED, 1), (DETECTED, 2), (RESOLVED, 1)];
    assert_eq!(said(&fake), expect(&all));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_deleted_and_made_anew() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    soon().await;
    // It goes, and its events with it.
    fake.state(|state| {
        state.events.clear();
        state.script = [(403, terminating())].into();
    });
    running.well("cart");
    soon().await;
    assert_eq!(said(&fake), expect(&[]));
    running.conflict("cart");
    soon().await;
    assert_eq!(said(&fake), expect(&[(DETECTED, 1)]));
}

#[tokio::test(start_paused = true)]
async fn only_the_namespaces_that_are_looked_after_are_read() {
    let fake = FakeApiServer::default();
    let first = RunningPublisher::leading(&fake);
    first.conflict("cart");
    soon().await;
    first.lose();
    let second = RunningPublisher::named(&fake, "pod-1", &["till", "cellar"]);
    second.lead();
    soon().await;
    assert_eq!(second.looked_at(), []);
    let lists = fake.state(|state| std::mem::take(&mut state.lists));
    for (list, namespace) in lists[1..].iter().zip(["cellar", "till"]) {
        let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events?");
        assert!(list.starts_with(&path), "{list}");
    }
    let third = RunningPublisher::named(&fake, "pod-2", &["shop"]);
    third.lead();
    soon().await;
    assert_eq!(third.looked_at(), [about("cart")]);
}

/// Without the grant to list, or where lists always fail, it does without.
#[rstest]
#[case::forbidden(403, "Forbidden", 5)]
#[case::failing(500, "InternalError", 600)]
#[tokio::test(start_paused = true)]
async fn where_events_cannot_be_listed_they_are_sent_all_the_same(
    #[case] code: u16,
    #[case] reason: &str,
    #[case] patience: u64,
) {
    let fake = FakeApiServer::default();
    fake.state(|state| state.no_lists = Some((code, status(code, reason))));
    let (first, second) = replicas(&fake);
    first.conflict("cart");
    tokio::time::sleep(Duration::from_secs(patience)).await;
    assert_eq!(said(&fake), expect(&[(DETECTED, 1)]));
    let (from, lists) = (Instant::now(), fake.state(|state| state.lists.len()));
    first.lose();
    second.lead();
    second.conflict("cart");
    second.conflict("till");
    tokio::time::sleep(Duration::from_secs(patience)).await;
    let lists = fake.state(|state| state.lists.len()) - lists;
    assert!((1..=10).contains(&lists), "{lists}");
    // An event that is there is enough until its time comes.
    assert!(from.elapsed() < REPEAT_INTERVAL + MINUTE);
    let cart = fake.state(|state| state.events.values().next().cloned().unwrap());
    assert!(cart["series"]["count"].as_i64().unwrap_or(1) <= 2);
    assert_eq!(fake.state(|state| state.events.len()), 2);
}
