//! The policies of `kuma-workload vap`, in effect for the objects of one test alone.

use http::Method;
use kube::Client;
use kuma_workload_testbed::{eventually, reconciler};
use serde_json::{Value, json};

use crate::api::{self, Call};

/// The label of an object that says whose policies judge it.
pub(crate) const TAG: &str = "vap-test";

const API: &str = "/apis/admissionregistration.k8s.io/v1";

/// What `kuma-workload vap` prints for these settings.
pub(crate) async fn made_from(settings: &Value) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let arguments = ["vap", "-o", "json", "--settings", file.to_str().unwrap()];
    let list: Value = serde_json::from_str(&reconciler::run(&arguments).await.unwrap()).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Creates them, bound to objects with this tag, and waits until they judge. Their names end in it.
pub(crate) async fn bind(client: &Client, tag: &str, objects: Vec<Value>) {
    let is_binding = |object: &Value| object["kind"] == "ValidatingAdmissionPolicyBinding";
    // The first policy, which judges Pods by their label, comes last: where it is seen to judge, the
    // others do, too.
    let (bindings, policies): (Vec<_>, Vec<_>) = objects.into_iter().rev().partition(is_binding);
    for mut policy in policies {
        rename(&mut policy["metadata"]["name"], tag);
        let collection = format!("{API}/validatingadmissionpolicies");
        api::store(client, &collection, &policy).await;
    }
    for mut binding in bindings {
        rename(&mut binding["metadata"]["name"], tag);
        rename(&mut binding["spec"]["policyName"], tag);
        binding["spec"]["matchResources"] = json!({"objectSelector": {"matchLabels": {TAG: tag}}});
        let collection = format!("{API}/validatingadmissionpolicybindings");
        api::store(client, &collection, &binding).await;
    }
    let probe = Call {
        name: "probe".to_owned(),
        method: Method::POST,
        path: "/api/v1/namespaces/default/pods".to_owned(),
        body: json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "probe", "labels": {TAG: tag, "kuma.io/workload": "forged"}},
            "spec": {"containers": [{"name": "probe", "image": "probe"}]},
        }),
        user: None,
    };
    eventually(&format!("the policies of {tag} judge"), async || {
        let replies = api::dry_run(client, std::slice::from_ref(&probe)).await;
        match replies[0].is_accepted() {
            true => Err("the probe is accepted".to_owned()),
            false => Ok(()),
        }
    })
    .await
    .unwrap();
}

fn rename(name: &mut Value, tag: &str) {
    *name = format!("{}-{tag}", name.as_str().unwrap()).into();
}

/// The names of the policies of a tag, with all that the type checker of the API server has against
/// them, once it has looked at each.
pub(crate) async fn type_checked(client: &Client, tag: &str) -> Vec<(String, Value)> {
    let get = http::Request::get(format!("{API}/validatingadmissionpolicies")).body(Vec::new());
    let get = get.unwrap();
    eventually("all policies are type-checked", async || {
        let list: Value = client
            .request(get.clone())
            .await
            .map_err(|error| error.to_string())?;
        let policies = list["items"].as_array().unwrap().iter();
        let of_tag = policies.filter(|policy| {
            let name = policy["metadata"]["name"].as_str().unwrap();
            name.ends_with(&format!("-{tag}"))
        });
        let checked = of_tag.map(|policy| {
            let name = policy["metadata"]["name"].as_str().unwrap();
            if policy["status"]["observedGeneration"] != policy["metadata"]["generation"] {
                return Err(format!("{name} is not checked"));
            }
            Ok((name.to_owned(), policy["status"]["typeChecking"].clone()))
        });
        checked.collect()
    })
    .await
    .unwrap()
}
