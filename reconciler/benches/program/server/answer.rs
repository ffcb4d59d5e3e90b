//! The answer to each request.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use kuma_workload::kinds::RecordKind;
use serde_json::{Value, json};

use super::{
    Shared,
    asked::{Asked, Verb},
    list::{self, ListQuery},
    watches::OpenWatch,
    write,
};

/// The kinds that are served.
const KINDS: [RecordKind; 5] = [
    RecordKind::Dataplane,
    RecordKind::DataplaneInsight,
    RecordKind::Workload,
    RecordKind::Namespace,
    RecordKind::Mesh,
];

/// What a path names.
#[derive(Debug, Default)]
struct Target {
    namespace: Option<String>,
    resource: String,
    name: Option<String>,
    subresource: Option<String>,
}

impl Target {
    /// None for a path of discovery.
    fn of(path: &str) -> Option<Self> {
        let mut parts = path.split('/').skip(1);
        let versions = match parts.next()? {
            "api" => 1,
            _ => 2,
        };
        let mut rest = parts.skip(versions).map(str::to_owned).peekable();
        let mut target = Self {
            resource: rest.next()?,
            name: rest.next(),
            ..Self::default()
        };
        if target.resource == "namespaces" && rest.peek().is_some() {
            target.namespace = target.name.take();
            target.resource = rest.next()?;
            target.name = rest.next();
            target.subresource = rest.next();
        }
        Some(target)
    }

    fn kind(&self) -> Option<RecordKind> {
        let mut kinds = KINDS.into_iter();
        kinds.find(|kind| kind.plural() == self.resource)
    }
}

fn parameter<'u>(uri: &'u Uri, name: &str) -> Option<&'u str> {
    let mut pairs = uri.query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(target) = Target::of(uri.path()) else {
        return answered(StatusCode::OK, &discovery(&shared));
    };
    let metadata = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("PartialObjectMetadataList"));
    let verb = verb(&method, &uri, &target, metadata);
    let asked = Asked {
        at: Instant::now(),
        verb,
        resource: target.resource.clone(),
    };
    shared.asked.lock().unwrap().push(asked);
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (target.kind(), verb) {
        (Some(kind), Verb::List | Verb::Page | Verb::Compare | Verb::Fence | Verb::Watch) => {
            read(&shared, kind, &target, &uri, verb)
        }
        (Some(RecordKind::Workload), _) => workload(&shared, verb, target, body),
        (None, _) if target.resource == "leases" => lease(&shared, verb, body),
        // Events.
        (None, Verb::List) => {
            let list = json!({ "metadata": { "resourceVersion": "1" }, "items": [] });
            answered(StatusCode::OK, &list)
        }
        (None, Verb::Create | Verb::Update | Verb::Patch) => answered(StatusCode::CREATED, &body),
        _ => failure(StatusCode::NOT_FOUND),
    }
}

fn verb(method: &Method, uri: &Uri, target: &Target, metadata: bool) -> Verb {
    match *method {
        Method::POST => Verb::Create,
        Method::PUT => Verb::Update,
        Method::PATCH => Verb::Patch,
        Method::DELETE => Verb::Delete,
        _ if target.name.is_some() => Verb::Get,
        _ if parameter(uri, "watch").is_some() => Verb::Watch,
        _ if metadata => Verb::Fence,
        _ if parameter(uri, "limit") == Some("1") => Verb::Compare,
        _ if parameter(uri, "continue").is_some() => Verb::Page,
        _ => Verb::List,
    }
}

fn read(
    shared: &Arc<Shared>,
    kind: RecordKind,
    target: &Target,
    uri: &Uri,
    verb: Verb,
) -> Response {
    let has_namespaces = !matches!(kind, RecordKind::Namespace | RecordKind::Mesh);
    let is_wide = target.namespace.is_none() && has_namespaces;
    if is_wide && !shared.grants_cluster.load(Ordering::Relaxed) {
        return failure(StatusCode::FORBIDDEN);
    }
    let number = |name| parameter(uri, name)?.parse::<u64>().ok();
    if verb == Verb::Watch {
        let timeout = Duration::from_secs(number("timeoutSeconds").unwrap_or(300));
        let version = number("resourceVersion").unwrap_or_default();
        let namespace = target.namespace.clone();
        let watch = OpenWatch::new(shared.clone(), kind, namespace, version, timeout);
        return json_response(StatusCode::OK, watch.body());
    }
    let limit = number("limit").and_then(|limit| usize::try_from(limit).ok());
    let query = ListQuery {
        kind,
        namespace: target.namespace.as_deref(),
        limit: limit.unwrap_or(usize::MAX),
        token: parameter(uri, "continue"),
        metadata: verb == Verb::Fence,
    };
    let page = shared.cluster(|cluster| list::page(cluster, &query));
    json_response(StatusCode::OK, Body::from(page))
}

fn workload(shared: &Shared, verb: Verb, target: Target, body: Value) -> Response {
    let has_subresource = shared.has_status_subresource.load(Ordering::Relaxed);
    let namespace = target.namespace.unwrap_or_default();
    let name = (namespace.clone(), target.name.unwrap_or_default());
    let subresource = target.subresource.as_deref();
    let written = shared.cluster(|cluster| match verb {
        Verb::Create => write::create(cluster, &namespace, body, has_subresource),
        Verb::Patch => write::patch(cluster, name, body, subresource, has_subresource),
        Verb::Delete => write::delete(cluster, &name, &body),
        _ => match cluster.get(RecordKind::Workload, &name) {
            Some(object) => Ok((StatusCode::OK, object.to_string())),
            None => Err(StatusCode::NOT_FOUND),
        },
    });
    match written {
        Ok((code, object)) => json_response(code, Body::from(object)),
        Err(code) => failure(code),
    }
}

fn lease(shared: &Shared, verb: Verb, body: Value) -> Response {
    let mut lease = shared.lease.lock().unwrap();
    if verb == Verb::Get {
        return answered(StatusCode::OK, &lease);
    }
    let version = &lease["metadata"]["resourceVersion"];
    if verb != Verb::Update || body["metadata"]["resourceVersion"] != *version {
        return failure(StatusCode::CONFLICT);
    }
    let version: u64 = version.as_str().unwrap().parse().unwrap();
    *lease = body;
    lease["metadata"]["resourceVersion"] = json!((version + 1).to_string());
    answered(StatusCode::OK, &lease)
}

fn discovery(shared: &Shared) -> Value {
    let resource = |name: &str, kind: &str| {
        json!({
            "name": name, "singularName": "", "namespaced": true, "kind": kind,
            "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
        })
    };
    let mut resources = vec![
        resource("dataplanes", "Dataplane"),
        resource("dataplaneinsights", "DataplaneInsight"),
        resource("meshes", "Mesh"),
        resource("workloads", "Workload"),
    ];
    if shared.has_status_subresource.load(Ordering::Relaxed) {
        resources.push(resource("workloads/status", "Workload"));
    }
    json!({
        "kind": "APIResourceList", "apiVersion": "v1",
        "groupVersion": "kuma.io/v1alpha1", "resources": resources,
    })
}

/// What a watch ends with whose number is too old.
pub(super) fn gone() -> Value {
    status(StatusCode::GONE)
}

fn status(code: StatusCode) -> Value {
    let reason = match code {
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::NOT_FOUND => "NotFound",
        StatusCode::CONFLICT => "AlreadyExists",
        StatusCode::GONE => "Expired",
        _ => "InternalError",
    };
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code.as_u16(), "reason": reason, "message": reason,
        "details": { "name": "bench" },
    })
}

fn failure(code: StatusCode) -> Response {
    answered(code, &status(code))
}

fn answered(code: StatusCode, object: &Value) -> Response {
    json_response(code, Body::from(object.to_string()))
}

fn json_response(code: StatusCode, body: Body) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (code, headers, body).into_response()
}
