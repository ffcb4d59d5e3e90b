//! Why there is something to say, as data. What has the same cause is told once.

use kuma_workload_rulebook::admission::Rule;

use super::{affected::ObjectName, code::Code};
use crate::manifest::Home;

/// Why there is something to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// Something about the reading, told in full by who found it.
    Told {
        /// What it is about.
        code: Code,
        /// What is found.
        message: String,
        /// What to do about it.
        remedy: String,
    },
    /// What a rule has against objects of a namespace.
    Admission {
        /// The rule.
        rule: Rule,
        /// Its code.
        code: Code,
        /// Their namespace; empty of Namespaces.
        namespace: String,
        /// The template that says itself what the rule objects to, if it was read.
        template: Option<ObjectName>,
        /// What the rule says of a Pod; of a Namespace, what it says of that.
        sentence: String,
    },
    /// No Workload can have the name (W5, U2).
    BadName {
        /// The namespace or mesh.
        home: Home,
        /// The name.
        name: String,
        /// Why.
        fault: String,
    },
    /// Proxies of several meshes share a workload (L7, L8).
    Conflict {
        /// Their namespace.
        namespace: String,
        /// The workload.
        workload: String,
        /// The meshes.
        meshes: Vec<String>,
        /// Whether the Workload exists.
        exists: bool,
    },
    /// What writes Workloads runs as somebody who is none of their managers (P1).
    NoManager {
        /// As whom it runs.
        user: String,
    },
    /// Workloads that neither a control plane nor `run` has made, where others may not write them (P1).
    MadeByHand {
        /// Their namespace.
        namespace: String,
    },
    /// Workloads are managed by somebody else (L6).
    ManagedByOthers {
        /// Where they live.
        home: Home,
        /// Who manages them.
        manager: String,
    },
    /// Workloads are copies from elsewhere (S4).
    Copies {
        /// Where they live.
        home: Home,
    },
    /// A Dataplane's field and label name different meshes (A6).
    MeshLabelDiffers {
        /// The namespace.
        namespace: String,
        /// The mesh by the field.
        field: String,
        /// The mesh by the label.
        label: String,
    },
    /// Dataplanes have no identifier (W8).
    NoIdentifier {
        /// Whether the Pods were asked too.
        pods_were_asked: bool,
    },
    /// Dataplanes keep an identifier that their Pods would not get today (W8).
    StaleIdentifier {
        /// The namespace.
        namespace: String,
        /// What they keep.
        stored: String,
        /// What the Pods would get.
        computed: String,
        /// Where that is found.
        source: String,
    },
    /// Namespaces are not among the manifests.
    NamespaceNotRead,
    /// A namespace has Pods of several meshes (L11, T3); those that should move are affected.
    SplitNamespace {
        /// The namespace.
        namespace: String,
        /// The meshes, and how many are in each.
        meshes: Vec<(String, usize)>,
        /// The mesh that it should be left to.
        home: String,
        /// Why to that one.
        why: Reason,
    },
    /// All Pods of Namespaces are in a mesh that these do not declare (A17).
    UndeclaredMesh {
        /// The mesh.
        mesh: String,
        /// The mesh that is declared, if one is.
        declared: Option<String>,
        /// Whether the settings make that the law.
        is_law: bool,
    },
    /// A MeshIdentity gives proxies no SPIFFE ID, or none that is known here (ID3).
    IdentityFault {
        /// The MeshIdentity.
        identity: ObjectName,
        /// Why.
        fault: String,
        /// Whether its template is not evaluated here.
        is_not_evaluated: bool,
    },
    /// No MeshIdentity selects proxies of a mesh that has some (ID3).
    NotSelected {
        /// The mesh.
        mesh: String,
        /// Whether that matters at once: Kuma 3 is the target.
        is_target: bool,
    },
    /// An identity that comes from the workload needs a token which is bound to it (ID3).
    WorkloadToken {
        /// The MeshIdentity.
        identity: ObjectName,
    },
    /// Several applications are one workload (T7).
    SharedWorkload {
        /// The namespace.
        namespace: String,
        /// The workload.
        workload: String,
        /// The applications.
        applications: Vec<String>,
    },
    /// On Universal, a workload's name is used in several meshes (U1).
    SeveralMeshes {
        /// The workload.
        workload: String,
        /// The meshes.
        meshes: Vec<String>,
    },
    /// On Universal, tags name a workload (W4).
    TagRead {
        /// The mesh.
        mesh: String,
        /// The workload.
        workload: String,
        /// What tags of other inbounds say.
        others: Vec<String>,
    },
    /// On Universal, a mesh that does not exist.
    UnknownMesh {
        /// The mesh.
        mesh: String,
    },
    /// What changes silently in Kuma 3 (T6).
    Kuma3(Kuma3),
}

/// What changes silently in Kuma 3 (T6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kuma3 {
    /// An annotation alone names the mesh.
    MeshAnnotation {
        /// Their namespace; empty of Namespaces.
        namespace: String,
        /// The template that has the annotation, if it was read.
        template: Option<ObjectName>,
        /// The mesh that the annotation names.
        mesh: String,
        /// The mesh in Kuma 3.
        then: String,
    },
    /// An annotation makes zone proxies of Pods.
    ZoneProxyAnnotation {
        /// Their namespace.
        namespace: String,
        /// The template that has the annotation, if it was read.
        template: Option<ObjectName>,
        /// The annotation.
        key: &'static str,
    },
    /// Builtin gateways.
    BuiltinGateway {
        /// Where they live.
        home: Home,
    },
    /// The name of a Mesh is no RFC 1035 label.
    MeshName {
        /// Why it is none.
        fault: String,
    },
    /// A Mesh says which proxies may join it.
    MeshConstraints {
        /// The value of `meshNamespaces` that says the same, if there is one (A20).
        setting: Option<String>,
    },
    /// A Mesh gives identities itself, and no MeshIdentity does.
    MeshMtls,
    /// A Mesh owns Workloads of another one.
    WorkloadOwner {
        /// Their namespace.
        namespace: String,
        /// The mesh by their label.
        mesh: String,
        /// The Mesh that owns them.
        owner: String,
    },
}

/// Why a split namespace should be left to a mesh (T3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// The Namespace declares it.
    Declared,
    /// Most are in it.
    Most,
    /// As many are in others, and its name is the first.
    FirstOfEquals,
}

impl Cause {
    /// The code of the finding.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Told { code, .. } | Self::Admission { code, .. } => *code,
            Self::BadName { .. } => Code::BadName,
            Self::Conflict { .. } => Code::Conflict,
            Self::NoManager { .. } | Self::MadeByHand { .. } => Code::WorkloadObject,
            Self::ManagedByOthers { .. } | Self::Copies { .. } => Code::Foreign,
            Self::MeshLabelDiffers { .. } => Code::MeshLabelDiffers,
            Self::NoIdentifier { .. } => Code::NoIdentifier,
            Self::StaleIdentifier { .. } => Code::StaleIdentifier,
            Self::NamespaceNotRead => Code::NamespaceNotRead,
            Self::SplitNamespace { .. } => Code::SplitNamespace,
            Self::UndeclaredMesh { .. } => Code::UndeclaredMesh,
            Self::IdentityFault {
                is_not_evaluated: true,
                ..
            } => Code::IdentityNotEvaluated,
            Self::IdentityFault { .. } => Code::IdentityFault,
            Self::NotSelected { .. } | Self::Kuma3(Kuma3::MeshMtls) => Code::NoIdentity,
            Self::WorkloadToken { .. } => Code::WorkloadToken,
            Self::SharedWorkload { .. } => Code::SharedWorkload,
            Self::SeveralMeshes { .. } => Code::SeveralMeshes,
            Self::TagRead { .. } => Code::TagRead,
            Self::UnknownMesh { .. } => Code::UnknownMesh,
            Self::Kuma3(Kuma3::MeshAnnotation { .. }) => Code::MeshAnnotation,
            Self::Kuma3(Kuma3::ZoneProxyAnnotation { .. }) => Code::ZoneProxyAnnotation,
            Self::Kuma3(Kuma3::BuiltinGateway { .. }) => Code::BuiltinGateway,
            Self::Kuma3(Kuma3::MeshName { .. }) => Code::OldMeshName,
            Self::Kuma3(Kuma3::MeshConstraints { .. }) => Code::MeshConstraints,
            Self::Kuma3(Kuma3::WorkloadOwner { .. }) => Code::WorkloadOwner,
        }
    }
}
