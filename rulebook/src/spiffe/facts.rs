//! What an identity depends on, apart from the MeshIdentity.

use crate::metadata::Labels;

/// Where the control plane runs. This decides the default path of an identity (ID1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On Kubernetes, where Dataplanes are made from Pods.
    Kubernetes,
    /// Elsewhere: Dataplanes are written by people or tools.
    Universal,
}

impl Environment {
    /// Both of them, with their names and what they mean.
    pub const ALL: [(Self, &str, &str); 2] = [
        (
            Self::Kubernetes,
            "kubernetes",
            "Dataplanes are made from Pods",
        ),
        (Self::Universal, "universal", "Dataplanes are documents"),
    ];

    /// The path of a MeshIdentity that does not have one (ID1).
    pub fn default_path(self) -> &'static str {
        match self {
            Self::Kubernetes => "/ns/{{ .Namespace }}/sa/{{ .ServiceAccount }}",
            Self::Universal => "/workload/{{ .Workload }}",
        }
    }
}

/// The control plane that issues the identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlPlane<'a> {
    /// Where it runs.
    pub environment: Environment,
    /// Its zone.
    pub zone: &'a str,
}

/// The proxy that gets an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyFacts<'a> {
    /// The mesh of its Dataplane.
    pub mesh: &'a str,
    /// The logical labels of its Dataplane, including [`WORKLOAD`](crate::keys::WORKLOAD) (ID2).
    pub labels: &'a Labels<'a>,
}
