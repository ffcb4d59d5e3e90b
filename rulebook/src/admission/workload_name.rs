//! The workload of a meshed Pod needs a name that a Workload object can have (W5).

use super::{
    enforcement::enforce,
    pod_review::PodReview,
    settings::Settings,
    verdict::{Objection, Rule, Ruling},
    witness::{Step, Witness},
};
use crate::{
    identifier::{self, Identifier, NameForm, PodAnnotation},
    membership::{self, Membership},
    metadata::PodFacts,
    quoted::Quoted,
};

/// Judges a Pod or Pod template that is meshed by itself: the Namespace is not asked about a name.
/// An UPDATE is judged only if it changes the name.
pub(super) fn judge(
    review: &PodReview<'_>,
    settings: &Settings<'_>,
    warnings: &mut Vec<Objection>,
    witness: &impl Witness,
) -> Ruling {
    let passes = |step| {
        witness.step(step);
        Ok(())
    };
    let Some(action) = settings.invalid_workload_name else {
        return passes(Step::NamesNotJudged);
    };
    let Some(workload) = workload_of(review.new, settings) else {
        return passes(Step::NoWorkloadKnown);
    };
    let Err(fault) = identifier::check(workload.name, NameForm::Kubernetes) else {
        return passes(Step::PossibleWorkload);
    };
    let old = review.old.and_then(|old| workload_of(old, settings));
    if old.is_some_and(|old| old.name == workload.name) {
        return passes(Step::KeptWorkload);
    }
    let objection = Objection::new(
        Rule::WorkloadName,
        format!(
            "workload name {} of this {}, from {}, cannot be the name of a Workload: {fault}",
            Quoted(workload.name),
            review.subject,
            workload.source,
        ),
    );
    enforce(action, objection, warnings, witness)
}

/// The workload of a Pod that is meshed whatever its Namespace says.
fn workload_of<'a>(pod: &'a PodFacts<'_>, settings: &'a Settings<'_>) -> Option<Identifier<'a>> {
    match membership::of_pod(pod) {
        Membership::Meshed => {
            identifier::of_pod(pod, settings.workload_labels(), PodAnnotation::Ignore)
        }
        Membership::Unmeshed | Membership::AskNamespace(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::admission::{request::Operation, test_support::*};
    use rstest::rstest;

    const BAD: &str = "workload name \"Bad_Name\" of this pod, from label app, cannot be the name \
        of a Workload: it must be lower-case letters, digits, '-' and '.', each part beginning and \
        ending with a letter or digit";

    #[rstest]
    #[case::warn("warn", None, &[BAD])]
    #[case::deny("deny", Some(BAD), &[])]
    #[case::ignore("ignore", None, &[])]
    fn w5_a_bad_name_by_setting(
        #[case] setting: &str,
        #[case] rejection: Option<&str>,
        #[case] warned: &[&str],
    ) {
        let settings = format!(r#"{{"workloadLabels":["app"],"invalidWorkloadName":"{setting}"}}"#);
        let request = PodRequest::new(Operation::Create)
            .labels(&[("app", "Bad_Name"), ("kuma.io/mesh", "m")])
            .settings(&settings);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), rejection);
        assert_eq!(code(&verdict), rejection.map(|_| 403));
        assert_eq!(warnings(&verdict), warned);
    }

    #[rstest]
    #[case::not_proven_meshed(&[("app", "Bad_Name")])]
    #[case::unmeshed(&[("app", "Bad_Name"), ("kuma.io/sidecar-injection", "disabled")])]
    #[case::good_name(&[("app", "good"), ("kuma.io/mesh", "m")])]
    fn w5_judges_bad_names_of_meshed_pods_only(#[case] labels: &[(&'static str, &'static str)]) {
        let request = PodRequest::new(Operation::Create)
            .labels(labels)
            .settings(r#"{"workloadLabels":["app"],"invalidWorkloadName":"deny"}"#);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!((message(&verdict), warnings(&verdict).len()), (None, 0));
    }

    #[rstest]
    #[case::the_name_was_there(&[("app", "Bad_Name"), ("kuma.io/mesh", "m")], false)]
    #[case::another_name_was_there(&[("app", "good"), ("kuma.io/mesh", "m")], true)]
    fn w5_an_update_is_judged_if_it_brings_the_name(
        #[case] old: &[(&'static str, &'static str)],
        #[case] rejected: bool,
    ) {
        let request = PodRequest::new(Operation::Update)
            .labels(&[("app", "Bad_Name"), ("kuma.io/mesh", "m")])
            .was(old)
            .settings(r#"{"workloadLabels":["app"],"invalidWorkloadName":"deny"}"#);
        assert_eq!(
            message(&request.judge(&FakeCluster::untouched())).is_some(),
            rejected
        );
    }
}
