//! JSON merge patches (RFC 7386).

use serde_json::Value;

/// Applies a patch.
pub(super) fn merge_patch(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(target) = target.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge_patch(target.entry(name.as_str()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    // From the RFC's own table.
    #[rstest]
    #[case::replaces(json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" }))]
    #[case::adds(json!({ "a": "b" }), json!({ "b": "c" }), json!({ "a": "b", "b": "c" }))]
    #[case::removes(json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" }))]
    #[case::lists_are_values(json!({ "a": [{ "b": "c" }] }), json!({ "a": [1] }), json!({ "a": [1] }))]
    #[case::nested(json!({ "a": { "b": "c" } }), json!({ "a": { "b": "d", "c": null } }), json!({ "a": { "b": "d" } }))]
    #[case::no_object(json!({ "a": "foo" }), json!("bar"), json!("bar"))]
    #[case::makes_objects(json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } }))]
    fn patches(#[case] mut target: Value, #[case] patch: Value, #[case] expected: Value) {
        merge_patch(&mut target, &patch);
        assert_eq!(target, expected);
    }
}
