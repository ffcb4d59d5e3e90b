//! Why a Pod has its verdict: the walk through the rules is that of the judgement, and ends with the
//! rule that decided.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::{fs, path::Path};

use kuma_workload_plan::{
    Options, Report, StepReport, plan,
    read::Document,
    report::{AdmissionReport, PodReport},
};
use kuma_workload_rulebook::admission::{Rule, Step};
use rstest::rstest;
use serde_json::Value;

fn document<'d>(name: &str, text: &'d str) -> Document<'d> {
    Document {
        name: name.into(),
        bytes: text.as_bytes().into(),
    }
}

fn planned(text: &str, settings: Option<&str>, why: bool) -> Report {
    let options = Options {
        settings: settings.map(|text| document("settings.yml", text)),
        why,
        ..Options::default()
    };
    plan([document("system.yml", text)], &options)
}

const NAMESPACES: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: team, labels: {kuma.io/sidecar-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain}
---
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: mesh1}
---
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: mesh2}
---";

fn pod(namespace: &str, metadata: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: a, namespace: {namespace}, {metadata}}}
---"
    )
}

fn deployment(metadata: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: a, namespace: team}}
spec: {{template: {{metadata: {{{metadata}}}}}}}
---"
    )
}

const DATAPLANE: &str = "
apiVersion: kuma.io/v1alpha1
kind: Dataplane
mesh: mesh2
metadata: {name: b, namespace: team, labels: {kuma.io/mesh: mesh2}}
---";

const OTHER_POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: team, labels: {kuma.io/mesh: mesh2}}
---";

const PREDECESSOR: &str = "
apiVersion: kuma.io/v1alpha1
kind: Dataplane
mesh: mesh2
metadata: {name: a, namespace: team}
---";

const ON: &str = "disallowMultipleMeshesPerNamespace: true\n";
const MESH1: &str = "labels: {kuma.io/mesh: mesh1}";
const FACTS: &str = "I1 fact, M1 fact, W2 fact";
const BEGIN: &str = "A15 passes, A1 passes, A3 passes, W5 passes";
const ASKED: &str = "A8 fact, M4 passes, A20 passes, A16 passes";

/// The walk of the object that is named `a`.
#[rstest]
#[case::a1(pod("team", "labels: {kuma.io/workload: x}"), ON, &[FACTS, "A15 passes, A1 rejects, A1 ends"])]
#[case::a2(deployment("labels: {kuma.io/workload: x}"), ON, &[FACTS, "A2 rejects, A2 ends"])]
#[case::a3(pod("plain", "annotations: {kuma.io/workload: x}"), ON,
    &["I1 fact, A15 passes, A1 passes, A3 warns, W5 passes, I2 ends, A3 ends"])]
#[case::a5(pod("team", MESH1) + DATAPLANE, ON, &[FACTS, BEGIN, ASKED, "A5 rejects, A5 ends"])]
#[case::a5_off(pod("team", MESH1) + DATAPLANE, "{}", &[FACTS, BEGIN, "A5 ends, A5 ends"])]
#[case::a6_w8(DATAPLANE.replace("name: b", "name: a"), ON, &["I1 fact, A6 fact, W8 fact"])]
#[case::a7(pod("team", MESH1) + PREDECESSOR, ON,
    &[FACTS, BEGIN, ASKED, "A7 fact, A5 passes, A10 passes, A10 ends"])]
#[case::a9(pod("team", MESH1) + DATAPLANE, "disallowMultipleMeshesPerNamespace: true\naction: warn\n",
    &[FACTS, BEGIN, ASKED, "A9 fact, A5 warns, A5 ends"])]
#[case::a10(pod("team", MESH1) + OTHER_POD, ON,
    &[FACTS, BEGIN, ASKED, "A5 passes, A10 fact, A5 rejects, A5 ends"])]
#[case::a10_accepts(pod("team", MESH1), ON, &[FACTS, BEGIN, ASKED, "A5 passes, A10 passes, A10 ends"])]
#[case::a11(deployment(MESH1) + DATAPLANE, ON,
    &[FACTS, "A2 passes, A3 passes, W5 passes", ASKED, "A11 fact, A5 warns, A11 fact", BEGIN, ASKED,
        "A5 rejects, A5 ends"])]
#[case::a15(pod("team", MESH1).replace("---", "status: {phase: Succeeded}\n---"), ON,
    &[FACTS, "A15 ends, A15 ends"])]
#[case::a16(pod("team", "labels: {kuma.io/mesh: mesh9}"), ON,
    &[FACTS, BEGIN, "A8 fact, M4 passes, A20 passes, A16 rejects, A16 ends"])]
#[case::a17(pod("team", MESH1), "disallowMultipleMeshesPerNamespace: true\nnamespaceMesh: declared\n",
    &[FACTS, BEGIN, "A8 fact, M4 passes, A20 passes, A17 rejects, A17 ends"])]
#[case::a18(pod("team", MESH1) + DATAPLANE + &OTHER_POD.replace("name: b", "name: c").replace("mesh2", "mesh1"),
    "disallowMultipleMeshesPerNamespace: true\nalreadySplit: warn\n",
    &[FACTS, BEGIN, ASKED, "A18 fact, A5 warns, A5 ends"])]
#[case::a19(pod("kube-system", MESH1), ON, &[FACTS, BEGIN, "A19 ends, A19 ends"])]
#[case::a20(pod("team", MESH1), "meshNamespaces: {mesh1: [other]}",
    &[FACTS, BEGIN, "A8 fact, A20 rejects, A20 ends"])]
#[case::a20_open(pod("team", MESH1), "meshNamespaces: {mesh1: [team]}", &[FACTS, BEGIN, "A20 ends, A20 ends"])]
#[case::i2(pod("plain", "labels: {}"), ON, &["I1 fact", BEGIN, "I2 ends, I2 ends"])]
#[case::i3(pod("team", "labels: {kuma.io/sidecar-injection: disabled}"), ON,
    &["I3 fact", BEGIN, "I2 ends, I2 ends"])]
#[case::i6(pod("plain", "annotations: {kuma.io/ingress: x}"), ON,
    &["I1 fact", BEGIN, "I2 ends, I6 warns, I6 ends"])]
#[case::i6_last(
    pod("team", "labels: {kuma.io/mesh: mesh1, kuma.io/sidecar-injection: x}") + DATAPLANE, ON,
    &[FACTS, BEGIN, ASKED, "A5 rejects, I6 warns, A5 ends"])]
#[case::m2(pod("team", "annotations: {kuma.io/mesh: mesh1}"), ON,
    &["I1 fact, M2 fact, W2 fact", BEGIN, ASKED, "A5 passes, A10 passes, A10 ends"])]
#[case::m3(pod("team", "labels: {kuma.io/mesh: mesh1}, annotations: {kuma.io/sidecar-injected: 'true'}"), ON,
    &["I1 fact, M3 fact, W2 fact", BEGIN, ASKED, "A5 passes, A10 passes, A10 ends"])]
#[case::m4(pod("team", "labels: {kuma.io/mesh: Mesh}"), ON, &[FACTS, BEGIN, "A8 fact, M4 rejects, M4 ends"])]
#[case::w1_w5(pod("team", "labels: {kuma.io/mesh: mesh1, app: A_1}"),
    "workloadLabels: [app]\ninvalidWorkloadName: deny\n",
    &["I1 fact, M1 fact, W1 fact, A15 passes, A1 passes, A3 passes, W5 rejects, W5 ends"])]
#[case::w8(pod("plain", "labels: {kuma.io/sidecar-injection: 'no'}, annotations: {kuma.io/gateway: builtin}"), "{}",
    &["I1 fact, M1 fact, W8 fact", BEGIN, "A5 ends, A5 ends"])]
fn a_walk_ends_with_the_rule_that_decides(
    #[case] objects: String,
    #[case] settings: &str,
    #[case] expected: &[&str],
) {
    let report = planned(&format!("{NAMESPACES}{objects}"), Some(settings), true);
    assert_eq!(report.faults, []);
    let pod = report.pods.iter().find(|pod| pod.name == "a").unwrap();
    let steps = pod.why.steps();
    let steps: Vec<_> = steps
        .map(|step| format!("{} {}", step.rule, step.outcome))
        .collect();
    assert_eq!(steps.join(", "), expected.join(", "));
    assert_agrees(pod);
}

#[test]
fn sentences_name_what_was_looked_at() {
    let text = format!("{NAMESPACES}{}{DATAPLANE}", pod("team", MESH1));
    let report = planned(&text, Some(ON), true);
    let walk = &report.pods.iter().find(|pod| pod.name == "a").unwrap().why;
    let sentences: Vec<_> = walk.steps().map(|step| step.message).collect();
    assert_eq!(
        sentences,
        [
            "it is in a mesh: its label kuma.io/mesh names one",
            "its mesh is \"mesh1\", by label kuma.io/mesh",
            "its workload is \"default\", by the default ServiceAccount",
            "it has not finished, and is not being deleted",
            "no label kuma.io/workload",
            "no annotation kuma.io/workload",
            "a Workload can have the name of its workload",
            "it joins mesh \"mesh1\"",
            "a Mesh can have the name \"mesh1\"",
            "meshNamespaces does not close mesh \"mesh1\" to namespace \"team\"",
            "mesh \"mesh1\" exists",
            "pod is in mesh \"mesh1\" but namespace \"team\" already contains dataplanes in mesh \
             \"mesh2\"; only one mesh per namespace is allowed when \
             runtime.kubernetes.disallowMultipleMeshesPerNamespace is enabled",
            "rejected by A5 (second-mesh)",
        ]
    );
}

/// The walk of a Pod says what its verdict says, in the same words, and its rules come in their order.
fn assert_agrees(pod: &PodReport) {
    let steps: Vec<_> = pod.why.steps().collect();
    let Some(admission) = &pod.admission else {
        return;
    };
    let (last, before) = steps.split_last().unwrap();
    assert_eq!(last.outcome, "ends");
    assert_eq!(
        last.message.split(['b', ',']).next().unwrap().trim(),
        match admission.verdict {
            "pods-rejected" => "accepted",
            verdict => verdict,
        }
    );
    assert_objections(admission, last, before);
    // A template, and then its Pods.
    let of_pods = |step: &StepReport| step.message.starts_with("the Pods that come");
    for steps in before.split(of_pods) {
        let ends: Vec<_> = steps.iter().filter(|step| step.outcome == "ends").collect();
        assert!(ends.len() < 2, "{steps:?}");
        let places: Vec<_> = steps.iter().filter_map(place).collect();
        assert!(places.is_sorted(), "{steps:?}");
    }
}

fn assert_objections(admission: &AdmissionReport, last: &StepReport, before: &[StepReport]) {
    let with = |outcome| {
        let steps = before.iter().filter(move |step| step.outcome == outcome);
        steps
            .map(|step| (step.rule, &*step.message))
            .collect::<Vec<_>>()
    };
    let number_of = |name| {
        let mut rules = Rule::ALL.iter().filter(|rule| rule.name() == name);
        rules.next().unwrap().numbers()
    };
    match &admission.rejection {
        Some(rejection) => {
            let rejects = with("rejects");
            let [(number, sentence)] = &*rejects else {
                panic!("{rejects:?}");
            };
            assert_eq!((*sentence, *number), (&*rejection.message, last.rule));
            assert!(number_of(rejection.rule).contains(number), "{number}");
            assert!(
                last.message
                    .ends_with(&format!("by {number} ({})", rejection.rule))
            );
        }
        None => {
            assert_eq!(with("rejects"), []);
            let warns = with("warns").into_iter();
            let told: Vec<_> = warns.map(|(_, sentence)| sentence).collect();
            let warnings: Vec<_> = admission.warnings.iter().map(|one| &*one.message).collect();
            assert_eq!(told, warnings);
            for warning in &admission.warnings {
                assert!(last.message.contains(warning.rule), "{}", last.message);
            }
        }
    }
}

/// Where the rules ask a step, which is no objection: those stand where they are made.
fn place(step: &StepReport) -> Option<usize> {
    let is_admission = step.rule.starts_with('A') || ["W5", "I2", "M4"].contains(&step.rule);
    if !is_admission || ["warns", "rejects"].contains(&step.outcome) || step.rule == "A6" {
        return None;
    }
    Step::ALL
        .iter()
        .position(|known| (known.rule(), known.outcome().name()) == (step.rule, step.outcome))
}

/// The objects of the requests in a folder, each with its settings.
fn requests(folder: &str) -> Vec<(String, Option<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder);
    let paths = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let requests = paths.filter_map(|path| {
        let stem = path.file_name()?.to_str()?.strip_suffix(".json")?;
        if stem.contains('.') {
            return None;
        }
        let review: Value = serde_json::from_slice(&fs::read(&path).unwrap()).ok()?;
        let object = review.get("request").unwrap_or(&review).get("object")?;
        let settings = fs::read_to_string(folder.join(format!("{stem}.settings.json")));
        Some((object.to_string(), settings.ok()))
    });
    requests.collect()
}

const OTHERS: &str = "
apiVersion: kuma.io/v1alpha1
kind: Dataplane
mesh: mesh2
metadata: {name: other, namespace: team-a}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: team-a, labels: {kuma.io/mesh: mesh3}}
";

#[rstest]
#[case("e2e-tests/fixtures", 100)]
#[case("examples/requests", 20)]
fn every_walk_agrees_with_its_verdict(#[case] folder: &str, #[case] at_least: usize) {
    let mut rejected = 0;
    for (object, settings) in requests(folder) {
        for text in [object.clone(), format!("{OTHERS}---\n{object}")] {
            for settings in [settings.as_deref(), None, Some("{}")] {
                let report = planned(&text, settings, true);
                report.pods.iter().for_each(assert_agrees);
                rejected += report.pods.iter().filter(|pod| is_rejected(pod)).count();
                assert_adds_nothing_else(report, &planned(&text, settings, false));
            }
        }
    }
    assert!(rejected > at_least, "{rejected}");
}

fn is_rejected(pod: &PodReport) -> bool {
    let admission = pod.admission.as_ref();
    admission.is_some_and(|admission| admission.rejection.is_some())
}

/// Without it, the report is as it was.
fn assert_adds_nothing_else(mut with: Report, without: &Report) {
    let is_written = serde_json::to_string(without).unwrap().contains("\"why\":");
    assert!(!is_written);
    for pod in &mut with.pods {
        assert!(!pod.why.is_empty());
        pod.why = kuma_workload_plan::Walk::default();
    }
    assert_eq!(with, *without);
}
