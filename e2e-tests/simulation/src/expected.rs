//! What a Workload should be, and whether it is.

use std::fmt;

use serde_json::Value;

use crate::{fields::label, managers::OURS};

/// Namespace and name.
pub type Name = (String, String);

/// What the model is told of the program.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The labels of Pods that name workloads, if Pods name them at all (W8).
    pub pod_labels: Option<&'static [&'static str]>,
    /// Whether Workloads are written where no control plane does (L17).
    pub may_manage: bool,
    /// Whether a control plane that manages Workloads is left to it (L17).
    pub may_yield: bool,
    /// The namespaces that are not looked at.
    pub excluded: &'static [&'static str],
}

/// What refers to a Workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The Workload.
    pub workload: Name,
    /// The mesh of the Dataplane.
    pub mesh: String,
    /// Whether the proxy is connected (S2).
    pub is_connected: bool,
    /// Whether the proxy is healthy (S3).
    pub is_healthy: bool,
}

/// What a Workload should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// There is none.
    Absent,
    /// What it is; it may be absent.
    AsItIs,
    /// Ours, of this mesh, with these numbers: connected, healthy, total.
    Present(String, [u64; 3]),
    /// Whatever it is, with these numbers (S6).
    Counted([u64; 3]),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no Workload"),
            Self::AsItIs => f.write_str("whatever there is"),
            Self::Present(mesh, numbers) => write!(f, "ours, mesh {mesh}, numbers {numbers:?}"),
            Self::Counted(numbers) => write!(f, "numbers {numbers:?}"),
        }
    }
}

impl Expected {
    /// Whether a Workload is what it should be.
    pub fn fits(&self, object: Option<&Value>) -> bool {
        let numbers = object.map(|object| {
            let numbers = &object["status"]["dataplaneProxies"];
            ["connected", "healthy", "total"].map(|name| numbers[name].as_u64().unwrap_or_default())
        });
        match (self, object) {
            (Self::AsItIs, _) | (Self::Absent, None) => true,
            (Self::Present(mesh, counts), Some(object)) => {
                let owners = object["metadata"]["ownerReferences"].as_array();
                let mut owners = owners.into_iter().flatten();
                label(object, "kuma.io/managed-by") == Some(OURS)
                    && label(object, "kuma.io/mesh") == Some(mesh)
                    && numbers == Some(*counts)
                    && owners.all(|owner| owner["kind"] != "Mesh" || owner["name"] == *mesh)
            }
            (Self::Counted(counts), Some(_)) => numbers == Some(*counts),
            _ => false,
        }
    }
}
