//! What is known about a Workload, from a running reconciler or from lists.

use std::collections::BTreeMap;

use kuma_workload_rulebook::roster::{Decision, Key, Mode, References};
use serde::Serialize;

use crate::crd::DataplaneProxies;

/// What is known about a Workload.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Which one.
    pub(crate) key: Key,
    /// What the rules say.
    pub(crate) decision: Decision,
    /// The Workload that exists.
    pub(crate) workload: Option<KnownWorkload>,
    /// The proxies that refer to it, by mesh.
    pub(crate) dataplanes: BTreeMap<String, DataplaneProxies>,
    /// The Dataplanes that name it and cannot be read, each with the reason.
    pub(crate) unreadable: Vec<String>,
    /// The state of its namespace.
    pub(crate) namespace: NamespaceState,
    /// The mode in force (L17).
    pub(crate) mode: Mode,
    /// The lists that are waited for. Nothing is decided before them.
    pub(crate) waiting_for: Vec<String>,
    /// Why what is due is not done yet, as a clause: `no replica leads`.
    pub(crate) obstacle: Option<String>,
}

/// The Workload that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KnownWorkload {
    /// Its label `kuma.io/mesh`.
    pub(crate) mesh: Option<String>,
    /// Its label `kuma.io/managed-by`.
    pub(crate) manager: Option<String>,
    /// The numbers in its status.
    pub(crate) reported: Option<DataplaneProxies>,
    /// Whether it is being deleted, and waits for its finalizers.
    pub(crate) is_being_deleted: bool,
}

/// The state of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum NamespaceState {
    /// It is there, as far as is known.
    Present,
    /// It is being deleted.
    Terminating,
    /// It does not exist.
    Missing,
    /// Its Workloads are left alone.
    Unselected,
}

/// The proxies that refer to a Workload, by mesh.
pub(crate) fn by_mesh(references: References<'_>) -> BTreeMap<String, DataplaneProxies> {
    let meshes = references.iter();
    meshes
        .map(|(mesh, counts)| (mesh.to_owned(), counts.into()))
        .collect()
}
