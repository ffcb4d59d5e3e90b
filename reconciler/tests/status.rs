//! `kuma-workload status`, the real binary, against an API server's part.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::broadcast;

/// What is in the cluster, by resource, and what is refused.
#[derive(Default)]
struct FakeCluster {
    objects: BTreeMap<&'static str, Vec<Value>>,
    refused: Option<(&'static str, u16)>,
}

#[derive(Clone)]
struct Api {
    cluster: Arc<FakeCluster>,
    events: broadcast::Sender<(&'static str, Value)>,
    asked: Arc<Mutex<Vec<String>>>,
}

struct FakeApiServer {
    api: Api,
    folder: TempDir,
}

impl FakeApiServer {
    fn start(cluster: FakeCluster) -> Self {
        let api = Api {
            cluster: Arc::new(cluster),
            events: broadcast::Sender::new(64),
            asked: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(api.clone());
        let (tell, told) = mpsc::channel::<SocketAddr>();
        thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async {
                    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                    tell.send(listener.local_addr().unwrap()).unwrap();
                    axum::serve(listener, router).await.unwrap();
                });
        });
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
            "users": [{ "name": "test", "user": {} }],
            "clusters": [{
                "name": "test",
                "cluster": { "server": format!("http://{}", told.recv().unwrap()) },
            }],
        });
        std::fs::write(folder.path().join("config"), kubeconfig.to_string()).unwrap();
        Self { api, folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kuma-workload"));
        command
            .arg("status")
            .arg("--kubeconfig")
            .arg(self.folder.path().join("config"))
            .args(arguments);
        command
    }

    fn status(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

async fn answer(State(api): State<Api>, uri: Uri) -> Response {
    let path = uri.path();
    let resource = path.rsplit('/').next().unwrap();
    let watch = uri.query().is_some_and(|query| query.contains("watch="));
    let verb = if watch { "watch" } else { "list" };
    api.asked.lock().unwrap().push(format!("{verb} {path}"));
    if let Some((refused, code)) = api.cluster.refused
        && refused == format!("{verb} {resource}")
    {
        let (reason, message) = match code {
            403 => (
                "Forbidden",
                format!(
                    "{resource}.kuma.io is forbidden: User \"eve\" cannot {verb} resource \"{resource}\""
                ),
            ),
            _ => (
                "NotFound",
                "the server could not find the requested resource".to_owned(),
            ),
        };
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": code, "reason": reason, "message": message,
        });
        return reply(code, Body::from(status.to_string()));
    }
    if watch {
        let resource = resource.to_owned();
        let events = stream::unfold(api.events.subscribe(), |mut events| async {
            Some((events.recv().await.ok()?, events))
        });
        let lines = events.filter_map(move |(of, event)| {
            let line = (of == resource).then(|| Ok::<_, std::io::Error>(format!("{event}\n")));
            std::future::ready(line)
        });
        return reply(200, Body::from_stream(lines));
    }
    let items = api.cluster.objects.get(resource).cloned();
    let items: Vec<_> = items
        .unwrap_or_default()
        .into_iter()
        .filter(|item| {
            !path.contains("/namespaces/")
                || path.contains(&format!(
                    "/{}/",
                    item["metadata"]["namespace"].as_str().unwrap()
                ))
        })
        .collect();
    let list = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "List",
        "metadata": { "resourceVersion": "1" }, "items": items,
    });
    reply(200, Body::from(list.to_string()))
}

fn reply(code: u16, body: Body) -> Response {
    let code = StatusCode::from_u16(code).unwrap();
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn metadata(namespace: &str, name: &str) -> Value {
    json!({ "namespace": namespace, "name": name, "resourceVersion": "1" })
}

fn dataplane(namespace: &str, name: &str, mesh: &str) -> Value {
    let mut metadata = metadata(namespace, name);
    metadata["annotations"] = json!({ "kuma.io/workload": "cart" });
    json!({ "metadata": metadata, "mesh": mesh, "spec": { "networking": { "inbound": [{}] } } })
}

fn insight(namespace: &str, name: &str, mesh: &str) -> Value {
    json!({
        "metadata": metadata(namespace, name),
        "mesh": mesh,
        "status": { "subscriptions": [{ "connectTime": "2026-01-01T00:00:00Z" }] },
    })
}

fn workload(namespace: &str, mesh: &str, numbers: [i32; 3]) -> Value {
    let mut metadata = metadata(namespace, "cart");
    metadata["labels"] = json!({ "kuma.io/mesh": mesh, "kuma.io/managed-by": "k8s-controller" });
    let [connected, healthy, total] = numbers;
    let numbers = json!({ "connected": connected, "healthy": healthy, "total": total });
    json!({ "metadata": metadata, "status": { "dataplaneProxies": numbers } })
}

/// `cart` in two namespaces: upstream reports the sum in both (S1).
fn summed() -> FakeCluster {
    FakeCluster {
        objects: [
            (
                "dataplanes",
                vec![
                    dataplane("shop", "cart-0", "default"),
                    dataplane("shop", "cart-1", "default"),
                    dataplane("till", "cart-0", "default"),
                ],
            ),
            (
                "dataplaneinsights",
                vec![insight("shop", "cart-0", "default")],
            ),
            (
                "workloads",
                vec![
                    workload("shop", "default", [1, 3, 3]),
                    workload("till", "default", [0, 1, 1]),
                ],
            ),
        ]
        .into(),
        refused: None,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn t4_the_table() {
    let output = FakeApiServer::start(summed()).status(&["-A"]);
    assert_eq!(
        text(&output.stdout),
        "\
NAMESPACE  NAME  MESH     CONNECTED  HEALTHY   TOTAL     MANAGER         STATE
shop       cart  default  1          3 (is 2)  3 (is 2)  k8s-controller  numbers differ
till       cart  default  0          1         1         k8s-controller  ok
"
    );
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn t4_one_namespace_as_yaml() {
    let output = FakeApiServer::start(summed()).status(&["-n", "till", "-o", "yaml"]);
    let expected = "\
workloads:
- namespace: till
  name: cart
  mesh: default
  manager: k8s-controller
  reported:
    connected: 0
    healthy: 1
    total: 1
  actual:
    connected: 0
    healthy: 1
    total: 1
  meshes:
    default:
      connected: 0
      healthy: 1
      total: 1
  findings: []
";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn t4_one_namespace_as_json() {
    let server = FakeApiServer::start(summed());
    let output = server.status(&["-n", "till", "-o", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let numbers = json!({ "connected": 0, "healthy": 1, "total": 1 });
    assert_eq!(
        document,
        json!({
            "workloads": [{
                "namespace": "till",
                "name": "cart",
                "mesh": "default",
                "manager": "k8s-controller",
                "reported": numbers,
                "actual": numbers,
                "meshes": { "default": numbers },
                "findings": [],
            }],
        })
    );
    assert_eq!(output.status.code(), Some(0));
    let asked = server.api.asked.lock().unwrap().clone();
    let lists = ["dataplanes", "dataplaneinsights", "workloads"];
    let lists = lists.map(|of| format!("list /apis/kuma.io/v1alpha1/namespaces/till/{of}"));
    assert_eq!(asked, lists, "nothing is watched that need not be");
}

#[rstest]
#[case::not_granted(
    "list dataplaneinsights",
    403,
    "error: cannot list dataplaneinsights.kuma.io: the grant is missing (dataplaneinsights.kuma.io is forbidden: User \"eve\" cannot list resource \"dataplaneinsights\")\n"
)]
#[case::not_installed(
    "list workloads",
    404,
    "error: cannot list workloads.kuma.io: the API server does not know this kind; is its CustomResourceDefinition installed?\n"
)]
fn what_cannot_be_asked_is_named(
    #[case] refused: &'static str,
    #[case] code: u16,
    #[case] error: &str,
    #[values(&[], &["--watch"])] arguments: &[&str],
) {
    let cluster = FakeCluster {
        refused: Some((refused, code)),
        ..summed()
    };
    let output = FakeApiServer::start(cluster).status(arguments);
    assert_eq!(text(&output.stderr), error);
    assert_eq!(text(&output.stdout), "");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_watch_that_is_not_granted_is_named() {
    let cluster = FakeCluster {
        refused: Some(("watch workloads", 403)),
        ..summed()
    };
    let output = FakeApiServer::start(cluster).status(&["--watch"]);
    let error = text(&output.stderr);
    assert!(
        error.contains("cannot watch workloads.kuma.io: the grant is missing"),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn no_cluster_is_one_sentence() {
    let server = FakeApiServer::start(FakeCluster::default());
    let output = server.status(&["--context", "none"]);
    let error = text(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(output.status.code(), Some(2));
}

/// Ends the program when the test does.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_watch_in_a_pipe_adds_the_lines_that_change() {
    let server = FakeApiServer::start(summed());
    let mut command = server.command(&["--watch"]);
    let mut running = KillOnDrop(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().starts_with("NAMESPACE"));
    assert!(next().ends_with("numbers differ"));
    assert!(next().ends_with("ok"));

    // Each watch that begins after this sees it; those that have begun do, too.
    while server.api.events.receiver_count() < 3 {
        thread::yield_now();
    }
    let mut mended = workload("shop", "default", [1, 2, 2]);
    mended["metadata"]["resourceVersion"] = json!("2");
    let event = json!({ "type": "MODIFIED", "object": mended });
    server.api.events.send(("workloads", event)).unwrap();
    assert_eq!(
        next(),
        "shop       cart  default  1          2         2         k8s-controller  ok"
    );

    for (kind, object) in [
        ("workloads", workload("till", "default", [0, 1, 1])),
        ("dataplanes", dataplane("till", "cart-0", "default")),
    ] {
        let event = json!({ "type": "DELETED", "object": object });
        server.api.events.send((kind, event)).unwrap();
    }
    // On the way there may be lines of what is half gone.
    let last = std::iter::repeat_with(next).find(|line| line.ends_with("gone"));
    let last = last.unwrap();
    assert!(last.starts_with("till"), "{last}");
}
