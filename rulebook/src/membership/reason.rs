//! Why a Pod is in a mesh or in none, for reports; [`of_pod`](super::of_pod) alone decides.

use std::fmt;

use crate::{
    keys::{self, Switch},
    membership::{self, Membership},
    metadata::{Metadata, PodFacts},
};

/// What decided about a Pod's membership (I1, I3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembershipReason {
    /// Not meshed: a zone ingress or egress.
    ZoneProxy,
    /// Meshed: a builtin gateway.
    BuiltinGateway,
    /// Meshed: its annotation says that it was injected.
    Injected,
    /// Meshed: it has the sidecar.
    Sidecar,
    /// Not meshed: its own label is off.
    LabelOff,
    /// Meshed: its own label names a mesh.
    NamesMesh,
    /// Not meshed: the injector passes over Pods with this label.
    Exception(&'static str),
    /// Meshed: its own label is on.
    LabelOn,
    /// Not meshed: its own label is neither on nor off.
    LabelUnknown,
    /// Meshed: its Namespace injects.
    NamespaceInjects,
    /// Not meshed: neither it nor its Namespace says so.
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

/// Why a Pod of this Namespace is meshed or not (I1, I3).
pub fn reason(pod: &PodFacts<'_>, namespace: &Metadata<'_>) -> MembershipReason {
    let Metadata {
        labels,
        annotations,
    } = &pod.metadata;
    let own_label = labels.switch(keys::SIDECAR_INJECTION);
    let exception = keys::INJECTION_EXCEPTIONS
        .into_iter()
        .find(|label| labels.contains(label));
    match membership::of_pod(pod) {
        Membership::AskNamespace if membership::injects(namespace) => {
            MembershipReason::NamespaceInjects
        }
        Membership::AskNamespace => MembershipReason::NothingInjects,
        Membership::Meshed if pod.is_builtin_gateway() => MembershipReason::BuiltinGateway,
        Membership::Meshed if annotations.switch(keys::SIDECAR_INJECTED) == Some(Switch::On) => {
            MembershipReason::Injected
        }
        Membership::Meshed if pod.has_sidecar => MembershipReason::Sidecar,
        Membership::Meshed if labels.get_non_empty(keys::MESH).is_some() => {
            MembershipReason::NamesMesh
        }
        Membership::Meshed => MembershipReason::LabelOn,
        Membership::Unmeshed if pod.is_zone_proxy() => MembershipReason::ZoneProxy,
        Membership::Unmeshed if own_label == Some(Switch::Off) => MembershipReason::LabelOff,
        Membership::Unmeshed => {
            exception.map_or(MembershipReason::LabelUnknown, MembershipReason::Exception)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Labels;
    use rstest::rstest;

    fn labels<'a>(entries: &[(&'a str, &'a str)]) -> Labels<'a> {
        entries.iter().copied().collect()
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
        let pod = PodFacts {
            metadata: Metadata {
                labels: labels(of_pod),
                annotations: labels(annotations),
            },
            ..PodFacts::default()
        };
        let namespace = Metadata {
            labels: labels(of_namespace),
            ..Metadata::default()
        };
        let found = reason(&pod, &namespace);
        assert_eq!(found, expected);
        let meshed = match membership::of_pod(&pod) {
            Membership::Meshed => true,
            Membership::Unmeshed => false,
            Membership::AskNamespace => membership::injects(&namespace),
        };
        assert_eq!(found.is_meshed(), meshed);
    }
}
