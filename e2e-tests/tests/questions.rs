//! What the policy asks of the cluster, and what becomes of it: whatever is granted or not, a clear
//! verdict at once (A13), no wait for the policy server's cache, and no watch for an invented name.
//!
//! The policy is the annotated module that `KUMA_WORKLOAD_POLICY_WASM` names, by default
//! `annotated-policy.wasm` in the root of the project.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

use std::{
    env,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kuma_workload_host::{
    AdmissionRequest, Answer, Backend, CallOutcome, Evaluation, Failure, Policy, Question, Reply,
    Settings,
    cluster::{ManifestCluster, Manifests},
};
use rstest::rstest;
use serde_json::{Value, json};

/// The policy, compiled once for all tests.
fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(|| {
        let path = env::var_os("KUMA_WORKLOAD_POLICY_WASM").map_or_else(
            || {
                PathBuf::from(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../annotated-policy.wasm"
                ))
            },
            PathBuf::from,
        );
        Policy::load(&path).expect("a policy; `make test` builds it first")
    })
}

const KUMA: &str = "kuma.io/v1alpha1";
const RBAC: &str = "rbac.authorization.k8s.io";
const POLICY_SERVER: &str = "system:serviceaccount:kubewarden:policy-server";

/// How long a clear verdict may take, where the time limit is two seconds.
const AT_ONCE: Duration = Duration::from_secs(1);

fn settings(more: Value) -> Settings {
    let mut settings = json!({
        "disallowMultipleMeshesPerNamespace": true,
        "alreadySplit": "warn",
        "policyServerUser": POLICY_SERVER,
    });
    for (name, value) in more.as_object().expect("a map") {
        settings[name] = value.clone();
    }
    Settings::from_value(settings).expect("an object")
}

/// Mesh `blue` and `green`, and Namespace `team`, which is injected and in mesh `blue`, with a
/// Dataplane of it.
fn objects() -> Vec<Value> {
    let labels = json!({"kuma.io/mesh": "blue", "kuma.io/sidecar-injection": "enabled"});
    vec![
        json!({"apiVersion": KUMA, "kind": "Mesh", "metadata": {"name": "blue"}}),
        json!({"apiVersion": KUMA, "kind": "Mesh", "metadata": {"name": "green"}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", "labels": labels}}),
        dataplane("db-0", "blue"),
    ]
}

fn dataplane(name: &str, mesh: &str) -> Value {
    json!({"apiVersion": KUMA, "kind": "Dataplane", "mesh": mesh,
           "metadata": {"name": name, "namespace": "team", "labels": {"kuma.io/mesh": mesh}}})
}

fn request(kind: (&str, &str), name: &str, object: Value) -> AdmissionRequest {
    let (group, kind) = kind;
    serde_json::from_value(json!({
        "uid": "5c1ba4c1-2b0f-4f0e-9d5e-0f1f6f9d1c11",
        "kind": {"group": group, "version": "v1", "kind": kind},
        "resource": {"group": group, "version": "v1", "resource": "any"},
        "name": name,
        "namespace": "team",
        "operation": "CREATE",
        "userInfo": {"username": "jane"},
        "object": object,
    }))
    .expect("a request")
}

/// A Pod with these labels, to be created.
fn pod(labels: Value) -> AdmissionRequest {
    let object = json!({"metadata": {"name": "web-0", "labels": labels}});
    request(("", "Pod"), "web-0", object)
}

fn evaluate(
    request: &AdmissionRequest,
    settings: &Settings,
    cluster: Arc<dyn Backend>,
) -> Evaluation {
    let evaluation = policy().evaluate(request, settings, cluster);
    evaluation.expect("a verdict")
}

// --- Every combination of grants

/// What can be granted: a verb on a resource of a group.
const GRANTS: [(&str, &str, &str); 13] = [
    ("get", "", "namespaces"),
    ("list", "", "namespaces"),
    ("watch", "", "namespaces"),
    ("get", "", "pods"),
    ("list", "", "pods"),
    ("watch", "", "pods"),
    ("get", "kuma.io", "meshes"),
    ("list", "kuma.io", "meshes"),
    ("watch", "kuma.io", "meshes"),
    ("get", "kuma.io", "dataplanes"),
    ("list", "kuma.io", "dataplanes"),
    ("watch", "kuma.io", "dataplanes"),
    ("create", "authorization.k8s.io", "subjectaccessreviews"),
];

/// A combination: one bit for each of [`GRANTS`].
#[derive(Clone, Copy, Debug)]
struct Granted(u16);

impl Granted {
    /// All combinations.
    fn all() -> impl Iterator<Item = Self> {
        (0..1 << GRANTS.len()).map(Self)
    }

    fn to(self, verb: &str, resource: &str) -> bool {
        let position = GRANTS
            .iter()
            .position(|grant| grant.0 == verb && grant.2 == resource);
        self.0 & (1 << position.expect("a grant of the table")) != 0
    }

    /// A role with these grants, bound to this subject.
    fn bound_to(self, subject: &Value) -> [Value; 2] {
        let version = format!("{RBAC}/v1");
        let granted = GRANTS
            .iter()
            .filter(|(verb, _, resource)| self.to(verb, resource));
        let rules: Vec<Value> = granted
            .map(|(verb, group, resource)| {
                json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]})
            })
            .collect();
        [
            json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": rules}),
            json!({"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": "r"},
                   "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "r"},
                   "subjects": [subject]}),
        ]
    }
}

/// What becomes of a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Accepted,
    SecondMesh,
    /// A 500 with this sentence.
    NotGranted(String),
    /// No verdict, for as long as the grant is missing.
    Hangs,
}

/// Answers at once where nothing would ever be answered, and remembers that.
struct Impatient {
    cluster: Arc<ManifestCluster>,
    hung: AtomicBool,
}

impl Backend for Impatient {
    fn ask(&self, question: &Question) -> Reply {
        let reply = self.cluster.ask(question);
        if reply.answer != Answer::Hang {
            return reply;
        }
        self.hung.store(true, Ordering::SeqCst);
        Reply::failure(Failure::new("no answer"))
    }
}

fn outcome(cluster: &Arc<ManifestCluster>, settings: &Settings) -> Outcome {
    let backend = Arc::new(Impatient {
        cluster: cluster.clone(),
        hung: AtomicBool::new(false),
    });
    let evaluation = evaluate(&pod(json!({})), settings, backend.clone());
    assert!(evaluation.elapsed < AT_ONCE, "{:?}", evaluation.elapsed);
    if backend.hung.load(Ordering::SeqCst) {
        return Outcome::Hangs;
    }
    let message = evaluation.response.message().unwrap_or_default();
    match evaluation.response.code() {
        None => Outcome::Accepted,
        Some(403) => Outcome::SecondMesh,
        _ => Outcome::NotGranted(
            message
                .strip_prefix("the mesh rule cannot be checked: ")
                .expect("the sentence of A13")
                .to_owned(),
        ),
    }
}

/// What must become of the Pod, step by step. `has_second_mesh`: the lists show a Dataplane of
/// another mesh.
fn expected(
    grants: &str,
    granted: Granted,
    asked_user: Option<&str>,
    has_second_mesh: bool,
) -> Outcome {
    let unread = |resource: &str| {
        Outcome::NotGranted(format!(
            "the policy is not granted get, list and watch of {resource} to the policy server's \
             ServiceAccount"
        ))
    };
    if !granted.to("get", "namespaces") {
        return unread("namespaces");
    }
    let sees_meshes = match grants {
        "assume" if !granted.to("list", "meshes") => return Outcome::Hangs,
        "assume" => true,
        _ => granted.to("get", "meshes"),
    };
    if !sees_meshes {
        return unread("meshes.kuma.io");
    }
    for (resource, named) in [("dataplanes", "dataplanes.kuma.io"), ("pods", "pods")] {
        match grants {
            "probe" if !granted.to("get", resource) => return unread(named),
            "ask" => {
                if !granted.to("create", "subjectaccessreviews") {
                    let sentence = "the policy server may not create subjectaccessreviews";
                    return Outcome::NotGranted(sentence.to_owned());
                }
                for verb in ["list", "watch"] {
                    if asked_user != Some(POLICY_SERVER) || !granted.to(verb, resource) {
                        let user = asked_user.unwrap_or_default();
                        return Outcome::NotGranted(format!(
                            "the policy is not granted {verb} of {named} to \"{user}\" (setting \
                             policyServerUser)"
                        ));
                    }
                }
            }
            _ => {}
        }
        if !granted.to("list", resource) {
            return Outcome::Hangs;
        }
        if resource == "dataplanes" && has_second_mesh {
            return Outcome::SecondMesh;
        }
    }
    Outcome::Accepted
}

const OTHER: &str = "system:serviceaccount:kubewarden:other";

/// Each case is one way to prove a grant; all 8,192 combinations are tried in it.
#[rstest]
#[case::probe("probe", None, false)]
#[case::assume("assume", None, false)]
#[case::ask_for_the_right_user("ask", Some(POLICY_SERVER), false)]
#[case::ask_for_the_right_user_bound_by_its_group("ask", Some(POLICY_SERVER), true)]
#[case::ask_for_another_user("ask", Some(OTHER), false)]
fn a13_every_combination_of_grants(
    #[case] grants: &str,
    #[case] asked_user: Option<&str>,
    #[case] by_group: bool,
) {
    let settings = settings(json!({
        "grants": grants, "policyServerUser": asked_user.unwrap_or(POLICY_SERVER),
        "alreadySplit": "deny",
    }));
    let subject = match by_group {
        true => json!({"kind": "Group", "name": "system:serviceaccounts:kubewarden"}),
        false => {
            json!({"kind": "ServiceAccount", "namespace": "kubewarden", "name": "policy-server"})
        }
    };
    for granted in Granted::all() {
        let objects = objects().into_iter().chain(granted.bound_to(&subject));
        let cluster = Manifests::of(objects).expect("manifests");
        let cluster = Arc::new(cluster.with_kuma().handled());
        let first = outcome(&cluster, &settings);
        assert_eq!(
            first,
            expected(grants, granted, asked_user, false),
            "{granted:?}"
        );
        if first == Outcome::Accepted {
            let second_mesh = dataplane("api-0", "green");
            cluster.server().apply(second_mesh).expect("an object");
            // Without watch the host goes on with its old list. `ask` has found that out before.
            let is_seen = granted.to("watch", "dataplanes");
            assert!(is_seen || grants != "ask", "a stale answer: {granted:?}");
            assert_eq!(
                outcome(&cluster, &settings),
                expected(grants, granted, asked_user, is_seen),
                "{granted:?}"
            );
        }
        assert!(grants != "ask" || first != Outcome::Hangs, "{granted:?}");
    }
}

/// What the other two cannot see, in one sentence each.
#[rstest]
#[case::probe_sees_a_missing_get("probe", &["get"], false)]
#[case::probe_does_not_see_a_missing_list("probe", &["list"], true)]
#[case::assume_needs_no_get("assume", &["get"], false)]
#[case::assume_does_not_see_a_missing_list("assume", &["list"], true)]
#[case::ask_sees_a_missing_list("ask", &["list"], false)]
fn a13_what_hangs_where_dataplanes_are_not_granted(
    #[case] grants: &str,
    #[case] missing: &[&str],
    #[case] hangs: bool,
) {
    let mut cluster = Manifests::of(objects()).expect("manifests");
    for verb in missing {
        cluster = cluster.forbid(verb, KUMA, "Dataplane");
    }
    let outcome = outcome(
        &Arc::new(cluster.handled()),
        &settings(json!({"grants": grants})),
    );
    assert_eq!(outcome == Outcome::Hangs, hangs, "{outcome:?}");
}

// --- The cache of the policy server

/// A request that got no answer holds the cache, and nothing of ours waits for it.
#[rstest]
fn a13_no_question_waits_for_the_cache(
    #[values("probe", "ask", "assume")] grants: &str,
    #[values("observed", "declared")] namespace_mesh: &str,
    #[values("blue", "green", "invented")] mesh: &str,
    #[values(true, false)] injected_by_its_namespace: bool,
) {
    let settings = settings(json!({"grants": grants, "namespaceMesh": namespace_mesh}));
    let labels = match injected_by_its_namespace {
        true => json!({}),
        false => json!({"kuma.io/mesh": mesh}),
    };
    let evaluated = |is_held: bool| {
        let cluster = Arc::new(Manifests::of(objects()).expect("manifests").handled());
        if is_held {
            cluster.hold_cache();
        }
        evaluate(&pod(labels.clone()), &settings, cluster)
    };
    let (free, held) = (evaluated(false), evaluated(true));
    assert_eq!(held.response, free.response);
    assert!(held.elapsed < AT_ONCE, "{:?}", held.elapsed);
    assert!(!held.calls.is_empty());
    for call in &held.calls {
        assert_ne!(call.outcome, CallOutcome::Hung, "{}", call.summary());
    }
}

// --- Watches

/// Users invent a hundred names, in all ways: no name opens a watch.
#[rstest]
#[case::probe("probe", &[])]
#[case::ask("ask", &[])]
#[case::assume("assume", &["Mesh"])]
fn a16_a_hundred_invented_names_open_no_watch_of_their_own(
    #[case] grants: &str,
    #[case] once: &[&str],
    #[values("deny", "warn")] already_split: &str,
) {
    let settings = settings(json!({"grants": grants, "alreadySplit": already_split}));
    let cluster = Arc::new(Manifests::of(objects()).expect("manifests").handled());
    for number in 0..100 {
        let mesh = format!("invented-{number}");
        let labels = json!({"kuma.io/mesh": mesh});
        let zone_proxy = json!({"kuma.io/mesh": mesh, "k8s.kuma.io/zone-proxy-type": "ingress"});
        let template = json!({"metadata": {"labels": labels}});
        let deployment = json!({"metadata": {"name": "web"}, "spec": {"template": template}});
        let mut updated = pod(labels.clone());
        updated.operation = "UPDATE".to_owned();
        updated.old_object = Some(json!({"metadata": {"name": "web-0"}}));
        let mut namespace = request(
            ("", "Namespace"),
            "team",
            json!({"metadata": {"name": "team", "labels": labels}}),
        );
        namespace.operation = "UPDATE".to_owned();
        namespace.old_object = Some(json!({"metadata": {"name": "team"}}));

        let code = |request: &AdmissionRequest| {
            evaluate(request, &settings, cluster.clone())
                .response
                .code()
        };
        assert_eq!(code(&pod(labels.clone())), Some(403));
        assert_eq!(code(&updated), Some(403));
        assert_eq!(code(&pod(zone_proxy)), Some(403), "team is in mesh blue");
        assert_eq!(
            code(&request(("apps", "Deployment"), "web", deployment)),
            None
        );
        assert_eq!(code(&namespace), Some(403));
    }
    let watches = cluster.watches();
    let mut kinds: Vec<&str> = watches
        .iter()
        .filter_map(|watch| watch.split('|').nth(1))
        .collect();
    // Dataplanes before Pods, and Pods only to see whether the Namespace is split already.
    let mut expected = vec!["Dataplane"];
    expected.extend(once);
    if already_split == "warn" {
        expected.push("Pod");
    }
    kinds.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kinds, expected);
}
