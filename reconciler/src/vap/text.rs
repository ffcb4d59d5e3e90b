//! The objects as YAML or JSON.

use std::io;

use serde::Serialize;
use serde_json::{Value, json};

use super::policy::Policy;

/// What stands at the top of the YAML.
const HEADER: &str = include_str!("header.txt");

/// A document for each object, after a comment that says what is not covered.
///
/// # Errors
/// When an object cannot be written.
pub(super) fn yaml(policies: &[Policy]) -> io::Result<String> {
    let mut text = String::new();
    for line in HEADER.lines() {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    for object in objects(policies)? {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(&object).map_err(io::Error::other)?);
    }
    Ok(text)
}

/// One List of all objects.
///
/// # Errors
/// When an object cannot be written.
pub(super) fn json(policies: &[Policy]) -> io::Result<String> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects(policies)?});
    Ok(serde_json::to_string_pretty(&list)? + "\n")
}

/// Each policy, and its binding after it.
fn objects(policies: &[Policy]) -> io::Result<Vec<Value>> {
    let mut objects = Vec::new();
    for policy in policies {
        objects.push(object(&policy.policy())?);
        objects.push(object(&policy.binding())?);
    }
    Ok(objects)
}

fn object(object: &impl Serialize) -> io::Result<Value> {
    Ok(serde_json::to_value(object)?)
}
