//! Whether an UPDATE changes anything that the rules look at. Values are compared as they stand in
//! the JSON: the same value in other bytes counts as a change, and then the request is judged.

use std::{collections::BinaryHeap, fmt};

use kuma_workload_guest_json::{self as json, Slice};
use kuma_workload_rulebook::{admission::BOOKKEEPING, metadata::Text};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::{object::PodObject, view::view};

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

/// Whether two versions of a Pod have containers and init containers of the same names (A4).
pub(crate) fn has_same_containers(new: Slice<'_>, old: Slice<'_>) -> bool {
    match (parse::<PodObject<'_>>(new), parse::<PodObject<'_>>(old)) {
        (Some(new), Some(old)) => new.has_containers_of(&old),
        _ => false,
    }
}

view! {
    struct WithMetadata<'a> {
        "metadata" => metadata: Option<Slice<'a>>,
    }
}

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

/// Whether two maps have the same entries in any order, apart from some keys. Entries of one key
/// have to be in the same order, since the last of them counts.
fn has_same_fields(new: Slice<'_>, old: Slice<'_>, except: &[&str]) -> bool {
    match (fields(new, except), fields(old, except)) {
        // The API server writes both versions in one order, so there is seldom anything to sort.
        (Some(new), Some(old)) => {
            new.len() == old.len() && (new == old || in_order(&new).eq(in_order(&old)))
        }
        _ => false,
    }
}

/// An entry of a map: its key, and its value as it stands in the JSON.
type Field<'a> = (Text<'a>, Slice<'a>);

/// The entries of a map, apart from some keys.
fn fields<'a>(map: Slice<'a>, except: &[&str]) -> Option<Vec<Field<'a>>> {
    let Fields(mut fields) = parse(map)?;
    fields.retain(|(key, _)| !except.contains(&&**key));
    Some(fields)
}

/// The entries in the order of their keys.
fn in_order<'f, 'a>(fields: &'f [Field<'a>]) -> impl Iterator<Item = &'f Field<'a>> {
    // A sort by a heap is the smallest one, which matters in the guest.
    let keys = fields.iter().enumerate();
    let heap: BinaryHeap<(&str, usize)> = keys.map(|(at, (key, _))| (&**key, at)).collect();
    let sorted = heap.into_sorted_vec().into_iter();
    sorted.filter_map(|(_, at)| fields.get(at))
}

fn parse<'a, T: Deserialize<'a>>(Slice(object): Slice<'a>) -> Option<T> {
    json::from_slice(object).ok()
}

/// The entries of a map.
struct Fields<'a>(Vec<Field<'a>>);

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

    #[rstest]
    #[case::nothing(|_: &mut Value| {}, true)]
    #[case::image(|pod: &mut Value| pod["spec"]["containers"][0]["image"] = json!("j"), true)]
    #[case::no_init_containers(|pod: &mut Value| pod["spec"]["initContainers"] = json!([]), true)]
    #[case::another_name(|pod: &mut Value| pod["spec"]["containers"][0]["name"] = json!("b"), false)]
    #[case::one_more(|pod: &mut Value| pod["spec"]["containers"] = json!([{"name": "app"}, {"name": "b"}]), false)]
    #[case::an_init_container(|pod: &mut Value| pod["spec"]["initContainers"] = json!([{"name": "app"}]), false)]
    #[case::none(|pod: &mut Value| pod["spec"]["containers"] = json!([]), false)]
    #[case::no_spec(|pod: &mut Value| pod["spec"] = Value::Null, false)]
    fn a4_containers_are_known_by_their_names(#[case] edit: fn(&mut Value), #[case] same: bool) {
        let pod = json!({"spec": {"containers": [{"name": "app", "image": "i"}]}});
        assert_eq!(is_same(has_same_containers, pod, edit), same);
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
    #[case::more_fields(|w: &mut Value| {
        let fields = w.as_object_mut().unwrap();
        fields.extend((0..1000).map(|number| (number.to_string(), json!(1))));
    }, false)]
    #[case::a_field_less(|w: &mut Value| { w.as_object_mut().unwrap().remove("status"); }, false)]
    fn p2_what_leaves_a_workload_as_it_was(#[case] edit: fn(&mut Value), #[case] same: bool) {
        let workload = json!({
            "metadata": {"name": "web", "resourceVersion": "1", "generation": 1, "labels": {}},
            "spec": {}, "status": {"dataplaneProxies": {"total": 1}},
        });
        assert_eq!(is_same(is_same_workload, workload, edit), same);
    }

    /// Workloads with as many fields as a request can have, in this order.
    fn with_fields(numbers: impl Iterator<Item = u32>, value: u32) -> String {
        let fields: Vec<_> = numbers
            .map(|number| {
                let value = if number == 0 { value } else { 1 };
                format!("\"{number}\":{value}")
            })
            .collect();
        format!("{{\"metadata\":{{{0}}},{0}}}", fields.join(","))
    }

    #[test]
    fn p2_fields_in_another_order_are_the_same_and_take_no_longer() {
        const FIELDS: u32 = 40_000;
        let old = with_fields(0..FIELDS, 1);
        let reversed = with_fields((0..FIELDS).rev(), 1);
        let changed = with_fields((0..FIELDS).rev(), 2);
        let is_same = |new: &String| is_same_workload(Slice(new.as_bytes()), Slice(old.as_bytes()));
        assert!(is_same(&old));
        assert!(is_same(&reversed));
        assert!(!is_same(&changed));
    }

    #[rstest]
    #[case::same(r#"{"metadata":{},"a":1,"a":2}"#, true)]
    #[case::another_counts(r#"{"metadata":{},"a":2,"a":1}"#, false)]
    #[case::twice_the_same(r#"{"metadata":{},"a":2,"a":2}"#, false)]
    #[case::one_less(r#"{"metadata":{},"a":2}"#, false)]
    fn p2_of_a_repeated_field_the_last_counts(#[case] new: &str, #[case] same: bool) {
        let old = r#"{"metadata":{},"a":1,"a":2}"#;
        assert_eq!(
            is_same_workload(Slice(new.as_bytes()), Slice(old.as_bytes())),
            same
        );
    }
}
