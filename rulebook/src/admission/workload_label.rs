//! Nobody sets the label `kuma.io/workload` (A1, A2); the annotation of that name has no effect
//! (A3, W7).

use super::{
    pod_review::{PodOrTemplate, PodReview},
    settings::Settings,
    verdict::{Objection, Rule, Ruling},
};
use crate::{
    identifier::{self, PodAnnotation},
    keys,
    metadata::PodFacts,
    quoted::Quoted,
};

/// Rejects a Pod with the label, whatever its value (A1), and a Pod template that gains it (A2). A
/// template that had the label before may be updated: otherwise nobody could scale it to zero or
/// correct it.
pub(super) fn judge(review: &PodReview<'_>) -> Ruling {
    let has_label = |pod: &PodFacts<'_>| pod.metadata.labels.contains(keys::WORKLOAD);
    if !has_label(review.new) {
        return Ok(());
    }
    let message = match review.subject {
        PodOrTemplate::Pod => format!(
            "cannot manually set {} label on Pod; it is automatically managed by Kuma",
            keys::WORKLOAD
        ),
        PodOrTemplate::Template(..) if review.old.is_some_and(has_label) => return Ok(()),
        PodOrTemplate::Template(kind, _) => format!(
            "cannot set {} label in the {} ({}); it is automatically managed by Kuma",
            keys::WORKLOAD,
            review.subject,
            kind.labels_path(),
        ),
    };
    Err(Objection::new(Rule::WorkloadLabel, message))
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
        None => format!("{effect}: this {subject} is a gateway or zone proxy and has no workload"),
    };
    Some(Objection::new(Rule::WorkloadAnnotation, message))
}

#[cfg(test)]
mod tests {
    use crate::admission::{kind::TEMPLATE_KINDS, request::Operation, test_support::*};
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
            .annotations(&[("kuma.io/workload", "w"), ("kuma.io/gateway", "builtin")]);
        assert_eq!(
            warnings(&request.judge(&FakeCluster::untouched())),
            ["annotation kuma.io/workload has no effect: \
              this pod is a gateway or zone proxy and has no workload"]
        );
    }
}
