//! A ValidatingAdmissionPolicy and its binding.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::admissionregistration::v1::{
        MatchResources, NamedRuleWithOperations, ValidatingAdmissionPolicy,
        ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBindingSpec,
        ValidatingAdmissionPolicySpec, Validation,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement, ObjectMeta},
};
use kuma_workload_rulebook::admission::{EnforcementAction, Settings};

use super::{sentence::Sentence, variables::Variables};

/// The label that all objects carry, so that they can be selected to be pruned or deleted.
pub(super) const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "kuma-workload-vap");

/// The annotation in which Kubernetes says what an object is for.
const DESCRIPTION: &str = "kubernetes.io/description";

/// The label that the API server itself gives to a Namespace: its name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The most characters of an expression that the API server compiles.
const LONGEST_EXPRESSION: usize = 100_000;

/// The most bytes of a policy's expressions: what the API server stores has 1.5 MB at most.
const LARGEST_POLICY: usize = 1_400_000;

/// What happens to a request where an expression fails. No expression should: a test sends the
/// largest objects under the largest settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnError {
    /// It is refused.
    Refuse,
    /// It is accepted.
    Accept,
}

/// A policy and how it is bound.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    /// The name of both objects.
    pub(super) name: &'static str,
    /// What it is for, with the numbers of its rules.
    pub(super) description: &'static str,
    pub(super) on_error: OnError,
    /// Whether a validation that does not hold refuses the request or warns (A9).
    pub(super) action: EnforcementAction,
    pub(super) resources: Vec<NamedRuleWithOperations>,
    /// Namespaces in which nothing is judged (A19).
    pub(super) exempt: Vec<String>,
    /// May hold more than the validations use.
    pub(super) variables: Variables,
    pub(super) validations: Vec<Rejection>,
}

/// A rule.
#[derive(Debug, Clone)]
pub(super) struct Rejection {
    /// It accepts what this holds for.
    pub(super) accepts: String,
    /// What it says of anything else.
    pub(super) says: Says,
}

/// What a rule says.
#[derive(Debug, Clone)]
pub(super) enum Says {
    /// Always the same.
    Text(String),
    /// An expression. It is evaluated with every request, even where the rule accepts.
    Expression(String),
}

impl Says {
    /// This sentence.
    pub(super) fn of(sentence: &Sentence) -> Self {
        match sentence.text() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Expression(sentence.cel()),
        }
    }
}

/// The resources that a policy judges, of one API group and version.
pub(super) fn resources(
    api_version: &str,
    resources: &[&str],
    operations: &[&str],
) -> NamedRuleWithOperations {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let texts = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect());
    NamedRuleWithOperations {
        api_groups: texts(&[group]),
        api_versions: texts(&[version]),
        operations: texts(operations),
        resources: texts(resources),
        // What the API server adds itself, so that nothing differs from what is stored.
        scope: Some("*".to_owned()),
        ..NamedRuleWithOperations::default()
    }
}

/// The Namespaces that are exempt from the mesh rules (A19).
pub(super) fn exempt(settings: &Settings<'_>) -> Vec<String> {
    settings.exempt_namespaces().map(str::to_owned).collect()
}

impl Policy {
    /// The policy as an object.
    pub(super) fn policy(&self) -> ValidatingAdmissionPolicy {
        let expressions = self.validations.iter().flat_map(|validation| {
            let message = match &validation.says {
                Says::Text(_) => None,
                Says::Expression(expression) => Some(&**expression),
            };
            [Some(&*validation.accepts), message].into_iter().flatten()
        });
        let variables = self.variables.clone().used_by(expressions);
        let spec = ValidatingAdmissionPolicySpec {
            failure_policy: Some(match self.on_error {
                OnError::Refuse => "Fail".to_owned(),
                OnError::Accept => "Ignore".to_owned(),
            }),
            match_constraints: Some(MatchResources {
                match_policy: Some("Equivalent".to_owned()),
                namespace_selector: Some(self.namespace_selector()),
                object_selector: Some(LabelSelector::default()),
                resource_rules: Some(self.resources.clone()),
                ..MatchResources::default()
            }),
            variables: (!variables.is_empty()).then_some(variables),
            validations: Some(self.validations.iter().map(Rejection::validation).collect()),
            ..ValidatingAdmissionPolicySpec::default()
        };
        ValidatingAdmissionPolicy {
            metadata: self.metadata(),
            spec: Some(spec),
            status: None,
        }
    }

    /// The binding, without which the policy judges nothing.
    pub(super) fn binding(&self) -> ValidatingAdmissionPolicyBinding {
        let actions: &[&str] = match self.action {
            EnforcementAction::Deny => &["Deny"],
            EnforcementAction::Warn => &["Warn", "Audit"],
        };
        ValidatingAdmissionPolicyBinding {
            metadata: self.metadata(),
            spec: ValidatingAdmissionPolicyBindingSpec {
                policy_name: self.name.to_owned(),
                validation_actions: actions.iter().map(|&action| action.to_owned()).collect(),
                ..ValidatingAdmissionPolicyBindingSpec::default()
            },
        }
    }

    /// Why the API server would not take the policy, if it is too large.
    pub(super) fn fault(&self) -> Option<String> {
        let name = self.name;
        let spec = self.policy().spec.unwrap_or_default();
        let variables: Vec<_> = spec.variables.into_iter().flatten().collect();
        let size: usize = variables.iter().map(|one| one.expression.len()).sum();
        let mut lengths = variables.iter().map(|one| one.expression.chars().count());
        if let Some(length) = lengths.find(|length| *length > LONGEST_EXPRESSION) {
            return Some(format!(
                "the settings are too long for {name}: an expression would have {length} characters, \
                 and the API server compiles at most {LONGEST_EXPRESSION}; shorten the lists"
            ));
        }
        (size > LARGEST_POLICY).then(|| {
            format!(
                "the settings are too long for {name}: it would have {size} bytes, and the API server \
                 stores no more than {LARGEST_POLICY}; shorten the lists"
            )
        })
    }

    fn metadata(&self) -> ObjectMeta {
        let entry =
            |(key, value): (&str, &str)| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        ObjectMeta {
            name: Some(self.name.to_owned()),
            labels: Some(entry(PART_OF)),
            annotations: Some(entry((DESCRIPTION, self.description))),
            ..ObjectMeta::default()
        }
    }

    fn namespace_selector(&self) -> LabelSelector {
        let requirement = LabelSelectorRequirement {
            key: NAMESPACE_NAME.to_owned(),
            operator: "NotIn".to_owned(),
            values: Some(self.exempt.clone()),
        };
        LabelSelector {
            match_expressions: (!self.exempt.is_empty()).then(|| vec![requirement]),
            match_labels: None,
        }
    }
}

impl Rejection {
    fn validation(&self) -> Validation {
        let (message, message_expression) = match self.says.clone() {
            Says::Text(text) => (Some(text), None),
            Says::Expression(expression) => (None, Some(expression)),
        };
        Validation {
            expression: self.accepts.clone(),
            message,
            message_expression,
            // The code is 403.
            reason: Some("Forbidden".to_owned()),
        }
    }
}
