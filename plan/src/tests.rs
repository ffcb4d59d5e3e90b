//! The plan of small systems, rule by rule.

use super::*;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use rstest::rstest;

use kuma_workload_rulebook::identifier::{Identifiers, PodAnnotation};

use crate::read::Fault;

pub(crate) fn document(text: &str) -> Document<'_> {
    Document {
        name: "system.yml".into(),
        bytes: text.as_bytes().into(),
    }
}

/// The plan of these documents, in which nothing is wrong.
pub(crate) fn planned(yaml: &str) -> Report {
    planned_with(yaml, &Options::default())
}

pub(crate) fn planned_with(yaml: &str, options: &Options<'_>) -> Report {
    let report = plan([document(yaml)], options);
    assert_eq!(report.faults, []);
    report
}

pub(crate) fn with_labels(labels: &[&str]) -> Options<'static> {
    Options {
        workload_labels: Some(labels.iter().map(|&label| label.to_owned()).collect()),
        ..Options::default()
    }
}

pub(crate) fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

pub(crate) fn actions(report: &Report) -> Vec<(&str, &'static str)> {
    let workloads = report.workloads.iter();
    workloads.map(|one| (&*one.name, one.action)).collect()
}

pub(crate) const INJECTING: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: team, labels: {kuma.io/sidecar-injection: enabled}}
---";

pub(crate) fn pod(name: &str, mesh: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: team, labels: {{kuma.io/mesh: {mesh}}}}}
spec: {{serviceAccountName: sa}}
---"
    )
}

pub(crate) fn dataplane(name: &str, mesh: &str, workload: &str) -> String {
    format!(
        "
apiVersion: kuma.io/v1alpha1
kind: Dataplane
mesh: {mesh}
metadata: {{name: {name}, namespace: team, annotations: {{kuma.io/workload: {workload}}}}}
---"
    )
}

pub(crate) fn workload(name: &str, mesh: &str, manager: &str) -> String {
    format!(
        "
apiVersion: kuma.io/v1alpha1
kind: Workload
metadata: {{name: {name}, namespace: team, labels: {{kuma.io/mesh: {mesh}, kuma.io/managed-by: {manager}}}}}
---"
    )
}

pub(crate) fn deployment(name: &str, mesh: &str, spec: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: team}}
spec:
  {spec}
  template:
    metadata: {{labels: {{kuma.io/mesh: {mesh}}}}}
    spec: {{serviceAccountName: {name}}}
---"
    )
}

const OURS: &str = "kuma-workload-reconciler";

#[rstest]
#[case::pod_label("", "labels: {kuma.io/mesh: m}", Some(("m", "pod-label")), "its label names a mesh")]
#[case::pod_annotation("labels: {kuma.io/sidecar-injection: disabled}", "labels: {kuma.io/sidecar-injection: enabled}, annotations: {kuma.io/mesh: m}", Some(("m", "pod-annotation")), "its label turns injection on")]
#[case::own_label_alone(
    "",
    "labels: {kuma.io/sidecar-injection: enabled}",
    None,
    "its namespace does not inject"
)]
#[case::i5_zone_ingress("", "labels: {kuma.io/mesh: m}, annotations: {kuma.io/ingress: enabled}", Some(("m", "pod-label")), "its label names a mesh")]
#[case::namespace_label("labels: {kuma.io/sidecar-injection: enabled, kuma.io/mesh: m}", "labels: {}", Some(("m", "namespace-label")), "its namespace injects")]
#[case::namespace_annotation("labels: {kuma.io/sidecar-injection: enabled}, annotations: {kuma.io/mesh: m}", "labels: {}", Some(("m", "namespace-annotation")), "its namespace injects")]
#[case::default("labels: {kuma.io/sidecar-injection: enabled}", "labels: {}", Some(("default", "default")), "its namespace injects")]
#[case::unmeshed("", "labels: {}", None, "its namespace does not inject")]
fn m1_i1_mesh_and_membership_and_where_they_come_from(
    #[case] namespace: &str,
    #[case] metadata: &str,
    #[case] mesh: Option<(&str, &str)>,
    #[case] reason: &str,
) {
    let report = planned(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: team, {namespace}}}\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: team, {metadata}}}\n"
    ));
    let pod = &report.pods[0];
    let found = pod.mesh.as_ref().map(|mesh| (&*mesh.name, &*mesh.source));
    assert_eq!(found, mesh);
    assert_eq!((pod.meshed, &*pod.reason), (mesh.is_some(), reason));
    assert_eq!(pod.workload.is_some(), mesh.is_some());
}

#[rstest]
#[case::service_account(Options::default(), "sa", "spec.serviceAccountName")]
#[case::label(with_labels(&["tier", "app"]), "web", "label app")]
#[case::annotation_ignored(Options::default(), "sa", "spec.serviceAccountName")]
#[case::annotation_honoured(
    Options { pod_annotation: PodAnnotation::Honor, ..with_labels(&["app"]) },
    "wished",
    "annotation kuma.io/workload"
)]
fn w1_w2_w7_workload_and_where_it_comes_from(
    #[case] options: Options<'_>,
    #[case] name: &str,
    #[case] source: &str,
) {
    let report = planned_with(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {kuma.io/mesh: m, app: web}\n  \
         annotations: {kuma.io/workload: wished}\nspec: {serviceAccountName: sa}\n",
        &options,
    );
    let workload = report.pods[0].workload.as_ref().unwrap();
    assert_eq!((&*workload.name, &*workload.source), (name, source));
    assert_eq!(actions(&report), [(name, "create")]);
}

#[test]
fn w5_a_bad_name_is_told_once_for_all_its_pods() {
    let pods = pod("a", "m") + &pod("b", "m");
    let yaml = pods.replace("kuma.io/mesh: m", "kuma.io/mesh: m, app: Bad_Name");
    let report = planned_with(&yaml, &with_labels(&["app"]));
    assert_eq!(actions(&report), [("Bad_Name", "bad-name")]);
    let bad = codes(&report)
        .iter()
        .filter(|code| **code == "bad-name")
        .count();
    assert_eq!(bad, 1);
}

#[test]
fn w8_the_stored_workload_counts_and_a_difference_is_told() {
    let report = planned(&(pod("a", "m") + &dataplane("a", "m", "stored")));
    assert_eq!(actions(&report), [("stored", "create")]);
    assert!(codes(&report).contains(&"stale-identifier"));
    let dataplane = report.pods[0].dataplane.as_ref().unwrap();
    assert_eq!(dataplane.workload.as_deref(), Some("stored"));
}

#[rstest]
#[case::dataplanes(Identifiers::Dataplanes, &[], true)]
#[case::pods(Identifiers::Pods, &[("sa", "create")], false)]
fn w8_dataplanes_without_an_identifier(
    #[case] identifiers: Identifiers,
    #[case] expected: &[(&str, &str)],
    #[case] told: bool,
) {
    let yaml = pod("a", "m") + &dataplane("a", "m", "''");
    let report = planned_with(
        &yaml,
        &Options {
            identifiers,
            ..Options::default()
        },
    );
    assert_eq!(actions(&report), expected);
    assert_eq!(codes(&report).contains(&"no-identifier"), told);
}

#[rstest]
#[case::l4_create(dataplane("a", "m", "w"), "create")]
#[case::l5_keep(dataplane("a", "m", "w") + &workload("w", "m", OURS), "keep")]
#[case::l5_relabel(dataplane("a", "m", "w") + &workload("w", "other", OURS), "relabel")]
#[case::l5_adopt(dataplane("a", "m", "w") + &workload("w", "m", "''").replace(", kuma.io/managed-by: ''", ""), "relabel")]
#[case::l2_delete(workload("w", "m", OURS), "delete")]
#[case::l3_leave(workload("w", "m", "jane"), "leave")]
#[case::l6_foreign(dataplane("a", "m", "w") + &workload("w", "m", "jane"), "foreign")]
#[case::l7_conflict(dataplane("a", "m", "w") + &dataplane("b", "o", "w"), "conflict")]
#[case::l8_orphan(dataplane("a", "m", "w") + &dataplane("b", "o", "w") + &workload("w", "m", OURS), "orphan")]
#[case::w5_bad_name(dataplane("a", "m", "W"), "bad-name")]
fn l1_to_l8_what_happens_to_a_workload(#[case] yaml: String, #[case] action: &str) {
    let report = planned(&yaml);
    assert_eq!(report.workloads[0].action, action);
    let code = match action {
        "conflict" | "orphan" => Some("conflict"),
        "bad-name" => Some("bad-name"),
        "foreign" => Some("foreign"),
        _ => None,
    };
    let of_workloads = ["conflict", "bad-name", "foreign"];
    let told: Vec<_> = codes(&report)
        .into_iter()
        .filter(|code| of_workloads.contains(code))
        .collect();
    assert_eq!(told, Vec::from_iter(code));
}

#[test]
fn l17_where_a_control_plane_manages_workloads_nothing_is_ours() {
    let yaml = dataplane("a", "m", "w")
        + &workload("w", "m", "k8s-controller")
        + &dataplane("b", "m", "x")
        + &workload("z", "m", OURS);
    let report = planned(&yaml);
    assert_eq!(report.mode, "observe");
    let found: Vec<_> = report
        .workloads
        .iter()
        .map(|one| (one.action, one.withheld))
        .collect();
    assert_eq!(
        found,
        [("foreign", false), ("create", true), ("delete", false)]
    );
    assert!(!codes(&report).contains(&"foreign"));
}

#[rstest]
#[case::pod(pod("a", "m"), &[("sa", "create")])]
#[case::finished_pod(pod("a", "m") + "\nstatus: {phase: Failed}", &[])]
#[case::deployment(deployment("web", "m", "replicas: 2"), &[("web", "create")])]
#[case::scaled_to_zero(deployment("web", "m", "replicas: 0"), &[])]
#[case::where_dataplanes_tell(deployment("web", "m", "replicas: 2") + &dataplane("a", "m", "w"), &[("w", "create")])]
#[case::pod_beside_its_dataplane(pod("a", "m") + &dataplane("a", "m", "sa"), &[("sa", "create")])]
#[case::pod_before_its_dataplane(pod("a", "m") + &dataplane("b", "m", "w"), &[("sa", "create"), ("w", "create")])]
fn coming_proxies_count(#[case] yaml: String, #[case] expected: &[(&str, &str)]) {
    // A document's own marker ends the one before.
    let yaml = yaml.replace("---\nstatus", "status");
    assert_eq!(actions(&planned(&yaml)), expected);
}

#[test]
fn a_template_whose_pods_were_read_does_not_count_beside_them() {
    let owned = |kind: &str, name: &str| {
        format!(
            ", ownerReferences: [{{apiVersion: apps/v1, kind: {kind}, name: {name}, controller: true}}]"
        )
    };
    let set = deployment("web-1", "m", "replicas: 1")
        .replace("kind: Deployment", "kind: ReplicaSet")
        .replace(
            "namespace: team",
            &format!("namespace: team{}", owned("Deployment", "web")),
        );
    let pod = pod("web-1-x", "m").replace(
        "namespace: team",
        &format!("namespace: team{}", owned("ReplicaSet", "web-1")),
    );
    let report = planned(&(deployment("web", "m", "replicas: 1") + &set + &pod));
    assert_eq!(actions(&report), [("sa", "create")]);
    let kinds: Vec<_> = report.pods.iter().map(|pod| pod.kind).collect();
    assert_eq!(
        kinds,
        ["Deployment", "Pod"],
        "the ReplicaSet says what its Deployment says"
    );
}

#[rstest]
#[case::one_mesh(&["m", "m"], "", false, &[])]
#[case::most_pods_stay(&["m", "o", "o"], "", true, &["p0"])]
#[case::of_equals_the_smaller_name(&["o", "m"], "", true, &["p0"])]
#[case::the_declared_mesh_stays(&["m", "o", "o"], "m", true, &["p1", "p2"])]
#[case::declared_and_nobody_there(&["m"], "o", false, &["p0"])]
fn t3_which_pods_move(
    #[case] meshes: &[&str],
    #[case] declared: &str,
    #[case] split: bool,
    #[case] moves: &[&str],
) {
    let pods: String = meshes
        .iter()
        .enumerate()
        .map(|(number, mesh)| pod(&format!("p{number}"), mesh))
        .collect();
    let namespace = INJECTING.replace("enabled", &format!("enabled, kuma.io/mesh: '{declared}'"));
    let report = planned(&(namespace + &pods));
    let team = &report.namespaces[0];
    assert_eq!(team.split, split);
    let found: Vec<_> = team.moves.iter().map(|one| &*one.name).collect();
    assert_eq!(found, moves);
    assert_eq!(codes(&report).contains(&"split-namespace"), split);
}

#[rstest]
#[case::says_nothing("", "m", Some("label Namespace \"team\" kuma.io/mesh: m"))]
#[case::declares_another(
    "o",
    "m",
    Some("move the Pods to mesh \"o\", or label Namespace \"team\" kuma.io/mesh: m")
)]
#[case::declares_it("m", "m", None)]
#[case::default_needs_no_label("", "default", None)]
fn a17_namespaces_where_only_pods_carry_the_label(
    #[case] declared: &str,
    #[case] mesh: &str,
    #[case] remedy: Option<&str>,
) {
    let namespace = INJECTING.replace("enabled", &format!("enabled, kuma.io/mesh: '{declared}'"));
    let report = planned(&(namespace + &pod("a", mesh)));
    let mut findings = report.findings.iter();
    let found = findings.find(|one| one.code == "undeclared-mesh");
    assert_eq!(found.map(|one| &*one.remedy), remedy);
}

#[rstest]
#[case::differs("o", true)]
#[case::agrees("m", false)]
fn a6_a_label_that_differs_from_its_field(#[case] label: &str, #[case] told: bool) {
    let yaml = dataplane("a", "m", "w").replace(
        "annotations",
        &format!("labels: {{kuma.io/mesh: {label}}}, annotations"),
    );
    assert_eq!(codes(&planned(&yaml)).contains(&"mesh-label-differs"), told);
}

fn verdicts(report: &Report) -> Vec<(&str, &'static str, Option<&'static str>)> {
    let pods = report.pods.iter();
    pods.map(|pod| {
        let admission = pod.admission.as_ref().unwrap();
        let rule = admission.rejection.as_ref().map(|rejection| rejection.rule);
        (&*pod.name, admission.verdict, rule)
    })
    .collect()
}

#[test]
fn a1_a2_forged_labels_are_rejected_where_they_stand() {
    let forged = "kuma.io/mesh: m, kuma.io/workload: w";
    let yaml =
        (pod("a", "m") + &deployment("web", "m", "replicas: 1")).replace("kuma.io/mesh: m", forged);
    let report = planned(&yaml);
    let label = Some("forged-label");
    assert_eq!(
        verdicts(&report),
        [("web", "rejected", label), ("a", "rejected", label)]
    );
    let places: Vec<_> = report
        .findings
        .iter()
        .filter(|one| one.code == "forged-label")
        .map(|one| one.place.as_ref().unwrap().at.line)
        .collect();
    assert_eq!(places, [4, 13]);
}

/// A template that claims to be made of another's is judged, unless such controllers make its kind.
#[rstest]
#[case::replica_set("ReplicaSet", "accepted")]
#[case::stateful_set("StatefulSet", "rejected")]
#[case::deployment("Deployment", "rejected")]
fn a2_only_what_a_judged_kind_makes_is_not_judged(#[case] kind: &str, #[case] verdict: &str) {
    let owner = "metadata: {name: web, namespace: team, ownerReferences: \
        [{apiVersion: apps/v1, kind: Deployment, name: other, controller: true}]}";
    let yaml = deployment("web", "m", "replicas: 0")
        .replace("kind: Deployment", &format!("kind: {kind}"))
        .replace("metadata: {name: web, namespace: team}", owner)
        .replace("kuma.io/mesh: m", "kuma.io/mesh: m, kuma.io/workload: w");
    let report = planned(&yaml);
    let verdicts = verdicts(&report);
    let found: Vec<_> = verdicts
        .iter()
        .map(|(name, found, _)| (*name, *found))
        .collect();
    assert_eq!(found, [("web", verdict)]);
}

#[test]
fn a5_of_two_meshes_each_is_refused_where_the_other_was_first() {
    let yaml = deployment("one", "m", "replicas: 1") + &deployment("two", "o", "replicas: 1");
    let observed = Some("second-mesh");
    assert_eq!(
        verdicts(&planned(&yaml)),
        [
            ("one", "pods-rejected", observed),
            ("two", "pods-rejected", observed)
        ]
    );
}

#[test]
fn a18_who_is_there_already_is_let_in_with_a_warning() {
    let yaml = dataplane("a", "m", "w") + &dataplane("b", "o", "w") + &pod("a", "m");
    let report = planned(&yaml);
    let pod = report.pods.iter().find(|pod| pod.kind == "Pod").unwrap();
    let admission = pod.admission.as_ref().unwrap();
    assert_eq!(admission.verdict, "accepted");
    assert_eq!(admission.warnings[0].rule, "second-mesh");
}

#[rstest]
#[case::no_mesh_was_read("", None)]
#[case::another_was_read(
    "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: o}\n---",
    Some("unknown-mesh")
)]
fn a16_a_mesh_that_does_not_exist(#[case] meshes: &str, #[case] rule: Option<&str>) {
    let report = planned(&format!("{meshes}{}", pod("a", "m")));
    assert_eq!(verdicts(&report)[0].2, rule);
}

#[rstest]
#[case::evaluated("/w/{{ .Workload }}", Some("spiffe://m.east.mesh.local/w/sa"), &[])]
#[case::not_evaluated("/{{ if true }}x{{ end }}", None, &["identity-not-evaluated"])]
#[case::fault("/{{ label \\\"team\\\" }}", None, &["identity-fault"])]
fn id3_identities(#[case] path: &str, #[case] id: Option<&str>, #[case] told: &[&str]) {
    let identity = format!(
        "apiVersion: kuma.io/v1alpha1\nkind: MeshIdentity\nmetadata: {{name: i, namespace: k, \
         labels: {{kuma.io/mesh: m}}}}\nspec:\n  selector: {{dataplane: {{matchLabels: {{}}}}}}\n  \
         spiffeID: {{path: \"{path}\"}}\n---"
    );
    let options = Options {
        zone: Some("east".to_owned()),
        ..Options::default()
    };
    let report = planned_with(&(identity + &pod("a", "m") + &pod("b", "m")), &options);
    let identity = report.pods[0].identity.as_ref().unwrap();
    assert_eq!(identity.mesh_identity, "i");
    assert_eq!(identity.spiffe_id.as_deref(), id);
    let found: Vec<_> = codes(&report)
        .into_iter()
        .filter(|code| code.starts_with("identity"))
        .collect();
    assert_eq!(found, told, "once for both Pods");
}

#[test]
fn an_object_given_twice_is_told_and_the_later_one_counts() {
    let report = planned(&(pod("a", "m") + &pod("a", "o")));
    assert_eq!(report.pods.len(), 1);
    assert_eq!(report.pods[0].mesh.as_ref().unwrap().name, "o");
    let finding = report
        .findings
        .iter()
        .find(|one| one.code == "duplicate")
        .unwrap();
    assert_eq!(
        finding.message,
        "Pod \"team/a\" is given twice, at system.yml:2:1 too; this one counts"
    );
}

#[test]
fn names_that_are_yet_to_be_made_are_not_the_same() {
    let one = pod("a", "m").replace("name: a", "generateName: a-");
    let report = planned(&one.repeat(2));
    assert_eq!(report.pods.len(), 2);
    assert!(!codes(&report).contains(&"duplicate"));
}

#[test]
fn one_namespace_can_be_asked_for() {
    let other = pod("b", "o").replace("team", "other");
    let report = planned_with(
        &(pod("a", "m") + &other),
        &Options {
            namespace: Some("team".to_owned()),
            ..Options::default()
        },
    );
    assert_eq!(report.pods.len(), 1);
    assert_eq!(report.summary.skipped, 1);
}

#[test]
fn lists_of_lists_and_what_does_not_matter() {
    let report = planned(
        "kind: List\napiVersion: v1\nitems:\n- {kind: PodList, apiVersion: v1, items: [{metadata: {name: a, labels: {kuma.io/mesh: m}}}]}\n\
         - {kind: Service, apiVersion: v1, metadata: {name: s}}\n---\nreplicas: 3\nitems: [a, b]\n---\n\
         [{kind: Other}, {kind: Namespace, apiVersion: v1, metadata: {name: o}}]\n",
    );
    assert_eq!((report.summary.objects, report.summary.skipped), (2, 3));
    assert_eq!(report.pods[0].namespace, "default");
}

#[rstest]
#[case::field(
    "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  serviceAccountName: [x]\n",
    "system.yml:5:23: Pod \"a\": spec.serviceAccountName must be a string, not a list"
)]
#[case::label(
    "kind: Pod\napiVersion: v1\nmetadata:\n  name: a\n  labels:\n    app: 7\n",
    "system.yml:6:10: Pod \"a\": metadata.labels.app must be a string, not a number; put it in quotes"
)]
#[case::no_name(
    "kind: Pod\napiVersion: v1\nmetadata: {}\n",
    "system.yml:3:11: Pod: metadata.name is missing"
)]
#[case::no_metadata(
    "kind: Namespace\napiVersion: v1\n",
    "system.yml:1:1: Namespace: metadata is missing"
)]
#[case::template(
    "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {template: {spec: {containers: {}}}}\n",
    "system.yml:4:38: Job \"j\": spec.template.spec.containers must be a list, not a map"
)]
#[case::universal(
    "type: Dataplane\nname: d\nnetworking: {inbound: [{tags: {kuma.io/workload: 1}}]}\n",
    "system.yml:3:50: Dataplane \"d\": networking.inbound[0].tags.kuma.io/workload must be a string, not a number; put it in quotes"
)]
#[case::no_object(
    "- a\n",
    "system.yml:1:3: this is a string; a Kubernetes object or Universal document is a map"
)]
fn bad_input_is_told_by_place_object_and_field(#[case] yaml: &str, #[case] expected: &str) {
    let report = plan([document(yaml)], &Options::default());
    let said: Vec<_> = report.faults.iter().map(Fault::to_string).collect();
    assert_eq!(said, [expected]);
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    let bad = document("a: [\n");
    let text = format!("kind: [Pod]\n---\n{}", pod("a", "m"));
    let report = plan([bad, document(&text)], &Options::default());
    assert_eq!(report.pods.len(), 1);
    assert_eq!(report.summary.faults, report.faults.len());
    assert!(!report.faults.is_empty());
}

macro_rules! examples {
    ($($name:literal),+) => {
        [$(($name, include_str!(concat!("../../examples/plan/", $name)))),+]
    };
}

const EXAMPLES: [(&str, &str); 7] = examples!(
    "kubernetes/legacy.yaml",
    "kubernetes/mesh.yaml",
    "kubernetes/payments.yaml",
    "kubernetes/shop.yaml",
    "universal/dataplanes.yaml",
    "universal/mesh.yaml",
    "universal/workloads.json"
);

/// All objects of the examples, in their order.
fn objects_of_the_examples() -> Vec<(manifest::Mention, manifest::Manifest)> {
    let found = EXAMPLES.map(|(name, text)| {
        let document = Document {
            name: name.into(),
            ..document(text)
        };
        Found::in_document(&document, &Options::default()).objects
    });
    found.into_iter().flatten().collect()
}

fn plan_of(objects: Vec<(manifest::Mention, manifest::Manifest)>) -> Report {
    let mut inventory = Inventory::default();
    let found = Found {
        objects,
        ..Found::default()
    };
    inventory.take(found, &Options::default());
    report(inventory, &Options::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn the_order_of_objects_does_not_matter(
        objects in Just(objects_of_the_examples()).prop_shuffle()
    ) {
        prop_assert_eq!(plan_of(objects), plan_of(objects_of_the_examples()));
    }

    /// Whatever stands in a file, it is told and nothing breaks.
    #[test]
    fn garbage_is_no_reason_to_panic(
        example in select(&EXAMPLES[..]),
        changes in vec((any::<Index>(), select(&[' ', '\n', '{', '[', '"', ':', '-', '&', '*', '0', 'ä'][..])), 1..20),
        name in select(&["a.yaml", "a.json"][..]),
    ) {
        let mut text: Vec<_> = example.1.chars().collect();
        for (at, change) in changes {
            let at = at.index(text.len());
            text[at] = change;
        }
        let text = String::from_iter(text);
        let document = Document { name: name.into(), ..document(&text) };
        let report = plan([document], &Options::default());
        prop_assert_eq!(report.summary.faults, report.faults.len());
    }
}

#[rstest]
#[case::bad_mesh_name("kuma.io/mesh: No_Mesh!", "bad-mesh-name")]
#[case::switch_word("kuma.io/sidecar-injection: enable", "switch-word")]
fn namespaces_are_judged_too(#[case] label: &str, #[case] code: &str) {
    let report = planned(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: o, labels: {{{label}}}}}\n"
    ));
    assert_eq!(codes(&report), [code]);
}

/// What the API server lists: Pods that run, in a Namespace where Kuma injects nothing.
#[rstest]
#[case::names_its_mesh("labels: {kuma.io/mesh: other}", Some("second-mesh"))]
#[case::injected(
    "annotations: {kuma.io/sidecar-injected: \"true\"}",
    Some("second-mesh")
)]
#[case::gateway("annotations: {kuma.io/gateway: builtin}", Some("second-mesh"))]
#[case::of_the_mesh("labels: {kuma.io/mesh: m}", None)]
#[case::no_mark("labels: {app: web}", None)]
#[case::injection_off(
    "labels: {kuma.io/mesh: other, kuma.io/sidecar-injection: disabled}",
    None
)]
#[case::an_invented_mesh("labels: {kuma.io/mesh: nowhere}", Some("unknown-mesh"))]
#[case::finished("labels: {kuma.io/mesh: other}}\n  status: {phase: Succeeded", None)]
fn i4_a16_strays_that_run_and_would_not_come_in_again(
    #[case] metadata: &str,
    #[case] code: Option<&str>,
) {
    let meshes: String = ["default", "m", "other"]
        .map(|mesh| {
            format!("- {{apiVersion: kuma.io/v1alpha1, kind: Mesh, metadata: {{name: {mesh}}}}}\n")
        })
        .concat();
    let list = format!(
        "apiVersion: v1
kind: List
items:
{meshes}- {{apiVersion: v1, kind: Namespace, metadata: {{name: plain, uid: a}}}}
- {{apiVersion: kuma.io/v1alpha1, kind: Dataplane, mesh: m, metadata: {{name: there, namespace: plain}}}}
- apiVersion: v1
  kind: Pod
  metadata: {{name: web, namespace: plain, uid: b, {metadata}}}
"
    );
    let report = planned(&list);
    assert_eq!(report.faults, []);
    let of_pod = report.findings.iter().filter(|one| {
        one.objects.iter().any(|object| object.name == "web") && one.code != "split-namespace"
    });
    let codes: Vec<_> = of_pod.map(|one| one.code).collect();
    assert_eq!(codes, Vec::from_iter(code), "{:?}", report.findings);
}

/// What runs in a mesh that the settings close to its Namespace would not come in again, and neither
/// would its template.
#[rstest]
#[case::a_pod(&pod("web", "payments"), &["closed-mesh"])]
#[case::a_template(&deployment("web", "payments", "replicas: 1"), &["closed-mesh"])]
#[case::of_an_open_mesh(&pod("web", "default"), &[])]
fn a20_what_runs_and_may_not_join(#[case] yaml: &str, #[case] expected: &[&str]) {
    let settings = "meshNamespaces: {payments: [payments, payments-*]}";
    let options = Options {
        settings: Some(document(settings)),
        ..Options::default()
    };
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\n";
    let report = planned_with(&format!("{namespace}{yaml}"), &options);
    let errors = report.findings.iter();
    let errors = errors.filter(|one| one.severity == Severity::Error);
    let codes: Vec<_> = errors.map(|one| one.code).collect();
    assert_eq!(codes, expected, "{:?}", report.findings);
}
