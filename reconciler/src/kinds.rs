//! Kuma's objects, as far as they are read here: what is skipped costs neither time nor memory.
//!
//! Every field may be absent. A field of another type than Kuma's makes an object undecodable, which
//! is for the reader to report; [`kube::core::DeserializeGuard`] keeps the others.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::{
    Resource,
    core::{ClusterResourceScope, NamespaceResourceScope},
};
use kuma_workload_rulebook::{
    counts::{self, Inbound, Inbounds, Subscription},
    keys,
    roster::{self, HOME_NAMESPACE},
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// Kuma's API group.
pub const GROUP: &str = "kuma.io";
/// The version of it that is read and written.
pub const VERSION: &str = "v1alpha1";
/// Both, as objects say it.
pub const API_VERSION: &str = "kuma.io/v1alpha1";

/// A data plane proxy.
#[derive(Debug, Clone, Deserialize)]
pub struct Dataplane {
    /// Its metadata.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
    /// Its mesh; absent or empty means `default`.
    #[serde(default)]
    pub mesh: Option<String>,
    /// What is read of its spec.
    #[serde(default)]
    pub spec: Option<DataplaneSpec>,
}

/// What is read of a Dataplane's `spec`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DataplaneSpec {
    #[serde(default)]
    networking: Option<Networking>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Networking {
    #[serde(default)]
    inbound: Option<Vec<InboundOfDataplane>>,
}

#[derive(Debug, Clone, Deserialize)]
struct InboundOfDataplane {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    health: Option<Health>,
}

#[derive(Debug, Clone, Deserialize)]
struct Health {
    #[serde(default)]
    ready: Option<bool>,
}

impl Dataplane {
    /// Its identifier as Kuma stores it, an annotation (W8).
    pub fn stored_identifier(&self) -> Option<&str> {
        annotation(&self.metadata, keys::WORKLOAD)
    }

    /// What its inbounds say of its health (S3).
    pub fn inbounds(&self) -> Inbounds {
        let networking = self.spec.as_ref().and_then(|spec| spec.networking.as_ref());
        let inbounds = networking.and_then(|networking| networking.inbound.as_ref());
        Inbounds::of(inbounds.into_iter().flatten().map(|inbound| {
            Inbound {
                state: inbound.state.as_deref(),
                health_ready: inbound
                    .health
                    .as_ref()
                    .map(|health| health.ready.unwrap_or_default()),
            }
        }))
    }

    /// What the roster needs of it, with this identifier.
    pub fn facts<'a>(&'a self, workload: Option<&'a str>) -> roster::Dataplane<'a> {
        roster::Dataplane {
            namespace: namespace(&self.metadata),
            name: name(&self.metadata),
            workload,
            mesh: self.mesh.as_deref(),
            home_namespace: label(&self.metadata, HOME_NAMESPACE),
            inbounds: self.inbounds(),
        }
    }
}

/// What is known of a proxy's connections.
#[derive(Debug, Clone, Deserialize)]
pub struct DataplaneInsight {
    /// Its metadata.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
    /// Its mesh; absent or empty means `default`.
    #[serde(default)]
    pub mesh: Option<String>,
    /// What is read of its status.
    #[serde(default)]
    pub status: Option<InsightStatus>,
}

/// What is read of a DataplaneInsight's `status`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InsightStatus {
    #[serde(default)]
    subscriptions: Option<Vec<SubscriptionTimes>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionTimes {
    #[serde(default)]
    connect_time: Option<IgnoredAny>,
    #[serde(default)]
    disconnect_time: Option<IgnoredAny>,
}

impl DataplaneInsight {
    /// What the roster needs of it (S2).
    pub fn facts(&self) -> roster::Insight<'_> {
        let subscriptions = self
            .status
            .as_ref()
            .and_then(|status| status.subscriptions.as_ref());
        let times = subscriptions.into_iter().flatten();
        roster::Insight {
            namespace: namespace(&self.metadata),
            name: name(&self.metadata),
            mesh: self.mesh.as_deref(),
            online: counts::is_online(times.map(|times| Subscription {
                connect_time: times.connect_time.is_some(),
                disconnect_time: times.disconnect_time.is_some(),
            })),
        }
    }
}

/// A Workload.
#[derive(Debug, Clone, Deserialize)]
pub struct Workload {
    /// Its metadata.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
    /// What is read of its status.
    #[serde(default)]
    pub status: Option<WorkloadStatus>,
}

/// A Workload's `status`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// The numbers of its proxies.
    #[serde(default)]
    pub dataplane_proxies: Option<DataplaneProxies>,
}

/// `status.dataplaneProxies`: a number that is absent is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct DataplaneProxies {
    /// Those that are online.
    #[serde(default)]
    pub connected: i32,
    /// Those that can take traffic.
    #[serde(default)]
    pub healthy: i32,
    /// All of them.
    #[serde(default)]
    pub total: i32,
}

impl Workload {
    /// What the roster needs of it.
    pub fn facts(&self) -> roster::Existing<'_> {
        roster::Existing {
            mesh: label(&self.metadata, keys::MESH),
            managed_by: label(&self.metadata, roster::MANAGED_BY),
            origin: label(&self.metadata, roster::ORIGIN),
            home_namespace: label(&self.metadata, HOME_NAMESPACE),
            mesh_owners: mesh_owners(&self.metadata).collect(),
        }
    }

    /// The numbers that it shows.
    pub fn reported(&self) -> Option<DataplaneProxies> {
        self.status.as_ref()?.dataplane_proxies
    }
}

/// The names of the Meshes among an object's owners (L12).
pub fn mesh_owners(metadata: &ObjectMeta) -> impl Iterator<Item = &str> {
    let owners = metadata.owner_references.iter().flatten();
    owners
        .filter(|owner| owner.kind == "Mesh" && owner.api_version.starts_with("kuma.io/"))
        .map(|owner| &*owner.name)
}

/// An object of which only the metadata is read.
#[derive(Debug, Clone, Deserialize)]
pub struct Mesh {
    /// Its metadata.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
}

/// A Namespace.
#[derive(Debug, Clone, Deserialize)]
pub struct Namespace {
    /// Its metadata.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
}

/// A Pod, for identifiers that are computed (W8).
#[derive(Debug, Clone, Deserialize)]
pub struct Pod {
    /// Its metadata.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
    /// What is read of its spec.
    #[serde(default)]
    pub spec: Option<PodSpec>,
}

/// What is read of a Pod's `spec`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec {
    /// Absent or empty means `default`.
    #[serde(default)]
    pub service_account_name: Option<String>,
}

macro_rules! resource {
    ($type:ident, $group:expr, $version:expr, $plural:literal, $scope:ty) => {
        impl Resource for $type {
            type DynamicType = ();
            type Scope = $scope;

            fn kind((): &()) -> Cow<'_, str> {
                stringify!($type).into()
            }
            fn group((): &()) -> Cow<'_, str> {
                $group.into()
            }
            fn version((): &()) -> Cow<'_, str> {
                $version.into()
            }
            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

resource!(
    Dataplane,
    GROUP,
    VERSION,
    "dataplanes",
    NamespaceResourceScope
);
resource!(
    DataplaneInsight,
    GROUP,
    VERSION,
    "dataplaneinsights",
    NamespaceResourceScope
);
resource!(
    Workload,
    GROUP,
    VERSION,
    "workloads",
    NamespaceResourceScope
);
resource!(Mesh, GROUP, VERSION, "meshes", ClusterResourceScope);
resource!(Namespace, "", "v1", "namespaces", ClusterResourceScope);
resource!(Pod, "", "v1", "pods", NamespaceResourceScope);

/// An object's name; empty if it has none.
pub fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}

/// An object's namespace; empty if it has none.
pub fn namespace(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or_default()
}

/// A label of an object.
pub fn label<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(key).map(String::as_str)
}

/// An annotation of an object; only Kuma's are kept.
pub fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Metadata without what nobody here reads: `managedFields` above all, and the annotations that are
/// not Kuma's, the last applied manifest among them.
fn slim<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Slim {
        name: Option<String>,
        namespace: Option<String>,
        uid: Option<String>,
        resource_version: Option<String>,
        creation_timestamp: Option<Time>,
        deletion_timestamp: Option<Time>,
        labels: Option<BTreeMap<String, String>>,
        #[serde(default, deserialize_with = "annotations_of_kuma")]
        annotations: Option<BTreeMap<String, String>>,
        owner_references: Option<Vec<OwnerReference>>,
    }
    let slim = Slim::deserialize(deserializer)?;
    Ok(ObjectMeta {
        name: slim.name,
        namespace: slim.namespace,
        uid: slim.uid,
        resource_version: slim.resource_version,
        creation_timestamp: slim.creation_timestamp,
        deletion_timestamp: slim.deletion_timestamp,
        labels: slim.labels,
        annotations: slim.annotations,
        owner_references: slim.owner_references,
        ..ObjectMeta::default()
    })
}

fn annotations_of_kuma<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    struct OfKuma;

    impl<'de> Visitor<'de> for OfKuma {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("annotations")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut kept = BTreeMap::new();
            while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                if key.starts_with("kuma.io/") {
                    kept.insert(key.into_owned(), map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(kept)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }
    }

    deserializer.deserialize_any(OfKuma).map(Some)
}
