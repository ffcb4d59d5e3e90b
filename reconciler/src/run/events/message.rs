//! The content of an event.

use super::reason::EventReason;
use crate::run::work_item::WorkItem;

/// The longest note that the API server accepts, in bytes.
const MAX_NOTE_BYTES: usize = 1024;

/// The content of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Why it is sent.
    pub reason: EventReason,
    /// The namespace that it is about.
    pub namespace: String,
    /// The Workload that it is related to.
    pub related: Option<String>,
    /// What it says.
    pub note: String,
    /// The event's name. The same message has the same name in every process (L9).
    pub name: String,
}

impl Message {
    /// A message about an item.
    pub(super) fn new<'a>(
        reason: EventReason,
        about: &'a WorkItem,
        mut note: String,
        details: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        note.truncate(note.floor_char_boundary(MAX_NOTE_BYTES));
        // There is no object of an impossible name to relate to.
        let workload = workload(about).filter(|_| reason != EventReason::InvalidWorkloadName);
        Self {
            reason,
            namespace: about.namespace().to_owned(),
            related: workload.map(str::to_owned),
            note,
            name: event_name(reason, about, details),
        }
    }
}

/// The name of an event. Events with the same reason, item and details have the same name.
pub(super) fn event_name<'a>(
    reason: EventReason,
    about: &'a WorkItem,
    details: impl IntoIterator<Item = &'a str>,
) -> String {
    let parts = [reason.text(), workload(about).unwrap_or_default()];
    let hash = fnv(parts.into_iter().chain(details));
    format!("kuma-workload.{hash:016x}")
}

fn workload(about: &WorkItem) -> Option<&str> {
    match about {
        WorkItem::Workload(key) => Some(&key.workload),
        WorkItem::Namespace(_) => None,
    }
}

/// FNV-1a of the parts, each with a terminator. Unlike the standard library's hash, it is the same in
/// every build.
fn fnv<'a>(parts: impl Iterator<Item = &'a str>) -> u64 {
    let bytes = parts.flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::roster::Key;
    use rstest::rstest;

    fn message(workload: &str, note: &str, meshes: &[&str]) -> Message {
        let about = WorkItem::Workload(Key {
            namespace: "shop".into(),
            workload: workload.into(),
        });
        let reason = EventReason::MultipleMeshesDetected;
        Message::new(reason, &about, note.to_owned(), meshes.iter().copied())
    }

    #[test]
    fn l9_names_are_the_same_in_every_build() {
        let name = |workload, meshes| message(workload, "", meshes).name;
        let cart = name("cart", &["a", "b"]);
        assert_eq!(cart, "kuma-workload.344cb3d7f334f8ff");
        assert_ne!(cart, name("cart", &["a", "c"]));
        assert_ne!(cart, name("cart", &["ab"]));
        assert_ne!(cart, name("basket", &["a", "b"]));
    }

    #[rstest]
    #[case::ascii("A")]
    #[case::wide("🦀")]
    fn no_note_is_too_long(#[case] character: &str) {
        let note = message("cart", &character.repeat(100_000), &[]).note;
        assert!((MAX_NOTE_BYTES - 3..=MAX_NOTE_BYTES).contains(&note.len()));
    }
}
