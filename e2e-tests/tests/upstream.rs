//! The annotated policy against what Kuma's own code answered (`upstream`).
//!
//! A naive model stands between the two. Without any rule it must answer as upstream does, with all
//! rules as the policy does; where those differ, the rules that make the difference are the fewest
//! with which the model answers as the policy. Nothing is excused by name.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::read::GzDecoder;
use kuma_workload_host::{AdmissionRequest, Policy, Settings, cluster::Manifests};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The rules by which the policy answers otherwise, on purpose.
const RULES: [&str; 7] = ["A4", "A5", "A6", "A7", "A16", "I2", "M4"];

const MESHES: [&str; 3] = ["default", "mesh2", "mesh3"];

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

fn read<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("upstream")
        .join(file);
    let mut lines = String::new();
    let mut decoder = GzDecoder::new(std::fs::File::open(&path).unwrap());
    decoder.read_to_string(&mut lines).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn policy() -> Policy {
    let path = env::var_os("KUMA_WORKLOAD_POLICY_WASM").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../annotated-policy.wasm"),
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "{} is missing: run `make test`, which builds it",
        path.display()
    );
    Policy::load(&path).unwrap()
}

fn request(
    operation: &str,
    namespace: &str,
    pod: &Value,
    old_pod: Option<&Value>,
) -> AdmissionRequest {
    serde_json::from_value(json!({
        "uid": "00000000-0000-4000-8000-000000000000",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": pod["metadata"]["name"],
        "namespace": namespace,
        "operation": operation,
        "userInfo": {"username": "jane"},
        "object": pod,
        "oldObject": old_pod,
    }))
    .unwrap()
}

impl Case {
    fn namespace_name(&self) -> &str {
        self.namespace["metadata"]["name"].as_str().unwrap()
    }

    fn policys_answer(&self, policy: &Policy) -> Answer {
        let meshes = MESHES.map(|name| {
            json!({"apiVersion": "kuma.io/v1alpha1", "kind": "Mesh", "metadata": {"name": name}})
        });
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
            .chain(meshes)
            .chain(dataplanes)
            .collect();
        let cluster = Arc::new(Manifests::of(objects).unwrap().handled());
        let settings =
            Settings::from_value(json!({"disallowMultipleMeshesPerNamespace": self.flag}));
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
    fn models_answer(&self, rules: &BTreeSet<&str>) -> Answer {
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
        if !self.flag || (holds("I2") && !self.is_meshed(&self.pod)) {
            return Answer::allowed();
        }
        let mesh = self.mesh_of(&self.pod);
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
                        self.place_of_mesh()
                    ),
                )
            } else {
                Answer::refused(500, "")
            };
        }
        if holds("A16") && !MESHES.contains(&&*mesh) {
            return if self.joins(&mesh) {
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
        let same = |old: &Value| {
            let parts = |pod: &Value| {
                let metadata = &pod["metadata"];
                [&metadata["labels"], &metadata["annotations"], &pod["spec"]].map(Value::clone)
            };
            parts(&self.pod) == parts(old)
        };
        self.operation == "UPDATE"
            && (!self.pod["metadata"]["deletionTimestamp"].is_null()
                || self.old_pod.as_ref().is_some_and(same))
    }

    fn is_meshed(&self, pod: &Value) -> bool {
        let metadata = &pod["metadata"];
        let word = |value: &Value| match value.as_str() {
            Some("enabled" | "true" | "yes") => Some(true),
            Some("disabled" | "false" | "no") => Some(false),
            _ => None,
        };
        let annotation = |key: &str| &metadata["annotations"][key];
        let on = |key: &str| word(annotation(key)) == Some(true);
        if on("kuma.io/ingress") || on("kuma.io/egress") {
            return false;
        }
        let containers =
            ["containers", "initContainers"].map(|field| pod["spec"][field].as_array());
        let has_sidecar = containers
            .into_iter()
            .flatten()
            .flatten()
            .any(|container| container["name"] == "kuma-sidecar");
        if annotation("kuma.io/gateway") == "builtin"
            || on("kuma.io/sidecar-injected")
            || has_sidecar
        {
            return true;
        }
        let own = &metadata["labels"]["kuma.io/sidecar-injection"];
        if word(own) == Some(false) {
            return false;
        }
        let names_mesh = metadata["labels"]["kuma.io/mesh"]
            .as_str()
            .is_some_and(|m| !m.is_empty());
        let passed_over = [
            "openshift.io/build.name",
            "openshift.io/deployer-pod-for.name",
        ]
        .iter()
        .any(|label| !metadata["labels"][label].is_null());
        let namespace = &self.namespace["metadata"]["labels"]["kuma.io/sidecar-injection"];
        let injects = if own.is_null() {
            word(namespace)
        } else {
            word(own)
        };
        names_mesh || (!passed_over && injects == Some(true))
    }

    fn found_mesh(&self, pod: &Value) -> Option<(String, &'static str)> {
        let places = [
            (&pod["metadata"]["labels"], "label"),
            (&pod["metadata"]["annotations"], "annotation"),
            (&self.namespace["metadata"]["labels"], "namespace label"),
            (
                &self.namespace["metadata"]["annotations"],
                "namespace annotation",
            ),
        ];
        places.into_iter().find_map(|(entries, place)| {
            let mesh = entries["kuma.io/mesh"]
                .as_str()
                .filter(|mesh| !mesh.is_empty())?;
            Some((mesh.to_owned(), place))
        })
    }

    fn mesh_of(&self, pod: &Value) -> String {
        self.found_mesh(pod)
            .map_or("default".to_owned(), |(mesh, _)| mesh)
    }

    fn place_of_mesh(&self) -> &'static str {
        self.found_mesh(&self.pod).unwrap().1
    }

    fn joins(&self, mesh: &str) -> bool {
        match &self.old_pod {
            Some(old) if self.operation == "UPDATE" => {
                !self.is_meshed(old) || self.mesh_of(old) != mesh
            }
            _ => true,
        }
    }

    /// The fewest rules with which the model answers so; the first in the order of [`RULES`].
    fn explanation(&self, answer: &Answer) -> Option<BTreeSet<&'static str>> {
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
            .find(|rules| self.models_answer(rules) == *answer)
    }
}

#[test]
fn every_difference_from_upstreams_admissions_has_its_rule() {
    let policy = policy();
    let cases: Vec<Case> = read("admission.jsonl.gz");
    assert_eq!(cases.len(), 4000);
    let mut agreed = 0;
    let mut differences = BTreeMap::<String, usize>::new();
    for case in &cases {
        let upstream = case.upstream.to_compare();
        let model = case.models_answer(&BTreeSet::new());
        assert_eq!(
            model, upstream,
            "{}: the model of upstream is wrong",
            case.id
        );
        let answer = case.policys_answer(&policy);
        if answer == upstream {
            agreed += 1;
            continue;
        }
        let rules = case.explanation(&answer);
        let rules = rules.unwrap_or_else(|| {
            panic!(
                "{}: no rule explains {answer:?} instead of {upstream:?}",
                case.id
            )
        });
        *differences
            .entry(rules.into_iter().collect::<Vec<_>>().join("+"))
            .or_default() += 1;
        let all = case.models_answer(&RULES.into());
        assert_eq!(answer, all, "{}: some rule does not hold", case.id);
    }
    println!(
        "{agreed} of {} admissions as upstream; the others by rule:",
        cases.len()
    );
    for (rules, count) in &differences {
        println!("  {rules}: {count}");
    }
    for rule in RULES {
        assert!(differences.contains_key(rule), "no case shows {rule} alone");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identified {
    id: String,
    pod_labels: Value,
    workload_labels: Value,
    service_account: String,
    upstream: Workload,
}

#[derive(Deserialize)]
struct Workload {
    workload: String,
}

/// The policy tells a Pod's workload where the idle annotation is set (W7).
#[test]
fn every_identifier_is_upstreams() {
    let policy = policy();
    let cases: Vec<Identified> = read("workload.jsonl.gz");
    assert_eq!(cases.len(), 500);
    for case in &cases {
        let pod = json!({
            "metadata": {
                "name": "web-0", "labels": case.pod_labels,
                "annotations": {"kuma.io/workload": "idle"},
            },
            "spec": {"serviceAccountName": case.service_account, "containers": []},
        });
        let settings =
            Settings::from_value(json!({"workloadLabels": case.workload_labels})).unwrap();
        let cluster = Arc::new(Manifests::new().handled());
        let evaluation = policy
            .evaluate(&request("CREATE", "team", &pod, None), &settings, cluster)
            .unwrap();
        let annotations = evaluation.response.audit_annotations.unwrap_or_default();
        let told = annotations
            .get("idle-annotation")
            .map(String::as_str)
            .unwrap_or_default();
        let workload = told.split('"').nth(1);
        assert_eq!(
            workload,
            Some(&*case.upstream.workload),
            "{}: {told}",
            case.id
        );
    }
    println!("{} of 500 identifiers as upstream", cases.len());
}
