//! Whether an UPDATE changes anything that the rules look at. Values are compared as they stand in
//! the JSON: the same value in other bytes counts as a change, and then the request is judged.

use std::fmt;

use kuma_workload_guest_json::{self as json, Slice};
use kuma_workload_rulebook::metadata::Text;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::view::view;

view! {
    struct JudgedPod<'a> {
        "metadata" => metadata: JudgedMetadata<'a>,
        "spec" => spec: Option<Slice<'a>>,
    }
}

view! {
    struct JudgedMetadata<'a> {
        "labels" => labels: Option<Slice<'a>>,
        "annotations" => annotations: Option<Slice<'a>>,
    }
}

/// Whether two versions of a Pod have the same labels, annotations and spec (A4).
pub(crate) fn is_same_pod(new: Slice<'_>, old: Slice<'_>) -> bool {
    match (parse::<JudgedPod<'_>>(new), parse::<JudgedPod<'_>>(old)) {
        (Some(new), Some(old)) => {
            new.metadata.labels == old.metadata.labels
                && new.metadata.annotations == old.metadata.annotations
                && new.spec == old.spec
        }
        _ => false,
    }
}

view! {
    struct WithMetadata<'a> {
        "metadata" => metadata: Option<Slice<'a>>,
    }
}

/// The fields of `metadata` that the API server changes by itself.
const BOOKKEEPING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// Whether two versions of a Workload are the same but for the API server's bookkeeping (P2).
pub(crate) fn is_same_workload(new: Slice<'_>, old: Slice<'_>) -> bool {
    let metadata = |object| parse::<WithMetadata<'_>>(object)?.metadata;
    match (metadata(new), metadata(old)) {
        (Some(new_metadata), Some(old_metadata)) => {
            has_same_fields(new_metadata, old_metadata, &BOOKKEEPING)
                && has_same_fields(new, old, &["metadata"])
        }
        _ => false,
    }
}

/// The most fields that are compared one by one. No object of Kubernetes' own has so many; one that
/// has more counts as changed, so that the comparison takes no time to speak of.
const MAX_FIELDS: usize = 64;

/// Whether two maps have the same entries, apart from some keys.
fn has_same_fields(new: Slice<'_>, old: Slice<'_>, except: &[&str]) -> bool {
    match (parse::<Fields<'_>>(new), parse::<Fields<'_>>(old)) {
        (Some(Fields(mut new)), Some(Fields(mut old))) => {
            for fields in [&mut new, &mut old] {
                fields.retain(|(key, _)| !except.contains(&&**key));
            }
            new.len() == old.len()
                && new.len() <= MAX_FIELDS
                && new.iter().all(|field| old.contains(field))
        }
        _ => false,
    }
}

fn parse<'a, T: Deserialize<'a>>(Slice(object): Slice<'a>) -> Option<T> {
    json::from_slice(object).ok()
}

/// The entries of a map, with their values as they stand in the JSON.
struct Fields<'a>(Vec<(Text<'a>, Slice<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn is_same(
        compare: fn(Slice<'_>, Slice<'_>) -> bool,
        object: Value,
        edit: fn(&mut Value),
    ) -> bool {
        let old = object.to_string();
        let mut new = object;
        edit(&mut new);
        compare(Slice(new.to_string().as_bytes()), Slice(old.as_bytes()))
    }

    #[rstest]
    #[case::nothing(|_: &mut Value| {}, true)]
    #[case::finalizers(|pod: &mut Value| pod["metadata"]["finalizers"] = json!([]), true)]
    #[case::owner_references(|pod: &mut Value| pod["metadata"]["ownerReferences"] = json!([]), true)]
    #[case::managed_fields(|pod: &mut Value| pod["metadata"]["managedFields"] = json!([{}]), true)]
    #[case::resource_version(|pod: &mut Value| pod["metadata"]["resourceVersion"] = json!("2"), true)]
    #[case::status(|pod: &mut Value| pod["status"] = json!({"phase": "Running"}), true)]
    #[case::labels(|pod: &mut Value| pod["metadata"]["labels"]["b"] = json!(""), false)]
    #[case::annotations(|pod: &mut Value| pod["metadata"]["annotations"] = json!({}), false)]
    #[case::spec(|pod: &mut Value| pod["spec"]["nodeName"] = json!("n"), false)]
    #[case::not_a_map(|pod: &mut Value| *pod = json!([]), false)]
    fn a4_what_leaves_a_pod_as_it_was(#[case] edit: fn(&mut Value), #[case] same: bool) {
        let pod = json!({
            "metadata": {"name": "web-0", "labels": {"app": "a"}, "annotations": {"n": "1"}},
            "spec": {"serviceAccountName": "sa", "containers": [{"name": "app", "image": "i"}]},
        });
        assert_eq!(is_same(is_same_pod, pod, edit), same);
    }

    #[test]
    fn a4_the_same_spec_in_other_bytes_is_a_change() {
        let (new, old) = (br#"{"spec":{"a": 1}}"#, br#"{"spec":{"a":1}}"#);
        assert!(!is_same_pod(Slice(new), Slice(old)));
    }

    #[rstest]
    #[case::nothing(|_: &mut Value| {}, true)]
    #[case::managed_fields(|w: &mut Value| w["metadata"]["managedFields"] = json!([{}]), true)]
    #[case::resource_version(|w: &mut Value| w["metadata"]["resourceVersion"] = json!("2"), true)]
    #[case::generation(|w: &mut Value| w["metadata"]["generation"] = json!(2), true)]
    #[case::labels(|w: &mut Value| w["metadata"]["labels"]["a"] = json!("b"), false)]
    #[case::owner_references(|w: &mut Value| w["metadata"]["ownerReferences"] = json!([]), false)]
    #[case::status(|w: &mut Value| w["status"]["dataplaneProxies"]["total"] = json!(2), false)]
    #[case::more_fields_than_are_compared(|w: &mut Value| {
        let fields = w.as_object_mut().unwrap();
        fields.extend((0..MAX_FIELDS).map(|number| (number.to_string(), json!(1))));
    }, false)]
    #[case::a_field_less(|w: &mut Value| { w.as_object_mut().unwrap().remove("status"); }, false)]
    fn p2_what_leaves_a_workload_as_it_was(#[case] edit: fn(&mut Value), #[case] same: bool) {
        let workload = json!({
            "metadata": {"name": "web", "resourceVersion": "1", "generation": 1, "labels": {}},
            "spec": {}, "status": {"dataplaneProxies": {"total": 1}},
        });
        assert_eq!(is_same(is_same_workload, workload, edit), same);
    }
}
