//! DataplaneInsights, as far as they are read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kuma_workload_rulebook::{
    counts::{self, Subscription},
    roster,
};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{
    lax::{Lax, OfJsonType, or_default},
    metadata::{name, namespace, slim},
    record::record,
};

/// A DataplaneInsight: the connections of one proxy.
#[derive(Debug, Clone)]
pub struct InsightRecord {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its mesh; absent or empty means `default`.
    pub mesh: Option<String>,
    /// Whether the proxy is online (S2).
    pub online: bool,
    /// Why it cannot be read, if so. Then only its metadata counts.
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

impl OfJsonType for InsightStatus {}
impl OfJsonType for SubscriptionTimes {}

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

impl<'de> Deserialize<'de> for InsightRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawInsight::deserialize(deserializer)?;
        let mut fault = None;
        Ok(Self {
            mesh: or_default(&mut fault, raw.mesh.check("mesh")).cloned(),
            online: or_default(&mut fault, raw.is_online()),
            metadata: raw.metadata,
            fault,
        })
    }
}

impl InsightRecord {
    /// The facts for the roster (S2).
    pub fn facts(&self) -> roster::RosterInsight<'_> {
        roster::RosterInsight {
            namespace: namespace(&self.metadata),
            name: name(&self.metadata),
            mesh: self.mesh.as_deref(),
            online: self.online,
        }
    }
}

record!(InsightRecord, DataplaneInsight, NamespaceResourceScope);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case::no_status(json!({}), Ok(false))]
    #[case::online(json!({ "status": { "subscriptions": [{ "connectTime": "t", "disconnectTime": "t" }, { "connectTime": "t" }] } }), Ok(true))]
    #[case::null_is_absent(json!({ "status": { "subscriptions": [{ "connectTime": "t", "disconnectTime": null }] } }), Ok(true))]
    #[case::offline(json!({ "status": { "subscriptions": [{ "connectTime": "t", "disconnectTime": "t" }] } }), Ok(false))]
    #[case::faulty(json!({ "status": { "subscriptions": {} } }), Err("status.subscriptions is an object where a list is expected"))]
    fn s2_insights_are_read(#[case] mut rest: Value, #[case] online: Result<bool, &str>) {
        rest["metadata"] = json!({ "name": "web-0", "namespace": "shop" });
        let insight: InsightRecord = serde_json::from_value(rest).unwrap();
        let read = insight.fault.as_deref().map_or(Ok(insight.online), Err);
        assert_eq!(read, online);
    }
}
