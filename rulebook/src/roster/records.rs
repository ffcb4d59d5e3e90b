//! What the roster is told about Dataplanes and DataplaneInsights.

use crate::counts::Inbounds;

/// What the roster needs to know of a Dataplane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataplaneRecord<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its workload identifier (W8). If it is absent or empty, the Dataplane refers to no Workload.
    pub workload: Option<&'a str>,
    /// Its top-level `mesh`; absent or empty means `default`.
    pub mesh: Option<&'a str>,
    /// Whether it belongs to this cluster ([`Origin::is_local`](super::origin::Origin::is_local)).
    /// A copy from another zone refers to no Workload.
    pub local: bool,
    /// What its inbounds say about its health.
    pub inbounds: Inbounds,
}

/// What the roster needs to know of a DataplaneInsight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InsightRecord<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name, which is that of its Dataplane.
    pub name: &'a str,
    /// Its top-level `mesh`; absent or empty means `default`.
    pub mesh: Option<&'a str>,
    /// Whether it says that the proxy is online ([`crate::counts::is_online`]).
    pub online: bool,
}
