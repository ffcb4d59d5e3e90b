//! An object as the request that an API server would send about it: what `kwctl run` judges.

use kuma_workload_plan::{
    DEFAULT_SETTINGS,
    read::{
        self, Document,
        tree::{self, Node},
    },
};
use kuma_workload_rulebook::{admission::TEMPLATE_KINDS, quoted::Quoted};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::options::Flags;

/// Which object of a document is meant, as the report names it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: String,
    namespace: Option<String>,
    name: String,
    /// The line on which it begins: several may have one name.
    line: Option<u32>,
}

/// The request to create an object of the document, and the settings that judge it, as JSON.
///
/// # Errors
///
/// A sentence: the object is not there, or the options cannot be read.
pub(crate) fn request(
    document: &Document<'_>,
    object: &str,
    flags: &str,
) -> Result<String, String> {
    let wanted: Wanted = serde_json::from_str(object)
        .map_err(|error| format!("the name of the object cannot be read: {error}"))?;
    let flags = Flags::read(flags)?;
    let options = flags.options()?;
    let settings: Value = match &options.settings {
        Some(settings) => {
            let (_, node) = read::policy_settings(settings).map_err(|fault| fault.to_string())?;
            node.value.into()
        }
        None => serde_json::from_str(DEFAULT_SETTINGS)
            .map_err(|error| format!("the settings cannot be read: {error}"))?,
    };
    let trees: Vec<_> = read::trees(document).filter_map(Result::ok).collect();
    let search = Search {
        wanted: &wanted,
        default_namespace: &options.default_namespace,
    };
    let found = trees.into_iter().find_map(|node| search.find(node, None));
    let found = found.ok_or_else(|| {
        let name = Quoted(&wanted.name);
        format!("{} {name} is not in {}", wanted.kind, document.name)
    })?;
    let review = review(found, &wanted)?;
    Ok(json!({ "settings": settings, "review": review }).to_string())
}

struct Search<'s> {
    wanted: &'s Wanted,
    default_namespace: &'s str,
}

impl Search<'_> {
    /// The object in a node, which may be a list. The items of a list of one kind need not say theirs.
    fn find(&self, node: Node, listed: Option<(&str, &str)>) -> Option<Value> {
        if let tree::Value::List(items) = node.value {
            return items.into_iter().find_map(|item| self.find(item, listed));
        }
        let text = |key| node.get(key).and_then(|node| node.text().ok());
        let api_version = text("apiVersion").or(listed.map(|(version, _)| version));
        let kind = text("kind").or(listed.map(|(_, kind)| kind));
        if self.is_it(&node, kind) {
            let (api_version, kind) = (api_version.map(str::to_owned), kind.map(str::to_owned));
            let mut object = Value::from(node.value);
            if let Some(fields) = object.as_object_mut() {
                for (key, value) in [("apiVersion", api_version), ("kind", kind)] {
                    fields.entry(key).or_insert_with(|| json!(value));
                }
            }
            return Some(object);
        }
        let of_items = kind
            .and_then(|kind| kind.strip_suffix("List"))
            .filter(|kind| !kind.is_empty());
        let of_items = of_items.map(|kind| (api_version.unwrap_or("v1"), kind));
        let items = node.get("items")?.clone();
        matches!(items.value, tree::Value::List(_))
            .then(|| self.find(items, of_items))
            .flatten()
    }

    fn is_it(&self, node: &Node, kind: Option<&str>) -> bool {
        let wanted = self.wanted;
        let Some(metadata) = node.get("metadata") else {
            return false;
        };
        let text = |key| {
            let text = metadata.get(key).and_then(|node| node.text().ok());
            text.filter(|text| !text.is_empty())
        };
        let is_named = match (text("name"), text("generateName")) {
            (Some(name), _) => name == wanted.name,
            (None, Some(beginning)) => wanted.name.strip_suffix('*') == Some(beginning),
            (None, None) => false,
        };
        let namespace = text("namespace").unwrap_or(self.default_namespace);
        let mut of_namespace = wanted.namespace.iter();
        kind == Some(&wanted.kind)
            && is_named
            && of_namespace.all(|wanted| wanted == namespace)
            && wanted.line.is_none_or(|line| line == node.at.line)
    }
}

/// The name of a kind's resource.
fn resource(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("pods"),
        "Namespace" => Some("namespaces"),
        "Workload" => Some("workloads"),
        kind => {
            let mut kinds = TEMPLATE_KINDS.iter();
            kinds.find(|one| one.name == kind).map(|one| one.plural)
        }
    }
}

fn review(mut object: Value, wanted: &Wanted) -> Result<Value, String> {
    let resource = resource(&wanted.kind)
        .ok_or_else(|| format!("kind {} is not judged by the policy", Quoted(&wanted.kind)))?;
    let api_version = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or("v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = json!({ "group": group, "version": version, "kind": wanted.kind });
    let resource = json!({ "group": group, "version": version, "resource": resource });
    // The API server has filled these in before it asks.
    if let (Some(namespace), Some(metadata)) = (
        &wanted.namespace,
        object.get_mut("metadata").and_then(Value::as_object_mut),
    ) {
        metadata
            .entry("namespace")
            .or_insert_with(|| json!(namespace));
    }
    Ok(json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "00000000-0000-4000-8000-000000000000",
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": wanted.name,
            "namespace": wanted.namespace,
            "operation": "CREATE",
            "userInfo": { "username": "somebody", "groups": ["system:authenticated"] },
            "object": object,
            "oldObject": null,
            "dryRun": true,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const PODS: &str = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: team}}
- {apiVersion: v1, kind: Pod, metadata: {generateName: b-}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: team}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: team}}
---
{apiVersion: v1, kind: Service, metadata: {name: a}}
---
{apiVersion: v1, kind: PodList, items: [{metadata: {name: listed}}]}
---
{apiVersion: batch/v1, kind: Job, metadata: {generateName: once-}, spec: {suspend: true}}
---
{apiVersion: batch/v1, kind: Job, metadata: {generateName: once-}, items: []}
";

    fn asked(object: &str, flags: &str) -> Result<Value, String> {
        let document = Document {
            name: "pods.yml".into(),
            bytes: PODS.as_bytes().into(),
        };
        let json = request(&document, object, flags)?;
        Ok(serde_json::from_str(&json).unwrap())
    }

    #[rstest]
    #[case::item(r#"{"kind": "Pod", "namespace": "team", "name": "a"}"#, "pods", "")]
    #[case::generated(
        r#"{"kind": "Pod", "namespace": "default", "name": "b-*"}"#,
        "pods",
        ""
    )]
    #[case::template(
        r#"{"kind": "Deployment", "namespace": "team", "name": "a"}"#,
        "deployments",
        "apps"
    )]
    #[case::namespace(r#"{"kind": "Namespace", "name": "team"}"#, "namespaces", "")]
    #[case::item_without_a_kind(r#"{"kind": "Pod", "name": "listed"}"#, "pods", "")]
    #[case::second_of_a_name(r#"{"kind": "Job", "name": "once-*", "line": 18}"#, "jobs", "batch")]
    fn an_object_becomes_a_request(
        #[case] object: &str,
        #[case] resource: &str,
        #[case] group: &str,
    ) {
        let asked = asked(object, "").unwrap();
        let request = &asked["review"]["request"];
        assert_eq!(request["resource"]["resource"], resource);
        assert_eq!(request["kind"]["group"], group);
        assert_eq!(request["object"]["kind"], request["kind"]["kind"]);
        assert_eq!(asked["settings"]["namespaceMesh"], "observed");
    }

    #[rstest]
    #[case::another_name(
        r#"{"kind": "Pod", "namespace": "team", "name": "b"}"#,
        "",
        "Pod \"b\" is not in pods.yml"
    )]
    #[case::another_namespace(
        r#"{"kind": "Pod", "namespace": "shop", "name": "a"}"#,
        "",
        "Pod \"a\" is not in pods.yml"
    )]
    #[case::another_kind(
        r#"{"kind": "Service", "name": "a"}"#,
        "",
        "kind \"Service\" is not judged by the policy"
    )]
    #[case::no_json("a", "", "the name of the object cannot be read")]
    #[case::settings(
        r#"{"kind": "Pod", "name": "a"}"#,
        r#"{"settings": {"name": "s.yml", "text": "a: ["}}"#,
        "s.yml:"
    )]
    fn what_cannot_be_asked_is_a_sentence(
        #[case] object: &str,
        #[case] flags: &str,
        #[case] sentence: &str,
    ) {
        let said = asked(object, flags).unwrap_err();
        assert!(said.starts_with(sentence), "{said}");
    }

    #[test]
    fn the_settings_are_those_of_the_options() {
        let flags = r#"{"settings": {"name": "s.yml", "text": "kind: ClusterAdmissionPolicy\nspec: {settings: {action: warn}}"}}"#;
        let asked = asked(r#"{"kind": "Pod", "name": "a"}"#, flags).unwrap();
        assert_eq!(asked["settings"], json!({"action": "warn"}));
    }
}
