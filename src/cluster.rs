//! The rulebook's questions, put to the host.
//!
//! A list that the API server forbids never answers, while a forbidden get answers at once. So
//! nothing is listed before a get has shown that the kind may be read.

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
    object::{MetadataObject, ObjectMeta, PodObject},
    view::view,
};

/// A kind that is asked for, and how its grants are called.
struct Resource {
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    access: &'static str,
    grant: &'static str,
}

const NAMESPACE: Resource = Resource {
    api_version: "v1",
    kind: "Namespace",
    plural: "namespaces",
    access: "access to the context-aware resource v1/Namespace",
    grant: "get, list and watch of namespaces to the policy server's ServiceAccount",
};
const POD: Resource = Resource {
    api_version: "v1",
    kind: "Pod",
    plural: "pods",
    access: "access to the context-aware resource v1/Pod",
    grant: "get, list and watch of pods to the policy server's ServiceAccount",
};
const MESH: Resource = Resource {
    api_version: "kuma.io/v1alpha1",
    kind: "Mesh",
    plural: "meshes.kuma.io",
    access: "access to the context-aware resource kuma.io/v1alpha1/Mesh",
    grant: "get, list and watch of meshes.kuma.io to the policy server's ServiceAccount",
};
const DATAPLANE: Resource = Resource {
    api_version: "kuma.io/v1alpha1",
    kind: "Dataplane",
    plural: "dataplanes.kuma.io",
    access: "access to the context-aware resource kuma.io/v1alpha1/Dataplane",
    grant: "get, list and watch of dataplanes.kuma.io to the policy server's ServiceAccount",
};

/// A name that is asked for where the judged object has none: only the grant is of interest.
const PROBE: &str = "kuma-workload-probe";

/// The protocol's request for one object; the SDK's own owns all of its strings.
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

/// The cluster as the host shows it; `H` makes a host call: operation and payload in, answer out.
#[derive(Debug)]
pub struct HostCluster<H> {
    call: H,
    /// The kinds that a get has shown to be readable.
    readable: RefCell<Vec<&'static str>>,
}

/// Why the host gave no object.
enum Refusal {
    /// There is none of that name.
    NotFound,
    /// The question failed.
    Failed(ClusterFailure),
}

impl<H> HostCluster<H>
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    /// Asks with this host call.
    pub fn new(call: H) -> Self {
        Self {
            call,
            readable: RefCell::default(),
        }
    }

    fn get(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        freshness: Freshness,
    ) -> Result<Vec<u8>, Refusal> {
        let request = GetResource {
            api_version: resource.api_version,
            kind: resource.kind,
            name,
            namespace,
            disable_cache: freshness == Freshness::Fresh,
            // Masks never touch metadata: this leaves nothing but.
            field_masks: &["metadata"],
        };
        self.ask("get_resource", &request, resource)
    }

    /// Lists what a question selects; a get goes before the first list of a kind.
    fn list(
        &self,
        resource: &Resource,
        question: ListQuestion<'_>,
        label_selector: Option<&str>,
        field_masks: &[&'static str],
    ) -> ClusterAnswer<Vec<u8>> {
        if !self.readable.borrow().contains(&resource.kind) {
            self.prove_readable(resource, question)?;
        }
        let request = ListResourcesByNamespace {
            api_version: resource.api_version,
            kind: resource.kind,
            namespace: question.namespace,
            label_selector,
            field_selector: None,
            field_masks,
        };
        self.ask("list_resources_by_namespace", &request, resource)
            .map_err(|refusal| match refusal {
                Refusal::NotFound => ClusterFailure::Unavailable(resource.plural),
                Refusal::Failed(failure) => failure,
            })
    }

    /// Gets an object of the judged one's name: whether it is there does not matter.
    fn prove_readable(&self, resource: &Resource, question: ListQuestion<'_>) -> ClusterAnswer<()> {
        let name = match identifier::check(question.asking_for, NameForm::Kubernetes) {
            Ok(()) => question.asking_for,
            Err(_) => PROBE,
        };
        match self.get(resource, Some(question.namespace), name, Freshness::Cached) {
            Ok(_) | Err(Refusal::NotFound) => {
                self.readable.borrow_mut().push(resource.kind);
                Ok(())
            }
            Err(Refusal::Failed(failure)) => Err(failure),
        }
    }

    fn ask(
        &self,
        operation: &'static str,
        request: &impl Serialize,
        resource: &Resource,
    ) -> Result<Vec<u8>, Refusal> {
        let unavailable = || Refusal::Failed(ClusterFailure::Unavailable(resource.plural));
        let payload = serde_json::to_vec(request).map_err(|_| unavailable())?;
        (self.call)(operation, &payload).map_err(|error| refusal(&error, operation, resource))
    }
}

/// What an error of the host means; its text goes no further (A13).
fn refusal(error: &str, operation: &'static str, resource: &Resource) -> Refusal {
    let says = |text: &str| error.contains(text);
    Refusal::Failed(if says("Policy has not been granted access to") {
        ClusterFailure::NotGranted(match operation {
            _ if !says("host capability") => resource.access,
            "get_resource" => "the host capability kubernetes/get_resource",
            _ => "the host capability kubernetes/list_resources_by_namespace",
        })
    } else if says("code: 403") {
        ClusterFailure::NotGranted(resource.grant)
    } else if says("Cannot find resource ")
        // The second where the kind was there once: the host remembers it.
        || (says("code: 404")
            && (says("error finding resource") || says("ApiError: 404 page not found")))
    {
        ClusterFailure::KumaNotInstalled
    } else if says("Cannot find ") && says(" named '") {
        return Refusal::NotFound;
    } else {
        ClusterFailure::Unavailable(resource.plural)
    })
}

/// The label selector of a question; none where it selects everything.
fn label_selector(selector: MeshSelector<'_>) -> Option<String> {
    match selector {
        MeshSelector::Any => None,
        MeshSelector::NotOfMesh(mesh) => Some(format!("{}!={mesh}", keys::MESH)),
        MeshSelector::OfMesh(mesh) => Some(format!("{}={mesh}", keys::MESH)),
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

impl<H> Cluster for HostCluster<H>
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    fn namespace(&self, name: &str, freshness: Freshness) -> ClusterAnswer<Metadata<'static>> {
        let answer =
            self.get(&NAMESPACE, None, name, freshness)
                .map_err(|refusal| match refusal {
                    Refusal::NotFound => ClusterFailure::NamespaceNotFound,
                    Refusal::Failed(failure) => failure,
                })?;
        let namespace: MetadataObject<'_> = read(&answer, &NAMESPACE)?;
        Ok(namespace.metadata.into_metadata().into_owned())
    }

    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool> {
        match self.get(&MESH, None, name, Freshness::Cached) {
            Ok(_) => Ok(true),
            Err(Refusal::NotFound) => Ok(false),
            Err(Refusal::Failed(failure)) => Err(failure),
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
        let labelled = keys::MESH.to_owned();
        let selector = match (question.selector, label_selector(question.selector)) {
            (MeshSelector::OfMesh(_), Some(selector)) => selector,
            (_, Some(selector)) => labelled + "," + &selector,
            (_, None) => labelled,
        };
        let masks = [
            "spec.containers.name",
            "spec.initContainers.name",
            "status.phase",
        ];
        let answer = self.list(&POD, question, Some(&selector), &masks)?;
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

    const NO_CAPABILITY: &str = "Host error: Policy has not been granted access to the \
        'kubernetes/get_resource' host capability. The violation has been reported.";
    const NO_RESOURCE: &str = "Host error: Policy has not been granted access to Kubernetes \
        kuma.io/v1alpha1/Mesh resources. The violation has been reported.";
    const FORBIDDEN: &str = "Host error: Callback evaluation failure: ApiError: meshes.kuma.io \
        \"m\" is forbidden: User \"u\" cannot get resource (Status { status: Some(Failure), \
        code: 403, message: \"…\" })";
    const NO_OBJECT: &str = "Host error: Callback evaluation failure: Cannot find \
        kuma.io/v1alpha1/Mesh named 'm' inside of namespace 'None'";
    const NO_KIND: &str = "Host error: Callback evaluation failure: Cannot find resource \
        kuma.io/v1alpha1/Mesh";
    const NO_GROUP: &str = "Host error: Callback evaluation failure: error finding resource \
        kuma.io/v1alpha1 / Mesh: ApiError: \"404 page not found\" (Status { code: 404 })";
    const GROUP_GONE: &str = "Host error: Callback evaluation failure: ApiError: 404 page not \
        found\n: Failed to parse error data (Status { code: 404, message: \"404 page not found\" })";
    const OTHER_DISCOVERY: &str = "Host error: Callback evaluation failure: error finding resource \
        kuma.io/v1alpha1 / Mesh: ServiceError: client error (Connect)";

    #[rstest]
    #[case::no_capability(
        NO_CAPABILITY,
        Err(ClusterFailure::NotGranted("the host capability kubernetes/get_resource"))
    )]
    #[case::no_resource(
        NO_RESOURCE,
        Err(ClusterFailure::NotGranted(
            "access to the context-aware resource kuma.io/v1alpha1/Mesh"
        ))
    )]
    #[case::forbidden(
        FORBIDDEN,
        Err(ClusterFailure::NotGranted(
            "get, list and watch of meshes.kuma.io to the policy server's ServiceAccount"
        ))
    )]
    #[case::no_object(NO_OBJECT, Ok(false))]
    #[case::no_kind(NO_KIND, Err(ClusterFailure::KumaNotInstalled))]
    #[case::no_group(NO_GROUP, Err(ClusterFailure::KumaNotInstalled))]
    #[case::group_gone(GROUP_GONE, Err(ClusterFailure::KumaNotInstalled))]
    #[case::other_discovery_failure(
        OTHER_DISCOVERY,
        Err(ClusterFailure::Unavailable("meshes.kuma.io"))
    )]
    #[case::anything_else("Host error: boom", Err(ClusterFailure::Unavailable("meshes.kuma.io")))]
    fn a13_what_the_hosts_errors_mean(#[case] error: &str, #[case] answer: ClusterAnswer<bool>) {
        let cluster = HostCluster::new(|_: &str, _: &[u8]| Err(error.to_owned()));
        assert_eq!(cluster.mesh_exists("m"), answer);
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
        let pod_masks = [
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
                list("v1", "Pod", "kuma.io/mesh,kuma.io/mesh!=mesh1", &pod_masks),
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
            Err(FORBIDDEN.to_owned())
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
