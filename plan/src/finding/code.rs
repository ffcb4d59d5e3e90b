//! How grave findings are, and their codes: one table for the plan and its documentation.

use kuma_workload_rulebook::admission::Rule;
use serde::{Serialize, Serializer};

/// How grave a finding is. The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is or will be refused, or a Workload is not made.
    Error,
    /// Something is not as it should be, or the plan could not see all.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Which findings count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    #[default]
    Warning,
    /// None.
    Never,
}

impl FailOn {
    /// All of them, with their names and what counts.
    pub const ALL: [(Self, &str, &str); 3] = [
        (Self::Error, "error", "Errors"),
        (Self::Warning, "warning", "Errors and warnings"),
        (Self::Never, "never", "None"),
    ];

    /// Whether findings of this severity do.
    pub fn counts(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity == Severity::Error,
            Self::Warning => severity <= Severity::Warning,
            Self::Never => false,
        }
    }
}

/// What faults are called where findings have their codes.
pub(crate) const BAD_INPUT: &str = "bad-input";

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $code:ident = $name:expr,)+) => {
        /// What a finding is about: the names are stable. A finding that an admission rule makes has
        /// the name of that rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $meaning])+ $code,)+
        }

        impl Code {
            /// All of them, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }
        }
    };
}

codes! {
    /// A name that no Mesh can have (M4).
    BadMeshName = Rule::MeshName.name(),
    /// A name that no Workload can have (W5).
    BadName = Rule::WorkloadName.name(),
    /// Builtin gateways, which Kuma 3 does not have (T6).
    BuiltinGateway = "builtin-gateway",
    /// A Pod, template or Namespace of a mesh that it may not join (A20).
    ClosedMesh = Rule::ClosedMesh.name(),
    /// Proxies of several meshes refer to one Workload (L7, L8).
    Conflict = "conflict",
    /// Copies from other zones, which count nowhere (section 7).
    CopiesNotCounted = "copies-not-counted",
    /// A Pod or template of another mesh than its Namespace declares (A17).
    DeclaredMesh = Rule::DeclaredMesh.name(),
    /// An object is given twice.
    Duplicate = "duplicate",
    /// Somebody else manages a Workload that is referred to (L6).
    Foreign = "foreign",
    /// A Pod or template sets the label `kuma.io/workload` (A1, A2).
    ForgedLabel = Rule::WorkloadLabel.name(),
    /// A MeshIdentity gives proxies no SPIFFE ID (ID3).
    IdentityFault = "identity-fault",
    /// A MeshIdentity's template is richer than what is evaluated here (ID3).
    IdentityNotEvaluated = "identity-not-evaluated",
    /// An annotation `kuma.io/workload` on a Pod or template (W7).
    IdleAnnotation = Rule::WorkloadAnnotation.name(),
    /// A kind with a Pod template that is not judged (A2).
    KindNotJudged = "kind-not-judged",
    /// A mesh that only an annotation names, which Kuma 3 does not read (T6).
    MeshAnnotation = "mesh-annotation",
    /// A Mesh limits who may join it, which no Mesh of Kuma 3 does (T6).
    MeshConstraints = "mesh-constraints",
    /// A Dataplane's label and field name different meshes (A6).
    MeshLabelDiffers = "mesh-label-differs",
    /// The API server does not know a kind.
    MissingCrd = "missing-crd",
    /// The API server does not let us read a kind.
    MissingGrant = "missing-grant",
    /// A Namespace is not among the manifests.
    NamespaceNotRead = "namespace-not-read",
    /// Dataplanes have no identifier (W8).
    NoIdentifier = "no-identifier",
    /// No MeshIdentity gives proxies an identity (ID3, T6).
    NoIdentity = "no-identity",
    /// Nothing that was read is of a kind that matters here.
    NothingPlanned = "nothing-planned",
    /// A Mesh whose name Kuma 3 does not take (T6).
    OldMeshName = "old-mesh-name",
    /// The Pods of a template would be refused, and the template is not (A11).
    PodsRejected = PODS_REJECTED,
    /// YAML that is read otherwise than it looks, or not by kubectl.
    ReadOtherwise = "read-otherwise",
    /// A Pod or template of another mesh than what is in its namespace (A5 to A11, A18).
    SecondMesh = Rule::ObservedMesh.name(),
    /// On Universal, one name in several meshes (U1).
    SeveralMeshes = "several-meshes",
    /// Several applications are one workload, since they share the default ServiceAccount (T7).
    SharedWorkload = "shared-workload",
    /// A Namespace has Pods of several meshes (L11, T3).
    SplitNamespace = "split-namespace",
    /// A Dataplane keeps an identifier that its Pod would not get today (W8).
    StaleIdentifier = "stale-identifier",
    /// A word for a switch that does not do what it looks like (I6).
    SwitchWord = Rule::SwitchWord.name(),
    /// On Universal, an identifier is a tag and no label (W4).
    TagRead = "tag-read",
    /// Members of one mesh only, which their Namespace does not declare (A17).
    UndeclaredMesh = "undeclared-mesh",
    /// A mesh that does not exist (A16).
    UnknownMesh = Rule::MeshExists.name(),
    /// An object that was nearly of a kind that is read.
    UnknownObject = "unknown-object",
    /// Objects of the cluster that could not be read.
    Unread = "unread",
    /// Somebody writes Workloads who is none of their managers (P1).
    WorkloadObject = Rule::WorkloadObject.name(),
    /// A Workload that a Mesh owns which is not its own (T6).
    WorkloadOwner = "workload-owner",
    /// On Universal, proxies that need a dataplane token which is bound to their workload (ID3).
    WorkloadToken = "workload-token",
    /// Zone proxies by an annotation, which Kuma 3 does not read (T6).
    ZoneProxyAnnotation = "zone-proxy-annotation",
}

/// The verdict on a template that is let in while its Pods are refused, and the finding of it.
pub(crate) const PODS_REJECTED: &str = "pods-rejected";

impl Code {
    /// The code of what an admission rule has against an object. None of those that judge what no
    /// plan holds: a change of a Namespace, a question that the cluster leaves open.
    pub(crate) fn of_rule(rule: Rule) -> Option<Self> {
        Some(match rule {
            Rule::WorkloadLabel => Self::ForgedLabel,
            Rule::WorkloadAnnotation => Self::IdleAnnotation,
            Rule::WorkloadName => Self::BadName,
            Rule::SwitchWord => Self::SwitchWord,
            Rule::MeshName => Self::BadMeshName,
            Rule::MeshExists => Self::UnknownMesh,
            Rule::ObservedMesh => Self::SecondMesh,
            Rule::DeclaredMesh => Self::DeclaredMesh,
            Rule::ClosedMesh => Self::ClosedMesh,
            Rule::WorkloadObject => Self::WorkloadObject,
            Rule::NamespaceRelabel | Rule::InjectionOff | Rule::ClusterQuestion => return None,
        })
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_each_is_there_once() {
        assert!(Code::ALL.is_sorted_by(|one, next| one.name() < next.name()));
    }

    #[test]
    fn a_finding_has_the_name_of_its_rule() {
        for rule in Rule::ALL {
            if let Some(code) = Code::of_rule(*rule) {
                assert_eq!(code.name(), rule.name());
            }
        }
        let codes = Code::ALL.iter().map(|code| code.name());
        let shared = codes.filter(|code| Rule::ALL.iter().any(|rule| rule.name() == *code));
        let of_rules = Rule::ALL.iter().filter_map(|rule| Code::of_rule(*rule));
        assert_eq!(shared.count(), of_rules.count());
    }
}
