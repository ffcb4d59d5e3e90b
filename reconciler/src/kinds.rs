//! Kuma's objects, as far as they are read here: what is skipped costs neither time nor memory.
//!
//! Every field may be absent. A field of another type than Kuma's is a `fault` of that object, for
//! the reader to report; a list goes on with the next.

mod lax;

use std::{borrow::Cow, collections::BTreeMap, fmt};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::{
    Resource,
    core::{ClusterResourceScope, NamespaceResourceScope},
};
use kuma_workload_rulebook::{
    counts::{self, Inbound, Inbounds, Subscription},
    keys, owner,
    roster::{self, Origin},
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use self::lax::{Lax, Shaped};

/// Kuma's API group.
pub const GROUP: &str = "kuma.io";
/// The version of it that is read and written.
pub const VERSION: &str = "v1alpha1";
/// Both, as objects say it.
pub const API_VERSION: &str = "kuma.io/v1alpha1";

/// A data plane proxy.
#[derive(Debug, Clone)]
pub struct Dataplane {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its mesh; absent or empty means `default`.
    pub mesh: Option<String>,
    /// What its inbounds say of its health (S3).
    pub inbounds: Inbounds,
    /// Whether it is a builtin gateway, which has no workload (W8).
    pub is_builtin_gateway: bool,
    /// Why it cannot be read, if it cannot: then only its metadata counts.
    pub fault: Option<String>,
}

#[derive(Deserialize)]
struct RawDataplane {
    #[serde(deserialize_with = "slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    mesh: Lax<String>,
    #[serde(default)]
    spec: Lax<DataplaneSpec>,
}

#[derive(Debug, Clone, Deserialize)]
struct DataplaneSpec {
    #[serde(default)]
    networking: Lax<Networking>,
}

#[derive(Debug, Clone, Deserialize)]
struct Networking {
    #[serde(default)]
    inbound: Lax<Vec<Lax<InboundOfDataplane>>>,
    #[serde(default)]
    gateway: Lax<Gateway>,
}

#[derive(Debug, Clone, Deserialize)]
struct InboundOfDataplane {
    #[serde(default)]
    state: Lax<String>,
    #[serde(default)]
    health: Lax<Health>,
}

#[derive(Debug, Clone, Deserialize)]
struct Health {
    #[serde(default)]
    ready: Lax<bool>,
}

#[derive(Debug, Clone, Deserialize)]
struct Gateway {
    #[serde(default, rename = "type")]
    kind: Lax<String>,
}

impl Shaped for DataplaneSpec {}
impl Shaped for Networking {}
impl Shaped for InboundOfDataplane {}
impl Shaped for Health {}
impl Shaped for Gateway {}

impl RawDataplane {
    fn networking(&self) -> Result<Option<&Networking>, String> {
        match self.spec.check("spec")? {
            Some(spec) => spec.networking.check("spec.networking"),
            None => Ok(None),
        }
    }

    fn inbounds(&self) -> Result<Inbounds, String> {
        let Some(networking) = self.networking()? else {
            return Ok(Inbounds::Absent);
        };
        let inbounds = networking.inbound.check("spec.networking.inbound")?;
        let mut read = Vec::new();
        for (index, inbound) in inbounds.into_iter().flatten().enumerate() {
            let path = format!("spec.networking.inbound[{index}]");
            let Some(inbound) = inbound.check(&path)? else {
                continue;
            };
            let health = inbound.health.check(&format!("{path}.health"))?;
            let ready = match health {
                Some(health) => Some(health.ready.check(&format!("{path}.health.ready"))?),
                None => None,
            };
            read.push(Inbound {
                state: inbound
                    .state
                    .check(&format!("{path}.state"))?
                    .map(String::as_str),
                health_ready: ready.map(|ready| ready.copied().unwrap_or_default()),
            });
        }
        Ok(Inbounds::of(read))
    }

    fn is_builtin_gateway(&self) -> Result<bool, String> {
        let Some(networking) = self.networking()? else {
            return Ok(false);
        };
        let Some(gateway) = networking.gateway.check("spec.networking.gateway")? else {
            return Ok(false);
        };
        let kind = gateway.kind.check("spec.networking.gateway.type")?;
        Ok(kind.is_some_and(|kind| kind == "BUILTIN"))
    }
}

impl<'de> Deserialize<'de> for Dataplane {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawDataplane::deserialize(deserializer)?;
        let mut fault = None;
        Ok(Self {
            mesh: read_or(&mut fault, raw.mesh.check("mesh")).cloned(),
            inbounds: read_or(&mut fault, raw.inbounds()),
            is_builtin_gateway: read_or(&mut fault, raw.is_builtin_gateway()),
            metadata: raw.metadata,
            fault,
        })
    }
}

impl Dataplane {
    /// Its identifier as Kuma stores it, an annotation (W8).
    pub fn stored_identifier(&self) -> Option<&str> {
        annotation(&self.metadata, keys::WORKLOAD)
    }

    /// Whether it is no copy from another zone.
    pub fn is_local(&self) -> bool {
        let metadata = &self.metadata;
        let owners = metadata.owner_references.iter().flatten();
        let origin = Origin {
            owned_by_pod: owners.into_iter().any(|owner| {
                owner.controller == Some(true) && owner::is_pod(&owner.api_version, &owner.kind)
            }),
            home_namespace: label(metadata, keys::HOME_NAMESPACE),
            environment: label(metadata, keys::ENVIRONMENT),
            display_names: [
                label(metadata, keys::DISPLAY_NAME),
                annotation(metadata, keys::DISPLAY_NAME),
            ],
        };
        origin.is_local(namespace(metadata), name(metadata))
    }

    /// What the roster needs of it, with this identifier.
    pub fn facts<'a>(&'a self, workload: Option<&'a str>) -> roster::DataplaneRecord<'a> {
        roster::DataplaneRecord {
            namespace: namespace(&self.metadata),
            name: name(&self.metadata),
            workload,
            mesh: self.mesh.as_deref(),
            local: self.is_local(),
            inbounds: self.inbounds,
        }
    }
}

/// What is known of a proxy's connections.
#[derive(Debug, Clone)]
pub struct DataplaneInsight {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its mesh; absent or empty means `default`.
    pub mesh: Option<String>,
    /// Whether the proxy is online (S2).
    pub online: bool,
    /// Why it cannot be read, if it cannot: then only its metadata counts.
    pub fault: Option<String>,
}

#[derive(Deserialize)]
struct RawInsight {
    #[serde(deserialize_with = "slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    mesh: Lax<String>,
    #[serde(default)]
    status: Lax<InsightStatus>,
}

#[derive(Debug, Clone, Deserialize)]
struct InsightStatus {
    #[serde(default)]
    subscriptions: Lax<Vec<Lax<SubscriptionTimes>>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionTimes {
    #[serde(default)]
    connect_time: Option<IgnoredAny>,
    #[serde(default)]
    disconnect_time: Option<IgnoredAny>,
}

impl Shaped for InsightStatus {}
impl Shaped for SubscriptionTimes {}

impl RawInsight {
    fn is_online(&self) -> Result<bool, String> {
        let Some(status) = self.status.check("status")? else {
            return Ok(false);
        };
        let subscriptions = status.subscriptions.check("status.subscriptions")?;
        let mut read = Vec::new();
        for (index, times) in subscriptions.into_iter().flatten().enumerate() {
            let times = times.check(&format!("status.subscriptions[{index}]"))?;
            read.extend(times.map(|times| Subscription {
                connect_time: times.connect_time.is_some(),
                disconnect_time: times.disconnect_time.is_some(),
            }));
        }
        Ok(counts::is_online(read))
    }
}

impl<'de> Deserialize<'de> for DataplaneInsight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawInsight::deserialize(deserializer)?;
        let mut fault = None;
        Ok(Self {
            mesh: read_or(&mut fault, raw.mesh.check("mesh")).cloned(),
            online: read_or(&mut fault, raw.is_online()),
            metadata: raw.metadata,
            fault,
        })
    }
}

impl DataplaneInsight {
    /// What the roster needs of it (S2).
    pub fn facts(&self) -> roster::InsightRecord<'_> {
        roster::InsightRecord {
            namespace: namespace(&self.metadata),
            name: name(&self.metadata),
            mesh: self.mesh.as_deref(),
            online: self.online,
        }
    }
}

/// A Workload.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// The numbers that it shows; none where they are absent or unreadable, so that they are
    /// written anew.
    pub reported: Option<DataplaneProxies>,
}

#[derive(Deserialize)]
struct RawWorkload {
    #[serde(deserialize_with = "slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    status: Lax<WorkloadStatus>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkloadStatus {
    #[serde(default)]
    dataplane_proxies: Lax<RawProxies>,
}

#[derive(Debug, Clone, Deserialize)]
struct RawProxies {
    #[serde(default)]
    connected: Lax<i32>,
    #[serde(default)]
    healthy: Lax<i32>,
    #[serde(default)]
    total: Lax<i32>,
}

impl Shaped for WorkloadStatus {}
impl Shaped for RawProxies {}

/// `status.dataplaneProxies`: a number that is absent is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataplaneProxies {
    /// Those that are online.
    pub connected: i32,
    /// Those that can take traffic.
    pub healthy: i32,
    /// All of them.
    pub total: i32,
}

impl RawWorkload {
    fn reported(&self) -> Result<Option<DataplaneProxies>, String> {
        let Some(status) = self.status.check("status")? else {
            return Ok(None);
        };
        let Some(proxies) = status.dataplane_proxies.check("status.dataplaneProxies")? else {
            return Ok(None);
        };
        let number = |number: &Lax<i32>| Ok::<_, String>(number.check("")?.copied().unwrap_or(0));
        Ok(Some(DataplaneProxies {
            connected: number(&proxies.connected)?,
            healthy: number(&proxies.healthy)?,
            total: number(&proxies.total)?,
        }))
    }
}

impl<'de> Deserialize<'de> for Workload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawWorkload::deserialize(deserializer)?;
        Ok(Self {
            reported: raw.reported().unwrap_or_default(),
            metadata: raw.metadata,
        })
    }
}

impl Workload {
    /// What the roster needs of it.
    pub fn facts(&self) -> roster::ExistingWorkload<'_> {
        roster::ExistingWorkload {
            mesh: label(&self.metadata, keys::MESH),
            managed_by: label(&self.metadata, keys::MANAGED_BY),
            origin: label(&self.metadata, keys::ORIGIN),
            home_namespace: label(&self.metadata, keys::HOME_NAMESPACE),
            mesh_owners: mesh_owners(
                self.metadata
                    .owner_references
                    .as_deref()
                    .unwrap_or_default(),
            )
            .collect(),
        }
    }
}

/// The value, or else its default, and the first thing that is wrong is kept.
fn read_or<T: Default>(fault: &mut Option<String>, read: Result<T, String>) -> T {
    read.unwrap_or_else(|wrong| {
        fault.get_or_insert(wrong);
        T::default()
    })
}

/// The names of the Meshes among these owners (L12).
pub fn mesh_owners(owners: &[OwnerReference]) -> impl Iterator<Item = &str> {
    let meshes = owners.iter().filter(|owner| is_mesh(owner));
    meshes.map(|owner| &*owner.name)
}

/// Whether an owner is a Mesh.
pub fn is_mesh(owner: &OwnerReference) -> bool {
    owner::is_mesh(&owner.api_version, &owner.kind)
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
#[derive(Debug, Clone)]
pub struct Pod {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// `spec.serviceAccountName`; absent or empty means `default`.
    pub service_account_name: Option<String>,
}

impl<'de> Deserialize<'de> for Pod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(deserialize_with = "slim")]
            metadata: ObjectMeta,
            #[serde(default)]
            spec: Option<Spec>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Spec {
            #[serde(default)]
            service_account_name: Option<String>,
        }
        let raw = Raw::deserialize(deserializer)?;
        Ok(Self {
            metadata: raw.metadata,
            service_account_name: raw.spec.and_then(|spec| spec.service_account_name),
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn object<K: for<'de> Deserialize<'de>>(rest: Value) -> K {
        let mut object = json!({ "metadata": { "name": "web-0", "namespace": "shop" } });
        let (Some(all), Value::Object(rest)) = (object.as_object_mut(), rest) else {
            unreachable!("both are objects")
        };
        all.extend(rest);
        serde_json::from_value(object).unwrap()
    }

    fn inbound(inbound: Value) -> Value {
        json!({ "spec": { "networking": { "inbound": inbound } } })
    }

    #[rstest]
    #[case::nothing(json!({}), Inbounds::Absent)]
    #[case::nulls(json!({ "mesh": null, "spec": { "networking": null } }), Inbounds::Absent)]
    #[case::of_a_later_kuma(json!({ "spec": { "new": [1], "networking": { "new": {} } } }), Inbounds::Absent)]
    #[case::ready(inbound(json!([{ "port": 80 }])), Inbounds::Ready)]
    #[case::not_ready(inbound(json!([{ "state": "NotReady" }, { "health": {} }])), Inbounds::NotReady)]
    fn s3_inbounds_are_read(#[case] rest: Value, #[case] inbounds: Inbounds) {
        let dataplane: Dataplane = object(rest);
        assert_eq!((dataplane.fault, dataplane.inbounds), (None, inbounds));
    }

    #[rstest]
    #[case::mesh(json!({ "mesh": 5 }), "mesh is a number where a string is expected")]
    #[case::spec(json!({ "spec": "x" }), "spec is a string where an object is expected")]
    #[case::inbounds(inbound(json!("x")), "spec.networking.inbound is a string where a list is expected")]
    #[case::one_inbound(inbound(json!([{}, 7])), "spec.networking.inbound[1] is a number where an object is expected")]
    #[case::state(inbound(json!([{ "state": [] }])), "spec.networking.inbound[0].state is a list where a string is expected")]
    #[case::health(inbound(json!([{ "health": { "ready": "yes" } }])), "spec.networking.inbound[0].health.ready is a string where true or false is expected")]
    fn a_faulty_dataplane_says_where(#[case] rest: Value, #[case] fault: &str) {
        let dataplane: Dataplane = object(rest);
        assert_eq!(dataplane.fault.as_deref(), Some(fault));
        assert_eq!(name(&dataplane.metadata), "web-0");
    }

    #[rstest]
    #[case::no_status(json!({}), Ok(false))]
    #[case::online(json!({ "status": { "subscriptions": [{ "connectTime": "t", "disconnectTime": "t" }, { "connectTime": "t" }] } }), Ok(true))]
    #[case::null_is_absent(json!({ "status": { "subscriptions": [{ "connectTime": "t", "disconnectTime": null }] } }), Ok(true))]
    #[case::offline(json!({ "status": { "subscriptions": [{ "connectTime": "t", "disconnectTime": "t" }] } }), Ok(false))]
    #[case::faulty(json!({ "status": { "subscriptions": {} } }), Err("status.subscriptions is an object where a list is expected"))]
    fn s2_insights_are_read(#[case] rest: Value, #[case] online: Result<bool, &str>) {
        let insight: DataplaneInsight = object(rest);
        let read = insight.fault.as_deref().map_or(Ok(insight.online), Err);
        assert_eq!(read, online);
    }

    #[rstest]
    #[case::none(json!({}), None)]
    #[case::all(json!({ "status": { "dataplaneProxies": { "connected": 1, "healthy": 2, "total": 3 } } }), Some((1, 2, 3)))]
    #[case::absent_is_zero(json!({ "status": { "dataplaneProxies": { "total": 3 } } }), Some((0, 0, 3)))]
    #[case::unreadable(json!({ "status": { "dataplaneProxies": { "total": "3" } } }), None)]
    fn reported_numbers(#[case] rest: Value, #[case] numbers: Option<(i32, i32, i32)>) {
        let workload: Workload = object(rest);
        let reported = workload.reported;
        assert_eq!(
            reported.map(|all| (all.connected, all.healthy, all.total)),
            numbers
        );
    }

    #[test]
    fn of_metadata_only_what_is_needed_is_kept() {
        let dataplane: Dataplane = serde_json::from_value(json!({ "metadata": {
            "name": "web-0",
            "managedFields": [{ "manager": "kuma" }],
            "labels": { "app": "web" },
            "annotations": { "kuma.io/workload": "web", "note": "x" },
        } }))
        .unwrap();
        assert_eq!(dataplane.stored_identifier(), Some("web"));
        let kept = ObjectMeta {
            name: Some("web-0".to_owned()),
            labels: Some([("app".to_owned(), "web".to_owned())].into()),
            annotations: Some([("kuma.io/workload".to_owned(), "web".to_owned())].into()),
            ..ObjectMeta::default()
        };
        assert_eq!(dataplane.metadata, kept);
    }
}
