//! A Workload that exists, as far as it is needed to decide about it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kuma_workload_rulebook::roster::ExistingWorkload;

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
        Self {
            uid: boxed(&metadata.uid),
            resource_version: boxed(&metadata.resource_version),
            is_terminating: metadata.deletion_timestamp.is_some(),
            reported: workload.reported,
            owners: metadata.owner_references.clone().unwrap_or_default(),
            mesh: mesh.map(Into::into),
            managed_by: managed_by.map(Into::into),
            is_copy,
        }
    }

    /// The facts for the roster.
    pub(super) fn facts(&self) -> ExistingWorkload<'_> {
        ExistingWorkload {
            mesh: self.mesh.as_deref(),
            managed_by: self.managed_by.as_deref(),
            is_copy: self.is_copy,
            mesh_owners: kinds::mesh_owners(&self.owners).collect(),
        }
    }

    /// Whether its resourceVersion is higher.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        let number = |workload: &Self| workload.resource_version.parse::<u64>().ok();
        number(self)
            .zip(number(other))
            .is_some_and(|(this, other)| this > other)
    }
}
