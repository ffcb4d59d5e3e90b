//! From ClusterAdmissionPolicies to ValidatingWebhookConfigurations, as Kubewarden's controller makes
//! them: one configuration for each policy, with its name in every message.

use std::collections::BTreeSet;
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

/// A ClusterAdmissionPolicy, as far as it decides who is asked what.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterAdmissionPolicy {
    /// Its name.
    pub name: String,
    /// What the guest is told.
    pub settings: Settings,
    /// The kinds that it may read.
    pub resources: BTreeSet<ContextAwareResource>,
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
    #[serde(default)]
    settings: Value,
    #[serde(default)]
    context_aware_resources: BTreeSet<ContextAwareResource>,
    timeout_seconds: Option<i32>,
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
        ValidatingWebhookConfiguration {
            metadata: ObjectMeta {
                name: Some(self.id()),
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
                namespace_selector: self.spec.namespace_selector.as_ref().map(by_expressions),
                object_selector: self.spec.object_selector.clone(),
                side_effects: "None".to_owned(),
                timeout_seconds: Some(self.spec.timeout_seconds.unwrap_or(TIMEOUT)),
                match_conditions: self.spec.match_conditions.clone(),
            }]),
        }
    }
}

/// Kubewarden's controller drops `matchLabels`, and keeps its own namespace out.
fn by_expressions(selector: &LabelSelector) -> LabelSelector {
    let mut expressions = selector.match_expressions.clone().unwrap_or_default();
    expressions.push(LabelSelectorRequirement {
        key: "kubernetes.io/metadata.name".to_owned(),
        operator: "NotIn".to_owned(),
        values: Some(vec!["kubewarden".to_owned()]),
    });
    LabelSelector {
        match_expressions: Some(expressions),
        match_labels: None,
    }
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
        assert_eq!(expressions[0]["key"], "kuma.io/sidecar-injection");
        assert_eq!(expressions[2]["values"][0], "kubewarden");
        assert_eq!(
            webhook["matchConditions"][0]["name"],
            "changes-labels-or-annotations"
        );
    }

    #[test]
    fn a_folder_without_policies_is_an_error() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
        let error = load(&folder).unwrap_err().to_string();
        assert!(error.contains("there is no ClusterAdmissionPolicy"));
    }
}
