//! Admission requests as policy-server hands them to a policy, and the responses that it makes of a
//! policy's verdict.

use std::collections::BTreeMap;

use k8s_openapi::api::authentication::v1::UserInfo;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::wire::ValidationResponse;

/// `AdmissionRequest` of `admission.k8s.io/v1`. Read and written again on the way to the policy, so
/// that an unknown field or a `null` never reaches it, as in policy-server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionRequest {
    /// Identifies the request; the response repeats it.
    pub uid: String,
    /// The object's kind.
    pub kind: GroupVersionKind,
    /// The object's resource.
    pub resource: GroupVersionResource,
    /// The sub-resource, if one was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_resource: Option<String>,
    /// The kind that the client used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_kind: Option<GroupVersionKind>,
    /// The resource that the client used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_resource: Option<GroupVersionResource>,
    /// The sub-resource that the client used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_sub_resource: Option<String>,
    /// The object's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The object's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub operation: String,
    /// Who asks. Required, even if empty.
    pub user_info: UserInfo,
    /// The new object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
    /// The object before the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_object: Option<Value>,
    /// Is nothing going to be stored?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The operation's options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
}

/// Group, version and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupVersionKind {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
}

/// Group, version and resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupVersionResource {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Resource, plural.
    pub resource: String,
}

/// An `AdmissionReview` that carries a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionReview {
    /// `AdmissionReview`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `admission.k8s.io/v1`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The request.
    pub request: AdmissionRequest,
}

/// A policy's settings: always an object; `null` means an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Settings(Map<String, Value>);

impl Settings {
    /// Takes an object or `null`; anything else is no settings document for policy-server either.
    ///
    /// # Errors
    ///
    /// When the value is neither.
    pub fn from_value(value: Value) -> Result<Self, NotAnObject> {
        match value {
            Value::Null => Ok(Self::default()),
            Value::Object(map) => Ok(Self(map)),
            _ => Err(NotAnObject),
        }
    }
}

/// Settings that are not an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings must be a map")]
pub struct NotAnObject;

/// The payload of the guest's `validate`.
#[must_use]
pub fn validate_payload(request: &AdmissionRequest, settings: &Settings) -> Vec<u8> {
    // `json!` on purpose: policy-server goes through a `Value` too, so keys arrive sorted.
    json!({ "request": request, "settings": settings })
        .to_string()
        .into_bytes()
}

/// `AdmissionResponse` of `admission.k8s.io/v1`, in the form that policy-server sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionResponse {
    /// The request's `uid`.
    pub uid: String,
    /// The verdict.
    pub allowed: bool,
    /// Code and message of a rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ResponseStatus>,
    /// What lands in the audit log.
    pub audit_annotations: Option<BTreeMap<String, String>>,
    /// What the client shows to its user.
    pub warnings: Option<Vec<String>>,
}

/// Code and message of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseStatus {
    /// What the user reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The HTTP status code that the API server answers with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// The answer where an evaluation ran into its time limit.
pub(crate) const INTERRUPTED: &str =
    "Policy execution interrupted because it exceeded the allowed execution time";

impl AdmissionResponse {
    /// A rejection.
    #[must_use]
    pub fn reject(uid: &str, message: String, code: u16) -> Self {
        Self {
            uid: uid.to_owned(),
            status: Some(ResponseStatus {
                message: Some(message),
                code: Some(code),
            }),
            ..Self::default()
        }
    }

    /// What a trap or an unreadable verdict becomes.
    #[must_use]
    pub fn internal_error(uid: &str, message: &str) -> Self {
        Self::reject(uid, format!("internal server error: {message}"), 500)
    }

    /// What an evaluation beyond its time limit becomes.
    #[must_use]
    pub fn interrupted(uid: &str) -> Self {
        Self::reject(uid, INTERRUPTED.to_owned(), 500)
    }

    /// Reads a guest's verdict.
    #[must_use]
    pub fn from_verdict(request: &AdmissionRequest, verdict: &[u8]) -> Self {
        let uid = &request.uid;
        let verdict: ValidationResponse = match serde_json::from_slice(verdict) {
            Ok(verdict) => verdict,
            Err(error) => {
                return Self::internal_error(
                    uid,
                    &format!("invalid response from policy: {error}"),
                );
            }
        };
        // A validating policy: a mutation is refused, with or without an object to mutate.
        let mutated = verdict
            .mutated_object
            .filter(|new| request.object.as_ref() != Some(new));
        if mutated.is_some() {
            return Self {
                uid: uid.clone(),
                allowed: false,
                status: Some(ResponseStatus {
                    message: Some("the policy attempted to mutate the request, which this host does not allow".to_owned()),
                    code: None,
                }),
                audit_annotations: verdict.audit_annotations,
                warnings: verdict.warnings,
            };
        }
        let status =
            (verdict.message.is_some() || verdict.code.is_some()).then_some(ResponseStatus {
                message: verdict.message,
                code: verdict.code,
            });
        Self {
            uid: uid.clone(),
            allowed: verdict.accepted,
            status,
            audit_annotations: verdict.audit_annotations,
            warnings: verdict.warnings,
        }
    }

    /// The rejection's code, if any.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        self.status.as_ref().and_then(|status| status.code)
    }

    /// The rejection's message, if any.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.status
            .as_ref()
            .and_then(|status| status.message.as_deref())
    }

    /// The warnings, none if there are none.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        self.warnings.as_deref().unwrap_or_default()
    }

    /// The `AdmissionReview` that goes back to the API server.
    #[must_use]
    pub fn review(&self) -> Value {
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": self })
    }
}
