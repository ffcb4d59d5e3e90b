//! What is to be said of a workload or a namespace, in words and with a name.

use std::{collections::BTreeSet, fmt::Write as _};

use kuma_workload_rulebook::{
    identifier::NameFault,
    quoted::Quoted,
    roster::{self, Action, CONTROL_PLANE, Foreign, Key},
};

use super::Reason;

/// The longest note that the API server takes, in bytes.
const LONGEST_NOTE: usize = 1024;
/// Meshes that a note names.
const MOST_MESHES: usize = 8;

/// What something is said of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A workload.
    Workload(Key),
    /// A namespace as a whole.
    Namespace(String),
}

impl Subject {
    /// The namespace that it is, or is in.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Workload(key) => &key.namespace,
            Self::Namespace(namespace) => namespace,
        }
    }

    fn workload(&self) -> &str {
        match self {
            Self::Workload(key) => &key.workload,
            Self::Namespace(_) => "",
        }
    }
}

/// What is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Proxies of these meshes refer to one workload (L9).
    Conflict {
        /// The meshes.
        meshes: BTreeSet<String>,
    },
    /// Workloads of these meshes are in one namespace (L11).
    Split {
        /// The meshes.
        meshes: BTreeSet<String>,
    },
    /// No object can have the workload's name (W5).
    InvalidName {
        /// Why.
        fault: NameFault,
    },
    /// The Workload is another manager's (L6).
    Foreign {
        /// Its label `kuma.io/managed-by`.
        manager: String,
    },
}

impl Condition {
    /// What is to be said of a workload, by what is to be done about it. That a control plane
    /// manages its Workloads is as it should be (L16).
    pub fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Conflict { meshes, .. } => Some(Self::Conflict {
                meshes: meshes.clone(),
            }),
            Action::Impossible(fault) => Some(Self::InvalidName { fault: *fault }),
            Action::Leave {
                why: Foreign::ManagedBy(manager),
                referenced: true,
            } if manager != CONTROL_PLANE => Some(Self::Foreign {
                manager: manager.clone(),
            }),
            _ => None,
        }
    }

    /// What is to be said of a namespace.
    pub fn of_namespace(namespace: &roster::PresenceByMesh) -> Option<Self> {
        let meshes = namespace.meshes.iter();
        namespace.is_split().then(|| Self::Split {
            meshes: meshes
                .filter(|(_, presence)| presence.workloads > 0)
                .map(|(mesh, _)| mesh.clone())
                .collect(),
        })
    }

    /// Whether it is said again while it lasts (L10). The others do not change by themselves and
    /// harm nobody else.
    pub fn repeats(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Split { .. })
    }

    /// What to say when it begins.
    pub fn begun(&self, subject: &Subject) -> Message {
        let (namespace, workload) = (subject.namespace(), subject.workload());
        match self {
            Self::Conflict { meshes } => Message::new(
                Reason::MultipleMeshesDetected,
                subject,
                format!(
                    "Skipping Workload generation: namespace {namespace} has pods in multiple meshes ({} meshes) for workload {workload}. This configuration is not supported.",
                    meshes.len()
                ),
                meshes.iter().map(String::as_str),
            ),
            Self::Split { meshes } => Message::new(
                Reason::MultipleMeshesInNamespace,
                subject,
                format!(
                    "Namespace {namespace} has workloads in multiple meshes ({}). Use one mesh per namespace.",
                    some_of(meshes)
                ),
                meshes.iter().map(String::as_str),
            ),
            Self::InvalidName { fault } => Message {
                // No object of this name can be related.
                related: None,
                ..Message::new(
                    Reason::InvalidWorkloadName,
                    subject,
                    format!(
                        "Skipping Workload generation: {} cannot be the name of a Workload: {fault}.",
                        Quoted(workload)
                    ),
                    [],
                )
            },
            Self::Foreign { manager } => Message::new(
                Reason::WorkloadManagedByAnother,
                subject,
                format!(
                    "Workload {workload} is managed by {} (label kuma.io/managed-by) and is left as it is.",
                    Quoted(manager)
                ),
                [manager.as_str()],
            ),
        }
    }

    /// What to say when it has ended, if anything.
    pub fn ended(&self, subject: &Subject) -> Option<Message> {
        let (namespace, workload) = (subject.namespace(), subject.workload());
        let note = match self {
            Self::Conflict { .. } => format!(
                "Namespace {namespace} no longer has pods in multiple meshes for workload {workload}."
            ),
            Self::Split { .. } => {
                format!("Namespace {namespace} no longer has workloads in multiple meshes.")
            }
            Self::InvalidName { .. } | Self::Foreign { .. } => return None,
        };
        Some(Message::new(
            Reason::MultipleMeshesResolved,
            subject,
            note,
            [],
        ))
    }

    /// Whether the other is the same with other meshes.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Why.
    pub reason: Reason,
    /// In which namespace; it is what the event is about.
    pub namespace: String,
    /// The Workload that it is related to.
    pub related: Option<String>,
    /// What.
    pub note: String,
    /// The name of the event, the same for the same message in every process (L9).
    pub name: String,
}

impl Message {
    fn new<'a>(
        reason: Reason,
        subject: &'a Subject,
        mut note: String,
        details: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let parts = [reason.text(), subject.workload()];
        let hash = fnv(parts.into_iter().chain(details));
        note.truncate(note.floor_char_boundary(LONGEST_NOTE));
        Self {
            reason,
            namespace: subject.namespace().to_owned(),
            related: match subject {
                Subject::Workload(key) => Some(key.workload.clone()),
                Subject::Namespace(_) => None,
            },
            note,
            name: format!("kuma-workload.{hash:016x}"),
        }
    }
}

/// FNV-1a of the parts, each ended: the same in every build, which the standard library's is not.
fn fnv<'a>(parts: impl Iterator<Item = &'a str>) -> u64 {
    let bytes = parts.flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn some_of(meshes: &BTreeSet<String>) -> String {
    let named: Vec<_> = meshes
        .iter()
        .take(MOST_MESHES)
        .map(String::as_str)
        .collect();
    let mut text = named.join(", ");
    if let Some(more) = meshes
        .len()
        .checked_sub(MOST_MESHES)
        .filter(|more| *more > 0)
    {
        let _ = write!(text, " and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::identifier::{NameForm, check};
    use rstest::rstest;

    fn workload(name: &str) -> Subject {
        Subject::Workload(Key {
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

    fn shop() -> Subject {
        Subject::Namespace("shop".into())
    }

    #[rstest]
    #[case::conflict(workload("cart"), conflict(&["a", "b"]), Reason::MultipleMeshesDetected, Some("cart"),
        "Skipping Workload generation: namespace shop has pods in multiple meshes (2 meshes) for workload cart. This configuration is not supported.",
        Some("Namespace shop no longer has pods in multiple meshes for workload cart."))]
    #[case::split(shop(), split(&["a", "b"]), Reason::MultipleMeshesInNamespace, None,
        "Namespace shop has workloads in multiple meshes (a, b). Use one mesh per namespace.",
        Some("Namespace shop no longer has workloads in multiple meshes."))]
    #[case::invalid(workload("Cart"), Condition::InvalidName { fault: check("Cart", NameForm::Kubernetes).unwrap_err() },
        Reason::InvalidWorkloadName, None,
        "Skipping Workload generation: \"Cart\" cannot be the name of a Workload: it must be lower-case letters, digits, '-' and '.', each part beginning and ending with a letter or digit.",
        None)]
    #[case::foreign(workload("cart"), Condition::Foreign { manager: "helm".into() }, Reason::WorkloadManagedByAnother, Some("cart"),
        "Workload cart is managed by \"helm\" (label kuma.io/managed-by) and is left as it is.",
        None)]
    fn words(
        #[case] subject: Subject,
        #[case] condition: Condition,
        #[case] reason: Reason,
        #[case] related: Option<&str>,
        #[case] note: &str,
        #[case] ended: Option<&str>,
    ) {
        let begun = condition.begun(&subject);
        assert_eq!(
            (begun.reason, begun.related.as_deref(), &*begun.note),
            (reason, related, note)
        );
        assert_eq!(begun.namespace, "shop");
        let end = condition.ended(&subject);
        assert_eq!(end.as_ref().map(|message| &*message.note), ended);
    }

    #[test]
    fn names_last_from_build_to_build() {
        let name = |condition: &Condition, of: &str| condition.begun(&workload(of)).name;
        let cart = name(&conflict(&["a", "b"]), "cart");
        assert_eq!(cart, "kuma-workload.344cb3d7f334f8ff");
        assert_ne!(cart, name(&conflict(&["a", "c"]), "cart"));
        assert_ne!(cart, name(&conflict(&["ab"]), "cart"));
        assert_ne!(cart, name(&conflict(&["a", "b"]), "basket"));
    }

    #[rstest]
    #[case::ascii("A")]
    #[case::wide("🦀")]
    fn no_note_is_too_long(#[case] character: &str) {
        let subject = workload(&character.repeat(100_000));
        let fault = NameFault::TooLong(253);
        let note = Condition::InvalidName { fault }.begun(&subject).note;
        assert!(note.len() <= LONGEST_NOTE, "{}", note.len());
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
