//! The fixtures and the example requests, as requests to a real API server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use http::Method;
use kube::Client;
use kuma_workload_host::AdmissionRequest;
use kuma_workload_host::case::{self, Cases};
use kuma_workload_host::cluster::Manifests;
use kuma_workload_rulebook::admission;
use serde_json::{Value, json};

use crate::api::{self, Call, User};
use crate::objects::{changeable, collection};
use crate::policies::TAG;

/// A request of a fixture, and its Namespace as the fixture's session has it.
pub(crate) struct Recorded {
    request: AdmissionRequest,
    namespace: Value,
}

/// All of them that are judged, by their settings.
pub(crate) fn all() -> Vec<(Value, Vec<Recorded>)> {
    let examples = in_project("examples/settings.yml");
    let examples = case::read_settings(&examples).unwrap().settings;
    let folders = [
        ("e2e-tests/fixtures", json!({})),
        ("examples/requests", serde_json::to_value(examples).unwrap()),
    ];
    let mut by_settings: BTreeMap<String, (Value, Vec<Recorded>)> = BTreeMap::new();
    for (folder, default) in folders {
        let loaded = Cases::load([in_project(folder)], &Manifests::new().with_kuma());
        assert_eq!(loaded.faults, []);
        for case in loaded.cases {
            let own = case
                .settings
                .map(|own| serde_json::to_value(own.settings).unwrap());
            let settings = own.unwrap_or_else(|| default.clone());
            let session = case.session.as_deref().map(namespace_of_session);
            let recorded = Recorded {
                request: case.request,
                namespace: session.unwrap_or_default(),
            };
            if recorded.is_sent_as_it_is() && are_valid(&settings) {
                let entry = by_settings.entry(settings.to_string());
                entry
                    .or_insert_with(|| (settings, Vec::new()))
                    .1
                    .push(recorded);
            }
        }
    }
    by_settings.into_values().collect()
}

fn are_valid(settings: &Value) -> bool {
    let text = settings.to_string();
    let given = serde_json::from_str(&text).unwrap();
    admission::Settings::read(given).is_ok()
}

fn in_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The metadata of the Namespace that a session answers with.
fn namespace_of_session(session: &Path) -> Value {
    let text = std::fs::read_to_string(session).unwrap();
    let answers: Value = serde_saphyr::from_str(&text).unwrap();
    let payloads = answers.as_array().into_iter().flatten();
    let payloads = payloads.filter_map(|answer| answer["response"]["payload"].as_str());
    let mut objects = payloads.filter_map(|payload| serde_json::from_str::<Value>(payload).ok());
    let found = objects.find(|object| object["kind"] == "Namespace");
    found
        .map(|namespace| namespace["metadata"].clone())
        .unwrap_or_default()
}

impl Recorded {
    /// Whether an API server makes such a request: one without a user is an audit, and an object or an
    /// old object is always there.
    fn is_sent_as_it_is(&self) -> bool {
        let request = &self.request;
        let kind = &request.kind;
        let sub_resource = request.sub_resource.as_deref().unwrap_or_default();
        let scope = admission::scope(&kind.group, &kind.kind, &request.operation, sub_resource);
        let has_objects = match &*request.operation {
            "CREATE" => request.object.is_some(),
            "UPDATE" => request.object.is_some() && request.old_object.is_some(),
            _ => request.old_object.is_some(),
        };
        let objects = [&request.object, &request.old_object].into_iter().flatten();
        let mut labels = objects.map(|object| &object["metadata"]["labels"]);
        let is_readable = labels.all(|labels| labels.is_null() || labels.is_object());
        let has_user = request
            .user_info
            .username
            .as_deref()
            .is_some_and(|name| !name.is_empty());
        scope.is_some() && has_objects && is_readable && has_user && sub_resource.is_empty()
    }
}

/// The requests, each in a Namespace of its own. What they change is stored.
pub(crate) async fn calls(client: &Client, tag: &str, requests: Vec<Recorded>) -> Vec<Call> {
    let mut calls = Vec::new();
    for (number, recorded) in requests.into_iter().enumerate() {
        let name = format!("{tag}-{number}");
        calls.extend(call(client, tag, &name, recorded).await);
    }
    calls
}

async fn call(client: &Client, tag: &str, name: &str, recorded: Recorded) -> Option<Call> {
    let Recorded { request, namespace } = recorded;
    let plural = &request.resource.resource;
    let api_version = match &*request.kind.group {
        "" => request.kind.version.clone(),
        group => format!("{group}/{}", request.kind.version),
    };
    // Elsewhere than where it stands in the fixture, but for the one that no other name stands for.
    let own = match request.namespace.as_deref() {
        None | Some("") => String::new(),
        Some("kube-system") => "kube-system".to_owned(),
        Some(_) => name.to_owned(),
    };
    let is_namespace = request.kind.kind == "Namespace";
    if own == name && !is_namespace {
        let mut metadata = clean(&namespace);
        metadata["name"] = json!(name);
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        api::store(client, &collection("v1", "", "namespaces"), &object).await;
    }
    let own = if is_namespace { String::new() } else { own };
    let objects = collection(&api_version, &own, plural);
    let object_name = match is_namespace {
        true => name.to_owned(),
        false => {
            let object = request.old_object.as_ref().or(request.object.as_ref())?;
            object["metadata"]["name"]
                .as_str()
                .unwrap_or(name)
                .to_owned()
        }
    };
    let prepare = |object: &Value| {
        let mut object = object.clone();
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(request.kind.kind);
        let mut metadata = clean(&object["metadata"]);
        metadata["name"] = json!(object_name);
        metadata["labels"][TAG] = json!(tag);
        object["metadata"] = metadata;
        if request.kind.group != "kuma.io"
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        object
    };
    let user = Some(User {
        name: request.user_info.username.clone()?,
        groups: request.user_info.groups.clone().unwrap_or_default(),
    });
    let name = name.to_owned();
    if request.operation == "CREATE" {
        let body = prepare(request.object.as_ref()?);
        return Some(Call {
            name,
            method: Method::POST,
            path: objects,
            body,
            user,
        });
    }
    let (new, old) = (request.object.as_ref(), request.old_object.as_ref()?);
    let mut stored = prepare(old);
    let terminates = !old["metadata"]["deletionTimestamp"].is_null()
        || new.is_some_and(|new| !new["metadata"]["deletionTimestamp"].is_null());
    if terminates && !is_namespace {
        stored["metadata"]["finalizers"] = json!(["example.com/slow"]);
    }
    let path = format!("{objects}/{object_name}");
    let mut stored = api::store(client, &objects, &stored).await;
    if terminates && !is_namespace {
        stored = api::delete(client, &path).await;
    }
    if request.operation == "DELETE" {
        let (method, body) = (Method::DELETE, Value::Null);
        return Some(Call {
            name: format!("{own}/{object_name}"),
            method,
            path,
            body,
            user,
        });
    }
    let new = new?;
    let mut body = changeable(&stored);
    let changed = prepare(new);
    for field in ["labels", "annotations"] {
        body["metadata"][field] = changed["metadata"][field].clone();
    }
    for field in ["spec", "status"] {
        if new[field] != old[field] && !changed[field].is_null() {
            body[field] = changed[field].clone();
        }
    }
    Some(Call {
        name,
        method: Method::PUT,
        path,
        body,
        user,
    })
}

/// Metadata without what the API server gives.
fn clean(metadata: &Value) -> Value {
    let mut clean = json!({});
    for field in ["labels", "annotations", "ownerReferences", "finalizers"] {
        if !metadata[field].is_null() {
            clean[field] = metadata[field].clone();
        }
    }
    if let Some(labels) = clean["labels"].as_object_mut() {
        labels.remove("kubernetes.io/metadata.name");
    }
    clean
}
