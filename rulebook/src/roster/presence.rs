//! Which meshes are present in a namespace (L11).

use std::collections::BTreeMap;

/// What a mesh has in a namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presence {
    /// How many of its Dataplanes refer to a workload.
    pub dataplanes: u32,
    /// How many workloads only Dataplanes of this mesh refer to.
    pub workloads: u32,
}

/// The meshes in a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresenceByMesh {
    /// What each mesh has there.
    pub meshes: BTreeMap<String, Presence>,
}

impl PresenceByMesh {
    /// Whether the namespace is split: it has two workloads that are each in one mesh, and these
    /// meshes differ (L11). A workload in several meshes is a conflict of its own (L9).
    pub fn is_split(&self) -> bool {
        let has_workloads = |presence: &&Presence| presence.workloads > 0;
        self.meshes.values().filter(has_workloads).count() > 1
    }
}
