//! What the tests look at in a verdict.

use crate::admission::verdict::Verdict;

pub(in crate::admission) fn message(verdict: &Verdict) -> Option<&str> {
    verdict
        .rejection
        .as_ref()
        .map(|objection| &*objection.message)
}

pub(in crate::admission) fn code(verdict: &Verdict) -> Option<u16> {
    verdict.rejection.as_ref().map(|objection| objection.code())
}

pub(in crate::admission) fn warnings(verdict: &Verdict) -> Vec<&str> {
    verdict
        .warnings
        .iter()
        .map(|objection| &*objection.message)
        .collect()
}
