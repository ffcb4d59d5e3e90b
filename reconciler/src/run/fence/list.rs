//! Lists the references of the Dataplanes of a namespace, consistently and as metadata alone.

use std::collections::BTreeSet;

use kube::{
    api::{ListParams, Request},
    core::ObjectList,
};

use crate::{
    kinds::{DataplaneRecord, RecordKind, namespaced_name},
    run::{context::Context, index::KnownIdentifier, requests::ApiClient, requests::RequestError},
};

/// How many objects a page has. They are small.
const PAGE: u32 = 500;

/// The workloads that the Dataplanes of a namespace refer to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::run) struct References {
    workloads: BTreeSet<String>,
    /// The identifier of some Dataplane is not known.
    unknown: bool,
}

impl References {
    /// Whether a Dataplane refers to a workload.
    pub(super) fn includes(&self, workload: &str) -> bool {
        self.workloads.contains(workload)
    }

    /// Whether the workload of some Dataplane is not known: it may be any.
    pub(super) fn has_unknown(&self) -> bool {
        self.unknown
    }

    /// Takes a Dataplane, of which only the metadata was read.
    fn add(&mut self, dataplane: &DataplaneRecord, known: KnownIdentifier<'_>) {
        if !dataplane.is_local() {
            return;
        }
        let stored = dataplane.stored_identifier();
        match (stored.filter(|stored| !stored.is_empty()), known) {
            (Some(workload), _) | (None, KnownIdentifier::Workload(workload)) => {
                self.workloads.insert(workload.to_owned());
            }
            (None, KnownIdentifier::None) => {}
            (None, KnownIdentifier::Unknown) => self.unknown = true,
        }
    }

    #[cfg(test)]
    pub(super) fn of(workloads: &[&str], unknown: bool) -> Self {
        Self {
            workloads: workloads.iter().map(|&it| it.to_owned()).collect(),
            unknown,
        }
    }
}

/// Lists the Dataplanes of a namespace.
///
/// # Errors
/// When a page could not be read.
pub(in crate::run) async fn list_references(
    api: &ApiClient,
    context: &Context,
    namespace: &str,
) -> Result<References, RequestError> {
    let path = RecordKind::Dataplane.path(Some(namespace));
    let mut parameters = ListParams::default().limit(PAGE);
    let mut references = References::default();
    loop {
        let request = Request::new(&path).list_metadata(&parameters);
        let page: ObjectList<DataplaneRecord> = api.send(request, None).await?;
        let index = context.index();
        for dataplane in &page.items {
            let name = namespaced_name(&dataplane.metadata);
            references.add(dataplane, index.known_identifier(&name));
        }
        drop(index);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters.continue_token = Some(token),
            None => return Ok(references),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case::stored(json!({ "kuma.io/workload": "web" }), json!({}), KnownIdentifier::Unknown, &["web"], false)]
    #[case::of_its_pod(json!({}), json!({}), KnownIdentifier::Workload("api"), &["api"], false)]
    #[case::of_a_pod_that_was_not_seen(json!({}), json!({}), KnownIdentifier::Unknown, &[], true)]
    #[case::none(json!({}), json!({}), KnownIdentifier::None, &[], false)]
    #[case::a_copy(json!({ "kuma.io/workload": "web" }), json!({ "k8s.kuma.io/namespace": "elsewhere" }), KnownIdentifier::Unknown, &[], false)]
    fn l19_references(
        #[case] annotations: Value,
        #[case] labels: Value,
        #[case] known: KnownIdentifier<'_>,
        #[case] workloads: &[&str],
        #[case] unknown: bool,
    ) {
        let metadata = json!({
            "name": "web-0", "namespace": "shop", "annotations": annotations, "labels": labels,
        });
        let object = json!({ "kind": "PartialObjectMetadata", "metadata": metadata });
        let mut references = References::default();
        references.add(&serde_json::from_value(object).unwrap(), known);
        assert_eq!(references, References::of(workloads, unknown));
    }
}
