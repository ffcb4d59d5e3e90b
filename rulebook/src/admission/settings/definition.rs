//! What the settings mean, and their defaults.

use std::iter;

use super::{mesh_namespaces::MeshNamespaces, names::Names, service_account::ServiceAccountUser};
use crate::mesh;

/// How the rules are applied. [`Settings::default`] is what empty settings mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings<'a> {
    /// `disallowMultipleMeshesPerNamespace`: whether the mesh rule is on (A5). Default false.
    pub mesh_rule: bool,
    /// `namespaceMesh`: what a Pod's mesh is compared with (A17). Default `observed`.
    pub namespace_mesh: NamespaceMesh,
    /// `action`: whether the mesh rule rejects or warns (A9). Default `deny`.
    pub action: EnforcementAction,
    /// `updates`: which UPDATEs of Pods the mesh rule judges (A8). Default `all`.
    pub updates: Updates,
    /// `alreadySplit`: what happens in a Namespace that is already split (A18). Default `deny`.
    pub already_split: EnforcementAction,
    /// `considerPods`: whether Pods count in addition to Dataplanes (A10). Default true.
    pub consider_pods: bool,
    /// `grants`: how it is made sure that the policy server may list a kind (A13). Default `probe`.
    pub grants: Grants,
    /// `policyServerUser`: the ServiceAccount of the policy server (A13). It is given wherever
    /// `grants` is [`Grants::Ask`].
    pub policy_server_user: Option<ServiceAccountUser<'a>>,
    /// `systemNamespaces`: Namespaces that are exempt from the rules on meshes, in addition to
    /// `kube-system` (A19).
    pub system_namespaces: Names<'a>,
    /// `legacyMeshAnnotations`: whether annotations can name a mesh too (M2). Default true.
    pub mesh_annotations: mesh::MeshAnnotations,
    /// `meshNamespaces`: which Namespaces may be in which mesh (A20). Default empty.
    pub mesh_namespaces: MeshNamespaces<'a>,
    /// `workloadLabels`: the labels that name the workload of a Pod, in order (W1). Default empty.
    pub workload_labels: Names<'a>,
    /// `invalidWorkloadName`: what happens to a name that no Workload can have (W5); nothing if it
    /// is `ignore`. Default `warn`.
    pub invalid_workload_name: Option<EnforcementAction>,
    /// `protectWorkloads`: what happens to a Workload that is written by hand (P1); nothing if it
    /// is `off`. Default `warn`.
    pub protect_workloads: Option<EnforcementAction>,
    /// `workloadManagers`: the users and groups that may write Workloads (P1).
    pub workload_managers: Names<'a>,
}

/// What a Pod's mesh is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespaceMesh {
    /// The meshes of the Dataplanes and Pods in the Namespace (A5 to A10).
    Observed,
    /// The mesh that the Namespace declares (A17).
    Declared,
}

/// Whether an objection rejects the request or warns the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnforcementAction {
    /// Reject the request.
    Deny,
    /// Accept the request with a warning.
    Warn,
}

/// Which UPDATEs of Pods the mesh rule judges (A8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updates {
    /// All of them, as Kuma does.
    All,
    /// Those that change the Pod's mesh or make it meshed.
    Membership,
}

/// How it is made sure that the policy server may list a kind, before it is listed (A13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grants {
    /// By a get of the same kind, which the API server answers at once.
    Probe,
    /// By asking the API server whether [`Settings::policy_server_user`] may list and watch it.
    Ask,
    /// Not at all: whoever configures the policy answers for the grants.
    Assume,
}

/// The namespaces of control planes, as their charts name them (A19, L11).
pub const SYSTEM_NAMESPACES: &[&str] = &["kong-mesh-system", "kuma-system"];

const WORKLOAD_MANAGERS: &[&str] = &[
    "system:serviceaccount:kong-mesh-system:kong-mesh-control-plane",
    "system:serviceaccount:kuma-system:kuma-control-plane",
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
    // The controllers' user in clusters where they do not use accounts of their own.
    "system:kube-controller-manager",
    "system:serviceaccount:kube-system:storage-version-migrator-controller",
    "system:serviceaccount:kuma-workload:kuma-workload",
];

impl Default for Settings<'_> {
    fn default() -> Self {
        Self {
            mesh_rule: false,
            namespace_mesh: NamespaceMesh::Observed,
            action: EnforcementAction::Deny,
            updates: Updates::All,
            already_split: EnforcementAction::Deny,
            consider_pods: true,
            grants: Grants::Probe,
            policy_server_user: None,
            system_namespaces: Names::Default(SYSTEM_NAMESPACES),
            mesh_annotations: mesh::MeshAnnotations::Read,
            mesh_namespaces: MeshNamespaces::default(),
            workload_labels: Names::Default(&[]),
            invalid_workload_name: Some(EnforcementAction::Warn),
            protect_workloads: Some(EnforcementAction::Warn),
            workload_managers: Names::Default(WORKLOAD_MANAGERS),
        }
    }
}

impl Settings<'_> {
    /// The Namespaces that are exempt from the rules on meshes (A19).
    pub fn exempt_namespaces(&self) -> impl Iterator<Item = &str> {
        iter::once("kube-system").chain(self.system_namespaces.iter())
    }

    /// Whether a Namespace is exempt from the rules on meshes (A19).
    pub fn is_system_namespace(&self, namespace: &str) -> bool {
        self.exempt_namespaces().any(|name| name == namespace)
    }

    /// Whether any rule judges the mesh of a Pod or Namespace (A5, A20).
    pub fn judges_meshes(&self) -> bool {
        self.mesh_rule || !self.mesh_namespaces.is_empty()
    }

    /// Whether a Pod of this Namespace, or a template, can be rejected for anything but the label
    /// `kuma.io/workload` (A1, A2).
    pub fn judges_pods(&self, namespace: &str) -> bool {
        let judges_meshes = self.judges_meshes() && !self.is_system_namespace(namespace);
        judges_meshes || self.invalid_workload_name == Some(EnforcementAction::Deny)
    }

    /// The workload labels, in order (W1).
    pub fn workload_labels(&self) -> impl Iterator<Item = &str> {
        self.workload_labels.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing(|_: &mut Settings<'static>| {}, [false, false])]
    #[case::mesh_rule(|settings: &mut Settings<'static>| settings.mesh_rule = true, [true, false])]
    #[case::warn_of_names(|settings: &mut Settings<'static>| settings.invalid_workload_name = Some(EnforcementAction::Warn), [false, false])]
    #[case::reject_names(|settings: &mut Settings<'static>| settings.invalid_workload_name = Some(EnforcementAction::Deny), [true, true])]
    #[case::reject_workloads(|settings: &mut Settings<'static>| settings.protect_workloads = Some(EnforcementAction::Deny), [false, false])]
    fn a14_whose_pods_are_judged(
        #[case] edit: fn(&mut Settings<'static>),
        #[case] of_team_and_kube_system: [bool; 2],
    ) {
        let mut settings = Settings::default();
        edit(&mut settings);
        let judged = ["team", "kube-system"].map(|namespace| settings.judges_pods(namespace));
        assert_eq!(judged, of_team_and_kube_system);
    }

    #[test]
    fn a19_system_namespaces_and_kube_system() {
        let settings = Settings {
            system_namespaces: Names::Default(&["mesh"]),
            ..Settings::default()
        };
        assert!(settings.is_system_namespace("kube-system"));
        assert!(settings.is_system_namespace("mesh"));
        assert!(!settings.is_system_namespace("kong-mesh-system"));
        assert!(Settings::default().is_system_namespace("kong-mesh-system"));
    }
}
