//! Applications that are one workload because none has a ServiceAccount of its own (T7).

use std::collections::{BTreeMap, BTreeSet};

use kuma_workload_rulebook::{
    identifier::{DEFAULT_SERVICE_ACCOUNT, IdentifierSource},
    metadata::Labels,
};

use super::{
    finding::{Cause, Finding, Member, Severity},
    pod_source::PodSource,
    read::Place,
};

/// The labels that tell applications apart, in the order in which they count.
const APPLICATION_LABELS: [&str; 2] = ["app.kubernetes.io/name", "app"];

/// The Pods and templates of a namespace that get the default ServiceAccount's workload.
#[derive(Default)]
struct Sharing<'a> {
    applications: BTreeSet<&'a str>,
    members: Vec<Member>,
    first: Option<&'a Place>,
}

/// Notes, once for each namespace, that several applications are one workload to Kuma.
pub(crate) fn sharing_a_workload(sources: &[PodSource<'_>], findings: &mut Vec<Finding>) {
    let mut namespaces = BTreeMap::<&str, Sharing<'_>>::new();
    for source in sources.iter().filter(|source| source.counts()) {
        let there = source.coming || source.template.is_none();
        let Some(application) = application(&source.facts.metadata.labels) else {
            continue;
        };
        if there && is_of_default_account(source) {
            let place = source.named.place.as_ref();
            let sharing = namespaces.entry(source.named.namespace()).or_default();
            sharing.applications.insert(application);
            sharing.members.push(source.member(place));
            sharing.first = match sharing.first {
                Some(first) => place.map(|place| place.min(first)).or(Some(first)),
                None => place,
            };
        }
    }
    let shared = namespaces
        .into_iter()
        .filter(|(_, sharing)| sharing.applications.len() > 1);
    findings.extend(shared.map(|(namespace, sharing)| {
        let applications = sharing.applications.into_iter();
        let cause = Cause::SharedWorkload {
            namespace: namespace.to_owned(),
            workload: DEFAULT_SERVICE_ACCOUNT.to_owned(),
            applications: applications.map(str::to_owned).collect(),
        };
        Finding::of(Severity::Note, cause)
            .at(sharing.first.cloned())
            .about(sharing.members)
    }));
}

/// Whether its workload is the one that Pods without a ServiceAccount get; the API server writes that
/// account into the Pods (W2).
fn is_of_default_account(source: &PodSource<'_>) -> bool {
    source.workload.is_some_and(|workload| {
        let by_account = matches!(
            workload.source,
            IdentifierSource::ServiceAccount | IdentifierSource::DefaultServiceAccount
        );
        by_account && workload.name == DEFAULT_SERVICE_ACCOUNT
    })
}

fn application<'l>(labels: &'l Labels<'_>) -> Option<&'l str> {
    let mut keys = APPLICATION_LABELS.iter();
    keys.find_map(|key| labels.get_non_empty(key))
}
