//! Watches.

use serde_json::{Value, json};

use super::{
    request::Request,
    resource::Resource,
    selector::Selector,
    status::{self, Answer},
    store::{Change, Store, Stored},
};

/// A watch that goes on.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Which resource.
    pub resource: Resource,
    /// Which namespace; all without one.
    pub namespace: Option<String>,
    /// Which server's cache it follows.
    pub cache: usize,
    /// After how many seconds the server ends it; none if that is up to the server.
    pub timeout: Option<u64>,
    /// Whether the client wants bookmarks.
    pub has_bookmarks: bool,
    selector: Selector,
    /// Everything up to this number was sent, or the client has it.
    position: u64,
    /// Lines to send first.
    begun_with: Vec<String>,
}

impl Watch {
    /// A watch of a server's cache, which has come up to this number, unless it cannot begin. The cache
    /// sends that it has expired as an event.
    pub(super) fn begin(
        request: &Request,
        store: &Store,
        cache: usize,
        position: u64,
    ) -> Result<Self, Answer> {
        let asked = request.parameter("resourceVersion");
        let Ok(from) = (match asked {
            "" => Ok(0),
            asked => asked.parse::<u64>(),
        }) else {
            let message = format!(
                "resourceVersion: Invalid value: \"{asked}\": strconv.ParseUint: parsing \"{asked}\": invalid syntax"
            );
            return Err(status::failure(500, "", &message, Value::Null));
        };
        let mut watch = Self {
            resource: request.resource,
            namespace: request.namespace.clone(),
            cache,
            timeout: request.number("timeoutSeconds"),
            has_bookmarks: request.parameter("allowWatchBookmarks") == "true",
            selector: Selector::read(request.parameter("labelSelector")),
            position: from,
            begun_with: Vec::new(),
        };
        if from == 0 {
            watch.position = position;
            let namespace = watch.namespace.as_deref();
            let objects = store.list(watch.resource, namespace);
            let matching = objects.filter(|(_, object)| watch.selector.matches(&object.value));
            let lines: Vec<_> = matching
                .map(|(_, object)| line("ADDED", object.json()))
                .collect();
            watch.begun_with = lines;
        } else if from < store.compacted() {
            let expired = status::expired_watch(from, store.compacted());
            watch.begun_with.push(line("ERROR", &expired.body));
            watch.timeout = Some(0);
            watch.position = u64::MAX;
        }
        Ok(watch)
    }

    /// What it shows next, where its cache has come up to this number.
    pub(super) fn advance(&mut self, store: &Store, position: u64) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.begun_with);
        for change in store.since(self.position) {
            if change.revision > position {
                break;
            }
            let is_watched = change.key.resource == self.resource
                && self
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| *namespace == change.key.namespace);
            if is_watched {
                lines.extend(self.line(change));
            }
        }
        self.position = self.position.max(position);
        lines
    }

    /// A bookmark, where its cache has come up to this number; none while that is behind what the client
    /// asked for.
    pub(super) fn bookmark(&self, position: u64) -> Option<String> {
        if !self.has_bookmarks || self.position > position {
            return None;
        }
        let object = json!({
            "kind": self.resource.kind(),
            "apiVersion": self.resource.api_version(),
            "metadata": { "resourceVersion": position.to_string(), "creationTimestamp": null },
        });
        Some(line("BOOKMARK", &object.to_string()))
    }

    fn line(&self, change: &Change) -> Option<String> {
        let selected = |object: &Option<std::sync::Arc<Stored>>| {
            let object = object.as_ref();
            object.is_some_and(|object| self.selector.matches(&object.value))
        };
        let (before, after) = (selected(&change.before), selected(&change.after));
        let shown = change.after.as_ref().or(change.before.as_ref())?;
        match (before, after) {
            (false, false) => None,
            (false, true) => Some(line("ADDED", shown.json())),
            (true, true) => Some(line("MODIFIED", shown.json())),
            (true, false) => {
                // The object as it was, with the number of the change.
                let mut gone = change.before.as_ref()?.value.clone();
                gone["metadata"]["resourceVersion"] = change.revision.to_string().into();
                Some(line("DELETED", &gone.to_string()))
            }
        }
    }
}

/// An event of a watch, as a line.
pub fn line(kind: &str, object: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n")
}
