//! Whether a Pod is in a mesh (I1 to I5).

use std::fmt;

use crate::{
    keys::{self, Switch},
    metadata::{Labels, Metadata, PodFacts},
};

/// What a Pod alone says about its membership in a mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is in a mesh, or will be (I1).
    Meshed,
    /// It is in no mesh, whatever its Namespace says (I1, I3).
    Unmeshed,
    /// Its Namespace decides: Kuma injects the Pod where this holds (I1 (d)).
    AskNamespace(InjectedWhere),
}

/// In which Namespaces Kuma injects a Pod. These are the words that the selectors of Kuma's
/// webhooks know: the injector itself would take more, but is never asked (I1 (d)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedWhere {
    /// The Namespace's label is `enabled` or `true`.
    NamespaceInjects,
    /// The Namespace has the label, whatever its value: the Pod's own label is `enabled`.
    NamespaceHasLabel,
}

impl InjectedWhere {
    /// Whether Kuma injects the Pod in this Namespace.
    pub fn holds(self, namespace: &Metadata<'_>) -> bool {
        match self {
            Self::NamespaceInjects => injects(namespace),
            Self::NamespaceHasLabel => namespace.labels.contains(keys::SIDECAR_INJECTION),
        }
    }

    /// Whether it holds in every Namespace in which the other holds.
    pub fn follows_from(self, other: Self) -> bool {
        self == other || self == Self::NamespaceHasLabel
    }
}

/// Judges a Pod, or the Pod that a template describes, without its Namespace (I1, I3).
pub fn of_pod(pod: &PodFacts<'_>) -> Membership {
    match own_reason(pod) {
        Ok(reason) if reason.is_meshed() => Membership::Meshed,
        Ok(_) => Membership::Unmeshed,
        Err(injected_where) => Membership::AskNamespace(injected_where),
    }
}

/// Whether a Namespace injects Pods that do not decide for themselves (I1 (d)).
pub fn injects(namespace: &Metadata<'_>) -> bool {
    let word = namespace.labels.get(keys::SIDECAR_INJECTION);
    word.is_some_and(|word| keys::INJECTING_NAMESPACE.contains(&word))
}

/// Why a Pod in this Namespace is meshed or not (I1, I3).
pub fn reason(pod: &PodFacts<'_>, namespace: &Metadata<'_>) -> MembershipReason {
    match own_reason(pod) {
        Ok(reason) => reason,
        Err(injected_where) if injected_where.holds(namespace) => match injected_where {
            InjectedWhere::NamespaceInjects => MembershipReason::NamespaceInjects,
            InjectedWhere::NamespaceHasLabel => MembershipReason::LabelOn,
        },
        Err(_) => MembershipReason::NothingInjects,
    }
}

/// What decides about a Pod, if it is the Pod itself; else which Namespaces inject it. The first
/// reason that holds decides.
fn own_reason(pod: &PodFacts<'_>) -> Result<MembershipReason, InjectedWhere> {
    let labels = &pod.metadata.labels;
    if let Some(mark) = Mark::ALL.into_iter().find(|mark| mark.is_on(pod)) {
        return Ok(MembershipReason::Marked(mark));
    }
    if labels.switch(keys::SIDECAR_INJECTION) == Some(Switch::Off) {
        return Ok(MembershipReason::LabelOff);
    }
    if labels.get_non_empty(keys::MESH).is_some() {
        return Ok(MembershipReason::NamesMesh);
    }
    match injection_exception(labels) {
        Some(label) => Ok(MembershipReason::Exception(label)),
        None => Err(selected_where(labels)),
    }
}

/// The label for which Kuma's injector skips a Pod (I3).
fn injection_exception(labels: &Labels<'_>) -> Option<&'static str> {
    let mut exceptions = keys::INJECTION_EXCEPTIONS.into_iter();
    exceptions.find(|label| labels.contains(label))
}

/// Where Kuma's webhooks select a Pod whose label does not turn injection off.
fn selected_where(labels: &Labels<'_>) -> InjectedWhere {
    match labels.get(keys::SIDECAR_INJECTION) {
        Some(keys::INJECTED_POD) => InjectedWhere::NamespaceHasLabel,
        _ => InjectedWhere::NamespaceInjects,
    }
}

/// Where Kuma adds a sidecar to a Pod, whatever makes it meshed; nowhere if it has one, turns
/// injection off or is exempt.
pub fn injected_where(pod: &PodFacts<'_>) -> Option<InjectedWhere> {
    let labels = &pod.metadata.labels;
    let is_off = labels.switch(keys::SIDECAR_INJECTION) == Some(Switch::Off);
    let is_skipped = pod.has_sidecar || is_off || injection_exception(labels).is_some();
    (!is_skipped).then(|| selected_where(labels))
}

/// What makes a Pod meshed in every Namespace and whatever its labels say (I1 (a) to (c)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is a builtin gateway.
    BuiltinGateway,
    /// Its annotation says that it was injected.
    Injected,
    /// It has a container named [`keys::SIDECAR_CONTAINER`].
    Sidecar,
}

impl Mark {
    /// All marks.
    pub const ALL: [Self; 3] = [Self::BuiltinGateway, Self::Injected, Self::Sidecar];

    /// Whether a Pod has this mark.
    pub fn is_on(self, pod: &PodFacts<'_>) -> bool {
        match self {
            Self::BuiltinGateway => pod.is_builtin_gateway(),
            Self::Injected => {
                pod.metadata.annotations.switch(keys::SIDECAR_INJECTED) == Some(Switch::On)
            }
            Self::Sidecar => pod.has_sidecar,
        }
    }
}

/// What decides whether a Pod is meshed (I1, I3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembershipReason {
    /// Meshed: it has this mark.
    Marked(Mark),
    /// Not meshed: its own label turns injection off.
    LabelOff,
    /// Meshed: its own label names a mesh.
    NamesMesh,
    /// Not meshed: Kuma's injector skips Pods with this label.
    Exception(&'static str),
    /// Meshed: its own label turns injection on, in a Namespace that has the label too.
    LabelOn,
    /// Meshed: its Namespace injects.
    NamespaceInjects,
    /// Not meshed: its Namespace does not inject it.
    NothingInjects,
}

impl MembershipReason {
    /// Whether the Pod is meshed.
    pub fn is_meshed(self) -> bool {
        match self {
            Self::Marked(_) | Self::NamesMesh | Self::LabelOn | Self::NamespaceInjects => true,
            Self::LabelOff | Self::Exception(_) | Self::NothingInjects => false,
        }
    }
}

impl fmt::Display for MembershipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Marked(Mark::BuiltinGateway) => "builtin gateway",
            Self::Marked(Mark::Injected) => "it was injected",
            Self::Marked(Mark::Sidecar) => "it has the sidecar",
            Self::LabelOff => "its label turns injection off",
            Self::NamesMesh => "its label names a mesh",
            Self::Exception(label) => {
                return write!(formatter, "label {label} exempts it from injection");
            }
            Self::LabelOn => "its label turns injection on",
            Self::NamespaceInjects => "its namespace injects",
            Self::NothingInjects => "its namespace does not inject",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Membership::{AskNamespace, Meshed, Unmeshed};
    use rstest::rstest;

    const ASK: Membership = AskNamespace(InjectedWhere::NamespaceInjects);
    const ASK_FOR_LABEL: Membership = AskNamespace(InjectedWhere::NamespaceHasLabel);

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
    #[case::gateway_is_read_to_the_letter(&[], &[("kuma.io/gateway", "Builtin")], ASK)]
    #[case::delegated_gateway_is_injected_as_usual(&[], &[("kuma.io/gateway", "enabled")], ASK)]
    #[case::injected(&[], &[("kuma.io/sidecar-injected", "true")], Meshed)]
    #[case::injected_yes(&[], &[("kuma.io/sidecar-injected", "yes")], Meshed)]
    #[case::injected_garbage(&[], &[("kuma.io/sidecar-injected", "maybe")], ASK)]
    #[case::own_label_enabled(&[("kuma.io/sidecar-injection", "enabled")], &[], ASK_FOR_LABEL)]
    #[case::own_label_true(&[("kuma.io/sidecar-injection", "true")], &[], ASK)]
    #[case::own_label_yes(&[("kuma.io/sidecar-injection", "yes")], &[], ASK)]
    #[case::own_label_garbage(&[("kuma.io/sidecar-injection", "on")], &[], ASK)]
    #[case::own_annotation_is_not_read(&[], &[("kuma.io/sidecar-injection", "disabled")], ASK)]
    #[case::names_a_mesh(&[("kuma.io/mesh", "m")], &[], Meshed)]
    #[case::names_an_empty_mesh(&[("kuma.io/mesh", "")], &[], ASK)]
    #[case::names_a_mesh_by_annotation_only(&[], &[("kuma.io/mesh", "m")], ASK)]
    #[case::nothing_said(&[], &[], ASK)]
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
    #[case::an_exception_that_was_injected(&[("openshift.io/build.name", "b")], &[("kuma.io/sidecar-injected", "true")], Meshed)]
    #[case::an_exception_that_is_a_gateway(&[("openshift.io/build.name", "b")], &[("kuma.io/gateway", "builtin")], Meshed)]
    fn i3_own_label_off_and_exceptions(
        #[case] labels: &[(&str, &str)],
        #[case] annotations: &[(&str, &str)],
        #[case] membership: Membership,
    ) {
        assert_eq!(of_pod(&pod(labels, annotations)), membership);
    }

    #[rstest]
    #[case::ingress("kuma.io/ingress", "enabled")]
    #[case::egress("kuma.io/egress", "true")]
    #[case::off("kuma.io/ingress", "false")]
    #[case::garbage("kuma.io/egress", "x")]
    fn i5_annotations_of_zone_proxies_say_nothing(#[case] key: &str, #[case] word: &str) {
        assert_eq!(
            of_pod(&pod(&[("kuma.io/mesh", "m")], &[(key, word)])),
            Meshed
        );
        assert_eq!(of_pod(&pod(&[], &[(key, word)])), ASK);
    }

    #[test]
    fn i1_a_sidecar_container_is_proof() {
        let pod = PodFacts {
            has_sidecar: true,
            ..pod(&[("kuma.io/sidecar-injection", "disabled")], &[])
        };
        assert_eq!(of_pod(&pod), Meshed);
    }

    /// Which words of a Namespace's label inject a Pod that does not decide for itself, and a Pod
    /// whose own label is `enabled`.
    #[rstest]
    #[case::enabled(Some("enabled"), true, true)]
    #[case::true_(Some("true"), true, true)]
    #[case::yes(Some("yes"), false, true)]
    #[case::off(Some("disabled"), false, true)]
    #[case::garbage(Some("x"), false, true)]
    #[case::empty(Some(""), false, true)]
    #[case::absent(None, false, false)]
    fn i4_where_a_pod_is_injected(
        #[case] word: Option<&str>,
        #[case] without_own_label: bool,
        #[case] with_own_label: bool,
    ) {
        let label = word.map(|word| ("kuma.io/sidecar-injection", word));
        let namespace = pod(label.as_slice(), &[]).metadata;
        assert_eq!(injects(&namespace), without_own_label);
        for own in [None, Some("true"), Some("yes"), Some("on"), Some("")] {
            let label = own.map(|own| ("kuma.io/sidecar-injection", own));
            let found = reason(&pod(label.as_slice(), &[]), &namespace);
            assert_eq!(found.is_meshed(), without_own_label, "{own:?}");
        }
        let enabled = pod(&[("kuma.io/sidecar-injection", "enabled")], &[]);
        assert_eq!(reason(&enabled, &namespace).is_meshed(), with_own_label);
    }

    #[rstest]
    #[case::same(InjectedWhere::NamespaceInjects, InjectedWhere::NamespaceInjects, true)]
    #[case::narrower(
        InjectedWhere::NamespaceHasLabel,
        InjectedWhere::NamespaceInjects,
        true
    )]
    #[case::wider(
        InjectedWhere::NamespaceInjects,
        InjectedWhere::NamespaceHasLabel,
        false
    )]
    fn i1_what_follows_in_every_namespace(
        #[case] it: InjectedWhere,
        #[case] other: InjectedWhere,
        #[case] follows: bool,
    ) {
        assert_eq!(it.follows_from(other), follows);
    }

    #[rstest]
    #[case::plain(&[], &[], false, Some(InjectedWhere::NamespaceInjects))]
    #[case::marked_by_hand(&[], &[("kuma.io/sidecar-injected", "true")], false, Some(InjectedWhere::NamespaceInjects))]
    #[case::names_a_mesh(&[("kuma.io/mesh", "m"), ("kuma.io/sidecar-injection", "enabled")], &[], false, Some(InjectedWhere::NamespaceHasLabel))]
    #[case::gateway(&[], &[("kuma.io/gateway", "builtin")], false, Some(InjectedWhere::NamespaceInjects))]
    #[case::has_a_sidecar(&[], &[], true, None)]
    #[case::off(&[("kuma.io/sidecar-injection", "false")], &[], false, None)]
    #[case::exception(&[("openshift.io/build.name", "b")], &[], false, None)]
    fn i1_where_a_sidecar_is_added(
        #[case] labels: &[(&str, &str)],
        #[case] annotations: &[(&str, &str)],
        #[case] has_sidecar: bool,
        #[case] expected: Option<InjectedWhere>,
    ) {
        let pod = PodFacts {
            has_sidecar,
            ..pod(labels, annotations)
        };
        assert_eq!(injected_where(&pod), expected);
    }

    const INJECTED: MembershipReason = MembershipReason::Marked(Mark::Injected);
    const GATEWAY: MembershipReason = MembershipReason::Marked(Mark::BuiltinGateway);

    #[rstest]
    #[case::nothing(&[], &[], &[], MembershipReason::NothingInjects)]
    #[case::namespace(&[], &[], &[("kuma.io/sidecar-injection", "enabled")], MembershipReason::NamespaceInjects)]
    #[case::label_on(&[("kuma.io/sidecar-injection", "enabled")], &[], &[("kuma.io/sidecar-injection", "no")], MembershipReason::LabelOn)]
    #[case::label_on_alone(&[("kuma.io/sidecar-injection", "enabled")], &[], &[], MembershipReason::NothingInjects)]
    #[case::label_off(&[("kuma.io/sidecar-injection", "no")], &[], &[("kuma.io/sidecar-injection", "enabled")], MembershipReason::LabelOff)]
    #[case::names_mesh(&[("kuma.io/mesh", "m")], &[], &[], MembershipReason::NamesMesh)]
    #[case::injected(&[("kuma.io/mesh", "m")], &[("kuma.io/sidecar-injected", "true")], &[], INJECTED)]
    #[case::gateway(&[], &[("kuma.io/gateway", "builtin")], &[], GATEWAY)]
    #[case::exception(&[("openshift.io/build.name", "b")], &[], &[("kuma.io/sidecar-injection", "true")], MembershipReason::Exception("openshift.io/build.name"))]
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
            Membership::AskNamespace(injected_where) => injected_where.holds(&namespace),
        };
        assert_eq!(found.is_meshed(), meshed);
    }
}
