//! Nobody sets the label `kuma.io/workload` (A1, A2); the annotation of that name has no effect
//! (A3, W7).

use super::{
    enforcement::enforce,
    joins::{self, Joins},
    pod_review::{PodOrTemplate, PodReview},
    settings::{EnforcementAction, Settings, Updates},
    verdict::{Objection, Rule, Ruling},
    witness::{Step, Witness},
};
use crate::{
    identifier::{self, PodAnnotation},
    keys,
    quoted::Quoted,
};

/// Rejects a Pod with the label, whatever its value (A1), and a Pod template that gains it (A2).
///
/// A Pod that had the label before the policy came must still be able to change, and so under
/// `updates: membership` an UPDATE that keeps the label as it is and [joins](joins::by_itself)
/// nothing is only warned about. Nothing is asked for that: where the Namespace decides whether the
/// Pod joins, it counts as joining. A template that had the label may be updated in any case:
/// otherwise nobody could scale it to zero or correct it.
pub(super) fn judge(
    review: &PodReview<'_>,
    settings: &Settings<'_>,
    warnings: &mut Vec<Objection>,
    witness: &impl Witness,
) -> Ruling {
    let Some(value) = review.new.metadata.labels.get(keys::WORKLOAD) else {
        witness.step(match review.subject {
            PodOrTemplate::Pod => Step::PodWithoutLabel,
            PodOrTemplate::Template(..) => Step::TemplateWithoutLabel,
        });
        return Ok(());
    };
    let old_value = review
        .old
        .and_then(|old| old.metadata.labels.get(keys::WORKLOAD));
    let (message, action) = match review.subject {
        PodOrTemplate::Pod => {
            let was_there = settings.updates == Updates::Membership
                && old_value == Some(value)
                && joins::by_itself(review, settings.mesh_annotations) == Joins::No;
            let message = format!(
                "cannot manually set {} label on Pod; it is automatically managed by Kuma",
                keys::WORKLOAD
            );
            let action = match was_there {
                true => EnforcementAction::Warn,
                false => EnforcementAction::Deny,
            };
            (message, action)
        }
        PodOrTemplate::Template(..) if old_value.is_some() => {
            witness.step(Step::TemplateHadLabel);
            return Ok(());
        }
        PodOrTemplate::Template(kind, _) => {
            let message = format!(
                "cannot set {} label in the {} ({}); it is automatically managed by Kuma",
                keys::WORKLOAD,
                review.subject,
                kind.labels_path(),
            );
            (message, EnforcementAction::Deny)
        }
    };
    enforce(
        action,
        Objection::new(Rule::WorkloadLabel, message),
        warnings,
        witness,
    )
}

/// Warns that the annotation has no effect, and says which workload the Pod gets instead (A3, W7).
pub(super) fn idle_annotation(
    review: &PodReview<'_>,
    settings: &Settings<'_>,
) -> Option<Objection> {
    let PodReview {
        subject, new: pod, ..
    } = *review;
    if !identifier::has_idle_annotation(pod) {
        return None;
    }
    let effect = format_args!("annotation {} has no effect", keys::WORKLOAD);
    let message = match identifier::of_pod(pod, settings.workload_labels(), PodAnnotation::Ignore) {
        Some(workload) => format!(
            "{effect}: in a mesh, this {subject} gets workload {} from {}",
            Quoted(workload.name),
            workload.source,
        ),
        None => format!("{effect}: this {subject} is a builtin gateway and has no workload"),
    };
    Some(Objection::new(Rule::WorkloadAnnotation, message))
}

#[cfg(test)]
mod tests {
    use crate::{
        admission::{kind::TEMPLATE_KINDS, request::Operation, test_support::*},
        metadata::PodFacts,
    };
    use rstest::rstest;

    const POD: &str = "cannot manually set kuma.io/workload label on Pod; \
                       it is automatically managed by Kuma";

    #[rstest]
    #[case::no_label(&[], None)]
    #[case::another_label(&[("kuma.io/mesh", "m")], None)]
    #[case::forged(&[("kuma.io/workload", "backend")], Some(POD))]
    #[case::empty_value(&[("kuma.io/workload", "")], Some(POD))]
    fn a1_no_pod_carries_the_label(
        #[case] labels: &[(&'static str, &'static str)],
        #[case] rejection: Option<&str>,
        #[values(Operation::Create, Operation::Update)] operation: Operation,
    ) {
        let request = PodRequest::new(operation).labels(labels);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), rejection);
        assert_eq!(code(&verdict), rejection.map(|_| 403));
    }

    #[test]
    fn a1_is_on_whatever_the_settings_say() {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/workload", "w")])
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn"}"#);
        assert_eq!(
            message(&request.judge(&FakeCluster::untouched())),
            Some(POD)
        );
    }

    const MEMBERSHIP: &str = r#"{"updates":"membership"}"#;
    const FORGED: (&str, &str) = ("kuma.io/workload", "backend");
    const OFF: (&str, &str) = ("kuma.io/sidecar-injection", "no");
    const MESH1: (&str, &str) = ("kuma.io/mesh", "mesh1");

    /// A failover changes a label of a Pod that had the forged label before the policy came.
    #[rstest]
    #[case::as_it_was(&[FORGED], &[FORGED], false)]
    #[case::a_failover(&[FORGED, ("role", "replica")], &[FORGED, ("role", "master")], false)]
    #[case::of_a_member(&[FORGED, MESH1], &[FORGED, MESH1, ("role", "master")], false)]
    #[case::leaves_its_mesh(&[FORGED, MESH1], &[FORGED, MESH1, OFF], false)]
    #[case::adds_the_label(&[], &[FORGED], true)]
    #[case::changes_the_value(&[("kuma.io/workload", "other")], &[FORGED], true)]
    #[case::empties_the_value(&[FORGED], &[("kuma.io/workload", "")], true)]
    #[case::changes_its_mesh(&[FORGED, ("kuma.io/mesh", "mesh2")], &[FORGED, MESH1], true)]
    #[case::becomes_meshed(&[FORGED, MESH1, OFF], &[FORGED, MESH1], true)]
    #[case::may_become_meshed(&[FORGED, OFF], &[FORGED], true)]
    #[case::may_change_its_mesh(&[FORGED], &[FORGED, MESH1], true)]
    fn a1_under_membership_a_pod_that_had_the_label_may_change(
        #[case] old: &[(&'static str, &'static str)],
        #[case] new: &[(&'static str, &'static str)],
        #[case] rejected: bool,
    ) {
        let request = PodRequest::new(Operation::Update).labels(new).was(old);
        let verdict = request
            .clone()
            .settings(MEMBERSHIP)
            .judge(&FakeCluster::untouched());
        let expected = rejected.then_some(POD);
        assert_eq!(
            (message(&verdict), code(&verdict)),
            (expected, expected.map(|_| 403))
        );
        let warned = if rejected { vec![] } else { vec![POD] };
        assert_eq!(warnings(&verdict), warned);
        let all = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&all), Some(POD), "updates: all is upstream's way");
    }

    #[rstest]
    #[case::sidecar_injected(|pod: &mut PodFacts<'static>| {
        pod.metadata.annotations = [("kuma.io/sidecar-injected", "true")].into_iter().collect();
    })]
    #[case::sidecar(|pod: &mut PodFacts<'static>| pod.has_sidecar = true)]
    #[case::builtin_gateway(|pod: &mut PodFacts<'static>| {
        pod.metadata.annotations = [("kuma.io/gateway", "builtin")].into_iter().collect();
    })]
    fn a1_a_pod_with_the_label_that_becomes_a_proxy_joins(
        #[case] edit: fn(&mut PodFacts<'static>),
        #[values(false, true)] terminating: bool,
    ) {
        let mut request = PodRequest::new(Operation::Update)
            .labels(&[FORGED])
            .was(&[FORGED])
            .settings(MEMBERSHIP);
        request.new.terminating = terminating;
        request.keeps_containers = false;
        edit(&mut request.new);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), Some(POD));
    }

    #[test]
    fn a1_under_membership_an_update_without_the_old_object_is_rejected() {
        let request = PodRequest::new(Operation::Update)
            .labels(&[FORGED])
            .settings(MEMBERSHIP);
        assert_eq!(code(&request.judge(&FakeCluster::untouched())), Some(403));
    }

    #[test]
    fn a2_no_template_carries_the_label() {
        for kind in TEMPLATE_KINDS {
            let request = TemplateRequest::new(kind.name).labels(&[("kuma.io/workload", "w")]);
            let verdict = request.judge(&FakeCluster::untouched());
            let sentence = format!(
                "cannot set kuma.io/workload label in the pod template of {} \"web\" ({}); \
                 it is automatically managed by Kuma",
                kind.name,
                kind.labels_path(),
            );
            assert_eq!(message(&verdict), Some(&*sentence));
            assert_eq!(code(&verdict), Some(403));
        }
    }

    #[rstest]
    #[case::new_key(&[], true)]
    #[case::key_was_there(&[("kuma.io/workload", "old")], false)]
    fn a2_an_update_is_judged_if_the_key_is_new(
        #[case] old: &[(&'static str, &'static str)],
        #[case] rejected: bool,
    ) {
        let request = TemplateRequest::new("Deployment")
            .labels(&[("kuma.io/workload", "w")])
            .was(old);
        assert_eq!(
            message(&request.judge(&FakeCluster::untouched())).is_some(),
            rejected
        );
    }

    #[test]
    fn a2_what_a_judged_controller_owns_is_not_judged() {
        let request = TemplateRequest::new("ReplicaSet")
            .labels(&[("kuma.io/workload", "w")])
            .owned();
        assert_eq!(message(&request.judge(&FakeCluster::untouched())), None);
    }

    #[rstest]
    #[case::service_account(&[], "annotation kuma.io/workload has no effect: in a mesh, this pod \
        gets workload \"default\" from the default ServiceAccount")]
    #[case::label(&[("app", "backend")], "annotation kuma.io/workload has no effect: in a mesh, \
        this pod gets workload \"backend\" from label app")]
    fn w7_the_annotation_is_accepted_with_a_warning(
        #[case] labels: &[(&'static str, &'static str)],
        #[case] warning: &str,
    ) {
        let request = PodRequest::new(Operation::Create)
            .labels(labels)
            .annotations(&[("kuma.io/workload", "hand-made")])
            .settings(r#"{"workloadLabels":["app"]}"#);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), None);
        assert_eq!(warnings(&verdict), [warning]);
    }

    #[test]
    fn a3_a_template_with_the_annotation_is_accepted() {
        let request =
            TemplateRequest::new("Deployment").annotations(&[("kuma.io/workload", "hand-made")]);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), None);
        assert_eq!(
            warnings(&verdict),
            [
                "annotation kuma.io/workload has no effect: in a mesh, this pod template of \
              Deployment \"web\" gets workload \"default\" from the default ServiceAccount"
            ]
        );
    }

    #[test]
    fn a3_a_gateway_with_the_annotation_has_no_workload() {
        let request = PodRequest::new(Operation::Create)
            .labels(&[OFF])
            .annotations(&[("kuma.io/workload", "w"), ("kuma.io/gateway", "builtin")]);
        assert_eq!(
            warnings(&request.judge(&FakeCluster::untouched())),
            ["annotation kuma.io/workload has no effect: \
              this pod is a builtin gateway and has no workload"]
        );
    }
}
