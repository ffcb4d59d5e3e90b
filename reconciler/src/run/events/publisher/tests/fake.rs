//! An API server that stores events, and that can fail.

use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{Method, Request, Response, Uri};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};
use tower::{BoxError, service_fn};

/// An API server that stores events, and can answer with failures.
#[derive(Clone, Default)]
pub(super) struct FakeApiServer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<FakeState>,
    asked: Notify,
}

#[derive(Default)]
pub(super) struct FakeState {
    /// By their paths.
    pub(super) events: BTreeMap<String, Value>,
    /// The number of the last change, which is the resourceVersion of what was changed.
    version: u64,
    /// The requests, but for lists.
    pub(super) requests: Vec<(Method, String)>,
    pub(super) times: Vec<Instant>,
    pub(super) bodies: Vec<Value>,
    pub(super) lists: Vec<String>,
    /// Answers that are given instead of its own, in this order. Lists get their own.
    pub(super) script: VecDeque<(u16, Value)>,
    /// An answer to each list.
    pub(super) no_lists: Option<(u16, Value)>,
    /// This many of the next requests that change something get no answer.
    pub(super) lost: usize,
    /// Nothing is answered.
    pub(super) away: bool,
    /// What is about workloads whose names begin so is answered so.
    pub(super) refused: Option<(String, (u16, Value))>,
}

impl FakeApiServer {
    pub(super) fn state<T>(&self, with: impl FnOnce(&mut FakeState) -> T) -> T {
        with(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn client(&self) -> Client {
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
    pub(super) async fn until(&self, what: impl Fn(&mut FakeState) -> bool) {
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
    pub(super) async fn asked(&self, count: usize) {
        self.until(|state| state.requests.len() >= count).await;
    }

    pub(super) fn verbs(&self) -> Vec<String> {
        let of = |(method, _): &(Method, String)| method.to_string();
        self.state(|state| state.requests.iter().map(of).collect())
    }

    pub(super) fn only(&self) -> Value {
        self.state(|state| {
            assert_eq!(state.events.len(), 1, "{:?}", state.events);
            state.events.values().next().cloned().unwrap()
        })
    }

    /// The reasons of the events with their counts, in the order in which they were written.
    pub(super) fn said(&self) -> Vec<(String, i64)> {
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

pub(super) fn status(code: u16, reason: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": reason,
    })
}

pub(super) fn terminating() -> Value {
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
        let related = body["related"]["name"].as_str().unwrap_or_default();
        if let Some((workload, answer)) = &self.refused
            && related.starts_with(workload)
        {
            return Some(answer.clone());
        }
        let is_change = method != Method::GET;
        let answer = self.answer(&method, uri.path().to_owned(), body);
        if is_change && answer.0 < 300 && self.lost > 0 {
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
