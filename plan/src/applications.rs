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

#[cfg(test)]
mod tests {
    use crate::tests::{planned, planned_with, with_labels};
    use rstest::rstest;

    fn pod(name: &str, labels: &str, spec: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: team, \
             labels: {{kuma.io/mesh: m, {labels}}}}}\nspec: {{{spec}}}\n---\n"
        )
    }

    #[rstest]
    #[case::two_applications(&[("app: cart", ""), ("app: till", "")], true)]
    #[case::by_the_recommended_label(
        &[("app.kubernetes.io/name: cart, app: shop", ""), ("app.kubernetes.io/name: till, app: shop", "")], true)]
    #[case::by_either_label(&[("app.kubernetes.io/name: cart", ""), ("app: till", "")], true)]
    #[case::filled_in_by_the_api_server(
        &[("app: cart", "serviceAccountName: default"), ("app: till", "")], true)]
    #[case::one_application(&[("app: cart", ""), ("app: cart", "")], false)]
    #[case::one_has_an_account(&[("app: cart", "serviceAccountName: cart"), ("app: till", "")], false)]
    #[case::another_account(
        &[("app: cart", "serviceAccountName: shop"), ("app: till", "serviceAccountName: shop")], false)]
    #[case::one_says_nothing(&[("app: cart", ""), ("tier: back", "")], false)]
    #[case::one_is_in_no_mesh(
        &[("app: cart", ""), ("app: till, kuma.io/sidecar-injection: disabled", "")], false)]
    fn t7_applications_of_the_default_account_are_one_workload(
        #[case] pods: &[(&str, &str)],
        #[case] told: bool,
    ) {
        let pods = pods.iter().enumerate();
        let yaml: String = pods
            .map(|(number, (labels, spec))| pod(&format!("p{number}"), labels, spec))
            .collect();
        let report = planned(&yaml);
        let found = report.findings.iter();
        let found: Vec<_> = found.filter(|one| one.code == "shared-workload").collect();
        assert_eq!(found.len(), usize::from(told));
        assert!(found.iter().all(|one| one.severity.name() == "note"));
    }

    #[test]
    fn t7_it_is_told_once_for_a_namespace() {
        let names = ["cart", "till", "stock", "search"];
        let pods = names.map(|name| pod(name, &format!("app: {name}"), ""));
        let elsewhere = pod("lone", "app: lone", "").replace("team", "other");
        let yaml = pods.concat() + &elsewhere;
        let report = planned(&yaml);
        let found = report.findings.iter();
        let found: Vec<_> = found.filter(|one| one.code == "shared-workload").collect();
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "namespace \"team\": the applications \"cart\", \"search\", \"stock\" and \"till\" run as the \
             default ServiceAccount, so to Kuma they are one workload, \"default\""
        );
        assert_eq!((found[0].count, found[0].objects.len()), (4, 3));

        let by_label = planned_with(&yaml, &with_labels(&["app"]));
        assert!(
            by_label
                .findings
                .iter()
                .all(|one| one.code != "shared-workload")
        );
    }
}
