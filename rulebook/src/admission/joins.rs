//! Whether a request makes a Pod join a mesh (A8). Every rule that judges only what is new uses this
//! one answer.

use super::{pod_review::PodReview, request::Operation};
use crate::{
    membership::{self, Mark, Membership},
    mesh::{self, MeshAnnotations},
    metadata::{Metadata, PodFacts},
};

/// Whether a request makes a Pod join a mesh, as far as the Pod before and after it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joins {
    /// It does, in every Namespace.
    Yes,
    /// It does not, in any Namespace.
    No,
    /// Its Namespace decides: see [`in_namespace`].
    AskNamespace,
}

/// Judges a request without the Namespace.
///
/// A CREATE joins, and so does an UPDATE that does not say what the Pod was before. Any other UPDATE
/// joins if it gives the Pod a [`Mark`] that it had not, makes it meshed, or moves it to another
/// mesh. A Pod that is not meshed after the request joins nothing.
pub(super) fn by_itself(review: &PodReview<'_>, annotations: MeshAnnotations) -> Joins {
    let new = review.new;
    let Some(old) = before(review) else {
        return Joins::Yes;
    };
    if gains_mark(new, old) {
        return Joins::Yes;
    }
    // `None` where the Namespace decides.
    let new_membership = membership::of_pod(new);
    let was_meshed = match (new_membership, membership::of_pod(old)) {
        (Membership::Unmeshed, _) => return Joins::No,
        (_, Membership::Meshed) => Some(true),
        (_, Membership::Unmeshed) => Some(false),
        // The old Pod was injected in every Namespace that would inject the new one.
        (Membership::AskNamespace(new), Membership::AskNamespace(old)) if old.follows_from(new) => {
            Some(true)
        }
        (_, Membership::AskNamespace(_)) => None,
    };
    let [new_mesh, old_mesh] = [new, old].map(|pod| mesh::named_by_pod(&pod.metadata, annotations));
    let same_mesh = match (new_mesh, old_mesh) {
        (None, None) => Some(true),
        (Some(new), Some(old)) => Some(new.name == old.name),
        (Some(_), None) | (None, Some(_)) => None,
    };
    match (was_meshed, same_mesh) {
        (Some(true), Some(true)) => Joins::No,
        (Some(false), _) | (_, Some(false)) if new_membership == Membership::Meshed => Joins::Yes,
        _ => Joins::AskNamespace,
    }
}

/// Judges a request with the Namespace of the Pod.
pub(super) fn in_namespace(
    review: &PodReview<'_>,
    annotations: MeshAnnotations,
    namespace: &Metadata<'_>,
) -> bool {
    let Some(old) = before(review) else {
        return true;
    };
    let new = review.new;
    let is_meshed = |pod| membership::reason(pod, namespace).is_meshed();
    let keeps_mesh = || {
        let new = mesh::of_pod(&new.metadata, namespace, annotations);
        new.name == mesh::of_pod(&old.metadata, namespace, annotations).name
    };
    gains_mark(new, old) || is_meshed(new) && !(is_meshed(old) && keeps_mesh())
}

/// The Pod before an UPDATE, if the request says what it was.
fn before<'r>(review: &PodReview<'r>) -> Option<&'r PodFacts<'r>> {
    review.old.filter(|_| review.operation == Operation::Update)
}

fn gains_mark(new: &PodFacts<'_>, old: &PodFacts<'_>) -> bool {
    Mark::ALL
        .into_iter()
        .any(|mark| mark.is_on(new) && !mark.is_on(old))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{admission::pod_review::PodOrTemplate, keys, metadata::Labels};
    use proptest::{prelude::*, sample::select};
    use rstest::rstest;

    fn review<'r>(
        operation: Operation,
        new: &'r PodFacts<'r>,
        old: Option<&'r PodFacts<'r>>,
    ) -> PodReview<'r> {
        PodReview {
            subject: PodOrTemplate::Pod,
            operation,
            namespace: "team",
            new,
            old,
        }
    }

    type Entries = &'static [(&'static str, &'static str)];

    fn pod((labels, annotations, has_sidecar): (Entries, Entries, bool)) -> PodFacts<'static> {
        PodFacts {
            metadata: Metadata {
                labels: labels.iter().copied().collect(),
                annotations: annotations.iter().copied().collect(),
            },
            has_sidecar,
            ..PodFacts::default()
        }
    }

    const PLAIN: (Entries, Entries, bool) = (&[], &[], false);
    const OFF: (Entries, Entries, bool) = (&[(keys::SIDECAR_INJECTION, "no")], &[], false);
    const ENABLED: (Entries, Entries, bool) = (&[(keys::SIDECAR_INJECTION, "enabled")], &[], false);
    const YES: (Entries, Entries, bool) = (&[(keys::SIDECAR_INJECTION, "yes")], &[], false);
    const MESH1: (Entries, Entries, bool) = (&[(keys::MESH, "mesh1")], &[], false);
    const MESH2: (Entries, Entries, bool) = (&[(keys::MESH, "mesh2")], &[], false);
    const MESH1_OFF: (Entries, Entries, bool) = (
        &[(keys::MESH, "mesh1"), (keys::SIDECAR_INJECTION, "no")],
        &[],
        false,
    );
    const ANNOTATED: (Entries, Entries, bool) = (&[], &[(keys::MESH, "mesh1")], false);
    const INJECTED: (Entries, Entries, bool) = (
        &[(keys::MESH, "mesh1")],
        &[(keys::SIDECAR_INJECTED, "true")],
        false,
    );
    const GATEWAY: (Entries, Entries, bool) = (
        &[(keys::MESH, "mesh1")],
        &[(keys::GATEWAY, "builtin")],
        false,
    );
    const SIDECAR: (Entries, Entries, bool) = (&[(keys::MESH, "mesh1")], &[], true);
    const INGRESS: (Entries, Entries, bool) = (
        &[(keys::MESH, "mesh1")],
        &[(keys::INGRESS, "enabled")],
        false,
    );

    #[rstest]
    #[case::nothing_changes(PLAIN, PLAIN, Joins::No)]
    #[case::keeps_its_mesh(MESH1, MESH1, Joins::No)]
    #[case::another_mesh(MESH1, MESH2, Joins::Yes)]
    #[case::becomes_meshed(MESH1_OFF, MESH1, Joins::Yes)]
    #[case::names_a_mesh(PLAIN, MESH1, Joins::AskNamespace)]
    #[case::names_none_any_more(MESH1, PLAIN, Joins::AskNamespace)]
    #[case::leaves(MESH1, MESH1_OFF, Joins::No)]
    #[case::moves_while_it_is_out(OFF, MESH1_OFF, Joins::No)]
    #[case::injection_not_off_any_more(OFF, PLAIN, Joins::AskNamespace)]
    #[case::injection_enabled(PLAIN, ENABLED, Joins::AskNamespace)]
    #[case::injection_not_enabled_any_more(ENABLED, PLAIN, Joins::No)]
    #[case::another_word_that_says_the_same(PLAIN, YES, Joins::No)]
    #[case::a_mesh_by_annotation(PLAIN, ANNOTATED, Joins::AskNamespace)]
    #[case::was_marked_as_injected(MESH1, INJECTED, Joins::Yes)]
    #[case::became_a_gateway(INJECTED, GATEWAY, Joins::Yes)]
    #[case::got_a_sidecar(MESH1, SIDECAR, Joins::Yes)]
    #[case::lost_a_mark(INJECTED, MESH1, Joins::No)]
    #[case::i5_ingress_came(MESH1, INGRESS, Joins::No)]
    #[case::i5_ingress_went(INGRESS, MESH1, Joins::No)]
    fn a8_which_updates_join(
        #[case] old: (Entries, Entries, bool),
        #[case] new: (Entries, Entries, bool),
        #[case] joins: Joins,
    ) {
        let (old, new) = (pod(old), pod(new));
        let found =
            |operation, old| by_itself(&review(operation, &new, old), MeshAnnotations::Read);
        assert_eq!(found(Operation::Update, Some(&old)), joins);
        assert_eq!(found(Operation::Update, None), Joins::Yes);
        assert_eq!(found(Operation::Create, None), Joins::Yes);
        assert_eq!(found(Operation::Create, Some(&old)), Joins::Yes);
    }

    #[test]
    fn m2_kuma_3_reads_no_mesh_from_an_annotation() {
        let (old, new) = (pod(PLAIN), pod(ANNOTATED));
        let review = review(Operation::Update, &new, Some(&old));
        assert_eq!(by_itself(&review, MeshAnnotations::Ignored), Joins::No);
    }

    fn any_word() -> impl Strategy<Value = Option<&'static str>> {
        select(vec![
            None,
            Some("enabled"),
            Some("true"),
            Some("yes"),
            Some("no"),
            Some("x"),
        ])
    }

    fn any_mesh() -> impl Strategy<Value = Option<&'static str>> {
        select(vec![
            None,
            Some(""),
            Some("mesh1"),
            Some("mesh2"),
            Some("default"),
        ])
    }

    fn any_metadata() -> impl Strategy<Value = Metadata<'static>> {
        (any_word(), any_mesh(), any_mesh()).prop_map(|(word, label, annotation)| Metadata {
            labels: entries([(keys::SIDECAR_INJECTION, word), (keys::MESH, label)]),
            annotations: entries([(keys::MESH, annotation)]),
        })
    }

    fn any_pod() -> impl Strategy<Value = PodFacts<'static>> {
        let marks = (
            select(vec![None, None, Some("builtin"), Some("enabled")]),
            select(vec![None, None, Some("true"), Some("no")]),
            select(vec![None, None, Some("")]),
            prop::bool::weighted(0.1),
        );
        (any_metadata(), marks).prop_map(
            |(mut metadata, (gateway, injected, build, has_sidecar))| {
                metadata.annotations.extend(
                    [(keys::GATEWAY, gateway), (keys::SIDECAR_INJECTED, injected)]
                        .into_iter()
                        .filter_map(|(key, value)| Some((key, value?))),
                );
                metadata
                    .labels
                    .extend(build.map(|value| (keys::INJECTION_EXCEPTIONS[0], value)));
                PodFacts {
                    metadata,
                    has_sidecar,
                    ..PodFacts::default()
                }
            },
        )
    }

    fn entries<const N: usize>(
        entries: [(&'static str, Option<&'static str>); N],
    ) -> Labels<'static> {
        let entries = entries.into_iter();
        entries
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a8_what_the_pod_proves_holds_in_every_namespace(
            old in any_pod(),
            new in any_pod(),
            namespace in any_metadata(),
            annotations in select(vec![MeshAnnotations::Read, MeshAnnotations::Ignored]),
        ) {
            let review = review(Operation::Update, &new, Some(&old));
            let in_namespace = in_namespace(&review, annotations, &namespace);
            match by_itself(&review, annotations) {
                Joins::Yes => prop_assert!(in_namespace),
                Joins::No => prop_assert!(!in_namespace),
                Joins::AskNamespace => {}
            }
        }

        #[test]
        fn a8_an_update_that_changes_nothing_never_joins(pod in any_pod()) {
            let review = review(Operation::Update, &pod, Some(&pod));
            prop_assert_eq!(by_itself(&review, MeshAnnotations::Read), Joins::No);
        }
    }
}
