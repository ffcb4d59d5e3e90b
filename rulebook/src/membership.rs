//! Whether a Pod is in a mesh (I1 to I4).

use std::fmt;

use crate::{
    keys::{self, Switch},
    metadata::{Metadata, PodFacts},
};

/// What a Pod alone says about its membership in a mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is in a mesh, or will be (I1).
    Meshed,
    /// It is in no mesh, whatever its Namespace says (I1, I3).
    Unmeshed,
    /// Its Namespace decides: see [`injects`].
    AskNamespace,
}

/// Judges a Pod, or the Pod that a template describes, without its Namespace (I1, I3).
pub fn of_pod(pod: &PodFacts<'_>) -> Membership {
    match own_reason(pod) {
        None => Membership::AskNamespace,
        Some(reason) if reason.is_meshed() => Membership::Meshed,
        Some(_) => Membership::Unmeshed,
    }
}

/// Whether a Namespace injects Pods that do not decide for themselves (I1).
pub fn injects(namespace: &Metadata<'_>) -> bool {
    namespace.labels.switch(keys::SIDECAR_INJECTION) == Some(Switch::On)
}

/// Why a Pod in this Namespace is meshed or not (I1, I3).
pub fn reason(pod: &PodFacts<'_>, namespace: &Metadata<'_>) -> MembershipReason {
    match own_reason(pod) {
        Some(reason) => reason,
        None if injects(namespace) => MembershipReason::NamespaceInjects,
        None => MembershipReason::NothingInjects,
    }
}

/// What decides about a Pod, if it is the Pod itself. The first reason that holds decides.
fn own_reason(pod: &PodFacts<'_>) -> Option<MembershipReason> {
    let Metadata {
        labels,
        annotations,
    } = &pod.metadata;
    if pod.is_zone_proxy() {
        return Some(MembershipReason::ZoneProxy);
    }
    if pod.is_builtin_gateway() {
        return Some(MembershipReason::BuiltinGateway);
    }
    if annotations.switch(keys::SIDECAR_INJECTED) == Some(Switch::On) {
        return Some(MembershipReason::Injected);
    }
    if pod.has_sidecar {
        return Some(MembershipReason::Sidecar);
    }
    let own_label = labels.switch(keys::SIDECAR_INJECTION);
    if own_label == Some(Switch::Off) {
        return Some(MembershipReason::LabelOff);
    }
    if labels.get_non_empty(keys::MESH).is_some() {
        return Some(MembershipReason::NamesMesh);
    }
    let exception = keys::INJECTION_EXCEPTIONS
        .into_iter()
        .find(|label| labels.contains(label));
    if let Some(label) = exception {
        return Some(MembershipReason::Exception(label));
    }
    own_label.map(|switch| match switch {
        Switch::On => MembershipReason::LabelOn,
        Switch::Off => MembershipReason::LabelOff,
        Switch::Unknown => MembershipReason::LabelUnknown,
    })
}

/// What decides whether a Pod is meshed (I1, I3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembershipReason {
    /// Not meshed: a zone ingress or egress.
    ZoneProxy,
    /// Meshed: a builtin gateway.
    BuiltinGateway,
    /// Meshed: its annotation says that it was injected.
    Injected,
    /// Meshed: it has a container named [`keys::SIDECAR_CONTAINER`].
    Sidecar,
    /// Not meshed: its own label turns injection off.
    LabelOff,
    /// Meshed: its own label names a mesh.
    NamesMesh,
    /// Not meshed: Kuma's injector skips Pods with this label.
    Exception(&'static str),
    /// Meshed: its own label turns injection on.
    LabelOn,
    /// Not meshed: its own label is neither on nor off.
    LabelUnknown,
    /// Meshed: its Namespace injects.
    NamespaceInjects,
    /// Not meshed: neither the Pod nor its Namespace asks for injection.
    NothingInjects,
}

impl MembershipReason {
    /// Whether the Pod is meshed.
    pub fn is_meshed(self) -> bool {
        matches!(
            self,
            Self::BuiltinGateway
                | Self::Injected
                | Self::Sidecar
                | Self::NamesMesh
                | Self::LabelOn
                | Self::NamespaceInjects
        )
    }
}

impl fmt::Display for MembershipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZoneProxy => formatter.write_str("zone proxy"),
            Self::BuiltinGateway => formatter.write_str("builtin gateway"),
            Self::Injected => formatter.write_str("it was injected"),
            Self::Sidecar => formatter.write_str("it has the sidecar"),
            Self::LabelOff => formatter.write_str("its label turns injection off"),
            Self::NamesMesh => formatter.write_str("its label names a mesh"),
            Self::Exception(label) => write!(formatter, "label {label} exempts it from injection"),
            Self::LabelOn => formatter.write_str("its label turns injection on"),
            Self::LabelUnknown => {
                formatter.write_str("its label for injection is neither on nor off")
            }
            Self::NamespaceInjects => formatter.write_str("its namespace injects"),
            Self::NothingInjects => formatter.write_str("its namespace does not inject"),
        }
    }
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

    #[rstest]
    #[case::nothing(&[], &[], &[], MembershipReason::NothingInjects)]
    #[case::namespace(&[], &[], &[("kuma.io/sidecar-injection", "enabled")], MembershipReason::NamespaceInjects)]
    #[case::label_on(&[("kuma.io/sidecar-injection", "enabled")], &[], &[], MembershipReason::LabelOn)]
    #[case::label_off(&[("kuma.io/sidecar-injection", "no")], &[], &[("kuma.io/sidecar-injection", "enabled")], MembershipReason::LabelOff)]
    #[case::label_unknown(&[("kuma.io/sidecar-injection", "on")], &[], &[], MembershipReason::LabelUnknown)]
    #[case::names_mesh(&[("kuma.io/mesh", "m")], &[], &[], MembershipReason::NamesMesh)]
    #[case::injected(&[("kuma.io/mesh", "m")], &[("kuma.io/sidecar-injected", "true")], &[], MembershipReason::Injected)]
    #[case::gateway(&[], &[("kuma.io/gateway", "builtin")], &[], MembershipReason::BuiltinGateway)]
    #[case::ingress(&[("kuma.io/mesh", "m")], &[("kuma.io/ingress", "true")], &[], MembershipReason::ZoneProxy)]
    #[case::exception(&[("openshift.io/build.name", "b")], &[], &[], MembershipReason::Exception("openshift.io/build.name"))]
    fn i1_why_a_pod_is_meshed(
        #[case] of_pod: &[(&str, &str)],
        #[case] annotations: &[(&str, &str)],
        #[case] of_namespace: &[(&str, &str)],
        #[case] expected: MembershipReason,
    ) {
        let namespace = pod(of_namespace, &[]).metadata;
        let pod = pod(of_pod, annotations);
        let found = reason(&pod, &namespace);
        assert_eq!(found, expected);
        let meshed = match super::of_pod(&pod) {
            Membership::Meshed => true,
            Membership::Unmeshed => false,
            Membership::AskNamespace => injects(&namespace),
        };
        assert_eq!(found.is_meshed(), meshed);
    }
}
