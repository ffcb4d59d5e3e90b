//! The label and annotation keys of Kuma that the rules read, and the words that switch them.

/// Logical label of a Dataplane: its workload identifier. Nobody but Kuma may set it on a Pod (A1).
pub const WORKLOAD: &str = "kuma.io/workload";
/// Mesh name, on Pods, Namespaces, Workloads and Dataplanes (M1).
pub const MESH: &str = "kuma.io/mesh";
/// Label of a Workload: who manages it (L6, L16).
pub const MANAGED_BY: &str = "kuma.io/managed-by";
/// Label: whether a resource comes from this zone or from another place (S4).
pub const ORIGIN: &str = "kuma.io/origin";
/// Label: the zone that a resource comes from.
pub const ZONE: &str = "kuma.io/zone";
/// Label: the kind of environment that a resource is of.
pub const ENVIRONMENT: &str = "kuma.io/env";
/// Label of a Dataplane: its namespace; on copies in other clusters too, where it is at home.
pub const HOME_NAMESPACE: &str = "k8s.kuma.io/namespace";
/// Label or annotation of a copy from another zone: the name that the resource has at home.
pub const DISPLAY_NAME: &str = "kuma.io/display-name";
/// Label of a Dataplane: the ServiceAccount of its Pod (ID1).
pub const SERVICE_ACCOUNT: &str = "k8s.kuma.io/service-account";
/// Whether a Pod gets a sidecar; on Pods and Namespaces (I1, I3).
pub const SIDECAR_INJECTION: &str = "kuma.io/sidecar-injection";
/// Annotation that the injector leaves on a Pod (I1).
pub const SIDECAR_INJECTED: &str = "kuma.io/sidecar-injected";
/// Annotation of gateway Pods: `builtin`, or a switch word for delegated gateways (I1).
pub const GATEWAY: &str = "kuma.io/gateway";
/// The one value of [`GATEWAY`] that makes a Pod a builtin gateway.
pub const GATEWAY_BUILTIN: &str = "builtin";
/// Annotation of zone ingress Pods, which are in no mesh (I1).
pub const INGRESS: &str = "kuma.io/ingress";
/// Annotation of zone egress Pods, which are in no mesh (I1).
pub const EGRESS: &str = "kuma.io/egress";
/// Name of the injected container (I1).
pub const SIDECAR_CONTAINER: &str = "kuma-sidecar";
/// Labels of Pods that the injector passes over by default (I3).
pub const INJECTION_EXCEPTIONS: [&str; 2] = [
    "openshift.io/build.name",
    "openshift.io/deployer-pod-for.name",
];

/// What a switch word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// `enabled`, `true` or `yes`.
    On,
    /// `disabled`, `false` or `no`.
    Off,
    /// Any other word: neither on nor off, and worth a warning (I1).
    Unknown,
}

impl Switch {
    /// Reads a switch word, to the letter: Kuma knows no other spelling or case.
    pub fn read(word: &str) -> Self {
        match word {
            "enabled" | "true" | "yes" => Self::On,
            "disabled" | "false" | "no" => Self::Off,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::enabled("enabled", Switch::On)]
    #[case::true_("true", Switch::On)]
    #[case::yes("yes", Switch::On)]
    #[case::disabled("disabled", Switch::Off)]
    #[case::false_("false", Switch::Off)]
    #[case::no("no", Switch::Off)]
    #[case::empty("", Switch::Unknown)]
    #[case::other_case("Enabled", Switch::Unknown)]
    #[case::typo("enable", Switch::Unknown)]
    fn i1_switch_words(#[case] word: &str, #[case] says: Switch) {
        assert_eq!(Switch::read(word), says);
    }
}
