//! The questions of the rules, put to the host.
//!
//! Nothing comes from the host's own cache of gets and reviews: it has one lock, held while the API
//! server is asked, and a request that gets no answer then stops every such question of every policy
//! of that policy server.

use std::cell::RefCell;

use kuma_workload_guest_json as json;
use kuma_workload_rulebook::{
    admission::{
        Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, ListQuestion, MeshSelector,
        ServiceAccountUser, Witness,
    },
    keys,
    metadata::{Metadata, PodFacts, Text},
    quoted::Quoted,
};
use serde::Deserialize;

use crate::{
    ask_error::{AskError, not_granted},
    object::{MetadataObject, ObjectMeta, PodObject},
    payload::Payload,
    proof::Proof,
    resource::{DATAPLANE, MESH, NAMESPACE, POD, Resource, SUBJECT_ACCESS_REVIEW},
    review::{self, ReviewStatus},
    view::view,
};

/// The host always includes the metadata, so this mask leaves only that.
const METADATA: &[&str] = &["metadata"];

/// The cluster as the host shows it. `H` makes a host call: it takes the operation and the payload,
/// and returns the answer or an error message.
#[derive(Debug)]
pub(crate) struct HostCluster<'r, H> {
    call: H,
    proof: Proof<'r>,
    /// The kinds that have been proved to be granted.
    proved: RefCell<Vec<&'static str>>,
}

impl<'r, H> HostCluster<'r, H>
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    /// A cluster that is asked with this host call, once it is proved that a kind may be listed.
    pub(crate) fn new(call: H, proof: Proof<'r>) -> Self {
        Self {
            call,
            proof,
            proved: RefCell::default(),
        }
    }

    /// Gets the metadata of an object.
    fn get(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Vec<u8>, AskError> {
        let request = Payload::Map(&[
            ("api_version", Payload::Text(resource.api_version)),
            ("kind", Payload::Text(resource.kind)),
            ("name", Payload::Text(name)),
            ("namespace", Payload::from(namespace)),
            ("disable_cache", Payload::True),
            ("field_masks", Payload::Texts(METADATA)),
        ]);
        self.ask("get_resource", request, resource)
    }

    /// Lists the objects of a Namespace, or of the cluster, that a selector selects.
    fn list(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        field_masks: &[&'static str],
    ) -> ClusterAnswer<Vec<u8>> {
        let operation = match namespace {
            Some(namespace) => {
                self.prove(resource, namespace)?;
                "list_resources_by_namespace"
            }
            None => "list_resources_all",
        };
        let request = Payload::Map(&[
            ("api_version", Payload::Text(resource.api_version)),
            ("kind", Payload::Text(resource.kind)),
            ("namespace", Payload::from(namespace)),
            ("label_selector", Payload::from(label_selector)),
            ("field_selector", Payload::Null),
            ("field_masks", Payload::Texts(field_masks)),
        ]);
        self.ask(operation, request, resource)
            .map_err(|error| error.or_missing(ClusterFailure::Unavailable(resource.plural)))
    }

    /// Proves that the kind may be listed in the Namespace, unless that has been proved already.
    fn prove(&self, resource: &Resource, namespace: &str) -> ClusterAnswer<()> {
        if self.proved.borrow().contains(&resource.kind) {
            return Ok(());
        }
        match self.proof {
            Proof::Get { name } => match self.get(resource, Some(namespace), name) {
                // Whether the object exists does not matter.
                Ok(_) | Err(AskError::NotFound) => {}
                Err(AskError::Failed(failure)) => return Err(failure),
            },
            Proof::Review { user } => {
                self.review(user, "list", resource, namespace)?;
                self.review(user, "watch", resource, namespace)?;
            }
            Proof::Assumed => {}
        }
        self.proved.borrow_mut().push(resource.kind);
        Ok(())
    }

    /// Asks the API server whether the user may do this.
    fn review(
        &self,
        user: &ServiceAccountUser<'_>,
        verb: &'static str,
        resource: &Resource,
        namespace: &str,
    ) -> ClusterAnswer<()> {
        let unavailable = ClusterFailure::Unavailable(SUBJECT_ACCESS_REVIEW.plural);
        let answer = review::with_request(user, verb, resource, namespace, |request| {
            self.ask("can_i", request, &SUBJECT_ACCESS_REVIEW)
        });
        let answer = answer.map_err(|error| error.or_missing(unavailable.clone()))?;
        let status: ReviewStatus<'_> = read(&answer, &SUBJECT_ACCESS_REVIEW)?;
        match status.allowed {
            Some(true) => Ok(()),
            Some(false) => Err(not_granted(format!(
                "{verb} of {} to {} (setting policyServerUser)",
                resource.plural,
                Quoted(user.name())
            ))),
            None => Err(unavailable),
        }
    }

    /// Whether there is a Mesh with this name, by the list of all of them: one watch for the
    /// cluster, and no request to the API server once it is there.
    fn is_listed_mesh(&self, name: &str) -> ClusterAnswer<bool> {
        let answer = self.list(&MESH, None, None, METADATA)?;
        let meshes = read_dataplanes(&answer, &MESH)?;
        Ok(meshes.iter().any(|mesh| *mesh.name == *name))
    }

    fn ask(
        &self,
        operation: &'static str,
        request: Payload<'_>,
        resource: &Resource,
    ) -> Result<Vec<u8>, AskError> {
        let unavailable = || AskError::Failed(ClusterFailure::Unavailable(resource.plural));
        let payload = serde_json::to_vec(&request).map_err(|_| unavailable())?;
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

/// The facts of a list of Dataplanes. A Mesh is read as a Dataplane of which only the name matters.
fn read_dataplanes(answer: &[u8], resource: &Resource) -> ClusterAnswer<Vec<DataplaneFacts>> {
    let DataplaneList { items, .. } = read(answer, resource)?;
    let items = items.ok_or(ClusterFailure::Unavailable(resource.plural))?;
    let dataplanes = items.into_iter().map(|dataplane| DataplaneFacts {
        name: dataplane.metadata.name.unwrap_or_default().into_owned(),
        mesh: dataplane.mesh.map(Text::into_owned),
    });
    Ok(dataplanes.collect())
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

/// Nobody asks the policy for its steps.
impl<H> Witness for HostCluster<'_, H> {}

impl<H> Cluster for HostCluster<'_, H>
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    fn namespace(&self, name: &str) -> ClusterAnswer<Metadata<'static>> {
        let answer = self
            .get(&NAMESPACE, None, name)
            .map_err(|error| error.or_missing(ClusterFailure::NamespaceNotFound))?;
        let namespace: MetadataObject<'_> = read(&answer, &NAMESPACE)?;
        Ok(namespace.metadata.into_metadata().into_owned())
    }

    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool> {
        if matches!(self.proof, Proof::Assumed) {
            return self.is_listed_mesh(name);
        }
        match self.get(&MESH, None, name) {
            Ok(_) => Ok(true),
            Err(AskError::NotFound) => Ok(false),
            Err(AskError::Failed(failure)) => Err(failure),
        }
    }

    fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>> {
        let selector = label_selector(question.selector);
        let namespace = Some(question.namespace);
        let answer = self.list(&DATAPLANE, namespace, selector.as_deref(), &["mesh"])?;
        read_dataplanes(&answer, &DATAPLANE)
    }

    fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>> {
        let selector = label_selector_of_labelled(question.selector);
        let namespace = Some(question.namespace);
        let answer = self.list(&POD, namespace, Some(&selector), &POD_FIELDS)?;
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

    /// Asks the host an operation with a payload.
    type HostCall<'c> = dyn Fn(&str, &[u8]) -> Result<Vec<u8>, String> + 'c;

    const PROBE: Proof<'_> = Proof::Get { name: "web-0" };

    fn policy_server() -> ServiceAccountUser<'static> {
        let name = Text::from("system:serviceaccount:kubewarden:policy-server");
        ServiceAccountUser::new(name).unwrap()
    }

    fn question(selector: MeshSelector<'_>) -> ListQuestion<'_> {
        ListQuestion {
            namespace: "team",
            selector,
        }
    }

    fn failing(error: &str) -> impl Fn(&str, &[u8]) -> Result<Vec<u8>, String> {
        move |_, _| Err(error.to_owned())
    }

    fn answering(answer: &str) -> impl Fn(&str, &[u8]) -> Result<Vec<u8>, String> {
        move |_, _| Ok(answer.as_bytes().to_vec())
    }

    #[test]
    fn a13_the_hosts_errors_about_a_mesh() {
        let answer = |error: &str| HostCluster::new(failing(error), PROBE).mesh_exists("m");
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
        let all = question(MeshSelector::Any);
        let cluster = HostCluster::new(answering(garbage), PROBE);
        let unavailable = ClusterFailure::Unavailable;
        assert_eq!(
            cluster.dataplanes(all),
            Err(unavailable("dataplanes.kuma.io"))
        );
        assert_eq!(cluster.pods(all), Err(unavailable("pods")));
        let cluster = HostCluster::new(answering(garbage), Proof::Assumed);
        assert_eq!(cluster.mesh_exists("m"), Err(unavailable("meshes.kuma.io")));
        let user = policy_server();
        let cluster = HostCluster::new(answering(garbage), Proof::Review { user: &user });
        assert_eq!(cluster.pods(all), Err(unavailable("subjectaccessreviews")));
    }

    #[test]
    fn a13_no_such_namespace() {
        let error = "Callback evaluation failure: Cannot find v1/Namespace named 'team' inside of \
                     namespace 'None'";
        assert_eq!(
            HostCluster::new(failing(error), PROBE).namespace("team"),
            Err(ClusterFailure::NamespaceNotFound)
        );
    }

    /// What a host is asked that has the Mesh `m` and empty lists, and no other object.
    fn asked(
        proof: Proof<'_>,
        ask: impl FnOnce(&HostCluster<'_, &HostCall<'_>>),
    ) -> Vec<(String, Value)> {
        let calls = RefCell::new(Vec::new());
        let call = |operation: &str, payload: &[u8]| {
            let payload = serde_json::from_slice(payload).unwrap();
            calls.borrow_mut().push((operation.to_owned(), payload));
            match operation {
                "get_resource" => Err("Cannot find x named 'y' inside of namespace".to_owned()),
                "can_i" => Ok(br#"{"allowed":true}"#.to_vec()),
                "list_resources_all" => Ok(br#"{"items":[{"metadata":{"name":"m"}}]}"#.to_vec()),
                _ => Ok(br#"{"items":[]}"#.to_vec()),
            }
        };
        ask(&HostCluster::new(&call, proof));
        calls.into_inner()
    }

    fn list_both(cluster: &HostCluster<'_, &HostCall<'_>>, selector: MeshSelector<'_>) {
        assert_eq!(cluster.dataplanes(question(selector)), Ok(Vec::new()));
        assert_eq!(cluster.pods(question(selector)), Ok(Vec::new()));
    }

    fn get(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> (String, Value) {
        let request = json!({
            "api_version": api_version, "kind": kind, "name": name, "namespace": namespace,
            "disable_cache": true, "field_masks": ["metadata"],
        });
        ("get_resource".to_owned(), request)
    }

    fn can_i(verb: &str, group: &str, resource: &str) -> (String, Value) {
        let request = json!({
            "subject_access_review": {
                "user": "system:serviceaccount:kubewarden:policy-server",
                "groups": [
                    "system:serviceaccounts",
                    "system:serviceaccounts:kubewarden",
                    "system:authenticated",
                ],
                "resource_attributes": {
                    "verb": verb, "group": group, "resource": resource, "namespace": "team",
                },
            },
            "disable_cache": true,
        });
        ("can_i".to_owned(), request)
    }

    fn list_of_dataplanes() -> (String, Value) {
        let request = json!({
            "api_version": "kuma.io/v1alpha1", "kind": "Dataplane", "namespace": "team",
            "label_selector": "kuma.io/mesh!=m", "field_selector": null, "field_masks": ["mesh"],
        });
        ("list_resources_by_namespace".to_owned(), request)
    }

    fn list_of_pods() -> (String, Value) {
        let request = json!({
            "api_version": "v1", "kind": "Pod", "namespace": "team",
            "label_selector": "kuma.io/mesh,kuma.io/mesh!=m", "field_selector": null,
            "field_masks": ["spec.containers.name", "spec.initContainers.name", "status.phase"],
        });
        ("list_resources_by_namespace".to_owned(), request)
    }

    #[test]
    fn a13_probe_gets_one_object_before_a_list() {
        let calls = asked(PROBE, |cluster| {
            assert_eq!(cluster.mesh_exists("m"), Ok(false));
            list_both(cluster, MeshSelector::NotOfMesh("m"));
        });
        let expected = [
            get("kuma.io/v1alpha1", "Mesh", None, "m"),
            get("kuma.io/v1alpha1", "Dataplane", Some("team"), "web-0"),
            list_of_dataplanes(),
            get("v1", "Pod", Some("team"), "web-0"),
            list_of_pods(),
        ];
        assert_eq!(calls, expected);
    }

    #[test]
    fn a13_ask_reviews_list_and_watch_before_a_list() {
        let user = policy_server();
        let calls = asked(Proof::Review { user: &user }, |cluster| {
            assert_eq!(cluster.mesh_exists("m"), Ok(false));
            list_both(cluster, MeshSelector::NotOfMesh("m"));
        });
        let expected = [
            get("kuma.io/v1alpha1", "Mesh", None, "m"),
            can_i("list", "kuma.io", "dataplanes"),
            can_i("watch", "kuma.io", "dataplanes"),
            list_of_dataplanes(),
            can_i("list", "", "pods"),
            can_i("watch", "", "pods"),
            list_of_pods(),
        ];
        assert_eq!(calls, expected);
    }

    #[test]
    fn a13_assume_asks_for_lists_only() {
        let calls = asked(Proof::Assumed, |cluster| {
            assert_eq!(cluster.mesh_exists("m"), Ok(true));
            assert_eq!(cluster.mesh_exists("nowhere"), Ok(false));
            list_both(cluster, MeshSelector::NotOfMesh("m"));
        });
        let meshes = json!({
            "api_version": "kuma.io/v1alpha1", "kind": "Mesh",
            "namespace": null, "label_selector": null, "field_selector": null,
            "field_masks": ["metadata"],
        });
        let meshes = ("list_resources_all".to_owned(), meshes);
        let expected = [meshes.clone(), meshes, list_of_dataplanes(), list_of_pods()];
        assert_eq!(calls, expected);
    }

    #[rstest]
    #[case::probe(PROBE, 2)]
    #[case::ask(Proof::Review { user: &policy_server() }, 4)]
    fn a13_a_kind_is_proved_once(#[case] proof: Proof<'_>, #[case] questions: usize) {
        let calls = asked(proof, |cluster| {
            list_both(cluster, MeshSelector::NotOfMesh("m"));
            list_both(cluster, MeshSelector::OfMesh("m"));
        });
        assert_eq!(calls.len(), 4 + questions);
    }

    #[rstest]
    #[case::any(MeshSelector::Any, Value::Null, "kuma.io/mesh")]
    #[case::of_a_mesh(MeshSelector::OfMesh("m"), json!("kuma.io/mesh=m"), "kuma.io/mesh=m")]
    fn a12_a18_selectors(
        #[case] selector: MeshSelector<'_>,
        #[case] dataplanes: Value,
        #[case] pods: &str,
    ) {
        let calls = asked(Proof::Assumed, |cluster| list_both(cluster, selector));
        let selectors: Vec<_> = calls
            .iter()
            .map(|(_, request)| request["label_selector"].clone())
            .collect();
        assert_eq!(selectors, [dataplanes, json!(pods)]);
    }

    #[test]
    fn a13_nothing_is_listed_where_the_get_fails() {
        let cluster = HostCluster::new(
            |operation: &str, _: &[u8]| {
                assert_eq!(operation, "get_resource", "a forbidden list never answers");
                Err("ApiError: \"m\" is forbidden (Status { code: 403 })".to_owned())
            },
            PROBE,
        );
        let sentence = |plural: &str| {
            ClusterFailure::NotGranted(format!(
                "the policy is not granted get, list and watch of {plural} to the policy server's \
                 ServiceAccount"
            ))
        };
        let all = question(MeshSelector::Any);
        assert_eq!(cluster.dataplanes(all), Err(sentence("dataplanes.kuma.io")));
        assert_eq!(cluster.pods(all), Err(sentence("pods")));
    }

    #[rstest]
    #[case::list("list")]
    #[case::watch("watch")]
    fn a13_nothing_is_listed_where_a_review_says_no(#[case] denied: &str) {
        let user = policy_server();
        let cluster = HostCluster::new(
            |operation: &str, payload: &[u8]| {
                assert_eq!(operation, "can_i", "a forbidden list never answers");
                let payload: Value = serde_json::from_slice(payload).unwrap();
                let verb = &payload["subject_access_review"]["resource_attributes"]["verb"];
                let status = json!({"allowed": verb != denied, "evaluationError": "…"});
                Ok(status.to_string().into_bytes())
            },
            Proof::Review { user: &user },
        );
        let sentence = format!(
            "the policy is not granted {denied} of dataplanes.kuma.io to \
             \"system:serviceaccount:kubewarden:policy-server\" (setting policyServerUser)"
        );
        assert_eq!(
            cluster.dataplanes(question(MeshSelector::Any)),
            Err(ClusterFailure::NotGranted(sentence))
        );
    }

    #[test]
    fn a17_the_namespace_is_asked_for_afresh() {
        let calls = asked(PROBE, |cluster| {
            assert_eq!(
                cluster.namespace("team"),
                Err(ClusterFailure::NamespaceNotFound)
            );
        });
        assert_eq!(calls, [get("v1", "Namespace", None, "team")]);
    }
}
