//! What is reconciled as one.

use kuma_workload_rulebook::roster::Key;

/// A Workload or a namespace: it stands in the queue as one, and events are about one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkItem {
    /// A Workload, whether it exists or not.
    Workload(Key),
    /// The meshes of a namespace.
    Namespace(String),
}

impl WorkItem {
    /// The namespace that it is, or is in.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Workload(key) => &key.namespace,
            Self::Namespace(namespace) => namespace,
        }
    }
}
