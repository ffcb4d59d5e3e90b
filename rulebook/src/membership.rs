//! Whether a Pod is in a mesh at all (I1 to I4).

mod reason;

pub use reason::{MembershipReason, reason};

use crate::{
    keys::{self, Switch},
    metadata::{Metadata, PodFacts},
};

/// What can be said of a Pod's membership from the Pod alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is in a mesh, or will be (I1).
    Meshed,
    /// It is in none, whatever its Namespace says (I1, I3).
    Unmeshed,
    /// Its Namespace decides: see [`injects`].
    AskNamespace,
}

/// Judges a Pod, or the Pod that a template describes, by itself (I1, I3).
pub fn of_pod(pod: &PodFacts<'_>) -> Membership {
    let Metadata {
        labels,
        annotations,
    } = &pod.metadata;
    if pod.is_zone_proxy() {
        return Membership::Unmeshed;
    }
    if pod.is_builtin_gateway()
        || annotations.switch(keys::SIDECAR_INJECTED) == Some(Switch::On)
        || pod.has_sidecar
    {
        return Membership::Meshed;
    }
    let own_label = labels.switch(keys::SIDECAR_INJECTION);
    if own_label == Some(Switch::Off) {
        return Membership::Unmeshed;
    }
    if labels.get_non_empty(keys::MESH).is_some() {
        return Membership::Meshed;
    }
    let passed_over = keys::INJECTION_EXCEPTIONS
        .iter()
        .any(|label| labels.contains(label));
    match own_label {
        Some(Switch::On) if !passed_over => Membership::Meshed,
        None if !passed_over => Membership::AskNamespace,
        _ => Membership::Unmeshed,
    }
}

/// Whether a Namespace injects the Pods that do not say otherwise (I1).
pub fn injects(namespace: &Metadata<'_>) -> bool {
    namespace.labels.switch(keys::SIDECAR_INJECTION) == Some(Switch::On)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Labels;
    use Membership::{AskNamespace, Meshed, Unmeshed};
    use rstest::rstest;

    fn pod<'a>(labels: &[(&'a str, &'a str)], annotations: &[(&'a str, &'a str)]) -> PodFacts<'a> {
        let entries = |e: &[(&'a str, &'a str)]| e.iter().copied().collect::<Labels<'a>>();
        PodFacts {
            metadata: Metadata {
                labels: entries(labels),
                annotations: entries(annotations),
            },
            ..PodFacts::default()
        }
    }

    #[rstest]
    #[case::builtin_gateway(&[("kuma.io/sidecar-injection", "disabled")], &[("kuma.io/gateway", "builtin")], Meshed)]
    #[case::gateway_is_read_to_the_letter(&[], &[("kuma.io/gateway", "Builtin")], AskNamespace)]
    #[case::delegated_gateway_is_injected_as_usual(&[], &[("kuma.io/gateway", "enabled")], AskNamespace)]
    #[case::injected(&[], &[("kuma.io/sidecar-injected", "true")], Meshed)]
    #[case::injected_yes(&[], &[("kuma.io/sidecar-injected", "yes")], Meshed)]
    #[case::injected_garbage(&[], &[("kuma.io/sidecar-injected", "maybe")], AskNamespace)]
    #[case::own_label_on(&[("kuma.io/sidecar-injection", "enabled")], &[], Meshed)]
    #[case::own_label_garbage(&[("kuma.io/sidecar-injection", "on")], &[], Unmeshed)]
    #[case::names_a_mesh(&[("kuma.io/mesh", "m")], &[], Meshed)]
    #[case::names_an_empty_mesh(&[("kuma.io/mesh", "")], &[], AskNamespace)]
    #[case::names_a_mesh_by_annotation_only(&[], &[("kuma.io/mesh", "m")], AskNamespace)]
    #[case::nothing_said(&[], &[], AskNamespace)]
    #[case::zone_ingress(&[("kuma.io/mesh", "m")], &[("kuma.io/ingress", "enabled")], Unmeshed)]
    #[case::zone_egress(&[], &[("kuma.io/egress", "true"), ("kuma.io/sidecar-injected", "true")], Unmeshed)]
    #[case::ingress_off(&[], &[("kuma.io/ingress", "false")], AskNamespace)]
    fn i1_meshed_or_not(
        #[case] labels: &[(&str, &str)],
        #[case] annotations: &[(&str, &str)],
        #[case] membership: Membership,
    ) {
        assert_eq!(of_pod(&pod(labels, annotations)), membership);
    }

    #[rstest]
    #[case::off(&[("kuma.io/sidecar-injection", "disabled")], &[], Unmeshed)]
    #[case::off_beats_the_mesh_label(&[("kuma.io/sidecar-injection", "no"), ("kuma.io/mesh", "m")], &[], Unmeshed)]
    #[case::off_yields_to_injected(&[("kuma.io/sidecar-injection", "no")], &[("kuma.io/sidecar-injected", "true")], Meshed)]
    #[case::openshift_build(&[("openshift.io/build.name", "b"), ("kuma.io/sidecar-injection", "enabled")], &[], Unmeshed)]
    #[case::openshift_deployer(&[("openshift.io/deployer-pod-for.name", "")], &[], Unmeshed)]
    #[case::an_exception_that_names_a_mesh(&[("openshift.io/build.name", "b"), ("kuma.io/mesh", "m")], &[], Meshed)]
    fn i3_own_label_off_and_exceptions(
        #[case] labels: &[(&str, &str)],
        #[case] annotations: &[(&str, &str)],
        #[case] membership: Membership,
    ) {
        assert_eq!(of_pod(&pod(labels, annotations)), membership);
    }

    #[test]
    fn i1_a_sidecar_container_is_proof() {
        let pod = PodFacts {
            has_sidecar: true,
            ..pod(&[("kuma.io/sidecar-injection", "disabled")], &[])
        };
        assert_eq!(of_pod(&pod), Meshed);
    }

    #[rstest]
    #[case::on(&[("kuma.io/sidecar-injection", "enabled")], true)]
    #[case::off(&[("kuma.io/sidecar-injection", "disabled")], false)]
    #[case::garbage(&[("kuma.io/sidecar-injection", "x")], false)]
    #[case::absent(&[], false)]
    fn i4_only_a_namespace_that_says_so_injects(#[case] labels: &[(&str, &str)], #[case] on: bool) {
        assert_eq!(injects(&pod(labels, &[]).metadata), on);
    }
}
