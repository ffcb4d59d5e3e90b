//! A request, as RBAC would call it.

use axum::body::Bytes;
use http::{Method, Uri};
use serde_json::Value;
use tokio::time::Instant;

/// What was asked, when, and what came of it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When it came.
    pub at: Instant,
    /// `get`, `list`, `watch`, `create`, `update`, `patch` or `delete`.
    pub verb: &'static str,
    /// The resource, with its subresource: `workloads/status`.
    pub resource: String,
    /// Its namespace; empty if it has none.
    pub namespace: String,
    /// The object's name; of one that is created, too.
    pub name: String,
    /// What was sent.
    pub body: Value,
    /// Whether it asks for a list's next page.
    pub is_continued: bool,
    /// The status of the API server's own answer; none if it was not asked, or did not answer.
    pub answer: Option<u16>,
}

impl Asked {
    pub(super) fn of(method: &Method, uri: &Uri, body: &Bytes) -> Self {
        let segments: Vec<_> = uri
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let rest = match segments.first() {
            Some(&"api") => segments.get(2..),
            Some(&"apis") => segments.get(3..),
            _ => None,
        };
        let (namespace, rest) = match rest.unwrap_or_default() {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            rest => ("", rest),
        };
        let (resource, name) = match rest {
            [resource] => ((*resource).to_owned(), ""),
            [resource, name] => ((*resource).to_owned(), *name),
            [resource, name, subresource, ..] => (format!("{resource}/{subresource}"), *name),
            // Discovery, and whatever else is no resource.
            [] => (uri.path().to_owned(), ""),
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let named = body["metadata"]["name"].as_str().unwrap_or_default();
        let name = if name.is_empty() { named } else { name };
        Self {
            at: Instant::now(),
            verb: verb(method, uri, name.is_empty() && !rest.is_empty()),
            resource,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            body,
            is_continued: pairs(uri).any(|pair| pair.starts_with("continue=")),
            answer: None,
        }
    }

    /// Whether it is one of these: a verb, a resource and perhaps a name. `*` at the end of a word stands
    /// for anything.
    #[must_use]
    pub fn is(&self, what: &str) -> bool {
        let mut words = what.split(' ');
        let own = [self.verb, &self.resource, &self.name];
        own.into_iter().all(|own| {
            words
                .next()
                .is_none_or(|word| match word.strip_suffix('*') {
                    Some(stem) => own.starts_with(stem),
                    None => word == own,
                })
        })
    }

    /// Whether it is to change Workloads.
    #[must_use]
    pub fn writes_workloads(&self) -> bool {
        let is_workload = matches!(&*self.resource, "workloads" | "workloads/status");
        is_workload && !matches!(self.verb, "get" | "list" | "watch")
    }

    /// Whether the API server did it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.answer.is_some_and(|answer| answer < 300)
    }
}

fn pairs(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&')
}

fn verb(method: &Method, uri: &Uri, is_of_many: bool) -> &'static str {
    match *method {
        Method::GET if pairs(uri).any(|pair| pair == "watch=true") => "watch",
        Method::GET if is_of_many => "list",
        Method::GET => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GROUP: &str = "/apis/kuma.io/v1alpha1";

    #[rstest]
    #[case::list("GET", "/dataplanes?limit=250", "list dataplanes")]
    #[case::watch("GET", "/dataplanes?&watch=true&resourceVersion=1", "watch dataplanes")]
    #[case::get("GET", "/namespaces/shop/workloads/cart", "get workloads cart")]
    #[case::create(
        "POST",
        "/namespaces/shop/workloads?fieldManager=x",
        "create workloads made"
    )]
    #[case::status(
        "PATCH",
        "/namespaces/shop/workloads/cart/status",
        "patch workloads/status cart"
    )]
    #[case::delete("DELETE", "/namespaces/shop/workloads/cart", "delete workloads cart")]
    #[case::any("DELETE", "/namespaces/shop/workloads/cart", "* workloads *")]
    #[case::beginning("DELETE", "/namespaces/shop/workloads/cart", "delete workloads ca*")]
    #[case::discovery("GET", "", "get /apis/kuma.io/v1alpha1")]
    fn requests(#[case] method: &str, #[case] path: &str, #[case] what: &str) {
        let uri = format!("{GROUP}{path}").parse().unwrap();
        let body = match method {
            "POST" => Bytes::from_static(br#"{"metadata":{"name":"made"}}"#),
            _ => Bytes::new(),
        };
        let asked = Asked::of(&method.parse().unwrap(), &uri, &body);
        assert!(asked.is(what), "{asked:?}");
        assert!(!asked.is("update workloads"));
    }

    #[test]
    fn a_namespace_is_an_object_too() {
        let of =
            |path: &'static str| Asked::of(&Method::GET, &Uri::from_static(path), &Bytes::new());
        assert!(of("/api/v1/namespaces").is("list namespaces"));
        assert!(of("/api/v1/namespaces/shop").is("get namespaces shop"));
    }
}
