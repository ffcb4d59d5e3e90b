//! `kuma-workload status --why`, the real program: against a page, against an API server's part, and
//! against `run` itself.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, mpsc},
    thread,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::stream;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Serves these pages on a port of this machine.
fn serve(router: Router) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    told.recv().unwrap()
}

/// An address of this machine where nobody listens.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// What there is, by path.
type Objects = BTreeMap<&'static str, Value>;

/// An API server with these objects. It refuses what is null.
fn api_server(objects: Objects) -> TempDir {
    let router = Router::new().fallback(answer).with_state(Arc::new(objects));
    let server = format!("http://{}", serve(router));
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test", "namespace": "mesh" } }],
        "users": [{ "name": "test", "user": {} }],
        "clusters": [{ "name": "test", "cluster": { "server": server } }],
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config"), kubeconfig.to_string()).unwrap();
    folder
}

async fn answer(State(objects): State<Arc<Objects>>, uri: Uri) -> Response {
    if uri.query().is_some_and(|query| query.contains("watch=")) {
        let nothing_happens = stream::pending::<Result<String, std::io::Error>>();
        return Body::from_stream(nothing_happens).into_response();
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    let failure = |code: StatusCode, reason: &str| {
        let message = "leases is forbidden: User \"eve\" cannot do that";
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": code.as_u16(), "reason": reason, "message": message, "details": { "name": "x" },
        });
        (code, json.clone(), status.to_string()).into_response()
    };
    match objects.get(uri.path()) {
        Some(Value::Null) => failure(StatusCode::FORBIDDEN, "Forbidden"),
        Some(object) => (json, object.to_string()).into_response(),
        None => failure(StatusCode::NOT_FOUND, "NotFound"),
    }
}

const DATAPLANES: &str = "/apis/kuma.io/v1alpha1/namespaces/shop/dataplanes";
const INSIGHTS: &str = "/apis/kuma.io/v1alpha1/namespaces/shop/dataplaneinsights";
const WORKLOADS: &str = "/apis/kuma.io/v1alpha1/namespaces/shop/workloads";
const NAMESPACE: &str = "/api/v1/namespaces/shop";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/mesh/leases/kuma-workload";

fn list(items: &[Value]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "1" }, "items": items,
    })
}

fn dataplane(name: &str, mesh: &str) -> Value {
    json!({
        "metadata": {
            "namespace": "shop", "name": name, "resourceVersion": "1",
            "annotations": { "kuma.io/workload": "web" },
        },
        "mesh": mesh,
    })
}

/// A cluster with these Dataplanes of `shop/web`, in which `pod-1_2` leads.
fn cluster(dataplanes: &[Value]) -> Objects {
    [
        (DATAPLANES, list(dataplanes)),
        (INSIGHTS, list(&[])),
        (WORKLOADS, list(&[])),
        (NAMESPACE, json!({ "metadata": { "name": "shop" } })),
        (
            LEASE,
            json!({
                "metadata": { "name": "kuma-workload" },
                "spec": { "holderIdentity": "pod-1_2", "renewTime": "2026-01-01T00:00:00.000000Z" },
            }),
        ),
    ]
    .into()
}

fn program(arguments: &str, folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuma-workload"));
    command
        .env_clear()
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .args(arguments.split_whitespace());
    if folder.path().join("config").exists() {
        command
            .arg("--kubeconfig")
            .arg(folder.path().join("config"));
    }
    command
}

fn run(arguments: &str, folder: &TempDir) -> Output {
    program(arguments, folder).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The page of a reconciler, which answers with the path and the format that are asked for.
fn page(server: &'static str) -> Router {
    let why = move |uri: Uri, headers: HeaderMap| async move {
        let path = uri.path().to_owned();
        let body = match headers[header::ACCEPT].to_str().unwrap() {
            "application/json" => json!({ "path": path }).to_string() + "\n",
            accept => format!("{path} as {accept}\n"),
        };
        ([(header::SERVER, server)], body)
    };
    Router::new().route("/why/{namespace}/{name}", get(why))
}

#[rstest]
#[case::text("shop/web", "", "/why/shop/web as text/plain; charset=utf-8\n")]
#[case::wide("shop/web", "-o wide", "/why/shop/web as text/plain; charset=utf-8\n")]
#[case::json("shop/web", "-o json", "{\"path\":\"/why/shop/web\"}\n")]
#[case::yaml("shop/web", "-o yaml", "path: \"/why/shop/web\"\n")]
#[case::escaped("shop/a?b/c", "", "/why/shop/a%3Fb%2Fc as text/plain; charset=utf-8\n")]
fn a_running_reconciler_is_asked(#[case] target: &str, #[case] flags: &str, #[case] answer: &str) {
    let address = serve(page("kuma-workload/0.0.1"));
    let nowhere = tempfile::tempdir().unwrap();
    let flags = format!("status --why {target} --why-addr {address} {flags}");
    let output = run(&flags, &nowhere);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), answer);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_address_can_be_in_the_environment() {
    let address = serve(page("kuma-workload/0.0.1")).to_string();
    let nowhere = tempfile::tempdir().unwrap();
    let mut command = program("status --why shop/web", &nowhere);
    let output = command.env("KUMA_WORKLOAD_WHY_ADDR", address).output();
    assert!(text(&output.unwrap().stdout).starts_with("/why/shop/web"));
}

#[rstest]
#[case::missing(&[dataplane("web-0", "a")],
    "Workload shop/web does not exist, and should: Dataplanes of mesh a refer to it.",
    "Decision:   L4: ")]
#[case::conflict(&[dataplane("web-0", "a"), dataplane("web-1", "b")],
    "Workload shop/web does not exist because Dataplanes of several meshes refer to it (a, b).",
    "Decision:   L7: ")]
#[case::nothing(&[], "Workload shop/web does not exist because no Dataplane of namespace shop refers to it.",
    "Decision:   L1: ")]
fn without_a_reconciler_the_cluster_is_read(
    #[case] dataplanes: &[Value],
    #[case] answer: &str,
    #[case] decision: &str,
) {
    let folder = api_server(cluster(dataplanes));
    let address = free_address();
    let output = run(
        &format!("status --why shop/web --why-addr {address}"),
        &folder,
    );
    let said = text(&output.stdout);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], answer);
    assert!(
        lines.iter().any(|line| line.starts_with(decision)),
        "{said}"
    );
    assert!(
        lines.contains(
            &"Lease:      mesh/kuma-workload is held by pod-1_2, renewed 2026-01-01T00:00:00Z"
        ),
        "{said}"
    );
    let note = format!("Note:       no reconciler answers at {address} (Connection refused");
    assert!(lines.last().unwrap().starts_with(&note), "{said}");
    let command = "ask it: kubectl exec -n mesh pod-1 -- kuma-workload status --why shop/web";
    assert!(said.trim_end().ends_with(command), "{said}");
}

#[rstest]
#[case::namespace_gone(|it: &mut Objects| drop(it.remove(NAMESPACE)),
    "Workload shop/web does not exist because namespace shop does not exist.")]
#[case::namespace_going(|it: &mut Objects| {
    let metadata = json!({ "name": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z" });
    it.insert(NAMESPACE, json!({ "metadata": metadata }));
}, "Workload shop/web does not exist because namespace shop is being deleted, so that nothing can be created there.")]
#[case::namespace_forbidden(|it: &mut Objects| drop(it.insert(NAMESPACE, Value::Null)),
    "Workload shop/web does not exist, and should: Dataplanes of mesh a refer to it.")]
#[case::lease_forbidden(|it: &mut Objects| drop(it.insert(LEASE, Value::Null)),
    "Lease:      mesh/kuma-workload: cannot get leases.coordination.k8s.io: the grant is missing (leases is forbidden: User \"eve\" cannot do that)")]
#[case::no_lease(|it: &mut Objects| drop(it.remove(LEASE)),
    "Lease:      mesh/kuma-workload: there is no such Lease; --lease-namespace names the namespace of the reconciler")]
fn what_cannot_be_read_is_said(#[case] change: fn(&mut Objects), #[case] line: &str) {
    let mut objects = cluster(&[dataplane("web-0", "a")]);
    change(&mut objects);
    let folder = api_server(objects);
    let address = free_address();
    let output = run(
        &format!("status --why shop/web --why-addr {address}"),
        &folder,
    );
    let said = text(&output.stdout);
    assert!(said.lines().any(|one| one == line), "{said}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn another_program_at_the_address_is_no_reconciler() {
    let folder = api_server(cluster(&[]));
    let address = serve(page("nginx/1.0"));
    let flags = format!("status --why shop/web -o json --why-addr {address}");
    let output = run(&flags, &folder);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["rules"], json!(["L1"]));
    let note = said["note"].as_str().unwrap();
    let expected = format!("no reconciler answers at {address} (another program does): ");
    assert!(note.starts_with(&expected), "{note}");
}

#[test]
fn if_nobody_can_be_asked_it_ends_with_status_1() {
    let nowhere = tempfile::tempdir().unwrap();
    let address = free_address();
    let output = run(
        &format!("status --why shop/web --why-addr {address}"),
        &nowhere,
    );
    let said = text(&output.stderr);
    let begin = format!("error: no reconciler answers at {address} (Connection refused");
    assert!(said.starts_with(&begin), "{said}");
    assert!(said.contains(", and no cluster is known"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[rstest]
#[case::name("status --why web", "it must be NS/NAME")]
#[case::address(
    "status --why shop/web --why-addr 0.0.0.0:8081",
    "it must be a loopback address"
)]
#[case::namespace("status --why shop/web -n shop", "cannot be used with")]
#[case::watch("status --why shop/web --watch", "cannot be used with")]
#[case::address_of_run("run --why-addr 0.0.0.0:8081", "it must be a loopback address")]
#[case::all_addresses_of_run("run --why-addr [::]:8081", "it must be a loopback address")]
fn bad_input_is_refused(#[case] arguments: &str, #[case] said: &str) {
    let nowhere = tempfile::tempdir().unwrap();
    let output = run(arguments, &nowhere);
    assert!(text(&output.stderr).contains(said), "{output:?}");
    assert_eq!(output.status.code(), Some(2));
}

/// The program. It is killed when the test ends before it does.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `run`, with one line of its log at a time.
fn start_run(flags: &str, folder: &TempDir) -> (KillOnDrop, impl Iterator<Item = String> + use<>) {
    let mut command = program(
        &format!("run --metrics-addr 127.0.0.1:0 --leader-election false -n shop {flags}"),
        folder,
    );
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    (KillOnDrop(child), lines.map(Result::unwrap))
}

#[test]
fn run_answers_on_its_page() {
    let folder = api_server(cluster(&[dataplane("web-0", "a"), dataplane("web-1", "b")]));
    let address = free_address();
    let (_running, _log) = start_run(&format!("--why-addr {address}"), &folder);
    let nowhere = tempfile::tempdir().unwrap();
    let flags = format!("status --why shop/web --why-addr {address} -o json");
    // The program starts, and lists all.
    let said = loop {
        let output = run(&flags, &nowhere);
        let said = serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default();
        if said["rules"] == json!(["L7"]) {
            break said;
        }
        thread::yield_now();
    };
    assert_eq!(
        said["answer"],
        "Workload shop/web does not exist because Dataplanes of several meshes refer to it (a, b)."
    );
    assert_eq!(said["reconciler"]["leads"], true);
    assert_eq!(said["lease"], Value::Null, "there is no election");
}

#[test]
fn an_address_that_was_given_and_is_taken_ends_run() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = api_server(cluster(&[]));
    let (mut running, log) = start_run(&format!("--why-addr {address}"), &folder);
    let lines: Vec<_> = log.collect();
    let expected = format!("cannot listen on --why-addr {address}: Address already in use");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(&expected), "{lines:?}");
    assert_eq!(running.0.wait().unwrap().code(), Some(1));
}

/// Whoever else listens on the default port, this test or another program: it is taken.
#[test]
fn without_an_address_a_taken_port_is_only_said() {
    let _taken = TcpListener::bind("127.0.0.1:8081");
    let folder = api_server(cluster(&[]));
    let (_running, mut log) = start_run("", &folder);
    let expected = "cannot listen on --why-addr 127.0.0.1:8081: Address already in use";
    let line = log.find(|line| line.contains("--why-addr")).unwrap();
    assert!(line.contains(expected), "{line}");
    assert!(line.contains("WARN"), "{line}");
}
