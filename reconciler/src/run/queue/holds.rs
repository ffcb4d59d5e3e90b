//! The writes of one item that wait after failures: one of each sort.

use tokio::time::Instant;

use super::{
    hold::{FailureKind, Hold, WriteFailure},
    ready::WriteKind,
};
use crate::run::controller::RejectedChange;

/// What waits after failures. Numbers that are refused hold up no labels, and labels that are written
/// say nothing about the numbers.
#[derive(Debug, Default)]
pub(super) struct Holds {
    object: Option<Box<Hold>>,
    numbers: Option<Box<Hold>>,
}

impl Holds {
    fn of(&mut self, kind: WriteKind) -> &mut Option<Box<Hold>> {
        match kind {
            WriteKind::Object => &mut self.object,
            WriteKind::Numbers => &mut self.numbers,
        }
    }

    fn all(&self) -> impl Iterator<Item = (WriteKind, &Hold)> {
        let object = self.object.iter().map(|hold| (WriteKind::Object, &**hold));
        let numbers = self
            .numbers
            .iter()
            .map(|hold| (WriteKind::Numbers, &**hold));
        object.chain(numbers)
    }

    /// Those that concern writes of this sort.
    fn concerning(&self, kind: WriteKind) -> impl Iterator<Item = &Hold> {
        let all = self.all();
        let concerning = all.filter(move |(of, hold)| *of == kind || !hold.is_of_its_sort());
        concerning.map(|(_, hold)| hold)
    }

    /// Until when a write must wait.
    pub(super) fn blocked(
        &self,
        kind: WriteKind,
        change: &RejectedChange,
        now: Instant,
    ) -> Option<Instant> {
        let holds = self.concerning(kind);
        let blocking = holds.filter(|hold| hold.blocks(change, now));
        blocking.map(|hold| hold.until).max()
    }

    /// Until when something waits.
    pub(super) fn until(&self) -> Option<Instant> {
        self.all().map(|(_, hold)| hold.until).max()
    }

    /// The one that lasts longest.
    pub(super) fn longest(&self) -> Option<&Hold> {
        self.all()
            .map(|(_, hold)| hold)
            .max_by_key(|hold| hold.until)
    }

    /// Whether the next write of this sort is a repeat of one that the API server has answered (L22).
    pub(super) fn make_repeat(&self, kind: WriteKind) -> bool {
        self.concerning(kind).any(Hold::makes_repeat)
    }

    /// A write of this sort has failed. Returns until when it waits.
    pub(super) fn failed(
        &mut self,
        kind: WriteKind,
        failure: WriteFailure,
        now: Instant,
    ) -> Instant {
        let hold = self.of(kind);
        let next = Hold::after(failure, hold.as_deref(), now);
        let until = next.until;
        *hold = Some(Box::new(next));
        until
    }

    /// A write of this sort has succeeded: so the API server writes again, whatever had kept it.
    pub(super) fn succeeded(&mut self, kind: WriteKind) {
        *self.of(kind) = None;
        for hold in [&mut self.object, &mut self.numbers] {
            hold.take_if(|hold| !hold.is_of_its_sort());
        }
    }

    /// The namespace may be there again.
    pub(super) fn has_namespace(&mut self, now: Instant) {
        let holds = [&mut self.object, &mut self.numbers].into_iter().flatten();
        for hold in holds.filter(|hold| hold.last.kind == FailureKind::NoNamespace) {
            hold.until = now;
        }
    }

    /// A planted fault: nothing waits any more.
    pub(super) fn end(&mut self, now: Instant) {
        for hold in [&mut self.object, &mut self.numbers].into_iter().flatten() {
            hold.until = now;
        }
    }
}
