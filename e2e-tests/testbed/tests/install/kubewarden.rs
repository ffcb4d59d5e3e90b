//! Kubewarden's part, played by the project's own host: each live ClusterAdmissionPolicy becomes a webhook,
//! and the module that the policies name is pulled and asked.

use std::collections::BTreeSet;
use std::fs;

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams};
use kube::core::TypeMeta;
use kube::{Api, ResourceExt};
use kuma_workload_testbed::{Error, Program, Testbed, User, eventually};
use serde_json::Value;
use tokio::process::Command;

use crate::told::{end_of, seen};
use crate::tools::{in_own_home, output};

/// What the API server must be told of a policy.
const FIELDS: [&str; 7] = [
    "rules",
    "failurePolicy",
    "matchPolicy",
    "namespaceSelector",
    "objectSelector",
    "matchConditions",
    "timeoutSeconds",
];

/// What every webhook of Kubewarden's has as a label.
const OURS: &str = "app.kubernetes.io/part-of=kubewarden";

/// Serves the policies that are there, which must be of this mode, and takes away the webhooks of those that
/// are not there any more.
pub(crate) async fn serve(testbed: &Testbed, mode: &str) -> Result<Program, Error> {
    let policies = policies(testbed).await?;
    let failed =
        |error: std::io::Error| Error::new(format!("{}: {error}", testbed.folder().display()));
    let mut modules = BTreeSet::new();
    let mut documents = Vec::new();
    for policy in &policies {
        let spec = &policy.data["spec"];
        if spec["mode"] != mode {
            return Err(Error::new(format!(
                "policy {} is in mode {}, not {mode}",
                policy.name_any(),
                spec["mode"]
            )));
        }
        modules.insert(spec["module"].as_str().unwrap_or_default().to_owned());
        documents
            .push(serde_json::to_string(policy).map_err(|error| Error::new(error.to_string()))?);
    }
    let file = testbed.folder().join("live-policies.yaml");
    fs::write(&file, documents.join("\n---\n")).map_err(failed)?;

    let modules: Vec<_> = modules.into_iter().collect();
    let [module] = modules.as_slice() else {
        return Err(Error::new(format!(
            "the policies are to be of one module, and are of {modules:?}"
        )));
    };
    let wasm = testbed.folder().join("pulled-policy.wasm");
    let mut pull = in_own_home(
        testbed,
        std::env::var("POLICY_REGISTRY").unwrap_or_default(),
    );
    output(pull.args(["pull", module, "--output"]).arg(&wasm)).await?;
    seen(&format!("{module} pulled"));

    let mut command = Command::new(env!("CARGO_BIN_EXE_policy-webhook"));
    command
        .arg("--policy")
        .arg(wasm)
        .arg("--kubeconfig")
        .arg(testbed.kubeconfig(User::PolicyServer))
        .arg("--register")
        .arg(testbed.kubeconfig(User::Admin))
        .arg(file);
    let program = testbed.spawn("policy-webhook", &mut command)?;
    eventually("policy-webhook listens", async || match program.log() {
        log if log.contains("listening on https://") => Ok(()),
        log => Err(end_of(&log)),
    })
    .await?;
    compare(testbed, &policies).await?;
    Ok(program)
}

async fn policies(testbed: &Testbed) -> Result<Vec<DynamicObject>, Error> {
    let kind = GroupVersionKind::gvk("policies.kubewarden.io", "v1", "ClusterAdmissionPolicy");
    let resource = ApiResource::from_gvk_with_plural(&kind, "clusteradmissionpolicies");
    let api: Api<DynamicObject> = Api::all_with(testbed.client(User::Admin).await?, &resource);
    let mut policies = api.list(&ListParams::default()).await?.items;
    if policies.is_empty() {
        return Err(Error::new(
            "there is no ClusterAdmissionPolicy in the cluster",
        ));
    }
    for policy in &mut policies {
        // A list leaves it out.
        policy.types = Some(TypeMeta {
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
        });
    }
    Ok(policies)
}

/// Each webhook asks as its policy says; what has no policy any more goes.
async fn compare(testbed: &Testbed, policies: &[DynamicObject]) -> Result<(), Error> {
    let api: Api<ValidatingWebhookConfiguration> = Api::all(testbed.client(User::Admin).await?);
    let live = api.list(&ListParams::default().labels(OURS)).await?.items;
    for policy in policies {
        let name = format!("clusterwide-{}", policy.name_any());
        let there = live.iter().find(|webhook| webhook.name_any() == name);
        let webhook = there.and_then(|webhook| webhook.webhooks.as_ref()?.first());
        let webhook = webhook.ok_or_else(|| Error::new(format!("there is no webhook {name}")))?;
        let webhook =
            serde_json::to_value(webhook).map_err(|error| Error::new(error.to_string()))?;
        let spec = &policy.data["spec"];
        for field in FIELDS {
            if !spec[field].is_null() && !has(&webhook[field], &spec[field]) {
                return Err(Error::new(format!(
                    "webhook {name} has {field} {}, and its policy {}",
                    webhook[field], spec[field]
                )));
            }
        }
        let count = |value: &Value| value.as_array().map_or(0, Vec::len);
        seen(&format!(
            "{name}: {}, {} rules, {} matchConditions, {} settings, reads {} kinds",
            spec["failurePolicy"].as_str().unwrap_or("Fail"),
            count(&webhook["rules"]),
            count(&webhook["matchConditions"]),
            spec["settings"].as_object().map_or(0, serde_json::Map::len),
            count(&spec["contextAwareResources"]),
        ));
    }
    let is_stale = |name: &str| {
        !policies
            .iter()
            .any(|policy| format!("clusterwide-{}", policy.name_any()) == name)
    };
    for name in live
        .iter()
        .map(ResourceExt::name_any)
        .filter(|name| is_stale(name))
    {
        api.delete(&name, &DeleteParams::default()).await?;
        seen(&format!("{name} has no policy any more, and is gone"));
    }
    Ok(())
}

/// Whether the one value has all that the other has; it may have more of it.
fn has(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| value.get(key).is_some_and(|value| has(value, wanted))),
        (Value::Array(value), Value::Array(wanted)) => wanted
            .iter()
            .all(|wanted| value.iter().any(|value| has(value, wanted))),
        (value, wanted) => value == wanted,
    }
}
