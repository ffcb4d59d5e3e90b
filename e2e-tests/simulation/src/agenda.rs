//! What happens when.

use std::collections::BTreeMap;

use crate::clock::Time;

/// Things to come, in the order of their times; at the same time, in the order in which they were added.
#[derive(Debug)]
pub struct Agenda<T> {
    entries: BTreeMap<(Time, u64), T>,
    added: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            added: 0,
        }
    }
}

impl<T> Agenda<T> {
    /// Adds something.
    pub fn add(&mut self, time: Time, what: T) {
        self.added += 1;
        self.entries.insert((time, self.added), what);
    }

    /// When the next thing happens.
    pub fn next(&self) -> Option<Time> {
        self.entries.first_key_value().map(|((time, _), _)| *time)
    }

    /// Takes the next thing.
    pub fn pop(&mut self) -> Option<(Time, T)> {
        let ((time, _), what) = self.entries.pop_first()?;
        Some((time, what))
    }
}
