//! The publisher with a fake API server that can fail.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::{Method, Request, Response};
use kube::client::Body;
use kuma_workload_rulebook::roster::Key;
use prometheus_client::metrics::{counter::Counter, family::Family};
use rstest::rstest;
use serde_json::Value;
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use tower::{BoxError, service_fn};

use super::*;
use crate::run::{
    events::{Condition, EventReason, Schedule, metrics::ReasonLabels},
    work_item::WorkItem,
};

/// An API server that stores events, and can answer with failures.
#[derive(Clone, Default)]
struct FakeApiServer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<FakeState>,
    asked: Notify,
}

#[derive(Default)]
struct FakeState {
    events: BTreeMap<String, Value>,
    requests: Vec<(Method, String)>,
    bodies: Vec<Value>,
    /// Returns that are given instead of its own, in this order.
    script: VecDeque<(u16, Value)>,
}

impl FakeApiServer {
    fn state<T>(&self, with: impl FnOnce(&mut FakeState) -> T) -> T {
        with(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn client(&self) -> Client {
        let fake = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let fake = fake.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await?;
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let path = parts.uri.path().to_owned();
                let (code, answer) = fake.state(|state| state.answer(parts.method, path, body));
                fake.0.asked.notify_one();
                let answer = Body::from(serde_json::to_vec(&answer)?);
                Ok::<_, BoxError>(Response::builder().status(code).body(answer)?)
            }
        });
        Client::new(service, "default")
    }

    /// Waits until this many requests have come.
    async fn asked(&self, count: usize) {
        let waiting = async {
            while self.state(|state| state.requests.len()) < count {
                self.0.asked.notified().await;
            }
        };
        timeout(Duration::from_secs(3600), waiting).await.unwrap();
    }

    fn verbs(&self) -> Vec<String> {
        let of = |(method, _): &(Method, String)| method.to_string();
        self.state(|state| state.requests.iter().map(of).collect())
    }

    fn only(&self) -> Value {
        self.state(|state| {
            assert_eq!(state.events.len(), 1, "{:?}", state.events);
            state.events.values().next().cloned().unwrap()
        })
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": reason,
    })
}

fn terminating() -> Value {
    let mut status = status(403, "Forbidden");
    status["details"] = json!({ "causes": [{ "reason": "NamespaceTerminating", "message": "x" }] });
    status
}

impl FakeState {
    fn answer(&mut self, method: Method, path: String, body: Value) -> (u16, Value) {
        self.requests.push((method.clone(), path.clone()));
        self.bodies.push(body.clone());
        if let Some(scripted) = self.script.pop_front() {
            return scripted;
        }
        if method == Method::POST {
            let path = format!("{path}/{}", body["metadata"]["name"].as_str().unwrap());
            if self.events.contains_key(&path) {
                return (409, status(409, "AlreadyExists"));
            }
            self.events.insert(path, body.clone());
            return (201, body);
        }
        match self.events.get_mut(&path) {
            None => (404, status(404, "NotFound")),
            Some(event) => {
                if method == Method::PATCH {
                    assert_eq!(body.as_object().unwrap().len(), 1, "series alone");
                    event["series"] = body["series"].clone();
                }
                (200, event.clone())
            }
        }
    }
}

/// A running publisher.
struct RunningPublisher {
    recorder: EventRecorder,
    metrics: EventMetrics,
    leadership: watch::Sender<Leadership>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RunningPublisher {
    fn start(fake: &FakeApiServer, leadership: Leadership) -> Self {
        let recorder = EventRecorder::new(Schedule::new(true));
        let metrics = EventMetrics::default();
        let leadership = watch::Sender::new(leadership);
        let publisher = Publisher::new(
            fake.client(),
            "pod-0",
            metrics.clone(),
            recorder.clone(),
            leadership.subscribe(),
            Arc::new(Timestamp::now),
        );
        let (stop, stopped) = oneshot::channel();
        Self {
            recorder,
            metrics,
            leadership,
            stop,
            task: tokio::spawn(publisher.run(async {
                stopped.await.ok();
            })),
        }
    }

    fn leading(fake: &FakeApiServer) -> Self {
        Self::start(fake, Leadership::forever())
    }

    fn conflict(&self, workload: &str) {
        self.recorder.observe(about(workload), Some(conflict()));
    }

    /// Stops it. Returns how many events about conflicts were published and suppressed.
    async fn stop(self) -> (u64, u64) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        let labels = ReasonLabels::from(EventReason::MultipleMeshesDetected);
        let EventMetrics {
            published,
            suppressed,
        } = self.metrics;
        let count = |family: Family<_, Counter>| family.get_or_create(&labels).get();
        (count(published), count(suppressed))
    }
}

fn about(workload: &str) -> WorkItem {
    WorkItem::Workload(Key {
        namespace: "shop".into(),
        workload: workload.into(),
    })
}

fn conflict() -> Condition {
    let meshes = ["a".to_owned(), "b".to_owned()].into();
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
async fn a_standby_sends_no_events_until_it_leads() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::start(&fake, Leadership::STANDBY);
    running.conflict("cart");
    tokio::time::sleep(REPEAT_INTERVAL * 2).await;
    assert_eq!(fake.verbs(), Vec::<String>::new());
    running.leadership.send_replace(Leadership::forever());
    fake.asked(1).await;
    running.leadership.send_replace(Leadership::STANDBY);
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
async fn waiting_events_are_sent_before_the_end() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    for workload in ["cart", "basket", "till"] {
        running.conflict(workload);
    }
    running.stop().await;
    assert_eq!(fake.verbs(), ["POST", "POST", "POST"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_a_thousand_wait() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    for number in 0..MAX_WAITING + 5 {
        running.conflict(&format!("w{number}"));
    }
    fake.asked(MAX_WAITING).await;
    assert_eq!(running.stop().await, (MAX_WAITING as u64, 5));
}
