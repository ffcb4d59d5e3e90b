//! The kinds that a cluster of manifests serves: those that every cluster has, Kuma's, and those of the
//! manifests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::ApiResource;

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

/// The kinds that discovery knows.
#[derive(Debug)]
pub(super) struct Kinds {
    /// By apiVersion and kind.
    served: BTreeMap<(String, String), ApiResource>,
}

impl Default for Kinds {
    /// Those that every cluster has.
    fn default() -> Self {
        let mut kinds = Self {
            served: BTreeMap::new(),
        };
        kinds.install(BUILT_IN);
        kinds
    }
}

impl Kinds {
    /// Kuma's definitions are installed.
    pub(super) fn install_kuma(&mut self) {
        self.install(KUMA);
    }

    fn install(&mut self, kinds: &[(&str, &str, &str, bool)]) {
        for (api_version, kind, plural, namespaced) in kinds {
            self.add(api_version, kind, plural, *namespaced);
        }
    }

    fn add(&mut self, api_version: &str, kind: &str, plural: &str, namespaced: bool) {
        self.served.insert(
            (api_version.to_owned(), kind.to_owned()),
            ApiResource {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                plural: plural.to_owned(),
                namespaced,
            },
        );
    }

    /// A group is not installed.
    pub(super) fn remove_group(&mut self, group: &str) {
        self.served.retain(|_, resource| resource.group() != group);
    }

    /// What discovery says of a kind.
    pub(super) fn find(&self, api_version: &str, kind: &str) -> Option<&ApiResource> {
        self.served.get(&(api_version.to_owned(), kind.to_owned()))
    }

    /// The kind of this plural.
    pub(super) fn of_plural(&self, api_version: &str, plural: &str) -> Option<&ApiResource> {
        let mut served = self.served.values();
        served.find(|resource| resource.api_version == api_version && resource.plural == plural)
    }

    /// The kinds of `v1` or of a `group/version`.
    pub(super) fn of(&self, api_version: &str) -> Vec<ApiResource> {
        let served = self.served.values();
        served
            .filter(|resource| resource.api_version == api_version)
            .cloned()
            .collect()
    }

    /// An object is there, so its kind is served: what a definition brings, all of Kuma's kinds with
    /// one of them, and the object's own.
    pub(super) fn learn(&mut self, object: &Value) {
        let api_version = text(object, "apiVersion");
        let kind = text(object, "kind");
        if api_version.starts_with("apiextensions.k8s.io/") {
            self.learn_definition(&object["spec"]);
        }
        if api_version == "kuma.io/v1alpha1" {
            self.install_kuma();
        }
        if !kind.is_empty() && self.find(api_version, kind).is_none() {
            // Nothing defines it: its own shape tells the scope.
            let namespaced = object["metadata"].get("namespace").is_some();
            self.add(api_version, kind, &plural(kind), namespaced);
        }
    }

    /// The kinds that a CustomResourceDefinition brings.
    fn learn_definition(&mut self, spec: &Value) {
        let group = text(spec, "group");
        let names = &spec["names"];
        let namespaced = text(spec, "scope") == "Namespaced";
        for version in spec["versions"].as_array().into_iter().flatten() {
            if version["served"] != json!(false) {
                let api_version = format!("{group}/{}", text(version, "name"));
                self.add(
                    &api_version,
                    text(names, "kind"),
                    text(names, "plural"),
                    namespaced,
                );
            }
        }
    }
}

/// Whether every cluster serves the kind.
pub(super) fn is_built_in(resource: &ApiResource) -> bool {
    let ApiResource {
        api_version, kind, ..
    } = resource;
    BUILT_IN
        .iter()
        .any(|(api, name, ..)| api == api_version && name == kind)
}

/// A field that is a string; empty where it is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The plural as most definitions spell it.
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
