//! What is reported about a workload or a namespace.

use std::{collections::BTreeSet, fmt::Write as _};

use kuma_workload_rulebook::{
    identifier::NameFault,
    quoted::Quoted,
    roster::{self, Action, CONTROL_PLANE, Foreign},
};

use super::{message::Message, note, reason::EventReason};
use crate::run::work_item::WorkItem;

/// How many meshes a note names.
const MAX_MESHES: usize = 8;

/// A state that is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Proxies in these meshes refer to one workload (L9).
    Conflict {
        /// The meshes.
        meshes: BTreeSet<String>,
    },
    /// Workloads in these meshes are in one namespace (L11).
    Split {
        /// The meshes.
        meshes: BTreeSet<String>,
    },
    /// No object can have the workload's name (W5).
    InvalidName {
        /// Why.
        fault: NameFault,
    },
    /// The Workload is managed by another manager (L6).
    Foreign {
        /// Its label `kuma.io/managed-by`.
        manager: String,
    },
}

impl Condition {
    /// What is reported about a workload, given what is to be done about it. A control plane that
    /// manages its Workloads is not reported (L16).
    pub(crate) fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Conflict { meshes, .. } => Some(Self::Conflict {
                meshes: meshes.clone(),
            }),
            Action::BadName(fault) => Some(Self::InvalidName { fault: *fault }),
            Action::Leave {
                why: Foreign::ManagedBy(manager),
                referenced: true,
            } if manager != CONTROL_PLANE => Some(Self::Foreign {
                manager: manager.clone(),
            }),
            _ => None,
        }
    }

    /// What is reported about a namespace.
    pub(crate) fn of_namespace(namespace: &roster::PresenceByMesh) -> Option<Self> {
        let meshes = namespace.meshes.iter();
        namespace.is_split().then(|| Self::Split {
            meshes: meshes
                .filter(|(_, presence)| presence.workloads > 0)
                .map(|(mesh, _)| mesh.clone())
                .collect(),
        })
    }

    /// Whether it is reported again while it lasts (L10). The other conditions do not change by
    /// themselves and affect nobody else.
    pub(super) fn repeats(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Split { .. })
    }

    /// The message when it begins.
    pub(super) fn begun(&self, about: &WorkItem) -> Message {
        let (namespace, workload) = names(about);
        let message = |reason, note, details| Message::new(reason, about, note, details);
        match self {
            Self::Conflict { meshes } => message(
                EventReason::MultipleMeshesDetected,
                note::conflict(namespace, meshes.len(), workload),
                meshes.iter().map(String::as_str).collect(),
            ),
            Self::Split { meshes } => message(
                EventReason::MultipleMeshesInNamespace,
                note::split(namespace, some_of(meshes)),
                meshes.iter().map(String::as_str).collect(),
            ),
            Self::InvalidName { fault } => Message {
                // There is no object of this name to relate to.
                related: None,
                ..message(
                    EventReason::InvalidWorkloadName,
                    note::invalid_name(Quoted(workload), fault),
                    Vec::new(),
                )
            },
            Self::Foreign { manager } => message(
                EventReason::WorkloadManagedByAnother,
                note::managed_by_another(workload, Quoted(manager)),
                vec![manager],
            ),
        }
    }

    /// The message when it has ended, if there is one.
    pub(super) fn ended(&self, about: &WorkItem) -> Option<Message> {
        let (namespace, workload) = names(about);
        let note = match self {
            Self::Conflict { .. } => note::conflict_resolved(namespace, workload),
            Self::Split { .. } => note::split_resolved(namespace),
            Self::InvalidName { .. } | Self::Foreign { .. } => return None,
        };
        let reason = EventReason::MultipleMeshesResolved;
        Some(Message::new(reason, about, note, []))
    }

    /// Whether the other is the same condition, perhaps with other meshes.
    pub(super) fn is_same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

fn names(about: &WorkItem) -> (&str, &str) {
    match about {
        WorkItem::Workload(key) => (&key.namespace, &key.workload),
        WorkItem::Namespace(namespace) => (namespace, ""),
    }
}

fn some_of(meshes: &BTreeSet<String>) -> String {
    let named: Vec<_> = meshes.iter().take(MAX_MESHES).map(String::as_str).collect();
    let mut text = named.join(", ");
    if let Some(more) = meshes
        .len()
        .checked_sub(MAX_MESHES)
        .filter(|more| *more > 0)
    {
        let _ = write!(text, " and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::{
        identifier::{NameForm, check},
        roster::Key,
    };
    use rstest::rstest;

    fn workload(name: &str) -> WorkItem {
        WorkItem::Workload(Key {
            namespace: "shop".into(),
            workload: name.into(),
        })
    }

    fn meshes(meshes: &[&str]) -> BTreeSet<String> {
        meshes.iter().map(|&mesh| mesh.to_owned()).collect()
    }

    fn conflict(of: &[&str]) -> Condition {
        Condition::Conflict { meshes: meshes(of) }
    }

    fn split(of: &[&str]) -> Condition {
        Condition::Split { meshes: meshes(of) }
    }

    fn shop() -> WorkItem {
        WorkItem::Namespace("shop".into())
    }

    #[rstest]
    #[case::conflict(workload("cart"), conflict(&["a", "b"]), EventReason::MultipleMeshesDetected, Some("cart"),
        "Skipping Workload generation: namespace shop has pods in multiple meshes (2 meshes) for workload cart. This configuration is not supported.",
        Some("Namespace shop no longer has pods in multiple meshes for workload cart."))]
    #[case::split(shop(), split(&["a", "b"]), EventReason::MultipleMeshesInNamespace, None,
        "Namespace shop has workloads in multiple meshes (a, b). Use one mesh per namespace.",
        Some("Namespace shop no longer has workloads in multiple meshes."))]
    #[case::invalid(workload("Cart"), Condition::InvalidName { fault: check("Cart", NameForm::Kubernetes).unwrap_err() },
        EventReason::InvalidWorkloadName, None,
        "Skipping Workload generation: \"Cart\" cannot be the name of a Workload: it must be lower-case letters, digits, '-' and '.', each part beginning and ending with a letter or digit.",
        None)]
    #[case::foreign(workload("cart"), Condition::Foreign { manager: "helm".into() }, EventReason::WorkloadManagedByAnother, Some("cart"),
        "Workload cart is managed by \"helm\" (label kuma.io/managed-by) and is left as it is.",
        None)]
    fn words(
        #[case] about: WorkItem,
        #[case] condition: Condition,
        #[case] reason: EventReason,
        #[case] related: Option<&str>,
        #[case] note: &str,
        #[case] ended: Option<&str>,
    ) {
        let begun = condition.begun(&about);
        assert_eq!(
            (begun.reason, begun.related.as_deref(), &*begun.note),
            (reason, related, note)
        );
        assert_eq!(begun.namespace, "shop");
        let end = condition.ended(&about);
        assert_eq!(end.as_ref().map(|message| &*message.note), ended);
    }

    #[test]
    fn w5_a_long_name_is_cut() {
        let fault = NameFault::TooLong(253);
        let about = workload(&"a".repeat(100_000));
        let note = Condition::InvalidName { fault }.begun(&about).note;
        let expected = format!("{}…\" cannot be the name", "a".repeat(253));
        assert!(note.contains(&expected), "{note}");
    }

    #[test]
    fn a_note_names_a_few_meshes() {
        let many: Vec<_> = (10..30).map(|n| format!("m{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let note = split(&many).begun(&shop()).note;
        assert!(note.contains("m16, m17 and 12 more"), "{note}");
    }

    #[rstest]
    #[case::control_plane(CONTROL_PLANE, true, false)]
    #[case::helm("helm", true, true)]
    #[case::unreferenced("helm", false, false)]
    fn whose_workloads_are_reported(
        #[case] manager: &str,
        #[case] referenced: bool,
        #[case] reported: bool,
    ) {
        let action = Action::Leave {
            why: Foreign::ManagedBy(manager.into()),
            referenced,
        };
        assert_eq!(Condition::of(&action).is_some(), reported);
    }
}
