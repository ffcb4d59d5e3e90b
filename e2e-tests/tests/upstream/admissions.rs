//! The policy's verdicts against those of Kuma's Pod validator.
//!
//! A naive model stands between the two. Without any rule it must answer as upstream does, with all
//! rules as the policy does; where those differ, the rules that make the difference are the fewest
//! with which the model answers as the policy. Nothing is excused by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kuma_workload_host::{Policy, Settings, cluster::Manifests};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    answers::{MESHES, meshes, policy, read, request},
    model,
};

/// The rules by which the policy answers otherwise, on purpose.
const RULES: [&str; 7] = ["A4", "A5", "A6", "A7", "A16", "I2", "M4"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    id: String,
    flag: bool,
    operation: String,
    namespace: Value,
    pod: Value,
    old_pod: Option<Value>,
    dataplanes: Vec<Dataplane>,
    upstream: Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dataplane {
    name: String,
    mesh: String,
    mesh_label: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Answer {
    allowed: bool,
    code: Option<u16>,
    message: Option<String>,
}

impl Answer {
    fn allowed() -> Self {
        Self {
            allowed: true,
            code: None,
            message: None,
        }
    }

    fn refused(code: u16, message: impl Into<String>) -> Self {
        Self {
            allowed: false,
            code: Some(code),
            message: Some(message.into()),
        }
    }

    /// The answer without the words of an internal error, which need not be the same.
    fn to_compare(&self) -> Self {
        match self.code {
            Some(500) => Self::refused(500, ""),
            _ => self.clone(),
        }
    }
}

impl Case {
    fn namespace_name(&self) -> &str {
        self.namespace["metadata"]["name"].as_str().unwrap()
    }

    fn policys_answer(&self, policy: &Policy, version: Version) -> Answer {
        let dataplanes = self.dataplanes.iter().map(|dataplane| {
            let label = dataplane.mesh_label.as_ref();
            json!({
                "apiVersion": "kuma.io/v1alpha1", "kind": "Dataplane", "mesh": dataplane.mesh,
                "metadata": {
                    "name": dataplane.name, "namespace": self.namespace_name(),
                    "labels": label.map(|label| json!({"kuma.io/mesh": label})).unwrap_or(json!({})),
                },
            })
        });
        let objects: Vec<Value> = [self.namespace.clone()]
            .into_iter()
            .chain(meshes())
            .chain(dataplanes)
            .collect();
        let cluster = Arc::new(Manifests::of(objects).unwrap().handled());
        let settings = Settings::from_value(json!({
            "disallowMultipleMeshesPerNamespace": self.flag,
            "legacyMeshAnnotations": version.reads_annotations,
        }));
        let evaluation = policy
            .evaluate(
                &request(
                    &self.operation,
                    self.namespace_name(),
                    &self.pod,
                    self.old_pod.as_ref(),
                ),
                &settings.unwrap(),
                cluster,
            )
            .unwrap();
        Answer {
            allowed: evaluation.response.allowed,
            code: evaluation.response.code(),
            message: evaluation.response.message().map(str::to_owned),
        }
    }

    /// What is answered if these rules hold, and else upstream's ways.
    fn models_answer(&self, rules: &BTreeSet<&str>, version: Version) -> Answer {
        let holds = |rule| rules.contains(rule);
        if !["CREATE", "UPDATE"].contains(&&*self.operation) {
            return Answer::allowed();
        }
        if holds("A4") && self.is_settled() {
            return Answer::allowed();
        }
        if !self.pod["metadata"]["labels"]["kuma.io/workload"].is_null() {
            return Answer::refused(
                403,
                "cannot manually set kuma.io/workload label on Pod; \
                 it is automatically managed by Kuma",
            );
        }
        if !self.flag || (holds("I2") && !model::is_meshed(&self.pod, &self.namespace)) {
            return Answer::allowed();
        }
        let mesh = self.mesh_of(&self.pod, version);
        let legal = mesh
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !legal {
            return if holds("M4") {
                Answer::refused(
                    403,
                    format!(
                        "pod is in mesh \"{mesh}\" ({} kuma.io/mesh), which is not a possible name: it \
                     must be 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning and ending with a \
                     letter or digit",
                        self.found_mesh(&self.pod, version).unwrap().1
                    ),
                )
            } else {
                Answer::refused(500, "")
            };
        }
        if holds("A16") && !MESHES.contains(&&*mesh) {
            return if self.joins(version) {
                Answer::refused(
                    403,
                    format!("pod is in mesh \"{mesh}\", which does not exist"),
                )
            } else {
                Answer::allowed()
            };
        }
        let mut others: Vec<(&str, &str)> = self
            .dataplanes
            .iter()
            .filter(|dataplane| dataplane.mesh_label.as_deref() != Some(&*mesh))
            .map(|dataplane| (&*dataplane.name, &*dataplane.mesh))
            .collect();
        others.sort_unstable();
        if holds("A6") {
            for (_, field) in &mut others {
                if field.is_empty() {
                    *field = "default";
                }
            }
            others.retain(|(_, field)| *field != mesh);
        }
        if holds("A7") && self.operation == "CREATE" {
            others.retain(|(name, _)| self.pod["metadata"]["name"] != *name);
        }
        let told = if holds("A5") {
            others.iter().map(|(_, field)| *field).min()
        } else {
            others.first().map(|(_, field)| *field)
        };
        told.map_or_else(Answer::allowed, |other| {
            Answer::refused(403, format!(
                "pod is in mesh \"{mesh}\" but namespace \"{}\" already contains dataplanes in mesh \
                 \"{other}\"; only one mesh per namespace is allowed when \
                 runtime.kubernetes.disallowMultipleMeshesPerNamespace is enabled",
                self.namespace_name()))
        })
    }

    fn is_settled(&self) -> bool {
        let Some(old) = self.old_pod.as_ref().filter(|_| self.operation == "UPDATE") else {
            return false;
        };
        let new = &self.pod;
        let same = |path: &str| new.pointer(path) == old.pointer(path);
        let names = |pod: &Value| {
            ["containers", "initContainers"].map(|list| {
                let containers = pod["spec"][list].as_array().into_iter().flatten();
                containers
                    .map(|one| one["name"].clone())
                    .collect::<Vec<_>>()
            })
        };
        let is_terminating = !new["metadata"]["deletionTimestamp"].is_null();
        let keeps_what_decides = [
            "/metadata/labels/kuma.io~1workload",
            "/metadata/labels/kuma.io~1mesh",
            "/metadata/labels/kuma.io~1sidecar-injection",
            "/metadata/annotations/kuma.io~1mesh",
            "/metadata/annotations/kuma.io~1sidecar-injected",
            "/metadata/annotations/kuma.io~1gateway",
        ]
        .into_iter()
        .all(same)
            && names(new) == names(old);
        is_terminating && keeps_what_decides
            || ["/metadata/labels", "/metadata/annotations", "/spec"]
                .into_iter()
                .all(same)
    }

    fn found_mesh(&self, pod: &Value, version: Version) -> Option<(String, &'static str)> {
        let places = [
            (&pod["metadata"]["labels"], "label"),
            (&pod["metadata"]["annotations"], "annotation"),
            (&self.namespace["metadata"]["labels"], "namespace label"),
            (
                &self.namespace["metadata"]["annotations"],
                "namespace annotation",
            ),
        ];
        let mut places = places
            .into_iter()
            .filter(|(_, place)| version.reads_annotations || !place.ends_with("annotation"));
        places.find_map(|(entries, place)| {
            let mesh = entries["kuma.io/mesh"]
                .as_str()
                .filter(|mesh| !mesh.is_empty())?;
            Some((mesh.to_owned(), place))
        })
    }

    fn mesh_of(&self, pod: &Value, version: Version) -> String {
        self.found_mesh(pod, version)
            .map_or("default".to_owned(), |(mesh, _)| mesh)
    }

    fn joins(&self, version: Version) -> bool {
        let Some(old) = self.old_pod.as_ref().filter(|_| self.operation == "UPDATE") else {
            return true;
        };
        let gains_mark = model::marks(&self.pod)
            .into_iter()
            .zip(model::marks(old))
            .any(|(new, old)| new && !old);
        gains_mark
            || !model::is_meshed(old, &self.namespace)
            || self.mesh_of(old, version) != self.mesh_of(&self.pod, version)
    }

    /// The fewest rules with which the model answers so; the first in the order of [`RULES`].
    fn explanation(&self, answer: &Answer, version: Version) -> Option<BTreeSet<&'static str>> {
        let mut sets: Vec<u32> = (0..1 << RULES.len()).collect();
        sets.sort_by_key(|set| set.count_ones());
        sets.into_iter()
            .map(|set| {
                let chosen = RULES
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| set & (1 << bit) != 0);
                chosen.map(|(_, rule)| *rule).collect()
            })
            .find(|rules| self.models_answer(rules, version) == *answer)
    }
}

/// A version of Kuma.
#[derive(Clone, Copy)]
struct Version {
    /// The cases that it answers otherwise than 2.13.10.
    differences: Option<&'static str>,
    /// Whether annotations name meshes (M2).
    reads_annotations: bool,
}

#[derive(Deserialize)]
struct Difference {
    id: String,
    upstream: Answer,
}

const KUMA_2_13: Version = Version {
    differences: None,
    reads_annotations: true,
};
const KUMA_3: Version = Version {
    differences: Some("admission-3.0-dev.diff.jsonl.gz"),
    reads_annotations: false,
};

#[test]
fn every_difference_from_kuma_2_13_has_its_rule() {
    let shown = compare(KUMA_2_13);
    for rule in RULES {
        assert!(shown.contains_key(rule), "no case shows {rule} alone");
    }
}

#[test]
fn kuma_2_14_answers_as_2_13() {
    let differences: Vec<Difference> = read("admission-2.14.3.diff.jsonl.gz");
    assert_eq!(differences.len(), 0);
}

#[test]
fn every_difference_from_kuma_3_has_its_rule() {
    compare(KUMA_3);
}

/// How often which rules explain a difference from this version.
fn compare(version: Version) -> BTreeMap<String, usize> {
    let policy = policy();
    let mut cases: Vec<Case> = read("admission.jsonl.gz");
    assert_eq!(cases.len(), 4000);
    let differences: Vec<Difference> = version.differences.map(read).unwrap_or_default();
    let mut otherwise: BTreeMap<String, Answer> = differences
        .into_iter()
        .map(|difference| (difference.id, difference.upstream))
        .collect();
    for case in &mut cases {
        if let Some(answer) = otherwise.remove(&case.id) {
            case.upstream = answer;
        }
    }
    assert_eq!(otherwise.len(), 0, "each difference is of a case");
    let mut agreed = 0;
    let mut differences = BTreeMap::<String, usize>::new();
    for case in &cases {
        let upstream = case.upstream.to_compare();
        let model = case.models_answer(&BTreeSet::new(), version);
        assert_eq!(
            model, upstream,
            "{}: the model of upstream is wrong",
            case.id
        );
        let answer = case.policys_answer(&policy, version);
        if answer == upstream {
            agreed += 1;
            continue;
        }
        let rules = case.explanation(&answer, version);
        let rules = rules.unwrap_or_else(|| {
            panic!(
                "{}: no rule explains {answer:?} instead of {upstream:?}",
                case.id
            )
        });
        *differences
            .entry(rules.into_iter().collect::<Vec<_>>().join("+"))
            .or_default() += 1;
        let all = case.models_answer(&RULES.into(), version);
        assert_eq!(answer, all, "{}: some rule does not hold", case.id);
    }
    println!(
        "{agreed} of {} admissions as upstream; the others by rule:",
        cases.len()
    );
    for (rules, count) in &differences {
        println!("  {rules}: {count}");
    }
    differences
}
