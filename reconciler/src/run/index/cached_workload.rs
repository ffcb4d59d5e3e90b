//! A Workload that exists, as far as it is needed to decide about it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kuma_workload_rulebook::roster::{CONTROL_PLANE, ExistingWorkload, MANAGER};

use crate::{
    crd::DataplaneProxies,
    kinds::{self, WorkloadRecord},
};

/// A Workload that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedWorkload {
    /// Its uid.
    pub uid: Box<str>,
    /// Its resourceVersion.
    pub resource_version: Box<str>,
    /// Whether it is being deleted, and waits for its finalizers.
    pub is_terminating: bool,
    /// The numbers in its status.
    pub reported: Option<DataplaneProxies>,
    /// All its owners.
    pub owners: Vec<OwnerReference>,
    mesh: Option<Box<str>>,
    managed_by: Option<Box<str>>,
    /// The owners of the label `kuma.io/managed-by`, if it names a control plane.
    control_planes: Box<[Box<str>]>,
    is_copy: bool,
}

impl CachedWorkload {
    pub(super) fn of(workload: &WorkloadRecord) -> Self {
        let metadata = &workload.metadata;
        let boxed = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
        let ExistingWorkload {
            mesh,
            managed_by,
            is_copy,
            mesh_owners: _,
        } = workload.facts();
        let owners = workload.label_owners.iter();
        Self {
            uid: boxed(&metadata.uid),
            resource_version: boxed(&metadata.resource_version),
            is_terminating: metadata.deletion_timestamp.is_some(),
            reported: workload.reported,
            owners: metadata.owner_references.clone().unwrap_or_default(),
            mesh: mesh.map(Into::into),
            managed_by: managed_by.map(Into::into),
            control_planes: match managed_by {
                Some(CONTROL_PLANE) => owners.map(|owner| owner.as_str().into()).collect(),
                _ => Box::default(),
            },
            is_copy,
        }
    }

    /// The field managers that say that a control plane manages it (L17).
    pub(super) fn control_planes(&self) -> impl Iterator<Item = &str> {
        self.control_planes.iter().map(|manager| &**manager)
    }

    /// Whether this program manages it (L16).
    pub(in crate::run) fn is_ours(&self) -> bool {
        self.managed_by.as_deref() == Some(MANAGER)
    }

    /// The facts for the roster.
    pub(in crate::run) fn facts(&self) -> ExistingWorkload<'_> {
        ExistingWorkload {
            mesh: self.mesh.as_deref(),
            managed_by: self.managed_by.as_deref(),
            is_copy: self.is_copy,
            mesh_owners: kinds::mesh_owners(&self.owners).collect(),
        }
    }

    /// Whether it is a later state of the same object.
    pub(super) fn succeeds(&self, other: &Self) -> bool {
        self.uid == other.uid && self.is_newer_than(other)
    }

    /// Whether its resourceVersion is higher.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        let number = |workload: &Self| workload.resource_version.parse::<u64>().ok();
        number(self)
            .zip(number(other))
            .is_some_and(|(this, other)| this > other)
    }
}
