//! Who manages Workloads, as their label `kuma.io/managed-by` names it.

/// The manager that the program is.
pub const OURS: &str = "kuma-workload-reconciler";
/// The manager that Kuma's control plane is.
pub const CONTROL_PLANE: &str = "k8s-controller";
