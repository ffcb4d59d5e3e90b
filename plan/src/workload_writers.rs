//! Who writes Workloads and is none of their managers: what `protectWorkloads` would meet (P1).

use kuma_workload_rulebook::{
    admission::{
        self, EnforcementAction, Operation, Request, RequestObject, RequestUser,
        ServiceAccountUser, Settings,
    },
    identifier::DEFAULT_SERVICE_ACCOUNT,
    metadata::{Labels, Text},
    roster::{CONTROL_PLANE, MANAGER},
};

use super::{
    finding::{Cause, Finding, Member, ObjectName, Severity},
    inventory::Inventory,
    planned_cluster::PlannedCluster,
    pod_source::PodSource,
};

/// What the Pods of programs that write Workloads carry: those of Kuma's and Kong Mesh's charts, and
/// those of this project.
const WRITERS: [(&str, &str); 3] = [
    ("app", "kuma-control-plane"),
    ("app", "kong-mesh-control-plane"),
    ("app.kubernetes.io/name", "kuma-workload"),
];

/// Finds the writers that run as somebody else than a manager, and, where those are refused, the
/// Workloads that no such program has made.
pub(crate) fn check(
    inventory: &Inventory,
    sources: &[PodSource<'_>],
    settings: &Settings<'_>,
    cluster: &PlannedCluster<'_>,
    findings: &mut Vec<Finding>,
) {
    let Some(action) = settings.protect_workloads else {
        return;
    };
    for source in sources.iter().filter(|source| source.template.is_some()) {
        let user = user(source);
        if is_writer(&source.facts.metadata.labels) && !may_write(&user, settings, cluster) {
            let severity = match action {
                EnforcementAction::Deny => Severity::Error,
                EnforcementAction::Warn => Severity::Warning,
            };
            let place = source.named.place.as_ref();
            let cause = Cause::NoManager {
                user: user.name.to_string(),
            };
            findings.push(
                Finding::of(severity, cause)
                    .at(place.cloned())
                    .about([source.member(place)]),
            );
        }
    }
    if action == EnforcementAction::Deny {
        findings.extend(made_by_hand(inventory));
    }
}

fn is_writer(labels: &Labels<'_>) -> bool {
    let is = |(key, name)| labels.get(key) == Some(name);
    WRITERS.into_iter().any(is)
}

/// The user that the Pods of a template are to the API server.
fn user(source: &PodSource<'_>) -> RequestUser<'static> {
    let namespace = source.named.namespace();
    let account = source.facts.service_account.as_deref();
    let account = account.unwrap_or(DEFAULT_SERVICE_ACCOUNT);
    let user = ServiceAccountUser::of(namespace, account);
    RequestUser {
        name: Text(user.name().to_owned().into()),
        groups: user.groups().into(),
    }
}

/// Whether nothing is said against it when this user writes a Workload.
fn may_write(
    user: &RequestUser<'static>,
    settings: &Settings<'_>,
    cluster: &PlannedCluster<'_>,
) -> bool {
    let request = Request {
        operation: Operation::Update,
        namespace: Text::default(),
        user: Some(user.clone()),
        unchanged: false,
        object: RequestObject::Workload {
            name: Text::default(),
            terminating: false,
        },
    };
    let verdict = admission::judge(&request, settings, &cluster.without(usize::MAX));
    verdict.rejection.is_none() && verdict.warnings.is_empty()
}

/// Who wrote a Workload is not told by it; but what a control plane or `run` has made says so, and a
/// copy from elsewhere comes from a control plane too.
fn made_by_hand(inventory: &Inventory) -> impl Iterator<Item = Finding> {
    let workloads = inventory.workloads.values().filter(|workload| {
        let facts = workload.facts();
        let by_program = facts
            .managed_by
            .is_some_and(|manager| [CONTROL_PLANE, MANAGER].contains(&manager));
        !by_program && !facts.is_copy
    });
    workloads.map(|workload| {
        let place = workload.named.place.clone();
        let object = ObjectName::of("Workload", &workload.named);
        let cause = Cause::MadeByHand {
            namespace: workload.named.namespace().to_owned(),
        };
        Finding::of(Severity::Warning, cause)
            .at(place.clone())
            .about([Member::new(object, "Workload", place)])
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::tests::{document, planned_with, workload};
    use crate::{Options, Report};

    fn told(yaml: &str, settings: &'static str) -> Vec<(String, String, String)> {
        let options = Options {
            settings: Some(document(settings)),
            ..Options::default()
        };
        let Report { findings, .. } = planned_with(yaml, &options);
        let findings = findings
            .into_iter()
            .filter(|one| one.code == "workload-object");
        findings
            .map(|one| (one.severity.name().to_owned(), one.message, one.remedy))
            .collect()
    }

    fn control_plane(app: &str, namespace: &str, account: &str) -> String {
        format!(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: cp, namespace: {namespace}}}
spec:
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec: {{serviceAccountName: {account}}}
---"
        )
    }

    const DENY: &str = "protectWorkloads: deny";

    #[rstest]
    #[case::by_its_default_name(
        "kong-mesh-control-plane",
        "kong-mesh-system",
        "kong-mesh-control-plane",
        0
    )]
    #[case::renamed("kong-mesh-control-plane", "mesh", "cp", 1)]
    #[case::another_account("kuma-control-plane", "kuma-system", "default", 1)]
    #[case::another_program("web", "mesh", "cp", 0)]
    fn p1_a_control_plane_that_is_no_manager(
        #[case] app: &str,
        #[case] namespace: &str,
        #[case] account: &str,
        #[case] found: usize,
    ) {
        assert_eq!(
            told(&control_plane(app, namespace, account), DENY).len(),
            found
        );
    }

    #[rstest]
    #[case::deny("protectWorkloads: deny", Some("error"))]
    #[case::warn("protectWorkloads: warn", Some("warning"))]
    #[case::off("protectWorkloads: \"off\"", None)]
    #[case::named(
        "{protectWorkloads: deny, workloadManagers: [\"system:serviceaccount:mesh:cp\"]}",
        None
    )]
    fn p1_it_is_as_grave_as_what_comes_of_it(
        #[case] settings: &'static str,
        #[case] severity: Option<&str>,
    ) {
        let told = told(&control_plane("kuma-control-plane", "mesh", "cp"), settings);
        assert_eq!(told.first().map(|(severity, ..)| &**severity), severity);
        if let Some((_, message, remedy)) = told.first() {
            assert_eq!(
                message,
                "Deployment \"mesh/cp\" writes Workloads as \"system:serviceaccount:mesh:cp\", which is none of \
                 the workloadManagers: it could no longer keep them under protectWorkloads: deny"
            );
            assert_eq!(
                remedy,
                "add \"system:serviceaccount:mesh:cp\" to workloadManagers"
            );
        }
    }

    #[rstest]
    #[case::by_a_control_plane("k8s-controller", 0)]
    #[case::by_run("kuma-workload-reconciler", 0)]
    #[case::by_somebody("jane", 1)]
    fn p1_workloads_made_by_hand(#[case] manager: &str, #[case] found: usize) {
        let yaml = workload("web", "default", manager);
        assert_eq!(told(&yaml, DENY).len(), found);
        assert!(told(&yaml, "protectWorkloads: warn").is_empty());
    }

    #[test]
    fn p1_several_are_one_finding() {
        let bare = "apiVersion: kuma.io/v1alpha1\nkind: Workload\nmetadata: {name: web, namespace: team}\n---";
        let yaml = format!("{bare}{}", workload("api", "default", "jane"));
        let told = told(&yaml, DENY);
        assert_eq!(
            told,
            [(
                "warning".to_owned(),
                "2 Workloads in namespace \"team\" (\"api\" and \"web\") were made by hand, and under protectWorkloads: deny only \
                 the workloadManagers may write them"
                    .to_owned(),
                "do not write Workloads \"api\" and \"web\" any more, or name who does in workloadManagers"
                    .to_owned()
            )]
        );
    }
}
