//! The kinds of objects that are read, and what the client needs to know to ask for them.

use kube::Resource;

/// Kuma's API group.
pub(super) const GROUP: &str = "kuma.io";
/// The version of Kuma's API that this program reads and writes.
pub(super) const VERSION: &str = "v1alpha1";
/// Group and version, as objects state it.
pub const API_VERSION: &str = "kuma.io/v1alpha1";

/// A kind of objects that this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// Dataplanes.
    Dataplane,
    /// DataplaneInsights.
    DataplaneInsight,
    /// Workloads.
    Workload,
    /// Namespaces.
    Namespace,
    /// Meshes.
    Mesh,
    /// Pods.
    Pod,
}

impl RecordKind {
    /// The kind, as objects state it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataplane => "Dataplane",
            Self::DataplaneInsight => "DataplaneInsight",
            Self::Workload => "Workload",
            Self::Namespace => "Namespace",
            Self::Mesh => "Mesh",
            Self::Pod => "Pod",
        }
    }

    /// The plural, as in the API server's paths.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Dataplane => "dataplanes",
            Self::DataplaneInsight => "dataplaneinsights",
            Self::Workload => "workloads",
            Self::Namespace => "namespaces",
            Self::Mesh => "meshes",
            Self::Pod => "pods",
        }
    }

    /// The API group; empty for Kubernetes' own.
    pub fn group(self) -> &'static str {
        match self {
            Self::Dataplane | Self::DataplaneInsight | Self::Workload | Self::Mesh => GROUP,
            Self::Namespace | Self::Pod => "",
        }
    }

    /// The version of the API group.
    pub fn version(self) -> &'static str {
        match self.group() {
            GROUP => VERSION,
            _ => "v1",
        }
    }

    /// The path of its list on the API server, in one namespace or over all.
    pub fn path(self, namespace: Option<&str>) -> String {
        let root = match self.group() {
            "" => format!("/api/{}", self.version()),
            group => format!("/apis/{group}/{}", self.version()),
        };
        let plural = self.plural();
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
            None => format!("{root}/{plural}"),
        }
    }

    /// The resource, as RBAC names it: `dataplanes.kuma.io`, `pods`.
    pub fn resource(self) -> String {
        match self.group() {
            "" => self.plural().to_owned(),
            group => format!("{}.{group}", self.plural()),
        }
    }
}

/// A record of an object.
pub trait Record: Resource<DynamicType = ()> {
    /// The kind of the object.
    const KIND: RecordKind;
}

/// Implements [`Record`] for a struct with a field `metadata`.
macro_rules! record {
    ($type:ident, $kind:ident, $scope:ty) => {
        impl $crate::kinds::Record for $type {
            const KIND: $crate::kinds::RecordKind = $crate::kinds::RecordKind::$kind;
        }

        impl kube::Resource for $type {
            type DynamicType = ();
            type Scope = $scope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                <Self as $crate::kinds::Record>::KIND.name().into()
            }
            fn group((): &()) -> std::borrow::Cow<'_, str> {
                <Self as $crate::kinds::Record>::KIND.group().into()
            }
            fn version((): &()) -> std::borrow::Cow<'_, str> {
                <Self as $crate::kinds::Record>::KIND.version().into()
            }
            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                <Self as $crate::kinds::Record>::KIND.plural().into()
            }
            fn meta(&self) -> &kube::core::ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut kube::core::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

pub(super) use record;
