//! What policy-server puts between a policy and the API server: discovery, recent answers, field
//! masks, and a watch behind every list.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use serde::Serialize;
use serde_json::Value;

use super::{
    api::{ApiResource, ApiServer},
    backend::{Backend, Reply},
    cache::Cache,
    failure::Failure,
    object::{Object, ObjectList},
};
use crate::{field_mask::FieldMask, question::Question, wire::SubjectAccessReview};

/// A get, as the cache knows it: masks apply afterwards.
type GetKey = (String, String, String, Option<String>);

/// Answers questions from an API server, as policy-server does.
#[derive(Debug)]
pub struct Handler<A> {
    server: A,
    /// Kinds found before: policy-server never asks again, failures apart.
    kinds: Mutex<HashMap<(String, String), ApiResource>>,
    objects: Cache<GetKey, Object>,
    reviews: Cache<SubjectAccessReview, Value>,
    /// Whether somebody else holds the lock of the caches.
    cache_is_held: AtomicBool,
    /// What each watch has listed; nothing before its first list has come.
    watches: Mutex<BTreeMap<String, Option<Listed>>>,
}

/// What a watch has listed, masked, and the state of the API server that it is of.
#[derive(Clone, Debug)]
struct Listed {
    changes: u64,
    objects: Arc<ObjectList>,
}

impl<A: ApiServer> Handler<A> {
    /// A handler before this API server.
    pub fn new(server: A) -> Self {
        Self {
            server,
            kinds: Mutex::default(),
            objects: Cache::new(),
            reviews: Cache::new(),
            cache_is_held: AtomicBool::new(false),
            watches: Mutex::default(),
        }
    }

    /// The API server behind it.
    pub fn server(&self) -> &A {
        &self.server
    }

    /// Every watch that was opened so far. None is ever closed.
    pub fn watches(&self) -> BTreeSet<String> {
        self.watches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .cloned()
            .collect()
    }

    /// From now on a question that never gets an answer holds the lock of the caches, as one stuck
    /// request does on policy-server: whoever asks by a cache waits for it.
    pub fn hold_cache(&self) {
        self.cache_is_held.store(true, Ordering::SeqCst);
    }

    /// Whether a question that may be answered by a cache waits for ever.
    fn hangs(&self, disable_cache: bool) -> bool {
        !disable_cache && self.cache_is_held.load(Ordering::SeqCst)
    }

    fn kind(&self, api_version: &str, kind: &str) -> Result<ApiResource, Failure> {
        let key = (api_version.to_owned(), kind.to_owned());
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kinds.get(&key) {
            return Ok(known.clone());
        }
        let found = self
            .server
            .discover(api_version)
            .map_err(|error| {
                let failure = Failure::from(error);
                if api_version == "v1" {
                    failure
                } else {
                    // All that can go wrong with a group reads the same, and loses its cause.
                    Failure::new(format!(
                        "error finding resource {api_version} / {kind}: {failure}"
                    ))
                }
            })?
            .into_iter()
            .find(|resource| resource.kind == kind)
            .ok_or_else(|| Failure::new(format!("Cannot find resource {api_version}/{kind}")))?;
        kinds.insert(key, found.clone());
        Ok(found)
    }

    fn fetch(&self, (api_version, kind, name, namespace): &GetKey) -> Result<Object, Failure> {
        let resource = self.kind(api_version, kind)?;
        let scope = if resource.namespaced {
            Some(namespace.as_deref().ok_or_else(|| {
                Failure::new(format!(
                    "Resource {api_version}/{kind} is namespaced, but no namespace was provided"
                ))
            })?)
        } else {
            None
        };
        let found = self.server.get(&resource, scope, in_url(name)?)?;
        match found {
            Some(object) => read(object),
            None => Err(Failure::new(format!(
                "Cannot find {api_version}/{kind} named '{name}' inside of namespace '{namespace:?}'"
            ))),
        }
    }

    fn get(&self, key: GetKey, disable_cache: bool, mask: Option<&FieldMask>) -> Reply {
        if self.hangs(disable_cache) {
            return Reply::hang();
        }
        let answer = if disable_cache {
            self.fetch(&key)
        } else {
            self.objects
                .get_or_ask(key.clone(), Instant::now(), || self.fetch(&key))
        };
        match answer {
            Ok(object) => serialised(&object.masked(mask)),
            Err(failure) => Reply::failure(failure),
        }
    }

    fn list(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        labels: Option<&str>,
        fields: Option<&str>,
        masks: Option<&BTreeSet<String>>,
    ) -> Reply {
        let resource = match self.kind(api_version, kind) {
            Ok(resource) => resource,
            Err(failure) => return Reply::failure(failure),
        };
        if namespace.is_some() && !resource.namespaced {
            return Reply::failure(Failure::new(format!(
                "resource {api_version}/{kind} is cluster wide. Cannot search for it inside of a namespace"
            )));
        }
        let watch = format!("{api_version}|{kind}|{namespace:?}|{labels:?}|{fields:?}|{masks:?}");
        let changes = self.server.changes(&resource, namespace);
        let listed = self
            .watches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(watch.clone())
            .or_default()
            .clone()
            .filter(|listed| listed.changes == changes);
        let reply = match listed {
            Some(listed) => serialised(&*listed.objects),
            None => match self.first_list(&resource, namespace, labels, fields, masks) {
                Some(objects) => {
                    let reply = serialised(&objects);
                    let objects = Arc::new(objects);
                    self.watches
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(watch.clone(), Some(Listed { changes, objects }));
                    reply
                }
                // The watch waits for its first list and tries again for ever, whatever the reason.
                None => Reply::hang(),
            },
        };
        reply.with_watch(watch)
    }

    /// What a watch begins with; none where the API server refuses the list.
    fn first_list(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        labels: Option<&str>,
        fields: Option<&str>,
        masks: Option<&BTreeSet<String>>,
    ) -> Option<ObjectList> {
        let mask = masks.map(FieldMask::new);
        let objects = self.server.list(resource, namespace, labels, fields).ok()?;
        let items: Result<Vec<Object>, Failure> = objects
            .into_iter()
            .map(|object| Ok(read(object)?.slimmed(mask.as_ref())))
            .collect();
        Some(ObjectList::new(
            &resource.api_version,
            &resource.kind,
            items.ok()?,
        ))
    }

    fn review(&self, review: &SubjectAccessReview, disable_cache: bool) -> Reply {
        if self.hangs(disable_cache) {
            return Reply::hang();
        }
        let ask = || self.server.review(review);
        let status = if disable_cache {
            ask()
        } else {
            self.reviews.get_or_ask(review.clone(), Instant::now(), ask)
        };
        match status {
            Ok(status) => serialised(&status),
            Err(error) => Reply::failure(error),
        }
    }
}

impl<A: ApiServer> Backend for Handler<A> {
    fn ask(&self, question: &Question) -> Reply {
        match question {
            Question::KubernetesGetResource {
                api_version,
                kind,
                name,
                namespace,
                disable_cache,
                field_masks,
            } => self.get(
                (
                    api_version.clone(),
                    kind.clone(),
                    name.clone(),
                    namespace.clone(),
                ),
                *disable_cache,
                field_masks.as_ref().map(FieldMask::new).as_ref(),
            ),
            Question::KubernetesListResourceNamespace {
                api_version,
                kind,
                namespace,
                label_selector,
                field_selector,
                field_masks,
            } => self.list(
                api_version,
                kind,
                Some(namespace),
                label_selector.as_deref(),
                field_selector.as_deref(),
                field_masks.as_ref(),
            ),
            Question::KubernetesListResourceAll {
                api_version,
                kind,
                label_selector,
                field_selector,
                field_masks,
            } => self.list(
                api_version,
                kind,
                None,
                label_selector.as_deref(),
                field_selector.as_deref(),
                field_masks.as_ref(),
            ),
            Question::KubernetesCanI {
                request,
                disable_cache,
            } => self.review(request, *disable_cache),
        }
    }
}

/// The part of a name that ends up in the path of the request: nobody escapes it, so `blue?x=y` asks
/// for `blue`.
///
/// An empty name, and one that no URL can hold, fail before any request is made.
fn in_url(name: &str) -> Result<&str, Failure> {
    if name.is_empty() {
        let cause = "failed to validate request: A non-empty name is required";
        return Err(Failure::new(format!("Failed to build request: {cause}")).caused_by(cause));
    }
    let (url, _fragment) = name.split_once('#').unwrap_or((name, ""));
    if url
        .chars()
        .any(|c| c.is_ascii_control() || " <>`".contains(c))
    {
        let (cause, root) = ("failed to build request: ", "invalid uri character");
        return Err(
            Failure::new(format!("Failed to build request: {cause}{root}"))
                .caused_by(format!("{cause}{root}"))
                .caused_by(root),
        );
    }
    Ok(url.split_once('?').map_or(url, |(path, _query)| path))
}

fn read(object: Value) -> Result<Object, Failure> {
    serde_json::from_value(object).map_err(|error| {
        let cause = error.to_string();
        Failure::new(format!("Error deserializing response: {cause}")).caused_by(cause)
    })
}

fn serialised(value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(bytes) => Reply::answer(bytes),
        Err(error) => Reply::failure(Failure::new(format!(
            "error serializing payload: {error:?}"
        ))),
    }
}
