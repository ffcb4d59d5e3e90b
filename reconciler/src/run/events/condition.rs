//! What is reported about a workload or a namespace.

use std::{collections::BTreeSet, fmt::Write as _};

use kuma_workload_rulebook::{
    identifier::NameFault,
    quoted::Quoted,
    roster::{self, Action, CONTROL_PLANE, Foreign},
};

use super::{
    message::{self, Message},
    note,
    reason::EventReason,
};
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

    /// The reason of its events.
    pub(super) fn reason(&self) -> EventReason {
        match self {
            Self::Conflict { .. } => EventReason::MultipleMeshesDetected,
            Self::Split { .. } => EventReason::MultipleMeshesInNamespace,
            Self::InvalidName { .. } => EventReason::InvalidWorkloadName,
            Self::Foreign { .. } => EventReason::WorkloadManagedByAnother,
        }
    }

    /// What its event's name depends on, besides the reason and the item.
    fn details(&self) -> Vec<&str> {
        match self {
            Self::Conflict { meshes } | Self::Split { meshes } => {
                meshes.iter().map(String::as_str).collect()
            }
            Self::InvalidName { .. } => Vec::new(),
            Self::Foreign { manager } => vec![manager],
        }
    }

    /// What is announced when it begins.
    pub(super) fn announcement(&self, about: &WorkItem) -> Announcement {
        Announcement {
            reason: self.reason(),
            name: message::event_name(self.reason(), about, self.details()),
        }
    }

    /// The message when it begins, and while it lasts.
    pub(super) fn message(&self, about: &WorkItem) -> Message {
        let (namespace, workload) = names(about);
        let note = match self {
            Self::Conflict { meshes } => note::conflict(namespace, meshes.len(), workload),
            Self::Split { meshes } => note::split(namespace, some_of(meshes)),
            Self::InvalidName { fault } => note::invalid_name(Quoted(workload), fault),
            Self::Foreign { manager } => note::managed_by_another(workload, Quoted(manager)),
        };
        Message::new(self.reason(), about, note, self.details())
    }
}

/// What an event has said: that a condition began, or lasts. It stands until its end is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    /// The event's reason.
    pub(super) reason: EventReason,
    /// The event's name: that of another set of meshes is another one.
    pub(super) name: String,
}

impl Announcement {
    /// What this message has announced. None if it has said an end.
    pub(super) fn of(message: &Message) -> Option<Self> {
        (message.reason != EventReason::MultipleMeshesResolved).then(|| Self {
            reason: message.reason,
            name: message.name.clone(),
        })
    }

    /// The message when it has ended, if there is one.
    pub(super) fn ended(&self, about: &WorkItem) -> Option<Message> {
        let (namespace, workload) = names(about);
        let note = match self.reason {
            EventReason::MultipleMeshesDetected => note::conflict_resolved(namespace, workload),
            EventReason::MultipleMeshesInNamespace => note::split_resolved(namespace),
            _ => return None,
        };
        let reason = EventReason::MultipleMeshesResolved;
        Some(Message::new(reason, about, note, []))
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
        let begun = condition.message(&about);
        assert_eq!(
            (begun.reason, begun.related.as_deref(), &*begun.note),
            (reason, related, note)
        );
        assert_eq!(begun.namespace, "shop");
        let announcement = condition.announcement(&about);
        assert_eq!(Announcement::of(&begun).as_ref(), Some(&announcement));
        let end = announcement.ended(&about);
        assert_eq!(end.as_ref().map(|message| &*message.note), ended);
    }

    #[test]
    fn w5_a_long_name_is_cut() {
        let fault = NameFault::TooLong(253);
        let about = workload(&"a".repeat(100_000));
        let note = Condition::InvalidName { fault }.message(&about).note;
        let expected = format!("{}…\" cannot be the name", "a".repeat(253));
        assert!(note.contains(&expected), "{note}");
    }

    #[test]
    fn a_note_names_a_few_meshes() {
        let many: Vec<_> = (10..30).map(|n| format!("m{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let note = split(&many).message(&shop()).note;
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
