//! Judges a request by one rule after the other.

use super::{
    cluster::Cluster,
    enforcement::warn,
    inquiry::Inquiry,
    mesh_rule,
    namespace_change::NamespaceChange,
    namespace_rule,
    pod_review::{PodOrTemplate, PodReview},
    request::{Request, RequestObject},
    settings::Settings,
    settled::is_settled,
    switch_words,
    verdict::{Objection, Ruling, Verdict},
    witness::Step,
    workload_label, workload_name, workload_objects,
};

/// Judges a request that is in [`scope`](super::request::scope). The first rule that rejects it
/// decides.
pub fn judge<C: Cluster>(request: &Request<'_>, settings: &Settings<'_>, cluster: &C) -> Verdict {
    let mut warnings = Vec::new();
    let ruling = match &request.object {
        RequestObject::Pod {
            new,
            old,
            keeps_containers,
        } if is_settled(request, new, old.as_ref(), *keeps_containers, cluster) => Ok(()),
        RequestObject::Pod { new, old, .. } => {
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
        } => {
            cluster.step(Step::OwnerIsJudged);
            Ok(())
        }
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
            warnings.extend(switch_words::of_namespace(new));
            let change = NamespaceChange {
                operation: request.operation,
                name,
                new,
                old: old.as_ref(),
            };
            namespace_rule::judge(change, settings, cluster, &mut warnings)
        }
        RequestObject::Workload { name, terminating } => workload_objects::judge(
            request,
            name,
            *terminating,
            settings,
            &mut warnings,
            cluster,
        ),
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
    workload_label::judge(review, settings, warnings, cluster)?;
    match workload_label::idle_annotation(review, settings) {
        Some(objection) => warn(objection, warnings, cluster),
        None => cluster.step(Step::WithoutAnnotation),
    }
    let inquiry = Inquiry::new(*review, settings, cluster);
    let ruling = workload_name::judge(review, settings, warnings, cluster)
        .and_then(|()| mesh_rule::judge(&inquiry, warnings));
    // Last, since the mesh rule may have asked for the Namespace.
    for objection in switch_words::of_pod(review, inquiry.known_namespace()) {
        warn(objection, warnings, cluster);
    }
    ruling
}

#[cfg(test)]
mod tests {
    use crate::{
        admission::{request::Operation, test_support::*},
        keys,
    };

    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;

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
