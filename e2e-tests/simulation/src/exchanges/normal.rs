//! Leaves out of answers what differs from one server to another: uids, times, numbers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Gives the same names to the same things, in the order in which they come.
#[derive(Debug, Default)]
pub struct Normaliser {
    uids: BTreeMap<String, String>,
    versions: BTreeMap<String, String>,
}

const TIMES: [&str; 4] = [
    "creationTimestamp",
    "deletionTimestamp",
    "time",
    "lastTransitionTime",
];

impl Normaliser {
    /// A body; text where it is no JSON.
    pub fn body(&mut self, body: &str) -> Value {
        match serde_json::from_str(body) {
            Ok(body) => self.value(body),
            Err(_) => body.into(),
        }
    }

    /// A value.
    pub fn value(&mut self, mut value: Value) -> Value {
        match &mut value {
            Value::Array(items) => {
                for item in items {
                    *item = self.value(item.take());
                }
            }
            Value::Object(object) => self.object(object),
            _ => (),
        }
        value
    }

    fn object(&mut self, object: &mut Map<String, Value>) {
        let is_list = object
            .get("kind")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.ends_with("List"));
        let is_bookmark = object.get("type").is_some_and(|kind| kind == "BOOKMARK");
        if let Some(metadata) = object.get_mut("metadata").filter(|_| is_list) {
            unnumbered(metadata);
        }
        if is_bookmark {
            // A bookmark is only a number.
            object.remove("object");
            return;
        }
        if object
            .get("kind")
            .is_some_and(|kind| kind == "APIResourceList")
        {
            discovered(object);
            return;
        }
        for (key, value) in object.iter_mut() {
            *value = match (key.as_str(), value.take()) {
                ("uid", Value::String(uid)) => self.uid(uid),
                ("resourceVersion", Value::String(version)) if version != "N" => {
                    self.version(version)
                }
                ("continue", Value::String(token)) if !token.is_empty() => "token".into(),
                ("message", Value::String(message)) => self.message(&message).into(),
                ("managedFields", fields) => owners(&fields),
                (time, Value::String(_)) if TIMES.contains(&time) => "time".into(),
                (_, value) => self.value(value),
            };
        }
        if object.get("managedFields") == Some(&json!([])) {
            object.remove("managedFields");
        }
    }

    fn uid(&mut self, uid: String) -> Value {
        let next = format!("uid-{}", self.uids.len());
        self.uids.entry(uid).or_insert(next).clone().into()
    }

    fn version(&mut self, version: String) -> Value {
        let next = format!("version-{}", self.versions.len());
        self.versions.entry(version).or_insert(next).clone().into()
    }

    /// Uids have their names, numbers are no more than that.
    fn message(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for (uid, name) in &self.uids {
            message = message.replace(uid, name);
        }
        let mut plain = String::new();
        let mut run = String::new();
        for character in message.chars().chain(['\0']) {
            if character.is_ascii_digit() {
                run.push(character);
                continue;
            }
            plain.push_str(if run.len() > 2 { "N" } else { &run });
            run.clear();
            if character != '\0' {
                plain.push(character);
            }
        }
        plain
    }
}

fn unnumbered(metadata: &mut Value) {
    if metadata["resourceVersion"].is_string() {
        metadata["resourceVersion"] = "N".into();
    }
}

/// Who has set which labels.
fn owners(fields: &Value) -> Value {
    let entries = fields.as_array().into_iter().flatten();
    let owners = entries.filter_map(|entry| {
        let labels = entry["fieldsV1"]["f:metadata"]["f:labels"].as_object()?;
        let labels: Vec<_> = labels.keys().filter(|key| *key != ".").collect();
        (!labels.is_empty()).then(|| json!({ "manager": entry["manager"], "labels": labels }))
    });
    owners.collect()
}

/// Of a group's resources, Workloads and what belongs to them.
fn discovered(list: &mut Map<String, Value>) {
    let resources = list.get("resources").and_then(Value::as_array);
    let workloads = resources.into_iter().flatten().filter(|resource| {
        let name = resource["name"].as_str().unwrap_or_default();
        name.starts_with("workloads")
    });
    let workloads: Vec<_> = workloads
        .map(|resource| json!({ "name": resource["name"], "kind": resource["kind"] }))
        .collect();
    list.insert("resources".to_owned(), workloads.into());
}
