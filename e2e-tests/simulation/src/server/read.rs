//! Gets and lists.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

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
        let revision = self.revision.unwrap_or_default();
        format!("{revision}~{}~{}", self.after.0, self.after.1)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '~');
        let revision: u64 = parts.next()?.parse().ok()?;
        Some(Self {
            revision: (revision > 0).then_some(revision),
            after: (parts.next()?.to_owned(), parts.next()?.to_owned()),
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
            text => match ContinueToken::read(text) {
                Some(token) => Some(token),
                None => {
                    let message = "continue key is not valid: illegal base64 data";
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
                position.max(asked)
            }
        };
        let Some(objects) = self.store.list_at(revision, resource, namespace) else {
            let token = token.map(|token| ContinueToken {
                revision: None,
                ..token
            });
            return match token {
                Some(token) => status::expired_continue(&token.text()),
                None => status::expired_watch(revision, self.store.compacted()),
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
        let after = token
            .as_ref()
            .map(|token| ObjectKey::new(request.resource, &token.after.0, &token.after.1));
        let left: Vec<_> = objects
            .iter()
            .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
            .filter(|(_, object)| selector.matches(&object.value))
            .collect();
        let limit = request.number("limit").filter(|limit| *limit > 0);
        let limit = limit.map(|limit| limit.min(self.page_limit));
        let size = limit.map_or(left.len(), |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        });
        let mut metadata = json!({ "resourceVersion": revision.to_string() });
        let shown = left.get(..size).unwrap_or(&left);
        if let (Some((last, _)), true) = (shown.last(), left.len() > size) {
            let next = ContinueToken {
                revision: Some(revision),
                after: (last.namespace.clone(), last.name.clone()),
            };
            metadata["continue"] = next.text().into();
            if selector.is_empty() {
                metadata["remainingItemCount"] = (left.len() - size).into();
            }
        }
        Answer::ok(200, list_text(request, &metadata, shown))
    }
}

fn list_text(request: &Request, metadata: &Value, shown: &[(&ObjectKey, &Arc<Stored>)]) -> String {
    let resource: Resource = request.resource;
    let (kind, api_version) = match request.is_partial {
        true => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
        false => (resource.kind(), resource.api_version()),
    };
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
            false => text.push_str(object.json()),
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
    let message = format!("Too large resource version: {asked}, current: {current}");
    let details = json!({
        "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
        "retryAfterSeconds": 1,
    });
    status::failure(504, "Timeout", &message, details)
}

impl Request {
    pub(super) fn key(&self) -> ObjectKey {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        ObjectKey::new(self.resource, namespace, &self.name)
    }
}
