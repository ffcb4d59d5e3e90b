//! Switch words that do not do what they look like are told, each with what Kuma makes of it (I6).
//!
//! The sentences hold for Kuma 2.13, 2.14 and 3.0. Where it depends on the Namespace what becomes of
//! a word, and the Namespace is not known, the sentence says on what it depends: nothing is asked for
//! a warning.

use std::fmt;

use super::{
    pod_review::PodReview,
    verdict::{Objection, Rule},
};
use crate::{
    keys::{self, Switch},
    membership::{self, Mark},
    metadata::{Labels, Metadata, PodFacts},
    quoted::Quoted,
};

/// Labels or annotations, and what they are called.
type Place<'m> = (&'static str, &'m Labels<'m>);

/// What Kuma makes of a word of a Pod, if that is not what it looks like.
type OfPod<'r> = fn(Pod<'r>, &str) -> Option<&'static str>;

/// What Kuma makes of a word of a Namespace, if that is not what it looks like.
type OfNamespace = fn(&str) -> Option<&'static str>;

/// The words of a Pod or Pod template. `namespace` is the Namespace, if a rule has asked for it.
pub(super) fn of_pod<'r>(
    review: &PodReview<'r>,
    namespace: Option<&'r Metadata<'r>>,
) -> impl Iterator<Item = Objection> + 'r {
    let PodReview { subject, new, .. } = *review;
    let Metadata {
        labels,
        annotations,
    } = &new.metadata;
    let pod = Pod {
        facts: new,
        namespace,
    };
    let label = ("label", labels);
    let annotation = ("annotation", annotations);
    let words: [(Place<'_>, &str, OfPod<'_>); 6] = [
        (label, keys::SIDECAR_INJECTION, Pod::injection),
        (annotation, keys::SIDECAR_INJECTION, |_, _| Some(NOT_READ)),
        (annotation, keys::SIDECAR_INJECTED, Pod::injected),
        (annotation, keys::INGRESS, Pod::zone_proxy),
        (annotation, keys::EGRESS, Pod::zone_proxy),
        (annotation, keys::GATEWAY, Pod::gateway),
    ];
    words
        .into_iter()
        .filter_map(move |((place, entries), key, effect)| {
            let word = entries.get(key)?;
            let effect = effect(pod, word)?;
            let place = format_args!("{place} {key} of this {subject}");
            Some(objection(place, word, effect))
        })
}

/// The words of a Namespace.
pub(super) fn of_namespace(namespace: &Metadata<'_>) -> impl Iterator<Item = Objection> {
    let words: [(Place<'_>, OfNamespace); 2] = [
        (("label", &namespace.labels), namespace_injection),
        (("annotation", &namespace.annotations), |_| Some(NOT_READ)),
    ];
    words.into_iter().filter_map(|((place, entries), effect)| {
        let key = keys::SIDECAR_INJECTION;
        let word = entries.get(key)?;
        let effect = effect(word)?;
        let place = format_args!("{place} {key} of this namespace");
        Some(objection(place, word, effect))
    })
}

fn objection(place: fmt::Arguments<'_>, word: &str, effect: &str) -> Objection {
    Objection::new(
        Rule::SwitchWord,
        format!("{place} is {}{effect}", Quoted(word)),
    )
}

// What Kuma makes of a word, and what to do.

const NOT_READ: &str = ", but Kuma reads only the label of that name; set the label";
const NEITHER: &str = ", which is neither on nor off and has no effect; use enabled or disabled";
const NEITHER_INJECTOR: &str = ", which is neither on nor off: where the namespace injects, Kuma's \
    injector refuses the Pod with code 500; use enabled or disabled";
const NOT_SELECTED: &str = ", but the namespace does not inject, and for this word no webhook of \
    Kuma selects the Pod: it gets no sidecar; use enabled";
const NAMESPACE_WITHOUT_LABEL: &str = ", but the namespace does not have the label, so no webhook \
    of Kuma selects the Pod: it gets no sidecar; set the label of the namespace";
const NAMESPACE_NOT_SELECTED: &str = ", which no webhook of Kuma selects: only Pods whose own label \
    is enabled get a sidecar; use enabled or disabled";
const NEITHER_CONTROLLER: &str = ", which is neither on nor off: unless Kuma injects the Pod, its \
    Pod controller stops with an error and makes no Dataplane; remove it";
const NEITHER_GATEWAY: &str = ", which is neither on nor off: from version 3 on, Kuma's Pod \
    controller stops with an error; remove it";
const NEITHER_ZONE_PROXY: &str = ", which is neither on nor off: before version 3, Kuma's Pod \
    controller stops with an error and makes no Dataplane; remove it";
const GATEWAY_INJECTOR: &str = ", which Kuma's injector does not know: where it injects, it refuses \
    the Pod with code 500; use enabled";
const BUILTIN_INJECTOR: &str = ", which Kuma's injector does not know: where it injects, it refuses \
    the Pod with code 500; set label kuma.io/sidecar-injection to disabled";
const GATEWAY_CONTROLLER: &str = ", which is no kind of gateway: once the Pod is injected, Kuma's \
    Pod controller stops with an error and makes no Dataplane; use enabled";
const NO_GATEWAY: &str = ", which is no kind of gateway and has no effect; use enabled or builtin";

/// A Pod whose words are judged.
#[derive(Debug, Clone, Copy)]
struct Pod<'r> {
    facts: &'r PodFacts<'r>,
    namespace: Option<&'r Metadata<'r>>,
}

impl Pod<'_> {
    /// Whether Kuma adds a sidecar, as far as is known.
    fn may_be_injected(self) -> bool {
        membership::injected_where(self.facts).is_some_and(|injected_where| {
            self.namespace
                .is_none_or(|namespace| injected_where.holds(namespace))
        })
    }

    /// The label `kuma.io/sidecar-injection`.
    fn injection(self, word: &str) -> Option<&'static str> {
        match Switch::read(word) {
            Switch::Off => None,
            Switch::Unknown if self.may_be_injected() => Some(NEITHER_INJECTOR),
            Switch::Unknown => Some(NEITHER),
            Switch::On => {
                membership::injected_where(self.facts)?;
                let namespace = self.namespace.filter(|_| !self.may_be_injected())?;
                Some(match namespace.labels.contains(keys::SIDECAR_INJECTION) {
                    true => NOT_SELECTED,
                    false => NAMESPACE_WITHOUT_LABEL,
                })
            }
        }
    }

    /// The annotation `kuma.io/sidecar-injected`.
    fn injected(self, word: &str) -> Option<&'static str> {
        match Switch::read(word) {
            Switch::On | Switch::Off => None,
            Switch::Unknown if self.facts.is_builtin_gateway() => Some(NEITHER_GATEWAY),
            Switch::Unknown => Some(NEITHER_CONTROLLER),
        }
    }

    /// The annotations `kuma.io/ingress` and `kuma.io/egress`.
    fn zone_proxy(self, word: &str) -> Option<&'static str> {
        (Switch::read(word) == Switch::Unknown).then_some(NEITHER_ZONE_PROXY)
    }

    /// The annotation `kuma.io/gateway`.
    fn gateway(self, word: &str) -> Option<&'static str> {
        let may_be_injected = self.may_be_injected();
        let is_marked = Mark::Injected.is_on(self.facts);
        match (word, Switch::read(word)) {
            ("enabled", _) => None,
            (keys::GATEWAY_BUILTIN, _) => may_be_injected.then_some(BUILTIN_INJECTOR),
            (_, Switch::On | Switch::Off) => {
                (may_be_injected || is_marked).then_some(GATEWAY_CONTROLLER)
            }
            (_, Switch::Unknown) if may_be_injected => Some(GATEWAY_INJECTOR),
            // The Pod controller knows it: it works on a Pod that was marked by hand.
            ("provided", _) => None,
            (_, Switch::Unknown) if is_marked => Some(GATEWAY_CONTROLLER),
            (_, Switch::Unknown) => Some(NO_GATEWAY),
        }
    }
}

/// The label `kuma.io/sidecar-injection` of a Namespace.
fn namespace_injection(word: &str) -> Option<&'static str> {
    match (word, Switch::read(word)) {
        ("enabled" | "true", _) | (_, Switch::Off) => None,
        (_, Switch::On | Switch::Unknown) => Some(NAMESPACE_NOT_SELECTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::{request::Operation, test_support::*};
    use rstest::rstest;

    const INJECTION: &str = keys::SIDECAR_INJECTION;
    const INJECTED: &str = keys::SIDECAR_INJECTED;

    type Entries = &'static [(&'static str, &'static str)];

    /// The warnings of a Pod, as the pair of its word and what is said of it.
    fn told(
        labels: Entries,
        annotations: Entries,
        namespace: Option<Option<&'static str>>,
    ) -> Vec<String> {
        let namespace = namespace.map(|word| Metadata {
            labels: word.map(|word| (INJECTION, word)).into_iter().collect(),
            ..Metadata::default()
        });
        let facts = PodFacts {
            metadata: Metadata {
                labels: labels.iter().copied().collect(),
                annotations: annotations.iter().copied().collect(),
            },
            ..PodFacts::default()
        };
        let review = PodReview {
            subject: crate::admission::pod_review::PodOrTemplate::Pod,
            operation: Operation::Create,
            namespace: "team",
            new: &facts,
            old: None,
        };
        of_pod(&review, namespace.as_ref())
            .map(|objection| objection.message)
            .collect()
    }

    const UNKNOWN: Option<Option<&str>> = None;
    const WITHOUT: Option<Option<&str>> = Some(None);
    const ENABLED: Option<Option<&str>> = Some(Some("enabled"));
    const OFF: Option<Option<&str>> = Some(Some("disabled"));

    #[rstest]
    #[case::enabled("enabled", UNKNOWN, None)]
    #[case::enabled_in_a_namespace_that_is_off("enabled", OFF, None)]
    #[case::enabled_without_the_label("enabled", WITHOUT, Some(NAMESPACE_WITHOUT_LABEL))]
    #[case::off("no", WITHOUT, None)]
    #[case::true_not_known("true", UNKNOWN, None)]
    #[case::true_injected("true", ENABLED, None)]
    #[case::true_off("true", OFF, Some(NOT_SELECTED))]
    #[case::yes_off("yes", OFF, Some(NOT_SELECTED))]
    #[case::yes_in_yes("yes", Some(Some("yes")), Some(NOT_SELECTED))]
    #[case::yes_without_the_label("yes", WITHOUT, Some(NAMESPACE_WITHOUT_LABEL))]
    #[case::garbage_not_known("on", UNKNOWN, Some(NEITHER_INJECTOR))]
    #[case::garbage_injected("on", ENABLED, Some(NEITHER_INJECTOR))]
    #[case::garbage_off("on", OFF, Some(NEITHER))]
    #[case::empty("", WITHOUT, Some(NEITHER))]
    fn i6_the_label_of_a_pod(
        #[case] word: &'static str,
        #[case] namespace: Option<Option<&'static str>>,
        #[case] effect: Option<&str>,
    ) {
        let labels = vec![(INJECTION, word)].leak();
        let expected = effect.map(|effect| {
            format!("label kuma.io/sidecar-injection of this pod is \"{word}\"{effect}")
        });
        assert_eq!(told(labels, &[], namespace), Vec::from_iter(expected));
    }

    #[rstest]
    #[case::enabled("enabled", &[], &[], UNKNOWN, None)]
    #[case::builtin("builtin", &[], &[], UNKNOWN, Some(BUILTIN_INJECTOR))]
    #[case::builtin_injected("builtin", &[], &[], ENABLED, Some(BUILTIN_INJECTOR))]
    #[case::builtin_not_injected("builtin", &[], &[], WITHOUT, None)]
    #[case::builtin_off("builtin", &[(INJECTION, "disabled")], &[], ENABLED, None)]
    #[case::builtin_marked("builtin", &[], &[(INJECTED, "true")], WITHOUT, None)]
    #[case::provided("provided", &[], &[], UNKNOWN, Some(GATEWAY_INJECTOR))]
    #[case::provided_marked("provided", &[], &[(INJECTED, "true")], WITHOUT, None)]
    #[case::provided_off("provided", &[(INJECTION, "no")], &[], ENABLED, None)]
    #[case::switch("true", &[], &[], UNKNOWN, Some(GATEWAY_CONTROLLER))]
    #[case::switch_off("disabled", &[], &[], ENABLED, Some(GATEWAY_CONTROLLER))]
    #[case::switch_marked("yes", &[(INJECTION, "no")], &[(INJECTED, "true")], UNKNOWN, Some(GATEWAY_CONTROLLER))]
    #[case::switch_not_injected("false", &[], &[], WITHOUT, None)]
    #[case::garbage("Builtin", &[], &[], UNKNOWN, Some(GATEWAY_INJECTOR))]
    #[case::empty("", &[], &[], ENABLED, Some(GATEWAY_INJECTOR))]
    #[case::garbage_marked("odd", &[], &[(INJECTED, "true")], WITHOUT, Some(GATEWAY_CONTROLLER))]
    #[case::garbage_not_injected("odd", &[], &[], WITHOUT, Some(NO_GATEWAY))]
    fn i6_the_gateway_annotation(
        #[case] word: &'static str,
        #[case] labels: Entries,
        #[case] annotations: Entries,
        #[case] namespace: Option<Option<&'static str>>,
        #[case] effect: Option<&str>,
    ) {
        let mut annotations = annotations.to_vec();
        annotations.push((keys::GATEWAY, word));
        let expected = effect
            .map(|effect| format!("annotation kuma.io/gateway of this pod is \"{word}\"{effect}"));
        let told = told(labels, annotations.leak(), namespace);
        assert_eq!(told, Vec::from_iter(expected));
    }

    #[rstest]
    #[case::known(&[(INJECTED, "no"), (keys::INGRESS, "false"), (keys::EGRESS, "enabled")], &[])]
    #[case::neither(&[(INJECTED, "1"), (keys::INGRESS, ""), (keys::EGRESS, "x")],
        &[(INJECTED, "1", NEITHER_CONTROLLER), (keys::INGRESS, "", NEITHER_ZONE_PROXY), (keys::EGRESS, "x", NEITHER_ZONE_PROXY)])]
    #[case::of_a_builtin_gateway(&[(INJECTED, "1"), (keys::GATEWAY, "builtin")], &[(INJECTED, "1", NEITHER_GATEWAY)])]
    #[case::the_switch_as_an_annotation(&[(INJECTION, "enabled")], &[(INJECTION, "enabled", NOT_READ)])]
    fn i6_other_annotations_of_a_pod(
        #[case] annotations: Entries,
        #[case] effects: &[(&str, &str, &str)],
    ) {
        let expected: Vec<_> = effects
            .iter()
            .map(|(key, word, effect)| {
                format!("annotation {key} of this pod is \"{word}\"{effect}")
            })
            .collect();
        assert_eq!(told(&[], annotations, WITHOUT), expected);
    }

    #[rstest]
    #[case::enabled("enabled", None)]
    #[case::true_("true", None)]
    #[case::off("no", None)]
    #[case::yes("yes", Some(NAMESPACE_NOT_SELECTED))]
    #[case::garbage("On", Some(NAMESPACE_NOT_SELECTED))]
    fn i6_the_label_of_a_namespace(#[case] word: &'static str, #[case] effect: Option<&str>) {
        let verdict = NamespaceRequest::new(&[(INJECTION, word)]).judge(&FakeCluster::untouched());
        let expected = effect.map(|effect| {
            format!("label kuma.io/sidecar-injection of this namespace is \"{word}\"{effect}")
        });
        assert_eq!(warnings(&verdict), Vec::from_iter(expected.as_deref()));
    }

    #[test]
    fn i6_the_switch_as_an_annotation_of_a_namespace() {
        let namespace = Metadata {
            annotations: [(INJECTION, "enabled")].into_iter().collect(),
            ..Metadata::default()
        };
        let told: Vec<_> = of_namespace(&namespace).map(|one| one.message).collect();
        assert_eq!(
            told,
            [
                "annotation kuma.io/sidecar-injection of this namespace is \"enabled\", \
              but Kuma reads only the label of that name; set the label"
            ]
        );
    }

    /// Nothing is asked for a warning, and what a rule has asked is used.
    #[rstest]
    #[case::rule_off("{}", 0, 0)]
    #[case::rule_on(r#"{"disallowMultipleMeshesPerNamespace":true}"#, 1, 1)]
    fn i6_the_namespace_is_not_asked_for_a_warning(
        #[case] settings: &str,
        #[case] questions: usize,
        #[case] warned: usize,
    ) {
        let cluster = FakeCluster::new(&[]);
        let request = PodRequest::new(Operation::Create)
            .labels(&[(INJECTION, "yes")])
            .settings(settings);
        let verdict = request.judge(&cluster);
        assert_eq!(
            (cluster.questions(), warnings(&verdict).len()),
            (questions, warned)
        );
    }

    #[test]
    fn i6_a_template_is_named() {
        let verdict = TemplateRequest::new("Deployment")
            .labels(&[(INJECTION, "on")])
            .judge(&FakeCluster::untouched());
        let place = "label kuma.io/sidecar-injection of this pod template of Deployment \"web\"";
        assert_eq!(
            warnings(&verdict),
            [format!("{place} is \"on\"{NEITHER_INJECTOR}")]
        );
    }
}
