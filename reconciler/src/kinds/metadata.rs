//! An object's metadata, as far as it is read.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kuma_workload_rulebook::{
    keys, owner,
    roster::{Key, Origin},
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// Namespace and name of an object.
pub type NamespacedName = (String, String);

/// An object's name; empty if it has none.
pub fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}

/// An object's namespace; empty if it has none.
pub fn namespace(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or_default()
}

/// A label of an object.
pub fn label<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(key).map(String::as_str)
}

/// An annotation of an object. Only Kuma's are read.
pub fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// What shows whether a Dataplane or Workload is a copy from another zone.
pub(super) fn origin(metadata: &ObjectMeta) -> Origin<'_> {
    let mut owners = metadata.owner_references.iter().flatten();
    Origin {
        owned_by_pod: owners.any(|owner| {
            owner.controller == Some(true) && owner::is_pod(&owner.api_version, &owner.kind)
        }),
        home_namespace: label(metadata, keys::HOME_NAMESPACE),
        environment: label(metadata, keys::ENVIRONMENT),
        display_names: [
            label(metadata, keys::DISPLAY_NAME),
            annotation(metadata, keys::DISPLAY_NAME),
        ],
    }
}

/// Namespace and name of an object, each empty if it has none.
pub fn names(metadata: &ObjectMeta) -> (&str, &str) {
    (namespace(metadata), name(metadata))
}

/// Namespace and name of an object, as a value of their own.
pub fn namespaced_name(metadata: &ObjectMeta) -> NamespacedName {
    (namespace(metadata).to_owned(), name(metadata).to_owned())
}

/// The key of a Workload object.
pub fn workload_key(metadata: &ObjectMeta) -> Key {
    let (namespace, workload) = namespaced_name(metadata);
    Key {
        namespace,
        workload,
    }
}

/// Reads metadata without the fields that this program does not use. The largest are `managedFields`
/// and the annotations that are not Kuma's, such as the last applied manifest.
pub(super) fn slim<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let (metadata, IgnoredAny) = slim_with(deserializer)?;
    Ok(metadata)
}

/// The same, with what `T` reads of `managedFields`.
pub(super) fn slim_with<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<(ObjectMeta, T), D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Slim<T: Default> {
        name: Option<String>,
        namespace: Option<String>,
        uid: Option<String>,
        resource_version: Option<String>,
        creation_timestamp: Option<Time>,
        deletion_timestamp: Option<Time>,
        labels: Option<BTreeMap<String, String>>,
        #[serde(default, deserialize_with = "annotations_of_kuma")]
        annotations: Option<BTreeMap<String, String>>,
        owner_references: Option<Vec<OwnerReference>>,
        #[serde(default)]
        managed_fields: T,
    }
    let slim = Slim::deserialize(deserializer)?;
    let metadata = ObjectMeta {
        name: slim.name,
        namespace: slim.namespace,
        uid: slim.uid,
        resource_version: slim.resource_version,
        creation_timestamp: slim.creation_timestamp,
        deletion_timestamp: slim.deletion_timestamp,
        labels: slim.labels,
        annotations: slim.annotations,
        owner_references: slim.owner_references,
        ..ObjectMeta::default()
    };
    Ok((metadata, slim.managed_fields))
}

fn annotations_of_kuma<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    struct OfKuma;

    impl<'de> Visitor<'de> for OfKuma {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("annotations")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut kept = BTreeMap::new();
            while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                if key.starts_with("kuma.io/") {
                    kept.insert(key.into_owned(), map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(kept)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }
    }

    deserializer.deserialize_any(OfKuma).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_needed_metadata_is_kept() {
        let metadata = slim(json!({
            "name": "web-0",
            "managedFields": [{ "manager": "kuma" }],
            "labels": { "app": "web" },
            "annotations": { "kuma.io/workload": "web", "note": "x" },
        }))
        .unwrap();
        let expected = ObjectMeta {
            name: Some("web-0".to_owned()),
            labels: Some([("app".to_owned(), "web".to_owned())].into()),
            annotations: Some([("kuma.io/workload".to_owned(), "web".to_owned())].into()),
            ..ObjectMeta::default()
        };
        assert_eq!(metadata, expected);
    }
}
