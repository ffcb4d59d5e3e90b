//! Borrowed views of Kubernetes objects: only the fields that the rules need are read.

use kuma_workload_guest_json::{self as json, Reader};
use kuma_workload_rulebook::{
    admission::TemplateKind,
    keys,
    metadata::{Labels, Metadata, PodFacts, Text},
};
use serde::{Deserialize, de::IgnoredAny};

use crate::view::view;

view! {
    /// A Pod or a Pod template.
    pub(crate) struct PodObject<'a> {
        "metadata" => metadata: Option<ObjectMeta<'a>>,
        "spec" => spec: Option<PodSpec<'a>>,
        "status" => status: Option<PodStatus<'a>>,
    }
}

view! {
    /// The `metadata` of any object.
    pub(crate) struct ObjectMeta<'a> {
        "name" => pub(crate) name: Option<Text<'a>>,
        "generateName" => pub(crate) generate_name: Option<Text<'a>>,
        "labels" => labels: Labels<'a>,
        "annotations" => annotations: Labels<'a>,
        "deletionTimestamp" => deletion_timestamp: Option<IgnoredAny>,
        "ownerReferences" => owner_references: Option<Vec<OwnerReference<'a>>>,
    }
}

view! {
    struct OwnerReference<'a> {
        "apiVersion" => api_version: Text<'a>,
        "kind" => kind: Text<'a>,
        "controller" => controller: Option<bool>,
    }
}

view! {
    struct PodSpec<'a> {
        "serviceAccountName" => service_account_name: Option<Text<'a>>,
        "serviceAccount" => service_account: Option<Text<'a>>,
        "containers" => containers: Option<Vec<Container<'a>>>,
        "initContainers" => init_containers: Option<Vec<Container<'a>>>,
    }
}

view! {
    struct Container<'a> {
        "name" => name: Text<'a>,
    }
}

view! {
    struct PodStatus<'a> {
        "phase" => phase: Option<Text<'a>>,
    }
}

/// An object with a Pod template.
#[derive(Debug, Default)]
pub(crate) struct TemplateObject<'a> {
    metadata: ObjectMeta<'a>,
    template: Option<PodObject<'a>>,
}

view! {
    /// An object of which only the metadata is needed.
    pub(crate) struct MetadataObject<'a> {
        "metadata" => pub(crate) metadata: ObjectMeta<'a>,
    }
}

impl<'a> ObjectMeta<'a> {
    /// The labels and annotations.
    pub(crate) fn into_metadata(self) -> Metadata<'a> {
        Metadata {
            labels: self.labels,
            annotations: self.annotations,
        }
    }

    /// Whether the object is being deleted.
    pub(crate) fn is_terminating(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    /// Whether the controller of the object, which is of this kind, made it of a template that was
    /// judged as well (A2).
    pub(crate) fn owner_is_judged(&self, kind: &TemplateKind) -> bool {
        let mut owners = self.owner_references.iter().flatten();
        owners.any(|owner| {
            owner.controller == Some(true)
                && TemplateKind::of_object(&owner.api_version, &owner.kind)
                    .is_some_and(|maker| kind.is_made_by(maker))
        })
    }
}

impl<'a> PodSpec<'a> {
    /// The ServiceAccount. The API server copies the older name of the field where the newer one is
    /// absent or empty (W2).
    fn into_service_account(self) -> Option<Text<'a>> {
        let newer = self.service_account_name;
        newer
            .filter(|name| !name.is_empty())
            .or(self.service_account)
    }
}

/// The names of containers.
fn names<'l>(containers: &'l Option<Vec<Container<'_>>>) -> impl Iterator<Item = &'l str> {
    let containers = containers.iter().flatten();
    containers.map(|container| &*container.name)
}

/// The labels that stand at a path of an object; none if nothing stands there. Nothing else of the
/// object is read.
///
/// # Errors
///
/// If the object is not JSON, or not what is expected on the way to the labels.
pub(crate) fn labels_at<'a>(object: &'a [u8], path: &str) -> Result<Labels<'a>, json::Error> {
    let mut labels = Labels::default();
    let mut reader = Reader::new(object);
    reader.map(|reader, key| find(reader, key, path, &mut labels))?;
    reader.end()?;
    Ok(labels)
}

/// Reads or skips the value of a key on the way to what is looked for. If the key is the whole path,
/// the value is that; if the path begins with the key, the value is a map that contains it. Nothing is
/// found if the map is null.
fn find<'a, T: Deserialize<'a> + Default>(
    reader: &mut Reader<'a>,
    key: &str,
    path: &str,
    found: &mut T,
) -> Result<(), json::Error> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if key != first {
        return reader.skip();
    }
    // If a key is repeated, the last value counts.
    *found = T::default();
    if rest.is_empty() {
        *found = reader.value()?;
        return Ok(());
    }
    reader.map(|reader, key| find(reader, key, rest, found))?;
    Ok(())
}

impl<'a> PodObject<'a> {
    /// Whether this Pod has the same containers and init containers as another, by their names (A4).
    pub(crate) fn has_containers_of(&self, other: &Self) -> bool {
        let none = PodSpec::default();
        let spec = self.spec.as_ref().unwrap_or(&none);
        let other = other.spec.as_ref().unwrap_or(&none);
        names(&spec.containers).eq(names(&other.containers))
            && names(&spec.init_containers).eq(names(&other.init_containers))
    }

    /// The facts of a Pod, or of the Pod that a template describes.
    pub(crate) fn into_facts(self) -> PodFacts<'a> {
        let metadata = self.metadata.unwrap_or_default();
        let spec = self.spec.unwrap_or_default();
        let phase = self.status.and_then(|status| status.phase);
        let has_sidecar = names(&spec.containers)
            .chain(names(&spec.init_containers))
            .any(|name| name == keys::SIDECAR_CONTAINER);
        PodFacts {
            has_sidecar,
            service_account: spec.into_service_account(),
            terminating: metadata.is_terminating(),
            finished: matches!(phase.as_deref(), Some("Succeeded" | "Failed")),
            name: metadata.name.unwrap_or_default(),
            metadata: Metadata {
                labels: metadata.labels,
                annotations: metadata.annotations,
            },
        }
    }
}

impl<'a> TemplateObject<'a> {
    /// Reads an object whose Pod template has this path.
    ///
    /// # Errors
    ///
    /// If the object is not JSON, or not what is expected.
    pub(crate) fn read(object: &'a [u8], template_path: &str) -> Result<Self, json::Error> {
        let mut read = Self::default();
        let mut reader = Reader::new(object);
        reader.map(|reader, key| match key {
            "metadata" => {
                read.metadata = reader.value()?;
                Ok(())
            }
            _ => find(reader, key, template_path, &mut read.template),
        })?;
        reader.end()?;
        Ok(read)
    }

    /// The metadata of the object, and the facts of the Pod template. They are empty if there is
    /// none.
    pub(crate) fn into_parts(self) -> (ObjectMeta<'a>, PodFacts<'a>) {
        let template = PodFacts {
            // The Pods of a template get other names, so no existing object belongs to them (A7).
            name: Text::default(),
            ..self.template.unwrap_or_default().into_facts()
        };
        (self.metadata, template)
    }
}
