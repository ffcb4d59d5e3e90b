//! Documents as people have them, and what is made of them.

use proptest::prelude::*;
use rstest::rstest;

mod words;

use crate::{
    Found, Options, Report,
    read::{Document, Fault},
};

fn document<'d>(name: &str, text: &'d str) -> Document<'d> {
    Document {
        name: name.into(),
        bytes: text.as_bytes().into(),
    }
}

fn plan(text: &str) -> Report {
    crate::plan([document("system.yml", text)], &Options::default())
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

/// `namespace/workload action` of each Workload.
fn actions(report: &Report) -> Vec<String> {
    let workloads = report.workloads.iter();
    workloads
        .map(|one| format!("{}/{} {}", one.namespace, one.name, one.action))
        .collect()
}

/// An object that lacks or misspells what it is, and is told so: message, and remedy.
#[rstest]
#[case::kind_in_capitals(
    "apiVersion: v1\nKind: Pod\nmetadata: {name: a}",
    "object \"a\" is not read: it has no kind, but a key \"Kind\"",
    "did you mean kind?"
)]
#[case::api_version_in_small_letters(
    "apiversion: v1\nkind: Pod\nmetadata: {name: a}",
    "Pod \"a\" is not read: it has no apiVersion, but a key \"apiversion\"",
    "did you mean apiVersion?"
)]
#[case::letters_that_changed_places(
    "apiVerison: v1\nkind: ConfigMap\nmetadata: {name: a}",
    "ConfigMap \"a\" is not read: it has no apiVersion, but a key \"apiVerison\"",
    "did you mean apiVersion?"
)]
#[case::both_keys(
    "apiversion: v1\nKind: Pod\nmetadata: {name: a}",
    "object \"a\" is not read: it has neither apiVersion nor kind, but keys \"apiversion\" and \"Kind\"",
    "did you mean apiVersion and kind?"
)]
#[case::no_api_version(
    "kind: Deployment\nmetadata: {name: a}",
    "Deployment \"a\" is not read: it has no apiVersion",
    "did you mean apiVersion: apps/v1?"
)]
#[case::nothing_but_the_kind(
    "kind: CronJob",
    "a CronJob is not read: it has no apiVersion",
    "did you mean apiVersion: batch/v1?"
)]
#[case::no_api_version_of_another_kind(
    "kind: Service\nmetadata: {name: a}",
    "Service \"a\" is not read: it has no apiVersion",
    "give it its apiVersion"
)]
#[case::no_kind(
    "apiVersion: v1\nmetadata: {name: a}",
    "object \"a\" is not read: it has no kind",
    "give it its kind"
)]
#[case::empty_kind(
    "apiVersion: v1\nkind: ''\nspec: {}",
    "an object is not read: it has no kind",
    "give it its kind"
)]
#[case::kind_of_another_type(
    "apiVersion: v1\nkind: [Pod]\nmetadata: {name: a}",
    "object \"a\" is not read: its kind must be a string, not a list",
    "correct its kind"
)]
#[case::small_letters(
    "apiVersion: v1\nkind: pod\nmetadata: {name: a}",
    "pod \"a\" is not read: its kind \"pod\" is none that is known",
    "did you mean kind: Pod?"
)]
#[case::typing_error(
    "apiVersion: v1\nkind: Pdo\nmetadata: {name: a}",
    "Pdo \"a\" is not read: its kind \"Pdo\" is none that is known",
    "did you mean kind: Pod?"
)]
#[case::plural(
    "apiVersion: apps/v1\nkind: Deployments\nmetadata: {name: a}",
    "Deployments \"a\" is not read: its kind \"Deployments\" is none that is known",
    "did you mean kind: Deployment?"
)]
#[case::kind_and_version(
    "apiVersion: v1\nkind: deployment\nmetadata: {name: a}",
    "deployment \"a\" is not read: its kind \"deployment\" is none that is known",
    "did you mean kind: Deployment of apiVersion: apps/v1?"
)]
#[case::kuma(
    "apiVersion: kuma.io/v1alpha1\nkind: DataPlane\nmetadata: {name: a}",
    "DataPlane \"a\" is not read: its kind \"DataPlane\" is none that is known",
    "did you mean kind: Dataplane?"
)]
#[case::no_such_version(
    "apiVersion: apps/v2\nkind: Deployment\nmetadata: {name: a}",
    "Deployment \"a\" is not read: there is no Deployment of apiVersion \"apps/v2\"",
    "did you mean apiVersion: apps/v1?"
)]
#[case::old_version(
    "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}",
    "Deployment \"a\" is not read: there is no Deployment of apiVersion \"extensions/v1beta1\"",
    "did you mean apiVersion: apps/v1?"
)]
#[case::version_alone(
    "apiVersion: v1beta1\nkind: CronJob\nmetadata: {name: a}",
    "CronJob \"a\" is not read: there is no CronJob of apiVersion \"v1beta1\"",
    "did you mean apiVersion: batch/v1?"
)]
#[case::another_group(
    "apiVersion: v1\nkind: Deployment\nmetadata: {name: a}",
    "Deployment \"a\" is not read: there is no Deployment of apiVersion \"v1\"",
    "did you mean apiVersion: apps/v1?"
)]
#[case::typing_error_in_kuma(
    "apiVersion: kuma.oi/v1alpha1\nkind: Mesh\nmetadata: {name: a}",
    "Mesh \"a\" is not read: there is no Mesh of apiVersion \"kuma.oi/v1alpha1\"",
    "did you mean apiVersion: kuma.io/v1alpha1?"
)]
#[case::list(
    "apiVersion: v1\nkind: list\nitems: []",
    "a list is not read: its kind \"list\" is none that is known",
    "did you mean kind: List?"
)]
#[case::universal(
    "type: dataplane\nname: a",
    "dataplane \"a\" is not read: its type \"dataplane\" is none that is known",
    "did you mean type: Dataplane?"
)]
#[case::universal_typing_error(
    "type: MeshIdentiy\nname: a",
    "MeshIdentiy \"a\" is not read: its type \"MeshIdentiy\" is none that is known",
    "did you mean type: MeshIdentity?"
)]
#[case::universal_key(
    "Type: Dataplane\nname: a",
    "object \"a\" is not read: it has no type, but a key \"Type\"",
    "did you mean type?"
)]
#[case::type_in_the_place_of_the_kind(
    "apiVersion: kuma.io/v1alpha1\ntype: Dataplane\nname: a",
    "Dataplane \"a\" is not read: it has no kind",
    "did you mean kind: Dataplane?"
)]
#[case::kind_in_the_place_of_the_type(
    "kind: Dataplane\nname: a\nmesh: default",
    "Dataplane \"a\" is not read: it has no apiVersion",
    "did you mean type: Dataplane?"
)]
#[case::in_a_list(
    "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pods, metadata: {name: a}}]",
    "Pods \"a\" is not read: its kind \"Pods\" is none that is known",
    "did you mean kind: Pod?"
)]
#[case::no_name_to_show(
    "apiVersion: v1\nkind: \"p\\u0007d\"",
    "an object is not read: its kind \"p\u{fffd}d\" is none that is known",
    "did you mean kind: Pod?"
)]
fn what_is_nearly_an_object_is_told(
    #[case] yaml: &str,
    #[case] message: &str,
    #[case] remedy: &str,
) {
    let report = plan(yaml);
    assert_eq!(report.faults, []);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|one| (one.code, &*one.message, &*one.remedy))
        .collect();
    assert_eq!(told, [("unknown-object", message, remedy)]);
    assert_eq!(report.summary.objects, 0);
}

#[test]
fn what_is_nearly_an_object_is_told_where_it_stands() {
    let yaml = "a: 1\n---\napiVersion: v1\nkind: Pdo\nmetadata: {name: a}\n";
    let place = plan(yaml).findings.remove(0).place.unwrap();
    assert_eq!(place.to_string(), "system.yml:4:7");
}

/// Other people's objects and files are no mistakes of ours.
#[rstest]
#[case::helm_chart("apiVersion: v2\nname: web\nversion: 1.0.0\ntype: application")]
#[case::kueue("apiVersion: kueue.x-k8s.io/v1beta1\nkind: Workload\nmetadata: {name: a}")]
#[case::volcano("apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nmetadata: {name: a}")]
#[case::app_mesh("apiVersion: appmesh.k8s.aws/v1beta2\nkind: Mesh\nmetadata: {name: a}")]
#[case::metrics("apiVersion: metrics.k8s.io/v1beta1\nkind: PodMetrics\nmetadata: {name: a}")]
#[case::core("apiVersion: v1\nkind: Node\nmetadata: {name: a}")]
#[case::of_kuma("apiVersion: kuma.io/v1alpha1\nkind: MeshTimeout\nmetadata: {name: a}")]
#[case::of_universal("type: MeshTimeout\nname: a\nmesh: default")]
#[case::kubeconfig("apiVersion: v1\nkind: Config\nclusters: []")]
#[case::grafana("apiVersion: 1\ndatasources: []")]
#[case::json_schema("type: object\nproperties: {name: {type: string}}")]
#[case::package_json("name: web\ntype: module")]
#[case::kind_of_no_object("kind: pods\nlevel: 3")]
#[case::long(&format!("apiVersion: v1\nkind: {}", "Pod".repeat(10_000)))]
fn other_peoples_objects_are_skipped(#[case] yaml: &str) {
    let report = plan(yaml);
    assert_eq!(report.faults, []);
    assert_eq!(codes(&report), ["nothing-planned"]);
    assert_eq!((report.summary.objects, report.summary.skipped), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever else stands in an object of a kind that does not matter, it stops nothing.
    #[test]
    fn a_skipped_object_may_be_as_odd_as_it_likes(
        kind in prop::sample::select(&["ConfigMap", "FooList", "DataplaneInsight"][..]),
        field in prop::sample::select(&["metadata", "spec", "status", "template", "items", "object"][..]),
        value in prop::sample::select(&[
            "7", "[]", "[[7]]", "[null, x]", "x", "true", "{name: [x]}", "{labels: [x]}", "{template: 7}", "null",
            "{ownerReferences: {}}", "{name: 7, labels: {a: 1}}", "{template: {spec: {containers: 1}}}",
        ][..]),
    ) {
        let group = if kind == "DataplaneInsight" { "kuma.io/v1alpha1" } else { "example.org/v1" };
        let report = plan(&format!("apiVersion: {group}\nkind: {kind}\n{field}: {value}\n"));
        prop_assert_eq!(report.faults, []);
        prop_assert_eq!(report.summary.objects, 0);
    }
}

const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: a}}";

/// Each of these holds so many objects.
#[rstest]
#[case::list(&format!("apiVersion: v1\nkind: List\nitems: [{POD}]"), 1)]
#[case::list_of_nothing("apiVersion: v1\nkind: List\nitems: []", 0)]
#[case::list_of_null("apiVersion: v1\nkind: List\nitems: null", 0)]
#[case::list_without_items("apiVersion: v1\nkind: List", 0)]
#[case::typed("apiVersion: v1\nkind: PodList\nitems: [{metadata: {name: a}}]", 1)]
#[case::typed_and_said_again(&format!("apiVersion: v1\nkind: PodList\nitems: [{POD}]"), 1)]
#[case::typed_of_kuma(
    "apiVersion: kuma.io/v1alpha1\nkind: DataplaneList\nitems: [{metadata: {name: a}}]",
    1
)]
#[case::typed_of_null("apiVersion: v1\nkind: PodList\nitems: null", 0)]
#[case::null_items(
    "apiVersion: v1\nkind: PodList\nitems: [null, {metadata: {name: a}}]",
    1
)]
#[case::nested(&format!("kind: List\nitems: [{{apiVersion: v1, kind: List, items: [{POD}]}}]"), 1)]
#[case::typed_in_untyped(
    "kind: List\nitems: [{apiVersion: v1, kind: PodList, items: [{metadata: {name: a}}]}]",
    1
)]
#[case::without_a_kind(&format!("items: [{POD}]"), 1)]
#[case::of_kumactl("total: 1\nitems: [{type: Dataplane, name: d}]\nnext: null", 1)]
#[case::of_kumactl_and_empty("total: 0\nitems: []\nnext: null", 0)]
#[case::of_kumactl_and_null("total: 0\nitems: null\nnext: null", 0)]
#[case::array(&format!("[{POD}, [{POD}]]"), 2)]
#[case::event(&format!("type: ADDED\nobject: {POD}"), 1)]
#[case::events_of_lists(&format!("type: ADDED\nobject: {{kind: List, apiVersion: v1, items: [{POD}]}}"), 1)]
#[case::array_of_events(&format!("[{{type: ADDED, object: {POD}}}, {{type: BOOKMARK, object: {POD}}}]"), 1)]
fn objects_are_unwrapped(#[case] yaml: &str, #[case] objects: usize) {
    let found = Found::in_document(&document("system.yml", yaml), &Options::default());
    assert_eq!((found.faults, found.findings), (vec![], vec![]));
    assert_eq!(found.objects.len(), objects);
    assert!(found.documents > 0);
}

#[rstest]
#[case::items(
    "apiVersion: v1\nkind: List\nitems: {}",
    "system.yml:3:8: List: items must be a list, not a map"
)]
#[case::item(
    "apiVersion: v1\nkind: List\nitems: [7]",
    "system.yml:3:9: this is a number; a Kubernetes object or Universal document is a map"
)]
#[case::typed_item(
    "apiVersion: v1\nkind: PodList\nitems: [7]",
    "system.yml:3:9: this is a number; a Kubernetes object or Universal document is a map"
)]
fn an_odd_list_is_told(#[case] yaml: &str, #[case] expected: &str) {
    let said: Vec<_> = plan(yaml).faults.iter().map(Fault::to_string).collect();
    assert_eq!(said, [expected]);
}

fn event(change: &str, mesh: &str) -> String {
    format!(
        "{{\"type\": \"{change}\", \"object\": {{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": \
         {{\"name\": \"a\", \"labels\": {{\"kuma.io/mesh\": \"{mesh}\"}}}}}}}}\n"
    )
}

#[rstest]
#[case::comes(&[("ADDED", "m")], Some("m"))]
#[case::changes(&[("ADDED", "m"), ("MODIFIED", "n")], Some("n"))]
#[case::goes(&[("ADDED", "m"), ("DELETED", "m")], None)]
#[case::comes_again(&[("ADDED", "m"), ("DELETED", "m"), ("ADDED", "n")], Some("n"))]
#[case::was_never_seen(&[("DELETED", "m")], None)]
fn a_watch_tells_of_the_same_object_again_and_again(
    #[case] events: &[(&str, &str)],
    #[case] mesh: Option<&str>,
) {
    let text: String = events
        .iter()
        .map(|(change, mesh)| event(change, mesh))
        .collect();
    let report = crate::plan([document("watch.json", &text)], &Options::default());
    let meshes: Vec<_> = report
        .pods
        .iter()
        .map(|pod| &*pod.mesh.as_ref().unwrap().name)
        .collect();
    assert_eq!(meshes, Vec::from_iter(mesh));
    assert_eq!(report.summary.objects, usize::from(mesh.is_some()));
    assert!(!codes(&report).contains(&"duplicate"));
}

#[test]
fn a_watch_that_broke_off_is_told() {
    let yaml = "type: ERROR\nobject: {kind: Status, apiVersion: v1, code: 410, reason: Expired, message: too old}";
    let report = plan(yaml);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|one| (one.code, &*one.message))
        .collect();
    let message =
        "the watch broke off here with an error (\"Expired\"): what came later was not seen";
    assert_eq!(told, [("unread", message)]);
}

#[test]
fn skipped_kinds_are_counted_by_their_names() {
    let report = plan(
        "[{apiVersion: v1, kind: Secret}, {apiVersion: apps/v1, kind: ControllerRevision}, {type: Zone},\n\
         {apiVersion: v1, kind: ConfigMap}, {apiVersion: v1, kind: Secret}, {a: 1}, {kind: Other}]",
    );
    let kinds: Vec<_> = report
        .skipped_kinds
        .iter()
        .map(|one| (one.api_version.as_deref(), one.kind.as_deref(), one.count))
        .collect();
    let expected = [
        (None, None, 1),
        (None, Some("Other"), 1),
        (None, Some("Zone"), 1),
        (Some("apps/v1"), Some("ControllerRevision"), 1),
        (Some("v1"), Some("ConfigMap"), 1),
        (Some("v1"), Some("Secret"), 2),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(report.summary.skipped, 7);
}

/// Of a folder's files, these are passed over.
#[rstest]
#[case::words("a.yaml", "- one\n- two\n", true)]
#[case::values("a.yaml", "replicas: 3\nservice: {type: ClusterIP}\n", true)]
#[case::nothing("a.yaml", "# nothing yet\n", true)]
#[case::near_no_key("a.yaml", "metadata: {name: a}\nkid: 1\n", true)]
#[case::comments_in_json(
    "a.json",
    "{\n  // as TypeScript has them\n  \"a\": {\"b\": true,},\n}\n",
    true
)]
#[case::no_text("a.yaml", "\u{0}\u{1}", true)]
#[case::pod("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", false)]
#[case::pod_behind_words(
    "a.yaml",
    "- one\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
    false
)]
#[case::skipped("a.yaml", "apiVersion: v1\nkind: Secret\n", false)]
#[case::nearly("a.yaml", "apiversion: v1\nKind: Pod\nmetadata: {name: a}\n", false)]
#[case::number("a.yaml", "apiVersion: 1\n", false)]
#[case::half("a.yaml", "kind: Pod\n", false)]
#[case::broken_pod("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: [\n", false)]
#[case::broken_json("a.json", "{\n  \"kind\": \"Pod\",\n  \"metadata\": \n", false)]
#[case::list_of_nothing(
    "a.json",
    "{\"kind\": \"List\", \"apiVersion\": \"v1\", \"items\": []}",
    false
)]
fn a_folder_has_files_of_other_people(
    #[case] name: &str,
    #[case] text: &str,
    #[case] expected: bool,
) {
    let options = Options::default();
    let found = Found::in_folder_document(&document(name, text), &options);
    assert_eq!(found.is_passed_over(), expected);
    if expected {
        assert_eq!(
            (found.faults, found.findings, found.documents),
            (vec![], vec![], 0)
        );
    }
    let named = Found::in_document(&document(name, text), &options);
    assert!(!named.is_passed_over());
}

const NAMESPACE: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: team, labels: {kuma.io/sidecar-injection: enabled, kuma.io/mesh: one}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team}
spec: {template: {metadata: {labels: {app: web}}}}
---
";

#[rstest]
#[case::suspended_job("Job", "suspend: true, template: TEMPLATE", true)]
#[case::job_of_no_pods("Job", "parallelism: 0, template: TEMPLATE", true)]
#[case::suspended_cron_job(
    "CronJob",
    "suspend: true, jobTemplate: {spec: {template: TEMPLATE}}",
    true
)]
#[case::job("Job", "suspend: false, template: TEMPLATE", false)]
fn jobs_that_bring_no_pods_are_in_nobodys_way(
    #[case] kind: &str,
    #[case] spec: &str,
    #[case] idle: bool,
) {
    let spec = spec.replace("TEMPLATE", "{metadata: {labels: {kuma.io/mesh: two}}}");
    let job = format!(
        "apiVersion: batch/v1\nkind: {kind}\nmetadata: {{name: j, namespace: team}}\nspec: {{{spec}}}\n"
    );
    let report = plan(&format!("{NAMESPACE}{job}"));
    assert_eq!(report.summary.errors == 0, idle, "{:?}", codes(&report));
    assert_eq!(report.summary.warnings, 0, "{:?}", codes(&report));
    assert_eq!(report.namespaces[0].split, !idle);
    let conflict = if idle { "create" } else { "conflict" };
    assert_eq!(actions(&report), [format!("team/default {conflict}")]);
}

#[rstest]
#[case::older_name("serviceAccount: old", "old")]
#[case::newer_name_first("serviceAccount: old, serviceAccountName: new", "new")]
#[case::empty_newer_name("serviceAccount: old, serviceAccountName: ''", "old")]
#[case::null_newer_name("serviceAccount: old, serviceAccountName: null", "old")]
#[case::both_empty("serviceAccount: '', serviceAccountName: ''", "default")]
#[case::neither("containers: []", "default")]
fn w2_the_older_name_of_the_service_account_counts(#[case] spec: &str, #[case] workload: &str) {
    let labels = "labels: {kuma.io/mesh: m}";
    let report = plan(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, {labels}}}\nspec: {{{spec}}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: b}}\n\
         spec: {{template: {{metadata: {{{labels}}}, spec: {{{spec}}}}}}}\n"
    ));
    let found = report
        .pods
        .iter()
        .map(|pod| &*pod.workload.as_ref().unwrap().name);
    assert_eq!(Vec::from_iter(found), [workload, workload]);
}

#[rstest]
#[case::pod(
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: null, annotations: null, ownerReferences: null}\nspec: null\nstatus: null"
)]
#[case::containers(
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [null], initContainers: null}"
)]
#[case::deployment("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: null")]
#[case::template(
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: null, replicas: null}"
)]
#[case::of_template(
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: null, spec: null}}"
)]
#[case::job_template(
    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {jobTemplate: null, suspend: null}"
)]
#[case::of_job_template(
    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {jobTemplate: {spec: null}}"
)]
#[case::dataplane(
    "apiVersion: kuma.io/v1alpha1\nkind: Dataplane\nmetadata: {name: a}\nmesh: null\nspec: {networking: {inbound: null}}"
)]
#[case::universal(
    "type: Dataplane\nname: a\nlabels: null\nmesh: null\nnetworking: {inbound: [{tags: null, health: null}]}"
)]
#[case::listeners(
    "type: Dataplane\nname: a\nmesh: m\nnetworking: {inbound: null, listeners: [{state: null}]}"
)]
fn null_is_nothing(#[case] yaml: &str) {
    let report = plan(yaml);
    assert_eq!((report.faults, report.summary.objects), (vec![], 1));
}

#[rstest]
#[case::rollout(
    "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {template: TEMPLATE}",
    Some("argoproj.io/v1alpha1 Rollout")
)]
#[case::pod_template(
    "apiVersion: v1\nkind: PodTemplate\ntemplate: TEMPLATE",
    Some("v1 PodTemplate")
)]
#[case::deployment_config(
    "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nspec: {template: TEMPLATE}",
    Some("apps.openshift.io/v1 DeploymentConfig")
)]
#[case::deeper(
    "apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nspec: {replicatedJobs: [{template: {spec: {template: TEMPLATE}}}]}",
    Some("jobset.x-k8s.io/v1alpha2 JobSet")
)]
#[case::without(
    "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {template: {}}",
    None
)]
fn kinds_with_a_pod_template_that_are_not_judged_are_told(
    #[case] yaml: &str,
    #[case] kind: Option<&str>,
) {
    let yaml = yaml.replace("TEMPLATE", "{spec: {containers: [{name: c}]}}");
    let report = plan(&format!("{yaml}\n---\n{yaml}\n"));
    let told: Vec<_> = report
        .findings
        .iter()
        .filter(|one| one.code == "kind-not-judged")
        .collect();
    let expected = kind.map(|kind| {
        format!("2 objects of kind \"{kind}\" with a Pod template: admission does not judge the template, only the Pods that come of it, and these are not planned")
    });
    assert_eq!(
        Vec::from_iter(told.iter().map(|one| &*one.message)),
        Vec::from_iter(expected.as_deref())
    );
}

fn of_kumactl(of_type: &str, name: &str, mesh: &str, labels: &str) -> String {
    format!(
        "{{\"type\": \"{of_type}\", \"name\": \"{name}\", \"mesh\": \"{mesh}\", \"labels\": {{{labels}}}}}"
    )
}

fn list(items: &[String]) -> String {
    let total = items.len();
    format!(
        "{{\"total\": {total}, \"items\": [{}], \"next\": null}}",
        items.join(",\n")
    )
}

const KUBERNETES: &str = "\"kuma.io/env\": \"kubernetes\", \"kuma.io/origin\": \"zone\"";

#[test]
fn what_kumactl_prints_of_kubernetes_is_kubernetes() {
    let dataplane = |name: &str, namespace: &str, mesh: &str, workload: &str| {
        let labels = format!(
            "{KUBERNETES}, \"k8s.kuma.io/namespace\": \"{namespace}\", \"kuma.io/workload\": \"{workload}\", \
             \"kuma.io/display-name\": \"{name}\", \"k8s.kuma.io/service-account\": \"sa\""
        );
        of_kumactl("Dataplane", &format!("{name}.{namespace}"), mesh, &labels)
    };
    let workload = |name: &str, labels: &str| {
        of_kumactl(
            "Workload",
            &format!("{name}.shop"),
            "two",
            &format!("{KUBERNETES}, {labels}"),
        )
    };
    let report = plan(&list(&[
        dataplane("cart-1", "orders", "one", "default"),
        dataplane("till-1", "shop", "two", "default"),
        // Kubernetes' rule for names, and a dot in that of the Pod (W5).
        dataplane("db.v2-0", "shop", "two", "db.v2"),
        workload(
            "default",
            "\"kuma.io/mesh\": \"two\", \"kuma.io/managed-by\": \"kuma-workload-reconciler\"",
        ),
        workload(
            "gone",
            "\"kuma.io/mesh\": \"two\", \"kuma.io/managed-by\": \"kuma-workload-reconciler\"",
        ),
    ]));
    assert_eq!(report.faults, []);
    assert_eq!(report.universal, None);
    let expected = [
        "orders/default create",
        "shop/db.v2 create",
        "shop/default keep",
        "shop/gone delete",
    ];
    assert_eq!(actions(&report), expected);
    let names: Vec<_> = report
        .pods
        .iter()
        .map(|pod| format!("{}/{}", pod.namespace, pod.name))
        .collect();
    assert_eq!(names, ["orders/cart-1", "shop/db.v2-0", "shop/till-1"]);
    assert!(!codes(&report).contains(&"several-meshes"));
}

/// Meshes and MeshIdentities that a Global control plane made say nothing of where they are stored.
#[rstest]
#[case::kubernetes(
    "\"kuma.io/env\": \"kubernetes\", \"k8s.kuma.io/namespace\": \"team\"",
    "a.team",
    true
)]
#[case::universal("\"kuma.io/env\": \"universal\"", "a", false)]
fn meshes_and_identities_are_of_the_control_plane_that_the_rest_is_of(
    #[case] labels: &str,
    #[case] name: &str,
    #[case] kubernetes: bool,
) {
    let identity = "{\"type\": \"MeshIdentity\", \"name\": \"i-x9.kuma-system\", \"mesh\": \"m\", \
        \"spec\": {\"selector\": {\"dataplane\": {\"matchLabels\": {}}}, \"spiffeID\": {\"trustDomain\": \"t\"}}}";
    let workload = "\"kuma.io/workload\": \"w\", \"k8s.kuma.io/service-account\": \"sa\"";
    let report = plan(&list(&[
        of_kumactl("Mesh", "m", "", ""),
        identity.to_owned(),
        of_kumactl("Dataplane", name, "m", &format!("{labels}, {workload}")),
    ]));
    assert_eq!(report.faults, []);
    let (identity, id) = match kubernetes {
        true => (report.pods[0].identity.as_ref(), "spiffe://t/ns/team/sa/sa"),
        false => (
            report.universal.as_ref().unwrap().dataplanes[0]
                .identity
                .as_ref(),
            "spiffe://t/workload/w",
        ),
    };
    assert_eq!(identity.unwrap().spiffe_id.as_deref(), Some(id));
    assert!(!codes(&report).contains(&"unknown-mesh"));
}

const COPY: &str = "\"kuma.io/workload\": \"batch\"";

/// What a Global control plane has of its zones counts nowhere (section 7).
#[rstest]
#[case::on_kubernetes(".kuma-system")]
#[case::on_universal("")]
fn copies_from_all_zones_count_nowhere(#[case] suffix: &str) {
    let copy = |of_type: &str, name: &str, mesh: &str, labels: &str| {
        of_kumactl(
            of_type,
            &format!("{name}-q1{suffix}"),
            mesh,
            &format!("{labels}, {COPY}"),
        )
    };
    let of_universal = |name: &str| {
        let manager = "\"kuma.io/managed-by\": \"workload-generator\"";
        format!("\"kuma.io/env\": \"universal\", \"kuma.io/display-name\": \"{name}\", {manager}")
    };
    let of_kubernetes = |name: &str| {
        format!(
            "{KUBERNETES}, \"kuma.io/display-name\": \"{name}\", \"k8s.kuma.io/namespace\": \"orders\""
        )
    };
    let report = plan(&list(&[
        copy("Dataplane", "vm-1", "one", &of_universal("vm-1")),
        copy("Dataplane", "vm-2", "two", &of_universal("vm-2")),
        copy("Dataplane", "cart-1", "one", &of_kubernetes("cart-1")),
        copy("Dataplane", "cart-2", "two", &of_kubernetes("cart-2")),
        copy("Workload", "batch", "one", &of_universal("batch")),
        copy("Workload", "batch", "two", &of_universal("batch")),
        copy("Workload", "batch", "one", &of_kubernetes("batch")),
    ]));
    assert_eq!(report.faults, []);
    assert_eq!(actions(&report), Vec::<String>::new());
    assert_eq!(
        (report.pods, report.namespaces, report.universal),
        (vec![], vec![], None)
    );
    let namespace = suffix.trim_start_matches('.');
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|one| (one.code, one.severity.name(), &*one.message))
        .collect();
    let first = format!("{namespace}/cart-1-q1");
    let message = format!(
        "copies from other zones, which count nowhere here: 4 Dataplanes and 3 Workloads (the first is \"{first}\")"
    );
    assert_eq!(told, [("copies-not-counted", "note", &*message)]);
}

#[test]
fn copies_of_universal_zones_as_kubectl_prints_them_count_nowhere() {
    let copy = |name: &str, mesh: &str, labels: &str| {
        format!(
            "apiVersion: kuma.io/v1alpha1\nkind: Dataplane\nmesh: {mesh}\n\
             metadata: {{name: {name}, namespace: kuma-system, labels: {{kuma.io/env: universal, {labels}}}, \
             annotations: {{kuma.io/workload: batch}}}}\n---\n"
        )
    };
    let workload = "apiVersion: kuma.io/v1alpha1\nkind: Workload\n\
         metadata: {name: batch-q3, namespace: kuma-system, labels: {kuma.io/env: universal, \
         kuma.io/origin: zone, kuma.io/display-name: batch, kuma.io/managed-by: workload-generator}}\n";
    let report = plan(
        &(copy("vm-1-q1", "one", "kuma.io/display-name: vm-1")
            + &copy("vm-2-q2", "two", "k8s.kuma.io/namespace: kuma-system")
            + workload),
    );
    assert_eq!(actions(&report), Vec::<String>::new());
    let told: Vec<_> = report.findings.iter().map(|one| &*one.message).collect();
    let message = "copies from other zones, which count nowhere here: 2 Dataplanes and 1 Workload \
                   (the first is \"kuma-system/vm-1-q1\")";
    assert_eq!(told, [message]);
}

#[test]
fn what_inspect_prints_is_a_dataplane_too() {
    let text = "items:\n- type: DataplaneOverview\n  mesh: one\n  name: vm-1\n  labels: {kuma.io/workload: web}\n  \
        dataplane: {networking: {address: 10.0.0.1, inbound: [{port: 80}]}}\n  \
        dataplaneInsight: {subscriptions: 7}\n";
    let report = plan(text);
    assert_eq!(report.faults, [], "the insight does not matter here");
    let universal = report.universal.unwrap();
    let workloads: Vec<_> = universal
        .workloads
        .iter()
        .map(|one| (&*one.mesh, &*one.name, one.action))
        .collect();
    assert_eq!(workloads, [("one", "web", "create")]);
}

#[rstest]
#[case::skipped_kinds(
    "apiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: ConfigMap\n",
    "2 objects were read, and none is of a kind that is planned"
)]
#[case::one(
    "apiVersion: v1\nkind: Secret\n",
    "1 object was read, and it is of no kind that is planned"
)]
#[case::empty_list("apiVersion: v1\nkind: List\nitems: []\n", "no object was read")]
fn where_nothing_is_planned_a_line_says_so(#[case] yaml: &str, #[case] message: &str) {
    let report = plan(yaml);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|one| (one.code, one.severity.name(), &*one.message))
        .collect();
    assert_eq!(told, [("nothing-planned", "note", message)]);
}

#[test]
fn where_nothing_is_planned_in_a_namespace_a_line_says_so() {
    let options = Options {
        namespace: Some("other".to_owned()),
        ..Options::default()
    };
    let report = crate::plan([document("system.yml", NAMESPACE)], &options);
    let told: Vec<_> = report.findings.iter().map(|one| &*one.message).collect();
    let message = "2 objects were read, and none is of a kind that is planned in this namespace";
    assert_eq!(told, [message]);
}
