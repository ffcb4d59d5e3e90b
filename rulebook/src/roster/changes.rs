//! What a call to the roster has changed.

use std::collections::BTreeSet;

/// What there is one Workload for: a workload identifier in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The namespace.
    pub namespace: String,
    /// The workload identifier, which is the Workload's name (W6).
    pub workload: String,
}

/// What a call has changed. Whatever is not in it does not have to be looked at again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The keys whose numbers or meshes changed. If a Dataplane moves from one key to another, both
    /// are here (L12).
    pub keys: BTreeSet<Key>,
    /// The namespaces that gained or lost a mesh, or in which a workload gained or lost its only
    /// one (see [`PresenceByMesh`](super::presence::PresenceByMesh)).
    pub namespaces: BTreeSet<String>,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.namespaces.is_empty()
    }

    /// Adds other changes.
    pub(super) fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.namespaces.extend(other.namespaces);
    }
}
