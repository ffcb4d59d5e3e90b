//! The publisher with a fake API server that can fail.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use http::{Method, Request, Response, Uri};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::client::Body;
use kuma_workload_rulebook::roster::Key;
use prometheus_client::metrics::{counter::Counter, family::Family};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use tower::{BoxError, service_fn};

use super::*;
use crate::run::{
    events::{Condition, EventReason, Schedule, metrics::ReasonLabels, schedule::REPEAT_INTERVAL},
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
    /// By their paths.
    events: BTreeMap<String, Value>,
    /// The number of the last change, which is the resourceVersion of what was changed.
    version: u64,
    /// The requests, but for lists.
    requests: Vec<(Method, String)>,
    times: Vec<Instant>,
    bodies: Vec<Value>,
    lists: Vec<String>,
    /// Answers that are given instead of its own, in this order. Lists get their own.
    script: VecDeque<(u16, Value)>,
    /// An answer to each list.
    no_lists: Option<(u16, Value)>,
    /// This many of the next requests that change something get no answer although it is done.
    lost: usize,
    /// Nothing is answered.
    away: bool,
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
                let answer = fake.state(|state| state.receive(parts.method, &parts.uri, body));
                fake.0.asked.notify_waiters();
                let Some((code, answer)) = answer else {
                    return pending().await;
                };
                let answer = Body::from(serde_json::to_vec(&answer)?);
                Ok::<_, BoxError>(Response::builder().status(code).body(answer)?)
            }
        });
        Client::new(service, "default")
    }

    /// Waits until this holds.
    async fn until(&self, what: impl Fn(&mut FakeState) -> bool) {
        let waiting = async {
            loop {
                let asked = self.0.asked.notified();
                if self.state(&what) {
                    return;
                }
                asked.await;
            }
        };
        timeout(Duration::from_secs(3600), waiting).await.unwrap();
    }

    /// Waits until this many requests have come.
    async fn asked(&self, count: usize) {
        self.until(|state| state.requests.len() >= count).await;
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

    /// The reasons of the events with their counts, in the order in which they were written.
    fn said(&self) -> Vec<(String, i64)> {
        let mut said = self.state(|state| state.events.values().cloned().collect::<Vec<_>>());
        said.sort_by_key(version);
        let of = |event: &Value| {
            let count = event["series"]["count"].as_i64().unwrap_or(1);
            (event["reason"].as_str().unwrap().to_owned(), count)
        };
        said.iter().map(of).collect()
    }
}

fn version(event: &Value) -> u64 {
    let version = event["metadata"]["resourceVersion"].as_str().unwrap();
    version.parse().unwrap()
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
    /// The answer, if there is one.
    fn receive(&mut self, method: Method, uri: &Uri, body: Value) -> Option<(u16, Value)> {
        if method == Method::GET && uri.path().ends_with("/events") {
            self.lists.push(uri.to_string());
            return (!self.away).then(|| self.list(uri));
        }
        self.requests.push((method.clone(), uri.path().to_owned()));
        self.times.push(Instant::now());
        self.bodies.push(body.clone());
        if self.away {
            return None;
        }
        if let Some(scripted) = self.script.pop_front() {
            return Some(scripted);
        }
        let is_change = method != Method::GET;
        let answer = self.answer(&method, uri.path().to_owned(), body);
        if is_change && self.lost > 0 {
            self.lost -= 1;
            return None;
        }
        Some(answer)
    }

    fn answer(&mut self, method: &Method, path: String, mut body: Value) -> (u16, Value) {
        if method == Method::POST {
            let path = format!("{path}/{}", body["metadata"]["name"].as_str().unwrap());
            if self.events.contains_key(&path) {
                return (409, status(409, "AlreadyExists"));
            }
            body["metadata"]["resourceVersion"] = self.next_version();
            self.events.insert(path, body.clone());
            return (201, body);
        }
        let version = self.next_version();
        match self.events.get_mut(&path) {
            None => (404, status(404, "NotFound")),
            Some(event) => {
                if method == Method::PATCH {
                    assert_eq!(body.as_object().unwrap().len(), 1, "series alone");
                    event["series"] = body["series"].clone();
                    event["metadata"]["resourceVersion"] = version;
                }
                (200, event.clone())
            }
        }
    }

    fn next_version(&mut self) -> Value {
        self.version += 1;
        self.version.to_string().into()
    }

    /// A page of the events in a namespace, or in all.
    fn list(&mut self, uri: &Uri) -> (u16, Value) {
        if let Some(answer) = &self.no_lists {
            return answer.clone();
        }
        let query = uri.query().unwrap();
        assert!(
            query.contains("fieldSelector=reportingController%3Dkuma-workload"),
            "{query}"
        );
        let argument = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.parse::<usize>().unwrap())
        };
        let begin = argument("continue").unwrap_or(0);
        let end = begin + argument("limit").unwrap();
        let within = uri.path().strip_suffix("/events").unwrap();
        let events = self
            .events
            .iter()
            .filter(|(path, _)| path.starts_with(within));
        let events: Vec<_> = events.map(|(_, event)| event.clone()).collect();
        let more = (end < events.len()).then(|| end.to_string());
        let page = &events[begin.min(events.len())..end.min(events.len())];
        (
            200,
            json!({
                "kind": "EventList", "apiVersion": "events.k8s.io/v1", "items": page,
                "metadata": { "resourceVersion": self.version.to_string(), "continue": more },
            }),
        )
    }
}

/// A running publisher.
struct RunningPublisher {
    recorder: EventRecorder,
    metrics: EventMetrics,
    leadership: watch::Sender<Leadership>,
    /// What it wants to be observed.
    looked_at: Arc<Mutex<Vec<WorkItem>>>,
    /// How many seconds its wall clock is ahead.
    ahead: Arc<AtomicI64>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RunningPublisher {
    fn start(fake: &FakeApiServer) -> Self {
        Self::named(fake, "pod-0", &[])
    }

    fn named(fake: &FakeApiServer, identity: &str, namespaces: &[&str]) -> Self {
        let recorder = EventRecorder::new(Schedule::new(true));
        let metrics = EventMetrics::default();
        let leadership = watch::Sender::new(Leadership::STANDBY);
        let looked_at = Arc::<Mutex<Vec<_>>>::default();
        let ahead = Arc::<AtomicI64>::default();
        let (look_at, clock_ahead) = (looked_at.clone(), ahead.clone());
        // Virtual time passes faster.
        let (epoch, begun) = (Timestamp::now(), Instant::now());
        let publisher = Publisher::new(
            fake.client(),
            identity,
            metrics.clone(),
            recorder.clone(),
            leadership.subscribe(),
            Arc::new(move || {
                let ahead = SignedDuration::from_secs(clock_ahead.load(Ordering::Relaxed));
                epoch + begun.elapsed() + ahead
            }),
            move |item| look_at.lock().unwrap().push(item),
        )
        .in_namespaces(namespaces.iter().map(|&name| name.to_owned()).collect());
        let (stop, stopped) = oneshot::channel();
        Self {
            recorder,
            metrics,
            leadership,
            looked_at,
            ahead,
            stop,
            task: tokio::spawn(publisher.run(async {
                stopped.await.ok();
            })),
        }
    }

    fn leading(fake: &FakeApiServer) -> Self {
        let running = Self::start(fake);
        running.lead();
        running
    }

    /// Begins a term.
    fn lead(&self) {
        self.leadership.send_replace(Leadership::forever());
        self.recorder.term_began();
    }

    /// Ends it.
    fn lose(&self) {
        self.leadership.send_replace(Leadership::STANDBY);
        self.recorder.term_ended();
    }

    fn conflict(&self, workload: &str) {
        self.recorder.observe(about(workload), Some(conflict()));
    }

    /// All is well.
    fn well(&self, workload: &str) {
        self.recorder.observe(about(workload), None);
    }

    fn looked_at(&self) -> Vec<WorkItem> {
        std::mem::take(&mut self.looked_at.lock().unwrap())
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
