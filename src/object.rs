//! Borrowed views of Kubernetes objects: only the fields that the rules need; others are skipped.

use std::{borrow::Cow, fmt};

use crate::view::view;
use kuma_workload_guest_json::{self as json, Slice};
use kuma_workload_rulebook::{
    admission::TemplateKind,
    keys,
    metadata::{Labels, Metadata, PodFacts, Text},
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

view! {
    /// A Pod, or a Pod template.
    pub(crate) struct PodObject<'a> {
        "metadata" => metadata: Option<ObjectMeta<'a>>,
        "spec" => spec: Option<PodSpec<'a>>,
        "status" => status: Option<PodStatus<'a>>,
    }
}

view! {
    /// `metadata` of any object.
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

view! {
    /// An object with a Pod template; that of a CronJob stands in its Job template.
    pub(crate) struct TemplateObject<'a> {
        "metadata" => pub(crate) metadata: ObjectMeta<'a>,
        "spec" => spec: TemplateSpec<'a>,
    }
}

view! {
    struct TemplateSpec<'a> {
        "template" => template: Option<PodObject<'a>>,
        "jobTemplate" => job_template: Option<JobTemplate<'a>>,
    }
}

view! {
    struct JobTemplate<'a> {
        "spec" => spec: JobSpec<'a>,
    }
}

view! {
    struct JobSpec<'a> {
        "template" => template: Option<PodObject<'a>>,
    }
}

view! {
    /// An object of which only the metadata matters.
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

    /// Whether a controller owns the object whose template is judged itself (A2).
    pub(crate) fn owner_is_judged(&self) -> bool {
        self.owner_references.iter().flatten().any(|owner| {
            let group = owner
                .api_version
                .split_once('/')
                .map_or("", |(group, _)| group);
            owner.controller == Some(true) && TemplateKind::of(group, &owner.kind).is_some()
        })
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
    /// The facts of the Pod template, which are empty where there is none.
    pub(crate) fn into_template(self, kind: TemplateKind) -> PodFacts<'a> {
        let template = match kind {
            TemplateKind::CronJob => self.spec.job_template.and_then(|job| job.spec.template),
            _ => self.spec.template,
        };
        let mut pod = template.unwrap_or_default().into_facts();
        // The Pods of a template get names of their own, so nothing there is theirs yet (A7).
        pod.name = Text(Cow::Borrowed(""));
        pod
    }
}

view! {
    /// What a Pod is judged by, as it stands in the JSON (A4).
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

/// Whether a Pod's labels, annotations and spec stand in both objects in the same bytes (A4).
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

/// Whether two Workloads differ in the API server's bookkeeping at most (P2).
pub(crate) fn is_same_workload(new: Slice<'_>, old: Slice<'_>) -> bool {
    let metadata = |object| parse::<WithMetadata<'_>>(object)?.metadata;
    match (metadata(new), metadata(old)) {
        (Some(new_metadata), Some(old_metadata)) => {
            let bookkeeping = ["managedFields", "resourceVersion", "generation"];
            has_same_fields(new_metadata, old_metadata, &bookkeeping)
                && has_same_fields(new, old, &["metadata"])
        }
        _ => false,
    }
}

/// Whether two maps have the same entries, those of the keys given apart.
fn has_same_fields(new: Slice<'_>, old: Slice<'_>, but_for: &[&str]) -> bool {
    match (parse::<Fields<'_>>(new), parse::<Fields<'_>>(old)) {
        (Some(Fields(mut new)), Some(Fields(mut old))) => {
            for fields in [&mut new, &mut old] {
                fields.retain(|(key, _)| !but_for.contains(&&**key));
            }
            new.len() == old.len() && new.iter().all(|field| old.contains(field))
        }
        _ => false,
    }
}

fn parse<'a, T: Deserialize<'a>>(Slice(object): Slice<'a>) -> Option<T> {
    json::from_slice(object).ok()
}

/// The entries of a map, their values as they stand in the JSON.
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
