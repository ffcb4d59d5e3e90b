//! `plan --cluster` against an API server that answers by a script: pages, missing grants, missing
//! kinds, lists that grow too old.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// Answers by path and query, and who asked what.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<BTreeMap<&'static str, (u16, Value)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(script): State<Script>, uri: Uri) -> Response {
    let query: Vec<_> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|part| part.starts_with("continue="))
        .collect();
    let asked = match &*query {
        [] => uri.path().to_owned(),
        query => format!("{}?{}", uri.path(), query.join("&")),
    };
    let (code, body) = script.answers.get(&*asked).cloned().unwrap_or_else(|| {
        (
            200,
            json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []}),
        )
    });
    script.asked.lock().unwrap().push(asked);
    let code = StatusCode::from_u16(code).unwrap();
    let json = [(CONTENT_TYPE, "application/json")];
    (code, json, body.to_string()).into_response()
}

fn page(next: &str, items: Value) -> (u16, Value) {
    (200, json!({"metadata": {"continue": next}, "items": items}))
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "reason": reason, "message": "told at length", "details": {},
    });
    (code, status)
}

fn pod(name: &str, mesh: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "team", "labels": {"kuma.io/mesh": mesh},
            "managedFields": [{"fieldsV1": {"f:spec": {}}}]},
        "spec": {"serviceAccountName": "sa", "containers": [{"name": "app"}]},
        "status": {"phase": "Running"},
    })
}

fn dataplane(name: &str, mesh: &str) -> Value {
    json!({
        "mesh": mesh,
        "metadata": {"name": name, "namespace": "team", "annotations": {"kuma.io/workload": "sa"}},
    })
}

/// The plan of a scripted cluster, its exit status, and what was asked.
fn plan(
    answers: impl IntoIterator<Item = (&'static str, (u16, Value))>,
    flags: &[&str],
) -> (Value, i32, Vec<String>) {
    let script = Script {
        answers: Arc::new(answers.into_iter().collect()),
        asked: Arc::default(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(script.clone());
    runtime.spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    });
    fs::write(&kubeconfig, config.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_kuma-workload"))
        .args(["plan", "--cluster", "-o", "json", "--kubeconfig"])
        .arg(&kubeconfig)
        .args(flags)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    let asked = script.asked.lock().unwrap().clone();
    (report, output.status.code().unwrap(), asked)
}

fn findings(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|one| {
            (
                one["code"].as_str().unwrap(),
                one["message"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn lists_come_in_pages_and_all_of_them_count() {
    let (report, status, asked) = plan(
        [
            (
                "/api/v1/pods",
                page("two", json!([pod("a", "m"), pod("b", "m")])),
            ),
            (
                "/api/v1/pods?continue=two",
                page("", json!([pod("c", "m")])),
            ),
            (
                "/apis/kuma.io/v1alpha1/meshes",
                page("", json!([{"metadata": {"name": "m"}}])),
            ),
            (
                "/apis/kuma.io/v1alpha1/dataplanes",
                page("", json!([dataplane("a", "m"), dataplane("b", "m")])),
            ),
            (
                "/api/v1/namespaces",
                page(
                    "",
                    json!([
                        {"metadata": {"name": "team", "labels": {"kuma.io/mesh": "m", "kuma.io/sidecar-injection": "enabled"}}}
                    ]),
                ),
            ),
        ],
        &[],
    );
    assert_eq!(findings(&report), []);
    assert_eq!(status, 0);
    assert_eq!(report["pods"].as_array().unwrap().len(), 3);
    assert_eq!(
        report["workloads"][0]["meshes"],
        json!([{"mesh": "m", "dataplanes": 2, "coming": 1}])
    );
    assert_eq!(asked.len(), 14, "{asked:?}");
}

#[test]
fn missing_grants_and_kinds_are_told_and_the_rest_goes_on() {
    let (report, status, _) = plan(
        [
            ("/api/v1/pods", page("", json!([pod("a", "m")]))),
            ("/api/v1/namespaces", failure(403, "Forbidden")),
            ("/apis/apps/v1/deployments", failure(403, "Forbidden")),
            (
                "/apis/kuma.io/v1alpha1/meshidentities",
                failure(404, "NotFound"),
            ),
            ("/apis/kuma.io/v1alpha1/meshes", failure(403, "Forbidden")),
            ("/apis/batch/v1/jobs", failure(500, "InternalError")),
        ],
        &[],
    );
    assert_eq!(
        findings(&report),
        [
            (
                "missing-grant",
                "the grant to list deployments.apps is missing; what is there was not seen"
            ),
            (
                "missing-grant",
                "the grant to list meshes.kuma.io is missing; what is there was not seen"
            ),
            (
                "missing-grant",
                "the grant to list namespaces is missing; what is there was not seen"
            ),
            (
                "unread",
                "cannot list jobs.batch: the API server answered 500 InternalError: told at length"
            ),
            (
                "missing-crd",
                "the API server does not know meshidentities.kuma.io, so there are none"
            ),
        ]
    );
    assert_eq!(status, 1);
    assert_eq!(report["pods"][0]["admission"]["verdict"], "accepted");
}

#[test]
fn before_kuma_is_there_the_templates_tell() {
    let template = json!({"metadata": {"labels": {"kuma.io/mesh": "m"}}, "spec": {}});
    let deployment =
        json!({"metadata": {"name": "web", "namespace": "team"}, "spec": {"template": template}});
    let missing = || failure(404, "NotFound");
    let (report, status, _) = plan(
        [
            ("/apis/apps/v1/deployments", page("", json!([deployment]))),
            ("/apis/kuma.io/v1alpha1/meshes", missing()),
            ("/apis/kuma.io/v1alpha1/dataplanes", missing()),
            ("/apis/kuma.io/v1alpha1/workloads", missing()),
            ("/apis/kuma.io/v1alpha1/meshidentities", missing()),
        ],
        &["--fail-on", "error"],
    );
    assert_eq!(status, 0);
    assert_eq!(report["workloads"][0]["action"], "create");
    let missing = findings(&report);
    let missing = missing.iter().filter(|(code, _)| *code == "missing-crd");
    assert_eq!(missing.count(), 4);
}

#[test]
fn a_list_that_grew_too_old_is_begun_anew() {
    let (report, _, asked) = plan(
        [
            ("/api/v1/pods", page("old", json!([pod("a", "m")]))),
            ("/api/v1/pods?continue=old", failure(410, "Expired")),
        ],
        &[],
    );
    let pods = asked
        .iter()
        .filter(|asked| asked.starts_with("/api/v1/pods"));
    assert_eq!(pods.count(), 4, "{asked:?}");
    assert_eq!(report["pods"].as_array().unwrap().len(), 1);
    assert!(
        findings(&report).iter().any(|(code, _)| *code == "unread"),
        "it is old again"
    );
}

#[test]
fn one_namespace_asks_for_that_one() {
    let (report, status, asked) = plan(
        [(
            "/api/v1/namespaces/team",
            (
                200,
                json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "team"}}),
            ),
        )],
        &["-n", "team"],
    );
    assert_eq!((status, findings(&report)), (0, vec![]));
    let limited = asked
        .iter()
        .filter(|path| path.contains("/namespaces/team"));
    assert_eq!(limited.count(), 11, "{asked:?}");
    assert!(asked.contains(&"/apis/kuma.io/v1alpha1/meshidentities".to_owned()));
}

#[test]
fn an_object_that_cannot_be_read_is_left_out_and_told() {
    let (report, status, _) = plan(
        [(
            "/api/v1/pods",
            page(
                "",
                json!([{"metadata": {"name": "a", "namespace": "t", "labels": []}}, pod("b", "default")]),
            ),
        )],
        &[],
    );
    assert_eq!(status, 1);
    let told = findings(&report);
    assert!(
        told.contains(&(
            "unread",
            "one of pods cannot be read: Pod \"a\": metadata.labels must be a map, not a list"
        )),
        "{told:?}"
    );
    assert_eq!(report["pods"].as_array().unwrap().len(), 1);
}

#[test]
fn an_api_server_that_does_not_know_us_is_bad_input() {
    let (report, status, _) = plan([("/api/v1/namespaces", failure(401, "Unauthorized"))], &[]);
    assert_eq!(status, 2);
    assert_eq!(
        report["faults"][0]["message"],
        "cannot list namespaces: the API server answered 401 Unauthorized: told at length"
    );
}
