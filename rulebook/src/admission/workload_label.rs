//! Nobody sets `kuma.io/workload` (A1, A2); the annotation of that name does nothing (A3, W7).

use super::{Objection, PodOrTemplate, Quoted, Rule, Ruling, Settings, TemplateKind};
use crate::{
    identifier::{self, PodAnnotation},
    keys,
    metadata::PodFacts,
};

/// A Pod may not carry the label, with any value (A1).
pub(super) fn pod(pod: &PodFacts<'_>) -> Ruling {
    if !pod.metadata.labels.contains(keys::WORKLOAD) {
        return Ok(());
    }
    Err(Objection::new(
        Rule::WorkloadLabel,
        "cannot manually set kuma.io/workload label on Pod; \
         it is automatically managed by Kuma"
            .to_owned(),
    ))
}

/// A Pod template may not gain the label (A2). One that has it already may be updated, so that it
/// can be scaled to zero and mended.
pub(super) fn template(
    kind: TemplateKind,
    name: &str,
    new: &PodFacts<'_>,
    old: Option<&PodFacts<'_>>,
) -> Ruling {
    let carries = |template: &PodFacts<'_>| template.metadata.labels.contains(keys::WORKLOAD);
    if !carries(new) || old.is_some_and(carries) {
        return Ok(());
    }
    Err(Objection::new(
        Rule::WorkloadLabel,
        format!(
            "cannot set kuma.io/workload label in the pod template of {} {} ({}); \
             it is automatically managed by Kuma",
            kind.name(),
            Quoted(name),
            kind.labels_path(),
        ),
    ))
}

/// The annotation that the Kong page speaks of is accepted, and does nothing (A3, W7).
pub(super) fn idle_annotation(
    subject: PodOrTemplate<'_>,
    pod: &PodFacts<'_>,
    settings: &Settings<'_>,
) -> Option<Objection> {
    if !identifier::has_idle_annotation(pod) {
        return None;
    }
    let effect = "annotation kuma.io/workload has no effect";
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
    use super::super::{Operation, test_support::*};
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
        let verdict = request.judge(&FakeCluster::forbidden());
        assert_eq!(message(&verdict), rejection);
        assert_eq!(code(&verdict), rejection.map(|_| 403));
    }

    #[test]
    fn a1_is_on_whatever_the_settings_say() {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/workload", "w")])
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn"}"#);
        assert_eq!(
            message(&request.judge(&FakeCluster::forbidden())),
            Some(POD)
        );
    }

    #[rstest]
    #[case::deployment("Deployment", "spec.template.metadata.labels")]
    #[case::replica_set("ReplicaSet", "spec.template.metadata.labels")]
    #[case::stateful_set("StatefulSet", "spec.template.metadata.labels")]
    #[case::daemon_set("DaemonSet", "spec.template.metadata.labels")]
    #[case::replication_controller("ReplicationController", "spec.template.metadata.labels")]
    #[case::job("Job", "spec.template.metadata.labels")]
    #[case::cron_job("CronJob", "spec.jobTemplate.spec.template.metadata.labels")]
    fn a2_no_template_carries_the_label(#[case] kind: &str, #[case] path: &str) {
        let request = TemplateRequest::new(kind).labels(&[("kuma.io/workload", "w")]);
        let verdict = request.judge(&FakeCluster::forbidden());
        let sentence = format!(
            "cannot set kuma.io/workload label in the pod template of {kind} \"web\" ({path}); \
             it is automatically managed by Kuma"
        );
        assert_eq!(message(&verdict), Some(&*sentence));
        assert_eq!(code(&verdict), Some(403));
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
            message(&request.judge(&FakeCluster::forbidden())).is_some(),
            rejected
        );
    }

    #[test]
    fn a2_what_a_judged_controller_owns_is_not_judged() {
        let request = TemplateRequest::new("ReplicaSet")
            .labels(&[("kuma.io/workload", "w")])
            .owned();
        assert_eq!(message(&request.judge(&FakeCluster::forbidden())), None);
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
        let verdict = request.judge(&FakeCluster::forbidden());
        assert_eq!(message(&verdict), None);
        assert_eq!(warnings(&verdict), [warning]);
    }

    #[test]
    fn a3_a_template_with_the_annotation_is_accepted() {
        let request =
            TemplateRequest::new("Deployment").annotations(&[("kuma.io/workload", "hand-made")]);
        let verdict = request.judge(&FakeCluster::forbidden());
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
            warnings(&request.judge(&FakeCluster::forbidden())),
            ["annotation kuma.io/workload has no effect: \
              this pod is a gateway or zone proxy and has no workload"]
        );
    }
}
