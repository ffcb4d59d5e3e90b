//! Failures, in the words of the real API server.

use serde_json::{Value, json};

use super::resource::Resource;

/// An answer that is not a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub code: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A success with this JSON.
    pub fn ok(code: u16, body: impl Into<String>) -> Self {
        Self {
            code,
            content_type: "application/json",
            retry_after: None,
            body: body.into(),
        }
    }

    /// A failure in plain text, from before the API's own machinery.
    pub fn plain(code: u16, body: &str) -> Self {
        Self {
            content_type: "text/plain; charset=utf-8",
            ..Self::ok(code, body)
        }
    }

    /// Whether it is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

/// What a failure is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The resource.
    pub resource: Resource,
    /// The namespace, if any.
    pub namespace: Option<&'a str>,
    /// The object's name; empty for a collection.
    pub name: &'a str,
}

/// A failure of the API.
pub fn failure(code: u16, reason: &str, message: &str, details: Value) -> Answer {
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason,
    });
    if !details.is_null() {
        status["details"] = details;
    }
    if reason.is_empty()
        && let Some(status) = status.as_object_mut()
    {
        status.remove("reason");
    }
    status["code"] = code.into();
    Answer::ok(code, status.to_string())
}

impl About<'_> {
    fn details(&self) -> Value {
        let mut details = serde_json::Map::new();
        if !self.name.is_empty() {
            details.insert("name".to_owned(), self.name.into());
        }
        if !self.resource.group().is_empty() {
            details.insert("group".to_owned(), self.resource.group().into());
        }
        details.insert("kind".to_owned(), self.resource.plural().into());
        details.into()
    }

    fn quoted(&self) -> String {
        format!("{} \"{}\"", self.resource.qualified(), self.name)
    }

    /// There is no such object.
    pub fn not_found(&self) -> Answer {
        let message = format!("{} not found", self.quoted());
        failure(404, "NotFound", &message, self.details())
    }

    /// There is such an object.
    pub fn already_exists(&self) -> Answer {
        let message = format!("{} already exists", self.quoted());
        failure(409, "AlreadyExists", &message, self.details())
    }

    /// The object is another than the request wants.
    pub fn conflict(&self, why: &str) -> Answer {
        let message = format!("Operation cannot be fulfilled on {}: {why}", self.quoted());
        failure(409, "Conflict", &message, self.details())
    }

    /// The object has changed since it was read.
    pub fn modified(&self) -> Answer {
        self.conflict("the object has been modified; please apply your changes to the latest version and try again")
    }

    /// A precondition of a delete does not hold.
    pub fn unexpected(&self, what: &str, asked: &str, found: &str, why: &str) -> Answer {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": the {what} in the precondition ({asked}) does not match the {what} in record ({found}). The object might have been {why}",
            match self.resource.group() {
                "" => self.resource.kind().to_owned(),
                group => format!("{}.{group}", self.resource.kind()),
            },
            self.name
        );
        let mut details = self.details();
        details["kind"] = self.resource.kind().into();
        failure(409, "Conflict", &message, details)
    }

    /// The object is being deleted, and cannot be made anew before it is gone.
    pub fn still_exists(&self) -> Answer {
        let message = format!("object is being deleted: {} already exists", self.quoted());
        failure(409, "AlreadyExists", &message, self.details())
    }

    /// A PUT must say which version it replaces.
    pub fn unversioned(&self) -> Answer {
        let (field, message) = (
            "metadata.resourceVersion",
            "Invalid value: 0: must be specified for an update",
        );
        let sentence = format!("{} is invalid: {field}: {message}", self.quoted());
        let mut details = self.details();
        details["causes"] =
            json!([{ "reason": "FieldValueInvalid", "message": message, "field": field }]);
        failure(422, "Invalid", &sentence, details)
    }

    /// A field has a value that it cannot have.
    pub fn invalid(&self, field: &str, reason: &str, message: &str) -> Answer {
        let sentence = format!(
            "{} \"{}\" is invalid: {field}: {message}",
            self.resource.qualified_kind(),
            self.name
        );
        let mut details = self.details();
        details["kind"] = self.resource.kind().into();
        if !self.resource.is_custom()
            && let Some(details) = details.as_object_mut()
        {
            details.remove("group");
        }
        let cause = json!({ "reason": reason, "message": message, "field": field });
        // Of a custom resource, metadata that must not change are looked at twice.
        let times = match self.resource.is_custom() && message.ends_with("field is immutable") {
            true => 2,
            false => 1,
        };
        details["causes"] = vec![cause; times].into();
        failure(422, "Invalid", &sentence, details)
    }

    /// The authorizer refuses.
    pub fn forbidden(&self, user: &str, verb: &str) -> Answer {
        let object = match self.name {
            "" => self.resource.qualified(),
            _ => self.quoted(),
        };
        let scope = match self.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let message = format!(
            "{object} is forbidden: User \"{user}\" cannot {verb} resource \"{}\" in API group \"{}\" {scope}",
            self.resource.plural(),
            self.resource.group(),
        );
        failure(403, "Forbidden", &message, self.details())
    }

    /// The namespace is being deleted.
    pub fn terminating(&self) -> Answer {
        let namespace = self.namespace.unwrap_or_default();
        let message = format!(
            "{} is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
            self.quoted()
        );
        let mut details = self.details();
        details["causes"] = json!([{
            "reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        }]);
        failure(403, "Forbidden", &message, details)
    }
}

/// The webhook denies.
pub fn denied(code: u16) -> Answer {
    let reason = match code {
        400 => "BadRequest",
        422 => "Invalid",
        _ => "Forbidden",
    };
    let message =
        "admission webhook \"validator.kuma-admission.kuma.io\" denied the request: not now";
    failure(code, reason, message, Value::Null)
}

/// The webhook does not answer.
pub fn webhook_failed() -> Answer {
    let message = "Internal error occurred: failed calling webhook \"owner-reference.kuma-admission.kuma.io\": failed to call webhook: Post \"https://kuma-control-plane.kuma-system.svc:443/owner-reference?timeout=10s\": dial tcp 10.96.31.1:443: connect: connection refused";
    let details = json!({ "causes": [{ "message": message.trim_start_matches("Internal error occurred: ") }] });
    failure(500, "InternalError", message, details)
}

/// The database does not answer.
pub fn database_failed() -> Answer {
    let message = "etcdserver: request timed out";
    failure(500, "", message, Value::Null)
}

/// The server starts or stops.
pub fn unavailable() -> Answer {
    let message = "the server is currently unable to handle the request";
    failure(
        503,
        "ServiceUnavailable",
        message,
        json!({ "retryAfterSeconds": 1 }),
    )
}

/// Too many requests, as priority and fairness says it.
pub fn busy(seconds: u32) -> Answer {
    Answer {
        retry_after: Some(seconds),
        ..Answer::plain(429, "Too many requests, please try again later.\n")
    }
}

/// Too many requests, as the registry says it.
pub fn initializing(seconds: u32) -> Answer {
    let message = "storage is (re)initializing";
    let details = json!({ "retryAfterSeconds": seconds });
    Answer {
        retry_after: Some(seconds),
        ..failure(429, "TooManyRequests", message, details)
    }
}

/// The path is not served.
pub fn unserved() -> Answer {
    Answer::plain(404, "404 page not found\n")
}

/// The list has gone on for too long.
pub fn expired_continue(token: &str) -> Answer {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": { "continue": token },
        "status": "Failure", "message": message, "reason": "Expired", "code": 410,
    });
    Answer::ok(410, body.to_string())
}

/// The list would be of too long ago.
pub fn expired_list() -> Answer {
    let message = "The resourceVersion for the provided list is too old.";
    failure(410, "Expired", message, Value::Null)
}

/// The watch would start too long ago.
pub fn expired_watch(asked: u64, oldest: u64) -> Answer {
    let message = format!("too old resource version: {asked} ({oldest})");
    failure(410, "Expired", &message, Value::Null)
}
