//! A switch word that is neither on nor off has no effect, which deserves a warning (I1).

use super::{
    pod_review::PodReview,
    verdict::{Objection, Rule},
};
use crate::{
    keys::{self, Switch},
    metadata::{Labels, Metadata},
    quoted::Quoted,
};

/// The unknown switch words of a Pod or Pod template.
pub(super) fn unknown_of_pod(review: &PodReview<'_>) -> impl Iterator<Item = Objection> {
    let PodReview { subject, new, .. } = *review;
    let Metadata {
        labels,
        annotations,
    } = &new.metadata;
    let is_builtin_gateway = new.is_builtin_gateway();
    [
        ("label", labels, keys::SIDECAR_INJECTION),
        ("annotation", annotations, keys::SIDECAR_INJECTED),
        ("annotation", annotations, keys::INGRESS),
        ("annotation", annotations, keys::EGRESS),
        ("annotation", annotations, keys::GATEWAY),
    ]
    .into_iter()
    .filter(move |(_, _, key)| !(is_builtin_gateway && *key == keys::GATEWAY))
    .filter_map(move |(place, entries, key)| {
        let word = unknown_word(entries, key)?;
        let place = format!("{place} {key} of this {subject}");
        Some(objection(&place, key, word))
    })
}

/// The unknown switch word of a Namespace.
pub(super) fn unknown_of_namespace(namespace: &Metadata<'_>) -> Option<Objection> {
    let key = keys::SIDECAR_INJECTION;
    let word = unknown_word(&namespace.labels, key)?;
    let place = format!("label {key} of this namespace");
    Some(objection(&place, key, word))
}

fn unknown_word<'a>(entries: &'a Labels<'_>, key: &str) -> Option<&'a str> {
    entries
        .get(key)
        .filter(|word| Switch::read(word) == Switch::Unknown)
}

fn objection(place: &str, key: &str, word: &str) -> Objection {
    let allowed = if key == keys::GATEWAY {
        "builtin, enabled or disabled"
    } else {
        "enabled or disabled"
    };
    Objection::new(
        Rule::SwitchWord,
        format!(
            "{place} is {} and so has no effect; use {allowed}",
            Quoted(word)
        ),
    )
}

#[cfg(test)]
mod tests {
    use crate::admission::{request::Operation, test_support::*};
    use rstest::rstest;

    #[rstest]
    #[case::known(&[("kuma.io/sidecar-injection", "yes")], &[("kuma.io/gateway", "enabled")], &[])]
    #[case::builtin_gateway(&[], &[("kuma.io/gateway", "builtin")], &[])]
    #[case::label(&[("kuma.io/sidecar-injection", "on")], &[],
        &["label kuma.io/sidecar-injection of this pod is \"on\" and so has no effect; use enabled or disabled"])]
    #[case::annotations(&[], &[("kuma.io/sidecar-injected", "1"), ("kuma.io/ingress", ""), ("kuma.io/egress", "x")], &[
        "annotation kuma.io/sidecar-injected of this pod is \"1\" and so has no effect; use enabled or disabled",
        "annotation kuma.io/ingress of this pod is \"\" and so has no effect; use enabled or disabled",
        "annotation kuma.io/egress of this pod is \"x\" and so has no effect; use enabled or disabled"])]
    #[case::gateway(&[], &[("kuma.io/gateway", "Builtin")],
        &["annotation kuma.io/gateway of this pod is \"Builtin\" and so has no effect; use builtin, enabled or disabled"])]
    fn i1_unknown_words_are_reported(
        #[case] labels: &[(&'static str, &'static str)],
        #[case] annotations: &[(&'static str, &'static str)],
        #[case] warned: &[&str],
    ) {
        let request = PodRequest::new(Operation::Create)
            .labels(labels)
            .annotations(annotations);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), None);
        assert_eq!(warnings(&verdict), warned);
    }

    #[test]
    fn i1_unknown_words_of_namespaces_are_reported() {
        let verdict = NamespaceRequest::new(&[("kuma.io/sidecar-injection", "On")])
            .judge(&FakeCluster::untouched());
        assert_eq!(
            warnings(&verdict),
            [
                "label kuma.io/sidecar-injection of this namespace is \"On\" and so has no effect; \
              use enabled or disabled"
            ]
        );
    }
}
