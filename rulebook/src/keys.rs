//! The labels and annotations of Kuma that the rules read: their keys, and some of their values.

/// Logical label of a Dataplane: its workload identifier. Only Kuma may set it on a Pod (A1).
pub const WORKLOAD: &str = "kuma.io/workload";
/// Label of Pods, Namespaces, Workloads and Dataplanes: the name of the mesh (M1).
pub const MESH: &str = "kuma.io/mesh";
/// Label of a Workload: who manages it (L6, L16).
pub const MANAGED_BY: &str = "kuma.io/managed-by";
/// Label: whether a resource comes from this zone or from elsewhere (S4).
pub const ORIGIN: &str = "kuma.io/origin";
/// The value of [`ORIGIN`] on a local resource. A resource without the label is local too.
pub const ORIGIN_ZONE: &str = "zone";
/// Label: the zone that a resource comes from.
pub const ZONE: &str = "kuma.io/zone";
/// Label: the environment of a resource, `kubernetes` or `universal`.
pub const ENVIRONMENT: &str = "kuma.io/env";
/// The value of [`ENVIRONMENT`] on a resource of Universal.
pub const ENVIRONMENT_UNIVERSAL: &str = "universal";
/// Label of a Dataplane: its namespace. A copy in another cluster keeps the original namespace.
pub const HOME_NAMESPACE: &str = "k8s.kuma.io/namespace";
/// Label or annotation of a copy from another zone: the original name of the resource.
pub const DISPLAY_NAME: &str = "kuma.io/display-name";
/// Label of a Dataplane: the ServiceAccount of its Pod (ID1).
pub const SERVICE_ACCOUNT: &str = "k8s.kuma.io/service-account";
/// Label of Pods and Namespaces: whether Pods get a sidecar (I1, I3).
pub const SIDECAR_INJECTION: &str = "kuma.io/sidecar-injection";
/// The values of [`SIDECAR_INJECTION`] on a Namespace by which the webhooks of Kuma's chart select its
/// Pods (I1).
pub const INJECTING_NAMESPACE: [&str; 2] = ["enabled", "true"];
/// The only value of [`SIDECAR_INJECTION`] on a Pod by which they select it, wherever its Namespace has
/// the label (I1).
pub const INJECTED_POD: &str = "enabled";
/// Annotation of a Pod: the injector has added a sidecar (I1).
pub const SIDECAR_INJECTED: &str = "kuma.io/sidecar-injected";
/// Annotation of gateway Pods: `builtin`, or `enabled` for a delegated gateway (I1, I6).
pub const GATEWAY: &str = "kuma.io/gateway";
/// The only value of [`GATEWAY`] that makes a Pod a builtin gateway.
pub const GATEWAY_BUILTIN: &str = "builtin";
/// Annotation of zone ingress Pods of Kuma 2. It says nothing about membership (I5).
pub const INGRESS: &str = "kuma.io/ingress";
/// Annotation of zone egress Pods of Kuma 2. It says nothing about membership (I5).
pub const EGRESS: &str = "kuma.io/egress";
/// Label of a zone proxy of a mesh, from Kuma 2.14 on: which kind of zone proxy it is (A16).
pub const ZONE_PROXY_TYPE: &str = "k8s.kuma.io/zone-proxy-type";
/// Name of the injected container (I1).
pub const SIDECAR_CONTAINER: &str = "kuma-sidecar";
/// The labels of Pods that the injector skips by default (I3).
pub const INJECTION_EXCEPTIONS: [&str; 2] = [
    "openshift.io/build.name",
    "openshift.io/deployer-pod-for.name",
];

/// The meaning of a switch word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// `enabled`, `true` or `yes`.
    On,
    /// `disabled`, `false` or `no`.
    Off,
    /// Any other word. It is neither on nor off and deserves a warning (I6).
    Unknown,
}

impl Switch {
    /// The words that mean on.
    pub const ON: [&str; 3] = ["enabled", "true", "yes"];
    /// The words that mean off.
    pub const OFF: [&str; 3] = ["disabled", "false", "no"];

    /// Reads a switch word. Kuma accepts no other spelling, and no capital letters.
    pub fn read(word: &str) -> Self {
        if Self::ON.contains(&word) {
            Self::On
        } else if Self::OFF.contains(&word) {
            Self::Off
        } else {
            Self::Unknown
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
