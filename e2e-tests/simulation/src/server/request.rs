//! What a request asks for.

use std::collections::BTreeMap;

use http::{Method, header};
use serde_json::Value;

use super::resource::Resource;

/// A verb of the API, as RBAC calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read many.
    List,
    /// Follow changes.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Verb {
    /// The verb, as RBAC calls it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }

    /// Whether it changes something.
    pub fn is_write(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Update | Self::Patch | Self::Delete
        )
    }
}

/// A request for a resource.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is to be done.
    pub verb: Verb,
    /// With objects of this resource.
    pub resource: Resource,
    /// In this namespace; in all without one.
    pub namespace: Option<String>,
    /// The object's name; empty for a collection.
    pub name: String,
    /// `status`, for example; empty without one.
    pub subresource: String,
    /// The parameters.
    pub query: BTreeMap<String, String>,
    /// Whether only metadata are asked for.
    pub is_partial: bool,
    /// The content type of the body.
    pub content_type: String,
    /// Who writes, as `managedFields` call it.
    pub manager: String,
    /// The body; null without one.
    pub body: Value,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// To a resource.
    Resource(Box<Request>),
    /// To the list of a group's resources.
    Discovery(String),
    /// To a path that is not served.
    Nowhere,
}

impl Request {
    /// The namespace and name of the object that it is about.
    pub fn full_name(&self) -> String {
        let name = match self.verb {
            Verb::Create => self.body["metadata"]["name"].as_str().unwrap_or_default(),
            _ => &self.name,
        };
        let namespace = self.namespace.as_deref().unwrap_or_default();
        format!("{namespace}/{name}")
    }

    /// Whether it writes a Workload.
    pub fn is_workload_write(&self) -> bool {
        self.resource == Resource::Workloads && self.verb.is_write()
    }

    /// A parameter; empty if it is absent.
    pub fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// A parameter that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.parameter(name).parse().ok()
    }
}

/// Reads a request.
pub fn read(request: &http::Request<Vec<u8>>) -> Target {
    let uri = request.uri();
    let segments: Vec<_> = uri
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let (group, version, rest) = match segments.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Target::Nowhere,
    };
    let (namespace, rest) = match rest {
        [] => return Target::Discovery(format!("{group}/{version}")),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() && *rest != ["status"] => {
            (Some(percent_decoded(namespace)), rest)
        }
        rest => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, "", ""),
        [plural, name] => (*plural, *name, ""),
        [plural, name, subresource] => (*plural, *name, *subresource),
        _ => return Target::Nowhere,
    };
    let Some(resource) = Resource::find(group, version, plural) else {
        return Target::Nowhere;
    };
    let query = query(uri.query().unwrap_or_default());
    let is_watch = query
        .get("watch")
        .is_some_and(|watch| matches!(watch.as_str(), "true" | "1"));
    let verb = match *request.method() {
        Method::POST => Verb::Create,
        Method::PUT => Verb::Update,
        Method::PATCH => Verb::Patch,
        Method::DELETE => Verb::Delete,
        _ if is_watch => Verb::Watch,
        _ if name.is_empty() => Verb::List,
        _ => Verb::Get,
    };
    let header = |name| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    };
    let agent = header(header::USER_AGENT);
    let agent = agent.split(['/', ' ']).next().unwrap_or_default();
    let manager = match query.get("fieldManager") {
        Some(manager) => manager.clone(),
        None if agent.is_empty() => "unknown".to_owned(),
        None => agent.to_owned(),
    };
    Target::Resource(Box::new(Request {
        verb,
        resource,
        namespace,
        name: percent_decoded(name),
        subresource: subresource.to_owned(),
        is_partial: header(header::ACCEPT).contains("as=PartialObjectMetadata"),
        content_type: header(header::CONTENT_TYPE).to_owned(),
        manager,
        body: serde_json::from_slice(request.body()).unwrap_or_default(),
        query,
    }))
}

fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (percent_decoded(name), percent_decoded(value)))
        .collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next(), bytes.next()];
                let digits = digits.map(|digit| (digit.unwrap_or(b'0') as char).to_digit(16));
                let [high, low] = digits.map(Option::unwrap_or_default);
                u8::try_from(high * 16 + low).unwrap_or_default()
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
