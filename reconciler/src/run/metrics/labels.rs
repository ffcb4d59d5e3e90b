//! What labels can say.

use kuma_workload_rulebook::roster::{self, Action, CONTROL_PLANE, Decision, Foreign, Write};

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As the label says it.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

label! {
    /// What came of looking at a Workload.
    Outcome {
        /// It was created (L4).
        Created = "created",
        /// Its labels or owners were made right (L5, L12).
        Relabelled = "relabelled",
        /// It was deleted (L2).
        Deleted = "deleted",
        /// Its numbers were written (S1 to S3).
        Counted = "counted",
        /// Its numbers have changed and are written later (S4).
        Throttled = "throttled",
        /// It was right, or there is nothing that could be done.
        Unchanged = "unchanged",
        /// It would have been written in another mode (L17).
        Withheld = "withheld",
        /// It is somebody else's (L3, L6).
        Foreign = "foreign",
        /// Proxies of several meshes refer to it (L7, L8).
        Conflict = "conflict",
        /// No object can have its name (W5).
        Impossible = "impossible",
        /// It was changed in between; it is looked at again (L15).
        Stale = "stale",
        /// Its namespace is being deleted, so that nothing can be created there.
        NoNamespace = "no_namespace",
        /// The API server will never take the write; it is not tried again until something changes.
        Refused = "refused",
        /// A write failed; it is tried again.
        Failed = "failed",
    }
}

label! {
    /// The mode that is in force (L17).
    RunMode {
        /// All is written.
        Manage = "manage",
        /// Nothing is written.
        Observe = "observe",
        /// A control plane manages Workloads; only our own leftovers are deleted.
        Yield = "yield",
    }
}

impl From<roster::Mode> for RunMode {
    fn from(mode: roster::Mode) -> Self {
        match mode {
            roster::Mode::Manage => Self::Manage,
            roster::Mode::Observe => Self::Observe,
            roster::Mode::Yield => Self::Yield,
        }
    }
}

label! {
    /// How a Workload stands.
    State {
        /// It is ours and right.
        Managed = "managed",
        /// It is to be created (L4), or would be in another mode.
        Missing = "missing",
        /// It is to be made right (L5, L12), or would be in another mode.
        Wrong = "wrong",
        /// It is ours, and nothing refers to it (L2).
        Leftover = "leftover",
        /// A control plane manages it (L16).
        ControlPlane = "control_plane",
        /// Another manager's, and proxies refer to it (L6).
        Foreign = "foreign",
        /// Not ours, and nothing refers to it (L3).
        Unreferenced = "unreferenced",
        /// A copy of a Workload of elsewhere (S4).
        Copy = "copy",
        /// Proxies of several meshes refer to it, and it does not exist (L7).
        Conflict = "conflict",
        /// Proxies of several meshes refer to it, and it exists (L8).
        Orphan = "orphan",
        /// No object can have its name (W5).
        Impossible = "impossible",
    }
}

impl State {
    /// How a Workload stands, by what is to be done about it; none if there is none, as there
    /// should be.
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
            Action::Impossible(_) => Self::Impossible,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::{
        counts::Inbounds,
        roster::{DataplaneRecord, ExistingWorkload, Key, MANAGER, Mode, Roster},
    };
    use rstest::rstest;

    const OURS: Option<&str> = Some(MANAGER);

    #[rstest]
    #[case::nothing_at_all("w", &[], None, None)]
    #[case::missing("w", &["default"], None, Some(State::Missing))]
    #[case::managed("w", &["default"], Some((OURS, "default")), Some(State::Managed))]
    #[case::wrong("w", &["default"], Some((OURS, "other")), Some(State::Wrong))]
    #[case::leftover("w", &[], Some((OURS, "default")), Some(State::Leftover))]
    #[case::control_plane("w", &["default"], Some((Some(CONTROL_PLANE), "default")), Some(State::ControlPlane))]
    #[case::foreign("w", &["default"], Some((Some("helm"), "default")), Some(State::Foreign))]
    #[case::unreferenced("w", &[], Some((None, "default")), Some(State::Unreferenced))]
    #[case::conflict("w", &["a", "b"], None, Some(State::Conflict))]
    #[case::orphan("w", &["a", "b"], Some((OURS, "a")), Some(State::Orphan))]
    #[case::impossible("W", &["a"], None, Some(State::Impossible))]
    fn states(
        #[case] workload: &str,
        #[case] meshes: &[&str],
        #[case] existing: Option<(Option<&str>, &str)>,
        #[case] expected: Option<State>,
        #[values(Mode::Manage, Mode::Observe)] mode: Mode,
    ) {
        let mut roster = Roster::default();
        for mesh in meshes {
            roster.apply(&DataplaneRecord {
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
        assert_eq!(State::of(&decision), expected);
    }
}
