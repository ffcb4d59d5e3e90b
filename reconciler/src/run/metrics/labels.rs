//! The labels of metrics, and their values.

use std::fmt;

use kuma_workload_rulebook::roster::{self, Action, CONTROL_PLANE, Decision, Foreign, Write};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

use crate::kinds::RecordKind;

/// The result of a reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ResultLabels {
    pub(super) result: ReconcileResult,
}

/// A mode.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ModeLabels {
    pub(super) mode: ModeLabel,
}

/// A kind of objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabels {
    pub(super) kind: RecordKind,
}

/// The state of Workloads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StateLabels {
    pub(super) state: WorkloadState,
}

/// The result of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ListLabels {
    pub(super) result: &'static str,
}

/// A long-lived task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TaskLabels {
    pub(super) task: &'static str,
}

/// The version of this program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub(super) version: &'static str,
}

/// A Workload, a mesh, and a state of proxies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ProxyLabels {
    pub(super) namespace: String,
    pub(super) workload: String,
    pub(super) mesh: String,
    pub(super) state: &'static str,
}

impl EncodeLabelValue for RecordKind {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.name().encode(encoder)
    }
}

/// An enum with the text of each value.
macro_rules! label_values {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All values.
            $vis const ALL: &[Self] = &[$(Self::$variant),*];

            /// The value of the label.
            $vis fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                self.text().encode(encoder)
            }
        }
    };
}

label_values! {
    /// The result of the reconciliation of a Workload.
    pub enum ReconcileResult {
        /// It was created (L4).
        Created = "created",
        /// Its labels or owners were corrected (L5, L12).
        Relabelled = "relabelled",
        /// It was deleted (L2).
        Deleted = "deleted",
        /// Its numbers were written (S1 to S3).
        Counted = "counted",
        /// Its numbers or labels are written later (S4).
        Throttled = "throttled",
        /// It was right, or nothing can be done.
        Unchanged = "unchanged",
        /// It would have been written in another mode (L17).
        Withheld = "withheld",
        /// It is managed by somebody else (L3, L6).
        Foreign = "foreign",
        /// Proxies in several meshes refer to it (L7, L8).
        Conflict = "conflict",
        /// Its name cannot be the name of an object (W5).
        BadName = "bad_name",
        /// It was changed meanwhile, and is reconciled again (L15).
        Stale = "stale",
        /// Its namespace is being deleted, so that nothing can be created there.
        NoNamespace = "no_namespace",
        /// The API server refuses the write, which is tried again ever more slowly.
        Refused = "refused",
        /// A write failed because the API server was busy or away, and is tried again.
        Failed = "failed",
        /// This program has failed. The item is tried again ever more slowly.
        Panicked = "panicked",
    }
}

label_values! {
    /// A mode (L17).
    pub(super) enum ModeLabel {
        /// Workloads are written.
        Manage = "manage",
        /// No Workload is written.
        Observe = "observe",
        /// A control plane manages Workloads. Only this program's unused ones are deleted.
        Yield = "yield",
    }
}

impl From<roster::Mode> for ModeLabel {
    fn from(mode: roster::Mode) -> Self {
        match mode {
            roster::Mode::Manage => Self::Manage,
            roster::Mode::Observe => Self::Observe,
            roster::Mode::Yield => Self::Yield,
        }
    }
}

label_values! {
    /// The state of a Workload.
    pub enum WorkloadState {
        /// It is managed by this program, and right.
        Managed = "managed",
        /// It has to be created (L4), or would be in another mode.
        Missing = "missing",
        /// It has to be corrected (L5, L12), or would be in another mode.
        Wrong = "wrong",
        /// It is managed by this program, and nothing refers to it (L2).
        Leftover = "leftover",
        /// A control plane manages it (L16).
        ControlPlane = "control_plane",
        /// Another manager manages it, and proxies refer to it (L6).
        Foreign = "foreign",
        /// It is not managed by this program, and nothing refers to it (L3).
        Unreferenced = "unreferenced",
        /// It is a copy of a Workload in another zone (S4).
        Copy = "copy",
        /// Proxies in several meshes refer to it, and it does not exist (L7).
        Conflict = "conflict",
        /// Proxies in several meshes refer to it, and it exists (L8).
        Orphan = "orphan",
        /// Its name cannot be the name of an object (W5).
        BadName = "bad_name",
        /// It is managed by this program, and its namespace is not selected any more: its numbers stay
        /// as they are.
        Unselected = "unselected",
    }
}

impl WorkloadState {
    /// The state of a Workload, given what is to be done about it. None if it does not exist and
    /// should not.
    pub fn of(decision: &Decision) -> Option<Self> {
        Some(match &decision.action {
            Action::Nothing => {
                decision.status?;
                Self::Managed
            }
            Action::Write(write) | Action::Withheld(write) => match write {
                Write::Create { .. } => Self::Missing,
                Write::Relabel { .. } => Self::Wrong,
                Write::Delete => Self::Leftover,
            },
            Action::Leave {
                why: Foreign::NotLocal,
                ..
            } => Self::Copy,
            Action::Leave {
                why: Foreign::ManagedBy(manager),
                ..
            } if manager == CONTROL_PLANE => Self::ControlPlane,
            Action::Leave {
                referenced: true, ..
            } => Self::Foreign,
            Action::Leave { .. } => Self::Unreferenced,
            Action::Conflict { orphan: false, .. } => Self::Conflict,
            Action::Conflict { orphan: true, .. } => Self::Orphan,
            Action::BadName(_) => Self::BadName,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::{
        counts::Inbounds,
        roster::{ExistingWorkload, Key, MANAGER, Mode, Roster, RosterDataplane},
    };
    use rstest::rstest;

    const OURS: Option<&str> = Some(MANAGER);

    #[rstest]
    #[case::nothing_at_all("w", &[], None, None)]
    #[case::missing("w", &["default"], None, Some(WorkloadState::Missing))]
    #[case::managed("w", &["default"], Some((OURS, "default")), Some(WorkloadState::Managed))]
    #[case::wrong("w", &["default"], Some((OURS, "other")), Some(WorkloadState::Wrong))]
    #[case::leftover("w", &[], Some((OURS, "default")), Some(WorkloadState::Leftover))]
    #[case::control_plane("w", &["default"], Some((Some(CONTROL_PLANE), "default")), Some(WorkloadState::ControlPlane))]
    #[case::foreign("w", &["default"], Some((Some("helm"), "default")), Some(WorkloadState::Foreign))]
    #[case::unreferenced("w", &[], Some((None, "default")), Some(WorkloadState::Unreferenced))]
    #[case::conflict("w", &["a", "b"], None, Some(WorkloadState::Conflict))]
    #[case::orphan("w", &["a", "b"], Some((OURS, "a")), Some(WorkloadState::Orphan))]
    #[case::bad_name("W", &["a"], None, Some(WorkloadState::BadName))]
    fn states(
        #[case] workload: &str,
        #[case] meshes: &[&str],
        #[case] existing: Option<(Option<&str>, &str)>,
        #[case] expected: Option<WorkloadState>,
        #[values(Mode::Manage, Mode::Observe)] mode: Mode,
    ) {
        let mut roster = Roster::default();
        for mesh in meshes {
            roster.apply(&RosterDataplane {
                namespace: "ns",
                name: mesh,
                workload: Some(workload),
                mesh: Some(mesh),
                local: true,
                inbounds: Inbounds::Absent,
            });
        }
        let key = Key {
            namespace: "ns".into(),
            workload: workload.into(),
        };
        let existing = existing.map(|(managed_by, mesh)| ExistingWorkload {
            mesh: Some(mesh),
            managed_by,
            ..ExistingWorkload::default()
        });
        let decision = roster.decide(&key, existing.as_ref(), mode);
        assert_eq!(WorkloadState::of(&decision), expected);
    }
}
