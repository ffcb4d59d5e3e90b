//! What there is to say of the text of an object: it is said if the object matters.

use crate::read::{Parsed, Problem, Remark, tree::Node};

/// What was found in some lines of a document.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Notes<'p> {
    /// Why what stands there is refused.
    pub(super) problems: &'p [Problem],
    /// What is read otherwise than it looks.
    pub(super) remarks: &'p [Remark],
}

impl<'p> Notes<'p> {
    /// What was found in a document.
    pub(super) fn of(parsed: &'p Parsed) -> Self {
        Self {
            problems: &parsed.problems,
            remarks: &parsed.remarks,
        }
    }

    /// For each item of a list, what was found from there up to the next. What stands before the first
    /// is said of that, and what comes after the last of the last.
    pub(super) fn of_items(mut self, items: &[Node]) -> impl Iterator<Item = (&Node, Self)> {
        let next = items.iter().skip(1).map(|item| Some(item.at)).chain([None]);
        items.iter().zip(next).map(move |(item, next)| {
            let is_before = |at| next.is_none_or(|next| at < next);
            let problems = self
                .problems
                .partition_point(|problem| is_before(problem.at));
            let remarks = self.remarks.partition_point(|remark| is_before(remark.at));
            let (problems, remarks) = (
                self.problems.split_at(problems),
                self.remarks.split_at(remarks),
            );
            self = Self {
                problems: problems.1,
                remarks: remarks.1,
            };
            let notes = Self {
                problems: problems.0,
                remarks: remarks.0,
            };
            (item, notes)
        })
    }
}
