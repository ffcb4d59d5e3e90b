//! The reasons of our events.

use std::fmt;

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing to be done.
    Normal,
    /// Something to be done.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        })
    }
}

/// Why an event is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Proxies of several meshes refer to a workload (L9).
    MultipleMeshesDetected,
    /// That has ended, for a workload or a namespace (L10).
    MultipleMeshesResolved,
    /// Workloads of several meshes are in a namespace (L11).
    MultipleMeshesInNamespace,
    /// No object can have a workload's name (W5).
    InvalidWorkloadName,
    /// A Workload is another manager's (L6).
    WorkloadManagedByAnother,
}

impl Reason {
    /// The reason, as an event says it.
    pub fn text(self) -> &'static str {
        self.description().reason
    }

    /// Its type.
    pub fn severity(self) -> Severity {
        self.description().severity
    }

    fn description(self) -> &'static Description {
        let [detected, resolved, split, invalid, foreign] = &REASONS;
        match self {
            Self::MultipleMeshesDetected => detected,
            Self::MultipleMeshesResolved => resolved,
            Self::MultipleMeshesInNamespace => split,
            Self::InvalidWorkloadName => invalid,
            Self::WorkloadManagedByAnother => foreign,
        }
    }
}

/// An event, as it is documented. Words in capitals stand for names and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Its reason.
    pub reason: &'static str,
    /// Its type.
    pub severity: Severity,
    /// When it is sent.
    pub when: &'static str,
    /// Its notes.
    pub notes: &'static [&'static str],
}

/// All of them.
pub const REASONS: [Description; 5] = [
    Description {
        reason: "MultipleMeshesDetected",
        severity: Severity::Warning,
        when: "when proxies of several meshes begin to refer to a workload, when these meshes change, and every 10 minutes while it lasts",
        notes: &[
            "Skipping Workload generation: namespace NS has pods in multiple meshes (N meshes) for workload W. This configuration is not supported.",
        ],
    },
    Description {
        reason: "MultipleMeshesResolved",
        severity: Severity::Normal,
        when: "when MultipleMeshesDetected or MultipleMeshesInNamespace has ended",
        notes: &[
            "Namespace NS no longer has pods in multiple meshes for workload W.",
            "Namespace NS no longer has workloads in multiple meshes.",
        ],
    },
    Description {
        reason: "MultipleMeshesInNamespace",
        severity: Severity::Warning,
        when: "when workloads of several meshes begin to be in a namespace, when these meshes change, and every 10 minutes while it lasts; not with --warn-split-namespaces=false",
        notes: &[
            "Namespace NS has workloads in multiple meshes (MESHES). Use one mesh per namespace.",
        ],
    },
    Description {
        reason: "InvalidWorkloadName",
        severity: Severity::Warning,
        when: "once, when no object can have the name of a workload",
        notes: &["Skipping Workload generation: NAME cannot be the name of a Workload: FAULT."],
    },
    Description {
        reason: "WorkloadManagedByAnother",
        severity: Severity::Warning,
        when: "once, when proxies refer to a Workload whose label kuma.io/managed-by names neither this program nor Kuma's control plane",
        notes: &[
            "Workload W is managed by MANAGER (label kuma.io/managed-by) and is left as it is.",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Reason::MultipleMeshesDetected)]
    #[case(Reason::MultipleMeshesResolved)]
    #[case(Reason::MultipleMeshesInNamespace)]
    #[case(Reason::InvalidWorkloadName)]
    #[case(Reason::WorkloadManagedByAnother)]
    fn the_table_has_each_where_it_belongs(#[case] reason: Reason) {
        assert_eq!(reason.text(), format!("{reason:?}"));
    }
}
