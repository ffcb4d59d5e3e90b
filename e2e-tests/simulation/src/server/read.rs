//! Gets and lists.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    ApiServer,
    request::Request,
    resource::Resource,
    selector::Selector,
    status::{self, Answer},
    store::{ObjectKey, Stored},
};

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ContinueToken {
    /// The number that the list is consistent at; none if it no longer is.
    revision: Option<u64>,
    /// The last object of the page before.
    after: (String, String),
}

impl ContinueToken {
    fn text(&self) -> String {
        let revision = self
            .revision
            .map_or(-1, |revision| i64::try_from(revision).unwrap_or(-1));
        let start = match &*self.after.0 {
            "" => format!("{}\0", self.after.1),
            namespace => format!("{namespace}/{}\0", self.after.1),
        };
        let token = json!({ "v": "meta.k8s.io/v1", "rv": revision, "start": start });
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    /// Reads a token of a list in one namespace, or in all.
    fn read(text: &str, namespace: Option<&str>) -> Option<Self> {
        let token = URL_SAFE_NO_PAD.decode(text).ok()?;
        let token: Value = serde_json::from_slice(&token).ok()?;
        let start = token["start"].as_str()?.trim_end_matches('\0');
        let after = match start.rsplit_once('/') {
            Some((namespace, name)) => (namespace, name),
            None => (namespace.unwrap_or_default(), start),
        };
        Some(Self {
            revision: u64::try_from(token["rv"].as_i64()?).ok(),
            after: (after.0.to_owned(), after.1.to_owned()),
        })
    }
}

type Objects = BTreeMap<ObjectKey, Arc<Stored>>;

impl ApiServer {
    pub(super) fn get(&self, request: &Request) -> Answer {
        let key = request.key();
        match self.store.get(&key) {
            Some(object) if request.is_partial => Answer::ok(200, partial(object).to_string()),
            Some(object) => Answer::ok(200, object.json()),
            None => request.about().not_found(),
        }
    }

    /// A list. Without a resourceVersion it is consistent; with `0` it is what this server's cache has.
    pub(super) fn list(&self, request: &Request, cache: usize) -> Answer {
        let namespace = request.namespace.as_deref();
        let resource = request.resource;
        let token = match request.parameter("continue") {
            "" => None,
            text => match ContinueToken::read(text, namespace) {
                Some(token) => Some(token),
                None => {
                    let message = "invalid continue token: continue key is not valid: illegal base64 data at input byte 0";
                    return status::failure(400, "BadRequest", message, Value::Null);
                }
            },
        };
        let asked = request.parameter("resourceVersion");
        let position = self.position(cache);
        let revision = match (&token, asked) {
            (Some(token), _) => token.revision.unwrap_or(self.store.revision()),
            (None, "") => self.store.revision(),
            (None, "0") => position,
            (None, asked) => {
                let asked = asked.parse().unwrap_or(0);
                if asked > self.store.revision() {
                    return too_large(asked, position);
                }
                match request.parameter("resourceVersionMatch") {
                    "Exact" => asked,
                    _ => position.max(asked),
                }
            }
        };
        let Some(objects) = self.store.list_at(revision, resource, namespace) else {
            let token = token.map(|token| ContinueToken {
                revision: None,
                ..token
            });
            return match token {
                Some(token) => status::expired_continue(&token.text()),
                None => status::expired_list(),
            };
        };
        self.page(request, &objects, revision, token)
    }

    fn page(
        &self,
        request: &Request,
        objects: &Objects,
        revision: u64,
        token: Option<ContinueToken>,
    ) -> Answer {
        let selector = Selector::read(request.parameter("labelSelector"));
        let namespace = request.namespace.as_deref();
        let after = token
            .as_ref()
            .map(|token| ObjectKey::new(request.resource, &token.after.0, &token.after.1));
        let mut left = objects
            .iter()
            .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
            .peekable();
        let limit = request.number("limit").filter(|limit| *limit > 0);
        let limit = limit.filter(|_| request.parameter("resourceVersion") != "0");
        let limit = limit.map_or(u64::MAX, |limit| limit.min(self.page_limit));
        let mut shown = Vec::new();
        while (shown.len() as u64) < limit
            && let Some((key, object)) = left.next()
        {
            if selector.matches(&object.value) {
                shown.push((key, object));
            }
        }
        let mut metadata = json!({ "resourceVersion": revision.to_string() });
        if let (Some((last, _)), true) = (shown.last(), left.peek().is_some()) {
            let after = match namespace {
                Some(_) => (String::new(), last.name.clone()),
                None => (last.namespace.clone(), last.name.clone()),
            };
            let revision = Some(revision);
            metadata["continue"] = ContinueToken { revision, after }.text().into();
            if selector.is_empty() {
                metadata["remainingItemCount"] = left.count().into();
            }
        } else if request.resource.is_custom() && !request.is_partial {
            metadata["continue"] = "".into();
        }
        Answer::ok(200, list_text(request, &metadata, &shown))
    }
}

fn list_text(request: &Request, metadata: &Value, shown: &[(&ObjectKey, &Arc<Stored>)]) -> String {
    let resource: Resource = request.resource;
    let (kind, api_version) = match request.is_partial {
        true => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
        false => (resource.kind(), resource.api_version()),
    };
    if request.is_partial && shown.is_empty() {
        return format!(
            r#"{{"kind":"{kind}List","apiVersion":"{api_version}","metadata":{metadata},"items":null}}"#
        );
    }
    let mut text = format!(
        r#"{{"kind":"{kind}List","apiVersion":"{api_version}","metadata":{metadata},"items":["#
    );
    for (index, (_, object)) in shown.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match request.is_partial {
            true => {
                let _ = write!(text, "{}", partial(object));
            }
            false if resource.is_custom() => text.push_str(object.json()),
            // The list says what its items are.
            false => {
                let mut item = object.value.clone();
                if let Some(item) = item.as_object_mut() {
                    item.retain(|field, _| !matches!(field.as_str(), "kind" | "apiVersion"));
                }
                let _ = write!(text, "{item}");
            }
        }
    }
    text.push_str("]}");
    text
}

fn partial(object: &Stored) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object.value["metadata"],
    })
}

/// This server lags behind the number that is asked for.
fn too_large(asked: u64, current: u64) -> Answer {
    let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
    let details = json!({
        "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
        "retryAfterSeconds": 1,
    });
    Answer {
        retry_after: Some(1),
        ..status::failure(504, "Timeout", &message, details)
    }
}

impl Request {
    pub(super) fn key(&self) -> ObjectKey {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        ObjectKey::new(self.resource, namespace, &self.name)
    }
}
