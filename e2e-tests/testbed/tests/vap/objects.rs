//! Objects as the rules read them, and where the API server keeps them.

use std::collections::BTreeMap;

use kuma_workload_rulebook::{admission::TemplateKind, keys};
use serde_json::{Value, json};

use crate::policies::TAG;

/// What decides about a Pod, a Pod template or a Namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) labels: BTreeMap<&'static str, String>,
    pub(crate) annotations: BTreeMap<&'static str, String>,
    /// Where a container named `kuma-sidecar` is.
    pub(crate) sidecar: Option<&'static str>,
}

/// The keys of labels and annotations that the rules read.
const KEYS: [&str; 9] = [
    keys::WORKLOAD,
    keys::MESH,
    keys::SIDECAR_INJECTION,
    keys::SIDECAR_INJECTED,
    keys::GATEWAY,
    keys::INGRESS,
    keys::EGRESS,
    keys::INJECTION_EXCEPTIONS[0],
    keys::INJECTION_EXCEPTIONS[1],
];

impl Marks {
    /// Gives an object's metadata these labels and annotations, and takes away all others that the
    /// rules read.
    pub(crate) fn set(&self, metadata: &mut Value) {
        for (field, entries) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !metadata[field].is_object() {
                metadata[field] = json!({});
            }
            let map = metadata[field].as_object_mut().unwrap();
            map.retain(|key, _| !KEYS.contains(&key.as_str()));
            map.extend(
                entries
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), json!(value))),
            );
        }
    }

    /// The containers of a Pod.
    fn spec(&self) -> Value {
        let container = |name: &str| json!({"name": name, "image": "registry.example.com/web:1"});
        let mut spec = json!({"containers": [container("web")], "restartPolicy": "Always"});
        if let Some(containers) = self.sidecar {
            let mut all = spec[containers].as_array().cloned().unwrap_or_default();
            all.push(container(keys::SIDECAR_CONTAINER));
            spec[containers] = all.into();
        }
        spec
    }
}

/// A Pod, judged by the policies of a tag. Its label `app` is not one that a stored object with a
/// template selects, or a controller would adopt and delete it.
pub(crate) fn pod(name: &str, tag: &str, marks: &Marks) -> Value {
    let mut metadata = json!({"name": name, "labels": {TAG: tag, "app": "alone"}});
    marks.set(&mut metadata);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": marks.spec()})
}

/// A Namespace.
pub(crate) fn namespace(name: &str, tag: &str, marks: &Marks) -> Value {
    let mut metadata = json!({"name": name, "labels": {TAG: tag}});
    marks.set(&mut metadata);
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
}

/// A Workload.
pub(crate) fn workload(name: &str, tag: &str) -> Value {
    json!({
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name, "labels": {TAG: tag, keys::MESH: "default"}},
        "spec": {},
        "status": {"dataplaneProxies": {"connected": 1, "healthy": 1, "total": 2}},
    })
}

/// An object with a Pod template, of which no Pods are made.
pub(crate) fn templated(kind: &TemplateKind, name: &str, tag: &str, marks: &Marks) -> Value {
    let mut metadata = json!({"labels": {"app": "web"}});
    marks.set(&mut metadata);
    let mut pod = marks.spec();
    let selector = json!({"matchLabels": {"app": "web"}});
    let mut spec = match kind.name {
        "Deployment" | "ReplicaSet" => json!({"replicas": 0, "selector": selector}),
        "StatefulSet" => json!({"replicas": 0, "selector": selector, "serviceName": "web"}),
        "DaemonSet" => json!({"selector": selector}),
        "ReplicationController" => json!({"replicas": 0, "selector": {"app": "web"}}),
        // Of a suspended Job the labels and annotations may change.
        "Job" => json!({"suspend": true}),
        "CronJob" => json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {}}}),
        other => panic!("{other} is new: say what its spec needs"),
    };
    if matches!(kind.name, "Job" | "CronJob") {
        pod["restartPolicy"] = json!("Never");
    }
    let template = json!({"metadata": metadata, "spec": pod});
    match kind.name {
        "CronJob" => spec["jobTemplate"]["spec"]["template"] = template,
        _ => spec["template"] = template,
    }
    json!({
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": name, "labels": {TAG: tag}},
        "spec": spec,
    })
}

/// A stored object as the start of a change: one that is made wherever others have changed the object
/// meanwhile, as controllers do. (Of a custom resource, the API server takes no such change.)
pub(crate) fn changeable(stored: &Value) -> Value {
    let mut object = stored.clone();
    if object["apiVersion"] != "kuma.io/v1alpha1" {
        object["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("resourceVersion");
    }
    object
}

/// The Pod template in an object.
pub(crate) fn template<'o>(kind: &TemplateKind, object: &'o mut Value) -> &'o mut Value {
    let steps = kind.template_path.split('.');
    steps.fold(object, |value, step| &mut value[step])
}

/// Where the API server keeps objects of a resource.
pub(crate) fn collection(api_version: &str, namespace: &str, plural: &str) -> String {
    let root = match api_version {
        "v1" => "/api/v1".to_owned(),
        other => format!("/apis/{other}"),
    };
    match namespace {
        "" => format!("{root}/{plural}"),
        namespace => format!("{root}/namespaces/{namespace}/{plural}"),
    }
}
