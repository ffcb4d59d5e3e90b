//! What a policy and its host write to each other, as JSON: the types of `kubewarden-policy-sdk`, which a
//! policy has of this, field by field.
//!
//! The SDK itself is left to the tests: it brings 67 crates that the first `make run` would build, for
//! what a policy does with these types.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The payload of `kubernetes/list_resources_by_namespace`.
#[derive(Debug, Deserialize)]
pub(crate) struct ListResourcesByNamespaceRequest {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) label_selector: Option<String>,
    pub(crate) field_selector: Option<String>,
    pub(crate) field_masks: Option<BTreeSet<String>>,
}

/// The payload of `kubernetes/list_resources_all`.
#[derive(Debug, Deserialize)]
pub(crate) struct ListAllResourcesRequest {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) label_selector: Option<String>,
    pub(crate) field_selector: Option<String>,
    pub(crate) field_masks: Option<BTreeSet<String>>,
}

/// The payload of `kubernetes/get_resource`.
#[derive(Debug, Deserialize)]
pub(crate) struct GetResourceRequest {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) disable_cache: bool,
    pub(crate) field_masks: Option<BTreeSet<String>>,
}

/// The payload of `kubernetes/can_i`.
#[derive(Debug, Deserialize)]
pub(crate) struct CanIRequest {
    pub(crate) subject_access_review: SubjectAccessReview,
    pub(crate) disable_cache: bool,
}

/// Who wants to do what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SubjectAccessReview {
    /// The groups that the user is in.
    pub groups: Option<Vec<String>>,
    /// What.
    pub resource_attributes: ResourceAttributes,
    /// Who.
    pub user: String,
}

/// A verb on a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResourceAttributes {
    /// The API group; `*` is all.
    pub group: Option<String>,
    /// The object's name; empty is all.
    pub name: Option<String>,
    /// The namespace; empty is all.
    pub namespace: Option<String>,
    /// The resource, plural; `*` is all.
    pub resource: String,
    /// The sub-resource.
    pub subresource: Option<String>,
    /// `get`, `list`, `watch`, `create` and so on; `*` is all.
    pub verb: String,
    /// The API version; `*` is all.
    pub version: Option<String>,
}

/// What it is about, for a person: `list dataplanes.kuma.io team`.
impl fmt::Display for SubjectAccessReview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = &self.resource_attributes;
        write!(f, "{} {}", asked.verb, asked.resource)?;
        if let Some(group) = asked.group.as_deref().filter(|group| !group.is_empty()) {
            write!(f, ".{group}")?;
        }
        match asked.namespace.as_deref() {
            None | Some("") => Ok(()),
            Some(namespace) => write!(f, " {namespace}"),
        }
    }
}

/// What `validate` answers.
#[derive(Debug, Deserialize)]
pub(crate) struct ValidationResponse {
    pub(crate) accepted: bool,
    pub(crate) message: Option<String>,
    pub(crate) code: Option<u16>,
    pub(crate) mutated_object: Option<Value>,
    pub(crate) audit_annotations: Option<BTreeMap<String, String>>,
    pub(crate) warnings: Option<Vec<String>>,
}

/// What `validate_settings` answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SettingsValidationResponse {
    /// Whether the policy takes the settings.
    pub valid: bool,
    /// Why not.
    pub message: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::{any::type_name, fmt::Debug};

    use kubewarden_policy_sdk::{
        host_capabilities::kubernetes as sdk, response as sdk_response, settings as sdk_settings,
    };
    use rstest::rstest;
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    /// What is read by the SDK's type is read by ours, to the same content, and what is not, is not, for
    /// the same reason: each field is left out once, and once of another type.
    #[rstest]
    #[case::list_by_namespace(json!({"api_version": "v1", "kind": "Pod", "namespace": "n", "label_selector": "a=b",
        "field_selector": "c=d", "field_masks": ["x", "a"]}), same::<ListResourcesByNamespaceRequest, sdk::ListResourcesByNamespaceRequest>)]
    #[case::list_all(json!({"api_version": "v1", "kind": "Pod", "label_selector": "a=b", "field_selector": "c=d",
        "field_masks": []}), same::<ListAllResourcesRequest, sdk::ListAllResourcesRequest>)]
    #[case::get(json!({"api_version": "v1", "kind": "Pod", "name": "p", "namespace": "n", "disable_cache": true,
        "field_masks": ["x"]}), same::<GetResourceRequest, sdk::GetResourceRequest>)]
    #[case::can_i(json!({"subject_access_review": {"user": "u", "resource_attributes": {"verb": "get", "resource": "pods"}},
        "disable_cache": false}), same::<CanIRequest, sdk::CanIRequest>)]
    #[case::review(json!({"groups": ["g"], "user": "u", "resource_attributes": {"verb": "get", "resource": "pods"}}),
        same::<SubjectAccessReview, sdk::SubjectAccessReview>)]
    #[case::attributes(json!({"group": "g", "name": "n", "namespace": "ns", "resource": "pods", "subresource": "s",
        "verb": "get", "version": "v1"}), same::<ResourceAttributes, sdk::ResourceAttributes>)]
    #[case::verdict(json!({"accepted": false, "message": "m", "code": 403, "mutated_object": {"a": 1},
        "audit_annotations": {"a": "b"}, "warnings": ["w"]}), same::<ValidationResponse, sdk_response::ValidationResponse>)]
    #[case::settings(json!({"valid": false, "message": "m"}),
        same::<SettingsValidationResponse, sdk_settings::SettingsValidationResponse>)]
    fn each_type_is_the_sdks(#[case] whole: Value, #[case] same: fn(&Value)) {
        same(&whole);
        let fields: Vec<String> = whole.as_object().expect("a map").keys().cloned().collect();
        for field in fields {
            for other in [None, Some(Value::Null), Some(json!([[7]])), Some(json!(-1))] {
                let mut odd = whole.clone();
                match other {
                    Some(value) => odd[&field] = value,
                    None => drop(odd.as_object_mut().expect("a map").remove(&field)),
                }
                same(&odd);
            }
        }
    }

    fn same<Ours: DeserializeOwned + Debug, Sdks: DeserializeOwned + Debug>(value: &Value) {
        let text = value.to_string();
        let ours = serde_json::from_str::<Ours>(&text).map(|read| format!("{read:?}"));
        let sdks = serde_json::from_str::<Sdks>(&text).map(|read| format!("{read:?}"));
        assert_eq!(
            ours.map_err(|error| error.to_string()),
            sdks.map_err(|error| error.to_string()),
            "{}: {text}",
            type_name::<Ours>()
        );
    }
}
