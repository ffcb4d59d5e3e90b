//! A cluster made of Kubernetes manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use kubewarden_policy_sdk::host_capabilities::kubernetes::SubjectAccessReview;
use serde_json::{Value, json};

use super::object::Object;
use super::{ApiError, ApiResource, ApiServer, ApiStatus, Handler};
use crate::document::{self, Document, DocumentError};
use crate::selector::{FieldSelector, LabelSelector};

/// Who policy-server is, in the messages of a missing grant.
const USER: &str = "system:serviceaccount:kubewarden:policy-server-default";

/// The kinds that every cluster has: apiVersion, kind, plural, namespaced.
const BUILT_IN: &[(&str, &str, &str, bool)] = &[
    ("v1", "ConfigMap", "configmaps", true),
    ("v1", "Endpoints", "endpoints", true),
    ("v1", "Event", "events", true),
    ("v1", "LimitRange", "limitranges", true),
    ("v1", "Namespace", "namespaces", false),
    ("v1", "Node", "nodes", false),
    ("v1", "PersistentVolume", "persistentvolumes", false),
    (
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        true,
    ),
    ("v1", "Pod", "pods", true),
    ("v1", "PodTemplate", "podtemplates", true),
    (
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        true,
    ),
    ("v1", "ResourceQuota", "resourcequotas", true),
    ("v1", "Secret", "secrets", true),
    ("v1", "Service", "services", true),
    ("v1", "ServiceAccount", "serviceaccounts", true),
    ("apps/v1", "ControllerRevision", "controllerrevisions", true),
    ("apps/v1", "DaemonSet", "daemonsets", true),
    ("apps/v1", "Deployment", "deployments", true),
    ("apps/v1", "ReplicaSet", "replicasets", true),
    ("apps/v1", "StatefulSet", "statefulsets", true),
    ("batch/v1", "CronJob", "cronjobs", true),
    ("batch/v1", "Job", "jobs", true),
    (
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        true,
    ),
    (
        "policy/v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        true,
    ),
    ("networking.k8s.io/v1", "Ingress", "ingresses", true),
    (
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "networkpolicies",
        true,
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        "clusterroles",
        false,
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        "clusterrolebindings",
        false,
    ),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", true),
    (
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "rolebindings",
        true,
    ),
    (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
    ),
    (
        "authorization.k8s.io/v1",
        "SubjectAccessReview",
        "subjectaccessreviews",
        false,
    ),
];

/// Kinds that come together: where one of a group is installed, all of it is.
const KUMA: &[(&str, &str, &str, bool)] = &[
    ("kuma.io/v1alpha1", "Dataplane", "dataplanes", true),
    (
        "kuma.io/v1alpha1",
        "DataplaneInsight",
        "dataplaneinsights",
        true,
    ),
    ("kuma.io/v1alpha1", "Mesh", "meshes", false),
    ("kuma.io/v1alpha1", "MeshIdentity", "meshidentities", true),
    ("kuma.io/v1alpha1", "MeshInsight", "meshinsights", false),
    ("kuma.io/v1alpha1", "MeshService", "meshservices", true),
    ("kuma.io/v1alpha1", "Workload", "workloads", true),
    ("kuma.io/v1alpha1", "Zone", "zones", false),
];

/// Where an object is: apiVersion, kind, namespace (empty if cluster-scoped), name.
type Place = (String, String, String, String);

/// What policy-server's service account may not do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Denial {
    verb: String,
    api_version: String,
    kind: String,
}

/// A cluster made of Kubernetes manifests; everything is granted unless it is denied here.
#[derive(Debug, Default)]
pub struct Manifests {
    objects: RwLock<BTreeMap<Place, Value>>,
    changes: AtomicU64,
    kinds: BTreeMap<(String, String), ApiResource>,
    denials: BTreeSet<Denial>,
    broken: BTreeMap<String, ApiError>,
}

/// A manifest that is no Kubernetes object.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read or parsed.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// It is no object of a cluster.
    #[error("{place}: {reason}")]
    Object {
        /// File, and the document's number.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Manifests {
    /// An empty cluster: the built-in kinds, no objects.
    #[must_use]
    pub fn new() -> Self {
        let mut cluster = Self::default();
        cluster.install(BUILT_IN);
        cluster
    }

    /// The cluster of a file, or of all manifests in a folder and the folders below it.
    ///
    /// # Errors
    /// When a file cannot be read, or is no manifest.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let mut cluster = Self::new();
        for file in document::files(path)? {
            for document in document::read(&file)? {
                cluster.add(document)?;
            }
        }
        Ok(cluster)
    }

    /// The cluster of these objects.
    ///
    /// # Errors
    /// When one of them is no Kubernetes object.
    pub fn of(objects: impl IntoIterator<Item = Value>) -> Result<Self, ManifestError> {
        let mut cluster = Self::new();
        for (index, value) in objects.into_iter().enumerate() {
            cluster.add(Document {
                place: format!("object {}", index + 1),
                value,
            })?;
        }
        Ok(cluster)
    }

    /// Kuma's CRDs are installed, even if no object shows it.
    #[must_use]
    pub fn with_kuma(mut self) -> Self {
        self.install(KUMA);
        self
    }

    /// A group is not installed, whatever the manifests say.
    #[must_use]
    pub fn without_group(mut self, group: &str) -> Self {
        self.kinds.retain(|_, resource| resource.group() != group);
        self
    }

    /// Its service account has no grant for `verb` (`get` or `list`) on this kind. `create` on
    /// `authorization.k8s.io/v1` `SubjectAccessReview` is what `can_i` needs.
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
    /// When it is no object of a known kind.
    pub fn apply(&self, object: Value) -> Result<(), ManifestError> {
        let (place, object) = self.placed("applied object", object)?;
        self.objects
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(place, object);
        self.changes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Removes an object while the cluster is in use; tells whether it was there.
    pub fn delete(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let place = (
            api_version.into(),
            kind.into(),
            namespace.into(),
            name.into(),
        );
        let removed = self
            .objects
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&place);
        self.changes.fetch_add(1, Ordering::SeqCst);
        removed.is_some()
    }

    /// What discovery knows of a kind.
    #[must_use]
    pub fn resource(&self, api_version: &str, kind: &str) -> Option<&ApiResource> {
        self.kinds.get(&(api_version.to_owned(), kind.to_owned()))
    }

    fn install(&mut self, kinds: &[(&str, &str, &str, bool)]) {
        for (api_version, kind, plural, namespaced) in kinds {
            self.know(api_version, kind, plural, *namespaced);
        }
    }

    fn know(&mut self, api_version: &str, kind: &str, plural: &str, namespaced: bool) {
        self.kinds.insert(
            (api_version.to_owned(), kind.to_owned()),
            ApiResource {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                plural: plural.to_owned(),
                namespaced,
            },
        );
    }

    fn add(&mut self, document: Document) -> Result<(), ManifestError> {
        for document in document.objects() {
            let api_version = text(&document.value, "apiVersion").to_owned();
            let kind = text(&document.value, "kind").to_owned();
            if api_version.starts_with("apiextensions.k8s.io/") {
                self.learn(&document.value);
            }
            if api_version == "kuma.io/v1alpha1" {
                self.install(KUMA);
            }
            if !kind.is_empty() && self.resource(&api_version, &kind).is_none() {
                // No CRD for it in the manifests: its own shape tells the scope.
                let namespaced = document.value["metadata"].get("namespace").is_some();
                self.know(&api_version, &kind, &plural(&kind), namespaced);
            }
            let (place, object) = self.placed(&document.place, document.value)?;
            self.objects
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(place, object);
        }
        Ok(())
    }

    /// The kinds that a CustomResourceDefinition brings.
    fn learn(&mut self, crd: &Value) {
        let spec = &crd["spec"];
        let group = text(spec, "group").to_owned();
        let kind = text(&spec["names"], "kind").to_owned();
        let plural = text(&spec["names"], "plural").to_owned();
        let namespaced = text(spec, "scope") == "Namespaced";
        for version in spec["versions"].as_array().into_iter().flatten() {
            if version["served"] != json!(false) {
                let api_version = format!("{group}/{}", text(version, "name"));
                self.know(&api_version, &kind, &plural, namespaced);
            }
        }
    }

    fn placed(&self, place: &str, mut object: Value) -> Result<(Place, Value), ManifestError> {
        let refuse = |reason: &str| ManifestError::Object {
            place: place.to_owned(),
            reason: reason.to_owned(),
        };
        let api_version = text(&object, "apiVersion").to_owned();
        let kind = text(&object, "kind").to_owned();
        if api_version.is_empty() || kind.is_empty() {
            return Err(refuse(
                "no Kubernetes object: apiVersion or kind is missing",
            ));
        }
        // What the API server would refuse to store must not reach a policy.
        let _: Object = serde_json::from_value(object.clone())
            .map_err(|error| refuse(&format!("{kind}: bad metadata: {error}")))?;
        let resource = self
            .resource(&api_version, &kind)
            .ok_or_else(|| refuse(&format!("unknown kind {kind} in {api_version}")))?;
        let name = text(&object["metadata"], "name").to_owned();
        if name.is_empty() {
            return Err(refuse(&format!("{kind}: metadata.name is missing")));
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

    fn granted(
        &self,
        verb: &str,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<(), ApiError> {
        let denied = self.denials.contains(&Denial {
            verb: verb.to_owned(),
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
        });
        if denied {
            return Err(ApiStatus::forbidden(USER, verb, resource, namespace, name).into());
        }
        Ok(())
    }
}

impl ApiServer for Manifests {
    fn discover(&self, api_version: &str) -> Result<Vec<ApiResource>, ApiError> {
        if let Some(error) = self.broken.get(api_version) {
            return Err(error.clone());
        }
        let found: Vec<ApiResource> = self
            .kinds
            .values()
            .filter(|resource| resource.api_version == api_version)
            .cloned()
            .collect();
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
            .filter(|_| built_in(resource))
            .unwrap_or(name);
        let place = (
            resource.api_version.clone(),
            resource.kind.clone(),
            namespace.unwrap_or_default().to_owned(),
            name.to_owned(),
        );
        Ok(self
            .objects
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&place)
            .cloned())
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
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
        let built_in = built_in(resource);
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
        let group = asked.group.as_deref().unwrap_or_default();
        // Whoever is asked about, the denials are policy-server's own: that is whom policies ask for.
        let denied = self.denials.iter().any(|denial| {
            denial.verb == asked.verb
                && self
                    .resource(&denial.api_version, &denial.kind)
                    .is_some_and(|resource| {
                        resource.plural == asked.resource && resource.group() == group
                    })
        });
        Ok(json!({ "allowed": !denied }))
    }
}

fn built_in(resource: &ApiResource) -> bool {
    let ApiResource {
        api_version, kind, ..
    } = resource;
    BUILT_IN
        .iter()
        .any(|(api, name, ..)| api == api_version && name == kind)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
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

/// The plural as most CRDs spell it.
pub(crate) fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    let consonant_y = lower
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match consonant_y {
        Some(stem) => format!("{stem}ies"),
        None if lower.ends_with(['s', 'x']) || lower.ends_with("ch") || lower.ends_with("sh") => {
            format!("{lower}es")
        }
        None => format!("{lower}s"),
    }
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
