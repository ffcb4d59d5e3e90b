//! A cluster made of Kubernetes manifests.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use kuma_workload_plan::read::Fault;
use kuma_workload_rulebook::quoted::Quoted;
use serde_json::{Value, json};

use super::{
    api::{ApiError, ApiResource, ApiServer, ApiStatus},
    handler::Handler,
    kinds::{Kinds, is_built_in, plural, text},
    object::{Key, Object},
    rbac::{Action, Rbac, User},
};
use crate::{
    document::{self, Document},
    manifest,
    selector::{FieldSelector, LabelSelector},
    wire::SubjectAccessReview,
};

/// Who policy-server is, where nothing else is said: what Kubewarden's chart makes.
pub const POLICY_SERVER: &str = "system:serviceaccount:kubewarden:policy-server";

/// What policy-server's service account may not do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Denial {
    verb: String,
    api_version: String,
    kind: String,
}

/// A cluster made of Kubernetes manifests.
///
/// Where their RBAC objects bind something to policy-server's user, it may do what they grant, and so
/// may anybody else. Otherwise it may do everything, and nobody else anything. What is denied here is
/// taken from policy-server in both cases.
#[derive(Debug)]
pub struct Manifests {
    /// The user that policy-server is.
    policy_server: String,
    objects: RwLock<BTreeMap<Key, Value>>,
    changes: AtomicU64,
    kinds: Kinds,
    denials: BTreeSet<Denial>,
    broken: BTreeMap<String, ApiError>,
}

impl Default for Manifests {
    fn default() -> Self {
        Self {
            policy_server: POLICY_SERVER.to_owned(),
            objects: RwLock::default(),
            changes: AtomicU64::default(),
            kinds: Kinds::default(),
            denials: BTreeSet::default(),
            broken: BTreeMap::default(),
        }
    }
}

impl Manifests {
    /// An empty cluster: the built-in kinds, no objects.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The cluster of a file, or of all manifests in a folder and the folders below it; and what is
    /// wrong with those that it is made without.
    pub fn load(path: &Path) -> (Self, Vec<Fault>) {
        let (mut cluster, mut faults) = (Self::new(), Vec::new());
        let files = document::files(path).unwrap_or_else(|fault| {
            faults.push(fault);
            Vec::new()
        });
        for document in files.iter().flat_map(|file| document::read(file)) {
            let added = document.map(|document| {
                for object in document.objects() {
                    faults.extend(cluster.add_document(object).err());
                }
            });
            faults.extend(added.err());
        }
        (cluster, faults)
    }

    /// The cluster of these objects.
    ///
    /// # Errors
    ///
    /// When one of them is no Kubernetes object.
    pub fn of(objects: impl IntoIterator<Item = Value>) -> Result<Self, Fault> {
        let mut cluster = Self::new();
        for (index, object) in objects.into_iter().enumerate() {
            let added = cluster.add(object);
            added.map_err(|why| Fault::of_file(format!("object {}", index + 1), why))?;
        }
        Ok(cluster)
    }

    /// Kuma's CRDs are installed, even if no object shows it.
    #[must_use]
    pub fn with_kuma(mut self) -> Self {
        self.kinds.install_kuma();
        self
    }

    /// A group is not installed, whatever the manifests say.
    #[must_use]
    pub fn without_group(mut self, group: &str) -> Self {
        self.kinds.remove_group(group);
        self
    }

    /// Policy-server is this user.
    #[must_use]
    pub fn with_policy_server(mut self, user: &str) -> Self {
        user.clone_into(&mut self.policy_server);
        self
    }

    /// Policy-server's user has no grant for `verb` (`get`, `list` or `watch`) on this kind. `create`
    /// on `authorization.k8s.io/v1` `SubjectAccessReview` is what `can_i` needs.
    #[must_use]
    pub fn forbid(mut self, verb: &str, api_version: &str, kind: &str) -> Self {
        self.denials.insert(Denial {
            verb: verb.to_owned(),
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
        });
        self
    }

    /// Discovery of `v1` or of a `group/version` fails.
    #[must_use]
    pub fn break_discovery(mut self, api_version: &str, error: impl Into<ApiError>) -> Self {
        self.broken.insert(api_version.to_owned(), error.into());
        self
    }

    /// As policy-server sees it.
    #[must_use]
    pub fn handled(self) -> Handler<Self> {
        Handler::new(self)
    }

    /// Adds or replaces an object of a known kind while the cluster is in use.
    ///
    /// # Errors
    ///
    /// When it is no object of a known kind.
    pub fn apply(&self, object: Value) -> Result<(), Fault> {
        let keyed = self.keyed(object);
        let (key, object) = keyed.map_err(|why| Fault::of_file("the applied object", why))?;
        self.objects
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, object);
        self.changes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Removes an object while the cluster is in use; tells whether it was there.
    pub fn delete(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let key = (
            api_version.into(),
            kind.into(),
            namespace.into(),
            name.into(),
        );
        let removed = self
            .objects
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
        self.changes.fetch_add(1, Ordering::SeqCst);
        removed.is_some()
    }

    /// What discovery knows of a kind.
    #[must_use]
    pub fn resource(&self, api_version: &str, kind: &str) -> Option<&ApiResource> {
        self.kinds.find(api_version, kind)
    }

    /// An object as the API server would store it.
    ///
    /// # Errors
    ///
    /// What the API server would have against it: no API server knows a kind such as `pod`.
    pub(crate) fn stored(&self, document: Document) -> Result<Document, Fault> {
        let [api_version, kind] =
            ["apiVersion", "kind"].map(|key| document.text(key).unwrap_or_default());
        let is_known = self.resource(api_version, kind).is_some();
        match self.kinds.of_plural(api_version, &plural(kind)) {
            Some(meant) if !is_known => Err(document.fault(format!(
                "no kind of apiVersion {} is called {}; did you mean kind: {}?",
                Quoted(api_version),
                Quoted(kind),
                meant.kind
            ))),
            _ => manifest::stored(document),
        }
    }

    fn add_document(&mut self, document: Document) -> Result<(), Fault> {
        let document = self.stored(document)?;
        document.read::<Object>()?;
        self.add(document.value())
            .map_err(|why| document.fault(why))
    }

    fn add(&mut self, object: Value) -> Result<(), String> {
        self.kinds.learn(&object);
        let (key, object) = self.keyed(object)?;
        self.objects
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, object);
        Ok(())
    }

    /// An object, in the namespace that it has where it names none, with its key.
    fn keyed(&self, mut object: Value) -> Result<(Key, Value), String> {
        let api_version = text(&object, "apiVersion").to_owned();
        let kind = text(&object, "kind").to_owned();
        if api_version.is_empty() || kind.is_empty() {
            return Err("this is no Kubernetes object: it has no apiVersion or no kind".to_owned());
        }
        // What the API server would refuse to store must not reach a policy.
        let _: Object = serde_json::from_value(object.clone())
            .map_err(|error| format!("{kind}: its metadata is not valid: {error}"))?;
        let resource = self
            .resource(&api_version, &kind)
            .ok_or_else(|| format!("{kind} of {api_version} is not a kind of this cluster"))?;
        let name = text(&object["metadata"], "name").to_owned();
        if name.is_empty() {
            return Err(format!("{kind}: metadata.name is missing"));
        }
        let namespace = if resource.namespaced {
            let given = text(&object["metadata"], "namespace");
            let namespace = if given.is_empty() { "default" } else { given }.to_owned();
            object["metadata"]["namespace"] = json!(namespace);
            namespace
        } else {
            String::new()
        };
        Ok(((api_version, kind, namespace, name), object))
    }

    /// Whether policy-server may do this.
    fn granted(
        &self,
        verb: &str,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<(), ApiError> {
        let action = Action {
            verb,
            group: resource.group(),
            resource: &resource.plural,
            namespace: namespace.unwrap_or_default(),
            name,
        };
        if self.may(&User::authenticated(&self.policy_server), action) {
            return Ok(());
        }
        let user = &self.policy_server;
        Err(ApiStatus::forbidden(user, verb, resource, namespace, name).into())
    }

    fn may(&self, user: &User<'_>, action: Action<'_>) -> bool {
        let is_policy_server = user.name == self.policy_server;
        let is_denied = is_policy_server
            && self.denials.iter().any(|denial| {
                denial.verb == action.verb
                    && self
                        .resource(&denial.api_version, &denial.kind)
                        .is_some_and(|resource| {
                            resource.plural == action.resource && resource.group() == action.group
                        })
            });
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let rbac = Rbac::of(&objects);
        !is_denied
            && match rbac.mentions(&self.policy_server) {
                true => rbac.allows(user, action),
                false => is_policy_server,
            }
    }
}

impl ApiServer for Manifests {
    fn discover(&self, api_version: &str) -> Result<Vec<ApiResource>, ApiError> {
        if let Some(error) = self.broken.get(api_version) {
            return Err(error.clone());
        }
        let found = self.kinds.of(api_version);
        if found.is_empty() {
            return Err(ApiStatus::plain(404, "404 page not found\n").into());
        }
        Ok(found)
    }

    fn get(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Value>, ApiError> {
        self.granted("get", resource, namespace, name)?;
        // A name that goes on with `/status` is answered with the object, too.
        let name = name
            .strip_suffix("/status")
            .filter(|_| is_built_in(resource))
            .unwrap_or(name);
        let key = (
            resource.api_version.clone(),
            resource.kind.clone(),
            namespace.unwrap_or_default().to_owned(),
            name.to_owned(),
        );
        Ok(self
            .objects
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned())
    }

    fn changes(&self, resource: &ApiResource, namespace: Option<&str>) -> u64 {
        match self.granted("watch", resource, namespace, "") {
            Ok(()) => self.changes.load(Ordering::SeqCst),
            Err(_) => 0,
        }
    }

    fn list(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        field_selector: Option<&str>,
    ) -> Result<Vec<Value>, ApiError> {
        self.granted("list", resource, namespace, "")?;
        let bad = |reason: String| ApiError::from(ApiStatus::new(400, "BadRequest", &reason));
        let labels = LabelSelector::parse(label_selector.unwrap_or_default())
            .map_err(|error| bad(error.to_string()))?;
        let fields = FieldSelector::parse(
            field_selector.unwrap_or_default(),
            &resource.api_version,
            &resource.kind,
        )
        .map_err(|error| bad(error.to_string()))?;
        let built_in = is_built_in(resource);
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<(u64, Value)> = objects
            .iter()
            .filter(|((api, kind, within, _), object)| {
                *api == resource.api_version
                    && *kind == resource.kind
                    && namespace.is_none_or(|namespace| namespace == within)
                    && labels.matches(&labels_of(object))
                    && fields.matches(object)
            })
            .map(|((.., namespace, name), object)| {
                let mut object = object.clone();
                if built_in && let Some(map) = object.as_object_mut() {
                    // The API server names kind and version of built-in objects on the list alone.
                    map.remove("apiVersion");
                    map.remove("kind");
                }
                (scatter(namespace, name), object)
            })
            .collect();
        // policy-server answers in the order of a hash map; a policy must not lean on any order.
        found.sort_by_key(|(hash, _)| *hash);
        Ok(found.into_iter().map(|(_, object)| object).collect())
    }

    fn review(&self, review: &SubjectAccessReview) -> Result<Value, ApiError> {
        if let Some(resource) = self.resource("authorization.k8s.io/v1", "SubjectAccessReview") {
            self.granted("create", resource, None, "")?;
        }
        let asked = &review.resource_attributes;
        let user = User {
            name: &review.user,
            groups: review.groups.clone().unwrap_or_default(),
        };
        let resource = match &asked.subresource {
            Some(sub) if !sub.is_empty() => format!("{}/{sub}", asked.resource),
            _ => asked.resource.clone(),
        };
        let action = Action {
            verb: &asked.verb,
            group: asked.group.as_deref().unwrap_or_default(),
            resource: &resource,
            namespace: asked.namespace.as_deref().unwrap_or_default(),
            name: asked.name.as_deref().unwrap_or_default(),
        };
        Ok(json!({ "allowed": self.may(&user, action) }))
    }
}

fn labels_of(object: &Value) -> BTreeMap<String, String> {
    let labels = object["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten();
    labels
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// FNV-1a: the same scattered order in every run.
fn scatter(namespace: &str, name: &str) -> u64 {
    namespace
        .bytes()
        .chain([0])
        .chain(name.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
