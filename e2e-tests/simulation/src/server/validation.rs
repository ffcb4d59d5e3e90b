//! What an object must be like.

use serde_json::Value;

use super::{
    resource::Resource,
    status::{About, Answer},
};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/// The longest `reportingInstance` of an event, in bytes.
const LONGEST_INSTANCE: usize = 128;

/// The longest note of an event, in bytes.
const LONGEST_NOTE: usize = 1024;

/// A new object.
pub(super) fn of_new(about: &About<'_>, object: &Value) -> Result<(), Answer> {
    if about.name.is_empty() {
        let message = "Required value: name or generateName is required";
        return Err(about.invalid("metadata.name", "FieldValueRequired", message));
    }
    if about.resource == Resource::Namespaces
        && (!is_subdomain(about.name) || about.name.contains('.'))
    {
        let message = format!("Invalid value: \"{}\": {LABEL}", about.name);
        return Err(about.invalid("metadata.name", "FieldValueInvalid", &message));
    }
    if !is_subdomain(about.name) {
        let message = format!("Invalid value: \"{}\": {SUBDOMAIN}", about.name);
        return Err(about.invalid("metadata.name", "FieldValueInvalid", &message));
    }
    match about.resource {
        Resource::Events => of_event(about, object),
        _ => Ok(()),
    }
}

fn of_event(about: &About<'_>, event: &Value) -> Result<(), Answer> {
    let namespace = about.namespace.unwrap_or_default();
    if event["regarding"]["namespace"]
        .as_str()
        .unwrap_or("default")
        != namespace
    {
        let message = "Invalid value: \"\": does not match event.namespace";
        return Err(about.invalid("involvedObject.namespace", "FieldValueInvalid", message));
    }
    for field in [
        "reportingController",
        "reportingInstance",
        "action",
        "reason",
    ] {
        if event[field].as_str().unwrap_or_default().is_empty() {
            return Err(about.invalid(field, "FieldValueRequired", "Required value"));
        }
    }
    if event["eventTime"].is_null() {
        return Err(about.invalid("eventTime", "FieldValueRequired", "Required value"));
    }
    let kind = event["type"].as_str().unwrap_or_default();
    if !matches!(kind, "Normal" | "Warning") {
        let message = format!("Invalid value: \"\": has invalid value: {kind}");
        return Err(about.invalid("type", "FieldValueInvalid", &message));
    }
    let instance = event["reportingInstance"].as_str().unwrap_or_default();
    if instance.len() > LONGEST_INSTANCE {
        let message = "Invalid value: \"\": can have at most 128 characters";
        return Err(about.invalid("reportingInstance", "FieldValueInvalid", message));
    }
    if event["note"].as_str().unwrap_or_default().len() > LONGEST_NOTE {
        let message = "Invalid value: \"\": can have at most 1024 characters";
        return Err(about.invalid("message", "FieldValueInvalid", message));
    }
    Ok(())
}

/// A change of an object.
pub(super) fn of_change(about: &About<'_>, old: &Value, new: &Value) -> Result<(), Answer> {
    let immutable: &[(&str, &str)] = match about.resource {
        Resource::Events => &[
            ("/note", "message"),
            ("/regarding", "involvedObject"),
            ("/reason", "reason"),
            ("/type", "type"),
            ("/reportingController", "reportingController"),
            ("/reportingInstance", "reportingInstance"),
            ("/related", "related"),
            ("/action", "action"),
            ("/eventTime", "eventTime"),
        ],
        _ => &[
            ("/metadata/uid", "metadata.uid"),
            ("/metadata/name", "metadata.name"),
        ],
    };
    for (pointer, field) in immutable {
        let (before, after) = (old.pointer(pointer), new.pointer(pointer));
        if before != after {
            let shown = match after {
                Some(value) => value.to_string(),
                None => "null".to_owned(),
            };
            let message = format!("Invalid value: {shown}: field is immutable");
            return Err(about.invalid(field, "FieldValueInvalid", &message));
        }
    }
    Ok(())
}

/// Whether a name is an RFC 1123 subdomain.
fn is_subdomain(name: &str) -> bool {
    let is_edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.len() <= 253
        && name.split('.').all(|label| {
            let bytes = label.as_bytes();
            is_edge(bytes.first())
                && is_edge(bytes.last())
                && bytes
                    .iter()
                    .all(|byte| *byte == b'-' || is_edge(Some(byte)))
        })
}
