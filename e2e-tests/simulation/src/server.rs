//! An API server in memory: pure and synchronous. Whoever holds it knows the time and owns the network.
//!
//! | module | job |
//! |---|---|
//! | [`resource`] | what is served |
//! | [`store`] | objects, the log of their changes, the number of each |
//! | [`request`] | what is asked |
//! | [`refusal`] | authorizer, webhooks, overload |
//! | `read`, `write`, [`watch`] | what is answered |
//! | [`status`] | failures, in the words of the real one |
//! | `validation`, `managed_fields`, `merge_patch`, `selector` | as their names say |
//!
//! Two servers stand before the one store. They differ in how far the cache has come from which each
//! sends watches; gets and lists without a resourceVersion are consistent at both.

mod managed_fields;
mod merge_patch;
mod read;
pub mod refusal;
pub mod request;
pub mod resource;
mod selector;
pub mod status;
pub mod store;
mod validation;
pub mod watch;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use self::{
    refusal::StandingRefusal,
    request::{Request, Target, Verb},
    resource::Resource,
    status::Answer,
    store::{ObjectKey, Store, Stored},
    watch::Watch,
};

/// How many servers there are.
pub const SERVERS: usize = 2;

/// What a request gets.
#[derive(Debug)]
pub enum Reply {
    /// An answer.
    Answer(Answer),
    /// A watch that begins.
    Watch(Box<Watch>),
}

/// The API servers and their database.
#[derive(Debug)]
pub struct ApiServer {
    /// The database.
    pub store: Store,
    /// Whether Workloads have a status subresource (Kuma's own definition has none).
    pub has_status_subresource: bool,
    /// No page has more objects than this, whatever limit a list asks for.
    pub page_limit: u64,
    /// What is refused, and goes on to be.
    pub refusals: BTreeMap<u64, StandingRefusal>,
    positions: [u64; SERVERS],
    unserved: Vec<Resource>,
    now: Timestamp,
    uids: u64,
}

impl Default for ApiServer {
    fn default() -> Self {
        Self {
            store: Store::default(),
            has_status_subresource: false,
            page_limit: u64::MAX,
            refusals: BTreeMap::new(),
            positions: [0; SERVERS],
            unserved: Vec::new(),
            now: Timestamp::UNIX_EPOCH,
            uids: 0,
        }
    }
}

impl ApiServer {
    /// Answers a request that reaches one of the servers at this time.
    pub fn handle(
        &mut self,
        request: &http::Request<Vec<u8>>,
        server: usize,
        now: Timestamp,
    ) -> Reply {
        match request::read(request) {
            Target::Resource(request) => self.handle_resource(&request, server, now),
            Target::Discovery(group) => Reply::Answer(self.discover(&group)),
            Target::Nowhere => Reply::Answer(status::unserved()),
        }
    }

    /// The same, for a request that has been read.
    pub fn handle_resource(&mut self, request: &Request, server: usize, now: Timestamp) -> Reply {
        self.now = now;
        if self.unserved.contains(&request.resource) {
            return Reply::Answer(status::unserved());
        }
        if !self.serves_subresource(request) {
            return Reply::Answer(request.about().not_found());
        }
        let refusal = self
            .refusals
            .values()
            .find(|refusal| refusal.matches(request));
        if let Some(refusal) = refusal {
            return Reply::Answer(refusal.refusal.answer(request));
        }
        Reply::Answer(match request.verb {
            Verb::Get => self.get(request),
            Verb::List => self.list(request, server),
            Verb::Watch => {
                return match Watch::begin(request, &self.store, server, self.position(server)) {
                    Ok(watch) => Reply::Watch(Box::new(watch)),
                    Err(answer) => Reply::Answer(answer),
                };
            }
            Verb::Create => self.create(request),
            Verb::Update => self.update(request),
            Verb::Patch => self.patch(request),
            Verb::Delete => self.delete(request),
        })
    }

    /// What a watch shows next, as far as its cache has come.
    pub fn advance(&self, watch: &mut Watch) -> Vec<String> {
        watch.advance(&self.store, self.position(watch.cache))
    }

    /// A bookmark; none while the cache is behind what the client asked for.
    pub fn bookmark(&self, watch: &Watch) -> Option<String> {
        watch.bookmark(self.position(watch.cache))
    }

    fn discover(&self, group: &str) -> Answer {
        let served = Resource::ALL.into_iter().filter(|resource| {
            resource.api_version() == group && !self.unserved.contains(resource)
        });
        let mut resources: Vec<_> = served.map(Resource::discovered).collect();
        if resources.is_empty() {
            return status::unserved();
        }
        if group == "kuma.io/v1alpha1"
            && self.has_status_subresource
            && !self.unserved.contains(&Resource::Workloads)
        {
            let mut subresource = Resource::Workloads.discovered();
            subresource["name"] = "workloads/status".into();
            subresource["singularName"] = "".into();
            subresource["verbs"] = json!(["get", "patch", "update"]);
            resources.push(subresource);
        }
        let list = json!({
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": group, "resources": resources,
        });
        Answer::ok(200, list.to_string())
    }

    /// Up to which number this server's cache has come.
    pub fn position(&self, server: usize) -> u64 {
        self.positions.get(server).copied().unwrap_or_default()
    }

    /// The server's cache comes up to this number.
    pub fn catch_up(&mut self, server: usize, revision: u64) {
        if let Some(position) = self.positions.get_mut(server) {
            *position = revision.min(self.store.revision()).max(*position);
        }
    }

    /// The database forgets what happened up to this number.
    pub fn compact(&mut self, revision: u64) {
        let shown = self.positions.into_iter().min().unwrap_or_default();
        self.store.compact(revision, shown);
    }

    /// The database goes back to a backup. Both servers start anew with it.
    pub fn restore(&mut self, backup: &Store) {
        self.store = backup.restored();
        self.positions = [self.store.revision(); SERVERS];
    }

    /// A resource is no longer served, or is again.
    pub fn serve(&mut self, resource: Resource, served: bool) {
        self.unserved.retain(|unserved| *unserved != resource);
        if !served {
            self.unserved.push(resource);
        }
    }

    /// Whether a resource is served.
    pub fn serves(&self, resource: Resource) -> bool {
        !self.unserved.contains(&resource)
    }

    /// A Namespace.
    pub fn namespace(&self, name: &str) -> Option<&Arc<Stored>> {
        self.store
            .get(&ObjectKey::new(Resource::Namespaces, "", name))
    }

    /// Writes an object past all rules, as others than the program under test do. What the server itself
    /// sets is set where it is absent.
    pub fn write(&mut self, resource: Resource, mut object: Value, now: Timestamp) -> Arc<Stored> {
        self.now = now;
        object["apiVersion"] = resource.api_version().into();
        object["kind"] = resource.kind().into();
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = self.next_uid().into();
            object["metadata"]["creationTimestamp"] = self.now().into();
        }
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let key = ObjectKey::new(resource, text("namespace"), text("name"));
        self.store.put(key, object)
    }

    fn next_uid(&mut self) -> String {
        self.uids += 1;
        let uids = self.uids;
        format!("{uids:08x}-7000-4000-8000-{uids:012x}")
    }

    fn now(&self) -> String {
        self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}
