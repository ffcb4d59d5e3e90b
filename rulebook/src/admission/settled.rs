//! Pods that no rule has to look at: nothing that matters changes, or they are at their end (A4,
//! A15).

use super::{
    request::{Operation, Request},
    witness::{Step, Witness},
};
use crate::{keys, metadata::PodFacts};

/// The labels that a Pod that is being deleted keeps, or it is judged like any other (A4): a Pod can
/// be terminating for a year, and Kuma writes its Dataplane all the same.
pub const KEPT_LABELS: [&str; 3] = [keys::WORKLOAD, keys::MESH, keys::SIDECAR_INJECTION];

/// The annotations that a Pod that is being deleted keeps, or it is judged like any other (A4).
pub const KEPT_ANNOTATIONS: [&str; 3] = [keys::MESH, keys::SIDECAR_INJECTED, keys::GATEWAY];

/// Whether a Pod is accepted without being judged. `keeps_containers` says whether its containers
/// have the names that they had before.
///
/// On UPDATE, a Pod is settled if its labels, annotations and spec are as they were, or if it is
/// being deleted and keeps what decides about its membership, so that finalizers can go (A4). Nobody
/// can create a Pod that is terminating or finished, but an audit, which is a CREATE without a user,
/// can find one (A15).
pub(super) fn is_settled(
    request: &Request<'_>,
    new: &PodFacts<'_>,
    old: Option<&PodFacts<'_>>,
    keeps_containers: bool,
    witness: &impl Witness,
) -> bool {
    let (is_settled, settled, not_settled) = match request.operation {
        Operation::Create => {
            let at_its_end = request.user.is_none() && (new.terminating || new.finished);
            (at_its_end, Step::AtItsEnd, Step::NotAtItsEnd)
        }
        Operation::Update | Operation::Delete => {
            let keeps = |old| keeps_containers && keeps_what_decides(new, old);
            let changes_nothing = request.unchanged || new.terminating && old.is_some_and(keeps);
            (changes_nothing, Step::ChangesNothing, Step::Changes)
        }
    };
    witness.step(if is_settled { settled } else { not_settled });
    is_settled
}

fn keeps_what_decides(new: &PodFacts<'_>, old: &PodFacts<'_>) -> bool {
    let (new, old) = (&new.metadata, &old.metadata);
    KEPT_LABELS
        .iter()
        .all(|key| new.labels.get(key) == old.labels.get(key))
        && KEPT_ANNOTATIONS
            .iter()
            .all(|key| new.annotations.get(key) == old.annotations.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::test_support::*;
    use rstest::rstest;

    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;

    /// An UPDATE of a Pod that is being deleted, which had a forged label before.
    fn terminating() -> PodRequest {
        let labels = &[(keys::WORKLOAD, "forged"), (keys::MESH, "mesh1")];
        let mut request = PodRequest::new(Operation::Update)
            .labels(labels)
            .was(labels)
            .settings(ON);
        request.new.terminating = true;
        request
    }

    #[rstest]
    #[case::nothing(|_: &mut PodRequest| {}, true)]
    #[case::another_label(|r: &mut PodRequest| r.new.metadata.labels.extend([("app", "a")]), true)]
    #[case::another_annotation(|r: &mut PodRequest| r.new.metadata.annotations.extend([("a", "b")]), true)]
    #[case::an_annotation_of_a_zone_proxy(|r: &mut PodRequest| r.new.metadata.annotations.extend([(keys::INGRESS, "true")]), true)]
    #[case::workload(|r: &mut PodRequest| r.new.metadata.labels.extend([(keys::WORKLOAD, "x")]), false)]
    #[case::mesh(|r: &mut PodRequest| r.new.metadata.labels.extend([(keys::MESH, "mesh2")]), false)]
    #[case::injection(|r: &mut PodRequest| r.new.metadata.labels.extend([(keys::SIDECAR_INJECTION, "")]), false)]
    #[case::mesh_annotation(|r: &mut PodRequest| r.new.metadata.annotations.extend([(keys::MESH, "mesh1")]), false)]
    #[case::injected(|r: &mut PodRequest| r.new.metadata.annotations.extend([(keys::SIDECAR_INJECTED, "true")]), false)]
    #[case::gateway(|r: &mut PodRequest| r.new.metadata.annotations.extend([(keys::GATEWAY, "builtin")]), false)]
    #[case::containers(|r: &mut PodRequest| r.keeps_containers = false, false)]
    #[case::not_terminating(|r: &mut PodRequest| r.new.terminating = false, false)]
    fn a4_a_pod_that_is_being_deleted_is_accepted_if_it_keeps_what_decides(
        #[case] edit: fn(&mut PodRequest),
        #[case] accepted: bool,
    ) {
        let mut request = terminating();
        edit(&mut request);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(code(&verdict), (!accepted).then_some(403));
    }

    #[test]
    fn a4_a_pod_that_is_being_deleted_does_not_move_to_another_mesh() {
        let cluster = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let mut request = PodRequest::new(Operation::Update)
            .labels(&[(keys::MESH, "mesh1")])
            .annotations(&[(keys::INGRESS, "enabled")])
            .was(&[])
            .settings(
                r#"{"disallowMultipleMeshesPerNamespace":true,"updates":"membership","legacyMeshAnnotations":false}"#,
            );
        request.new.terminating = true;
        assert_eq!(code(&request.judge(&cluster)), Some(403));
    }

    #[test]
    fn a4_without_the_old_object_a_pod_that_is_being_deleted_counts_as_changed() {
        let mut request = PodRequest::new(Operation::Update)
            .labels(&[(keys::WORKLOAD, "forged")])
            .settings(ON);
        request.new.terminating = true;
        assert_eq!(code(&request.judge(&FakeCluster::untouched())), Some(403));
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
}
