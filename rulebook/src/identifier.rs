//! The workload identifier of a Pod, and which names a Workload can have (W1 to W7).

use std::fmt;

use crate::{keys, metadata::PodFacts};

/// The ServiceAccount that the API server gives to Pods that name none (W2).
pub const DEFAULT_SERVICE_ACCOUNT: &str = "default";

/// A workload identifier and where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// The name, as it was found. It may be a name that no Workload can have (see [`check`]).
    pub name: &'a str,
    /// Where it was found.
    pub source: IdentifierSource<'a>,
}

/// Where a workload identifier was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierSource<'a> {
    /// A label of the Pod with this key, which is one of the configured workload labels (W1).
    Label(&'a str),
    /// `spec.serviceAccountName` (W2).
    ServiceAccount,
    /// The annotation `kuma.io/workload` of the Pod, if it is honored (W7).
    Annotation,
    /// Nothing: the API server sets `spec.serviceAccountName` to `default` (W2).
    DefaultServiceAccount,
}

impl fmt::Display for IdentifierSource<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(key) => write!(formatter, "label {key}"),
            Self::ServiceAccount => formatter.write_str("spec.serviceAccountName"),
            Self::Annotation => write!(formatter, "annotation {}", keys::WORKLOAD),
            Self::DefaultServiceAccount => formatter.write_str("the default ServiceAccount"),
        }
    }
}

/// What to do with the annotation `kuma.io/workload` of a Pod (W3, W7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PodAnnotation {
    /// It names the workload, as Kong's documentation says.
    Honor,
    /// It has no effect, as in every control plane.
    #[default]
    Ignore,
}

impl PodAnnotation {
    /// All of them, with their names and what they mean.
    pub const ALL: [(Self, &str, &str); 2] = [
        (
            Self::Honor,
            "honor",
            "It names the workload, as the Kong page says",
        ),
        (Self::Ignore, "ignore", "Nothing, as for Kuma"),
    ];
}

/// Where the identifier of a Dataplane comes from (W8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Identifiers {
    /// Only the annotation of the Dataplane (control plane 2.13 and later).
    #[default]
    Dataplanes,
    /// The annotation of the Dataplane, or else the identifier of the Pod with the same name.
    Pods,
}

impl Identifiers {
    /// All of them, with their names and what they mean.
    pub const ALL: [(Self, &str, &str); 2] = [
        (
            Self::Dataplanes,
            "dataplanes",
            "The Dataplane's annotation (control plane 2.13 and later)",
        ),
        (
            Self::Pods,
            "pods",
            "The annotation, or else what the Pod of the Dataplane's name would get",
        ),
    ];
}

/// The identifier of a Pod (W1, W2, W7). Builtin gateways never have one (W8).
pub fn of_pod<'a>(
    pod: &'a PodFacts<'_>,
    workload_labels: impl IntoIterator<Item = &'a str>,
    annotation: PodAnnotation,
) -> Option<Identifier<'a>> {
    if pod.is_builtin_gateway() {
        return None;
    }
    let annotated = pod.metadata.annotations.get_non_empty(keys::WORKLOAD);
    if let (PodAnnotation::Honor, Some(name)) = (annotation, annotated) {
        let source = IdentifierSource::Annotation;
        return Some(Identifier { name, source });
    }
    let by_label = workload_labels.into_iter().find_map(|key| {
        let name = pod.metadata.labels.get_non_empty(key)?;
        Some(Identifier {
            name,
            source: IdentifierSource::Label(key),
        })
    });
    Some(by_label.unwrap_or(match pod.service_account.as_deref() {
        Some(name) if !name.is_empty() => Identifier {
            name,
            source: IdentifierSource::ServiceAccount,
        },
        _ => Identifier {
            name: DEFAULT_SERVICE_ACCOUNT,
            source: IdentifierSource::DefaultServiceAccount,
        },
    }))
}

/// Whether the Pod has the annotation `kuma.io/workload`, which Kong's documentation mentions and
/// no control plane reads (W3, W7).
pub fn has_idle_annotation(pod: &PodFacts<'_>) -> bool {
    pod.metadata.annotations.contains(keys::WORKLOAD)
}

/// The form of the names of Workloads (W5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameForm {
    /// Kubernetes: an RFC 1123 subdomain of at most 253 characters.
    Kubernetes,
    /// Universal: an RFC 1035 label of at most 63 characters.
    Universal,
}

/// Why no Workload can have a name (W5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// The name is empty.
    Empty,
    /// The name has more than this number of characters.
    TooLong(usize),
    /// The name does not have this form.
    Malformed(NameForm),
}

impl fmt::Display for NameFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("it is empty"),
            Self::TooLong(max) => write!(formatter, "it is longer than {max} characters"),
            Self::Malformed(NameForm::Kubernetes) => formatter.write_str(
                "it must be lower-case letters, digits, '-' and '.', \
                 each part beginning and ending with a letter or digit",
            ),
            Self::Malformed(NameForm::Universal) => formatter.write_str(
                "it must be lower-case letters, digits and '-', \
                 beginning with a letter and ending with a letter or digit",
            ),
        }
    }
}

/// Checks that a Workload can have this name (W5).
///
/// # Errors
///
/// The first fault found.
pub fn check(name: &str, form: NameForm) -> Result<(), NameFault> {
    let max = match form {
        NameForm::Kubernetes => 253,
        NameForm::Universal => 63,
    };
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if name.len() > max {
        return Err(NameFault::TooLong(max));
    }
    let well_formed = match form {
        NameForm::Kubernetes => name.split('.').all(is_dns_label),
        NameForm::Universal => {
            is_dns_label(name) && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        }
    };
    if well_formed {
        Ok(())
    } else {
        Err(NameFault::Malformed(form))
    }
}

/// Whether a text is a DNS label of any length: lower-case letters, digits and `-`, with a letter
/// or digit at both ends.
pub(crate) fn is_dns_label(part: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
}

/// Whether a Namespace can have this name: a DNS label of at most 63 characters.
pub fn is_namespace(name: &str) -> bool {
    is_dns_label(name) && name.len() <= 63
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Labels, Metadata, Text};
    use rstest::rstest;

    fn pod<'a>(labels: &[(&'a str, &'a str)], service_account: Option<&'a str>) -> PodFacts<'a> {
        PodFacts {
            metadata: Metadata {
                labels: labels.iter().copied().collect(),
                annotations: Labels::default(),
            },
            service_account: service_account.map(Text::from),
            ..PodFacts::default()
        }
    }

    #[rstest]
    #[case::first_key_present(&["app", "tier"], &[("tier", "t"), ("app", "a")], "a", IdentifierSource::Label("app"))]
    #[case::order_is_that_of_the_setting(&["tier", "app"], &[("tier", "t"), ("app", "a")], "t", IdentifierSource::Label("tier"))]
    #[case::empty_value_is_passed_over(&["app", "tier"], &[("app", ""), ("tier", "t")], "t", IdentifierSource::Label("tier"))]
    #[case::taken_as_is(&["app"], &[("app", "Bad_Name")], "Bad_Name", IdentifierSource::Label("app"))]
    #[case::no_key_present(&["app"], &[("tier", "t")], "sa", IdentifierSource::ServiceAccount)]
    fn w1_labels_in_the_order_of_the_setting(
        #[case] workload_labels: &[&str],
        #[case] labels: &[(&str, &str)],
        #[case] name: &str,
        #[case] source: IdentifierSource<'_>,
    ) {
        let pod = pod(labels, Some("sa"));
        let found = of_pod(&pod, workload_labels.iter().copied(), PodAnnotation::Ignore);
        assert_eq!(found, Some(Identifier { name, source }));
    }

    #[rstest]
    #[case::named(Some("sa"), "sa", IdentifierSource::ServiceAccount)]
    #[case::absent(None, "default", IdentifierSource::DefaultServiceAccount)]
    #[case::empty(Some(""), "default", IdentifierSource::DefaultServiceAccount)]
    fn w2_else_the_service_account(
        #[case] service_account: Option<&str>,
        #[case] name: &str,
        #[case] source: IdentifierSource<'_>,
    ) {
        let pod = pod(&[], service_account);
        assert_eq!(
            of_pod(&pod, [], PodAnnotation::Ignore),
            Some(Identifier { name, source })
        );
    }

    #[test]
    fn w3_without_workload_labels_no_label_or_annotation_is_read() {
        let mut pod = pod(&[("app", "a"), ("kuma.io/workload", "forged")], Some("sa"));
        pod.metadata.annotations = [("kuma.io/workload", "idle")].into_iter().collect();
        assert_eq!(
            of_pod(&pod, [], PodAnnotation::Ignore).map(|found| found.name),
            Some("sa")
        );
        assert!(has_idle_annotation(&pod));
    }

    #[rstest]
    #[case::honoured("idle", PodAnnotation::Honor, "idle", IdentifierSource::Annotation)]
    #[case::empty("", PodAnnotation::Honor, "sa", IdentifierSource::ServiceAccount)]
    #[case::ignored("idle", PodAnnotation::Ignore, "sa", IdentifierSource::ServiceAccount)]
    fn w7_the_annotation(
        #[case] value: &str,
        #[case] annotation: PodAnnotation,
        #[case] name: &str,
        #[case] source: IdentifierSource<'_>,
    ) {
        let mut pod = pod(&[], Some("sa"));
        pod.metadata.annotations = [("kuma.io/workload", value)].into_iter().collect();
        assert_eq!(
            of_pod(&pod, [], annotation),
            Some(Identifier { name, source })
        );
    }

    #[rstest]
    #[case::w8_builtin_gateway("kuma.io/gateway", "builtin", None)]
    #[case::i5_zone_ingress("kuma.io/ingress", "enabled", Some("sa"))]
    #[case::i5_zone_egress("kuma.io/egress", "true", Some("sa"))]
    fn w8_only_builtin_gateways_have_no_workload(
        #[case] key: &str,
        #[case] value: &str,
        #[case] name: Option<&str>,
    ) {
        let mut pod = pod(&[], Some("sa"));
        pod.metadata.annotations = [(key, value)].into_iter().collect();
        let found = of_pod(&pod, [], PodAnnotation::Ignore);
        assert_eq!(found.map(|found| found.name), name);
    }

    const K8S: NameForm = NameForm::Kubernetes;
    const UNIVERSAL: NameForm = NameForm::Universal;

    #[rstest]
    #[case::plain("backend", Ok(()), Ok(()))]
    #[case::one_letter("a", Ok(()), Ok(()))]
    #[case::subdomain("a.b-c.d", Ok(()), Err(NameFault::Malformed(UNIVERSAL)))]
    #[case::digit_first("1a", Ok(()), Err(NameFault::Malformed(UNIVERSAL)))]
    #[case::empty("", Err(NameFault::Empty), Err(NameFault::Empty))]
    #[case::empty_part(
        "a..b",
        Err(NameFault::Malformed(K8S)),
        Err(NameFault::Malformed(UNIVERSAL))
    )]
    #[case::underscore(
        "a_b",
        Err(NameFault::Malformed(K8S)),
        Err(NameFault::Malformed(UNIVERSAL))
    )]
    #[case::upper_case(
        "Ab",
        Err(NameFault::Malformed(K8S)),
        Err(NameFault::Malformed(UNIVERSAL))
    )]
    #[case::dash_at_the_end(
        "a-",
        Err(NameFault::Malformed(K8S)),
        Err(NameFault::Malformed(UNIVERSAL))
    )]
    #[case::not_ascii(
        "ä",
        Err(NameFault::Malformed(K8S)),
        Err(NameFault::Malformed(UNIVERSAL))
    )]
    #[case::longest_label(&"a".repeat(63), Ok(()), Ok(()))]
    #[case::longer_than_a_label(&"a".repeat(64), Ok(()), Err(NameFault::TooLong(63)))]
    #[case::longest_subdomain(&"a".repeat(253), Ok(()), Err(NameFault::TooLong(63)))]
    #[case::longer_than_a_subdomain(&"a".repeat(254), Err(NameFault::TooLong(253)), Err(NameFault::TooLong(63)))]
    fn w5_possible_names(
        #[case] name: &str,
        #[case] kubernetes: Result<(), NameFault>,
        #[case] universal: Result<(), NameFault>,
    ) {
        assert_eq!(check(name, K8S), kubernetes);
        assert_eq!(check(name, UNIVERSAL), universal);
    }
}
