//! The notes of events. Each sentence is written once: for events with names and numbers, for the docs
//! with words in capitals.

use std::fmt::Display;

/// Proxies in several meshes refer to one workload (L9). The sentence is Kuma's own.
pub(super) fn conflict(namespace: &str, meshes: impl Display, workload: &str) -> String {
    format!(
        "Skipping Workload generation: namespace {namespace} has pods in multiple meshes ({meshes} meshes) for workload {workload}. This configuration is not supported."
    )
}

/// The end of [`conflict`].
pub(super) fn conflict_resolved(namespace: &str, workload: &str) -> String {
    format!("Namespace {namespace} no longer has pods in multiple meshes for workload {workload}.")
}

/// Workloads in several meshes are in one namespace (L11).
pub(super) fn split(namespace: &str, meshes: impl Display) -> String {
    format!(
        "Namespace {namespace} has workloads in multiple meshes ({meshes}). Use one mesh per namespace."
    )
}

/// The end of [`split`].
pub(super) fn split_resolved(namespace: &str) -> String {
    format!("Namespace {namespace} no longer has workloads in multiple meshes.")
}

/// No object can have the workload's name (W5).
pub(super) fn invalid_name(name: impl Display, fault: impl Display) -> String {
    format!("Skipping Workload generation: {name} cannot be the name of a Workload: {fault}.")
}

/// The Workload is managed by another manager (L6).
pub(super) fn managed_by_another(workload: &str, manager: impl Display) -> String {
    format!(
        "Workload {workload} is managed by {manager} (label kuma.io/managed-by) and is left as it is."
    )
}
