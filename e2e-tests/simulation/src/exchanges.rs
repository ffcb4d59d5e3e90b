//! Scripted exchanges with an API server: recorded on a real one, and replayed on the one in memory.
//!
//! A script is a text of one step a line:
//!
//! ```text
//! # a comment
//! POST /api/v1/namespaces {"metadata":{"name":"a"}} => first
//! PATCH /api/v1/namespaces/a {"metadata":{"resourceVersion":"{first.metadata.resourceVersion}"}}
//! WATCH /api/v1/namespaces?watch=true&resourceVersion={first.metadata.resourceVersion+1000000}
//! ```
//!
//! `=> NAME` keeps an answer for later steps. `PARTIAL GET` asks for metadata alone. What a client cannot
//! ask for are steps too: `COMPACT` (the database forgets its past), `SUBRESOURCE` (Workloads get a status
//! subresource), `TERMINATING PATH` and `GONE PATH` (wait until a namespace is).

mod normal;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::normal::Normaliser;

/// A step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The whole line.
    pub line: String,
    /// What is done.
    pub action: Action,
    /// Path and query, with references.
    pub path: String,
    /// The body, with references; empty without one.
    pub body: String,
    /// The name under which the answer is kept.
    pub name: Option<String>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A request with this method.
    Request {
        /// The method.
        method: String,
        /// Whether only metadata are asked for.
        is_partial: bool,
    },
    /// A watch, to its end.
    Watch,
    /// The database forgets its past.
    Compact,
    /// Workloads get a status subresource.
    Subresource,
    /// Waits until a namespace is being deleted in earnest.
    Terminating,
    /// Waits until an object is gone.
    Gone,
}

/// What was answered to a step, without what differs from one server to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// The line of the script.
    pub step: String,
    /// The HTTP status.
    pub code: u16,
    /// The content type.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// The header `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// The body; the events of a watch as a list.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
}

/// The steps of a script.
///
/// # Errors
/// The first line that is none.
pub fn steps(script: &str) -> Result<Vec<Step>, String> {
    let lines = script.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| step(line).ok_or_else(|| format!("no step: {line}")))
        .collect()
}

fn step(line: &str) -> Option<Step> {
    let (rest, name) = match line.rsplit_once(" => ") {
        Some((rest, name)) => (rest, Some(name.to_owned())),
        None => (line, None),
    };
    let (is_partial, rest) = match rest.strip_prefix("PARTIAL ") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let mut parts = rest.splitn(3, ' ');
    let action = match parts.next()? {
        "WATCH" => Action::Watch,
        "COMPACT" => Action::Compact,
        "SUBRESOURCE" => Action::Subresource,
        "TERMINATING" => Action::Terminating,
        "GONE" => Action::Gone,
        method @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE") => Action::Request {
            method: method.to_owned(),
            is_partial,
        },
        _ => return None,
    };
    Some(Step {
        line: line.to_owned(),
        action,
        path: parts.next().unwrap_or_default().to_owned(),
        body: parts.next().unwrap_or_default().to_owned(),
        name,
    })
}

/// The answers that were kept.
#[derive(Debug, Default)]
pub struct Kept(BTreeMap<String, Value>);

impl Kept {
    /// Keeps an answer under a name.
    pub fn keep(&mut self, name: &str, body: &str) {
        let body = serde_json::from_str(body).unwrap_or_default();
        self.0.insert(name.to_owned(), body);
    }

    /// A text with its references replaced: `{NAME.PATH}`, or `{NAME.PATH+N}` for a number.
    pub fn resolve(&self, text: &str) -> String {
        let mut resolved = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, from) = rest.split_at(start);
            resolved.push_str(before);
            let end = from.find('}').filter(|_| !from.starts_with("{\""));
            let value = end.and_then(|end| Some((end, self.value(from.get(1..end)?)?)));
            rest = match value {
                Some((end, value)) => {
                    resolved.push_str(&value);
                    from.get(end + 1..).unwrap_or_default()
                }
                None => {
                    resolved.push('{');
                    from.get(1..).unwrap_or_default()
                }
            };
        }
        resolved + rest
    }

    fn value(&self, reference: &str) -> Option<String> {
        let (reference, plus) = match reference.split_once('+') {
            Some((reference, plus)) => (reference, plus.parse::<u64>().ok()?),
            None => (reference, 0),
        };
        let mut path = reference.split('.');
        let mut value = self.0.get(path.next()?)?;
        for part in path {
            value = &value[part];
        }
        match (value.as_str()?, plus) {
            (text, 0) => Some(text.to_owned()),
            (text, plus) => Some((text.parse::<u64>().ok()? + plus).to_string()),
        }
    }
}

/// The request of a step.
///
/// # Errors
/// When it is none.
pub fn request(step: &Step, kept: &Kept) -> Result<http::Request<Vec<u8>>, http::Error> {
    let (method, is_partial) = match &step.action {
        Action::Request { method, is_partial } => (method.as_str(), *is_partial),
        _ => ("GET", false),
    };
    let accept = match is_partial {
        true => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        false => "application/json",
    };
    let accept = match is_partial && !step.path.contains('?') && is_of_one(&step.path) {
        true => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        false => accept,
    };
    let content_type = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    http::Request::builder()
        .method(method)
        .uri(kept.resolve(&step.path))
        .header("accept", accept)
        .header("content-type", content_type)
        .header("user-agent", "exchanges/1")
        .body(kept.resolve(&step.body).into_bytes())
}

/// Whether a path is that of an object.
fn is_of_one(path: &str) -> bool {
    let in_namespace = path.contains("/namespaces/");
    let parts = path.split('/').filter(|part| !part.is_empty()).count();
    parts == if in_namespace { 7 } else { 5 }
}

/// The events of a watch.
pub fn events(text: &str) -> Value {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!({ "cut": line })))
        .collect()
}

#[cfg(test)]
mod tests;
