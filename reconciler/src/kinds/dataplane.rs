//! Dataplanes, as far as they are read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kuma_workload_rulebook::{
    counts::{Inbound, Inbounds, Listener},
    keys, roster,
};
use serde::{Deserialize, Deserializer};

use super::{
    lax::{Lax, OfJsonType, or_default},
    metadata::{annotation, name, namespace, origin, slim},
    record::record,
};

/// A Dataplane: one data plane proxy.
#[derive(Debug, Clone)]
pub struct DataplaneRecord {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its mesh; absent or empty means `default`.
    pub mesh: Option<String>,
    /// The health of its inbounds or listeners (S3).
    pub inbounds: Inbounds,
    /// Whether it is a builtin gateway, which has no workload (W8).
    pub is_builtin_gateway: bool,
    /// Why it cannot be read, if so. Then only its metadata counts.
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
    inbound: Lax<Vec<Lax<RawInbound>>>,
    #[serde(default)]
    listeners: Lax<Vec<Lax<RawListener>>>,
    #[serde(default)]
    gateway: Lax<Gateway>,
}

#[derive(Debug, Clone, Deserialize)]
struct RawInbound {
    #[serde(default)]
    state: Lax<String>,
    #[serde(default)]
    health: Lax<Health>,
}

#[derive(Debug, Clone, Deserialize)]
struct RawListener {
    #[serde(default)]
    state: Lax<String>,
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

impl OfJsonType for DataplaneSpec {}
impl OfJsonType for Networking {}
impl OfJsonType for RawInbound {}
impl OfJsonType for RawListener {}
impl OfJsonType for Health {}
impl OfJsonType for Gateway {}

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
        Ok(Inbounds::of(read).or_listeners(listeners(networking)?))
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

fn listeners(networking: &Networking) -> Result<Vec<Listener<'_>>, String> {
    let listeners = networking.listeners.check("spec.networking.listeners")?;
    let mut read = Vec::new();
    for (index, listener) in listeners.into_iter().flatten().enumerate() {
        let path = format!("spec.networking.listeners[{index}]");
        if let Some(listener) = listener.check(&path)? {
            let state = listener.state.check(&format!("{path}.state"))?;
            read.push(Listener {
                state: state.map(String::as_str),
            });
        }
    }
    Ok(read)
}

impl<'de> Deserialize<'de> for DataplaneRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawDataplane::deserialize(deserializer)?;
        let mut fault = None;
        Ok(Self {
            mesh: or_default(&mut fault, raw.mesh.check("mesh")).cloned(),
            inbounds: or_default(&mut fault, raw.inbounds()),
            is_builtin_gateway: or_default(&mut fault, raw.is_builtin_gateway()),
            metadata: raw.metadata,
            fault,
        })
    }
}

impl DataplaneRecord {
    /// The identifier that Kuma has stored as an annotation (W8).
    pub fn stored_identifier(&self) -> Option<&str> {
        annotation(&self.metadata, keys::WORKLOAD)
    }

    /// Whether it belongs to this cluster, and is not a copy from another zone.
    pub fn is_local(&self) -> bool {
        let metadata = &self.metadata;
        origin(metadata).is_local(namespace(metadata), name(metadata))
    }

    /// The facts for the roster, with this identifier.
    pub fn facts<'a>(&'a self, workload: Option<&'a str>) -> roster::RosterDataplane<'a> {
        roster::RosterDataplane {
            namespace: namespace(&self.metadata),
            name: name(&self.metadata),
            workload,
            mesh: self.mesh.as_deref(),
            local: self.is_local(),
            inbounds: self.inbounds,
        }
    }
}

record!(DataplaneRecord, Dataplane, NamespaceResourceScope);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn dataplane(mut rest: Value) -> DataplaneRecord {
        rest["metadata"] = json!({ "name": "web-0", "namespace": "shop" });
        serde_json::from_value(rest).unwrap()
    }

    fn inbound(inbound: Value) -> Value {
        json!({ "spec": { "networking": { "inbound": inbound } } })
    }

    fn networking(networking: Value) -> Value {
        json!({ "spec": { "networking": networking } })
    }

    #[rstest]
    #[case::nothing(json!({}), Inbounds::Absent)]
    #[case::nulls(json!({ "mesh": null, "spec": { "networking": null } }), Inbounds::Absent)]
    #[case::of_a_later_kuma(json!({ "spec": { "new": [1], "networking": { "new": {} } } }), Inbounds::Absent)]
    #[case::ready(inbound(json!([{ "port": 80 }])), Inbounds::Ready)]
    #[case::not_ready(inbound(json!([{ "state": "NotReady" }, { "health": {} }])), Inbounds::NotReady)]
    #[case::listener(networking(json!({ "listeners": [{ "type": "ZoneIngress", "port": 10001 }] })), Inbounds::Ready)]
    #[case::listeners_not_ready(networking(json!({ "inbound": [], "listeners": [{ "state": "NotReady" }] })), Inbounds::NotReady)]
    #[case::inbounds_decide(networking(json!({ "inbound": [{ "state": "NotReady" }], "listeners": [{}] })), Inbounds::NotReady)]
    #[case::no_listeners(networking(json!({ "listeners": [null] })), Inbounds::Absent)]
    fn s3_inbounds_are_read(#[case] rest: Value, #[case] inbounds: Inbounds) {
        let dataplane = dataplane(rest);
        assert_eq!((dataplane.fault, dataplane.inbounds), (None, inbounds));
    }

    #[rstest]
    #[case::mesh(json!({ "mesh": 5 }), "mesh is a number where a string is expected")]
    #[case::spec(json!({ "spec": "x" }), "spec is a string where an object is expected")]
    #[case::inbounds(inbound(json!("x")), "spec.networking.inbound is a string where a list is expected")]
    #[case::one_inbound(inbound(json!([{}, 7])), "spec.networking.inbound[1] is a number where an object is expected")]
    #[case::state(inbound(json!([{ "state": [] }])), "spec.networking.inbound[0].state is a list where a string is expected")]
    #[case::health(inbound(json!([{ "health": { "ready": "yes" } }])), "spec.networking.inbound[0].health.ready is a string where true or false is expected")]
    #[case::listeners(networking(json!({ "listeners": {} })), "spec.networking.listeners is an object where a list is expected")]
    #[case::listener(networking(json!({ "listeners": [{}, 7] })), "spec.networking.listeners[1] is a number where an object is expected")]
    #[case::state_of_a_listener(networking(json!({ "listeners": [{ "state": 1 }] })), "spec.networking.listeners[0].state is a number where a string is expected")]
    fn a_faulty_dataplane_says_where(#[case] rest: Value, #[case] fault: &str) {
        let dataplane = dataplane(rest);
        assert_eq!(dataplane.fault.as_deref(), Some(fault));
        assert_eq!(name(&dataplane.metadata), "web-0");
    }

    #[test]
    fn w8_the_stored_identifier_is_an_annotation() {
        let metadata = json!({ "annotations": { "kuma.io/workload": "web" } });
        let stored = |metadata| {
            let object = json!({ "metadata": metadata });
            let dataplane: DataplaneRecord = serde_json::from_value(object).unwrap();
            dataplane.stored_identifier().map(str::to_owned)
        };
        assert_eq!(stored(metadata).as_deref(), Some("web"));
        assert_eq!(
            stored(json!({ "labels": { "kuma.io/workload": "web" } })),
            None
        );
    }
}
