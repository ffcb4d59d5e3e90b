//! The publisher with a fake API server that can fail.

mod fake;
mod outages;
mod running;
mod terms;

use http::Method;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kuma_workload_rulebook::roster::Key;
use rstest::rstest;
use serde_json::{Value, json};

use self::{
    fake::{FakeApiServer, status, terminating},
    running::RunningPublisher,
};
use super::*;
use crate::run::events::{Condition, reason::REPEAT_INTERVAL};

fn about(workload: &str) -> WorkItem {
    WorkItem::Workload(Key {
        namespace: "shop".into(),
        workload: workload.into(),
    })
}

fn conflict_in(meshes: &[&str]) -> Condition {
    let meshes = meshes.iter().map(|&mesh| mesh.to_owned()).collect();
    Condition::Conflict { meshes }
}

#[tokio::test(start_paused = true)]
async fn l9_the_event() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    fake.asked(1).await;
    let mut event = fake.only();
    assert!(event["eventTime"].take().is_string());
    let metadata = event["metadata"].as_object_mut().unwrap();
    assert_eq!(metadata.remove("resourceVersion"), Some(json!("1")));
    let expected = json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": { "name": "kuma-workload.344cb3d7f334f8ff", "namespace": "shop" },
        "eventTime": null,
        "type": "Warning",
        "reason": "MultipleMeshesDetected",
        "action": "Reconcile",
        "note": "Skipping Workload generation: namespace shop has pods in multiple meshes (2 meshes) for workload cart. This configuration is not supported.",
        "regarding": { "apiVersion": "v1", "kind": "Namespace", "name": "shop", "namespace": "shop" },
        "related": { "apiVersion": "kuma.io/v1alpha1", "kind": "Workload", "name": "cart", "namespace": "shop" },
        "reportingController": "kuma-workload",
        "reportingInstance": "pod-0",
    });
    assert_eq!(event, expected);
    let path = "/apis/events.k8s.io/v1/namespaces/shop/events".to_owned();
    assert_eq!(
        fake.state(|state| state.requests.clone()),
        [(Method::POST, path)]
    );
    assert_eq!(running.stop().await, (1, 0));
}

#[tokio::test(start_paused = true)]
async fn l10_while_a_condition_lasts_its_series_continues() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    fake.asked(1).await;
    let begun = Instant::now();
    fake.asked(4).await;
    assert_eq!(fake.verbs(), ["POST", "POST", "GET", "PATCH"]);
    assert_eq!(begun.elapsed().as_secs(), REPEAT_INTERVAL.as_secs());
    assert_eq!(fake.only()["series"]["count"], 2);
    fake.asked(7).await;
    assert_eq!(fake.only()["series"]["count"], 3);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn l10_the_end_is_an_event() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    fake.asked(1).await;
    running.recorder.observe(about("cart"), None);
    fake.asked(2).await;
    let types = fake.state(|state| {
        let of = |body: &Value| (body["type"].clone(), body["reason"].clone());
        of(&state.bodies[1])
    });
    assert_eq!(types, (json!("Normal"), json!("MultipleMeshesResolved")));
    running.stop().await;
}

#[rstest]
#[case::young(400, 200)]
#[case::of_a_clock_that_is_ahead(-60, 600)]
#[case::old(700, 0)]
#[tokio::test(start_paused = true)]
async fn l9_after_a_restart_the_last_time_is_read(#[case] age: i64, #[case] wait: u64) {
    let fake = FakeApiServer::default();
    let first = RunningPublisher::leading(&fake);
    first.conflict("cart");
    fake.asked(1).await;
    first.stop().await;
    let past = Timestamp::now() - SignedDuration::from_secs(age);
    fake.state(|state| {
        for event in state.events.values_mut() {
            event["eventTime"] = serde_json::to_value(MicroTime(past)).unwrap();
        }
    });

    let second = RunningPublisher::leading(&fake);
    second.conflict("cart");
    let begun = Instant::now();
    let patched = async {
        let mut asked = 1;
        while !fake.verbs().iter().any(|verb| verb == "PATCH") {
            asked += 1;
            fake.asked(asked).await;
        }
    };
    patched.await;
    let waited = begun.elapsed().as_secs();
    assert!((wait..=wait + 1).contains(&waited), "{waited}");
    assert_eq!(fake.only()["series"]["count"], 2);
    second.stop().await;
}

#[rstest]
#[case::server_error(500, "InternalError")]
#[case::not_granted_yet(403, "Forbidden")]
#[case::throttled(429, "TooManyRequests")]
#[case::timeout(504, "Timeout")]
#[tokio::test(start_paused = true)]
async fn a_failed_write_is_tried_again_and_no_event_is_lost(
    #[case] code: u16,
    #[case] reason: &str,
) {
    let fake = FakeApiServer::default();
    let answer = (code, status(code, reason));
    fake.state(|state| state.script = vec![answer; 7].into());
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    running.conflict("basket");
    fake.asked(9).await;
    assert_eq!(running.stop().await, (2, 0));
    assert_eq!(fake.state(|state| state.events.len()), 2);
}

#[rstest]
#[case::gone(404, status(404, "NotFound"), 0)]
#[case::terminating(403, terminating(), 0)]
#[case::not_acceptable(422, status(422, "Invalid"), 1)]
#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_written_is_dropped(
    #[case] code: u16,
    #[case] answer: Value,
    #[case] suppressed: u64,
) {
    let fake = FakeApiServer::default();
    fake.state(|state| state.script = [(code, answer)].into());
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    fake.asked(1).await;
    running.conflict("basket");
    fake.asked(2).await;
    assert_eq!(running.stop().await, (1, suppressed));
    assert_eq!(fake.verbs(), ["POST", "POST"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_expires_meanwhile_is_created_again() {
    let fake = FakeApiServer::default();
    fake.state(|state| {
        state.script = [
            (409, status(409, "AlreadyExists")),
            (404, status(404, "NotFound")),
        ]
        .into();
    });
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    fake.asked(3).await;
    assert_eq!(fake.verbs(), ["POST", "GET", "POST"]);
    fake.only();
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_standby_sends_no_events_and_what_it_observed_is_no_knowledge() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::start(&fake);
    running.conflict("cart");
    tokio::time::sleep(REPEAT_INTERVAL * 2).await;
    running.lead();
    tokio::time::sleep(REPEAT_INTERVAL * 2).await;
    assert_eq!(fake.verbs(), Vec::<String>::new());
    running.conflict("cart");
    fake.asked(1).await;
    running.lose();
    tokio::time::sleep(REPEAT_INTERVAL * 2).await;
    assert_eq!(fake.verbs(), ["POST"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_when_the_leadership_ends_during_a_backoff() {
    let fake = FakeApiServer::default();
    fake.state(|state| state.script = vec![(500, status(500, "InternalError")); 9].into());
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    fake.asked(1).await;
    running.leadership.send_replace(Leadership::STANDBY);
    tokio::time::sleep(REPEAT_INTERVAL).await;
    assert_eq!(fake.verbs(), ["POST"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_with_the_leadership_and_nothing_follows() {
    let fake = FakeApiServer::default();
    fake.state(|state| state.lost = 1);
    let running = RunningPublisher::leading(&fake);
    let end = Instant::now() + Duration::from_secs(4);
    running.leadership.send_replace(Leadership::until(end));
    running.conflict("cart");
    fake.asked(1).await;
    tokio::time::sleep(REPEAT_INTERVAL).await;
    assert_eq!(fake.verbs(), ["POST"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn waiting_events_are_sent_before_the_end() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    for workload in ["cart", "basket", "till"] {
        running.conflict(workload);
    }
    running.stop().await;
    assert_eq!(fake.verbs(), ["POST", "POST", "POST"]);
}

/// How many requests come within a second, in the worst one.
fn busiest_second(times: &[Instant]) -> usize {
    let within = |first: usize| {
        let end = times[first] + Duration::from_secs(1);
        times[first..]
            .iter()
            .take_while(|time| **time < end)
            .count()
    };
    (0..times.len()).map(within).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn l22_three_thousand_conflicts_are_all_announced_at_a_limited_rate() {
    const CONFLICTS: usize = 3_000;
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    let begun = Instant::now();
    for number in 0..CONFLICTS {
        running.conflict(&format!("w{number}"));
    }
    fake.asked(CONFLICTS).await;
    assert_eq!(fake.state(|state| state.events.len()), CONFLICTS);
    let took = begun.elapsed().as_secs();
    assert!((290..=300).contains(&took), "{took}");
    let busiest = fake.state(|state| busiest_second(&state.times));
    assert!(busiest <= 25 + 10, "{busiest}");

    // The next leader knows all of them and announces none.
    running.stop().await;
    let next = RunningPublisher::named(&fake, "pod-1", &[]);
    next.lead();
    for number in 0..CONFLICTS {
        next.conflict(&format!("w{number}"));
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fake.state(|state| state.requests.len()), CONFLICTS);
    assert_eq!(fake.state(|state| state.lists.len()), 1 + CONFLICTS / 500);
    next.stop().await;
}
