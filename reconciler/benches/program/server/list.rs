//! Lists, in pages.

use std::ops::Bound;

use kuma_workload::kinds::RecordKind;
use serde_json::{Value, json};

use super::cluster::{Cluster, Name};

/// What is listed.
pub(super) struct ListQuery<'q> {
    pub(super) kind: RecordKind,
    pub(super) namespace: Option<&'q str>,
    pub(super) limit: usize,
    /// Where the last page ended.
    pub(super) token: Option<&'q str>,
    /// Only the metadata of each object.
    pub(super) metadata: bool,
}

/// Where a page ended: the version of the list, how many objects came before, and the last of them.
struct Token {
    version: u64,
    before: usize,
    last: Name,
}

impl Token {
    // No name has an underscore, and it needs no escape in a query.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '_');
        Some(Self {
            version: parts.next()?.parse().ok()?,
            before: parts.next()?.parse().ok()?,
            last: (parts.next()?.to_owned(), parts.next()?.to_owned()),
        })
    }

    fn text(&self) -> String {
        let (namespace, name) = &self.last;
        format!("{}_{}_{namespace}_{name}", self.version, self.before)
    }
}

/// A page of a list.
pub(super) fn page(cluster: &Cluster, query: &ListQuery<'_>) -> String {
    let objects = cluster.objects(query.kind);
    let token = query.token.and_then(Token::read);
    let (version, before) = token.as_ref().map_or((cluster.version(), 0), |token| {
        (token.version, token.before)
    });
    let namespace = query.namespace.unwrap_or_default();
    let first = match token {
        Some(token) => Bound::Excluded(token.last),
        None => Bound::Included((namespace.to_owned(), String::new())),
    };
    let mut rest = objects
        .range((first, Bound::Unbounded))
        .take_while(|((home, _), _)| query.namespace.is_none_or(|namespace| home == namespace));
    let (mut items, mut last) = (Vec::new(), None);
    for (name, object) in rest.by_ref().take(query.limit) {
        items.push(item(cluster.text(query.kind, object), query.metadata));
        last = Some(name);
    }
    let served = before + items.len();
    let remaining = match query.namespace {
        Some(_) => rest.count(),
        None => objects.len().saturating_sub(served),
    };
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if let Some(last) = last.filter(|_| remaining > 0) {
        let token = Token {
            version,
            before: served,
            last: last.clone(),
        };
        metadata["continue"] = json!(token.text());
        metadata["remainingItemCount"] = json!(remaining);
    }
    let (kind, api_version) = match query.metadata {
        true => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1"),
        false => (format!("{}List", query.kind.name()), "kuma.io/v1alpha1"),
    };
    let items = items.join(",");
    format!(
        r#"{{"kind":"{kind}","apiVersion":"{api_version}","metadata":{metadata},"items":[{items}]}}"#
    )
}

fn item(object: String, metadata: bool) -> String {
    if !metadata {
        return object;
    }
    let mut object: Value = serde_json::from_str(&object).unwrap();
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"].take(),
    })
    .to_string()
}
