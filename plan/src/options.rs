//! What the plan is told beside the documents.

use kuma_workload_rulebook::{
    identifier::{Identifiers, PodAnnotation},
    spiffe::Environment,
};

use crate::read::Document;

/// The Kuma that the plan is made for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Target {
    /// The one that is there, of version 2.
    #[default]
    Current,
    /// That of version 3, which is to come: what changes there silently is found too (T6).
    Kuma3,
}

impl Target {
    /// All of them, with their names and what they are.
    pub const ALL: [(Self, &str, &str); 2] = [
        (Self::Current, "current", "Kuma as it is, version 2"),
        (
            Self::Kuma3,
            "kuma3",
            "Kuma 3: what changes there silently is found too",
        ),
    ];
}

/// What the plan is told beside the documents.
#[derive(Debug, Clone)]
pub struct Options<'o> {
    /// The settings of the policy, or a ClusterAdmissionPolicy or AdmissionPolicy with them.
    /// Without them, objects are judged as by the example policies.
    pub settings: Option<Document<'o>>,
    /// The control plane's workloadLabels, in its order; they replace those of the settings.
    pub workload_labels: Option<Vec<String>>,
    /// Whether a Pod's annotation `kuma.io/workload` names its workload (W7).
    pub pod_annotation: PodAnnotation,
    /// Where the workloads of Dataplanes come from (W8).
    pub identifiers: Identifiers,
    /// The zone of the control plane: for SPIFFE IDs (without it, `default`), and the labels of
    /// Universal's Workloads.
    pub zone: Option<String>,
    /// Where the control plane runs, which decides a SPIFFE ID's default path. Without it, the form
    /// of each document tells.
    pub environment: Option<Environment>,
    /// The only namespace that counts; Meshes and MeshIdentities count for it wherever they are.
    pub namespace: Option<String>,
    /// The namespace of objects that name none.
    pub default_namespace: String,
    /// The Kuma that it is made for.
    pub target: Target,
    /// Whether the report says of each Pod by which rules it has its verdict.
    pub why: bool,
    /// Whether DataplaneInsights are read. The plan has no use for them.
    pub insights: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            settings: None,
            workload_labels: None,
            pod_annotation: PodAnnotation::default(),
            identifiers: Identifiers::default(),
            zone: None,
            environment: None,
            namespace: None,
            default_namespace: "default".to_owned(),
            target: Target::default(),
            why: false,
            insights: false,
        }
    }
}
