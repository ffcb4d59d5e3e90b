//! What has one cause is told once: findings of each object become those of the report.

use std::collections::BTreeMap;

use super::{
    Finding,
    affected::Affected,
    cause::Cause,
    code::{Code, Severity},
    text,
};
use crate::{read::Place, report::FindingReport};

/// What has the same cause and is as grave.
#[derive(Debug, Default)]
struct Group {
    affected: Affected,
    /// Where it is found first.
    place: Option<Place>,
}

/// Puts the findings of each cause together, and makes their text. The gravest come first; of equals,
/// those with the smaller code, then those that stand first.
pub(crate) fn grouped(findings: impl IntoIterator<Item = Finding>) -> Vec<FindingReport> {
    let mut groups = BTreeMap::<(Severity, Cause), Group>::new();
    for finding in findings {
        let Finding {
            severity,
            cause,
            place,
            members,
        } = finding;
        let group = groups.entry((severity, cause)).or_default();
        if group.place.is_none() || (place.is_some() && place < group.place) {
            group.place = place;
        }
        members
            .into_iter()
            .for_each(|member| group.affected.add(member));
    }
    let mut told: Vec<_> = groups
        .into_iter()
        .map(|((severity, cause), group)| {
            let code = match group.affected.is_by_pods() {
                true => Code::PodsRejected,
                false => cause.code(),
            };
            let report = report(severity, code, &cause, group);
            (severity, code, report)
        })
        .collect();
    told.sort_by(
        |(severity, code, one), (other_severity, other_code, other)| {
            let one = (severity, code, &one.place, &one.message);
            one.cmp(&(other_severity, other_code, &other.place, &other.message))
        },
    );
    told.into_iter().map(|(.., report)| report).collect()
}

fn report(severity: Severity, code: Code, cause: &Cause, group: Group) -> FindingReport {
    let Group { affected, place } = group;
    FindingReport {
        severity,
        code: code.name(),
        message: text::message(cause, &affected),
        remedy: text::remedy(cause, &affected),
        count: affected.count().max(1),
        objects: affected.first(),
        place,
    }
}
