//! From ClusterAdmissionPolicies to ValidatingWebhookConfigurations, as Kubewarden's controller makes
//! them: one configuration for each policy, with its name in every message.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, RuleWithOperations, ValidatingWebhook, ValidatingWebhookConfiguration,
    WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector, LabelSelectorRequirement, ObjectMeta,
};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use kuma_workload_host::Settings;
use kuma_workload_host::document::{self, Document, Fault};
use kuma_workload_host::metadata::ContextAwareResource;
use serde::Deserialize;
use serde_json::Value;

use crate::Error;

/// Seconds that the API server waits for a webhook.
const TIMEOUT: i32 = 10;

/// The namespace of Kubewarden, which its policies leave alone unless they say otherwise.
const KUBEWARDEN: &str = "kubewarden";

/// What becomes of a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Mode {
    /// It is the answer.
    #[default]
    Protect,
    /// It is logged, and everything is accepted.
    Monitor,
}

impl TryFrom<String> for Mode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "protect" => Ok(Self::Protect),
            "monitor" => Ok(Self::Monitor),
            _ => Err(format!("mode is protect or monitor, not {text}")),
        }
    }
}

/// A ClusterAdmissionPolicy, as far as it decides who is asked what.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterAdmissionPolicy {
    /// Its name.
    pub name: String,
    /// What the guest is told.
    pub settings: Settings,
    /// The kinds that it may read.
    pub resources: BTreeSet<ContextAwareResource>,
    /// What becomes of its verdicts.
    pub mode: Mode,
    spec: Spec,
}

#[derive(Deserialize)]
struct Manifest {
    metadata: ObjectMeta,
    spec: Spec,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    rules: Vec<RuleWithOperations>,
    failure_policy: Option<String>,
    match_policy: Option<String>,
    namespace_selector: Option<LabelSelector>,
    object_selector: Option<LabelSelector>,
    match_conditions: Option<Vec<MatchCondition>>,
    side_effects: Option<String>,
    timeout_seconds: Option<i32>,
    #[serde(default)]
    allow_inside_admission_controller_namespace: bool,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    settings: Value,
    #[serde(default)]
    context_aware_resources: BTreeSet<ContextAwareResource>,
}

/// The policies of a file, or of the files in a folder; what else is there is passed over.
///
/// # Errors
/// When a file cannot be read, or a policy in it is not one, or there is none at all.
pub fn load(path: &Path) -> Result<Vec<ClusterAdmissionPolicy>, Error> {
    let told = |fault: Fault| Error::new(fault.to_string());
    let mut policies = Vec::new();
    for file in document::files(path).map_err(told)? {
        for document in document::read(&file) {
            let document = document.map_err(told)?;
            if document.text("kind") == Some("ClusterAdmissionPolicy") {
                policies.push(read(&document).map_err(told)?);
            }
        }
    }
    if policies.is_empty() {
        return Err(Error::new(format!(
            "{}: there is no ClusterAdmissionPolicy",
            path.display()
        )));
    }
    Ok(policies)
}

fn read(document: &Document) -> Result<ClusterAdmissionPolicy, Fault> {
    let Manifest { metadata, spec } = document.read()?;
    let missing = || document.fault("metadata.name is missing");
    let settings = Settings::from_value(spec.settings.clone());
    Ok(ClusterAdmissionPolicy {
        name: metadata.name.ok_or_else(missing)?,
        settings: settings.map_err(|error| document.fault(error.to_string()))?,
        resources: spec.context_aware_resources.clone(),
        mode: spec.mode,
        spec,
    })
}

/// Tells an API server to ask as these configurations say; that takes effect within a moment.
///
/// # Errors
/// What the API server says against it.
pub async fn register(
    client: &Client,
    configurations: Vec<ValidatingWebhookConfiguration>,
) -> Result<(), Error> {
    let api: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    let manager = PatchParams::apply("policy-webhook").force();
    for configuration in configurations {
        let name = configuration.metadata.name.clone().unwrap_or_default();
        api.patch(&name, &manager, &Patch::Apply(configuration))
            .await?;
    }
    Ok(())
}

impl ClusterAdmissionPolicy {
    /// Its name among all policies of a policy server, and the end of its URL.
    #[must_use]
    pub fn id(&self) -> String {
        format!("clusterwide-{}", self.name)
    }

    /// The configuration that has the API server ask at `address`, where this authority vouches.
    #[must_use]
    pub fn webhook(&self, address: &str, authority: &str) -> ValidatingWebhookConfiguration {
        let labels = [("app.kubernetes.io/part-of", "kubewarden")];
        // Of the whole cluster, so in no namespace.
        let annotations = [
            ("kubewardenPolicyName", self.name.as_str()),
            ("kubewardenPolicyNamespace", ""),
        ];
        ValidatingWebhookConfiguration {
            metadata: ObjectMeta {
                name: Some(self.id()),
                labels: Some(owned(labels)),
                annotations: Some(owned(annotations)),
                ..ObjectMeta::default()
            },
            webhooks: Some(vec![ValidatingWebhook {
                name: format!("{}.kubewarden.admission", self.id()),
                admission_review_versions: vec!["v1".to_owned()],
                client_config: WebhookClientConfig {
                    url: Some(format!("{address}/validate/{}", self.id())),
                    ca_bundle: Some(ByteString(authority.as_bytes().to_vec())),
                    service: None,
                },
                rules: Some(self.spec.rules.clone()),
                failure_policy: self.spec.failure_policy.clone(),
                match_policy: self.spec.match_policy.clone(),
                namespace_selector: self.spec.namespaces(),
                object_selector: self.spec.object_selector.clone(),
                side_effects: self.spec.side_effects.clone().unwrap_or("None".to_owned()),
                timeout_seconds: Some(self.spec.timeout_seconds.unwrap_or(TIMEOUT)),
                match_conditions: self.spec.match_conditions.clone(),
            }]),
        }
    }
}

impl Spec {
    /// Kubewarden's controller keeps its own namespace out, where no other is selected, too, and drops
    /// `matchLabels`.
    fn namespaces(&self) -> Option<LabelSelector> {
        if self.allow_inside_admission_controller_namespace {
            return self.namespace_selector.clone();
        }
        let mut expressions = vec![LabelSelectorRequirement {
            key: "kubernetes.io/metadata.name".to_owned(),
            operator: "NotIn".to_owned(),
            values: Some(vec![KUBEWARDEN.to_owned()]),
        }];
        let selected = self.namespace_selector.clone().unwrap_or_default();
        expressions.extend(selected.match_expressions.into_iter().flatten());
        Some(LabelSelector {
            match_expressions: Some(expressions),
            match_labels: None,
        })
    }
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<ClusterAdmissionPolicy> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/policies");
        load(Path::new(folder)).unwrap()
    }

    #[test]
    fn the_examples_are_five_policies() {
        let names: Vec<String> = examples().iter().map(ClusterAdmissionPolicy::id).collect();
        assert_eq!(
            names,
            [
                "clusterwide-kuma-workload-namespaces",
                "clusterwide-kuma-workload-pods",
                "clusterwide-kuma-workload-strays",
                "clusterwide-kuma-workload-templates",
                "clusterwide-kuma-workload-workloads",
            ]
        );
    }

    #[test]
    fn a_configuration_says_what_the_policy_says() {
        let pods = &examples()[1];
        let configuration = pods.webhook("https://127.0.0.1:1", "PEM");
        let webhook = serde_json::to_value(&configuration.webhooks.unwrap()[0]).unwrap();
        assert_eq!(
            webhook["name"],
            "clusterwide-kuma-workload-pods.kubewarden.admission"
        );
        assert_eq!(
            webhook["clientConfig"]["url"],
            "https://127.0.0.1:1/validate/clusterwide-kuma-workload-pods"
        );
        assert_eq!(webhook["failurePolicy"], "Fail");
        assert_eq!(webhook["timeoutSeconds"], 10);
        let expressions = &webhook["namespaceSelector"]["matchExpressions"];
        assert_eq!(expressions[0]["values"][0], "kubewarden");
        assert_eq!(expressions[1]["key"], "kuma.io/sidecar-injection");
        assert_eq!(
            webhook["matchConditions"][0]["name"],
            "changes-labels-or-annotations"
        );
    }

    #[test]
    fn the_namespace_of_kubewarden_is_left_alone_unless_it_is_not() {
        let mut workloads = examples().remove(4);
        assert_eq!(workloads.spec.namespace_selector, None);
        let selector = serde_json::to_value(workloads.spec.namespaces()).unwrap();
        let excluded = &selector["matchExpressions"][0]["values"];
        assert_eq!(excluded, &serde_json::json!(["kubewarden"]));

        workloads.spec.allow_inside_admission_controller_namespace = true;
        assert_eq!(workloads.spec.namespaces(), None);
    }

    #[test]
    fn a_folder_without_policies_is_an_error() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
        let error = load(&folder).unwrap_err().to_string();
        assert!(error.contains("there is no ClusterAdmissionPolicy"));
    }
}
