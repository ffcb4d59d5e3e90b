//! Field masks: which fields of an object's data a policy wants to see.

use std::collections::BTreeMap;

use serde_json::Value;

/// A set of dotted paths.
///
/// Arrays are transparent: a path goes through all their items. A path that ends keeps everything
/// below it, unless a longer path starts with it: `a` and `a.b` together keep `a.b` only. No path at
/// all keeps everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldMask {
    fields: BTreeMap<String, FieldMask>,
}

impl FieldMask {
    /// The mask of these paths.
    pub fn new<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Self {
        let mut root = Self::default();
        for path in paths {
            let mut node = &mut root;
            for part in path.as_ref().split('.') {
                node = node.fields.entry(part.to_owned()).or_default();
            }
        }
        root
    }

    /// Removes from `value` what no path names.
    pub fn prune(&self, value: &mut Value) {
        if self.fields.is_empty() {
            return;
        }
        match value {
            Value::Object(map) => map.retain(|key, value| match self.fields.get(key) {
                Some(below) => {
                    below.prune(value);
                    true
                }
                None => false,
            }),
            Value::Array(items) => items.iter_mut().for_each(|item| self.prune(item)),
            // A path that goes on below a scalar keeps the scalar.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::one_field(&["mesh"], json!({"mesh": "m", "spec": 1}), json!({"mesh": "m"}))]
    #[case::nested(&["spec.a"], json!({"spec": {"a": 1, "b": 2}}), json!({"spec": {"a": 1}}))]
    #[case::everything_below(&["spec"], json!({"spec": {"a": {"b": 2}}, "x": 1}), json!({"spec": {"a": {"b": 2}}}))]
    #[case::through_arrays(&["c.image"], json!({"c": [{"image": 1, "name": 2}, {"name": 3}]}), json!({"c": [{"image": 1}, {}]}))]
    #[case::arrays_of_arrays(&["c.x"], json!({"c": [[{"x": 1, "y": 2}]]}), json!({"c": [[{"x": 1}]]}))]
    #[case::below_a_scalar(&["mesh.name"], json!({"mesh": "m", "b": 1}), json!({"mesh": "m"}))]
    #[case::longer_path_wins(&["a", "a.b"], json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1}}))]
    #[case::missing_field(&["nope"], json!({"a": 1}), json!({}))]
    #[case::no_path_keeps_all(&[], json!({"a": 1}), json!({"a": 1}))]
    #[case::empty_path_is_a_field(&[""], json!({"a": 1, "": 2}), json!({"": 2}))]
    fn keeps_what_is_named(
        #[case] paths: &[&str],
        #[case] mut value: Value,
        #[case] expected: Value,
    ) {
        FieldMask::new(paths).prune(&mut value);
        assert_eq!(value, expected);
    }
}
