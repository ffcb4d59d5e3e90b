//! Which requests the API server sends at all: matchConditions, in both directions. Under `Fail` and with
//! the policy server down, what is sent is refused, and what is not sent comes in.

use kuma_workload_testbed::{Program, Testbed, User};
use rstest::rstest;
use tokio::sync::OnceCell;

use crate::cluster::{
    self, accepts, alice, allows, apply, dataplane, denied, inject, plain_namespace, pod,
};

/// A Namespace without the key of Kuma's injection.
async fn without_the_key(testbed: &Testbed) -> String {
    let name = testbed.unique("plain");
    plain_namespace(testbed, &name).await;
    name
}

/// The marks of Pods that are proxies by what they say themselves.
const GATEWAY: &str = "annotations: {kuma.io/gateway: builtin}";
const INJECTED: &str = "annotations: {kuma.io/sidecar-injected: \"true\"}";
const NAMES_ITS_MESH: &str = "labels: {kuma.io/mesh: mesh2}";

/// A Dataplane of another mesh is there: a Pod with a mark is judged, where Kuma injects nothing.
#[rstest]
#[case::names_its_mesh(NAMES_ITS_MESH, "mesh2")]
#[case::injected("annotations: {kuma.io/sidecar-injected: \"yes\"}", "default")]
#[case::gateway(GATEWAY, "default")]
#[tokio::test]
async fn i4_strays_are_judged(#[case] mark: &str, #[case] mesh: &str) {
    let testbed = cluster::shared().await;
    let plain = without_the_key(testbed).await;
    dataplane(testbed, &plain, "there", "mesh1").await;
    let output = apply(testbed, &plain, &pod("web", mark)).await;
    let sentence = denied(
        "strays",
        &format!(
            "pod is in mesh \"{mesh}\" but namespace \"{plain}\" already contains dataplanes in mesh \"mesh1\""
        ),
    );
    assert!(output.stderr.contains(&sentence), "{output:?}");
}

/// A Pod that gets a mark later is judged then.
#[tokio::test]
async fn i4_a_pod_becomes_a_stray() {
    let testbed = cluster::shared().await;
    let plain = without_the_key(testbed).await;
    dataplane(testbed, &plain, "there", "mesh1").await;
    accepts(testbed, &plain, &pod("web", "")).await;
    let label = ["label", "pod", "web", "-n", &plain, "kuma.io/mesh=mesh2"];
    let output = alice(testbed, &label).await;
    assert!(
        output.stderr.contains(&denied("strays", "pod is in mesh")),
        "{output:?}"
    );
}

/// A cluster whose policy server is down for good, with Pods that were there before: `marked` and
/// `plain` in each of the Namespaces `with-key` and `without-key`.
async fn deserted() -> &'static Testbed {
    static DESERTED: OnceCell<(Testbed, Program)> = OnceCell::const_new();
    let (testbed, _) = DESERTED
        .get_or_init(|| async {
            let testbed = Testbed::start().unwrap();
            cluster::prepare(&testbed).await;
            for name in ["with-key", "without-key"] {
                plain_namespace(&testbed, name).await;
                let marked = pod(
                    "marked",
                    "annotations: {kuma.io/sidecar-injected: \"true\"}",
                );
                accepts(&testbed, name, &marked).await;
                accepts(&testbed, name, &pod("plain", "labels: {app: web}")).await;
            }
            inject(&testbed, "with-key").await;
            plain_namespace(&testbed, "labelled").await;
            let mut webhook = cluster::guard(&testbed).await;
            // Only what is refused shows that it was sent.
            fail_on_namespaces(&testbed).await;
            webhook.kill().await.unwrap();
            (testbed, webhook)
        })
        .await;
    testbed
}

/// *namespaces* is `Ignore`; here it is `Fail`.
async fn fail_on_namespaces(testbed: &Testbed) {
    let patch = [
        "patch",
        "validatingwebhookconfiguration",
        "clusterwide-kuma-workload-namespaces",
        "--type=json",
        r#"-p=[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"}]"#,
    ];
    let patched = testbed.kubectl(User::Admin, &patch, "").await;
    patched.unwrap().ok().unwrap();
}

/// What Alice is told where the policy server is down, and of which policy.
fn unanswered(policy: &str) -> String {
    format!("failed calling webhook \"clusterwide-kuma-workload-{policy}.kubewarden.admission\"")
}

/// Kuma's marks, and only these: such a Pod waits for the policy server.
#[rstest]
#[case::gateway(GATEWAY)]
#[case::injected(INJECTED)]
#[case::injected_by_another_word("annotations: {kuma.io/sidecar-injected: enabled}")]
#[case::names_its_mesh(NAMES_ITS_MESH)]
#[case::names_its_mesh_and_asks_for_injection(
    "labels: {kuma.io/mesh: mesh2, kuma.io/sidecar-injection: enabled}"
)]
#[case::injected_with_injection_off(
    "labels: {kuma.io/sidecar-injection: disabled}\n  annotations: {kuma.io/sidecar-injected: \"true\"}"
)]
#[tokio::test]
async fn i4_a_pod_with_a_mark_is_sent(#[case] mark: &str) {
    let testbed = deserted().await;
    let output = apply(testbed, "without-key", &pod("web", mark)).await;
    assert!(output.stderr.contains(&unanswered("strays")), "{output:?}");
}

/// No other Pod of the cluster waits for it.
#[rstest]
#[case::no_labels_and_annotations("")]
#[case::empty_maps("labels: {}\n  annotations: {}")]
#[case::null_maps("labels: null\n  annotations: null")]
#[case::labels_alone("labels: {app: web}")]
#[case::annotations_alone("annotations: {app: web}")]
#[case::the_bare_workload_label("labels: {kuma.io/workload: backend}")]
#[case::no_mesh("labels: {kuma.io/mesh: \"\"}")]
#[case::injection_off("labels: {kuma.io/mesh: mesh2, kuma.io/sidecar-injection: disabled}")]
#[case::injection_off_by_another_word(
    "labels: {kuma.io/mesh: mesh2, kuma.io/sidecar-injection: \"no\"}"
)]
#[case::another_gateway("annotations: {kuma.io/gateway: enabled}")]
#[case::not_injected("annotations: {kuma.io/sidecar-injected: \"false\"}")]
#[case::mesh_by_annotation("annotations: {kuma.io/mesh: mesh2}")]
#[tokio::test]
async fn i4_a_pod_without_a_mark_is_never_sent(#[case] metadata: &str) {
    let testbed = deserted().await;
    let name = testbed.unique("web");
    accepts(testbed, "without-key", &pod(&name, metadata)).await;
}

/// As large as etcd takes them: the conditions end in no error, which under `Fail` would refuse them.
#[rstest]
#[case::one_long_argument(json_pod("", &format!("[\"{}\"]", "x".repeat(1_450_000))))]
#[case::many_containers_could_not_matter(json_pod("", &format!("[{}\"x\"]", "\"x\",".repeat(180_000))))]
#[case::many_labels(json_pod(&many("labels", 8_500), "[]"))]
#[case::long_annotations(json_pod(
    &format!("\"annotations\": {{\"a\": \"{}\"}}", "x".repeat(260_000)), "[]"
))]
#[case::a_long_word(json_pod(
    &format!("\"annotations\": {{\"kuma.io/gateway\": \"{}\"}}", "x".repeat(260_000)), "[]"
))]
#[case::many_annotations(json_pod(&many("annotations", 1_500), "[]"))]
#[tokio::test]
async fn i4_the_largest_pods_start(#[case] manifest: String) {
    let testbed = deserted().await;
    let name = testbed.unique("large");
    let manifest = manifest.replace("NAME", &name);
    let create = ["create", "-n", "without-key", "-f", "-"];
    let created = testbed.kubectl(User::Alice, &create, &manifest).await;
    created.unwrap().ok().unwrap();
    // And an UPDATE that compares all of it: two of them are still less than a request may hold.
    let annotate = ["annotate", "pod", &name, "-n", "without-key", "touched=yes"];
    let annotated = alice(testbed, &annotate).await;
    // The object may have reached its largest size.
    let is_too_large = annotated.stderr.contains("must have at most 262144 bytes");
    assert!(annotated.success || is_too_large, "{annotated:?}");
}

/// A Pod's manifest with this in its metadata, and these arguments of its container.
fn json_pod(metadata: &str, args: &str) -> String {
    let comma = if metadata.is_empty() { "" } else { "," };
    format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {{\"name\": \"NAME\"{comma} {metadata}}},
        \"spec\": {{\"containers\": [{{\"name\": \"web\", \"image\": \"nginx\", \"args\": {args}}}]}}}}"
    )
}

/// A map with so many entries, with keys and values as long as labels may have them.
fn many(field: &str, count: usize) -> String {
    let entries: Vec<String> = (0..count)
        .map(|number| format!("\"{number:063}\": \"{number:063}\""))
        .collect();
    format!("\"{field}\": {{{}}}", entries.join(","))
}

/// An UPDATE that leaves labels and annotations alone makes nothing a proxy: it is not sent.
#[rstest]
#[case::pods("with-key", "marked")]
#[case::strays("without-key", "marked")]
#[tokio::test]
async fn a8_other_updates_are_not_sent(#[case] namespace: &str, #[case] name: &str) {
    let testbed = deserted().await;
    let image = ["set", "image", "pod", name, "-n", namespace, "web=nginx:2"];
    allows(testbed, &image).await;
    let finalizers = [
        "patch",
        "pod",
        name,
        "-n",
        namespace,
        "--type=merge",
        r#"-p={"metadata": {"finalizers": ["example.com/hold"]}}"#,
    ];
    allows(testbed, &finalizers).await;
}

/// An UPDATE that changes them is.
#[rstest]
#[case::label_of_a_pod("with-key", "plain", "label", "a=b", Some("pods"))]
#[case::annotation_of_a_pod("with-key", "plain", "annotate", "a=b", Some("pods"))]
#[case::label_that_goes("with-key", "plain", "label", "app-", Some("pods"))]
#[case::label_of_a_stray("without-key", "marked", "label", "a=b", Some("strays"))]
#[case::annotation_of_a_stray("without-key", "marked", "annotate", "a=b", Some("strays"))]
#[case::becomes_a_stray("without-key", "plain", "label", "kuma.io/mesh=mesh2", Some("strays"))]
#[case::no_mark("without-key", "plain", "label", "a=b", None)]
#[tokio::test]
async fn a8_updates_of_labels_and_annotations(
    #[case] namespace: &str,
    #[case] name: &str,
    #[case] verb: &str,
    #[case] change: &str,
    #[case] sent_to: Option<&str>,
) {
    let testbed = deserted().await;
    let output = alice(testbed, &[verb, "pod", name, "-n", namespace, change]).await;
    match sent_to {
        Some(policy) => assert!(output.stderr.contains(&unanswered(policy)), "{output:?}"),
        None => assert!(output.success, "{output:?}"),
    }
}

/// Whether a Namespace is sent: when it says, or changes, something of Kuma.
#[rstest]
#[case::plain("", false)]
#[case::other_labels("labels: {team: a}, annotations: {note: b}", false)]
#[case::mesh("labels: {kuma.io/mesh: mesh1}", true)]
#[case::mesh_by_annotation("annotations: {kuma.io/mesh: mesh1}", true)]
#[case::injection("labels: {kuma.io/sidecar-injection: enabled}", true)]
#[tokio::test]
async fn a12_new_namespaces(#[case] metadata: &str, #[case] is_sent: bool) {
    let testbed = deserted().await;
    let name = testbed.unique("new");
    let manifest =
        format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, {metadata}}}}}");
    let create = ["create", "-f", "-"];
    let output = testbed.kubectl(User::Alice, &create, &manifest).await;
    let output = output.unwrap();
    assert_eq!(
        output.stderr.contains(&unanswered("namespaces")),
        is_sent,
        "{output:?}"
    );
    assert_eq!(output.success, !is_sent, "{output:?}");
}

#[rstest]
#[case::label(&["label", "namespace", "labelled", "team=a"], false)]
#[case::annotation(&["annotate", "namespace", "labelled", "note=b"], false)]
#[case::the_key_comes(&["label", "namespace", "labelled", "kuma.io/sidecar-injection=enabled"], true)]
#[case::the_key_goes(&["label", "namespace", "with-key", "kuma.io/sidecar-injection-"], true)]
#[case::the_key_changes(
    &["label", "namespace", "with-key", "kuma.io/sidecar-injection=disabled", "--overwrite"], true
)]
#[case::the_mesh_comes(&["label", "namespace", "with-key", "kuma.io/mesh=mesh1"], true)]
#[case::the_mesh_comes_by_annotation(
    &["annotate", "namespace", "labelled", "kuma.io/mesh=mesh1"], true
)]
#[tokio::test]
async fn a12_a21_changes_of_namespaces(#[case] change: &[&str], #[case] is_sent: bool) {
    let testbed = deserted().await;
    let output = alice(testbed, change).await;
    assert_eq!(
        output.stderr.contains(&unanswered("namespaces")),
        is_sent,
        "{output:?}"
    );
    assert_eq!(output.success, !is_sent, "{output:?}");
}
