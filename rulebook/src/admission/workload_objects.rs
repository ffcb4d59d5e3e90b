//! Workloads are written by their managers, not by hand (P1, P2).

use super::{
    enforcement::enforce,
    request::{Operation, Request},
    settings::Settings,
    verdict::{Objection, Rule, Ruling},
    witness::Witness,
};
use crate::quoted::Quoted;

/// The fields of `metadata` that the API server changes by itself: an UPDATE that changes no other
/// field of a Workload is accepted (P2).
pub const BOOKKEEPING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// Judges who writes a Workload.
pub(super) fn judge(
    request: &Request<'_>,
    name: &str,
    terminating: bool,
    settings: &Settings<'_>,
    warnings: &mut Vec<Objection>,
    witness: &impl Witness,
) -> Ruling {
    let Some(action) = settings.protect_workloads else {
        return Ok(());
    };
    let Some(user) = &request.user else {
        return Ok(());
    };
    let is_manager = settings.is_workload_manager(&user.name, &user.groups);
    if terminating || request.unchanged || is_manager {
        return Ok(());
    }
    let verb = match request.operation {
        Operation::Create => "create",
        Operation::Update => "change",
        Operation::Delete => "delete",
    };
    let objection = Objection::new(
        Rule::WorkloadObject,
        format!(
            "Workload {} is managed automatically; {} may not {verb} it",
            Quoted(name),
            Quoted(&user.name),
        ),
    );
    enforce(action, objection, warnings, witness)
}

#[cfg(test)]
mod tests {
    use crate::admission::{request::Operation, test_support::*};
    use rstest::rstest;

    const DENY: &str = r#"{"protectWorkloads":"deny"}"#;

    #[rstest]
    #[case::create(Operation::Create, "create")]
    #[case::update(Operation::Update, "change")]
    #[case::delete(Operation::Delete, "delete")]
    fn p1_a_person_may_not(#[case] operation: Operation, #[case] verb: &str) {
        let verdict = WorkloadRequest::new(operation).by("jane", &[]).judge(DENY);
        let sentence =
            format!("Workload \"web\" is managed automatically; \"jane\" may not {verb} it");
        assert_eq!(message(&verdict), Some(&*sentence));
        assert_eq!(code(&verdict), Some(403));
    }

    #[rstest]
    #[case::warn(r#"{"protectWorkloads":"warn"}"#, 1)]
    #[case::default("{}", 1)]
    #[case::off(r#"{"protectWorkloads":"off"}"#, 0)]
    fn p1_otherwise_it_warns_or_is_off(#[case] settings: &str, #[case] warned: usize) {
        let verdict = WorkloadRequest::new(Operation::Create)
            .by("jane", &[])
            .judge(settings);
        assert_eq!(
            (message(&verdict), warnings(&verdict).len()),
            (None, warned)
        );
    }

    #[rstest]
    #[case::kong("system:serviceaccount:kong-mesh-system:kong-mesh-control-plane", &[], true)]
    #[case::kuma("system:serviceaccount:kuma-system:kuma-control-plane", &[], true)]
    #[case::garbage_collector("system:serviceaccount:kube-system:generic-garbage-collector", &[], true)]
    #[case::namespace_controller("system:serviceaccount:kube-system:namespace-controller", &[], true)]
    #[case::controller_manager("system:kube-controller-manager", &[], true)]
    #[case::migrator("system:serviceaccount:kube-system:storage-version-migrator-controller", &[], true)]
    #[case::reconciler("system:serviceaccount:kuma-workload:kuma-workload", &[], true)]
    #[case::an_admin("kubernetes-admin", &["system:masters"], false)]
    #[case::no_prefix_without_a_star("system:kube-controller-manager-2", &[], false)]
    fn p1_default_managers(#[case] user: &str, #[case] groups: &[&'static str], #[case] may: bool) {
        let verdict = WorkloadRequest::new(Operation::Update)
            .by(user, groups)
            .judge(DENY);
        assert_eq!(message(&verdict).is_none(), may);
    }

    #[rstest]
    #[case::user("Mesh Ops", &[], true)]
    #[case::users_by_their_beginning("robot-7", &[], true)]
    #[case::group("jane", &["people", "system:serviceaccounts:mesh"], true)]
    #[case::groups_by_their_beginning("jane", &["oidc:mesh-eu"], true)]
    #[case::service_accounts_of_a_namespace("system:serviceaccount:mesh-system:cp", &[], true)]
    #[case::service_accounts_of_another("system:serviceaccount:mesh:cp", &[], false)]
    #[case::a_group_that_is_named_like_a_user("jane", &["Mesh Ops", "robot-7"], false)]
    #[case::a_user_who_is_named_like_a_group("system:serviceaccounts:mesh", &[], false)]
    #[case::a_user_who_is_named_like_a_group_of_some("oidc:mesh-eu", &[], false)]
    #[case::a_user_who_is_named_like_the_entry("group:oidc:mesh-eu", &[], false)]
    #[case::neither("jane", &["people"], false)]
    #[case::a_given_list_replaces_the_default("system:kube-controller-manager", &[], false)]
    fn p1_managers_by_setting(
        #[case] user: &str,
        #[case] groups: &[&'static str],
        #[case] may: bool,
    ) {
        let verdict = WorkloadRequest::new(Operation::Delete)
            .by(user, groups)
            .judge(
                r#"{"protectWorkloads":"deny",
                "workloadManagers":["Mesh Ops","robot-*","group:system:serviceaccounts:mesh",
                "group:oidc:mesh-*","system:serviceaccount:mesh-system:*"]}"#,
            );
        assert_eq!(message(&verdict).is_none(), may);
    }

    #[rstest]
    #[case::audit(WorkloadRequest::new(Operation::Create))]
    #[case::nothing_changed(WorkloadRequest::new(Operation::Update).by("jane", &[]).unchanged())]
    #[case::terminating(WorkloadRequest::new(Operation::Update).by("jane", &[]).terminating())]
    fn p2_accepted_all_the_same(#[case] request: WorkloadRequest) {
        let verdict = request.judge(DENY);
        assert_eq!((message(&verdict), warnings(&verdict).len()), (None, 0));
    }
}
