//! The reasons of this program's events, and when those that repeat are sent again. [`REASONS`] is the table
//! of them, for the docs.

use std::{fmt, time::Duration};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

use super::note;
use crate::run::planted::{PlantedFault, planted};

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// Nothing needs to be done.
    Normal,
    /// Somebody should do something.
    Warning,
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        })
    }
}

/// Why an event is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventReason {
    /// Proxies in several meshes refer to a workload (L9).
    MultipleMeshesDetected,
    /// This has ended, for a workload or a namespace (L10).
    MultipleMeshesResolved,
    /// Workloads in several meshes are in a namespace (L11).
    MultipleMeshesInNamespace,
    /// A workload's name cannot be the name of an object (W5).
    InvalidWorkloadName,
    /// A Workload is managed by another manager (L6).
    WorkloadManagedByAnother,
}

/// After this time, a condition that lasts is reported again.
pub(crate) const REPEAT_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Every reason, in the order of the docs.
pub const REASONS: [EventReason; 5] = [
    EventReason::MultipleMeshesDetected,
    EventReason::MultipleMeshesResolved,
    EventReason::MultipleMeshesInNamespace,
    EventReason::InvalidWorkloadName,
    EventReason::WorkloadManagedByAnother,
];

impl EventReason {
    /// The reason, as the event states it.
    pub fn text(self) -> &'static str {
        match self {
            Self::MultipleMeshesDetected => "MultipleMeshesDetected",
            Self::MultipleMeshesResolved => "MultipleMeshesResolved",
            Self::MultipleMeshesInNamespace => "MultipleMeshesInNamespace",
            Self::InvalidWorkloadName => "InvalidWorkloadName",
            Self::WorkloadManagedByAnother => "WorkloadManagedByAnother",
        }
    }

    /// The type of its events.
    pub fn event_type(self) -> EventType {
        match self {
            Self::MultipleMeshesResolved => EventType::Normal,
            Self::MultipleMeshesDetected
            | Self::MultipleMeshesInNamespace
            | Self::InvalidWorkloadName
            | Self::WorkloadManagedByAnother => EventType::Warning,
        }
    }

    /// Whether it is sent again while the condition lasts (L10). The other conditions do not change by
    /// themselves and affect nobody else.
    pub(super) fn repeats(self) -> bool {
        matches!(
            self,
            Self::MultipleMeshesDetected | Self::MultipleMeshesInNamespace
        ) && !planted(PlantedFault::NeverAnnouncedAgain)
    }

    /// When an event with this reason is sent, for the docs.
    pub fn when(self) -> &'static str {
        match self {
            Self::MultipleMeshesDetected => {
                "when proxies in several meshes begin to refer to a workload, when these meshes change, and every 10 minutes while it lasts"
            }
            Self::MultipleMeshesResolved => {
                "when MultipleMeshesDetected or MultipleMeshesInNamespace has ended"
            }
            Self::MultipleMeshesInNamespace => {
                "when a namespace gets workloads in several meshes, when these meshes change, and every 10 minutes while it lasts; not in a namespace of --system-namespaces, and not with --warn-split-namespaces=false"
            }
            Self::InvalidWorkloadName => {
                "once, when the name of a workload cannot be the name of an object"
            }
            Self::WorkloadManagedByAnother => {
                "once, when proxies refer to a Workload whose label kuma.io/managed-by names neither this program nor Kuma's control plane"
            }
        }
    }

    /// The notes of its events, for the docs. Words in capitals stand for names and numbers.
    pub fn notes(self) -> Vec<String> {
        match self {
            Self::MultipleMeshesDetected => vec![note::conflict("NS", "N", "W")],
            Self::MultipleMeshesResolved => {
                vec![
                    note::conflict_resolved("NS", "W"),
                    note::split_resolved("NS"),
                ]
            }
            Self::MultipleMeshesInNamespace => vec![note::split("NS", "MESHES")],
            Self::InvalidWorkloadName => vec![note::invalid_name("NAME", "FAULT")],
            Self::WorkloadManagedByAnother => vec![note::managed_by_another("W", "MANAGER")],
        }
    }
}

impl EncodeLabelValue for EventReason {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.text().encode(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_name() {
        for reason in REASONS {
            assert_eq!(reason.text(), format!("{reason:?}"));
        }
    }
}
