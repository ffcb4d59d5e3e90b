//! What [`super::Handler`] needs of an API server: discovery, get, list and access reviews.
//! Manifests implement it here, a live client in the testbed.

use serde_json::Value;

use super::failure::Failure;
use crate::wire::SubjectAccessReview;

/// An API server, real or not.
pub trait ApiServer: Send + Sync {
    /// The kinds of `v1` or of a `group/version`.
    ///
    /// # Errors
    ///
    /// What the API server answers; a group that it does not know is a 404.
    fn discover(&self, api_version: &str) -> Result<Vec<ApiResource>, ApiError>;

    /// One object, or none if there is no such object.
    ///
    /// # Errors
    ///
    /// What the API server answers, other than 404.
    fn get(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Value>, ApiError>;

    /// All objects of a namespace, or of all, that both selectors match.
    ///
    /// # Errors
    ///
    /// What the API server answers: no grant, a selector that it cannot read.
    fn list(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        field_selector: Option<&str>,
    ) -> Result<Vec<Value>, ApiError>;

    /// A number that differs whenever a watch of this resource may have told of a change: a list made
    /// before holds as long as it is the same. Where nobody may watch, it stays the same for ever.
    fn changes(&self, resource: &ApiResource, namespace: Option<&str>) -> u64;

    /// The `status` of a SubjectAccessReview.
    ///
    /// # Errors
    ///
    /// What the API server answers.
    fn review(&self, review: &SubjectAccessReview) -> Result<Value, ApiError>;
}

/// A kind as discovery names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResource {
    /// `v1`, or `group/version`.
    pub api_version: String,
    /// The kind, PascalCase.
    pub kind: String,
    /// The resource, as URLs and grants name it.
    pub plural: String,
    /// Do its objects live in namespaces?
    pub namespaced: bool,
}

impl ApiResource {
    /// The API group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The resource with its group, as the API server's messages name it.
    #[must_use]
    pub fn qualified(&self) -> String {
        match self.group() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// Why an API server gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// It answered with a status.
    Status(Box<ApiStatus>),
    /// No answer was had, or no request could be made.
    Other(Failure),
}

impl From<ApiStatus> for ApiError {
    fn from(status: ApiStatus) -> Self {
        Self::Status(Box::new(status))
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Status(status) => {
                let short = format!("{}: {}", status.message, status.reason);
                Self::new(format!("ApiError: {short} ({:?})", status.quoted())).caused_by(short)
            }
            ApiError::Other(failure) => failure,
        }
    }
}

/// A `Status` of the API server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiStatus {
    /// HTTP status code.
    pub code: u16,
    /// What went wrong, in words.
    pub message: String,
    /// What went wrong, in one word.
    pub reason: String,
    /// What it is about: name, group, resource.
    pub details: Option<(String, String, String)>,
}

impl ApiStatus {
    /// A status that says little more than its code.
    #[must_use]
    pub fn new(code: u16, reason: &str, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
            reason: reason.to_owned(),
            details: None,
        }
    }

    /// A body that is no `Status`, as the API server sends for a path that it does not serve.
    #[must_use]
    pub fn plain(code: u16, body: &str) -> Self {
        Self::new(code, UNREADABLE, body)
    }

    /// A missing grant.
    #[must_use]
    pub fn forbidden(
        user: &str,
        verb: &str,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Self {
        let quoted = if name.is_empty() {
            String::new()
        } else {
            format!(" \"{name}\"")
        };
        let scope = namespace.map_or_else(
            || "at the cluster scope".to_owned(),
            |namespace| format!("in the namespace \"{namespace}\""),
        );
        let message = format!(
            "{}{quoted} is forbidden: User \"{user}\" cannot {verb} resource \"{}\" in API group \"{}\" {scope}",
            resource.qualified(),
            resource.plural,
            resource.group(),
        );
        Self {
            code: 403,
            message,
            reason: "Forbidden".to_owned(),
            details: Some((
                name.to_owned(),
                resource.group().to_owned(),
                resource.plural.clone(),
            )),
        }
    }

    /// The status as policy-server's Kubernetes client quotes it in its errors.
    fn quoted(&self) -> Status<'_> {
        Status {
            status: Some(StatusSummary::Failure),
            code: self.code,
            message: &self.message,
            // Only a body that is a `Status` carries (empty) metadata.
            metadata: (self.reason != UNREADABLE).then_some(ListMeta::default()),
            reason: &self.reason,
            details: self
                .details
                .as_ref()
                .map(|(name, group, kind)| StatusDetails {
                    name,
                    group,
                    kind,
                    uid: "",
                    causes: &[],
                    retry_after_seconds: 0,
                }),
        }
    }
}

/// The reason that the client gives to a body which is no `Status`.
const UNREADABLE: &str = "Failed to parse error data";

// The types below exist for their `Debug` form only: it is part of the error text that a policy reads.

#[derive(Debug)]
#[allow(dead_code, reason = "read by Debug")]
struct Status<'a> {
    status: Option<StatusSummary>,
    code: u16,
    message: &'a str,
    metadata: Option<ListMeta>,
    reason: &'a str,
    details: Option<StatusDetails<'a>>,
}

#[derive(Debug)]
enum StatusSummary {
    Failure,
}

#[derive(Debug, Default)]
#[allow(dead_code, reason = "read by Debug")]
struct ListMeta {
    continue_: Option<String>,
    remaining_item_count: Option<i64>,
    resource_version: Option<String>,
    self_link: Option<String>,
}

#[derive(Debug)]
#[allow(dead_code, reason = "read by Debug")]
struct StatusDetails<'a> {
    name: &'a str,
    group: &'a str,
    kind: &'a str,
    uid: &'a str,
    causes: &'a [()],
    retry_after_seconds: u32,
}
