//! The questions of the rules, put to the host.
//!
//! The host never answers a list that the API server forbids, while it answers a forbidden get at
//! once. So the first list of a kind comes after a get that has shown that the kind may be read.

use std::cell::RefCell;

use kuma_workload_guest_json as json;
use kuma_workload_rulebook::{
    admission::{
        Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, Freshness, ListQuestion,
        MeshSelector,
    },
    identifier::{self, NameForm},
    keys,
    metadata::{Metadata, PodFacts, Text},
};
use serde::{Deserialize, Serialize};

use crate::{
    ask_error::AskError,
    object::{MetadataObject, ObjectMeta, PodObject},
    resource::{DATAPLANE, MESH, NAMESPACE, POD, Resource},
    view::view,
};

/// The name that is asked for if the judged object has none. Only the permission matters.
const PROBE: &str = "kuma-workload-probe";

/// The protocol's request for one object. The type of the SDK owns all of its strings.
#[derive(Serialize)]
struct GetResource<'r> {
    api_version: &'static str,
    kind: &'static str,
    name: &'r str,
    namespace: Option<&'r str>,
    disable_cache: bool,
    field_masks: &'r [&'static str],
}

/// The protocol's request for a list.
#[derive(Serialize)]
struct ListResourcesByNamespace<'r> {
    api_version: &'static str,
    kind: &'static str,
    namespace: &'r str,
    label_selector: Option<&'r str>,
    field_selector: Option<&'r str>,
    field_masks: &'r [&'static str],
}

/// The cluster as the host shows it. `H` makes a host call: it takes the operation and the payload,
/// and returns the answer or an error message.
#[derive(Debug)]
pub struct HostCluster<H> {
    call: H,
    /// The kinds that a get has shown to be readable.
    readable: RefCell<Vec<&'static str>>,
}

impl<H> HostCluster<H>
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    /// A cluster that is asked with this host call.
    pub fn new(call: H) -> Self {
        Self {
            call,
            readable: RefCell::default(),
        }
    }

    /// Gets the metadata of an object.
    fn get(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        freshness: Freshness,
    ) -> Result<Vec<u8>, AskError> {
        let request = GetResource {
            api_version: resource.api_version,
            kind: resource.kind,
            name,
            namespace,
            disable_cache: freshness == Freshness::Fresh,
            // The host always includes the metadata, so this mask leaves only that.
            field_masks: &["metadata"],
        };
        self.ask("get_resource", &request, resource)
    }

    /// Lists the objects that a question selects.
    fn list(
        &self,
        resource: &Resource,
        question: ListQuestion<'_>,
        label_selector: Option<&str>,
        field_masks: &[&'static str],
    ) -> ClusterAnswer<Vec<u8>> {
        self.prove_readable(resource, question)?;
        let request = ListResourcesByNamespace {
            api_version: resource.api_version,
            kind: resource.kind,
            namespace: question.namespace,
            label_selector,
            field_selector: None,
            field_masks,
        };
        self.ask("list_resources_by_namespace", &request, resource)
            .map_err(|error| error.or_missing(ClusterFailure::Unavailable(resource.plural)))
    }

    /// Shows by a get that the kind may be read, unless an earlier get has shown it. Whether the
    /// object exists does not matter; its name is that of the judged object.
    fn prove_readable(&self, resource: &Resource, question: ListQuestion<'_>) -> ClusterAnswer<()> {
        if self.readable.borrow().contains(&resource.kind) {
            return Ok(());
        }
        let name = match identifier::check(question.asking_for, NameForm::Kubernetes) {
            Ok(()) => question.asking_for,
            Err(_) => PROBE,
        };
        match self.get(resource, Some(question.namespace), name, Freshness::Cached) {
            Ok(_) | Err(AskError::NotFound) => {
                self.readable.borrow_mut().push(resource.kind);
                Ok(())
            }
            Err(AskError::Failed(failure)) => Err(failure),
        }
    }

    fn ask(
        &self,
        operation: &'static str,
        request: &impl Serialize,
        resource: &Resource,
    ) -> Result<Vec<u8>, AskError> {
        let unavailable = || AskError::Failed(ClusterFailure::Unavailable(resource.plural));
        let payload = serde_json::to_vec(request).map_err(|_| unavailable())?;
        (self.call)(operation, &payload).map_err(|error| AskError::of(&error, operation, resource))
    }
}

/// The label selector that means the same; none if it selects all objects.
fn label_selector(selector: MeshSelector<'_>) -> Option<String> {
    match selector {
        MeshSelector::Any => None,
        MeshSelector::NotOfMesh(mesh) => Some(format!("{}!={mesh}", keys::MESH)),
        MeshSelector::OfMesh(mesh) => Some(format!("{}={mesh}", keys::MESH)),
    }
}

/// The label selector that means the same among objects with the label.
fn label_selector_of_labelled(selector: MeshSelector<'_>) -> String {
    match (selector, label_selector(selector)) {
        (MeshSelector::OfMesh(_), Some(selector)) => selector,
        (_, Some(selector)) => format!("{},{selector}", keys::MESH),
        (_, None) => keys::MESH.to_owned(),
    }
}

fn read<'a, T: Deserialize<'a>>(answer: &'a [u8], resource: &Resource) -> ClusterAnswer<T> {
    json::from_slice(answer).map_err(|_| ClusterFailure::Unavailable(resource.plural))
}

view! {
    struct DataplaneList<'a> {
        "items" => items: Option<Vec<DataplaneObject<'a>>>,
    }
}

view! {
    struct DataplaneObject<'a> {
        "metadata" => metadata: ObjectMeta<'a>,
        "mesh" => mesh: Option<Text<'a>>,
    }
}

view! {
    struct PodList<'a> {
        "items" => items: Option<Vec<PodObject<'a>>>,
    }
}

/// The fields of a Pod that the rules need, besides its metadata.
const POD_FIELDS: [&str; 3] = [
    "spec.containers.name",
    "spec.initContainers.name",
    "status.phase",
];

impl<H> Cluster for HostCluster<H>
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    fn namespace(&self, name: &str, freshness: Freshness) -> ClusterAnswer<Metadata<'static>> {
        let answer = self
            .get(&NAMESPACE, None, name, freshness)
            .map_err(|error| error.or_missing(ClusterFailure::NamespaceNotFound))?;
        let namespace: MetadataObject<'_> = read(&answer, &NAMESPACE)?;
        Ok(namespace.metadata.into_metadata().into_owned())
    }

    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool> {
        match self.get(&MESH, None, name, Freshness::Cached) {
            Ok(_) => Ok(true),
            Err(AskError::NotFound) => Ok(false),
            Err(AskError::Failed(failure)) => Err(failure),
        }
    }

    fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>> {
        let selector = label_selector(question.selector);
        let answer = self.list(&DATAPLANE, question, selector.as_deref(), &["mesh"])?;
        let DataplaneList { items, .. } = read(&answer, &DATAPLANE)?;
        let items = items.ok_or(ClusterFailure::Unavailable(DATAPLANE.plural))?;
        let dataplanes = items.into_iter().map(|dataplane| DataplaneFacts {
            name: dataplane.metadata.name.unwrap_or_default().into_owned(),
            mesh: dataplane.mesh.map(Text::into_owned),
        });
        Ok(dataplanes.collect())
    }

    fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>> {
        let selector = label_selector_of_labelled(question.selector);
        let answer = self.list(&POD, question, Some(&selector), &POD_FIELDS)?;
        let PodList { items, .. } = read(&answer, &POD)?;
        let items = items.ok_or(ClusterFailure::Unavailable(POD.plural))?;
        let pods = items.into_iter().map(|pod| pod.into_facts().into_owned());
        Ok(pods.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[test]
    fn a13_the_hosts_errors_about_a_mesh() {
        let answer = |error: &str| {
            let cluster = HostCluster::new(|_: &str, _: &[u8]| Err(error.to_owned()));
            cluster.mesh_exists("m")
        };
        assert_eq!(
            answer("Cannot find kuma.io/v1alpha1/Mesh named 'm'"),
            Ok(false)
        );
        assert_eq!(
            answer("boom"),
            Err(ClusterFailure::Unavailable("meshes.kuma.io"))
        );
    }

    #[rstest]
    #[case::nothing("")]
    #[case::not_json("<html>")]
    #[case::no_list("{}")]
    #[case::null_items(r#"{"items":null}"#)]
    #[case::wrong_type(r#"{"items":[{"metadata":{"name":7}}]}"#)]
    fn a13_a_garbage_answer_is_no_answer(#[case] garbage: &str) {
        let cluster = HostCluster::new(|_: &str, _: &[u8]| Ok(garbage.as_bytes().to_vec()));
        let question = ListQuestion {
            namespace: "team",
            asking_for: "web-0",
            selector: MeshSelector::Any,
        };
        assert_eq!(
            cluster.dataplanes(question),
            Err(ClusterFailure::Unavailable("dataplanes.kuma.io"))
        );
        assert_eq!(
            cluster.pods(question),
            Err(ClusterFailure::Unavailable("pods"))
        );
    }

    #[test]
    fn a13_no_such_namespace() {
        let error = "Callback evaluation failure: Cannot find v1/Namespace named 'team' inside of \
                     namespace 'None'";
        let cluster = HostCluster::new(|_: &str, _: &[u8]| Err(error.to_owned()));
        assert_eq!(
            cluster.namespace("team", Freshness::Cached),
            Err(ClusterFailure::NamespaceNotFound)
        );
    }

    /// A host that has no object and empty lists, and remembers what it was asked.
    fn asked(ask: impl FnOnce(&dyn Fn(ListQuestion<'_>))) -> Vec<(String, Value)> {
        let calls = RefCell::new(Vec::new());
        let cluster = HostCluster::new(|operation: &str, payload: &[u8]| {
            let payload = serde_json::from_slice(payload).unwrap();
            calls.borrow_mut().push((operation.to_owned(), payload));
            match operation {
                "get_resource" => Err("Cannot find x named 'y' inside of namespace".to_owned()),
                _ => Ok(br#"{"items":[]}"#.to_vec()),
            }
        });
        ask(&|question| {
            assert_eq!(cluster.dataplanes(question), Ok(Vec::new()));
            assert_eq!(cluster.pods(question), Ok(Vec::new()));
        });
        calls.into_inner()
    }

    #[rstest]
    #[case::the_objects_own("web-0", "web-0")]
    #[case::none("", PROBE)]
    #[case::not_a_legal_name("../meshes", PROBE)]
    fn a13_a_get_proves_the_grant_before_a_list(#[case] own: &str, #[case] probe: &str) {
        let calls = asked(|ask| {
            ask(ListQuestion {
                namespace: "team",
                asking_for: own,
                selector: MeshSelector::NotOfMesh("mesh1"),
            });
        });
        let get = |api_version: &str, kind: &str| {
            let request = json!({
                "api_version": api_version, "kind": kind, "name": probe, "namespace": "team",
                "disable_cache": false, "field_masks": ["metadata"],
            });
            ("get_resource".to_owned(), request)
        };
        let list = |api_version: &str, kind: &str, selector: &str, masks: &[&str]| {
            let request = json!({
                "api_version": api_version, "kind": kind, "namespace": "team",
                "label_selector": selector, "field_selector": null, "field_masks": masks,
            });
            ("list_resources_by_namespace".to_owned(), request)
        };
        let pod_fields = [
            "spec.containers.name",
            "spec.initContainers.name",
            "status.phase",
        ];
        assert_eq!(
            calls,
            [
                get("kuma.io/v1alpha1", "Dataplane"),
                list(
                    "kuma.io/v1alpha1",
                    "Dataplane",
                    "kuma.io/mesh!=mesh1",
                    &["mesh"]
                ),
                get("v1", "Pod"),
                list("v1", "Pod", "kuma.io/mesh,kuma.io/mesh!=mesh1", &pod_fields),
            ]
        );
    }

    #[test]
    fn a13_one_get_proves_a_kind() {
        let calls = asked(|ask| {
            for selector in [
                MeshSelector::NotOfMesh("mesh1"),
                MeshSelector::OfMesh("mesh1"),
            ] {
                ask(ListQuestion {
                    namespace: "team",
                    asking_for: "web-0",
                    selector,
                });
            }
        });
        let gets = calls
            .iter()
            .filter(|(operation, _)| operation == "get_resource")
            .count();
        assert_eq!((gets, calls.len()), (2, 6));
    }

    #[rstest]
    #[case::any(MeshSelector::Any, Value::Null, "kuma.io/mesh")]
    #[case::of_a_mesh(MeshSelector::OfMesh("m"), json!("kuma.io/mesh=m"), "kuma.io/mesh=m")]
    fn a12_a18_selectors(
        #[case] selector: MeshSelector<'_>,
        #[case] dataplanes: Value,
        #[case] pods: &str,
    ) {
        let calls = asked(|ask| {
            ask(ListQuestion {
                namespace: "team",
                asking_for: "",
                selector,
            });
        });
        let selectors: Vec<_> = calls
            .iter()
            .filter(|(operation, _)| operation != "get_resource")
            .map(|(_, request)| request["label_selector"].clone())
            .collect();
        assert_eq!(selectors, [dataplanes, json!(pods)]);
    }

    #[test]
    fn a13_nothing_is_listed_where_the_get_fails() {
        let cluster = HostCluster::new(|operation: &str, _: &[u8]| {
            assert_eq!(operation, "get_resource", "a forbidden list never answers");
            Err("meshes.kuma.io \"m\" is forbidden (Status { code: 403 })".to_owned())
        });
        let question = ListQuestion {
            namespace: "team",
            asking_for: "",
            selector: MeshSelector::Any,
        };
        assert_eq!(
            cluster.dataplanes(question),
            Err(ClusterFailure::NotGranted(DATAPLANE.grant))
        );
        assert_eq!(
            cluster.pods(question),
            Err(ClusterFailure::NotGranted(POD.grant))
        );
    }

    #[test]
    fn a17_the_namespace_is_asked_for_afresh() {
        let cluster = HostCluster::new(|_: &str, payload: &[u8]| {
            let request: Value = serde_json::from_slice(payload).unwrap();
            assert_eq!(
                (&request["disable_cache"], &request["namespace"]),
                (&json!(true), &Value::Null)
            );
            Ok(br#"{"metadata":{"labels":{"kuma.io/mesh":"m"}}}"#.to_vec())
        });
        let namespace = cluster.namespace("team", Freshness::Fresh).unwrap();
        assert_eq!(namespace.labels.get("kuma.io/mesh"), Some("m"));
    }
}
