//! What was asked, and when.

use std::time::Instant;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub at: Instant,
    pub verb: Verb,
    pub resource: String,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    /// Lists the first page.
    List,
    /// Lists another page.
    Page,
    /// Lists one object, to compare the watch with the server (L20).
    Compare,
    /// Lists metadata alone, before a delete (L19).
    Fence,
    Watch,
    Get,
    Create,
    Update,
    Patch,
    Delete,
}

impl Asked {
    /// Whether a list or a watch begins.
    pub(crate) fn starts(&self) -> bool {
        matches!(self.verb, Verb::List | Verb::Compare | Verb::Watch)
    }

    /// Whether a Workload is written.
    pub(crate) fn writes_workload(&self) -> bool {
        matches!(
            self.verb,
            Verb::Create | Verb::Update | Verb::Patch | Verb::Delete
        ) && self.resource == "workloads"
    }
}

/// How many of these there are in the second that has most. They are in the order of time.
pub(crate) fn most_in_a_second<'a>(asked: impl Iterator<Item = &'a Asked>) -> usize {
    let times: Vec<_> = asked.map(|asked| asked.at).collect();
    let within = |(at, first): (usize, &Instant)| {
        let later = times[at..].iter();
        later
            .take_while(|time| time.duration_since(*first).as_secs() < 1)
            .count()
    };
    times
        .iter()
        .enumerate()
        .map(within)
        .max()
        .unwrap_or_default()
}
