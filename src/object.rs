//! Borrowed views of Kubernetes objects: only the fields that the rules need are read.

use kuma_workload_guest_json::{self as json, Reader};
use kuma_workload_rulebook::{
    admission::TemplateKind,
    keys,
    metadata::{Labels, Metadata, PodFacts, Text},
};
use serde::de::IgnoredAny;

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
    /// A Pod or a Pod template of which only the labels are needed, and whether it is being deleted.
    pub(crate) struct LabelledObject<'a> {
        "metadata" => metadata: Option<LabelledMeta<'a>>,
    }
}

view! {
    struct LabelledMeta<'a> {
        "labels" => labels: Labels<'a>,
        "deletionTimestamp" => deletion_timestamp: Option<IgnoredAny>,
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
    pub(crate) metadata: ObjectMeta<'a>,
    template: Option<PodObject<'a>>,
    /// What is read of the template.
    part: TemplatePart,
}

/// What is read of a Pod template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum TemplatePart {
    /// All that the rules need. Whatever else is there must be as expected.
    #[default]
    Whole,
    /// Only its labels, and of the object's metadata what can be read.
    Labels,
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

    /// Whether the controller of the object is one whose template is judged as well (A2).
    pub(crate) fn owner_is_judged(&self) -> bool {
        self.owner_references.iter().flatten().any(|owner| {
            owner.controller == Some(true)
                && TemplateKind::of_object(&owner.api_version, &owner.kind).is_some()
        })
    }
}

impl<'a> LabelledObject<'a> {
    /// The same as a Pod of which nothing else is known.
    pub(crate) fn into_pod(self) -> PodObject<'a> {
        let LabelledMeta {
            labels,
            deletion_timestamp,
            ..
        } = self.metadata.unwrap_or_default();
        PodObject {
            metadata: Some(ObjectMeta {
                labels,
                deletion_timestamp,
                ..ObjectMeta::default()
            }),
            ..PodObject::default()
        }
    }
}

impl<'a> PodObject<'a> {
    /// The facts of a Pod, or of the Pod that a template describes.
    pub(crate) fn into_facts(self) -> PodFacts<'a> {
        let metadata = self.metadata.unwrap_or_default();
        let spec = self.spec.unwrap_or_default();
        let containers = [&spec.containers, &spec.init_containers];
        let phase = self.status.and_then(|status| status.phase);
        PodFacts {
            has_sidecar: containers
                .into_iter()
                .flatten()
                .flatten()
                .any(|container| &*container.name == keys::SIDECAR_CONTAINER),
            service_account: spec.service_account_name,
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
    pub(crate) fn read(
        object: &'a [u8],
        template_path: &str,
        part: TemplatePart,
    ) -> Result<Self, json::Error> {
        let mut read = Self {
            part,
            ..Self::default()
        };
        let mut reader = Reader::new(object);
        reader.map(|reader, key| match key {
            "metadata" => {
                read.metadata = match part {
                    TemplatePart::Whole => reader.value()?,
                    TemplatePart::Labels => reader.attempt()?.value.unwrap_or_default(),
                };
                Ok(())
            }
            _ => read.find_template(reader, key, template_path),
        })?;
        reader.end()?;
        Ok(read)
    }

    /// Reads or skips the value of a key on the way to the template. If the key is the whole path,
    /// the value is the template; if the path begins with the key, the value is a map that contains
    /// the template. There is no template if the map or the template is null.
    fn find_template(
        &mut self,
        reader: &mut Reader<'a>,
        key: &str,
        path: &str,
    ) -> Result<(), json::Error> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        if key != first {
            return reader.skip();
        }
        // If a key is repeated, the last value counts.
        self.template = None;
        if rest.is_empty() {
            self.template = match self.part {
                TemplatePart::Whole => reader.value()?,
                TemplatePart::Labels => {
                    let labelled: Option<LabelledObject<'_>> = reader.value()?;
                    labelled.map(LabelledObject::into_pod)
                }
            };
            return Ok(());
        }
        reader.map(|reader, key| self.find_template(reader, key, rest))?;
        Ok(())
    }

    /// The facts of the Pod template. They are empty if there is none.
    pub(crate) fn into_template(self) -> PodFacts<'a> {
        PodFacts {
            // The Pods of a template get other names, so no existing object belongs to them (A7).
            name: Text::default(),
            ..self.template.unwrap_or_default().into_facts()
        }
    }
}
