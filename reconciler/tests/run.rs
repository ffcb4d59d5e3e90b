//! `kuma-workload run`, the real program, with a fake API server.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An API server with one Lease and some Dataplanes. It passes on the events that are created.
#[derive(Clone)]
struct FakeApiServer {
    dataplanes: Arc<Vec<Value>>,
    lease: Arc<Mutex<Option<Value>>>,
    events: mpsc::Sender<Value>,
}

impl FakeApiServer {
    /// Starts it. Returns a kubeconfig for it, and where its events arrive.
    fn start(dataplanes: Vec<Value>) -> (Self, TempDir, mpsc::Receiver<Value>) {
        let (events, received) = mpsc::channel();
        let server = Self {
            dataplanes: Arc::new(dataplanes),
            lease: Arc::default(),
            events,
        };
        let router = Router::new().fallback(answer).with_state(server.clone());
        let (sender, address) = mpsc::channel::<SocketAddr>();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        let server_url = format!("http://{}", address.recv().unwrap());
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
            "users": [{ "name": "test", "user": {} }],
            "clusters": [{ "name": "test", "cluster": { "server": server_url } }],
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config"), kubeconfig.to_string()).unwrap();
        (server, folder, received)
    }

    fn holder(&self) -> Value {
        let lease = self.lease.lock().unwrap();
        lease.as_ref().unwrap()["spec"]["holderIdentity"].clone()
    }

    /// Stores the Lease with the next resourceVersion.
    fn store_lease(&self, mut new: Value) -> Value {
        let mut lease = self.lease.lock().unwrap();
        let version = &lease.as_ref().unwrap_or(&Value::Null)["metadata"]["resourceVersion"];
        let version: u64 = version
            .as_str()
            .map_or(0, |version| version.parse().unwrap());
        new["metadata"]["resourceVersion"] = json!((version + 1).to_string());
        *lease = Some(new.clone());
        new
    }
}

async fn answer(
    State(server): State<FakeApiServer>,
    method: Method,
    uri: Uri,
    body: String,
) -> Response {
    let path = uri.path();
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let is_watch = uri.query().is_some_and(|query| query.contains("watch="));
    if path.contains("/leases") {
        let lease = match method {
            Method::GET => server.lease.lock().unwrap().clone(),
            _ => Some(server.store_lease(body)),
        };
        return match lease {
            Some(lease) => json_answer(StatusCode::OK, &lease),
            None => failure(StatusCode::NOT_FOUND, "NotFound"),
        };
    }
    if method == Method::POST && path.ends_with("/events") {
        server.events.send(body.clone()).unwrap();
        return json_answer(StatusCode::CREATED, &body);
    }
    if method != Method::GET {
        return failure(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
    }
    if is_watch {
        let nothing_happens = stream::pending::<Result<String, std::io::Error>>();
        return Body::from_stream(nothing_happens).into_response();
    }
    let items = match path.ends_with("/dataplanes") {
        true => server.dataplanes.to_vec(),
        false => Vec::new(),
    };
    let list = json!({
        "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "1" }, "items": items,
    });
    json_answer(StatusCode::OK, &list)
}

fn json_answer(code: StatusCode, body: &Value) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (code, json, body.to_string()).into_response()
}

fn failure(code: StatusCode, reason: &str) -> Response {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code.as_u16(), "reason": reason, "message": reason, "details": { "name": "x" },
    });
    json_answer(code, &status)
}

fn dataplane(name: &str, mesh: &str) -> Value {
    json!({
        "metadata": {
            "namespace": "shop", "name": name, "resourceVersion": "1",
            "annotations": { "kuma.io/workload": "cart" },
        },
        "mesh": mesh,
    })
}

/// The program. It is killed when the test ends before it does.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn l9_the_reporting_instance_of_events_is_the_holder_of_the_lease() {
    let dataplanes = vec![dataplane("cart-0", "a"), dataplane("cart-1", "b")];
    let (server, folder, events) = FakeApiServer::start(dataplanes);
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuma-workload"));
    command
        .args([
            "run",
            "--metrics-addr=127.0.0.1:0",
            "--lease-namespace=mesh",
        ])
        .args(["--lease-identity=pod-0", "--log=error"])
        // Whoever makes the Lease leads one duration later.
        .args(["--lease-duration=2s", "--lease-renew-deadline=1s"])
        .arg("--lease-retry-period=200ms")
        .arg("--kubeconfig")
        .arg(folder.path().join("config"))
        .stdin(Stdio::null());
    let mut program = KillOnDrop(command.spawn().unwrap());

    let event = events.recv_timeout(PATIENCE).unwrap();
    assert_eq!(event["reason"], "MultipleMeshesDetected");
    let holder = server.holder();
    assert!(holder.as_str().unwrap().starts_with("pod-0_"), "{holder}");
    assert_eq!(event["reportingInstance"], holder);

    let id = program.0.id().to_string();
    let kill = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(kill.success());
    assert_eq!(program.0.wait().unwrap().code(), Some(0));
    assert_eq!(server.holder(), "", "the Lease is released");
}
