//! Each request is sent twice: with a webhook that records what a policy is asked, and with the policies
//! of `kuma-workload vap`. What was recorded goes to the built policy. Both must answer the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kube::Client;
use kuma_workload_host::cluster::{ManifestCluster, Manifests};
use kuma_workload_host::{Backend, Policy, Settings};
use kuma_workload_rulebook::admission::TEMPLATE_KINDS;
use kuma_workload_testbed::{Recorder, Testbed, User, eventually};
use serde_json::{Value, json};

use crate::answers::{self, Answer};
use crate::api::{self, Call, Reply};
use crate::fixtures;
use crate::generated::{self, Counts};
use crate::policies::{self, TAG};

/// Requests that are judged under the same settings.
pub(crate) struct Batch {
    /// By which the policies know their objects.
    pub(crate) tag: String,
    pub(crate) settings: Value,
    pub(crate) calls: Vec<Call>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a22_the_api_server_answers_as_the_policy_does() {
    const SEED: u64 = 7;
    const COUNTS: Counts = Counts {
        pods: 24,
        templates: 4,
        namespaces: 15,
        workloads: 8,
    };
    let client = prepare().await;
    generated::namespaces(&client, SEED).await;
    let mut batches = Vec::new();
    for (number, settings) in (0..).zip(generated::settings()) {
        let tag = format!("g{number}");
        let calls = generated::calls(&client, &tag, SEED + number, COUNTS).await;
        batches.push(Batch {
            tag,
            settings,
            calls,
        });
    }
    for (number, (settings, requests)) in fixtures::all().into_iter().enumerate() {
        let tag = format!("f{number}");
        let calls = fixtures::calls(&client, &tag, requests).await;
        batches.push(Batch {
            tag,
            settings,
            calls,
        });
    }
    let tally = compare(&client, "vap-equality", &batches).await;
    assert!(tally.sent > 4_000, "{}", tally.sent);
    assert!(
        tally.refused * 10 < tally.sent,
        "the API server itself refuses {}",
        tally.refused
    );
    for rule in ["A1", "A2", "M4", "A17", "A20", "P1"] {
        let rejected = tally.rejected.get(rule).copied().unwrap_or_default();
        assert!(rejected >= 50, "{rule} rejects only {rejected}");
    }
    for rule in ["M4", "A17", "A20", "P1"] {
        let warned = tally.warned.get(rule).copied().unwrap_or_default();
        assert!(warned >= 20, "{rule} warns of only {warned}");
    }
}

/// A client of the shared cluster, in which everybody may do everything: whoever is impersonated must
/// come as far as the policies.
pub(crate) async fn prepare() -> Client {
    let testbed = Testbed::shared().unwrap();
    testbed.install_kuma().await.unwrap();
    let binding = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: vap-test}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:authenticated'}
";
    testbed.apply(binding).await.unwrap();
    testbed.client(User::Admin).await.unwrap()
}

/// Sends all requests both ways. `name` is that of the webhook.
///
/// # Panics
/// When an answer of the API server is not that of the policy.
pub(crate) async fn compare(client: &Client, name: &str, batches: &[Batch]) -> Tally {
    let recorder = Recorder::start().unwrap();
    let without = record(client, &recorder, name, batches).await;
    for batch in batches {
        let made = policies::made_from(&batch.settings).await;
        policies::bind(client, &batch.tag, made).await;
    }
    let policy = load_policy();
    let cluster = cluster(client).await;
    let mut tally = Tally::default();
    for (batch, without) in batches.iter().zip(without) {
        let settings = Settings::from_value(batch.settings.clone()).unwrap();
        let with = api::dry_run(client, &batch.calls).await;
        for ((call, with), without) in batch.calls.iter().zip(with).zip(without) {
            tally.sent += 1;
            if !without.is_accepted() {
                tally.refused(&without);
                continue;
            }
            let Some(request) = recorder.take(&call.name) else {
                panic!("nothing was asked: {call:?}");
            };
            let evaluation = policy.evaluate(&request, &settings, cluster.clone());
            let mut expected = answers::of_policy(&evaluation.unwrap().response);
            let mut found = answers::of_api_server(&with);
            if let Some(beginning) = call.body["metadata"]["generateName"].as_str() {
                expected = expected.with_beginning(beginning);
                found = found.with_beginning(beginning);
            }
            tally.compare(&batch.settings, call, &expected, &found);
        }
    }
    println!("{name}: {tally:#?}");
    let different = tally.differences.len();
    assert_eq!(different, 0, "{}", tally.differences[0]);
    tally
}

/// Sends all requests while only the recorder is asked.
async fn record(
    client: &Client,
    recorder: &Recorder,
    name: &str,
    batches: &[Batch],
) -> Vec<Vec<Reply>> {
    const CONFIGURATIONS: &str =
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    let tags: Vec<_> = batches.iter().map(|batch| &*batch.tag).collect();
    let selector = json!({"matchExpressions": [{"key": TAG, "operator": "In", "values": tags}]});
    let configuration = recorder.configuration(name, &rules(), &selector);
    api::store(client, CONFIGURATIONS, &configuration).await;
    let first = &batches[0].calls[0];
    eventually("the recorder is asked", async || {
        api::dry_run(client, std::slice::from_ref(first)).await;
        let asked = recorder.take(&first.name);
        asked.map(drop).ok_or("it is not".to_owned())
    })
    .await
    .unwrap();
    let mut replies = Vec::new();
    for batch in batches {
        replies.push(api::dry_run(client, &batch.calls).await);
    }
    api::delete(client, &format!("{CONFIGURATIONS}/{name}")).await;
    replies
}

/// What the policy judges, and the subresources of it, which both must leave alone (A0).
fn rules() -> Value {
    let rule = |group: &str, resource: &str| {
        json!({
            "apiGroups": [group], "apiVersions": ["*"],
            "resources": [resource, format!("{resource}/*")],
            "operations": ["CREATE", "UPDATE", "DELETE"],
        })
    };
    let templates = TEMPLATE_KINDS
        .iter()
        .map(|kind| (kind.group(), kind.plural));
    [("", "pods"), ("", "namespaces"), ("kuma.io", "workloads")]
        .into_iter()
        .chain(templates)
        .map(|(group, resource)| rule(group, resource))
        .collect()
}

fn load_policy() -> Policy {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = std::env::var_os("KUMA_WORKLOAD_POLICY_WASM")
        .map_or_else(|| root.join("annotated-policy.wasm"), PathBuf::from);
    Policy::load(&path).unwrap_or_else(|error| panic!("{error}; run `make annotated-policy.wasm`"))
}

/// The Namespaces, as the policy asks for them; Kuma is not installed there, so that no list decides.
async fn cluster(client: &Client) -> Arc<dyn Backend> {
    let get = http::Request::get("/api/v1/namespaces")
        .body(Vec::new())
        .unwrap();
    let list: Value = client.request(get).await.unwrap();
    let items = list["items"].as_array().unwrap().iter().cloned();
    let namespaces = items.map(|mut namespace| {
        namespace["apiVersion"] = json!("v1");
        namespace["kind"] = json!("Namespace");
        namespace
    });
    let manifests = Manifests::of(namespaces).unwrap().without_group("kuma.io");
    Arc::new(ManifestCluster::new(manifests))
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: usize,
    /// By the API server itself, with its words.
    pub(crate) refused: usize,
    refusals: BTreeMap<String, usize>,
    /// Rejected by a rule that is not said in CEL.
    left_to_the_policy: usize,
    accepted: usize,
    /// By the rule that rejects, or warns.
    pub(crate) rejected: BTreeMap<&'static str, usize>,
    pub(crate) warned: BTreeMap<&'static str, usize>,
    differences: Vec<String>,
}

impl Tally {
    fn refused(&mut self, reply: &Reply) {
        self.refused += 1;
        // Without the names.
        let words = reply.message.rsplit(": ").next().unwrap_or_default();
        *self
            .refusals
            .entry(format!("{} {words}", reply.code))
            .or_default() += 1;
    }

    fn compare(&mut self, settings: &Value, call: &Call, expected: &Answer, found: &Answer) {
        match (expected, expected.rule()) {
            (_, Some(answers::ANOTHER)) => {
                self.left_to_the_policy += 1;
                return;
            }
            (Answer::Accepted(_), None) => self.accepted += 1,
            (Answer::Accepted(_), Some(rule)) => *self.warned.entry(rule).or_default() += 1,
            (Answer::Rejected(..), rule) => {
                *self.rejected.entry(rule.unwrap_or_default()).or_default() += 1;
            }
        }
        if expected != found {
            self.differences.push(format!(
                "{settings}\n{call:?}\nthe policy: {expected:?}\nthe API server: {found:?}"
            ));
        }
    }
}
