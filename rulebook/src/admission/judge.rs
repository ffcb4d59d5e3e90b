//! Judges a request by one rule after the other.

use super::{
    cluster::Cluster,
    mesh_rule,
    namespace_rule::{self, NamespaceChange},
    pod_review::{PodOrTemplate, PodReview},
    request::{Operation, Request, RequestObject},
    settings::Settings,
    switch_words,
    verdict::{Objection, Ruling, Verdict},
    workload_label, workload_name, workload_objects,
};
use crate::metadata::PodFacts;

/// Judges a request that is in [`scope`](super::request::scope). The first rule that rejects it
/// decides.
pub fn judge<C: Cluster>(request: &Request<'_>, settings: &Settings<'_>, cluster: &C) -> Verdict {
    let mut warnings = Vec::new();
    let ruling = match &request.object {
        RequestObject::Pod { new, .. } if is_settled(request, new) => Ok(()),
        RequestObject::Pod { new, old } => {
            let review = PodReview {
                subject: PodOrTemplate::Pod,
                operation: request.operation,
                namespace: &request.namespace,
                new,
                old: old.as_ref(),
            };
            judge_pod(&review, settings, cluster, &mut warnings)
        }
        RequestObject::Template {
            owner_is_judged: true,
            ..
        } => Ok(()),
        RequestObject::Template {
            kind,
            name,
            new,
            old,
            ..
        } => {
            let review = PodReview {
                subject: PodOrTemplate::Template(kind, name),
                operation: request.operation,
                namespace: &request.namespace,
                new,
                old: old.as_ref(),
            };
            judge_pod(&review, settings, cluster, &mut warnings)
        }
        RequestObject::Namespace {
            terminating: true, ..
        } => Ok(()),
        RequestObject::Namespace { name, new, old, .. } => {
            warnings.extend(switch_words::unknown_of_namespace(new));
            let change = NamespaceChange {
                operation: request.operation,
                name,
                new,
                old: old.as_ref(),
            };
            namespace_rule::judge(change, settings, cluster, &mut warnings)
        }
        RequestObject::Workload { name, terminating } => {
            workload_objects::judge(request, name, *terminating, settings, &mut warnings)
        }
    };
    Verdict {
        rejection: ruling.err(),
        warnings,
    }
}

/// The rules for Pods and Pod templates, in their order.
fn judge_pod<C: Cluster>(
    review: &PodReview<'_>,
    settings: &Settings<'_>,
    cluster: &C,
    warnings: &mut Vec<Objection>,
) -> Ruling {
    workload_label::judge(review)?;
    warnings.extend(workload_label::idle_annotation(review, settings));
    warnings.extend(switch_words::unknown_of_pod(review));
    workload_name::judge(review, settings, warnings)?;
    mesh_rule::judge(review, settings, cluster, warnings)
}

/// Whether no rule has to look at this Pod (A4, A15): an UPDATE changes nothing that matters, or
/// the Pod is at its end. Nobody can create a Pod that is terminating or finished, but an audit,
/// which is a CREATE without a user, can find one.
fn is_settled(request: &Request<'_>, pod: &PodFacts<'_>) -> bool {
    match request.operation {
        Operation::Create => request.user.is_none() && (pod.terminating || pod.finished),
        Operation::Update | Operation::Delete => pod.terminating || request.unchanged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{admission::test_support::*, keys};
    use rstest::rstest;

    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;

    #[test]
    fn a4_a_pod_that_is_being_deleted_is_accepted_on_update() {
        let mut request = PodRequest::new(Operation::Update)
            .labels(&[(keys::WORKLOAD, "forged")])
            .settings(ON);
        request.new.terminating = true;
        assert_eq!(message(&request.judge(&FakeCluster::untouched())), None);
    }

    #[test]
    fn a4_an_update_that_changes_nothing_is_accepted() {
        let mut request = PodRequest::new(Operation::Update)
            .labels(&[(keys::WORKLOAD, "forged")])
            .settings(ON);
        request.unchanged = true;
        let verdict = request.clone().judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), None);
        request.unchanged = false;
        assert_eq!(code(&request.judge(&FakeCluster::untouched())), Some(403));
    }

    #[rstest]
    #[case::terminating(|pod: &mut PodFacts<'static>| pod.terminating = true, true)]
    #[case::finished(|pod: &mut PodFacts<'static>| pod.finished = true, true)]
    #[case::running(|_: &mut PodFacts<'static>| {}, false)]
    fn a15_an_audit_accepts_a_pod_at_its_end(
        #[case] edit: fn(&mut PodFacts<'static>),
        #[case] accepted: bool,
    ) {
        let mut request = PodRequest::new(Operation::Create).labels(&[(keys::WORKLOAD, "forged")]);
        edit(&mut request.new);
        let by_somebody = request.clone().judge(&FakeCluster::untouched());
        assert_eq!(
            code(&by_somebody),
            Some(403),
            "nobody can create a Pod in such a state"
        );
        request.user = None;
        assert_eq!(
            message(&request.judge(&FakeCluster::untouched())).is_none(),
            accepted
        );
    }

    #[test]
    fn a15_an_audited_pod_is_not_in_conflict_with_its_own_dataplane() {
        let cluster = FakeCluster::new(&[]).dataplane("web-0", Some("mesh2"), Some("mesh2"));
        let mut request = PodRequest::new(Operation::Create)
            .labels(&[(keys::MESH, "mesh1")])
            .settings(ON);
        request.user = None;
        assert_eq!(message(&request.judge(&cluster)), None);
    }

    #[test]
    fn w6_the_name_of_the_workload_is_exactly_the_identifier() {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("app", "Back.End_1")])
            .annotations(&[(keys::WORKLOAD, "x")])
            .settings(r#"{"workloadLabels":["app"]}"#);
        let verdict = request.judge(&FakeCluster::untouched());
        assert!(warnings(&verdict)[0].contains("\"Back.End_1\""));
    }
}
