//! Who has set the labels of an object, as `metadata.managedFields` says it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The manager sets the labels in which the new object differs from the old one.
pub(super) fn update(old: &Value, new: &mut Value, manager: &str, subresource: &str, time: &str) {
    let labels = |object: &Value| match &object["metadata"]["labels"] {
        Value::Object(labels) => labels.clone(),
        _ => Map::new(),
    };
    let (before, after) = (labels(old), labels(new));
    let changed = after
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(value));
    let changed: BTreeSet<_> = changed.map(|(key, _)| format!("f:{key}")).collect();
    let is_untracked = old["metadata"]["managedFields"]
        .as_array()
        .is_none_or(Vec::is_empty);
    if old.is_object() && is_untracked {
        // Whoever has no entries when it is made never gets any.
        return;
    }
    let mut entries = match &old["metadata"]["managedFields"] {
        Value::Array(entries) => entries.clone(),
        _ => Vec::new(),
    };
    for entry in &mut entries {
        let labels = &mut entry["fieldsV1"]["f:metadata"]["f:labels"];
        if let Some(labels) = labels.as_object_mut() {
            labels.retain(|key, _| {
                let is_there = key
                    .strip_prefix("f:")
                    .is_some_and(|key| after.contains_key(key));
                is_there && !changed.contains(key)
            });
        }
    }
    let has_set_status = old["status"] != new["status"];
    let has_made_spec = old.is_null() && !new["spec"].is_null();
    if !changed.is_empty() || has_set_status || has_made_spec {
        let is_its = |entry: &&mut Value| {
            entry["manager"] == manager
                && entry["subresource"].as_str().unwrap_or_default() == subresource
        };
        let found = entries.iter_mut().find(is_its);
        let mut fresh = json!({
            "manager": manager, "operation": "Update", "apiVersion": "kuma.io/v1alpha1",
            "fieldsType": "FieldsV1", "fieldsV1": {},
        });
        if !subresource.is_empty() {
            fresh["subresource"] = subresource.into();
        }
        let is_new = found.is_none();
        let entry = found.unwrap_or(&mut fresh);
        entry["time"] = time.into();
        for key in changed {
            entry["fieldsV1"]["f:metadata"]["f:labels"][key] = json!({});
        }
        if has_set_status {
            entry["fieldsV1"]["f:status"] = json!({ ".": {}, "f:dataplaneProxies": {} });
        }
        if is_new {
            entries.push(fresh);
        }
    }
    if !entries.is_empty() {
        new["metadata"]["managedFields"] = entries.into();
    }
}
