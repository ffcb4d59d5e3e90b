//! Which Pods the policy holds for meshed (I1), and what it says of switch words (I6), against the
//! chart, the injector and the Pod controller of three versions of Kuma.

use std::{collections::BTreeMap, sync::Arc};

use kuma_workload_host::{AdmissionRequest, Evaluation, Policy, Settings, cluster::Manifests};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    answers::{meshes, policy, read, request},
    model::{self, Reasons},
};

const VERSIONS: [&str; 3] = ["2.13.10", "2.14.3", "3.0-dev"];

/// Where upstream makes Dataplanes of its own, or injects nothing (I4).
const SYSTEM_NAMESPACES: [&str; 2] = ["kube-system", "kuma-system"];

const INJECTION: &str = "kuma.io/sidecar-injection";
const GATEWAY: &str = "kuma.io/gateway";

#[derive(Deserialize)]
struct Case {
    id: String,
    namespace: Value,
    pod: Value,
    upstream: BTreeMap<String, Answer>,
}

/// What a version does with a Pod.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    /// Whether a webhook selects it.
    selected: bool,
    webhooks: Vec<String>,
    mesh_exists: Outcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    injector: Step,
    injected: bool,
    pod_controller: Step,
}

#[derive(Deserialize)]
struct Step {
    does: String,
    class: Option<String>,
    key: Option<String>,
}

impl Step {
    fn is_error(&self) -> bool {
        self.does == "error"
    }

    fn makes_member(&self) -> bool {
        ["dataplane", "builtin-gateway"].contains(&&*self.does)
    }
}

impl Answer {
    /// Whether it is injected, and not by the webhook for zone proxies, which reads no switch.
    fn is_injected_by_switch(&self) -> bool {
        let of_zone_proxies = |webhook: &String| webhook == "mesh-zoneproxy";
        self.mesh_exists.injected && !self.webhooks.iter().all(of_zone_proxies)
    }

    /// The steps that the Pod really comes through: the injector if it is selected, and the Pod
    /// controller unless the injector refused it.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        let Outcome {
            injector,
            pod_controller,
            ..
        } = &self.mesh_exists;
        let is_refused = self.selected && injector.is_error();
        let injector = self.selected.then_some(injector);
        let pod_controller = (!is_refused).then_some(pod_controller);
        injector.into_iter().chain(pod_controller)
    }
}

/// Asks the policy to create the Pod in a Namespace `team` with the labels and annotations of the
/// case, in which a Dataplane of another mesh is: so every meshed Pod is refused by the mesh rule.
fn evaluate(policy: &Policy, case: &Case) -> Evaluation {
    let mut namespace = case.namespace.clone();
    namespace["metadata"]["name"] = json!("team");
    let mut pod = case.pod.clone();
    pod["metadata"]["namespace"] = json!("team");
    // Nobody would ask which mesh a Pod with a forged label is in (A1).
    if let Some(labels) = pod["metadata"]["labels"].as_object_mut() {
        labels.remove("kuma.io/workload");
    }
    let other = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "Dataplane", "mesh": "another",
        "metadata": {"name": "other", "namespace": "team", "labels": {"kuma.io/mesh": "another"}},
    });
    let objects = [namespace, other].into_iter().chain(meshes());
    let cluster = Arc::new(
        Manifests::of(objects.collect::<Vec<_>>())
            .unwrap()
            .handled(),
    );
    let settings = json!({"disallowMultipleMeshesPerNamespace": true, "considerPods": false});
    let settings = Settings::from_value(settings).unwrap();
    let request = request("CREATE", "team", &pod, None);
    policy.evaluate(&request, &settings, cluster).unwrap()
}

/// Why no version makes a member of a Pod that the policy holds for one; none if nothing explains
/// it.
fn explanation(case: &Case) -> Option<&'static str> {
    let Reasons {
        gateway,
        injected,
        sidecar,
        selected,
        names_mesh,
    } = model::reasons(&case.pod, &case.namespace);
    let status = &case.pod["status"];
    let has_left = status["phase"] == "Succeeded"
        || status["reason"] == "Evicted"
        || status["podIP"].as_str().is_none_or(str::is_empty);
    let name = case.namespace["metadata"]["name"].as_str().unwrap();
    let mut steps = case.upstream.values().flat_map(Answer::steps);
    match () {
        // Where these go further than upstream, they do so on purpose: such a Pod asks for a mesh.
        () if sidecar && !(gateway || injected) => Some("(c) a sidecar that nobody injected"),
        () if names_mesh && !(gateway || injected || selected) => {
            Some("(e) its label names a mesh")
        }
        () if steps.any(Step::is_error) => Some("an error of upstream's"),
        () if has_left => Some("the Pod's status"),
        () if case.namespace["status"]["phase"] == "Terminating" => {
            Some("its Namespace's deletion")
        }
        () if SYSTEM_NAMESPACES.contains(&name) => Some("a system Namespace"),
        () if gateway => Some("(a) a builtin gateway"),
        () => None,
    }
}

#[test]
fn i1_whom_a_version_makes_a_member_is_meshed_and_the_others_are_explained() {
    let policy = policy();
    let cases: Vec<Case> = read("membership.jsonl.gz");
    assert_eq!(cases.len(), 2000);
    let (mut members, mut unmeshed) = (0, 0);
    let mut others = BTreeMap::<&str, usize>::new();
    for case in &cases {
        let verdict = evaluate(&policy, case).response;
        let message = verdict.message().unwrap_or_default();
        let meshed = message.starts_with("pod is in mesh");
        assert_eq!(meshed, !verdict.allowed, "{}: {message}", case.id);
        let member_of: Vec<_> = VERSIONS
            .into_iter()
            .filter(|version| {
                case.upstream[*version]
                    .mesh_exists
                    .pod_controller
                    .makes_member()
            })
            .collect();
        match (meshed, member_of.is_empty()) {
            (false, false) => panic!("{}: a member of a mesh with {member_of:?}", case.id),
            (true, false) => members += 1,
            (false, true) => unmeshed += 1,
            (true, true) => {
                let why = explanation(case);
                let why = why.unwrap_or_else(|| panic!("{}: nothing explains it", case.id));
                *others.entry(why).or_default() += 1;
            }
        }
    }
    println!("{members} members, {unmeshed} of no mesh, and meshed for the policy alone by:");
    for (why, count) in &others {
        println!("  {why}: {count}");
    }
    assert_eq!(others.len(), 7, "each explanation explains something");
}

impl Case {
    fn word(&self, key: &str) -> Option<&str> {
        self.pod["metadata"]["annotations"][key].as_str()
    }
}

impl Step {
    /// The key of the word that an error is about.
    fn is_about(&self) -> Option<&str> {
        match self.class.as_deref()? {
            "notBoolean" => self.key.as_deref(),
            "badGatewayType" => Some(GATEWAY),
            _ => None,
        }
    }
}

/// What is said of the words of a Pod: their keys, and the rest of the sentence.
fn told(evaluation: &Evaluation) -> Vec<(String, String)> {
    let annotations = evaluation.response.audit_annotations.clone();
    let told = annotations
        .unwrap_or_default()
        .remove("switch-word")
        .unwrap_or_default();
    let mut parts = told.split(" of this pod is ");
    let mut place = parts.next().unwrap_or_default().to_owned();
    parts
        .map(|part| {
            let key = place.rsplit(' ').next().unwrap().to_owned();
            part.clone_into(&mut place);
            (key, part.to_owned())
        })
        .collect()
}

/// What the sentences say, each with what it means for what a version does.
type Meaning = fn(&str, &Case, &Answer) -> bool;
const MEANINGS: [(&str, Meaning); 7] = [
    ("refuses the Pod with code 500", |_, _, answer| {
        !answer.selected || answer.mesh_exists.injector.is_error()
    }),
    ("it gets no sidecar", |_, _, answer| {
        !answer.is_injected_by_switch()
    }),
    ("neither on nor off and has no effect", |_, _, answer| {
        !answer.is_injected_by_switch()
    }),
    ("once the Pod is injected", |_, _, answer| {
        !answer.mesh_exists.pod_controller.makes_member()
    }),
    ("unless Kuma injects the Pod", |_, _, answer| {
        answer.mesh_exists.injected || !answer.mesh_exists.pod_controller.makes_member()
    }),
    ("before version 3", |version, _, answer| {
        version.starts_with('3') || !answer.mesh_exists.pod_controller.makes_member()
    }),
    ("no kind of gateway and has no effect", |_, case, answer| {
        // What it is without the word.
        answer.mesh_exists.pod_controller.class.as_deref() != Some("badGatewayType")
            && case.word(GATEWAY).is_some()
    }),
];

#[test]
fn i6_what_is_said_of_switch_words_is_what_kuma_does() {
    let policy = policy();
    let cases: Vec<Case> = read("membership.jsonl.gz");
    let mut said = BTreeMap::<&str, usize>::new();
    for case in &cases {
        let told = told(&evaluate(&policy, case));
        for (version, answer) in &case.upstream {
            for step in answer.steps().filter(|step| step.is_error()) {
                let Some(key) = step.is_about() else { continue };
                // Before Kuma 3 it works, and `plan --target kuma3` tells what comes (T6).
                let is_gone = version.starts_with('3') && case.word(GATEWAY) == Some("builtin");
                if !(key == GATEWAY && is_gone) {
                    let is_told = told.iter().any(|(told, _)| told == key);
                    assert!(is_told, "{}: {version} fails at {key}, {told:?}", case.id);
                }
            }
            for (key, effect) in &told {
                for (words, holds) in MEANINGS {
                    if effect.contains(words) {
                        *said.entry(words).or_default() += 1;
                        let holds = holds(version, case, answer);
                        assert!(holds, "{}: {version} does not: {key} is {effect}", case.id);
                    }
                }
            }
        }
    }
    println!("words of Pods, told and true in each version:");
    for (words, count) in &said {
        println!("  … {words} …: {}", count / VERSIONS.len());
    }
    assert_eq!(said.len(), MEANINGS.len(), "each sentence is said");
}

#[test]
fn i6_what_is_said_of_the_word_of_a_namespace_is_what_kuma_does() {
    let policy = policy();
    let cases: Vec<Case> = read("membership.jsonl.gz");
    let mut said = 0;
    for case in &cases {
        let word = case.namespace["metadata"]["labels"][INJECTION].as_str();
        let own = case.pod["metadata"]["labels"][INJECTION].as_str();
        let evaluation = policy.evaluate(
            &namespace_request(&case.namespace),
            &Settings::default(),
            Arc::new(Manifests::new().handled()),
        );
        let annotations = evaluation.unwrap().response.audit_annotations;
        let told = annotations.is_some_and(|annotations| {
            annotations["switch-word"].contains("which no webhook of Kuma selects")
        });
        let known = ["enabled", "true", "disabled", "false", "no"];
        assert_eq!(
            told,
            word.is_some_and(|word| !known.contains(&word)),
            "{}",
            case.id
        );
        if told {
            said += 1;
            for answer in case.upstream.values() {
                assert!(
                    own == Some("enabled") || !answer.is_injected_by_switch(),
                    "{}",
                    case.id
                );
            }
        }
    }
    println!("words of Namespaces, told and true in each version: {said}");
    assert!(said > 0);
}

fn namespace_request(namespace: &Value) -> AdmissionRequest {
    serde_json::from_value(json!({
        "uid": "00000000-0000-4000-8000-000000000000",
        "kind": {"group": "", "version": "v1", "kind": "Namespace"},
        "resource": {"group": "", "version": "v1", "resource": "namespaces"},
        "name": namespace["metadata"]["name"],
        "operation": "CREATE",
        "userInfo": {"username": "jane"},
        "object": namespace,
    }))
    .unwrap()
}
