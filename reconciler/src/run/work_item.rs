//! What is reconciled as one.

use std::{cmp::Ordering, fmt};

use kuma_workload_rulebook::roster::Key;

/// A Workload or a namespace: it stands in the queue as one, and events are about one of them.
///
/// In order, a namespace comes right before its Workloads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

    fn workload(&self) -> Option<&str> {
        match self {
            Self::Workload(key) => Some(&key.workload),
            Self::Namespace(_) => None,
        }
    }
}

impl fmt::Display for WorkItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workload(key) => write!(f, "Workload {}/{}", key.namespace, key.workload),
            Self::Namespace(name) => write!(f, "namespace {name}"),
        }
    }
}

impl Ord for WorkItem {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.namespace(), self.workload()).cmp(&(other.namespace(), other.workload()))
    }
}

impl PartialOrd for WorkItem {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What has to be looked at again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// These items.
    pub items: Vec<WorkItem>,
    /// All items of these namespaces.
    pub namespaces: Vec<String>,
}

impl Changed {
    /// All items of one namespace.
    pub fn namespace(name: &str) -> Self {
        Self {
            items: Vec::new(),
            namespaces: vec![name.to_owned()],
        }
    }
}

impl From<Vec<WorkItem>> for Changed {
    fn from(items: Vec<WorkItem>) -> Self {
        Self {
            items,
            namespaces: Vec::new(),
        }
    }
}
