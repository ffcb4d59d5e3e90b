//! The resources that the server knows.

use serde_json::{Value, json};

/// A resource of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Namespaces.
    Namespaces,
    /// Pods.
    Pods,
    /// Kuma's Meshes.
    Meshes,
    /// Kuma's Dataplanes.
    Dataplanes,
    /// Kuma's DataplaneInsights.
    DataplaneInsights,
    /// Kuma's Workloads.
    Workloads,
    /// Leases.
    Leases,
    /// Events.
    Events,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Namespaces,
        Self::Pods,
        Self::Meshes,
        Self::Dataplanes,
        Self::DataplaneInsights,
        Self::Workloads,
        Self::Leases,
        Self::Events,
    ];

    /// Those that CustomResourceDefinitions define.
    pub const CUSTOM: [Self; 4] = [
        Self::Meshes,
        Self::Dataplanes,
        Self::DataplaneInsights,
        Self::Workloads,
    ];

    /// The resource of this plural in this group and version.
    pub fn find(group: &str, version: &str, plural: &str) -> Option<Self> {
        let is_it = |resource: &Self| {
            resource.plural() == plural
                && resource.group() == group
                && resource.version() == version
        };
        Self::ALL.into_iter().find(is_it)
    }

    /// The API group; empty for the core group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Namespaces | Self::Pods => "",
            Self::Meshes | Self::Dataplanes | Self::DataplaneInsights | Self::Workloads => {
                "kuma.io"
            }
            Self::Leases => "coordination.k8s.io",
            Self::Events => "events.k8s.io",
        }
    }

    /// The version of the group.
    pub fn version(self) -> &'static str {
        match self.group() {
            "kuma.io" => "v1alpha1",
            _ => "v1",
        }
    }

    /// Group and version, as objects state them.
    pub fn api_version(self) -> String {
        match self.group() {
            "" => self.version().to_owned(),
            group => format!("{group}/{}", self.version()),
        }
    }

    /// The plural, as in paths.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Pods => "pods",
            Self::Meshes => "meshes",
            Self::Dataplanes => "dataplanes",
            Self::DataplaneInsights => "dataplaneinsights",
            Self::Workloads => "workloads",
            Self::Leases => "leases",
            Self::Events => "events",
        }
    }

    /// The kind, as objects state it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Namespaces => "Namespace",
            Self::Pods => "Pod",
            Self::Meshes => "Mesh",
            Self::Dataplanes => "Dataplane",
            Self::DataplaneInsights => "DataplaneInsight",
            Self::Workloads => "Workload",
            Self::Leases => "Lease",
            Self::Events => "Event",
        }
    }

    /// Whether its objects are in namespaces.
    pub fn is_namespaced(self) -> bool {
        !matches!(self, Self::Namespaces | Self::Meshes)
    }

    /// Whether a CustomResourceDefinition defines it.
    pub fn is_custom(self) -> bool {
        Self::CUSTOM.contains(&self)
    }

    /// Plural and group, as messages name a resource: `workloads.kuma.io`, `pods`.
    pub fn qualified(self) -> String {
        match self.group() {
            "" => self.plural().to_owned(),
            group => format!("{}.{group}", self.plural()),
        }
    }

    /// Kind and group, as messages about invalid objects name it: `Workload.kuma.io`.
    pub fn qualified_kind(self) -> String {
        match self.is_custom() {
            true => format!("{}.{}", self.kind(), self.group()),
            false => self.kind().to_owned(),
        }
    }

    /// Its entry in the discovery document of its group.
    pub(super) fn discovered(self) -> Value {
        json!({
            "name": self.plural(),
            "singularName": self.kind().to_lowercase(),
            "namespaced": self.is_namespaced(),
            "kind": self.kind(),
            "verbs": ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
        })
    }
}
