//! What a cluster of manifests answers, as policy-server would pass it on.

use std::sync::Arc;

use kuma_workload_host::{
    Answer, Backend, Question,
    cluster::{ManifestCluster, Manifests},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    dataplane, get,
    guest::{self, Step},
    list, mesh, no_settings, pod, policy, request, shop,
};

const KUMA: &str = "kuma.io/v1alpha1";

fn ask(cluster: &ManifestCluster, question: Value) -> Value {
    let question: Question = serde_json::from_value(question).expect("a question");
    match cluster.ask(&question).answer {
        Answer::Payload(bytes) => serde_json::from_slice(&bytes).expect("JSON"),
        other => panic!("no answer: {other:?}"),
    }
}

fn listed(cluster: &ManifestCluster, question: Value) -> Vec<String> {
    let list = ask(
        cluster,
        json!({ "KubernetesListResourceNamespace": question }),
    );
    let mut names: Vec<String> = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| {
            item["metadata"]["name"]
                .as_str()
                .expect("a name")
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_get_keeps_managed_fields_and_masks_only_the_data() {
    let mut object = dataplane("shop", "a", "blue");
    object["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
    object["metadata"]["surprise"] = json!("dropped");
    let cluster = Manifests::of([object]).expect("manifests").handled();
    let mut question = get(KUMA, "Dataplane", "a", Some("shop"));
    question["field_masks"] = json!(["mesh", "metadata.name"]);
    assert_eq!(
        ask(&cluster, json!({ "KubernetesGetResource": question })),
        json!({
            "apiVersion": KUMA, "kind": "Dataplane", "mesh": "blue",
            "metadata": {"name": "a", "namespace": "shop", "labels": {"kuma.io/mesh": "blue"},
                         "managedFields": [{"manager": "kubectl"}]},
        })
    );
}

#[test]
fn a_list_drops_managed_fields_and_what_kubectl_applied() {
    let mut object = dataplane("shop", "a", "blue");
    object["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
    object["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"});
    let cluster = Manifests::of([object]).expect("manifests").handled();
    let mut question = list(KUMA, "Dataplane", "shop", None);
    question["field_masks"] = json!(["spec.networking.inbound.port"]);
    assert_eq!(
        ask(
            &cluster,
            json!({ "KubernetesListResourceNamespace": question })
        ),
        json!({
            "apiVersion": KUMA, "kind": "DataplaneList", "metadata": {},
            "items": [{
                "apiVersion": KUMA, "kind": "Dataplane",
                "metadata": {"name": "a", "namespace": "shop", "labels": {"kuma.io/mesh": "blue"},
                             "managedFields": [], "annotations": {"kept": "yes"}},
                "spec": {"networking": {"inbound": [{"port": 80}]}},
            }],
        })
    );
}

#[test]
fn items_of_a_list_of_built_in_objects_do_not_say_what_they_are() {
    let cluster = shop().handled();
    let list = ask(
        &cluster,
        json!({ "KubernetesListResourceNamespace": list("v1", "Pod", "shop", Some("kuma.io/mesh")) }),
    );
    assert_eq!(list["kind"], "PodList");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["items"][0].get("kind"), None);
    assert_eq!(list["items"][0].get("apiVersion"), None);
}

#[rstest]
#[case::all(None, &["a", "b"])]
#[case::other_meshes(Some("kuma.io/mesh!=blue"), &["b"])]
#[case::set(Some("kuma.io/mesh in (blue,green)"), &["a", "b"])]
#[case::none(Some("kuma.io/mesh notin (blue,green)"), &[])]
fn a_list_is_that_of_its_namespace_and_selector(
    #[case] selector: Option<&str>,
    #[case] names: &[&str],
) {
    assert_eq!(
        listed(&shop().handled(), list(KUMA, "Dataplane", "shop", selector)),
        names
    );
}

#[test]
fn a_list_of_everything_spans_namespaces() {
    let cluster = shop().handled();
    let list = ask(
        &cluster,
        json!({ "KubernetesListResourceAll": {"api_version": KUMA, "kind": "Dataplane"} }),
    );
    assert_eq!(list["items"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_namespace_that_does_not_exist_lists_nothing() {
    assert!(listed(&shop().handled(), list(KUMA, "Dataplane", "nowhere", None)).is_empty());
}

#[test]
fn a_watch_is_counted_once_for_each_namespace_selector_and_mask() {
    let cluster = Arc::new(shop().handled());
    let mut masked = list(KUMA, "Dataplane", "shop", Some("kuma.io/mesh!=blue"));
    masked["field_masks"] = json!(["mesh"]);
    let questions = [
        list(KUMA, "Dataplane", "shop", Some("kuma.io/mesh!=blue")),
        list(KUMA, "Dataplane", "shop", Some("kuma.io/mesh!=blue")),
        list(KUMA, "Dataplane", "other", Some("kuma.io/mesh!=blue")),
        masked,
        list(KUMA, "Unheard", "shop", None),
    ];
    let steps: Vec<Step> = questions
        .into_iter()
        .map(|question| {
            Step::Ask(
                "kubernetes",
                "list_resources_by_namespace",
                question.to_string(),
            )
        })
        .chain([Step::Answer(r#"{"accepted":true}"#.to_owned())])
        .collect();
    let evaluation = policy(&guest::guest(&steps))
        .evaluate(&request(), &no_settings(), cluster.clone())
        .expect("a guest that can be asked");
    assert_eq!(evaluation.lists(), 5);
    assert_eq!(evaluation.gets(), 0);
    // An unknown kind opens none.
    assert_eq!(evaluation.watches.len(), 3);
    assert_eq!(cluster.watches().len(), 3);
    assert_eq!(
        evaluation.calls[3]
            .question
            .as_ref()
            .and_then(Question::label_selector),
        Some("kuma.io/mesh!=blue")
    );
    assert_eq!(
        evaluation.calls[0].summary(),
        "list Dataplane shop kuma.io/mesh!=blue"
    );
}

#[test]
fn a_get_is_answered_from_memory_unless_told_otherwise_and_an_error_never_is() {
    let cluster = shop().handled();
    let mut fresh = get(KUMA, "Mesh", "blue", None);
    fresh["disable_cache"] = json!(true);
    let cached: Question =
        serde_json::from_value(json!({ "KubernetesGetResource": get(KUMA, "Mesh", "blue", None) }))
            .expect("a question");
    let fresh: Question =
        serde_json::from_value(json!({ "KubernetesGetResource": fresh })).expect("a question");
    let found = |question: &Question| matches!(cluster.ask(question).answer, Answer::Payload(_));
    assert!(cluster.server().delete(KUMA, "Mesh", "", "blue"));
    assert!(!found(&cached), "nothing was cached before");
    cluster.server().apply(mesh("blue")).expect("a mesh");
    assert!(found(&cached), "the error was not kept");
    assert!(cluster.server().delete(KUMA, "Mesh", "", "blue"));
    assert!(found(&cached));
    assert!(!found(&fresh));
}

#[rstest]
#[case::granted("list", "pods", true)]
#[case::denied("get", "pods", false)]
fn can_i(#[case] verb: &str, #[case] resource: &str, #[case] allowed: bool) {
    let cluster = shop().forbid("get", "v1", "Pod").handled();
    let question = json!({ "KubernetesCanI": {
        "request": {"user": "system:serviceaccount:kubewarden:policy-server", "groups": null,
                    "resource_attributes": {"verb": verb, "resource": resource, "namespace": "shop"}},
        "disable_cache": false,
    }});
    assert_eq!(ask(&cluster, question), json!({ "allowed": allowed }));
}

const POLICY_SERVER: &str = "system:serviceaccount:kubewarden:policy-server";

/// Whether `list` of Pods in `shop` is granted to a user with these groups.
fn may_list_pods(cluster: &ManifestCluster, user: &str, groups: &[&str]) -> bool {
    let question = json!({ "KubernetesCanI": {
        "request": {"user": user, "groups": groups,
                    "resource_attributes": {"verb": "list", "resource": "pods", "namespace": "shop"}},
        "disable_cache": true,
    }});
    ask(cluster, question)["allowed"] == true
}

/// A role that may get and list Pods and do this, and is bound to this subject.
fn bound_to(subject: Value, rule: Value) -> [Value; 2] {
    let rbac = "rbac.authorization.k8s.io";
    let version = format!("{rbac}/v1");
    [
        json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": "reader"},
               "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}, rule]}),
        json!({"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": "reader"},
               "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "reader"},
               "subjects": [subject]}),
    ]
}

#[rstest]
#[case::policy_server(POLICY_SERVER, &[], true)]
#[case::another("system:serviceaccount:kubewarden:other", &["system:serviceaccounts:kubewarden"], false)]
fn without_rbac_policy_server_may_do_everything_and_nobody_else_anything(
    #[case] user: &str,
    #[case] groups: &[&str],
    #[case] allowed: bool,
) {
    assert_eq!(may_list_pods(&shop().handled(), user, groups), allowed);
}

#[rstest]
#[case::by_the_group(POLICY_SERVER, &["system:serviceaccounts:kubewarden"], true)]
#[case::without_its_groups(POLICY_SERVER, &[], false)]
#[case::another_of_the_group("system:serviceaccount:kubewarden:other", &["system:serviceaccounts:kubewarden"], true)]
fn with_rbac_its_grants_are_those_of_the_manifests(
    #[case] user: &str,
    #[case] groups: &[&str],
    #[case] allowed: bool,
) {
    let group = json!({"kind": "Group", "name": "system:serviceaccounts:kubewarden"});
    let reviews = json!({"apiGroups": ["authorization.k8s.io"],
                         "resources": ["subjectaccessreviews"], "verbs": ["create"]});
    let cluster = Manifests::of(bound_to(group, reviews)).expect("manifests");
    let cluster = cluster.handled();
    assert_eq!(may_list_pods(&cluster, user, groups), allowed);
}

#[test]
fn with_rbac_policy_servers_own_questions_need_a_grant_too() {
    let account =
        json!({"kind": "ServiceAccount", "namespace": "kubewarden", "name": "policy-server"});
    let cluster = Manifests::of(bound_to(account, json!({}))).expect("manifests");
    let cluster = cluster.with_kuma().handled();
    let get = |api_version: &str, kind: &str| {
        let question =
            json!({ "KubernetesGetResource": get(api_version, kind, "x", Some("shop")) });
        let question: Question = serde_json::from_value(question).expect("a question");
        match cluster.ask(&question).answer {
            Answer::Failure(failure) => failure.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert!(get("v1", "Pod").starts_with("Cannot find v1/Pod named 'x'"));
    assert!(get(KUMA, "Dataplane").contains("is forbidden"));
    // Nor may it ask for anybody.
    let question = json!({ "KubernetesCanI": {
        "request": {"user": POLICY_SERVER, "groups": null,
                    "resource_attributes": {"verb": "list", "resource": "pods"}},
        "disable_cache": true,
    }});
    let question: Question = serde_json::from_value(question).expect("a question");
    assert!(
        matches!(cluster.ask(&question).answer, Answer::Failure(failure)
        if failure.to_string().contains("cannot create resource \"subjectaccessreviews\""))
    );
}

#[test]
fn another_user_can_be_policy_server() {
    let cluster = shop().with_policy_server("jane").handled();
    assert!(may_list_pods(&cluster, "jane", &[]));
    assert!(!may_list_pods(&cluster, POLICY_SERVER, &[]));
}

#[rstest]
#[case::granted(shop(), &["a", "b", "new"])]
#[case::not_granted(shop().forbid("watch", KUMA, "Dataplane"), &["a", "b"])]
fn without_watch_a_list_stays_as_it_was(#[case] cluster: Manifests, #[case] later: &[&str]) {
    let cluster = cluster.handled();
    let all = || listed(&cluster, list(KUMA, "Dataplane", "shop", None));
    assert_eq!(all(), ["a", "b"]);
    let new = dataplane("shop", "new", "blue");
    cluster.server().apply(new).expect("an object");
    assert_eq!(all(), later);
}

#[rstest]
#[case::get(false)]
#[case::fresh_get(true)]
fn a_held_cache_stops_what_asks_by_it(#[case] disable_cache: bool) {
    let cluster = shop().handled();
    cluster.hold_cache();
    let mut get = get("v1", "Pod", "web", Some("shop"));
    get["disable_cache"] = json!(disable_cache);
    let review = json!({
        "request": {"user": POLICY_SERVER, "groups": null,
                    "resource_attributes": {"verb": "list", "resource": "pods"}},
        "disable_cache": disable_cache,
    });
    for question in [
        json!({ "KubernetesGetResource": get }),
        json!({ "KubernetesCanI": review }),
    ] {
        let question: Question = serde_json::from_value(question).expect("a question");
        let hangs = cluster.ask(&question).answer == Answer::Hang;
        assert_eq!(hangs, !disable_cache, "{question:?}");
    }
    assert_eq!(listed(&cluster, list("v1", "Pod", "shop", None)).len(), 2);
}

#[test]
fn a_crd_alone_installs_its_kind() {
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.nothing.example"},
        "spec": {"group": "nothing.example", "scope": "Namespaced",
                 "names": {"kind": "Thing", "plural": "things"},
                 "versions": [{"name": "v1", "served": true, "storage": true}, {"name": "v0", "served": false}]},
    });
    let cluster = Manifests::of([crd]).expect("manifests").handled();
    assert!(listed(&cluster, list("nothing.example/v1", "Thing", "shop", None)).is_empty());
    assert!(
        cluster
            .server()
            .resource("nothing.example/v0", "Thing")
            .is_none()
    );
}

#[test]
fn one_of_kumas_objects_shows_that_kuma_is_installed() {
    let none = Manifests::of([pod("a", "b", json!({}))]).expect("manifests");
    assert!(none.resource(KUMA, "Mesh").is_none());
    let some = Manifests::of([dataplane("a", "b", "c")]).expect("manifests");
    assert!(
        some.resource(KUMA, "Mesh")
            .is_some_and(|mesh| !mesh.namespaced)
    );
}

#[test]
fn what_the_api_server_would_not_store_is_no_manifest() {
    let error = Manifests::of([pod("shop", "web", json!({"a": 1}))]).expect_err("a bad label");
    assert!(
        error
            .to_string()
            .starts_with("object 1: Pod: its metadata is not valid: "),
        "{error}"
    );
}
