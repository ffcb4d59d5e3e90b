//! What is due when.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::entry::Due;
use crate::run::work_item::WorkItem;

/// The items by the time at which they are due. A change goes before a repetition, so that news does not
/// wait where there is more to repeat than there is time for.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BTreeMap<WorkItem, Due>,
    changes: BTreeSet<(Instant, WorkItem)>,
    repeats: BTreeSet<(Instant, WorkItem)>,
}

impl Agenda {
    /// The item is due then, and no longer at the time before. None: never.
    pub(super) fn plan(&mut self, about: &WorkItem, due: Option<Due>) {
        if self.due.get(about) == due.as_ref() {
            return;
        }
        match self.due.remove(about) {
            Some(Due::Change(at)) => drop(self.changes.remove(&(at, about.clone()))),
            Some(Due::Repeat(at)) => drop(self.repeats.remove(&(at, about.clone()))),
            None => {}
        }
        let Some(due) = due else { return };
        self.due.insert(about.clone(), due);
        match due {
            Due::Change(at) => self.changes.insert((at, about.clone())),
            Due::Repeat(at) => self.repeats.insert((at, about.clone())),
        };
    }

    /// The same, but not before this time.
    pub(super) fn postpone(&mut self, about: &WorkItem, until: Instant) {
        let later = self.due.get(about).map(|due| match due {
            Due::Change(at) => Due::Change(until.max(*at)),
            Due::Repeat(at) => Due::Repeat(until.max(*at)),
        });
        self.plan(about, later);
    }

    /// When the next item is due.
    pub(super) fn next(&self) -> Option<Instant> {
        let firsts = [self.changes.first(), self.repeats.first()];
        firsts.into_iter().flatten().map(|(at, _)| *at).min()
    }

    /// What is to be done first of what is due now.
    pub(super) fn first_due(&self, now: Instant) -> Option<&WorkItem> {
        let firsts = [self.changes.first(), self.repeats.first()];
        let mut firsts = firsts.into_iter().flatten();
        firsts.find(|(at, _)| *at <= now).map(|(_, about)| about)
    }
}
