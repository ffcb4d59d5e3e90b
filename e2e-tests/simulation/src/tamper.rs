//! Faults of the program that can be planted outside of it, by altering what it asks and is answered.

use http::Method;
use serde_json::{Value, json};

use crate::server::{
    request::{Request, Verb},
    resource::Resource,
    status::Answer,
};

/// A fault that is planted at the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tamper {
    /// Deletes carry no preconditions.
    UnconditionalDeletes,
    /// Patches carry neither uid nor resourceVersion.
    UnconditionalPatches,
    /// The Lease is written whatever it has become.
    UnconditionalLease,
    /// Lists are what the cache of a server has.
    StaleLists,
    /// The list before a delete is taken for empty.
    FenceSeesNothing,
    /// The list before a delete ends after its first page.
    FenceSeesOnePage,
    /// Numbers are written wrong by one.
    WrongNumbers,
    /// The mesh label is written wrong.
    WrongMesh,
    /// Watches do not show what is deleted.
    DeletionsUnseen,
    /// All Workloads look like ours.
    AllAreOurs,
    /// Events are written into namespace `default`, as Kuma does it.
    EventsElsewhere,
}

impl Tamper {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::UnconditionalDeletes,
        Self::UnconditionalPatches,
        Self::UnconditionalLease,
        Self::StaleLists,
        Self::FenceSeesNothing,
        Self::FenceSeesOnePage,
        Self::WrongNumbers,
        Self::WrongMesh,
        Self::DeletionsUnseen,
        Self::AllAreOurs,
        Self::EventsElsewhere,
    ];

    /// Alters a request.
    pub fn alter_request(self, http: &mut http::Request<Vec<u8>>) {
        let path = http.uri().path().to_owned();
        let is_workload = path.contains("/workloads");
        match self {
            Self::UnconditionalDeletes if *http.method() == Method::DELETE => {
                http.body_mut().clear();
            }
            Self::UnconditionalPatches if *http.method() == Method::PATCH && is_workload => {
                alter_body(http, without_preconditions);
            }
            Self::UnconditionalLease if *http.method() == Method::PUT => {
                alter_body(http, without_preconditions);
            }
            Self::StaleLists if is_consistent_list(http) => {
                let uri = format!("{}&resourceVersion=0", http.uri());
                if let Ok(uri) = uri.parse() {
                    *http.uri_mut() = uri;
                }
            }
            Self::WrongNumbers => alter_body(http, |body| {
                let proxies = &mut body["status"]["dataplaneProxies"];
                if let Some(total) = proxies["total"].as_u64() {
                    proxies["total"] = (total + 1).into();
                }
            }),
            // Whenever it is written: what is wrong only at first is put right by the program.
            Self::WrongMesh if is_workload => alter_body(http, |body| {
                if body["metadata"]["labels"]["kuma.io/mesh"].is_string() {
                    body["metadata"]["labels"]["kuma.io/mesh"] = "blue".into();
                }
            }),
            Self::EventsElsewhere if path.contains("/events") => {
                let mut parts = path.split('/').map(str::to_owned).collect::<Vec<_>>();
                if let Some(namespace) = parts.get_mut(5) {
                    *namespace = "mesh".to_owned();
                }
                if let Ok(uri) = parts.join("/").parse() {
                    *http.uri_mut() = uri;
                }
                alter_body(http, |body| {
                    if body["regarding"].is_object() {
                        body["metadata"]["namespace"] = "mesh".into();
                        body["regarding"]["namespace"] = "mesh".into();
                    }
                });
            }
            _ => (),
        }
    }

    /// Alters an answer.
    pub fn alter_answer(self, request: &Request, answer: &mut Answer) {
        let is_fence = request.is_partial && request.resource == Resource::Dataplanes;
        let is_read = matches!(request.verb, Verb::Get | Verb::List);
        match self {
            Self::FenceSeesNothing if is_fence => alter_text(&mut answer.body, |list| {
                list["items"] = json!([]);
            }),
            Self::FenceSeesOnePage if is_fence => alter_text(&mut answer.body, |list| {
                if let Some(metadata) = list["metadata"].as_object_mut() {
                    metadata.remove("continue");
                    metadata.remove("remainingItemCount");
                }
            }),
            Self::AllAreOurs if is_read && request.resource == Resource::Workloads => {
                answer.body = as_ours(&answer.body);
            }
            _ => (),
        }
    }

    /// Alters what a watch shows.
    pub fn alter_events(self, lines: Vec<String>) -> Vec<String> {
        match self {
            Self::DeletionsUnseen => {
                let mut lines = lines;
                lines.retain(|line| !line.starts_with(r#"{"type":"DELETED""#));
                lines
            }
            Self::AllAreOurs => lines.iter().map(|line| as_ours(line)).collect(),
            _ => lines,
        }
    }
}

fn as_ours(text: &str) -> String {
    let ours = r#""kuma.io/managed-by":"kuma-workload-reconciler""#;
    ["k8s-controller", "helm"]
        .iter()
        .fold(text.to_owned(), |text, manager| {
            text.replace(&format!(r#""kuma.io/managed-by":"{manager}""#), ours)
        })
}

fn is_consistent_list(http: &http::Request<Vec<u8>>) -> bool {
    let query = http.uri().query().unwrap_or_default();
    *http.method() == Method::GET
        && query.contains("limit=")
        && !query.contains("continue=")
        && !query.contains("resourceVersion=")
}

fn without_preconditions(body: &mut Value) {
    if let Some(metadata) = body["metadata"].as_object_mut() {
        metadata.remove("uid");
        metadata.remove("resourceVersion");
    }
}

fn alter_body(http: &mut http::Request<Vec<u8>>, alter: impl FnOnce(&mut Value)) {
    if let Ok(mut body) = serde_json::from_slice(http.body()) {
        alter(&mut body);
        *http.body_mut() = body.to_string().into_bytes();
    }
}

fn alter_text(text: &mut String, alter: impl FnOnce(&mut Value)) {
    if let Ok(mut value) = serde_json::from_str(text) {
        alter(&mut value);
        *text = value.to_string();
    }
}
