//! Who owns the label `kuma.io/managed-by`, by `managedFields` (L17).

use serde::{Deserialize, de::IgnoredAny};

use super::lax::{Lax, OfJsonType};

/// The entries of `metadata.managedFields`, as far as they are read.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ManagedFields(Lax<Vec<Lax<ManagedFieldsEntry>>>);

#[derive(Debug, Clone, Deserialize)]
struct ManagedFieldsEntry {
    #[serde(default)]
    manager: Lax<String>,
    #[serde(default, rename = "fieldsV1")]
    fields: Lax<ObjectFields>,
}

#[derive(Debug, Clone, Deserialize)]
struct ObjectFields {
    #[serde(default, rename = "f:metadata")]
    metadata: Lax<MetadataFields>,
}

#[derive(Debug, Clone, Deserialize)]
struct MetadataFields {
    #[serde(default, rename = "f:labels")]
    labels: Lax<LabelFields>,
}

#[derive(Debug, Clone, Deserialize)]
struct LabelFields {
    #[serde(default, rename = "f:kuma.io/managed-by")]
    managed_by: Option<IgnoredAny>,
}

impl OfJsonType for ManagedFieldsEntry {}
impl OfJsonType for ObjectFields {}
impl OfJsonType for MetadataFields {}
impl OfJsonType for LabelFields {}

impl ManagedFields {
    /// The managers that own the label, each once and in order.
    pub(super) fn label_owners(&self) -> Vec<String> {
        let entries = self.0.read().into_iter().flatten().filter_map(Lax::read);
        let owners = entries.filter(|entry| entry.owns_label());
        let mut owners: Vec<_> = owners
            .filter_map(|entry| entry.manager.read().cloned())
            .collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }
}

impl ManagedFieldsEntry {
    fn owns_label(&self) -> bool {
        let metadata = self.fields.read().and_then(|all| all.metadata.read());
        let labels = metadata.and_then(|metadata| metadata.labels.read());
        labels.is_some_and(|labels| labels.managed_by.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn entry(manager: &str, label: &str) -> Value {
        json!({
            "manager": manager, "operation": "Update",
            "fieldsV1": { "f:metadata": { "f:labels": { ".": {}, label: {} } }, "f:spec": {} },
        })
    }

    #[rstest]
    #[case::none(json!(null), &[])]
    #[case::of_another_label(json!([entry("kuma-cp", "f:kuma.io/mesh")]), &[])]
    #[case::one(json!([entry("kubectl", "f:a"), entry("kuma-cp", "f:kuma.io/managed-by")]), &["kuma-cp"])]
    #[case::two(json!([entry("kuma-cp", "f:kuma.io/managed-by"), entry("helm", "f:kuma.io/managed-by")]), &["helm", "kuma-cp"])]
    #[case::of_another_type(json!({ "manager": "kuma-cp" }), &[])]
    #[case::without_fields(json!([{ "manager": "kuma-cp" }, 7]), &[])]
    fn l17_the_owners_of_the_label(#[case] fields: Value, #[case] expected: &[&str]) {
        let fields: ManagedFields = serde_json::from_value(fields).unwrap();
        assert_eq!(fields.label_owners(), expected);
    }
}
